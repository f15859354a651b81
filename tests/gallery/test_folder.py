"""A gallery's folder holds the page and all its data, whole at every instant, and nothing else is written."""

import errno
import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from photopal.errors import LibraryLockedError, PhotopalError, UsageError
from photopal.gallery import check_folder, folder, write_gallery
from photopal.library import Library
from photopal.photos.metadata import Metadata, Region
from tests.gallery.album import EVIL, EVIL_NAME, add_photo


def write(album, into, *, first=0, **options):
    with Library(album.library, read_only=True) as library:
        return write_gallery(library, list(library.photos.all())[first:], into, **options)


def values_of(text):
    """What the page is told by a data file."""
    match = re.fullmatch(r"photopal\.\w+\((.*)\);\n", text, re.DOTALL)
    return json.loads(f"[{match[1]}]")


def read(page):
    """The page's tables, all photos, and the evidence of each, from the files that the page names."""
    data = page.parent / "data"
    [start] = re.findall(r"start-\w+\.js", page.read_text(encoding="utf-8"))
    about, photos = values_of((data / start).read_text(encoding="utf-8"))
    for name in about["lists"]:
        photos += values_of((data / name).read_text(encoding="utf-8"))[0]
    packs = [values_of((data / name).read_text(encoding="utf-8")) for name in about["packs"]]
    return about, photos, [why for _, _, evidence in packs for why in evidence], packs


