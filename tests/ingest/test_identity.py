"""Whatever is written into a photo's file, and wherever it goes, every word of the user's is found again."""

import io
import json
import os
import shutil
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from photopal.ingest.indexer import index_folders
from photopal.ingest.report import IndexReport
from photopal.library import Appearance, Library, SearchQuery, migrations
from photopal.photos import record_photo
from photopal.photos.turns import TURNS, compare_thumbnails, turn_between, turned_pixels

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
WORDS = "Grandma's 80th birthday"


def draw(seed=0, size=(160, 120)):
    """A picture with shapes, unlike those of other seeds and unlike itself when it is turned."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def save(path, image=None, *, taken_at=None, orientation=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".heic", ".avif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    exif = Image.Exif()
    if taken_at:
        exif.get_ifd(0x8769)[0x9003] = taken_at
    if orientation:
        exif[0x0112] = orientation
    (image or draw()).save(path, exif=exif, **options)
    return path


def exiftool(path, *options):
    subprocess.run([EXIFTOOL, "-q", "-q", "-m", "-overwrite_original", *options, str(path)], check=True)


def with_segment(jpeg, content=b"http://ns.adobe.com/xap/1.0/\x00<x/>"):
    """A JPEG with more metadata."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def edit_metadata(path):
    path.write_bytes(with_segment(path.read_bytes()))


def mask_png(size, box):
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle((box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1), fill=255)
    encoded = io.BytesIO()
    mask.save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "photos"


def described(library, path, *, box=(16, 12, 40, 30)):
    """Have the user write a caption and give a reference photo with a box and a mask, and a model find it."""
    photo = library.photos.at(path)
    names = [concept.name for concept in library.concepts.all()]
    concept = library.concepts.get("Grandma") if "Grandma" in names else library.concepts.add("Grandma")
    found = Appearance(concept.id, 0.9, True, (0.225, 0.225), (0.1, 0.1, 0.25, 0.25))
    library.captions.put(photo.id, "A cake.", model="m", bank="b", prompt_version="1", appearances=[found])
    library.captions.edit(photo.id, WORDS)
    mask = mask_png((photo.width_px, photo.height_px), box)
    library.concepts.add_reference(concept.id, photo.id, box=None, mask_png=mask)
    library.concepts.add_reference(library.concepts.add(f"Cake {photo.id}").id, photo.id, box=box)
    return photo


def found_at(library):
    """Where search finds the words of the user, and where the name."""
    return [
        [hit.photo.path for hit in library.search.find(query)]
        for query in (SearchQuery(text=WORDS), SearchQuery(concepts=("Grandma",)))
    ]


def references(library):
    return [
        reference
        for concept in library.concepts.all()
        for reference in library.concepts.references(concept.id)
    ]


def test_an_edit_of_metadata_keeps_id_caption_names_and_references(library, folder):
    path = save(folder / "party.jpg", taken_at="2020:01:01 10:00:00")
    index_folders(library, [folder])
    before = described(library, path)
    edit_metadata(path)
    assert index_folders(library, [folder]) == IndexReport(changed=1)
    after = library.photos.at(path)
    assert (after.id, after.content_hash) == (before.id, before.content_hash)
    assert after.picture_changed_at is None
    assert found_at(library) == [[path], [path]]
    caption = library.captions.get(after.id)
    assert (caption.model, len(caption.appearances)) == ("m", 1)
    assert len(references(library)) == 2
    assert library.counts()["missing"] == 0
    assert index_folders(library, [folder]) == IndexReport(unchanged=1)


@pytest.mark.slow
@needs_exiftool
def test_a_clock_put_right_over_many_photos_keeps_all_that_was_said_and_renews_the_dates(library, folder):
    paths = [save(folder / f"{n}.jpg", draw(n), taken_at=f"2020:01:01 10:00:{n:02}") for n in range(12)]
    index_folders(library, [folder])
    ids = [described(library, path).id for path in paths]
    subprocess.run(
        [EXIFTOOL, "-q", "-overwrite_original", "-AllDates+=0:0:0 1:0:0", *map(str, paths)], check=True
    )
    assert index_folders(library, [folder]).changed == 12
    assert [library.photos.at(path).id for path in paths] == ids
    assert [library.photos.at(path).taken_at[11:13] for path in paths] == ["11"] * 12
    assert sorted(found_at(library)[0]) == sorted(paths)


