"""What is typed is read as words, phrases, names, dates and what is not wanted."""

from datetime import date
from pathlib import Path

import pytest

from photopal.assistant.find import SearchOptions, explain_nothing, search_photos
from photopal.assistant.query.dates import Period, resolve
from photopal.assistant.query.entities import Known
from photopal.assistant.query.search_query import meaningful_words, read_query
from photopal.library import Library
from photopal.photos import Exif, Photo

TODAY = date(2024, 8, 15)
NAMES = ["Anna", "Anna Maria", "Rex", "May"]


def read(query):
    return read_query(query, Known(NAMES, cameras=["Canon EOS R6"]), today=TODAY)


def words_of(reading):
    return " ".join(meaningful_words(reading.plain.words))


@pytest.mark.parametrize(
    ("query", "words", "phrases", "without"),
    [
        ("red ball", "red ball", (), ()),
        ('"red ball" beach', "beach", ("red ball",), ()),
        ("“red ball” «on  sand»", "", ("red ball", "on sand"), ()),
        ("beach -garden", "beach", (), ("garden",)),
        ('-"in the garden" beach', "beach", (), ("in the garden",)),
        ("−snow –rain", "", (), ("snow", "rain")),
        ("t-shirt C-3PO", "t-shirt C-3PO", (), ()),
        ("beach - sea", "beach - sea", (), ()),
        ("beach no sand", "beach", (), ()),
        ('"an unfinished phrase', "", ("an unfinished phrase",), ()),
        ('"" beach', "beach", (), ()),
        ("--limit", "--limit", (), ()),
    ],
)
def test_words_phrases_and_what_is_not_wanted_are_told_apart(query, words, phrases, without):
    reading = read(query)
    assert (words_of(reading), reading.phrases, reading.without) == (words, phrases, without)


def test_names_are_concepts_wanted_or_not_and_in_quotes_only_words():
    reading = read('Anna Maria with rex -anna -"May" "Rex"')
    assert reading.plain.criteria.names == ("Anna Maria", "Rex")
    assert reading.without_names == ("Anna", "May")
    assert reading.phrases == ("Rex",)
    assert words_of(reading) == ""


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("beach without Anna", "without_names", ("Anna",)),
        ("beach no Rex", "without_names", ("Rex",)),
        ("Anna but not Rex", "without_names", ("Rex",)),
        ("neither Anna nor Rex", "without_names", ("Anna", "Rex")),
        ("beach no sand", "without_words", ("sand",)),
        ("nobody beach", "without_kinds", ("person",)),
        ("pets beach", "kinds", ("pet",)),
        ("people on the beach", "kinds", ("person",)),
        ("canon beach", "cameras", ("canon",)),
        ("beach not with the canon", "without_cameras", ("canon",)),
        ("no date", "has", (("date", False),)),
        ("without a location", "has", (("place", False),)),
        ("Anna alone", "is_alone", True),
        ("Anna or Rex", "any_names", (("Anna", "Rex"),)),
    ],
)
def test_negations_kinds_and_cameras_are_read_in_a_search(query, field, value):
    assert getattr(read(query).plain.criteria, field) == value


@pytest.mark.parametrize(
    ("query", "same", "field"),
    [
        ("beach -canon", "beach without canon", "without_cameras"),
        ("beach -people", "beach without people", "without_kinds"),
        ("beach -rating:5", "beach without rating:5", "without_ratings"),
        ("beach -2021", "beach without 2021", "without_dates"),
        ("beach -2021-07-03", "beach without 2021-07-03", "without_dates"),
        ("beach −yesterday", "beach without yesterday", "without_dates"),
        ('beach -"last summer"', "beach without last summer", "without_dates"),
        ("beach -night", "beach without night", "without_dates"),
        ("beach -anna's", "beach without anna's", "without_names"),
        ("beach -anna -canon", "beach without anna, without canon", "without_cameras"),
    ],
)
def test_what_has_a_minus_is_read_as_what_follows_without(query, same, field):
    (_, [(criteria, words)]) = read(query).alternatives()[0]
    (_, [(expected, _)]) = read(same).alternatives()[0]
    assert getattr(criteria, field) == getattr(expected, field) != ()
    assert (criteria.without_names, words) == (expected.without_names, "beach")


def test_a_date_with_a_minus_leaves_out_photos_that_speak_of_it_too(library):
    assert found(library, "christmas") == [3, 2, 1, 4]
    exif = Exif(taken_at="2024-01-01T00:00:00")
    library.photos.add(Photo(Path("6.jpg"), f"{6:032x}", 1, 1, 8, 8, "JPEG", exif, b""))
    assert found(library, "-christmas") == [6]
    assert found(library, "tree -2023") == [1]
    assert found(library, "christmas -2021") == [3, 2, 4]
    assert found(library, "tree -christmas-tree") == found(library, 'tree -"christmas tree"') == [3, 1, 5]