def tree(root):
    """What is in a folder; SQLite's own files beside a library come and go with whoever reads it."""
    return {
        path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_the_page_tells_of_each_photo_once_newest_first_with_names_boxes_and_evidence(album, tmp_path):
    report = write(album, tmp_path / "g")
    about, photos, evidence, packs = read(report.page)
    assert (report.photos, len(photos), about["total"], len(evidence)) == (151, 151, 151, 151)
    dates = [photo.get("t", "") for photo in photos]
    assert dates == sorted(dates, reverse=True)
    at = next(index for index, photo in enumerate(photos) if photo["f"] == "105.jpg")
    assert {about["names"][name]: (like, box) for name, like, box in photos[at]["n"]} == {
        "Anna": (0, [0.3333, 0.0781, 0.4167, 0.3906]),
        EVIL_NAME: (1, [0.5, 0.5, 0.4, 0.4]),
    }
    told = {about["names"][name]: (verdict, lines) for name, verdict, lines in evidence[at]}
    assert told["Anna"] == ("yes, by a reference photo", ["reference photo: yes"])
    verdict, [line] = told[EVIL_NAME]
    assert verdict == "something that looks like it, by looks"
    assert (
        line
        == "looks: looks like, score +0.420, where from +0.400 on counts, probability 0.61, most like 105.jpg"
    )
    assert sum(len(thumbnails) for _, thumbnails, _ in packs) == 151
    assert report.size_bytes == sum(
        path.stat().st_size for path in [report.page, *(report.page.parent / "data").iterdir()]
    )


def test_names_in_the_files_have_their_boxes_but_not_those_that_were_taken_off_or_removed(tmp_path):
    path = tmp_path / "1.jpg"
    with Library(tmp_path / "library.db") as library:
        photo_id = add_photo(library, path, 1)
        ids = {name: library.concepts.add(name).id for name in ("Anna", "Ben", "Dora")}
        library.corrections.put(photo_id, ids["Ben"], is_present=False)
        library.concepts.remove("Dora")
        box = (0.5, 0.25, 0.25, 0.5)
        regions = [Region(name, "Face", box, "XMP", (64, 48)) for name in ("Anna", "Ben", EVIL_NAME, "Dora")]
        cropped = Region("Emil", "Face", box, "XMP", (48, 48))
        library.facts.put(path, Metadata(regions=(*regions, cropped)), sidecars="")
        page = write_gallery(library, list(library.photos.all()), tmp_path / "g").page
    about, [photo], [evidence], _ = read(page)
    shown = {about["names"][name]: (kind, box) for name, kind, box in photo["n"]}
    assert shown == {"Anna": (0, [*box]), EVIL_NAME: (2, [*box]), "Emil": (2, None)}
    told = {about["names"][name]: verdict for name, verdict, _ in evidence}
    assert told == {
        "Anna": "yes, by the file", "Ben": "no, by your word", EVIL_NAME: "named in the file",
        "Emil": "named in the file",
    }  # fmt: skip


def test_what_captions_and_names_say_cannot_leave_the_data(album, tmp_path):
    page = write(album, tmp_path / "g", title='<img src=x> "quoted"').page
    for path in (page.parent / "data").glob("[slp]*-*.js"):
        text = path.read_text(encoding="utf-8")
        assert not {"<", "\u2028"} & set(text)
    about, photos, _, _ = read(page)
    assert EVIL in {photo["x"] for photo in photos}
    assert EVIL_NAME in about["names"]
    shell = page.read_text(encoding="utf-8")
    assert "&lt;img src=x&gt; &quot;quoted&quot;" in shell
    assert "<img src=x>" not in shell
    assert "default-src 'none'" in shell
    assert not re.search(
        r"https?:|//\w", shell + (page.parent / "data").glob("style-*").__next__().read_text()
    )


def test_photos_are_linked_where_they_are_and_never_written(album, tmp_path):
    before = tree(album.photos)
    beside = write(album, album.photos.parent / "gallery").page
    elsewhere = write(album, tmp_path / "g").page
    for page, beginning in ((beside, "../photos/"), (elsewhere, f"{album.photos.as_uri()}/")):
        about, photos, _, _ = read(page)
        assert about["folders"] == [beginning]
        [odd] = [photo for photo in photos if "l" in photo]
        assert (odd["l"], odd["f"]) == ("odd%20%FF%20%231.jpg", "odd ? #1.jpg")
    assert tree(album.photos) == before


def test_nothing_is_written_outside_the_folder(album, tmp_path):
    before = tree(album.library.parent.parent)
    write(album, tmp_path / "g")
    after = {
        path: it for path, it in tree(album.library.parent.parent).items() if "gallery" not in path.parts
    }
    before = {path: it for path, it in before.items() if "gallery" not in path.parts}
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["g"]
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == [
        ".nomedia", ".photopal-gallery", "data", "index.html"
    ]  # fmt: skip


def test_a_folder_with_anything_else_in_it_is_refused(album, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".photopal-gallery").touch()
    (tmp_path / "linked" / "data").symlink_to(tmp_path / "mine")
    before = tree(tmp_path)
    for name, words in (
        ("mine", "not empty and not a gallery"),
        ("file", "is not a folder"),
        ("no/such", "no such folder"),
        ("linked", "is a link"),
    ):
        with pytest.raises(UsageError, match=words):
            check_folder(tmp_path / name)
        with pytest.raises(UsageError, match=words):
            write(album, tmp_path / name)
    assert tree(tmp_path) == before
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty")


def test_a_gallery_written_again_keeps_what_is_the_same_and_removes_what_is_not_named(album, tmp_path):
    page = write(album, tmp_path / "g").page
    (page.parent / "data" / "notes.txt").write_text("mine")
    stamps = {path: path.stat().st_mtime_ns for path in (page.parent / "data").iterdir()}
    write(album, tmp_path / "g")
    assert {path: path.stat().st_mtime_ns for path in (page.parent / "data").iterdir()} == stamps
    write(album, tmp_path / "g", first=100)
    about, photos, _, _ = read(page)
    assert (len(photos), len(about["packs"])) == (51, 1)
    names = {path.name for path in (page.parent / "data").iterdir()}
    assert "notes.txt" in names
    assert len(names) == 1 + 3 + len(about["packs"]) + len(about["lists"])


def test_a_run_that_stops_at_any_file_leaves_the_old_page_whole(album, tmp_path, monkeypatch):
    page = write(album, tmp_path / "g", first=100).page
    before, old = page.read_bytes(), read(page)
    real, left = folder.atomic_write, [0]

    def stop(path: Path, content: bytes | str, **options: bool) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(path, content, **options)

    monkeypatch.setattr(folder, "atomic_write", stop)
    # What a run has written stays, so that each gets one file further; the page itself is the last.
    for number in (0, 1, 1, 1, 1):
        left[0] = number
        with pytest.raises(KeyboardInterrupt):
            write(album, tmp_path / "g", title="other")
        assert page.read_bytes() == before
        assert read(page) == old
    monkeypatch.undo()
    write(album, tmp_path / "g", first=100)
    assert page.read_bytes() == before
    about, *_ = old
    assert len(list((page.parent / "data").iterdir())) == 3 + len(about["packs"]) + len(about["lists"])


def test_a_run_that_was_killed_is_finished_by_the_next_whatever_it_left(album, tmp_path):
    page = write(album, tmp_path / "g", first=140).page
    whole = tree(tmp_path / "g")
    data = page.parent / "data"
    left = [
        data / ".pack-0123.js.0123456789abcdef.part",
        *(page.parent / f".{name}.0123456789abcdef.part" for name in ("index.html", ".photopal-copies")),
    ]
    for path in (*left, data / f"pack-{'0' * 16}.js"):
        path.write_bytes(b"photopal.pa")
    (page.parent / ".photopal-gallery").write_text("4711")
    next(data.glob("pack-*")).unlink()
    page.unlink()
    write(album, tmp_path / "g", first=140)
    assert tree(tmp_path / "g") == whole


def test_two_runs_into_one_folder_do_not_take_each_others_data(album, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_WAIT_S", 0)
    page = write(album, tmp_path / "g", first=140).page
    before = tree(tmp_path / "g")

    def start_another(done, total, item=None):
        with pytest.raises(
            LibraryLockedError, match=f"{page.parent}: another process is writing a gallery there"
        ):
            write(album, tmp_path / "g", first=100)

    write(album, tmp_path / "g", first=140, on_progress=start_another)
    assert tree(tmp_path / "g") == before


def test_a_full_disk_is_an_error_that_leaves_the_old_page_whole(album, tmp_path, monkeypatch):
    page = write(album, tmp_path / "g", first=140).page
    old = read(page)

    def fail(path: Path, content: bytes | str, **options: bool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(folder, "atomic_write", fail)
    with pytest.raises(PhotopalError, match="cannot be written: No space left on device") as caught:
        write(album, tmp_path / "g", first=100)
    assert (caught.value.exit_code, read(page)) == (1, old)


def test_copies_are_made_once_and_go_when_they_are_not_named(album, tmp_path):
    gone = album.photos / "120.jpg"
    content = gone.read_bytes()
    stamp = gone.stat().st_mtime_ns
    gone.unlink()
    try:
        report = write(album, tmp_path / "g", copy=True)
    finally:
        gone.write_bytes(content)
        os.utime(gone, ns=(stamp, stamp))
    assert report.not_copied == ((gone, "No such file or directory"),)
    about, *_ = read(report.page)
    assert about["folders"] == ["photos/"]
    [start] = (report.page.parent / "data").glob("start-*")
    assert str(album.photos) not in start.read_text(encoding="utf-8")
    copies = report.page.parent / "photos"
    assert len(list(copies.iterdir())) == 150
    [first] = [path for path in copies.iterdir() if path.name.endswith("-000.jpg")]
    assert first.read_bytes() == (album.photos / "000.jpg").read_bytes()
    stamps = {path.name: path.stat().st_ino for path in copies.iterdir()}
    write(album, tmp_path / "g", copy=True, first=100)
    assert {path.name: path.stat().st_ino for path in copies.iterdir() if path.name in stamps} == {
        name: inode for name, inode in stamps.items() if int(name[:7]) > 100
    }
    write(album, tmp_path / "g")
    assert not copies.exists()


def test_photos_that_somebody_put_beside_the_copies_stay(album, tmp_path):
    page = write(album, tmp_path / "g", copy=True, first=100).page
    copies = page.parent / "photos"
    [copy] = [path for path in copies.iterdir() if path.name.endswith("-101.jpg")]
    own = {"20240703-beach.jpg", "0000003-beach.jpg", f"{copy.name[:7]}-mine.jpg", "notes.txt"}
    for name in own:
        (copies / name).write_bytes(b"my only copy")
    write(album, tmp_path / "g", copy=True, first=120)
    assert own < {path.name for path in copies.iterdir()}
    assert len(list(copies.iterdir())) == len(own) + 31
    write(album, tmp_path / "g")
    assert {path.name for path in copies.iterdir()} == own


def test_of_a_gallery_without_a_list_of_copies_only_certain_ones_are_removed(album, tmp_path):
    page = write(album, tmp_path / "g", copy=True, first=149).page
    [listed] = page.parent.glob(".photopal-copies")
    copies = sorted((page.parent / "photos").iterdir())
    own = {"20240703-beach.jpg", copies[0].name}
    for name in own:
        (page.parent / "photos" / name).write_bytes(b"mine")
    for content in (None, b"{", b"7"):
        if content is None:
            listed.unlink()
        else:
            listed.write_bytes(content)
        write(album, tmp_path / "g")
        assert {path.name for path in (page.parent / "photos").iterdir()} == own
        assert not listed.exists()


def test_copies_of_a_run_that_was_killed_are_removed_by_the_next(album, tmp_path):
    def stop(done, total, item=None):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(album, tmp_path / "g", copy=True, on_progress=stop)
    assert len(list((tmp_path / "g" / "photos").iterdir())) == 10
    write(album, tmp_path / "g")
    assert not (tmp_path / "g" / "photos").exists()
