"""What files and sidecars say reaches the library, once for each of them, and follows the files."""

import json
import shutil
import sqlite3

import pytest
from PIL import Image

from photopal.ingest import reader
from photopal.ingest.indexer import index_folders
from photopal.ingest.report import IndexReport
from photopal.library import Library, SearchQuery
from photopal.library import migrations as schema
from photopal.library.connection import path_bytes
from photopal.photos import fingerprint_file


@pytest.fixture
def folder(tmp_path, save_photo):
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.jpg", "b.jpg", "IMG-20190812-WA0001.jpg")):
        save_photo(folder / name, number)
    return folder


def sidecar(path, subject="sea", **dates):
    inside = "".join(
        f"<{name.replace('_', ':')}>{date}</{name.replace('_', ':')}>" for name, date in dates.items()
    )
    path.write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">'
        f"<rdf:Description rdf:about=''><dc:subject>{subject}</dc:subject>{inside}</rdf:Description>"
        "</rdf:RDF></x:xmpmeta>",
        encoding="utf-8",
    )
    return path


def found(library, text):
    return [hit.photo.path.name for hit in library.search.find(SearchQuery(text=f"{text} "))]


def test_dates_and_words_of_sidecars_and_names_are_found(library, folder):
    sidecar(folder / "a.jpg.xmp", "Strand", photoshop_DateCreated="1974")
    index_folders(library, [folder])
    assert found(library, "strand") == ["a.jpg"]
    photo = library.photos.at(folder / "a.jpg")
    assert (photo.taken_at, photo.taken_certainty, photo.taken_source) == (
        "1974", "year", "sidecar photoshop:DateCreated",
    )  # fmt: skip
    named = library.photos.at(folder / "IMG-20190812-WA0001.jpg")
    assert (named.taken_at, named.taken_certainty, named.taken_source) == ("2019-08-12", "day", "file name")


def test_words_of_files_are_apart_from_captions_and_names(library, folder):
    sidecar(folder / "a.jpg.xmp", "Rex")
    index_folders(library, [folder])
    [row] = library.connection.rows("SELECT caption, names, tags FROM photo_words WHERE tags NOT NULL")
    assert tuple(row) == (None, None, "Rex")
    assert library.search.find(SearchQuery(text="Rex "))[0].names == []


def test_a_person_whom_a_file_names_is_found_by_the_name_of_a_concept(library, folder):
    name = (
        '<I:PersonInImage xmlns:I="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">ANNA Müller</I:PersonInImage>'
    )
    path = sidecar(folder / "a.jpg.xmp")
    path.write_text(path.read_text().replace("<dc:subject>", f"{name}<dc:subject>"), encoding="utf-8")
    index_folders(library, [folder])
    library.concepts.add("Anna Müller")
    query = SearchQuery(concepts=("Anna Müller",))
    assert [hit.photo.path.name for hit in library.search.find(query)] == ["a.jpg"]
    assert library.search.count(SearchQuery(without_concepts=("Anna Müller",))) == 2
    [hit] = library.search.find(query)
    assert hit.names == ["Anna Müller"]
    assert [one.source for one in library.corrections.evidence(hit.photo.id).concepts] == ["file"]
    path.unlink()
    index_folders(library, [folder])
    assert library.search.count(query) == 0


def test_a_sidecar_that_comes_changes_or_goes_is_noticed_without_reading_the_photo(
    library, folder, monkeypatch
):
    index_folders(library, [folder])
    for name in ("record_photo", "fingerprint_file"):
        monkeypatch.setattr(reader, name, lambda path, **options: pytest.fail(f"{path} was read whole"))
    sidecar(folder / "a.xmp", "sea")
    assert index_folders(library, [folder]) == IndexReport(unchanged=3)
    assert found(library, "sea") == ["a.jpg"]
    sidecar(folder / "a.xmp", "mountains")
    index_folders(library, [folder])
    assert (found(library, "sea"), found(library, "mountains")) == ([], ["a.jpg"])
    (folder / "a.xmp").unlink()
    index_folders(library, [folder])
    assert found(library, "mountains") == []


def test_an_unchanged_photo_is_read_for_its_metadata_once(library, folder, monkeypatch):
    sidecar(folder / "a.jpg.xmp")
    index_folders(library, [folder])
    monkeypatch.setattr(reader, "read_facts", lambda path, sidecars: pytest.fail(f"{path} was read again"))
    assert index_folders(library, [folder]) == IndexReport(unchanged=3)


def test_a_moved_photo_has_what_its_new_place_says(library, folder):
    index_folders(library, [folder])
    photo_id = library.photos.at(folder / "IMG-20190812-WA0001.jpg").id
    (folder / "IMG-20190812-WA0001.jpg").rename(folder / "c.jpg")
    sidecar(folder / "c.jpg.xmp", "sea")
    index_folders(library, [folder])
    moved = library.photos.at(folder / "c.jpg")
    assert (moved.id, moved.taken_at) == (photo_id, None)
    assert found(library, "sea") == ["c.jpg"]


