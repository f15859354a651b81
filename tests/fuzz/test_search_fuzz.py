"""Whatever is typed, however photos are called: a search answers, and never as something else than words."""

import dataclasses
import itertools
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from photopal.assistant.ask import AskOptions, ask_library
from photopal.assistant.find import SearchOptions, explain_nothing, search_photos
from photopal.assistant.query.entities import Known
from photopal.assistant.query.search_query import meaningful_words, read_query
from photopal.errors import PhotopalError, UsageError
from photopal.library import Appearance, Library, SearchQuery
from photopal.library.fts import KEY_STEP, LAST_KEY, key_ranges
from photopal.photos import Exif, Photo
from photopal.text import fold, replace_name

NAMES = ["Anna", "Rex", "Anna Maria", "May", "🐶", "O'Neil", 'The "Boss"', "-minus", "राम", "NEAR", "c1"]
PIECES = [
    *NAMES,
    "dog",
    "beach",
    "red ball",
    "café",
    "caf",
    "img_0042",
    "2024",
    "2023-07",
    "july 2023",
    "yesterday",
    "last summer",
    "christmas",
    "new year's eve",
    "easter",
    "before 2020",
    "since May",
    "'s",
    "3 weeks ago",
    "1/2/2024",
    "between 2019 and 2021",
    "feb 30",
    "29 February 2023",
    "the 90s",
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    ")",
    "(",
    '"',
    "“",
    "-",
    "--",
    "−",
    "*",
    "^",
    ":",
    "{facts}",
    "{facts} : p",
    "facts:p",
    "caption:",
    "'",
    "\x00",
    "\ud800",
    "\u0301",
    "%",
    "_",
    "\\",
    "photos",
    "of",
    "and",
    "\n",
    "\t",
    "c2",
    "p",
    "k",
    "h",
    ";",
]
TYPED = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=8).flatmap(
    lambda parts: st.sampled_from([" ".join(parts), "".join(parts)])
)
ANYTHING = st.one_of(TYPED, st.text(max_size=60))
LETTERS = st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=5)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Forty photos of all kinds of words, names, dates and cameras."""
    with Library(tmp_path_factory.mktemp("fuzz") / "library.db") as library, library.writing():
        concepts = [library.concepts.add(name) for name in NAMES]
        for number in range(40):
            exif = Exif(
                taken_at=None if number % 7 == 0 else f"{1990 + number}-{number % 12 + 1:02}-24T10:00:00",
                camera=None if number % 5 == 0 else ("Canon", 'X "100"', "p", "\x1b[31m")[number % 4],
            )
            path = Path(
                f"/p/{PIECES[number].encode('utf-8', 'replace').decode().replace(chr(0), '')}/{number}.jpg"
            )
            photo = Photo(path, f"{number:032x}", 1, 1, 64, 48, "JPEG", exif, b"jpeg")
            photo_id = library.photos.add(photo, place="Nice, France" if number % 3 == 0 else None)
            seen = [
                Appearance(
                    concept_id=concepts[number % len(concepts)].id,
                    score=0.9,
                    is_present=number % 2 == 0,
                    point=(0.5, 0.5),
                    box=None,
                )
            ]
            text = f"A dog {PIECES[-number]} on the beach {PIECES[number]}."
            library.captions.put(photo_id, text, model="m", bank=None, prompt_version="1", appearances=seen)
        library.captions.edit(3, "Rex by hand")
        library.paths.mark_missing([Path("/p/dog/11.jpg")])
        yield library


@pytest.mark.slow
@given(query=ANYTHING, today=DAYS, limit=st.integers(0, 50), offset=st.integers(0, 50))
def test_any_query_is_answered_and_pages_are_parts_of_the_whole(library, query, today, limit, offset):
    options = SearchOptions(today=today, limit=1000)
    everything = [hit.photo.id for hit in search_photos(library, query, options)]
    assert len(set(everything)) == len(everything)
    page = search_photos(library, query, dataclasses.replace(options, limit=limit, offset=offset))
    assert [hit.photo.id for hit in page] == everything[offset : offset + limit]
    explain_nothing(library, query, today=today)


@given(query=ANYTHING)
def test_a_query_is_split_without_loss_and_read_alike_twice(query):
    known = Known(NAMES, cameras=["Canon", 'X "100"'])
    reading, again = (read_query(query, known, today=date(2024, 8, 1)) for _ in range(2))
    criteria = reading.plain.criteria
    assert (reading.phrases, reading.without) == (again.phrases, again.without)
    assert (criteria.names, criteria.without_words) == (
        again.plain.criteria.names,
        again.plain.criteria.without_words,
    )
    assert reading.plain.words == again.plain.words
    assert {*criteria.names, *criteria.without_names, *reading.without_names} <= set(NAMES)
    assert not any('"' in phrase for phrase in reading.phrases)
    assert all(alternatives for _, alternatives in reading.alternatives())


@given(query=ANYTHING, names=st.lists(st.text(min_size=1, max_size=8), max_size=5, unique_by=fold))
def test_names_are_taken_out_whole_whatever_they_are(query, names):
    reading = read_query(query, Known(names)).plain
    assert set(reading.criteria.names) <= set(names)
    assert all(word for word in meaningful_words(reading.words))


@pytest.mark.slow
@given(question=ANYTHING, today=DAYS)
def test_any_question_is_answered_or_refused(library, question, today):
    def no_assistant():
        raise UsageError("a model would look at photos")

    try:
        answer = ask_library(library, question, open_assistant=no_assistant, options=AskOptions(today=today))
    except PhotopalError:
        return
    assert answer.text
    assert len(answer.photos) <= 10


CAMERAS = st.sampled_from(["canon", '"', "p", "\x1b", "x"]) | st.text(max_size=4)


def in_pairs(days):
    """Periods in order, none of which overlap, of which the last may be open."""
    ordered = sorted(days)
    return tuple((day, (ordered[at + 1 : at + 2] or [None])[0]) for at, day in list(enumerate(ordered))[::2])


FIELDS = st.fixed_dictionaries(
    {
        "text": ANYTHING,
        "phrases": st.lists(ANYTHING, max_size=2).map(tuple),
        "without": st.lists(ANYTHING, max_size=2).map(tuple),
        "any_words": st.lists(st.lists(ANYTHING, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
        "concepts": st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
        "any_concepts": st.lists(st.lists(st.sampled_from(NAMES), max_size=2).map(tuple), max_size=2).map(
            tuple
        ),
        "without_concepts": st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
        "places": st.lists(ANYTHING, max_size=2).map(tuple),
        "without_places": st.lists(ANYTHING, max_size=1).map(tuple),
        "has_caption": st.none() | st.booleans(),
        "has_date": st.none() | st.booleans(),
        "has_place": st.none() | st.booleans(),
        "has_camera": st.none() | st.booleans(),
        "periods": st.none() | st.lists(DAYS, max_size=6, unique=True).map(in_pairs),
        "since": st.none() | DAYS,
        "until": st.none() | DAYS | st.just("2024-02"),
        "camera": st.none() | CAMERAS,
        "cameras": st.lists(CAMERAS, max_size=2).map(tuple),
        "without_cameras": st.lists(CAMERAS, max_size=1).map(tuple),
        "order": st.sampled_from(["best", "newest", "oldest"]),
    }
)
FIELD_NAMES = [
    field.name for field in dataclasses.fields(SearchQuery) if field.name not in ("limit", "offset")
]
SOME_FIELDS = st.builds(
    lambda fields, kept: {name: value for name, value in fields.items() if name in kept},
    FIELDS,
    st.sets(st.sampled_from(FIELD_NAMES)),
)


@pytest.mark.slow
@given(fields=SOME_FIELDS)
def test_every_call_of_the_library_agrees_on_what_fits(library, fields):
    query = SearchQuery(**fields, limit=1000)
    hits = [hit.photo.id for hit in library.search.find(query)]
    assert len(set(hits)) == len(hits) == library.search.count(query)
    ordered = library.search.find(dataclasses.replace(query, order="newest"))
    assert {hit.photo.id for hit in ordered} == set(hits)
    dates = [hit.photo.taken_at for hit in ordered if hit.photo.taken_at]
    assert dates == sorted(dates, reverse=True)
    assert library.search.date_range(query) == ((dates[-1], dates[0]) if dates else None)
    assert sum(number for _, number in library.search.count_by_year(query)) == len(dates)
    assert sum(number for _, number in library.search.count_by_day(query)) == len(dates)
    for counted in (
        library.search.count_by_place,
        library.search.count_by_camera,
        library.search.count_by_lens,
        library.search.count_by_caption,
    ):
        assert sum(number for _, number in counted(query)) <= len(hits)
    assert all(number <= len(hits) for _, number in library.search.count_by_concept(query))


@given(since=st.text(max_size=12), until=st.sampled_from([None, "2024", "2024-12", "2023-12-31T23:59"]))
def test_a_date_is_a_date_or_refused(since, until):
    query = SearchQuery(since=since, until=until)
    try:
        ranges = key_ranges(query)
    except UsageError:
        return
    assert all(KEY_STEP <= first <= last <= LAST_KEY for first, last in ranges)


@given(moments=st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=2, max_size=2))
def test_keys_grow_with_time(moments):
    early, late = sorted(moment.replace(microsecond=0) for moment in moments)
    [(first, _)] = key_ranges(SearchQuery(since=early))
    assert first == KEY_STEP * int((early - datetime(1, 1, 1)).total_seconds() + 366 * 86_400)
    assert key_ranges(SearchQuery(since=late))[0][0] >= first
    assert key_ranges(SearchQuery(until=early))[0][1] == first + KEY_STEP - 1


@given(text=st.text(max_size=40), old=LETTERS, new=LETTERS)
def test_replacing_a_name_and_back_is_the_text_again(text, old, new):
    renamed = replace_name(text, old, new)
    if new not in text and not any(new in f"{one}{new}"[:-1] for one in itertools.chain(text, old)):
        there = replace_name(renamed, new, old)
        assert there == text or old in new or new in old
    assert fold(replace_name(text, old, old)) == fold(text)


@given(name=st.text(max_size=90), text=st.text(max_size=60))
@example(name="none", text="")
def test_any_name_and_caption_is_kept_or_refused_and_then_found(library, name, text):
    with library.writing():
        try:
            concept = library.concepts.add(name, about=text)
        except PhotopalError:
            return
        try:
            library.captions.edit(5, f"{text} {concept.name}")
            assert library.concepts.get(concept.name).id == concept.id
            hits = library.search.find(SearchQuery(concepts=(concept.name,)))
            assert any(map(str.isalnum, concept.name)) <= (5 in [hit.photo.id for hit in hits])
        finally:
            library.history.undo()
            library.concepts.remove(concept.name)
