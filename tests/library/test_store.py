"""A library opens safely, keeps what it is told and lets one process write at a time."""

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
from photopal.errors import ConceptError, LibraryError, LibraryLockedError
from photopal.library import Library, PhotoRecord, SearchQuery
from photopal.library import migrations as schema

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(photopal.__file__).parent.parent)}


def python(program: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def test_a_library_is_made_with_its_folder(tmp_path):
    with Library(tmp_path / "a" / "b" / "library.db") as library:
        assert library.counts()["photos"] == 0
    assert (tmp_path / "a" / "b" / "library.db").is_file()


def test_a_photo_is_kept(library, make_photo, tmp_path):
    photo = make_photo(
        1, taken_at="2024-07-03T18:22:01+02:00", camera="X", lens="Y", latitude=1.5, longitude=-2.5
    )
    photo_id = library.photos.add(photo, place="Nice, France")
    expected = PhotoRecord(
        id=photo_id, path=photo.path, content_hash=photo.content_hash, width_px=400, height_px=300,
        taken_at="2024-07-03T18:22:01+02:00", camera="X", lens="Y", latitude=1.5, longitude=-2.5,
        format="JPEG", size_bytes=1001, place="Nice, France", taken_certainty="exact",
        taken_source="EXIF DateTimeOriginal",
    )  # fmt: skip
    assert library.photos.get(photo_id) == expected
    assert library.photos.at(photo.path) == expected
    assert library.photos.with_hash(photo.content_hash) == expected
    assert list(library.photos.all()) == [expected]
    assert library.photos.thumbnail(photo_id) == b"jpeg 1"
    assert library.photos.at(tmp_path / "nothing.jpg") is None


def test_a_relative_path_and_a_link_lead_to_the_photo(library, make_photo, tmp_path, monkeypatch):
    photo_id = library.photos.add(make_photo(1))
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for path in (Path("photos/1.jpg"), Path("photos/../photos/1.jpg"), Path("link/1.jpg")):
        assert library.photos.at(path).id == photo_id


def test_one_photo_may_have_several_paths(library, make_photo, tmp_path):
    photo_id = library.photos.add(make_photo(1))
    assert library.photos.add(make_photo(1, path=tmp_path / "copy.jpg")) == photo_id
    assert library.paths.of(photo_id) == [tmp_path / "copy.jpg", tmp_path / "photos" / "1.jpg"]
    assert library.photos.get(photo_id).path == tmp_path / "photos" / "1.jpg"
    assert library.paths.mark_missing([tmp_path / "photos" / "1.jpg"]) == 0
    assert library.photos.get(photo_id).path == tmp_path / "copy.jpg"
    assert library.paths.mark_missing([tmp_path / "copy.jpg"]) == 1
    assert library.counts()["missing"] == 1
    assert list(library.photos.all()) == []
    assert library.photos.at(tmp_path / "copy.jpg") is None


def test_a_missing_photo_comes_back_with_its_caption(library, make_photo):
    photo_id = library.photos.add(make_photo(1))
    library.captions.put(photo_id, "A dog.", model="m", bank=None, prompt_version="1", appearances=[])
    library.paths.mark_missing([make_photo(1).path])
    assert library.search.find(SearchQuery(text="dog")) == []
    assert library.photos.add(make_photo(1)) == photo_id
    assert [hit.caption for hit in library.search.find(SearchQuery(text="dog"))] == ["A dog."]


def test_a_path_moves_on_when_its_contents_change(library, make_photo):
    path = make_photo(1).path
    old_id = library.photos.add(make_photo(1))
    new_id = library.photos.add(make_photo(2, path=path))
    assert new_id != old_id
    assert library.photos.at(path).id == new_id
    assert library.counts() | {"size": 0} == {
        "photos": 1, "missing": 1, "captioned": 0, "concepts": 0, "references": 0, "problems": 0, "size": 0,
    }  # fmt: skip
    assert library.photos.get(old_id).path == path


@pytest.mark.slow
def test_photos_can_be_listed_while_they_are_captioned(library, make_photo):
    with library.writing():
        for number in range(1200):
            library.photos.add(make_photo(number))
    seen = []
    for photo in library.photos.all(with_caption=False):
        library.captions.put(photo.id, "x", model="m", bank=None, prompt_version="1", appearances=[])
        seen.append(photo.id)
        if len(seen) == 600:
            break
    assert len(set(seen)) == 600
    assert len(list(library.photos.all(with_caption=True))) == 600
    assert len(list(library.photos.all(with_caption=False))) == 600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names that are not UTF-8")
def test_a_name_that_is_not_utf_8_is_kept(library, make_photo, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 Rex.jpg"))
    photo_id = library.photos.add(make_photo(1, path=path))
    assert library.photos.at(path).path == path
    assert [hit.photo.id for hit in library.search.find(SearchQuery(text="rex"))] == [photo_id]


def test_an_unknown_photo_is_an_error(library):
    for call in (library.photos.get, library.photos.thumbnail):
        with pytest.raises(LibraryError, match="no photo with id 7"):
            call(7)


def test_what_is_no_library_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("notes " * 1000)
    for read_only in (False, True):
        with pytest.raises(LibraryError, match="not a photopal library"):
            Library(path, read_only=read_only)
    assert path.read_text() == "notes " * 1000


def test_a_library_of_a_newer_photopal_is_refused(tmp_path):
    Library(tmp_path / "library.db").close()
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(LibraryError, match=r"library\.db: the library has format 99") as caught:
            Library(tmp_path / "library.db", read_only=read_only)
        assert caught.value.hint == "Update photopal."


@pytest.mark.parametrize("step", range(len(schema._STEPS)))
def test_an_older_library_is_brought_up_to_date_and_a_failed_step_leaves_no_trace(
    tmp_path, monkeypatch, step
):
    def fail(db):
        real(db)
        raise OSError("no space left")

    real = schema._STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_STEPS", (*schema._STEPS[:step], fail, *schema._STEPS[step + 1 :]))
        with pytest.raises(OSError, match="no space"):
            Library(tmp_path / "library.db")
    connection = sqlite3.connect(tmp_path / "library.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (step,)
    connection.close()
    with Library(tmp_path / "library.db", read_only=True) as library:
        assert library.counts()["photos"] == 0
        assert library.search.find(SearchQuery(text="x")) == []


def test_reading_where_there_is_no_library_makes_none(tmp_path):
    with pytest.raises(LibraryError, match="no library yet"):
        Library(tmp_path / "library.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_library_open_for_reading_refuses_changes(tmp_path, make_photo):
    Library(tmp_path / "library.db").close()
    with Library(tmp_path / "library.db", read_only=True) as library:
        with pytest.raises(LibraryError, match="reading only"):
            library.photos.add(make_photo(1))
        assert list(library.photos.all()) == []


def test_several_changes_are_one_or_none(library, make_photo):
    with pytest.raises(KeyError), library.writing():  # noqa: PT012
        library.photos.add(make_photo(1))
        library.concepts.add("Anna")
        raise KeyError
    assert library.counts()["photos"] == library.counts()["concepts"] == 0


@pytest.mark.slow
def test_a_second_writer_is_told_who_holds_the_lock_and_readers_are_not_held_up(tmp_path, make_photo):
    path = tmp_path / "library.db"
    Library(path).close()
    holder = python(
        """
        import sys, time
        from pathlib import Path
        from photopal.library import Library
        with Library(Path(sys.argv[1])) as library, library.writing():
            library.concepts.add("Held")
            print("held", flush=True)
            time.sleep(60)
        """,
        path,
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with (
            Library(path, wait_s=0.2) as library,
            pytest.raises(LibraryLockedError, match=f"locked by process {holder.pid}$"),
        ):
            library.photos.add(make_photo(1))
        started = time.monotonic()
        with Library(path, read_only=True) as reader:
            assert reader.counts()["concepts"] == 0
        assert time.monotonic() - started < 1
        holder.kill()
    with Library(path, wait_s=5) as library:
        library.photos.add(make_photo(1))
        assert library.counts()["concepts"] == 0


def test_a_second_writer_waits_for_the_first(tmp_path, make_photo):
    path = tmp_path / "library.db"
    with Library(path) as one, Library(path) as other:
        one.photos.add(make_photo(1))
        other.photos.add(make_photo(2))
        assert one.counts()["photos"] == other.counts()["photos"] == 2


@pytest.mark.slow
def test_two_programs_may_make_the_library_at_once(tmp_path):
    program = """
        import sys
        from pathlib import Path
        from photopal.library import Library
        with Library(Path(sys.argv[1])) as library:
            library.concepts.add(sys.argv[2])
        """
    writers = [python(program, tmp_path / "library.db", name) for name in ("Anna", "Rex", "Mug")]
    for writer in writers:
        with writer:
            assert writer.wait() == 0
    with Library(tmp_path / "library.db", read_only=True) as library:
        assert [concept.name for concept in library.concepts.all()] == ["Anna", "Mug", "Rex"]


@pytest.mark.slow
def test_killed_at_any_instant_captions_and_search_stay_together(tmp_path):
    path = tmp_path / "library.db"
    program = """
        import sys
        from pathlib import Path
        from photopal.library import Library
        from photopal.photos import Exif, Photo
        with Library(Path(sys.argv[1])) as library:
            start = sum(1 for _ in library.photos.all())
            print("open", flush=True)
            for number in range(start, 1_000_000):
                photo = Photo(Path(f"/p/{number}.jpg"), f"{number:032x}", 1, 1, 8, 8, "JPEG", Exif(), b"t")
                photo_id = library.photos.add(photo)
                for text in ("first", f"word{number}"):
                    library.captions.put(
                        photo_id, text, model="m", bank=None, prompt_version="1", appearances=[]
                    )
        """
    for delay_s in (0.0, 0.013, 0.031, 0.053, 0.11):
        with python(program, path) as writer:
            assert writer.stdout.readline() == "open\n"
            time.sleep(delay_s)
            os.kill(writer.pid, signal.SIGKILL)
        with Library(path) as library:
            library.connection.execute(
                "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
            )
            for photo in library.photos.all():
                caption = library.captions.get(photo.id)
                if caption is not None:
                    found = {
                        hit.photo.id for hit in library.search.find(SearchQuery(text=f"{caption.text} "))
                    }
                    assert photo.id in found
    with Library(path, read_only=True) as library:
        assert library.counts()["captioned"] > 0


def test_importing_the_library_is_quick_and_needs_no_model_nor_sqlite_utils():
    program = """
        import sys
        import photopal.library
        print({"torch", "transformers", "sqlite_utils", "scipy", "numpy"} & set(sys.modules) or "none")
        """
    with python(program) as importer:
        assert importer.stdout.read() == "none\n"


def test_a_current_library_is_opened_and_searched_without_sqlite_utils(tmp_path):
    Library(tmp_path / "library.db").close()
    program = """
        import sys
        from pathlib import Path
        from photopal.library import Library, SearchQuery
        for read_only in (False, True):
            with Library(Path(sys.argv[1]), read_only=read_only) as library:
                library.search.find(SearchQuery(text="x"))
        print("sqlite_utils" in sys.modules)
        """
    with python(program, tmp_path / "library.db") as searcher:
        assert searcher.stdout.read() == "False\n"


@pytest.mark.slow
def test_a_reader_goes_on_while_another_process_writes_and_sees_each_commit_whole(tmp_path, make_photo):
    path = tmp_path / "library.db"
    Library(path).close()
    writer = python(
        """
        import sys
        from pathlib import Path
        from photopal.library import Library
        from photopal.photos import Exif, Photo
        with Library(Path(sys.argv[1])) as library:
            print("open", flush=True)
            for start in range(0, 2000, 10):
                with library.writing():
                    for number in range(start, start + 10):
                        photo = Photo(
                            Path(f"/p/{number}.jpg"), f"{number:032x}", 1, 1, 8, 8, "JPEG", Exif(), b"t"
                        )
                        library.photos.add(photo)
        """,
        path,
    )
    with writer, Library(path, read_only=True) as reader:
        assert writer.stdout.readline() == "open\n"
        while writer.poll() is None:
            count = reader.counts()["photos"]
            assert count % 10 == 0
            assert reader.search.count(SearchQuery()) % 10 == 0
            found = len(reader.search.find(SearchQuery(limit=5)))
            assert min(5, count) <= found <= min(5, reader.counts()["photos"])
        assert writer.returncode == 0
        assert reader.counts()["photos"] == 2000


def test_a_name_that_is_no_text_is_unknown_and_no_crash(library):
    library.concepts.add("Rex")
    for call in (library.concepts.get, library.concepts.restore, library.concepts.remove):
        with pytest.raises(ConceptError):
            call("\ud800")
