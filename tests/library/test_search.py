"""Photos are found by words, names, dates and cameras, whatever is typed."""

import itertools
from datetime import date, datetime

import pytest

from photopal.errors import ConceptError, LibraryError
from photopal.library import Appearance, SearchQuery


def caption(library, photo_id, text, *appearances):
    library.captions.put(photo_id, text, model="m", bank="b", prompt_version="1", appearances=appearances)


@pytest.fixture
def holiday(library, make_photo, tmp_path):
    """Four photos: 1 Anna and Rex on a beach, 2 Rex in a café, 3 a mountain without caption, 4 undated."""
    photos = [
        make_photo(1, taken_at="2023-07-01T10:00:00+02:00", camera="Canon EOS R5"),
        make_photo(2, taken_at="2024-01-05T12:00:00", camera="Apple iPhone 15"),
        make_photo(3, taken_at="2024-12-31T23:59:59", path=tmp_path / "Zermatt" / "IMG_0042.jpg"),
        make_photo(4),
    ]
    places = ["Nice, Provence, France", "Nîmes, France", None, None]
    ids = [library.photos.add(photo, place=place) for photo, place in zip(photos, places, strict=True)]
    assert ids == [1, 2, 3, 4]
    anna, rex = library.concepts.add("Anna"), library.concepts.add("Rex", kind="pet")
    caption(library, 1, "Anna runs with Rex.", seen(anna), seen(rex))
    caption(library, 2, "A dog sits in a café.", seen(rex, 0.7), seen(anna, 0.2, is_present=False))
    library.concepts.add_reference(anna.id, 4)
    return library


def seen(concept, score=0.9, *, is_present=True):
    return Appearance(
        concept_id=concept.id,
        score=score,
        is_present=is_present,
        point=(0.25, 0.75),
        box=(0.1, 0.2, 0.3, 0.4),
    )


def found(library, text="", **query):
    return [hit.photo.id for hit in library.search.find(SearchQuery(text=text, **query))]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("runs", [1]),
        ("RUNS anna", [1]),
        ("cafe", [2]),
        ("CAFÉ", [2]),
        ("cafe\u0301", [2]),
        ("caf", [2]),
        ("caf ", []),
        ("sit dog", []),
        ("dog sit", [2]),
        ("rex", [1, 2]),
        ("nimes", [2]),
        ("provence", [1]),
        ("img_0042", [3]),
        ("IMG_0042.jpg", [3]),
        ("zermatt", [3]),
        ("nothing", []),
    ],
)  # fmt: skip
def test_words_are_found_in_captions_names_places_and_file_names(holiday, text, ids):
    assert sorted(found(holiday, text)) == ids


@pytest.mark.parametrize(
    "text",
    [
        '"', "*", "(", "AND", "OR NOT", "a AND (b", "caption:dog", "NEAR(dog cafe)", "dog*", '"dog', "-dog",
        "^dog", "--", "; DROP TABLE photos", "{a b}: c", "\x00", "dog\x00sits", "\ud800", "🐶", "'", "%",
        "a" * 5000, "( ) " * 500,
    ],
)  # fmt: skip
def test_whatever_is_typed_is_words_and_never_syntax(holiday, text):
    holiday.search.find(SearchQuery(text=text))
    assert holiday.search.count(SearchQuery(text=text)) == len(found(holiday, text))
    assert holiday.counts()["photos"] == 4


def test_syntax_around_a_word_does_not_hide_it(holiday):
    for text in ('"dog"', "(dog)", "dog*", "dog -", "* dog"):
        assert found(holiday, text) == [2], text


def test_a_text_without_any_word_finds_nothing(holiday):
    assert found(holiday, "!?") == []
    assert len(found(holiday, "  ")) == 4