def test_an_edit_together_with_a_move_keeps_everything(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    before = described(library, path)
    edit_metadata(path)
    path.rename(folder / "2020 party.jpg")
    assert index_folders(library, [folder]) == IndexReport(moved=1)
    assert library.photos.at(folder / "2020 party.jpg").id == before.id
    assert found_at(library) == [[folder / "2020 party.jpg"]] * 2


def test_copies_with_different_metadata_are_one_photo(library, folder):
    path = save(folder / "party.jpg")
    shutil.copy(path, folder / "rated.jpg")
    edit_metadata(folder / "rated.jpg")
    assert index_folders(library, [folder]).added == 1
    assert library.counts()["photos"] == 1
    assert library.paths.of(library.photos.at(path).id) == [path, folder / "rated.jpg"]
    assert index_folders(library, [folder]) == IndexReport(unchanged=2)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_photo_turned_by_its_tag_keeps_everything_and_boxes_masks_and_points_turn_with_it(
    library, folder, orientation
):
    path = save(folder / "party.png", draw(3))
    index_folders(library, [folder])
    before = described(library, path)
    save(path, draw(3), orientation=orientation)
    assert index_folders(library, [folder]).changed == 1
    after = library.photos.at(path)
    assert (after.id, after.picture_changed_at) == (before.id, None)
    assert after.content_hash != before.content_hash
    marked = Image.open(io.BytesIO(mask_png((160, 120), (16, 12, 40, 30))))
    turned = marked.transpose(TURNS[orientation])
    left, top, right, bottom = turned.getbbox()
    with_box, with_mask = sorted(references(library), key=lambda reference: reference.box is None)
    assert with_box.box == (left, top, right - left, bottom - top)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(with_mask.mask_png))), np.asarray(turned))
    [seen] = library.captions.get(after.id).appearances
    width, height = turned.size
    assert seen.box == pytest.approx(
        (left / width, top / height, (right - left) / width, (bottom - top) / height)
    )
    for _ in range(3):
        library.history.undo()
    assert references(library) == []


@pytest.mark.parametrize(("first", "second"), [(1, 6), (6, 1), (6, 8), (3, 5), (None, 2)])
def test_of_copies_that_are_turned_differently_everything_is_as_the_file_by_which_the_photo_is_known(
    library, folder, first, second
):
    path, copy = folder / "a.png", folder / "copy.png"
    save(path, draw(3), orientation=first)
    index_folders(library, [folder])
    before = described(library, path)
    thumbnail, boxes = library.photos.thumbnail(before.id), [(r.box, r.mask_png) for r in references(library)]
    save(copy, draw(3), orientation=second)
    index_folders(library, [folder])
    assert library.photos.get(before.id) == before
    assert library.photos.thumbnail(before.id) == thumbnail
    assert [(r.box, r.mask_png) for r in references(library)] == boxes

    path.unlink()
    index_folders(library, [folder], accept_loss=True)
    after, picture = library.photos.get(before.id), record_photo(copy)
    assert (after.path, after.orientation) == (copy, second)
    assert (after.width_px, after.height_px) == (picture.width_px, picture.height_px)
    assert after.content_hash != before.content_hash
    shown = Image.open(io.BytesIO(library.photos.thumbnail(after.id)))
    assert compare_thumbnails(library.photos.thumbnail(after.id), picture.thumbnail).turn == 1
    assert shown.size == (picture.width_px, picture.height_px)
    with_box, with_mask = sorted(references(library), key=lambda reference: reference.box is None)
    turn = turn_between(first or 1, second)
    assert with_box.box == turned_pixels(turn, (16, 12, 40, 30), (before.width_px, before.height_px))
    assert Image.open(io.BytesIO(with_mask.mask_png)).size == shown.size

    # The file comes back: the photo stays known by its copy, and nothing is turned again.
    save(path, draw(3), orientation=first)
    index_folders(library, [folder])
    assert library.photos.get(before.id) == after
    assert sorted(references(library), key=lambda reference: reference.box is None)[0].box == with_box.box


