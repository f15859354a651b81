"""A written album: real photo files whose EXIF, layout and truth agree."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photopal.errors import PhotopalError, UsageError
from photopal.lab.synthetic.album import AlbumOptions, write_album
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.family import BEARDLESS, count_differences
from photopal.lab.synthetic.identity import Person, is_held_out
from photopal.photos import find_photos, open_photo, read_exif

SIZE_PX = 96
SMALL = AlbumOptions(photos=7, references=2, size_px=32)
DIGEST = """
import sys
from pathlib import Path
from photopal.lab.synthetic.album import AlbumOptions, write_album
write_album(Path(sys.argv[1]), seed=3, options=AlbumOptions(photos=7, references=2, size_px=32))
"""


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    return write_album(folder, seed=1, options=AlbumOptions(size_px=SIZE_PX))


@pytest.fixture(scope="module")
def truth(album):
    return json.loads(album.truth.read_text(encoding="utf-8"))


def written(album):
    references = [reference.photo for concept in album.concepts for reference in concept.references]
    return [*album.photos, *references]


def tiles(image):
    """Mean colors of 12 x 12 tiles, where noise and JPEG average out."""
    return np.asarray(image.reduce(SIZE_PX // 12), dtype=np.int16)


def digests(folder: Path):
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_the_same_seed_writes_the_same_bytes_and_times(tmp_path):
    """In another process too, where sets and dictionaries may be ordered otherwise."""
    write_album(tmp_path / "here", seed=3, options=SMALL)
    environment = {**os.environ, "PYTHONHASHSEED": "12", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", DIGEST, str(tmp_path / "there")], check=True, env=environment)
    here, there = digests(tmp_path / "here"), digests(tmp_path / "there")
    assert here == there
    write_album(tmp_path / "other", seed=4, options=SMALL)
    assert digests(tmp_path / "other") != here


@pytest.mark.slow
def test_an_album_has_the_asked_photos_and_names(album):
    assert len(album.photos) == 36
    assert [concept.name for concept in album.concepts] == ["Anna", "Ben", "Rex"]
    assert [len(concept.references) for concept in album.concepts] == [8, 8, 8]
    assert [concept.identity.kind for concept in album.concepts] == ["person", "person", "pet"]
    for photo in written(album):
        with Image.open(photo.path) as image:
            assert (image.format, image.size) == ("JPEG", (SIZE_PX, SIZE_PX))


def test_the_library_is_in_folders_by_year_and_holds_nothing_else(album):
    found = set(find_photos([album.photos_folder], on_skip=lambda skipped: pytest.fail(str(skipped))))
    assert found == {photo.path for photo in album.photos}
    for photo in album.photos:
        assert photo.path.parent == album.photos_folder / photo.shot.taken_at[:4]
    assert {path.name for path in album.photos_folder.iterdir()} == {"2022", "2023", "2024"}
    assert {path.name for path in album.folder.iterdir()} == {"photos", "references", "masks", "truth.json"}
    taken = [photo.shot.taken for photo in album.photos]
    assert taken == sorted(taken)


def test_exif_says_what_the_truth_says(album):
    for photo in written(album):
        exif, shot = read_exif(photo.path), photo.shot
        assert exif.taken_at == shot.taken_at
        assert (exif.make, exif.model, exif.lens) == (shot.camera.make, shot.camera.model, shot.camera.lens)
        assert exif.orientation == shot.orientation
        if shot.position is None:
            assert exif.latitude is exif.longitude is None
        else:
            assert (exif.latitude, exif.longitude) == pytest.approx(shot.position, abs=1e-6)
        assert photo.path.stat().st_mtime == shot.taken.timestamp()


def test_some_photos_are_stored_rotated_and_all_open_upright(album):
    orientations = Counter(photo.shot.orientation for photo in album.photos)
    assert len(orientations) >= 3
    for photo in written(album):
        drawn = tiles(draw_photo(photo.scene, size_px=SIZE_PX).image)
        assert np.abs(drawn - tiles(open_photo(photo.path))).mean() < 2
        with Image.open(photo.path) as stored:
            is_turned = np.abs(drawn - tiles(stored)).mean() >= 2
        assert is_turned == (photo.shot.orientation != 1)


def test_boxes_and_masks_are_those_of_the_upright_photo(album):
    for concept in album.concepts:
        for reference in concept.references:
            drawn = draw_photo(reference.photo.scene, size_px=SIZE_PX)
            assert reference.photo.scene.subjects[reference.index].identity == concept.identity
            assert reference.photo.names[reference.index] == concept.name
            with Image.open(reference.mask) as mask:
                assert (mask.format, mask.mode) == ("PNG", "L")
                assert np.array_equal(np.asarray(mask) == 255, drawn.mask(reference.index))
                left, top, right, bottom = mask.getbbox()
            assert reference.box == (left, top, right - left, bottom - top)
    for photo in written(album):
        drawn = draw_photo(photo.scene, size_px=SIZE_PX)
        assert photo.boxes == tuple(drawn.box(index) for index in range(len(photo.scene.subjects)))


def test_everybody_is_held_out_of_training(album):
    assert is_held_out(album.lookalike)
    for photo in written(album):
        assert all(is_held_out(subject.identity) for subject in photo.scene.subjects)


def test_names_are_given_to_the_family_and_to_nobody_else(album):
    names = {concept.identity: concept.name for concept in album.concepts}
    for photo in written(album):
        assert photo.names == tuple(names.get(subject.identity) for subject in photo.scene.subjects)
        known = [name for name in photo.names if name is not None]
        assert len(set(known)) == len(known)
        assert all(name in photo.caption for name in known)
    appearances = Counter(name for photo in album.photos for name in photo.names)
    assert min(appearances[name] for name in names.values()) >= 5


def test_a_stranger_in_some_photos_looks_nearly_like_one_of_the_people(album):
    (likeness,) = (one.identity for one in album.concepts if one.name == album.lookalike_of)
    assert isinstance(likeness, Person)
    assert count_differences(likeness, album.lookalike) == 1
    shown = [photo for photo in album.photos if album.lookalike in {s.identity for s in photo.scene.subjects}]
    assert 3 <= len(shown) <= 12
    strangers = {s.identity for photo in album.photos for s in photo.scene.subjects}
    strangers -= {album.lookalike, *(concept.identity for concept in album.concepts)}
    assert strangers
    assert all(count_differences(one, c.identity) >= 2 for one in strangers for c in album.concepts)


def test_one_photo_shows_nobody(album):
    assert sum(not photo.scene.subjects for photo in album.photos) == 1


def test_a_burst_is_the_same_moment_a_second_later_but_no_copy(album):
    seconds = [photo for photo in album.photos if photo.burst_of is not None]
    by_path = {photo.path: photo for photo in album.photos}
    assert len(seconds) == 3
    for later in seconds:
        first = by_path[later.burst_of]
        assert later.shot.taken - first.shot.taken == timedelta(seconds=1)
        assert (later.scene.place, later.names) == (first.scene.place, first.names)
        one, other = (np.asarray(open_photo(photo.path), dtype=np.int16) for photo in (first, later))
        assert 0 < np.abs(one - other).mean() < 10


def test_reference_photos_are_clear(album):
    for concept in album.concepts:
        scenes = [reference.photo.scene for reference in concept.references]
        assert all(scene.light != "night" for scene in scenes)
        assert len({scene.place for scene in scenes}) >= 7
        assert sum(len(scene.subjects) == 1 for scene in scenes) >= 5
        assert all(reference.box is not None for reference in concept.references)


def test_the_truth_file_tells_of_every_photo(album, truth):
    for photo in written(album):
        told = truth["photos"][photo.path.relative_to(album.folder).as_posix()]
        assert told["caption"] == photo.caption
        assert (told["place"], told["light"]) == (photo.scene.place, photo.scene.light)
        assert told["taken_at"] == photo.shot.taken_at
        assert [subject["name"] for subject in told["subjects"]] == list(photo.names)
        assert [subject["activity"] for subject in told["subjects"]] == [
            subject.activity for subject in photo.scene.subjects
        ]
        boxes = [None if subject["box"] is None else tuple(subject["box"]) for subject in told["subjects"]]
        assert boxes == list(photo.boxes)
    assert len(truth["photos"]) == len(written(album))


def test_the_truth_file_tells_of_names_and_their_references(album, truth):
    assert truth["lookalike"]["of"] == album.lookalike_of
    for concept in album.concepts:
        told = truth["concepts"][concept.name]
        assert told["kind"] == concept.identity.kind
        assert [album.folder / one["photo"] for one in told["references"]] == [
            reference.photo.path for reference in concept.references
        ]
        assert all((album.folder / one["mask"]).is_file() for one in told["references"])


def test_names_that_say_so_have_fitting_looks(tmp_path):
    options = AlbumOptions(people=("Clara", "Mia"), pets=("Mimi", "Kiwi"), photos=1, references=1, size_px=32)
    for seed in range(4):
        looks = {
            one.name: one.identity
            for one in write_album(tmp_path / str(seed), seed=seed, options=options).concepts
        }
        assert all(looks[name].beard == "none" for name in looks if name in BEARDLESS)
        assert (looks["Mimi"].species, looks["Kiwi"].species) == ("cat", "parrot")


def test_an_album_of_pets_alone_has_a_pet_lookalike(tmp_path):
    options = AlbumOptions(people=(), pets=("Rex", "Bello"), photos=6, references=1, size_px=32)
    album = write_album(tmp_path, options=options)
    assert album.lookalike_of in ("Rex", "Bello")
    assert album.lookalike.kind == "pet"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="is not empty") as refused:
        write_album(tmp_path, options=SMALL)
    assert "an empty folder" in refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PhotopalError, match="cannot be written"):
        write_album(tmp_path / "file" / "album", options=SMALL)


@pytest.mark.parametrize("people", [(), ("Anna", "anna"), ("../Anna",), ("",), ("Anna ",), ("A\nB",)])
def test_names_that_cannot_be_folders_are_refused(tmp_path, people):
    with pytest.raises(UsageError):
        write_album(tmp_path / "album", options=AlbumOptions(people=people, pets=()))
    assert not (tmp_path / "album").exists()
