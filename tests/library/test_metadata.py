"""Dates that the user sets beat all others, and a year or month is found as far as it is known."""

import pytest

from photopal.errors import UsageError
from photopal.library import Library, SearchQuery, migrations
from photopal.photos.dates import DateTaken, date_in_name
from photopal.photos.metadata import Fact, Metadata


def found(library, **query):
    return [hit.photo.id for hit in library.search.find(SearchQuery(**query))]


@pytest.fixture
def photo(library, make_photo):
    photo = make_photo(1, taken_at="2015-03-01T10:00:00", camera="X")
    return library.photos.get(library.photos.add(photo))


def test_a_date_that_the_user_sets_beats_the_files_and_can_be_undone(library, photo):
    assert library.facts.set_date(photo.id, "1974", path=photo.path) == DateTaken("1974", "year", "you")
    changed = library.photos.get(photo.id)
    assert (changed.taken_at, changed.taken_certainty, changed.taken_source) == ("1974", "year", "you")
    assert found(library, until="1980") == [photo.id]
    assert [date.source for date in library.facts.get(photo.id).dates] == ["you", "EXIF DateTimeOriginal"]
    library.history.undo()
    assert library.photos.get(photo.id) == photo
    assert (found(library, until="1980"), found(library, since="2015")) == ([], [photo.id])
    library.history.undo(2)
    assert library.photos.get(photo.id) == changed


def test_a_date_that_the_user_set_stays_when_the_file_says_another(library, photo, make_photo):
    library.facts.set_date(photo.id, "1974-07-03", path=photo.path)
    library.photos.add(make_photo(1, taken_at="2016-01-01T10:00:00", camera="Y"))
    changed = library.photos.get(photo.id)
    assert (changed.taken_at, changed.camera) == ("1974-07-03", "Y")


def test_setting_a_date_again_is_undone_step_by_step(library, photo):
    for date in ("1974", "1975-07"):
        library.facts.set_date(photo.id, date, path=photo.path)
    library.history.undo()
    assert library.photos.get(photo.id).taken_at == "1974"
    library.history.undo()
    assert library.photos.get(photo.id).taken_at == photo.taken_at


@pytest.mark.parametrize("date", ["0000", "1600", "9999", "soon", "", "1970-01-01"])
def test_a_date_on_which_no_photo_was_taken_is_refused(library, photo, date):
    with pytest.raises(UsageError):
        library.facts.set_date(photo.id, date, path=photo.path)
    assert library.photos.get(photo.id) == photo
    assert library.history.entries() == []


@pytest.mark.parametrize(
    ("taken_at", "query", "is_found"),
    [
        ("1974", {"since": "1974", "until": "1974"}, True),
        ("1974", {"since": "1970", "until": "1979-12"}, True),
        ("1974", {"until": "1974-12-31"}, True),
        ("1974", {"since": "1974-01", "until": "1974-01"}, False),
        ("1974", {"since": "1974-02"}, False),
        ("1974", {"until": "1974-11"}, False),
        ("1974", {"until": "1974-01-01"}, False),
        ("1974-07", {"since": "1974-07", "until": "1974-07"}, True),
        ("1974-07", {"since": "1974", "until": "1974"}, True),
        ("1974-07", {"since": "1974-07-01", "until": "1974-07-01"}, False),
        ("1974-07", {"since": "1974-07-02"}, False),
        ("1974-07", {"until": "1974-07-31"}, True),
        ("1974-12", {"until": "1974-12"}, True),
        ("1974-12", {"until": "1974-12-30"}, False),
    ],
)
def test_a_year_or_month_is_in_a_period_only_as_a_whole(library, photo, taken_at, query, is_found):
    library.facts.set_date(photo.id, taken_at, path=photo.path)
    assert found(library, **query) == ([photo.id] if is_found else [])
    assert library.search.count(SearchQuery(**query)) == is_found


def test_days_are_counted_of_days_only_and_years_of_all(library, photo, make_photo):
    library.photos.add(make_photo(2, taken_at="1974-07-03T10:00:00"))
    library.facts.set_date(photo.id, "1974", path=photo.path)
    assert library.search.count_by_day(SearchQuery()) == [("1974-07-03", 1)]
    assert library.search.count_by_year(SearchQuery()) == [(1974, 2)]


@pytest.mark.parametrize("is_registered_first", [True, False])
def test_a_registered_person_whom_the_file_names_is_shown_until_the_user_says_otherwise(
    library, photo, is_registered_first
):
    said = Metadata(facts=(Fact("person", "anna", "XMP"), Fact("person", "Grandma", "XMP")))
    if is_registered_first:
        library.concepts.add("Anna", kind="person")
    library.facts.put(photo.path, said, sidecars="")
    anna = (
        library.concepts.get("Anna") if is_registered_first else library.concepts.add("Anna", kind="person")
    )
    [hit] = library.search.find(SearchQuery(concepts=("Anna",)))
    assert hit.names == ["Anna"]
    assert [(e.concept_id, e.source) for e in library.corrections.evidence(photo.id).concepts] == [
        (anna.id, "file")
    ]
    assert library.corrections.words(photo.id)[anna.id].is_present
    assert library.search.count_by_person(SearchQuery()) == [("Grandma", 1), ("anna", 1)]
    library.corrections.put(photo.id, anna.id, is_present=False)
    assert found(library, concepts=("Anna",)) == []
    library.history.undo()
    assert found(library, concepts=("Anna",)) == [photo.id]