def test_a_name_outweighs_a_file_name(library, make_photo, tmp_path):
    rex = library.concepts.add("Rex")
    by_file = library.photos.add(make_photo(1, path=tmp_path / "rex.jpg"))
    by_name = library.photos.add(make_photo(2))
    library.concepts.add_reference(rex.id, by_name)
    hits = library.search.find(SearchQuery(text="rex"))
    assert [hit.photo.id for hit in hits] == [by_name, by_file]
    assert hits[0].rank > hits[1].rank


def test_a_concept_filter_takes_who_is_present_and_reference_photos(holiday):
    assert found(holiday, concepts=("anna",)) == [1, 4]
    assert found(holiday, concepts=("Rex",)) == [2, 1]
    assert found(holiday, concepts=("Anna", "Rex")) == [1]
    with pytest.raises(ConceptError) as caught:
        found(holiday, concepts=("Ana",))
    assert caught.value.hint == 'Did you mean "Anna"?'


def test_a_hit_has_caption_and_names(holiday):
    hits = {hit.photo.id: hit for hit in holiday.search.find(SearchQuery())}
    assert hits[1].names == ["Anna", "Rex"]
    assert hits[1].caption == "Anna runs with Rex."
    assert hits[2].names == ["Rex"]
    assert (hits[4].names, hits[4].caption, hits[4].rank) == (["Anna"], None, 0.0)


def test_captions_are_given_as_they_were_written_and_one_that_must_not_be_shown_is_not(holiday):
    text = "Zoë's Größe: 北京, Café 🎉!"
    holiday.captions.edit(1, text)
    caption(holiday, 3, "Rex climbs the Café.", seen(holiday.concepts.get("Rex")))
    assert holiday.search.count_by_caption(SearchQuery(text="cafe"))[0] == ("A dog sits in a café.", 1)
    holiday.corrections.put(3, holiday.concepts.get("Rex").id, is_present=False)
    hits = {hit.photo.id: hit.caption for hit in holiday.search.find(SearchQuery())}
    assert hits == {1: text, 2: "A dog sits in a café.", 3: None, 4: None}
    assert holiday.search.count_by_caption(SearchQuery()) == [("A dog sits in a café.", 1), (text, 1)]


@pytest.mark.parametrize(
    ("since", "until", "ids"),
    [
        ("2024", None, [3, 2]),
        (None, "2023", [1]),
        ("2024-01", "2024-01", [2]),
        (date(2024, 12, 31), date(2024, 12, 31), [3]),
        (None, datetime(2023, 7, 1, 10, 0, 0), [1]),
        ("2023-07-01T10:00:01", "2024-06", [2]),
        ("2025", None, []),
    ],
)
def test_dates_may_be_given_in_part_and_until_takes_in_its_day(holiday, since, until, ids):
    assert found(holiday, since=since, until=until) == ids


def test_a_camera_is_found_by_a_part_of_its_name(holiday):
    assert found(holiday, cameras=("eos",)) == [1]
    assert found(holiday, cameras=("iPhone",), text="dog") == [2]


def test_without_words_the_newest_comes_first_and_pages_follow(holiday):
    assert found(holiday) == [3, 2, 1, 4]
    assert found(holiday, limit=2, offset=1) == [2, 1]
    assert found(holiday, limit=0) == []


def test_facts_are_counted(holiday):
    everything = SearchQuery()
    assert holiday.search.count(SearchQuery(limit=1)) == 4
    assert holiday.search.date_range(everything) == ("2023-07-01T10:00:00+02:00", "2024-12-31T23:59:59")
    assert holiday.search.count_by_place(everything) == [("Nice, Provence, France", 1), ("Nîmes, France", 1)]
    assert holiday.search.count_by_camera(SearchQuery(concepts=("rex",))) == [
        ("Apple iPhone 15", 1),
        ("Canon EOS R5", 1),
    ]
    assert holiday.search.count_by_year(everything) == [(2023, 1), (2024, 2)]
    assert holiday.search.count_by_concept(everything) == [("Anna", 2), ("Rex", 2)]
    assert holiday.search.count_by_concept(SearchQuery(text="dog")) == [("Rex", 1)]
    assert holiday.search.date_range(SearchQuery(text="nothing")) is None