def test_copies_know_together_what_each_of_them_knows(library, folder):
    shutil.copy(folder / "a.jpg", folder / "2011-07-19 11.36.39.jpg")
    sidecar(folder / "a.xmp", "sea")
    index_folders(library, [folder])
    photo = library.photos.at(folder / "a.jpg")
    assert photo.taken_at == "2011-07-19T11:36:39"
    assert len(library.paths.of(photo.id)) == 2
    (folder / "2011-07-19 11.36.39.jpg").unlink()
    index_folders(library, [folder])
    assert library.photos.at(folder / "a.jpg").taken_at is None
    assert found(library, "sea") == ["a.jpg"]


@pytest.mark.slow
def test_a_position_in_takeouts_json_names_the_place(library, folder):
    said = {"photoTakenTime": {"timestamp": "1565606096"}, "geoData": {"latitude": 43.7, "longitude": 7.26}}
    (folder / "a.jpg.supplemental-metadata.json").write_text(json.dumps(said))
    index_folders(library, [folder])
    assert "Nice" in library.photos.at(folder / "a.jpg").place


class Names:
    """Names one position."""

    def name(self, latitude, longitude):
        return "Nice, France" if (latitude, longitude) == (43.7, 7.26) else None


@pytest.mark.parametrize("position", [None, (40.0, -40.0)])
def test_a_place_is_forgotten_when_the_sidecar_with_its_position_is_gone_or_says_another(
    library, folder, position
):
    beside = folder / "a.jpg.supplemental-metadata.json"

    def say(latitude, longitude):
        said = {"photoTakenTime": {"timestamp": "1565606096"}}
        beside.write_text(json.dumps(said | {"geoData": {"latitude": latitude, "longitude": longitude}}))

    say(43.7, 7.26)
    index_folders(library, [folder], place_names=Names())
    assert library.photos.at(folder / "a.jpg").place == "Nice, France"
    beside.unlink()
    if position is not None:
        say(*position)
    index_folders(library, [folder], place_names=Names())
    photo = library.photos.at(folder / "a.jpg")
    assert ((photo.latitude, photo.longitude), photo.place) == (position or (None, None), None)
    assert library.search.count(SearchQuery(places=("nice",))) == 0


def test_an_unsure_date_is_kept_apart_and_never_first(library, folder, save_photo):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2000:01:01 00:00:00"
    save_photo(folder / "unset.jpg", 9, exif=exif.tobytes())
    index_folders(library, [folder])
    photo = library.photos.at(folder / "unset.jpg")
    assert (photo.taken_at, photo.taken_unsure) == (None, "2000-01-01T00:00:00")
    for order in ("newest", "oldest"):
        assert library.search.find(SearchQuery(order=order))[0].photo.path.name == "IMG-20190812-WA0001.jpg"
    assert library.search.count(SearchQuery(since="1999", until="2001")) == 0


def write_older_library(path, photos, monkeypatch):
    """Write a library as it was before what files say was kept: photos with dates, cameras and captions."""
    steps = schema._STEPS[: schema._STEPS.index(schema.keep_what_files_say)]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_STEPS", steps)
        Library(path).close()
    with sqlite3.connect(path) as old:
        for number, photo in enumerate(photos, start=1):
            known = fingerprint_file(photo)
            old.execute(
                "INSERT INTO photos (id, content_hash, path, size_bytes, width_px, height_px, format,"
                " taken_at, camera, added_at)"
                " VALUES (?, ?, ?, ?, 8, 8, 'JPEG', '2015-01-02T03:04:05', 'Cam One', '2024')",
                (number, known.content_hash, path_bytes(photo), known.size_bytes),
            )
            old.execute(
                "INSERT INTO paths VALUES (?, ?, ?, ?, '2024', NULL)",
                (path_bytes(photo), number, known.size_bytes, known.mtime_ns),
            )
            old.execute(
                "INSERT INTO captions VALUES (?, ?, '', NULL, '', '2024', 1)", (number, f"Party {number}")
            )
            old.execute(
                "INSERT INTO photo_words SELECT " + schema.WORDS_KEY + ", id, ?, NULL, NULL, ?, 'p k h'"
                " FROM photos WHERE id = ?",
                (f"Party {number}", photo.name, number),
            )
    old.close()


def test_a_library_of_an_older_photopal_gets_the_new_facts_and_loses_nothing(tmp_path, folder, monkeypatch):
    names = ["a.jpg", "b.jpg", "IMG-20190812-WA0001.jpg"]
    write_older_library(tmp_path / "library.db", [folder / name for name in names], monkeypatch)
    sidecar(folder / "a.jpg.xmp", "sea", photoshop_DateCreated="1974-07")
    monkeypatch.setattr(reader, "record_photo", lambda path, **options: pytest.fail(f"{path} was read whole"))
    with Library(tmp_path / "library.db") as library:
        before = library.photos.at(folder / "b.jpg")
        assert (before.taken_at, before.camera) == ("2015-01-02T03:04:05", "Cam One")
        assert library.search.count(SearchQuery(since="2015-01", until="2015-01")) == 3
        # Set and undone before the files are read again, the date is as it was.
        library.facts.set_date(before.id, "1980", path=before.path)
        library.history.undo()
        assert library.photos.at(folder / "b.jpg").taken_at == before.taken_at
        assert index_folders(library, [folder]) == IndexReport(unchanged=3)
        photo = library.photos.at(folder / "a.jpg")
        assert (photo.taken_at, photo.taken_certainty, photo.camera) == ("1974-07", "month", None)
        assert library.photos.at(folder / "b.jpg").taken_at is None
        assert found(library, "sea") == found(library, "party 1") == ["a.jpg"]
        assert library.captions.get(photo.id).text == "Party 1"