def test_photos_are_found_by_their_hour_and_stars_but_not_by_an_hour_in_utc(library, photo):
    fact = Fact("rating", 4, "XMP")
    library.facts.put(
        photo.path, Metadata((DateTaken("2015-03-01T22:10:00", "exact", "EXIF"),), (fact,)), sidecars=""
    )
    assert found(library, hours=(22, 23), ratings=(4, 5)) == [photo.id]
    assert (
        found(library, hours=(21,))
        == found(library, ratings=(5,))
        == found(library, without_ratings=(4,))
        == []
    )
    date = DateTaken("2015-03-01T22:10:00+00:00", "exact", "Takeout photoTakenTime")
    library.facts.put(photo.path, Metadata((date,)), sidecars="")
    assert found(library, has_time=True) == []
    assert found(library, has_time=False, has_rating=False) == [photo.id]


@pytest.mark.parametrize(
    ("name", "hours"),
    [("PXL_20201012_233000123", ()), ("IMG_20201012_233000", (23,)), ("2020-10-12 23.30.00", (23,))],
)
def test_the_hour_in_a_file_name_counts_unless_it_is_in_utc_as_of_a_pixel(library, photo, name, hours):
    library.facts.put(photo.path, Metadata((date_in_name(name),), (Fact("rating", 4, "XMP"),)), sidecars="")
    assert library.photos.get(photo.id).taken_at.startswith("2020-10-12T23:30:00")
    for hour in range(24):
        assert found(library, hours=(hour,)) == ([photo.id] if hour in hours else [])
    assert found(library, has_time=False) == ([] if hours else [photo.id])
    assert found(library, ratings=(4,)) == [photo.id]


def test_an_hour_in_utc_that_an_earlier_version_counted_no_longer_counts(photo, library):
    date = DateTaken("2020-10-12T23:30:00+00:00", "exact", "EXIF DateTimeOriginal")
    library.facts.put(photo.path, Metadata((date,), (Fact("rating", 4, "XMP"),)), sidecars="")
    before = migrations._STEPS.index(migrations.leave_out_hours_in_utc)
    for source, hours in (("EXIF DateTimeOriginal", (23,)), ("file name", ())):
        with library.writing():
            library.connection.execute("UPDATE photos SET taken_source = ?", (source,))
        library.connection.execute(f"PRAGMA user_version = {before}")
        with Library(library.path) as grown:
            assert found(grown, hours=(23,)) == [photo.id for _ in hours]
            assert found(grown, ratings=(4,)) == [photo.id]
            grown.connection.execute(
                "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
            )


NICE, SEA = (43.7, 7.26), (40.0, -40.0)


def put(library, path, position, place=None):
    facts = () if position is None else (Fact("position", position, "EXIF"),)
    library.facts.put(path, Metadata(facts=facts), sidecars="", place=place)


@pytest.mark.parametrize("position", [None, SEA])
def test_a_place_goes_with_the_position_that_it_names(library, photo, position):
    put(library, photo.path, NICE, "Nice, France")
    put(library, photo.path, NICE)
    assert library.photos.get(photo.id).place == "Nice, France"
    assert found(library, places=("nice",)) == [photo.id]
    put(library, photo.path, position)
    assert library.photos.get(photo.id).place is None
    assert found(library, places=("nice",)) == found(library, has_place=True) == []
    put(library, photo.path, NICE)
    assert library.photos.get(photo.id).place is None
    put(library, photo.path, NICE, "Nice, France")
    assert library.photos.get(photo.id).place == "Nice, France"


def test_a_place_that_is_not_of_a_position_stays(library, make_photo):
    photo = make_photo(2)
    photo_id = library.photos.add(photo, place="Nice, France")
    put(library, photo.path, None)
    assert library.photos.get(photo_id).place == "Nice, France"


def test_of_copies_the_place_is_that_of_the_position_and_comes_back_with_its_file(library, photo):
    put(library, photo.path, NICE, "Nice, France")
    copy = photo.path.with_name("without position.jpg")
    library.paths.add(photo.id, copy, size_bytes=1, mtime_ns=1)
    put(library, copy, None)
    assert library.photos.get(photo.id).place == "Nice, France"
    library.paths.mark_missing([photo.path])
    assert library.photos.get(photo.id).place is None
    assert found(library, has_place=True) == []
    library.paths.mark_present([photo.path])
    assert library.photos.get(photo.id).place == "Nice, France"
    assert found(library, places=("nice",)) == [photo.id]


def test_places_of_libraries_of_earlier_versions_stay_until_the_position_changes(library, photo):
    put(library, photo.path, NICE, "Nice, France")
    with library.connection.writing():
        library.connection.execute("ALTER TABLE metadata DROP COLUMN place")
        migrations.keep_places_by_path(library.connection)
    put(library, photo.path, NICE)
    assert library.photos.get(photo.id).place == "Nice, France"
    put(library, photo.path, None)
    assert library.photos.get(photo.id).place is None
