"""Libraries that knew photos by their bytes lose nothing, and get back what an edit had cost them."""

import json
import sqlite3

import pytest

from photopal.ingest.indexer import index_folders
from photopal.ingest.report import IndexReport
from photopal.library import Library
from photopal.library import migrations as schema
from photopal.photos import hash_bytes_of, record_photo
from tests.ingest.test_identity import EDITS, WORDS, draw, edit_metadata, found_at, save

STEPS_BEFORE = schema._STEPS.index(schema.keep_what_files_say)


class OldLibrary:
    """Writes what the last version without pictures wrote, row by row."""

    def __init__(self, path, monkeypatch):
        self.path = path
        with monkeypatch.context() as patch:
            patch.setattr(schema, "_STEPS", schema._STEPS[:STEPS_BEFORE])
            Library(path).close()
        self.rows = sqlite3.connect(path, isolation_level=None)

    def index(self, *paths):
        """Take in files: other bytes are another photo, and what was at a path before is missing."""
        for path in paths:
            photo, key = record_photo(path), str(path).encode()
            known = self.rows.execute("SELECT photo_id FROM paths WHERE path = ?", (key,)).fetchone()
            exif = photo.exif
            [photo_id] = self.rows.execute(
                "INSERT INTO photos (content_hash, path, size_bytes, width_px, height_px, format, taken_at,"
                " orientation, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '2026')"
                " ON CONFLICT (content_hash) DO UPDATE SET"
                " format = excluded.format, missing_since = NULL RETURNING id",
                (hash_bytes_of(path), key, photo.size_bytes, photo.width_px, photo.height_px, photo.format,
                 exif.taken_at, exif.orientation),
            ).fetchone()  # fmt: skip
            self.rows.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (photo_id, photo.thumbnail))
            self.rows.execute("INSERT OR REPLACE INTO looks VALUES (?, ?)", (photo_id, photo.phash))
            self.rows.execute(
                "INSERT INTO paths (path, photo_id, size_bytes, mtime_ns, seen_at)"
                " VALUES (?, ?, ?, ?, '2026') ON CONFLICT (path) DO UPDATE SET photo_id = excluded.photo_id,"
                " size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns",
                (key, photo_id, photo.size_bytes, photo.mtime_ns),
            )
            if known is not None and known[0] != photo_id:
                self.lose(known[0])

    def lose(self, photo_id):
        self.rows.execute("UPDATE photos SET missing_since = '2026' WHERE id = ?", (photo_id,))
        self.rows.execute("DELETE FROM photo_words WHERE photo_id = ?", (photo_id,))

    def move(self, path, new_path):
        """Note that a file is gone; the one at its new path was edited too."""
        key = str(path).encode()
        [photo_id] = self.rows.execute(
            "UPDATE paths SET missing_since = '2026' WHERE path = ? RETURNING photo_id", (key,)
        ).fetchone()
        self.lose(photo_id)
        self.index(new_path)

    def describe(self, path, text=WORDS, *, box=(16, 12, 40, 30)):
        [photo_id] = self.rows.execute(
            "SELECT photo_id FROM paths WHERE path = ?", (str(path).encode(),)
        ).fetchone()
        self.rows.execute(
            "INSERT INTO captions (photo_id, text, model, bank, prompt_version, created_at, by_hand)"
            " VALUES (?, ?, '', NULL, '', ?, 1)", (photo_id, text, f"2026-{photo_id:02}")
        )  # fmt: skip
        self.rows.execute(
            "INSERT OR IGNORE INTO concepts VALUES (1, 'Grandma', 'grandma', 'person', NULL, '2026', NULL)"
        )
        self.rows.execute(
            "INSERT INTO reference_photos VALUES (1, ?, ?, ?, ?, ?, NULL, '2026')", (photo_id, *box)
        )
        entry = self.rows.execute(
            "INSERT INTO journal (made_at, what) VALUES ('2026', 'wrote') RETURNING id"
        ).fetchone()
        image = {"photo_id": photo_id, "text": text, "by_hand": 1}
        self.rows.execute(
            "INSERT INTO journal_rows VALUES (?, 'captions', ?, NULL, ?)",
            (entry[0], json.dumps([photo_id]), json.dumps(image)),
        )
        return photo_id

    def open(self):
        self.rows.close()
        return Library(self.path)