def test_missing_photos_are_not_found(holiday):
    holiday.paths.mark_missing([holiday.photos.get(1).path])
    assert found(holiday, "rex") == [2]
    assert holiday.search.count(SearchQuery()) == 3


def test_a_new_caption_replaces_the_old_one_in_search_too(holiday):
    rex = holiday.concepts.get("Rex")
    caption(holiday, 1, "Rex sleeps.", seen(rex, 0.8), seen(rex, 0.9))
    kept = holiday.captions.get(1)
    assert (kept.text, kept.model, kept.bank, kept.prompt_version) == ("Rex sleeps.", "m", "b", "1")
    assert kept.appearances == (seen(rex, 0.9),)
    assert found(holiday, "runs") == []
    assert found(holiday, "sleeps") == [1]
    assert found(holiday, concepts=("Anna",)) == [4]


def test_a_caption_of_nothing_is_refused_and_leaves_no_trace(holiday):
    with pytest.raises(LibraryError):
        caption(holiday, 99, "x")
    with pytest.raises(LibraryError):
        caption(
            holiday, 3, "gone", Appearance(concept_id=99, score=1.0, is_present=True, point=(0, 0), box=None)
        )
    assert holiday.captions.get(3) is None
    assert found(holiday, "gone") == []


@pytest.mark.slow
def test_a_page_of_a_search_takes_no_more_steps_in_a_larger_library(library, make_photo):
    """Counted in steps of SQLite's machine, in thousands, as a clock would tell of the machine's load."""
    rex = library.concepts.add("Rex")
    numbers = itertools.count()

    def grow(count):
        with library.writing():
            for number in itertools.islice(numbers, count):
                taken_at = f"20{number % 30:02}-01-01T00:00:00"
                photo = make_photo(number, taken_at=taken_at, camera=f"C{number % 9}")
                text = f"A dog number {number} plays in the garden with a red ball."
                caption(library, library.photos.add(photo), text, seen(rex))

    def steps(query):
        counted = itertools.count()
        library.connection.sqlite.set_progress_handler(lambda: next(counted) * 0, 1000)
        assert len(library.search.find(query)) == 50
        return next(counted)

    queries = [
        SearchQuery(text="dog garden"),
        SearchQuery(text="d"),
        SearchQuery(concepts=("Rex",), since="2010"),
    ]
    grow(500)
    few = [steps(query) for query in queries]
    grow(2500)
    for query, before in zip(queries, few, strict=True):
        assert steps(query) <= before + 3, query


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"any_words": (("run", "runs"),)}, [1]),
        ({"any_words": (("dog", "runs"),)}, [2, 1]),
        ({"any_words": (("dog", "runs"), ("cafe",))}, [2]),
        ({"any_words": (("run",),)}, []),
        ({"any_words": (('"*', "AND"),)}, []),
        ({"any_words": (("",),)}, []),
        ({"text": "sits", "any_words": (("dog",),)}, [2]),
        ({"places": ("nimes",)}, [2]),
        ({"places": ("France",), "concepts": ("Anna",)}, [1]),
        ({"places": ("zermatt",)}, [3]),
        ({"places": ("dog",)}, []),
        ({"places": ('" OR "',)}, []),
        ({"any_concepts": (("Anna", "Rex"),)}, [2, 1, 4]),
        ({"concepts": ("Rex",), "without_concepts": ("Anna",)}, [2]),
        ({"without_concepts": ("Anna", "Rex")}, [3]),
        ({"has_caption": True}, [2, 1]),
        ({"has_caption": False}, [3, 4]),
        ({"order": "newest"}, [3, 2, 1, 4]),
        ({"order": "oldest"}, [1, 2, 3, 4]),
    ],
)
def test_a_query_can_ask_for_one_of_many_and_for_what_is_not_there(holiday, query, ids):
    order = query.pop("order", "newest")
    assert found(holiday, order=order, **query) == ids
    assert holiday.search.count(SearchQuery(**query)) == len(ids)