def test_words_for_a_camera_or_a_kind_are_also_looked_for_as_words():
    (_, [first, second]) = read("canon beach").alternatives()[0]
    assert (first[0].cameras, first[1]) == (("canon",), "beach")
    assert (second[0].cameras, second[1]) == ((), "canon beach")


@pytest.mark.parametrize(
    ("query", "since", "until", "rest"),
    [
        ("beach last summer", "2024-06-01", "2024-08-31", "beach"),
        ("beach early 2023", "2023-01-01", "2023-04-30", "beach"),
        ("since monday", "2024-08-12", None, ""),
        ("beach last winter", "2023-12-01", "2024-02-29", "beach"),
        ("yesterday", "2024-08-14", "2024-08-14", ""),
        ("july 2023 beach", "2023-07-01", "2023-07-31", "beach"),
        ("beach 2023-07-03", "2023-07-03", "2023-07-03", "beach"),
        ("beach in 2021", "2021-01-01", "2021-12-31", "beach"),
        ("beach before 2020", None, "2019-12-31", "beach"),
        ("since 2020", "2020-01-01", None, ""),
        ("christmas 2022", "2022-12-24", "2022-12-26", ""),
        ("last year", "2023-01-01", "2023-12-31", ""),
        ("last christmas", "2023-12-24", "2023-12-26", ""),
        ("3 weeks ago", "2024-07-22", "2024-07-28", ""),
        ("between 2019 and 2021", "2019-01-01", "2021-12-31", ""),
        ("beach after 2019 and before 2022", "2020-01-01", "2021-12-31", "beach"),
        ("before 2022, after 2019", "2020-01-01", "2021-12-31", ""),
        ("since 2019 until 2021", "2019-01-01", "2021-12-31", ""),
    ],
)
def test_dates_in_words_are_periods(query, since, until, rest):
    reading = read(query)
    if query == "beach last summer":
        # The summer is not over yet, so the last one is the year before's.
        since, until = "2023-06-01", "2023-08-31"
    [found] = resolve(reading.plain.criteria.dates, range(2018, 2025))
    assert [day and day.isoformat() for day in (found.since, found.until)] == [since, until]
    assert words_of(reading).split() == rest.split()


@pytest.mark.parametrize(
    ("query", "first", "last", "rest"),
    [
        ("beach christmas", "2022-12-24", "2022-12-26", "beach"),
        ("at Christmas", "2022-12-24", "2022-12-26", ""),
        ("new year's eve", "2022-12-31", "2022-12-31", ""),
        ("in the summer on a beach", "2022-06-01", "2022-08-31", "beach"),
        ("winter", "2022-12-01", "2023-02-28", ""),
        ("july", "2022-07-01", "2022-07-31", ""),
        ("easter", "2022-04-15", "2022-04-18", ""),
        ("early july", "2022-07-01", "2022-07-10", ""),
    ],
)
def test_a_month_season_or_holiday_alone_is_every_years(query, first, last, rest):
    reading = read(query)
    [[when]] = reading.plain.criteria.dates
    [found] = when.in_year(2022)
    assert found == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert words_of(reading).split() == rest.split()


@pytest.mark.parametrize(
    ("query", "label", "rest"),
    [
        ("weekend", "at weekends", ""),
        ("monday", "on Mondays", ""),
        ("beach the weekend", "at weekends", "beach"),
    ],
)
def test_a_weekday_or_weekend_alone_is_every_weeks(query, label, rest):
    reading = read(query)
    assert [when.label for [when] in reading.plain.criteria.dates] == [label]
    assert words_of(reading) == rest


@pytest.mark.parametrize("query", ["img_2024x", "1500", "waterfall", "marching", "24"])
def test_what_only_looks_like_a_date_is_words(query):
    assert read(query).plain.criteria.dates == ()


@pytest.fixture
def library(tmp_path):
    """Photos of three Christmases, one that says so in July, and Anna."""
    with Library(tmp_path / "library.db") as library:
        days = ["2021-12-25", "2022-12-24", "2023-12-26", "2023-07-01", None]
        texts = [
            "A tree.",
            "A goose.",
            "A tree with candles.",
            "A Christmas tree in July.",
            "A tree in the snow.",
        ]
        for number, (day, text) in enumerate(zip(days, texts, strict=True), start=1):
            exif = Exif(taken_at=day and f"{day}T12:00:00")
            photo = Photo(tmp_path / f"{number}.jpg", f"{number:032x}", 1, 1, 8, 8, "JPEG", exif, b"")
            photo_id = library.photos.add(photo)
            library.captions.put(photo_id, text, model="m", bank=None, prompt_version="1", appearances=[])
        library.concepts.add("Anna")
        yield library


def found(library, query, **options):
    options = SearchOptions(today=TODAY, **options)
    return [hit.photo.id for hit in search_photos(library, query, options)]