@pytest.fixture
def old(tmp_path, monkeypatch):
    return OldLibrary(tmp_path / "old.db", monkeypatch)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "photos"


def check_whole(library, path, photo_id):
    assert found_at(library) == [[path], [path]]
    assert library.photos.at(path).id == photo_id
    assert library.counts()["missing"] == 0
    assert library.connection.rows("PRAGMA foreign_key_check") == []
    library.connection.execute(
        "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
    )


@pytest.mark.parametrize("edits", [1, 3])
def test_words_lost_by_edits_of_metadata_are_back_at_once(old, folder, edits):
    path = save(folder / "party.jpg")
    old.index(path)
    photo_id = old.describe(path)
    for _ in range(edits):
        edit_metadata(path)
        old.index(path)
    with old.open() as library:
        check_whole(library, path, photo_id)
        assert library.photos.at(path).picture_changed_at is None
        assert index_folders(library, [folder]) == IndexReport(unchanged=1)
        edit_metadata(path)
        assert index_folders(library, [folder]).changed == 1
        check_whole(library, path, photo_id)
        library.history.undo()
        assert library.captions.get(photo_id) is None


def test_a_library_that_is_only_read_is_healed_too(old, folder):
    path = save(folder / "party.jpg")
    old.index(path)
    old.describe(path)
    edit_metadata(path)
    old.index(path)
    old.rows.close()
    with Library(old.path, read_only=True) as library:
        assert found_at(library) == [[path], [path]]


def test_a_photo_that_was_turned_by_its_tag_is_back_with_its_box_turned(old, folder):
    path = save(folder / "party.jpg")
    old.index(path)
    photo_id = old.describe(path)
    save(path, draw(), orientation=6)
    old.index(path)
    with old.open() as library:
        check_whole(library, path, photo_id)
        [reference] = library.concepts.references(1)
        assert reference.box == (120 - 12 - 30, 16, 30, 40)


@pytest.mark.parametrize("described", ["a.png", "b.png"])
def test_copies_that_are_turned_differently_become_one_photo_with_its_box_where_it_was(
    old, folder, described
):
    save(folder / "a.png", draw(3))
    save(folder / "b.png", draw(3), orientation=6)
    old.index(folder / "a.png", folder / "b.png")
    old.describe(folder / described, box=(16, 12, 40, 30) if described == "a.png" else (78, 16, 30, 40))
    with old.open() as library:
        index_folders(library, [folder])
        assert library.counts()["photos"] == 1
        photo = library.photos.at(folder / "a.png")
        shown = record_photo(photo.path)
        assert (photo.width_px, photo.height_px) == (shown.width_px, shown.height_px)
        [reference] = library.concepts.references(1)
        assert reference.box == ((16, 12, 40, 30) if shown.orientation == 1 else (78, 16, 30, 40))


def test_words_follow_an_edit_of_the_pixels_and_say_so(old, folder):
    path = save(folder / "party.jpg")
    old.index(path)
    photo_id = old.describe(path)
    save(path, EDITS["crop"](draw()))
    old.index(path)
    with old.open() as library:
        check_whole(library, path, photo_id)
        assert library.photos.at(path).picture_changed_at is not None


def test_boxes_are_scaled_with_a_photo_that_was_resized_after_the_earlier_version_had_seen_it(old, folder):
    path = save(folder / "party.png")
    old.index(path)
    photo_id = old.describe(path)
    save(path, draw(size=(320, 240)))
    with old.open() as library:
        index_folders(library, [folder])
        assert library.photos.at(path).id == photo_id
        [reference] = library.concepts.references(1)
        assert reference.box == (32, 24, 80, 60)


