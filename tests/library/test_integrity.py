"""A check finds what is damaged, gone or changed, and changes nothing."""

import os
from pathlib import Path

import pytest

from photopal.errors import LibraryError
from photopal.ingest.indexer import index_folders
from photopal.library import Library
from photopal.library.integrity import check_library


@pytest.fixture
def folder(library, tmp_path, save_photo):
    for number in range(4):
        save_photo(tmp_path / "photos" / f"{number}.png", number)
    index_folders(library, [tmp_path / "photos"])
    return tmp_path / "photos"


def findings(library, **options):
    report = check_library(library, **options)
    assert report.faults == []
    return {finding.path.name: finding.reason for finding in report.findings}


def test_a_library_that_is_in_order_has_no_findings(library, folder, tmp_path):
    with Library(library.path, read_only=True) as reading:
        report = check_library(reading, with_contents=True)
    assert (report.photos, report.files, report.faults, report.findings) == (4, 4, [], [])


def test_files_that_are_gone_or_changed_are_found(library, folder):
    (folder / "0.png").unlink()
    os.utime(folder / "1.png", (1, 1))
    assert findings(library) == {"0.png": "file not found", "1.png": "changed since it was indexed"}


@pytest.mark.parametrize("with_contents", [False, True])
def test_a_file_that_is_as_it_was_but_cannot_be_read_is_found(library, folder, monkeypatch, with_contents):
    path_open = Path.open

    def refuse(path, *args, **options):
        if path == folder / "3.png":
            raise PermissionError(13, "Permission denied")
        return path_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert findings(library, with_contents=with_contents) == {"3.png": "cannot be opened: Permission denied"}


def test_bytes_that_rotted_are_found_by_reading(library, folder):
    path = folder / "2.png"
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert findings(library) == {}
    found = findings(library, with_contents=True)
    assert found == {"2.png": "contents changed since it was indexed, with the same size and time"}


def test_thumbnails_that_are_gone_or_broken_are_found(library, folder):
    ids = {photo.path.name: photo.id for photo in library.photos.all()}
    with library.writing():
        library.connection.execute("DELETE FROM thumbnails WHERE photo_id = ?", (ids["0.png"],))
        library.connection.execute("UPDATE thumbnails SET jpeg = x'ffd8' WHERE photo_id = ?", (ids["1.png"],))
    expected = {"0.png": "no thumbnail", "1.png": "the thumbnail cannot be read"}
    assert findings(library) == expected


def test_rows_that_point_nowhere_are_faults(library, folder):
    library.connection.sqlite.execute("PRAGMA foreign_keys = OFF")
    with library.writing():
        library.connection.execute("DELETE FROM photos WHERE id = 1")
    faults = check_library(library).faults
    assert any("refers to a missing row of photos" in fault for fault in faults)


def test_a_library_file_with_damaged_pages_is_a_fault_or_a_library_error(library, folder, tmp_path):
    library.close()
    path = tmp_path / "library.db"
    content = bytearray(path.read_bytes())
    content[5000:9000] = os.urandom(4000)
    path.write_bytes(content)
    found = []
    try:
        with Library(path, read_only=True) as damaged:
            found = check_library(damaged).faults
    except LibraryError as error:
        found = [error.message]
    assert found
