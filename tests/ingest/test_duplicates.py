"""Photos that are the same, look the same or belong to one burst are found, and others are left alone."""

import io
import os
import random
import shutil

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from photopal.ingest.duplicates import fill_in_phashes, group_photos
from photopal.ingest.indexer import index_folders
from photopal.photos import bits_apart, open_photo, phash_of


def draw(seed, size=(400, 300)):
    """A picture with large shapes, unlike those of other seeds."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def shifted(picture, pixels):
    """The picture as it is a moment later, when the camera has moved a little."""
    return picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, pixels, 0, 1, 0))


def save(picture, path, *, taken_at=None, quality=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    if taken_at:
        exif.get_ifd(0x8769)[0x9003] = taken_at
    picture.save(path, quality=quality, exif=exif)
    return path


def groups_of(library, kind):
    return [[path.name for path in group.paths] for group in group_photos(library) if group.kind == kind]


def test_files_with_the_same_contents_are_copies(library, tmp_path):
    one = save(draw(1), tmp_path / "p" / "one.jpg")
    shutil.copy(one, one.with_name("two.jpg"))
    save(draw(2), tmp_path / "p" / "other.jpg")
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "copies") == [["one.jpg", "two.jpg"]]
    assert groups_of(library, "alike") == groups_of(library, "burst") == []


@pytest.mark.slow
def test_a_photo_that_was_shrunk_or_saved_again_is_alike_and_the_largest_comes_first(library, tmp_path):
    picture = draw(1)
    save(picture.resize((200, 150)), tmp_path / "p" / "small.jpg")
    save(picture, tmp_path / "p" / "whole.jpg")
    save(picture, tmp_path / "p" / "again.jpg", quality=40)
    ImageEnhance.Brightness(picture).enhance(0.8).save(tmp_path / "p" / "darker.png")
    for seed in range(20, 60):
        save(draw(seed), tmp_path / "p" / f"other {seed}.jpg")
    index_folders(library, [tmp_path / "p"])
    [group] = groups_of(library, "alike")
    assert set(group) == {"whole.jpg", "again.jpg", "small.jpg", "darker.png"}
    assert group[-1] == "small.jpg"


def test_photos_of_one_camera_seconds_apart_are_a_burst(library, tmp_path):
    picture = draw(1)
    for second in range(3):
        save(
            shifted(picture, 15 * second),
            tmp_path / "p" / f"{second}.jpg",
            taken_at=f"2024:05:01 10:00:0{second}",
        )
    save(shifted(picture, 60), tmp_path / "p" / "later.jpg", taken_at="2024:05:01 10:09:00")
    save(draw(2), tmp_path / "p" / "elsewhere.jpg", taken_at="2024:05:01 10:00:04")
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "burst") == [["0.jpg", "1.jpg", "2.jpg"]]


def test_pictures_that_show_nothing_are_not_alike(library, tmp_path):
    for level in (0, 90, 255):
        save(Image.new("RGB", (99, 99), (level, level, level)), tmp_path / "p" / f"{level}.jpg")
    index_folders(library, [tmp_path / "p"])
    assert group_photos(library) == []


def test_perceptual_hashes_of_an_older_library_come_from_thumbnails(library, tmp_path):
    save(draw(1), tmp_path / "p" / "a.jpg")
    save(draw(1).resize((200, 150)), tmp_path / "p" / "b.jpg")
    index_folders(library, [tmp_path / "p"])
    hashes = [row.phash for row in library.photos.phashes()]
    with library.writing():
        library.connection.execute("DELETE FROM looks")
    assert group_photos(library) == []
    assert fill_in_phashes(library) == 2
    assert all(
        bits_apart(one, row.phash) <= 2 for one, row in zip(hashes, library.photos.phashes(), strict=True)
    )
    assert fill_in_phashes(library) == 0
    assert len(groups_of(library, "alike")) == 1


def test_a_thumbnail_that_is_broken_does_not_stop_the_others(library, make_photo):
    library.photos.add(make_photo(1))
    with library.writing():
        library.connection.execute("DELETE FROM looks")
    assert fill_in_phashes(library) == 1
    assert group_photos(library) == []


def test_every_pair_five_bits_apart_is_found(library, make_photo):
    rng = random.Random(5)
    for number in range(0, 40, 2):
        phash = rng.getrandbits(64)
        for place, flips in enumerate(
            (0, rng.getrandbits(0) | sum(1 << b for b in rng.sample(range(64), 5)))
        ):
            photo_id = library.photos.add(make_photo(number + place))
            value = phash ^ flips
            library.photos.set_phash(photo_id, value - (1 << 64) if value >> 63 else value)
    assert len(groups_of(library, "alike")) == 20


@pytest.mark.parametrize("quality", [95, 60, 30])
def test_a_perceptual_hash_survives_saving_and_shrinking(tmp_path, quality):
    for seed in range(5):
        picture = draw(seed)
        encoded = io.BytesIO()
        picture.resize((160, 120)).save(encoded, "JPEG", quality=quality)
        (tmp_path / "a.jpg").write_bytes(encoded.getvalue())
        assert bits_apart(phash_of(picture), phash_of(open_photo(tmp_path / "a.jpg"))) <= 5
        assert bits_apart(phash_of(picture), phash_of(draw(seed + 100))) > 12


def test_links_to_a_file_are_no_copies_of_it(library, tmp_path):
    """Who deletes all but the first of a group must never delete the only file."""
    one = save(draw(1), tmp_path / "p" / "b" / "one.jpg")
    (tmp_path / "p" / "a").mkdir()
    (tmp_path / "p" / "a" / "link.jpg").symlink_to(one)
    (tmp_path / "p" / "a" / "hard.jpg").hardlink_to(one)
    index_folders(library, [tmp_path / "p"])
    assert group_photos(library) == []
    shutil.copy(one, tmp_path / "p" / "b" / "two.jpg")
    index_folders(library, [tmp_path / "p"])
    [group] = group_photos(library)
    assert {path.name for path in group.paths} == {"hard.jpg", "two.jpg"}
    for path in group.paths[1:]:
        path.unlink()
    assert one.read_bytes() == group.paths[0].read_bytes()


def test_a_link_never_stands_for_the_file_that_it_leads_to(library, tmp_path):
    one = save(draw(1), tmp_path / "elsewhere" / "one.jpg")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a link.jpg").symlink_to(tmp_path / "p" / "one.jpg")
    shutil.move(one, tmp_path / "p" / "one.jpg")
    save(draw(1).resize((200, 150)), tmp_path / "p" / "small.jpg")
    shutil.copy(tmp_path / "p" / "one.jpg", tmp_path / "p" / "two.jpg")
    index_folders(library, [tmp_path / "p"])
    [copies] = groups_of(library, "copies")
    assert sorted(copies) == ["one.jpg", "two.jpg"]


def test_a_photo_is_known_by_its_file_and_not_by_a_link_to_it(library, tmp_path):
    one = save(draw(1), tmp_path / "p" / "z one.jpg")
    link = tmp_path / "p" / "a link.jpg"
    link.symlink_to(one)
    save(draw(1).resize((200, 150)), tmp_path / "p" / "small.jpg")
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "alike") == [["z one.jpg", "small.jpg"]]
    assert library.photos.at(link).path == library.photos.at(one).path == one
    # An earlier version took whichever came first.
    with library.writing():
        library.connection.execute(
            "UPDATE photos SET path = ? WHERE path = ?", (os.fsencode(link), os.fsencode(one))
        )
    index_folders(library, [tmp_path / "p"])
    assert library.photos.at(link).path == one


def test_a_photo_found_through_a_linked_folder_is_known_by_its_real_path_once_that_is_found(
    library, tmp_path
):
    real = save(draw(1), tmp_path / "z real" / "one.jpg")
    (tmp_path / "a" / "linked").parent.mkdir()
    (tmp_path / "a" / "linked").symlink_to(real.parent)
    link = tmp_path / "a" / "linked" / "one.jpg"
    index_folders(library, [tmp_path / "a"])
    assert library.photos.at(link).path == link
    index_folders(library, [tmp_path / "z real"])
    assert library.photos.at(link).path == real
    # An earlier version kept the first path.
    with library.writing():
        library.connection.execute("UPDATE photos SET path = ?", (os.fsencode(link),))
    index_folders(library, [tmp_path / "a"])
    assert library.photos.at(real).path == real


def test_a_photo_in_a_linked_folder_keeps_its_path_when_a_copy_of_it_is_found(library, tmp_path):
    real = save(draw(1), tmp_path / "z real" / "one.jpg")
    (tmp_path / "linked").symlink_to(real.parent)
    index_folders(library, [tmp_path / "linked"])
    shutil.copy(real, save(draw(2), tmp_path / "copies" / "one.jpg"))
    index_folders(library, [tmp_path / "copies", tmp_path / "linked"])
    link = tmp_path / "linked" / "one.jpg"
    assert library.photos.at(link).path == link


def test_copies_that_nothing_happened_to_are_not_looked_at_again(library, tmp_path, monkeypatch):
    save(draw(1), tmp_path / "p" / "one.jpg")
    shutil.copytree(tmp_path / "p", tmp_path / "q")
    save(draw(2), tmp_path / "r" / "two.jpg")
    index_folders(library, [tmp_path / "p", tmp_path / "q"])
    looked_at, islink = [], os.path.islink
    monkeypatch.setattr(os.path, "islink", lambda path: looked_at.append(path) or islink(path))
    index_folders(library, [tmp_path / "p", tmp_path / "q", tmp_path / "r"])
    assert looked_at == []


def test_a_copy_in_a_folder_that_cannot_be_looked_into_does_not_stop_indexing(library, tmp_path, monkeypatch):
    one = save(draw(1), tmp_path / "p" / "one.jpg")
    index_folders(library, [tmp_path / "p"])
    two = save(draw(1), tmp_path / "q" / "two.jpg")
    index_folders(library, [tmp_path / "q"])
    stat = os.stat

    def refuse(path, *args, **options):
        if os.fspath(path) in (os.fspath(one), os.fsencode(one)):
            raise PermissionError(13, "Permission denied")
        return stat(path, *args, **options)

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(os, "lstat", lambda path, **options: refuse(path, follow_symlinks=False, **options))
    index_folders(library, [tmp_path / "q"])
    assert library.photos.at(two).path == one


def test_of_photos_alike_quality_comes_after_pixels_and_before_what_is_known(library, tmp_path):
    picture = draw(1)
    save(picture, tmp_path / "p" / "a poor.jpg", quality=40, taken_at="2024:05:01 10:00:00")
    save(picture, tmp_path / "p" / "b good.jpg", quality=95)
    save(picture.resize((200, 150)), tmp_path / "p" / "c small.jpg", quality=100)
    whole = (tmp_path / "p" / "a poor.jpg").read_bytes()
    (tmp_path / "p" / "a poor.jpg").write_bytes(whole + bytes(500_000))
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "alike") == [["b good.jpg", "a poor.jpg", "c small.jpg"]]


def test_frames_that_look_the_same_are_a_burst_and_a_frame_saved_again_is_alike(library, tmp_path):
    picture = draw(1)
    for second in range(3):
        save(
            shifted(picture, second),
            tmp_path / "p" / f"{second}.jpg",
            taken_at=f"2024:05:01 10:00:0{2 * second}",
        )
    save(picture.resize((200, 150)), tmp_path / "p" / "0 small.jpg", taken_at="2024:05:01 10:00:00")
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "burst") == [["0.jpg", "1.jpg", "2.jpg"]]
    assert groups_of(library, "alike") == [["0.jpg", "0 small.jpg"]]


def test_frames_of_one_second_in_which_something_moved_are_a_burst(library, tmp_path):
    for place in range(3):
        frame = draw(1)
        frame.paste((255, 0, 0), (40 + 60 * place, 40, 80 + 60 * place, 80))
        save(frame, tmp_path / "p" / f"{place}.jpg", taken_at="2024:05:01 10:00:00")
    index_folders(library, [tmp_path / "p"])
    assert groups_of(library, "burst") == [["0.jpg", "1.jpg", "2.jpg"]]
    assert groups_of(library, "alike") == []


def test_a_file_that_is_gone_is_no_reason_to_delete_the_one_that_is_there(library, tmp_path):
    one = save(draw(1), tmp_path / "p" / "one.jpg")
    shutil.copy(one, one.with_name("two.jpg"))
    index_folders(library, [tmp_path / "p"])
    one.unlink()
    assert group_photos(library) == []