def test_a_photo_that_was_moved_and_edited_at_once_is_back(old, folder):
    path = save(folder / "party.jpg")
    old.index(path, save(folder / "other.jpg", draw(1)))
    photo_id = old.describe(path)
    edit_metadata(path)
    path.rename(folder / "moved.jpg")
    old.move(path, folder / "moved.jpg")
    with old.open() as library:
        check_whole(library, folder / "moved.jpg", photo_id)


def test_of_two_captions_the_later_one_stands(old, folder):
    path = save(folder / "party.jpg")
    old.index(path)
    old.describe(path, "An earlier caption")
    edit_metadata(path)
    old.index(path)
    old.describe(path, WORDS)
    with old.open() as library:
        assert found_at(library) == [[path], [path]]
        assert library.counts()["photos"] == 1


def test_another_photo_at_the_path_gets_no_words(old, folder):
    path = save(folder / "IMG_1.jpg", draw(1), taken_at="2020:01:01 10:00:00")
    old.index(path)
    photo_id = old.describe(path)
    save(path, draw(2), taken_at="2024:01:01 10:00:00")
    old.index(path)
    with old.open() as library:
        assert library.photos.is_missing(photo_id)
        assert found_at(library) == [[], []]


def test_an_edit_between_the_last_index_and_the_new_version_loses_nothing(old, folder):
    paths = [
        save(folder / f"{name}.jpg", draw(seed))
        for seed, name in enumerate(("edited", "moved", "cropped", "same"))
    ]
    old.index(*paths)
    ids = [
        old.describe(path, f"{WORDS} {path.stem}") if seed == 0 else None for seed, path in enumerate(paths)
    ]
    for photo_id, path in enumerate(paths[1:], start=2):
        old.rows.execute(
            "INSERT INTO captions (photo_id, text, model, bank, prompt_version, created_at, by_hand)"
            " VALUES (?, ?, '', NULL, '', '2026', 1)", (photo_id, f"words of {path.stem}")
        )  # fmt: skip
    edit_metadata(paths[0])
    paths[1].rename(folder / "elsewhere.jpg")
    save(paths[2], EDITS["crop"](draw(2)))
    with old.open() as library:
        index_folders(library, [folder], accept_loss=True)
        assert library.photos.at(paths[0]).id == ids[0]
        assert [library.captions.get(library.photos.at(path).id).text for path in paths[2:]] == [
            "words of cropped", "words of same",
        ]  # fmt: skip
        assert library.captions.get(library.photos.at(folder / "elsewhere.jpg").id).text == "words of moved"
        assert library.counts()["missing"] == 0
        assert index_folders(library, [folder]) == IndexReport(unchanged=4)


def test_two_photos_that_turn_out_to_have_one_picture_become_one_unless_both_have_words(old, folder):
    for name in "abcd":
        save(folder / f"{name}.jpg", draw("ab".index(name) if name in "ab" else "cd".index(name)))
    edit_metadata(folder / "c.jpg")
    edit_metadata(folder / "d.jpg")
    paths = [folder / f"{name}.jpg" for name in "abcd"]
    old.index(*paths)
    old.describe(paths[2], "Words of c")
    old.rows.execute("DELETE FROM reference_photos")
    for photo_id, text in ((2, "Words of b"), (4, "Words of d")):
        old.rows.execute(
            "INSERT INTO captions (photo_id, text, model, bank, prompt_version, created_at, by_hand)"
            " VALUES (?, ?, '', NULL, '', '2026', 1)", (photo_id, text)
        )  # fmt: skip
    with old.open() as library:
        index_folders(library, [folder])
        assert library.counts()["photos"] == 3
        assert library.photos.at(paths[0]).id == library.photos.at(paths[2]).id == 3
        assert [library.captions.get(library.photos.at(path).id).text for path in paths] == [
            "Words of c", "Words of b", "Words of c", "Words of d",
        ]  # fmt: skip