def test_a_photo_that_is_moved_and_turned_at_once_has_its_boxes_where_they_belong(library, folder):
    path = save(folder / "a.png", draw(3))
    index_folders(library, [folder])
    before = described(library, path)
    path.unlink()
    save(folder / "b.png", draw(3), orientation=6)
    assert index_folders(library, [folder]).moved == 1
    after = library.photos.get(before.id)
    assert (after.path, after.width_px, after.height_px) == (folder / "b.png", 120, 160)
    assert sorted(references(library), key=lambda reference: reference.box is None)[0].box == (78, 16, 30, 40)


def test_an_exact_copy_of_a_turned_copy_brings_back_a_photo_as_it_is_turned(library, folder, tmp_path):
    path = save(folder / "a.png", draw(3))
    index_folders(library, [folder])
    described(library, path)
    copy = save(folder / "copy.png", draw(3), orientation=6)
    index_folders(library, [folder])
    shutil.move(copy, tmp_path / "copy.png")
    path.unlink()
    index_folders(library, [folder], accept_loss=True)
    shutil.move(tmp_path / "copy.png", folder / "back.png")
    assert index_folders(library, [folder]).revived == 1
    photo = library.photos.at(folder / "back.png")
    assert (photo.orientation, photo.width_px, photo.height_px) == (6, 120, 160)
    assert sorted(references(library), key=lambda reference: reference.box is None)[0].box == (78, 16, 30, 40)


def test_a_caption_of_a_model_stays_through_an_edit_of_metadata(library, folder):
    path = save(folder / "a.jpg")
    index_folders(library, [folder])
    photo = library.photos.at(path)
    library.captions.put(photo.id, "A cake.", model="m", bank=None, prompt_version="1", appearances=[])
    edit_metadata(path)
    index_folders(library, [folder])
    assert library.captions.get(photo.id).text == "A cake."


EDITS = {
    "crop": lambda image: image.crop((30, 20, 150, 110)),
    "retouch": lambda image: image.point(lambda level: min(255, level + 20)),
    "gray": lambda image: image.convert("L"),
    "smaller": lambda image: image.resize((80, 60)),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}


@pytest.mark.parametrize("how", EDITS)
def test_after_an_edit_of_the_pixels_the_users_words_follow_and_say_so(library, folder, how):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    before = described(library, path)
    with Image.open(path) as image:
        image.load()
    save(path, EDITS[how](image))
    report = index_folders(library, [folder])
    assert (report.changed, report.edited) == (1, 1)
    after = library.photos.at(path)
    assert after.id == before.id
    assert after.content_hash != before.content_hash
    assert after.picture_changed_at is not None
    assert found_at(library) == [[path], [path]]
    caption = library.captions.get(after.id)
    assert (caption.text, caption.by_hand, caption.model, caption.appearances) == (WORDS, True, "", ())
    boxes = {reference.box for reference in references(library)}
    expected = {
        "crop": {None}, "retouch": {None, (16, 12, 40, 30)}, "gray": {None, (16, 12, 40, 30)},
        "smaller": {None, (8, 6, 20, 15)}, "turned": {None, (12, 104, 30, 40)},
    }  # fmt: skip
    assert boxes == expected[how]
    assert library.counts()["missing"] == 0
    assert [problem.reason for problem in library.paths.problems() if problem.is_note] == [
        "the picture changed since its caption, names or date were given"
    ]
    assert index_folders(library, [folder]) == IndexReport(unchanged=1)