def test_photos_are_counted_by_day_lens_and_caption(holiday):
    assert holiday.search.count_by_day(SearchQuery()) == [
        ("2023-07-01", 1),
        ("2024-01-05", 1),
        ("2024-12-31", 1),
    ]
    assert holiday.search.count_by_lens(SearchQuery()) == []
    assert dict(holiday.search.count_by_caption(SearchQuery(concepts=("Anna",)))) == {
        "Anna runs with Rex.": 1
    }


@pytest.mark.parametrize(
    "query",
    [
        {"text": "dog sit"},
        {"phrases": ("sits in",), "without": ("garden",)},
        {"concepts": ("Rex",), "text": "runs", "since": "2023"},
        {"without_concepts": ("Rex",)},
        {"cameras": ("canon",)},
        {"places": ("nice",), "order": "oldest"},
        {"has_caption": False},
        {},
    ],
)
def test_no_search_walks_over_all_photos_or_sorts_them(holiday, query):
    statements = []
    holiday.connection.sqlite.set_trace_callback(statements.append)
    holiday.search.find(SearchQuery(**query))
    holiday.search.count(SearchQuery(**query))
    holiday.search.date_range(SearchQuery(**query))
    holiday.connection.sqlite.set_trace_callback(None)
    asked = [statement for statement in statements if statement.startswith("SELECT")]
    assert asked
    for statement in asked:
        plan = [row["detail"] for row in holiday.connection.rows(f"EXPLAIN QUERY PLAN {statement}")]
        if "FROM concepts" in statement:
            # Concepts are few; and the names of the photos of one page are put in order.
            plan = [step for step in plan if "concepts" not in step and "TEMP B-TREE" not in step]
        for step in plan:
            walks = step.startswith("SCAN") and "photo_words_fts VIRTUAL TABLE" not in step
            assert not walks or "shown" in step or "subquery" in step.casefold(), (statement, plan)
            assert "TEMP B-TREE FOR ORDER BY" not in step, (statement, plan)


@pytest.mark.parametrize("query", [{}, {"text": "runs"}, {"concepts": ("Anna",), "since": "2023"}])
def test_the_caption_of_each_photo_is_looked_up_once_to_count_by_captions(holiday, query):
    statements = []
    holiday.connection.sqlite.set_trace_callback(statements.append)
    holiday.search.count_by_caption(SearchQuery(**query))
    holiday.connection.sqlite.set_trace_callback(None)
    asked = [statement for statement in statements if "captions.text" in statement]
    assert asked
    for statement in asked:
        plan = [row["detail"] for row in holiday.connection.rows(f"EXPLAIN QUERY PLAN {statement}")]
        assert sum(step.startswith("SEARCH captions") for step in plan) == 1, plan


def test_photos_of_one_moment_come_in_a_steady_order_and_pages_miss_none(library, make_photo):
    with library.writing():
        for number in range(40):
            photo = make_photo(number, taken_at="2024-01-01T00:00:00" if number % 2 else None)
            caption(library, library.photos.add(photo), "A dog.")
    for order in ("best", "newest", "oldest"):
        whole = found(library, "dog", order=order, limit=100)
        pages = [found(library, "dog", order=order, limit=7, offset=start) for start in range(0, 49, 7)]
        assert [photo_id for page in pages for photo_id in page] == whole
        assert len(set(whole)) == 40
        assert {photo_id % 2 for photo_id in whole[:20]} == {0}