def test_what_is_not_wanted_is_remembered_for_the_folder_and_is_no_loss(library, folder, save_photo):
    for number in range(20, 30):
        save_photo(folder / "Screenshots" / f"{number}.png", number)
    assert index_folders(library, [folder]).added == 13
    report = index_folders(library, [folder], globs=["Screenshots/"])
    assert (report.removed, report.offline, report.left_out) == (10, [], {"excluded item": 1})
    assert index_folders(library, [folder]) == IndexReport(unchanged=3, left_out=report.left_out)
    # What was left out comes back with all it had.
    assert index_folders(library, [folder], globs=[]).revived == 10
    assert library.facts.globs() == {}


def test_an_ignore_file_that_comes_later_is_no_loss(library, folder, save_photo):
    for number in range(20, 30):
        save_photo(folder / "cache" / f"{number}.png", number)
    index_folders(library, [folder])
    (folder / "cache" / ".nomedia").touch()
    report = index_folders(library, [folder])
    assert (report.removed, report.offline) == (10, [])


def test_what_is_not_read_is_reported_by_kind(library, folder):
    for name in ("a.MOV", "b.mp4", "old.crw"):
        (folder / name).write_bytes(b"x")
    report = index_folders(library, [folder])
    assert report.left_out == {"video": 1, "Live Photo video": 1, "unsupported RAW file": 1}
    assert report.skipped == []


def test_sidecars_are_as_they_were(library, folder):
    path = sidecar(folder / "a.jpg.xmp")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    index_folders(library, [folder])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_sidecar_that_cannot_be_read_is_a_problem_as_long_as_it_is_so_and_its_photo_is_not(library, folder):
    broken, long = folder / "a.jpg.xmp", folder / "b.jpg.json"
    broken.write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF")
    long.write_text(json.dumps({"photoTakenTime": {"timestamp": "1"}, "description": "x" * (1 << 20)}))
    report = index_folders(library, [folder])
    assert (report.added, report.skipped) == (3, [])
    said = {broken: "sidecar not read: no valid XMP", long: "sidecar not read: larger than 1 MB"}
    for _ in range(2):
        assert {each.path: each.reason for each in report.unread_sidecars} == said
        problems = library.paths.problems()
        assert {each.path: (each.reason, each.is_note) for each in problems} == {
            path: (reason, False) for path, reason in said.items()
        }
        assert library.counts()["problems"] == 2
        report = index_folders(library, [folder])
    sidecar(broken)
    (folder / "b.jpg").rename(folder / "c.jpg")
    assert index_folders(library, [folder]).unread_sidecars == []
    assert library.paths.problems() == []
    broken.write_text("<")
    assert len(index_folders(library, [folder]).unread_sidecars) == 1
    broken.unlink()
    assert index_folders(library, [folder]).unread_sidecars == []
    assert library.paths.problems() == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x" * (5 << 20), "larger than 4 MB"),
        (b"\x00\x01", "no valid Picasa file"),
        (b"", None),
        (b"[a.jpg]\nstar=yes", None),
    ],
)
def test_picasas_file_is_a_problem_as_long_as_it_cannot_be_read(library, folder, content, reason):
    path = folder / ".picasa.ini"
    path.write_bytes(content)
    for root in (folder, folder, folder / "a.jpg"):
        report = index_folders(library, [root])
        assert report.skipped == []
        said = [] if reason is None else [(path, f"sidecar not read: {reason}")]
        assert [(each.path, each.reason) for each in report.unread_sidecars] == said
        assert [(each.path, each.reason) for each in library.paths.problems()] == said
    path.write_text("[Picasa]")
    assert index_folders(library, [folder]).unread_sidecars == []
    assert library.paths.problems() == []
    path.write_bytes(content)
    index_folders(library, [folder])
    path.unlink()
    assert index_folders(library, [folder]).unread_sidecars == []
    assert library.paths.problems() == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jpg.xmp", b"", "the file is empty"),
        ("a.xmp", b" " * (5 << 20), "larger than 4 MB"),
        ("a.jpg.supplemental-metadata.json", b'{"title": "a.jpg', "no valid JSON"),
        # Not everything that is called so is a sidecar.
        ("a.jpg.json", b'{"exposure": 1}', None),
        ("a.jpg.xmp", b"<presets/>", None),
    ],
)
def test_why_a_sidecar_cannot_be_read_is_told(library, folder, name, content, reason):
    (folder / name).write_bytes(content)
    unread = index_folders(library, [folder]).unread_sidecars
    assert [each.reason for each in unread] == ([] if reason is None else [f"sidecar not read: {reason}"])
