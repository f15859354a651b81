"""Libraries of older photopals grow step by step, whole or not at all, and lose nothing on the way."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import photopal
from photopal.library import Library, SearchQuery
from photopal.library import migrations as schema

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(photopal.__file__).parent.parent)}
FIRST_STEPS = 4


def write_old_library(path, photos, monkeypatch):
    """Write a library as the first photopal did: photos, one missing, captions, Rex, words without order."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_STEPS", schema._STEPS[:FIRST_STEPS])
        Library(path).close()
    with sqlite3.connect(path) as old:
        old.execute("INSERT INTO concepts VALUES (1, 'Rex', 'rex', 'pet', NULL, '2024', NULL)")
        for number in range(1, photos + 1):
            missing = "2024" if number == 2 else None
            year = 2000 + number % 20
            old.execute(
                "INSERT INTO photos (id, content_hash, path, size_bytes, width_px, height_px, format,"
                " taken_at, camera, place, added_at, missing_since)"
                " VALUES (?, ?, ?, 1, 8, 8, 'JPEG', ?, 'Cam One', 'Nice, France', '2024', ?)",
                (number, f"{number:032x}", b"/p/%d.jpg" % number, f"{year}-07-01T10:00:00", missing),
            )
            old.execute(
                "INSERT INTO paths VALUES (?, ?, 1, 1, '2024', ?)", (b"/p/%d.jpg" % number, number, missing)
            )
            old.execute(
                "INSERT INTO captions VALUES (?, ?, 'm', 'b', '1', '2024')", (number, f"Dog {number} plays")
            )
            old.execute(
                "INSERT INTO appearances VALUES (?, 1, 0.9, ?, 0.5, 0.5, NULL, NULL, NULL, NULL)",
                (number, number % 3 == 0),
            )
            old.execute(
                "INSERT INTO photo_words VALUES (?, ?, ?, 'Nice, France', ?)",
                (number, f"Dog {number} plays", "Rex" if number % 3 == 0 else None, f"{number}.jpg / p"),
            )
    old.close()


def check_grown(path, photos):
    with Library(path) as library:
        assert schema.is_current(library.connection.sqlite)
        assert library.connection.sqlite.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        library.connection.execute(
            "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
        )
        present = photos - 1
        assert library.counts()["photos"] == present
        assert library.counts()["captioned"] == present
        assert library.search.count(SearchQuery(text="plays")) == present
        assert library.search.count(SearchQuery(concepts=("Rex",))) == photos // 3
        assert library.search.count(SearchQuery(cameras=("one",), places=("nice",), hours=(10,))) == present
        assert library.captions.get(2).text == "Dog 2 plays"
        newest = [hit.photo.taken_at for hit in library.search.find(SearchQuery(text="plays", limit=9))]
        assert newest == sorted(newest, reverse=True)


def test_a_library_of_the_first_photopal_grows_with_all_it_has(tmp_path, monkeypatch):
    write_old_library(tmp_path / "library.db", 30, monkeypatch)
    check_grown(tmp_path / "library.db", 30)


def test_words_of_an_old_library_are_found_in_every_script_afterwards(tmp_path, monkeypatch):
    path = tmp_path / "library.db"
    write_old_library(path, 6, monkeypatch)
    with sqlite3.connect(path) as old:
        for number, text in ((1, "2021北京旅行"), (3, "Große Straße 🎉")):
            old.execute("UPDATE captions SET text = ? WHERE photo_id = ?", (text, number))
            old.execute("UPDATE photo_words SET caption = ? WHERE photo_id = ?", (text, number))
        old.execute("UPDATE photos SET place = NULL, camera = NULL WHERE id = 4")
        old.execute("UPDATE photo_words SET place = NULL WHERE photo_id = 4")
    old.close()
    with Library(path) as library:
        for text, number in (("北京", 1), ("strasse", 3), ("🎉", 3)):
            assert [hit.photo.id for hit in library.search.find(SearchQuery(text=text))] == [number]
        for query in (SearchQuery(has_place=False), SearchQuery(has_camera=False)):
            assert [hit.photo.id for hit in library.search.find(query)] == [4]


def test_a_missing_photo_of_an_old_library_comes_back_to_search(tmp_path, monkeypatch):
    write_old_library(tmp_path / "library.db", 6, monkeypatch)
    with Library(tmp_path / "library.db") as library:
        assert library.search.find(SearchQuery(text="2.jpg")) == []
        library.paths.mark_present([Path("/p/2.jpg")])
        assert [hit.photo.id for hit in library.search.find(SearchQuery(text="2.jpg"))] == [2]


@pytest.mark.slow
def test_killed_in_the_middle_of_growing_the_library_is_whole_and_grows_the_next_time(tmp_path, monkeypatch):
    program = """
        import sys
        from pathlib import Path
        import sqlite_utils
        from photopal.library import Library
        print("ready", flush=True)
        Library(Path(sys.argv[1])).close()
        """
    photos, versions = 4000, set()
    write_old_library(tmp_path / "first.db", photos, monkeypatch)
    whole = (tmp_path / "first.db").read_bytes()
    for number, delay_s in enumerate((0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2)):
        path = tmp_path / f"library{number}.db"
        path.write_bytes(whole)
        command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(delay_s)
            os.kill(process.pid, signal.SIGKILL)
        with sqlite3.connect(path) as killed:
            versions.add(killed.execute("PRAGMA user_version").fetchone()[0])
            assert killed.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        killed.close()
        check_grown(path, photos)
    assert versions <= set(range(FIRST_STEPS, len(schema._STEPS) + 1))