def test_a_date_that_is_learned_later_moves_the_photo(library, make_photo):
    one, two = (
        library.photos.add(make_photo(1)),
        library.photos.add(make_photo(2, taken_at="2020-01-01T00:00:00")),
    )
    assert found(library) == [two, one]
    library.photos.add(make_photo(1, taken_at="2024-01-01T00:00:00"))
    assert found(library) == [one, two]
    assert found(library, since="2024") == [one]


@pytest.mark.parametrize("taken_at", ["0000", "2024-99-99T99:99:99", "no date", "", "-4713-01-01T00:00:00"])
def test_a_date_that_makes_no_sense_counts_as_none(library, make_photo, taken_at):
    photo_id = library.photos.add(make_photo(1, taken_at=taken_at))
    assert found(library) == [photo_id]
    assert found(library, since="0001") == []


@pytest.fixture
def scripts(library, make_photo):
    """Captions in several scripts and spellings."""
    texts = [
        "2021北京旅行的天安门广场",
        "대한민국 여행",
        "หมาวิ่งบนชายหาด",
        "Große Straße in Zürich",
        "Herr Mueller in St. Moritz",
        "Party 🎉 with 👩‍👧",
        "राम",
        "रामा",
        "Smørrebrød og Łódź",
    ]
    for number, text in enumerate(texts, start=1):
        library.photos.add(make_photo(number))
        caption(library, number, text)
    return library


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("北京", [1]),
        ("京北", []),
        ("旅行", [1]),
        ("2021", [1]),
        ("민국", [2]),
        ("한민", [2]),
        ("ชายหาด", [3]),
        ("หาด", [3]),
        ("strasse", [4]),
        ("STRASSE", [4]),
        ("straße", [4]),
        ("zurich", [4]),
        ("Zuerich", [4]),
        ("Müller", [5]),
        ("mueller", [5]),
        ("muller", []),
        ("🎉", [6]),
        ("👩", [6]),
        ("🎈", []),
        ("राम ", [7]),
        ("रामा", [8]),
        ("smorrebrod", [9]),
        ("lodz", [9]),
    ],
)
def test_words_are_found_inside_unspaced_text_and_in_every_spelling(scripts, text, ids):
    assert found(scripts, text) == ids


@pytest.mark.parametrize("phrase", ["St. Moritz", "St Moritz", "Saint Moritz", "sankt moritz"])
def test_a_saint_is_found_in_every_spelling(scripts, phrase):
    assert found(scripts, phrases=(phrase,)) == [5]


def test_a_place_a_camera_and_a_date_can_be_known_or_not(holiday):
    assert found(holiday, has_place=True) == [2, 1]
    assert found(holiday, has_place=False) == [3, 4]
    assert found(holiday, has_camera=False) == [3, 4]
    assert found(holiday, has_date=False) == [4]
    assert found(holiday, has_date=True) == [3, 2, 1]
    assert found(holiday, has_date=True, until="2023") == [1]


def test_one_of_several_periods_places_or_cameras_is_enough_and_others_can_be_refused(holiday):
    year = (date(2023, 1, 1), date(2023, 12, 31))
    assert found(holiday, periods=(year, (date(2024, 6, 1), None))) == [3, 1]
    assert found(holiday, periods=(year,), since="2024") == []
    assert found(holiday, periods=()) == []
    assert found(holiday, places=("Nice", "Nîmes")) == [2, 1]
    assert found(holiday, without_places=("Provence",)) == [3, 2, 4]
    assert found(holiday, cameras=("Canon", "Apple")) == [2, 1]
    assert found(holiday, without_cameras=("Canon",)) == [3, 2, 4]
    assert holiday.search.count_by_place(SearchQuery(periods=(year,))) == [("Nice, Provence, France", 1)]
    assert holiday.search.count_by_year(SearchQuery(periods=(year,))) == [(2023, 1)]
    oldest = SearchQuery(periods=(year, (date(2024, 6, 1), None)), order="oldest")
    assert [hit.photo.id for hit in holiday.search.find(oldest)] == [1, 3]