def test_a_holiday_finds_its_days_first_and_then_what_speaks_of_it(library):
    assert found(library, "christmas") == [3, 2, 1, 4]
    assert found(library, "christmas tree") == [3, 1, 4]
    assert found(library, "christmas", limit=2, offset=1) == [2, 1]
    assert found(library, "christmas -candles") == [2, 1, 4]


def test_among_equal_photos_the_newest_come_first_and_undated_ones_last(library):
    assert found(library, "tree") == [3, 4, 1, 5]


def test_words_in_file_names_come_last(library, tmp_path):
    photo = Photo(
        tmp_path / "tree.jpg", f"{9:032x}", 1, 1, 8, 8, "JPEG", Exif(taken_at="2024-01-01T00:00:00"), b""
    )
    number = library.photos.add(photo)
    assert found(library, "tree") == [3, 4, 1, 5, number]


def test_a_whole_word_comes_before_one_that_only_begins_so(library):
    library.captions.edit(1, "A treehouse.")
    assert found(library, "tree") == [3, 4, 5, 1]


def test_a_page_behind_the_last_is_empty_and_not_another_reading(library):
    assert found(library, "2023") == [3, 4]
    assert found(library, "2023", offset=2) == []


def test_dates_and_hours_in_words_narrow_what_options_leave(library):
    assert found(library, "christmas", since="2022", until="2022") == [2]
    assert found(library, "december", since="2022") == [3, 2]
    assert found(library, "last year", until="2023-11") == [4]
    assert found(library, "christmas 2022 or 2023", since="2022-12-25") == [3]
    assert found(library, "at noon", since="2023-06", until="2023-08") == [4]
    assert found(library, "after 22:00", since="2020") == []
    assert found(library, "without 2023", since="2022") == found(library, "-2023", since="2022") == [2]


@pytest.mark.parametrize("number", ["2023", "2023-12", "2022-2023", "26.12.2023"])
def test_a_number_beside_dates_in_options_is_a_word(library, number):
    assert found(library, number, since="2022") == []
    library.captions.edit(1, f"A tree of {number}.")
    assert found(library, f"{number} tree", since="2021") == [1]


def test_what_was_meant_is_guessed_where_nothing_is_found(library):
    assert explain_nothing(library, "Annna by the sea") == 'Did you mean "Anna"?'
    assert explain_nothing(library, "zebra") is None
    library.concepts.add("Rex")
    assert (
        explain_nothing(library, "reks by the sea")
        == explain_nothing(library, "rxe")
        == 'Did you mean "Rex"?'
    )
    assert explain_nothing(library, "red") is None
    assert "two days" in explain_nothing(library, "1/2/2024")


def test_a_word_before_a_name_or_a_date_is_whole(library):
    library.concepts.add("Ben")
    library.captions.edit(1, "Anna and Ben under an umbrella, a yeti behind them.")
    for query in ("anna und ben", "anna et ben", "anna ye ben", "und anna ben", "anna umb 2021", "umb ben"):
        assert found(library, query) == []
    for query in (
        "anna ben",
        "anna ben und",
        "anna ben umb",
        "anna umbrella ben",
        "umbrella 2021",
        "ben umb",
    ):
        assert found(library, query) == [1]


def test_fields_of_other_programs_are_not_half_read_and_a_hint_says_how_to_search(library):
    library.captions.edit(1, "Anna at the beach.")
    for query in (
        "person:anna",
        "people:Anna",
        "pet:anna",
        "with:anna beach",
        "tag:beach",
        "-x:sea name:anna",
        "-who:rex anna",
    ):
        assert found(library, query) == []
        assert "Searches have no fields" in explain_nothing(library, query)
    assert found(library, "rating:5") == []
    assert explain_nothing(library, "rating:5") is None
    assert explain_nothing(library, "tag:zebra") is None


def test_outside_of_a_place_and_foreign_words_beside_one_are_explained(library):
    photo = Photo(Path("/6.jpg"), "6" * 32, 1, 1, 8, 8, "JPEG", Exif(latitude=52.52, longitude=13.4), b"")
    library.photos.add(photo, place="Berlin, Germany")
    hint = explain_nothing(library, "Tree outside of Berlin")
    assert hint == "\"Outside\" is looked for as a word: 'Tree not in Berlin' finds photos."
    assert explain_nothing(library, "zebra outside of Berlin") is None
    hint = explain_nothing(library, "Berlin ohne Anna")
    assert hint == 'Searches are read in English: "Berlin without Anna" finds photos.'


def test_a_search_of_us_says_that_it_is_not_known_who_that_is():
    for query in ("photos of us", "us", "Rex with me"):
        [note] = read(query).plain.notes
        assert note.startswith("It is not known who")
    for query in ("all of us", "give me Rex", "photos of the US"):
        assert not read(query).plain.notes