def test_the_mark_goes_when_the_user_writes_the_caption_again(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo = described(library, path)
    save(path, EDITS["crop"](draw()))
    index_folders(library, [folder])
    library.captions.edit(photo.id, "Grandma alone")
    assert library.photos.at(path).picture_changed_at is None
    assert library.paths.problems() == []


def test_a_caption_of_a_model_does_not_follow_an_edit_of_the_pixels(library, folder):
    path = save(folder / "a.jpg")
    index_folders(library, [folder])
    photo = library.photos.at(path)
    library.captions.put(photo.id, "A cake.", model="m", bank=None, prompt_version="1", appearances=[])
    save(path, EDITS["crop"](draw()))
    assert index_folders(library, [folder]).edited == 0
    assert library.captions.get(library.photos.at(path).id) is None


def test_another_photo_at_the_path_of_one_that_moved_gets_none_of_its_words(library, folder):
    path = save(folder / "a.jpg", draw(1))
    index_folders(library, [folder])
    photo = described(library, path)
    path.rename(folder / "moved.jpg")
    save(path, draw(2))
    index_folders(library, [folder])
    assert library.photos.at(folder / "moved.jpg").id == photo.id
    assert found_at(library) == [[folder / "moved.jpg"]] * 2
    assert library.photos.at(path).picture_changed_at is None


def test_another_photo_by_date_and_look_at_the_path_of_one_that_is_gone_gets_none_of_its_words(
    library, folder
):
    """Cameras give file names again."""
    path = save(folder / "IMG_0001.jpg", draw(1), taken_at="2020:01:01 10:00:00")
    index_folders(library, [folder])
    photo = described(library, path)
    save(path, draw(2), taken_at="2023:05:05 11:00:00")
    index_folders(library, [folder])
    assert library.photos.is_missing(photo.id)
    assert library.captions.get(library.photos.at(path).id) is None
    shutil.copy(path, folder / "newer.jpg")
    save(path, draw(1), taken_at="2020:01:01 10:00:00")
    index_folders(library, [folder])
    assert library.photos.at(path).id == photo.id
    assert found_at(library) == [[path], [path]]


def test_the_original_comes_back_to_its_path_and_the_mark_goes(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo, original = described(library, path), path.read_bytes()
    save(path, EDITS["crop"](draw()))
    index_folders(library, [folder])
    path.write_bytes(original)
    index_folders(library, [folder])
    after = library.photos.at(path)
    assert (after.id, after.picture_changed_at) == (photo.id, None)
    assert found_at(library) == [[path], [path]]


def where_all_is(library):
    """Boxes and masks, a mask as pixels."""
    return [
        (
            reference.box,
            reference.mask_png and np.asarray(Image.open(io.BytesIO(reference.mask_png))).tolist(),
        )
        for reference in references(library)
    ]


@pytest.mark.parametrize("how", EDITS)
def test_when_the_original_comes_back_boxes_and_masks_are_where_they_were(library, folder, how):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo, original = described(library, path, box=(17, 13, 41, 31)), path.read_bytes()
    ben = library.concepts.add("Ben")
    library.corrections.put(photo.id, ben.id, is_present=True, box=(1, 3, 5, 7))
    before = where_all_is(library)
    # Two edits, one after the other.
    for edit in (EDITS[how], EDITS["smaller"]):
        with Image.open(path) as image:
            image.load()
        save(path, edit(image))
        index_folders(library, [folder])
    assert where_all_is(library) != before
    path.write_bytes(original)
    index_folders(library, [folder])
    assert library.photos.at(path).id == photo.id
    assert where_all_is(library) == before
    assert library.corrections.of_concept(ben.id, most=9)[0].box == (1, 3, 5, 7)
    # The caption, two concepts with two references, and the correction of a third concept.
    for _ in range(7):
        library.history.undo()
    assert references(library) == library.concepts.all() == []


def test_what_the_user_said_of_the_edited_photo_is_scaled_when_the_original_comes_back(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo, original = described(library, path), path.read_bytes()
    save(path, EDITS["smaller"](draw()))
    index_folders(library, [folder])
    ben = library.concepts.add("Ben")
    library.concepts.add_reference(ben.id, photo.id, box=(10, 20, 30, 15))
    path.write_bytes(original)
    index_folders(library, [folder])
    boxes = {reference.box for reference in references(library)}
    assert boxes == {None, (16, 12, 40, 30), (20, 40, 60, 30)}
    library.history.undo()
    assert library.concepts.references(ben.id) == []


def test_a_reference_that_was_changed_on_the_edited_photo_is_undone_step_by_step_on_the_original(
    library, folder
):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo, original = library.photos.at(path), path.read_bytes()
    anna = library.concepts.add("Anna")
    library.concepts.add_reference(anna.id, photo.id, box=(17, 13, 41, 31))
    save(path, EDITS["smaller"](draw()))
    index_folders(library, [folder])
    library.concepts.add_reference(anna.id, photo.id, box=(10, 20, 30, 15))
    path.write_bytes(original)
    index_folders(library, [folder])
    assert [reference.box for reference in references(library)] == [(20, 40, 60, 30)]
    library.history.undo()
    assert [reference.box for reference in references(library)] == [(17, 13, 41, 31)]
    library.history.undo()
    assert references(library) == []


def test_the_original_turns_up_elsewhere_with_its_boxes_and_masks(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    described(library, path)
    original, before = path.read_bytes(), where_all_is(library)
    save(path, EDITS["crop"](draw()))
    index_folders(library, [folder])
    (folder / "original.jpg").write_bytes(original)
    index_folders(library, [folder])
    found = where_all_is(library)
    assert len(found) == 4
    assert [place for place in found if place != (None, None)] == before


def test_the_original_comes_back_turned_by_its_tag_and_boxes_are_scaled_and_turned(library, folder):
    path = save(folder / "party.png", draw(3))
    index_folders(library, [folder])
    photo = described(library, path)
    save(path, EDITS["smaller"](draw(3)))
    index_folders(library, [folder])
    save(path, draw(3), orientation=3)
    index_folders(library, [folder])
    assert library.photos.at(path).id == photo.id
    assert {reference.box for reference in references(library)} == {None, (104, 78, 40, 30)}


def test_the_original_turns_up_elsewhere_and_both_have_the_users_words(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    described(library, path)
    original = path.read_bytes()
    save(path, EDITS["crop"](draw()))
    index_folders(library, [folder])
    (folder / "original.jpg").write_bytes(original)
    index_folders(library, [folder])
    assert sorted(found_at(library)[0]) == [folder / "original.jpg", path]
    assert sorted(found_at(library)[1]) == [folder / "original.jpg", path]


@pytest.mark.parametrize("name", ["party.jpg", "original.jpg", "gone.jpg"])
@pytest.mark.parametrize("with_its_time", [True, False])
@pytest.mark.parametrize("is_changed_back", [True, False])
def test_one_version_comes_back_beside_the_other_and_they_are_two_photos_with_the_users_words(
    library, folder, name, with_its_time, is_changed_back
):
    """The photo was renamed before the edit, or before it was taken back: its earlier paths tell nothing."""
    path, kept = save(folder / "party.jpg"), folder.parent / "kept.jpg"
    lake, gone = folder / "lake.jpg", folder / "gone.jpg"
    shutil.copy2(path, gone)
    index_folders(library, [folder])
    described(library, path)
    shutil.copy2(path, kept)
    gone.unlink()
    if is_changed_back:
        save(path, EDITS["gray"](draw()))
        index_folders(library, [folder])
        edited = folder.parent / "edited.jpg"
        shutil.copy2(path, edited)
    path.rename(lake)
    index_folders(library, [folder])
    if is_changed_back:
        lake.write_bytes(kept.read_bytes())
        kept = edited
    else:
        save(lake, EDITS["gray"](draw()))
    index_folders(library, [folder])
    assert (library.photos.at(lake).picture_changed_at is None) == is_changed_back
    (shutil.copy2 if with_its_time else shutil.copy)(kept, folder / name)
    index_folders(library, [folder])
    other = library.photos.at(folder / name)
    assert other.id != library.photos.at(lake).id
    assert library.paths.copies() == []
    if not is_changed_back or name != "original.jpg":
        assert sorted(found_at(library)[0]) == sorted(found_at(library)[1]) == sorted([lake, folder / name])
        assert (
            sorted(reference.box for reference in references(library) if reference.box)
            == [(16, 12, 40, 30)] * 2
        )
    assert index_folders(library, [folder]).unchanged == 2


def test_the_original_of_a_photo_that_an_earlier_version_knew_at_another_path_is_a_photo_of_its_own(
    library, folder
):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    described(library, path)
    original = path.read_bytes()
    path.rename(folder / "lake.jpg")
    index_folders(library, [folder])
    facts = "SELECT content_hash, size_bytes, path FROM paths WHERE missing_since NOT NULL"
    [before] = library.connection.rows(facts)
    save(folder / "lake.jpg", EDITS["gray"](draw()))
    index_folders(library, [folder])
    with library.connection.writing():
        library.connection.execute(
            "UPDATE paths SET content_hash = ?, size_bytes = ? WHERE path = ?", tuple(before)
        )
        migrations.tell_edited_photos_from_their_originals(library.connection)
    (folder / "original.jpg").write_bytes(original)
    index_folders(library, [folder])
    assert library.photos.at(folder / "original.jpg").id != library.photos.at(folder / "lake.jpg").id


def test_a_photo_is_changed_back_and_a_copy_of_the_edited_one_comes_in_the_same_run(library, folder):
    path = save(folder / "a.jpg")
    index_folders(library, [folder])
    photo, original = described(library, path), path.read_bytes()
    save(path, EDITS["gray"](draw()))
    index_folders(library, [folder])
    shutil.copy(path, folder / "b.jpg")
    path.write_bytes(original)
    assert index_folders(library, [folder]).skipped == []
    assert library.photos.at(path).id == photo.id
    assert library.photos.at(folder / "b.jpg").id != photo.id


def test_one_of_two_copies_is_retouched_and_both_keep_the_words(library, folder):
    path = save(folder / "party.jpg")
    shutil.copy(path, folder / "copy.jpg")
    index_folders(library, [folder])
    described(library, path)
    save(path, EDITS["retouch"](draw()))
    index_folders(library, [folder])
    assert sorted(found_at(library)[0]) == sorted(found_at(library)[1]) == [folder / "copy.jpg", path]
    assert library.photos.at(path).picture_changed_at is not None
    assert library.photos.at(folder / "copy.jpg").picture_changed_at is None


def test_words_follow_in_the_next_run_when_a_run_was_killed_before_its_end(library, folder, monkeypatch):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    described(library, path)
    save(path, EDITS["crop"](draw()))
    with monkeypatch.context() as patch:
        patch.setattr(library.pictures, "settle", lambda: 0)
        index_folders(library, [folder])
    assert found_at(library)[0] == []
    assert index_folders(library, [folder]).edited == 1
    assert found_at(library) == [[path], [path]]


def test_what_the_user_said_can_still_be_undone_after_an_edit(library, folder):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo = library.photos.at(path)
    library.captions.edit(photo.id, "First")
    library.captions.edit(photo.id, "Second")
    edit_metadata(path)
    index_folders(library, [folder])
    save(path, EDITS["crop"](draw()))
    index_folders(library, [folder])
    library.history.undo()
    assert library.captions.get(library.photos.at(path).id).text == "First"


@pytest.mark.parametrize("how", EDITS)
def test_references_and_corrections_can_still_be_undone_after_an_edit_of_the_pixels(library, folder, how):
    path = save(folder / "party.jpg")
    index_folders(library, [folder])
    photo = library.photos.at(path)
    library.captions.edit(photo.id, WORDS)
    anna, ben = library.concepts.add("Anna"), library.concepts.add("Ben")
    for box in ((16, 12, 41, 31), (17, 13, 40, 30)):
        library.concepts.add_reference(anna.id, photo.id, box=box)
        library.corrections.put(photo.id, ben.id, is_present=True, box=box)
    mask = mask_png((photo.width_px, photo.height_px), (16, 12, 41, 31))
    library.concepts.add_reference(anna.id, photo.id, box=None, mask_png=mask)
    with Image.open(path) as image:
        image.load()
    save(path, EDITS[how](image))
    index_folders(library, [folder])
    assert library.photos.at(path).id == photo.id
    boxes = {"crop": None, "smaller": (8, 6, 20, 16), "turned": (12, 103, 31, 41)}
    library.history.undo()
    library.history.undo()
    library.history.undo()
    assert [reference.box for reference in references(library)] == [boxes.get(how, (16, 12, 41, 31))]
    for _ in range(5):
        library.history.undo()
    assert references(library) == library.concepts.all() == []
    assert library.captions.get(photo.id) is None


def test_undo_of_written_sidecars_stays_when_two_photos_become_one(library, folder):
    """The number of a sidecar may be that of another photo."""
    first, path = save(folder / "a.jpg", draw(1)), save(folder / "party.jpg")
    index_folders(library, [folder])
    library.captions.edit(library.photos.at(path).id, WORDS)
    save(path, EDITS["crop"](draw()))
    other_id = library.photos.at(path).id + 1
    image = json.dumps({"id": other_id, "photo_id": library.photos.at(first).id})
    with library.connection.writing():
        library.connection.execute(
            "INSERT INTO journal_rows VALUES (1, 'sidecars', ?, NULL, ?)", (f"[{other_id}]", image)
        )
    index_folders(library, [folder])
    rows = library.connection.rows("SELECT key, after FROM journal_rows WHERE place = 'sidecars'")
    assert [tuple(row) for row in rows] == [(f"[{other_id}]", image)]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
EXIF_EDITS = st.fixed_dictionaries(
    {}, optional={
        0x010E: TEXTS.map(lambda text: text.encode("ascii", "replace").decode()),
        0x0112: st.integers(1, 8), 0x4746: st.integers(0, 5), 0x0132: st.just("2011:01:02 03:04:05"),
    },
)  # fmt: skip
TOOL_EDITS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: f"-XMP-dc:Description={text}"),
        TEXTS.map(lambda text: f"-XMP-dc:Subject+={text}"),
        st.integers(0, 5).map(lambda n: f"-XMP:Rating={n}"),
        st.integers(1, 8).map(lambda n: f"-Orientation#={n}"),
        st.just("-all="), st.just("-AllDates=2009:08:07 06:05:04"), st.just("-GPSLatitude=12.5"),
        st.just("-comment=x"),
        st.just("-icc_profile:all="), st.just("-IPTC:Keywords=party"),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def edit_with_pillow(path, tags):
    """Write a photo again with other metadata, as simple programs do: pixels may change a little."""
    if path.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    with Image.open(path) as image:
        image.load()
        exif = Image.Exif()
        exif.update({tag: value for tag, value in tags.items() if tag != 0x0112 or path.suffix != ".heic"})
        options = {"quality": "keep"} if path.suffix == ".jpg" else {}
        if path.suffix == ".png":
            options["pnginfo"] = PngImagePlugin.PngInfo()
            options["pnginfo"].add_text("Comment", str(tags))
        if path.suffix == ".webp":
            options["lossless"] = True
        image.save(path, exif=exif, **options)


def check_edits(path, edits, *, edit):
    with Library(path.parent.parent / f"{path.stem}{path.suffix}.db") as library:
        index_folders(library, [path.parent])
        if not library.concepts.all():
            described(library, path)
        photo_id = library.photos.at(path).id
        for number in range(2):
            edit(path, edits)
            moved = path.with_name(f"{path.stem}-{number}{path.suffix}")
            if number and edit is edit_with_exiftool:
                path.rename(moved)
            report = index_folders(library, [path.parent], accept_loss=True)
            now = moved if moved.exists() else path
            assert report.skipped == []
            assert library.photos.at(now).id == photo_id
            assert found_at(library) == [[now], [now]]
            assert len(references(library)) == 2
            assert library.counts()["missing"] == 0
            if moved.exists():
                moved.rename(path)
        index_folders(library, [path.parent], accept_loss=True)


def edit_with_exiftool(path, options):
    exiftool(path, *options)
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


CASES = int(os.environ.get("PHOTOPAL_FUZZ_CASES", "12"))
many = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@pytest.mark.slow
@needs_exiftool
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".heic"])
@many
@given(edits=TOOL_EDITS)
def test_exiftool_edits_metadata_at_random_and_every_word_is_found_again(tmp_path, suffix, edits):
    path = tmp_path / "photos" / f"party{suffix}"
    if not path.exists():
        save(path, draw(5))
    check_edits(path, edits, edit=edit_with_exiftool)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".heic"])
@many
@given(edits=EXIF_EDITS)
def test_pillow_writes_metadata_at_random_and_every_word_is_found_again(tmp_path, suffix, edits):
    path = tmp_path / "photos" / f"party{suffix}"
    if not path.exists():
        save(path, draw(5))
    check_edits(path, edits, edit=edit_with_pillow)
