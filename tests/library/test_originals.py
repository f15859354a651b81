"""A file counts as the photo that was indexed as long as it is that picture, and as nothing else."""

import os
import sys

import pytest

from photopal.errors import PhotoChangedError, PhotoError
from photopal.ingest.indexer import index_folders
from photopal.library import originals
from photopal.library.originals import check_original, has_original, known_photo_at, open_original, photo_at
from tests.ingest.test_identity import draw, edit_metadata, save


@pytest.fixture
def two(library, tmp_path):
    """The paths of two photos of the library."""
    paths = [save(tmp_path / "photos" / f"{number}.jpg", draw(number)) for number in range(2)]
    index_folders(library, paths)
    return paths


def swap(first, second):
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def test_a_photo_whose_name_another_one_has_by_now_is_not_read(library, two):
    photos = [library.photos.at(path) for path in two]
    swap(*two)
    for photo in photos:
        with pytest.raises(PhotoChangedError, match=r"changed since it was indexed; run `photopal index`"):
            open_original(photo)
    assert [photo_at(library, path).id for path in two] == [photo.id for photo in reversed(photos)]
    index_folders(library, two)
    for photo, path in zip(photos, reversed(two), strict=True):
        assert library.photos.get(photo.id).path == path
        open_original(library.photos.get(photo.id))


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_leads_to_another_photo_by_now_is_not_the_one_it_led_to(library, two, tmp_path):
    link = tmp_path / "favorite.jpg"
    link.symlink_to(two[0])
    index_folders(library, [link])
    link.unlink()
    link.symlink_to(two[1])
    assert photo_at(library, link) == library.photos.at(two[1])
    with pytest.raises(PhotoChangedError):
        known_photo_at(library, link)


def test_a_photo_of_which_something_is_said_meanwhile_is_not_another(library, two, monkeypatch):
    def change_and_look(library, path):
        with library.writing():
            library.connection.execute("UPDATE photos SET place = 'Vienna'")
        return photo_at(library, path)

    monkeypatch.setattr(originals, "photo_at", change_and_look)
    assert known_photo_at(library, two[0]).id == library.photos.at(two[0]).id


def test_a_file_that_was_written_over_is_no_photo_of_the_library(library, two):
    photo = library.photos.at(two[0])
    content = two[0].read_bytes()
    save(two[0], draw(7))
    assert not has_original(photo)
    assert photo_at(library, two[0]) is None
    two[0].write_bytes(content)
    assert has_original(photo)
    assert photo_at(library, two[0]) == photo
    two[0].unlink()
    assert not has_original(photo)
    with pytest.raises(PhotoError, match="cannot be opened"):
        check_original(photo)


def test_a_photo_that_another_one_replaced_is_not_there_once_that_file_is_gone_too(library, two):
    photo_id = library.photos.at(two[0]).id
    save(two[0], draw(7))
    index_folders(library, two)
    two[0].unlink()
    replaced = library.photos.get(photo_id)
    assert replaced.stamp is None
    assert not has_original(replaced)
    with pytest.raises(PhotoError, match="cannot be opened"):
        check_original(replaced)


def test_of_a_file_that_is_broken_by_now_it_is_said_that_it_is_no_photo(library, two):
    photo = library.photos.at(two[0])
    two[0].write_bytes(b"no photo")
    with pytest.raises(PhotoError, match="not a photo that photopal can read"):
        check_original(photo)


def test_a_file_of_another_time_or_with_other_metadata_is_still_the_photo_unless_it_is_turned(library, two):
    photo = library.photos.at(two[0])
    os.utime(two[0], (1, 1))
    check_original(photo)
    edit_metadata(two[0])
    check_original(photo)
    assert photo_at(library, two[0]) == photo
    edit_metadata(save(two[1], draw(0), orientation=6))
    two[1].replace(two[0])
    with pytest.raises(PhotoChangedError):
        check_original(photo)
    assert photo_at(library, two[0]) == photo  # turned, it is the same photo and the user's words count


def test_an_unchanged_photo_is_looked_up_once_and_not_read_again(library, two, monkeypatch):
    stats, stamp_of = [], originals.stamp_of
    monkeypatch.setattr(originals, "stamp_of", lambda path: stats.append(path) or stamp_of(path))
    monkeypatch.setattr(originals, "fingerprint_file", lambda path: pytest.fail("the file was hashed"))
    for photo in library.photos.all():
        check_original(photo)
    assert stats == two


def test_a_photo_that_only_an_earlier_version_has_read_is_known_by_its_bytes(library, two):
    [photo, _] = [library.photos.at(path) for path in two]
    plain = originals.hash_bytes_of(two[0])
    with library.writing():
        library.connection.execute("UPDATE paths SET content_hash = NULL")
        library.connection.execute("UPDATE photos SET content_hash = ?, picture_hash = NULL", (plain,))
    photo = library.photos.get(photo.id)
    os.utime(two[0], (1, 1))
    check_original(photo)
    assert photo_at(library, two[0]) == photo
    edit_metadata(two[0])
    assert not has_original(photo)
    assert photo_at(library, two[0]) is None
