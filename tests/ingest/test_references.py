"""Photo files become reference photos, with their boxes and masks, all of them or none."""

import io

import numpy as np
import pytest
from PIL import Image

from photopal.errors import ConceptError, UsageError
from photopal.ingest.references import ReferenceFile, add_references, list_reference_files
from photopal.library import Library


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (40, 30), (number, 9, 9)).save(tmp_path / "photos" / f"img{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library.db") as library:
        yield library


def mask_file(path, size=(40, 30), mode="L", white=255):
    picture = np.zeros((size[1], size[0]), dtype=np.uint8)
    picture[5:10, 5:20] = white
    Image.fromarray(picture).convert(mode).save(path)
    return path


def test_a_folder_stands_for_its_photos_in_order(folder):
    assert [file.path.name for file in list_reference_files([folder])] == ["img0.png", "img1.png", "img2.png"]


def test_boxes_go_with_photos_in_their_order(folder):
    files = list_reference_files(
        [folder / "img2.png", folder / "img0.png"], boxes=[(1, 2, 3, 4), (5, 6, 7, 8)]
    )
    assert [(file.path.name, file.box) for file in files] == [
        ("img2.png", (1, 2, 3, 4)),
        ("img0.png", (5, 6, 7, 8)),
    ]


def test_numbers_that_do_not_fit_are_a_usage_error(folder):
    with pytest.raises(UsageError, match="1 --box options for 3 photos") as caught:
        list_reference_files([folder], boxes=[(1, 2, 3, 4)])
    assert "once for each photo" in caught.value.hint
    with pytest.raises(UsageError, match="together"):
        list_reference_files([folder], boxes=[(1, 2, 3, 4)] * 3, masks=[folder / "img0.png"] * 3)


def test_a_path_that_is_not_there_is_a_usage_error(folder, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        list_reference_files([folder, tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no photo found"):
        list_reference_files([tmp_path / "empty"])


@pytest.mark.parametrize("beside", [True, False])
def test_masks_in_a_folder_are_found_by_name(folder, tmp_path, beside):
    masks = folder if beside else tmp_path / "masks"
    masks.mkdir(exist_ok=True)
    for number in range(3):
        mask_file(masks / (f"img{number}_mask.png" if beside or number else f"img{number}.png"))
    files = list_reference_files([folder], masks=[masks])
    assert [file.path.name for file in files] == ["img0.png", "img1.png", "img2.png"]
    assert all(file.mask.stem.startswith(file.path.stem) for file in files)


def test_a_photo_without_its_mask_is_named(folder, tmp_path):
    (tmp_path / "masks").mkdir()
    mask_file(tmp_path / "masks" / "img0.png")
    with pytest.raises(UsageError, match=r"no mask for .*img1\.png"):
        list_reference_files([folder], masks=[tmp_path / "masks"])


def test_new_photos_enter_the_library_and_a_known_name_gets_more(folder, library):
    files = list_reference_files([folder])
    first = add_references(library, "Rex", files[:2], kind="pet", about="brown")
    assert (first.is_new, first.added, first.concept.kind) == (True, 2, "pet")
    again = add_references(library, "  rEX ", files)
    assert (again.is_new, again.added, again.concept) == (False, 1, first.concept)
    assert len(library.concepts.references(first.concept.id)) == 3
    assert library.counts()["photos"] == 3
    assert add_references(library, "Rex", files[:1], about="black").concept.about == "black"


def test_photos_given_again_without_box_and_mask_keep_theirs(folder, library, tmp_path):
    mask = tmp_path / "mask.png"
    with Image.open(folder / "img1.png") as photo:
        Image.new("L", photo.size, 255).save(mask)
    paths = [folder / f"img{number}.png" for number in range(3)]
    files = [ReferenceFile(paths[0], box=(1, 2, 3, 4)), ReferenceFile(paths[1], mask=mask)]
    concept = add_references(library, "Mug", files, kind="thing").concept
    before = [(one.box, one.mask_png) for one in library.concepts.references(concept.id)]
    again = add_references(library, "Mug", [ReferenceFile(path) for path in paths])
    after = [(one.box, one.mask_png) for one in library.concepts.references(concept.id)]
    assert again.added == 1
    assert after == [*before, (None, None)]
    assert before[0] == ((1, 2, 3, 4), None)
    assert before[1][1] is not None
    moved = add_references(library, "Mug", [ReferenceFile(paths[0], box=(5, 6, 7, 8))])
    assert moved.added == 1
    assert library.concepts.references(concept.id)[0].box == (5, 6, 7, 8)


def test_copies_of_a_picture_are_one_reference_photo_with_one_box(folder, library):
    copy = folder / "copy.png"
    copy.write_bytes((folder / "img0.png").read_bytes())
    boxed = ReferenceFile(folder / "img0.png", box=(1, 2, 3, 4))
    added = add_references(library, "Rex", [boxed, ReferenceFile(copy), ReferenceFile(folder / "img1.png")])
    assert added.added == 2
    boxes = [one.box for one in library.concepts.references(added.concept.id)]
    assert boxes == [(1, 2, 3, 4), None]
    with pytest.raises(ConceptError, match=r"copy\.png: the same picture as .*img0\.png, with another box"):
        add_references(library, "Rex", [boxed, ReferenceFile(copy, box=(5, 6, 7, 8))])
    assert add_references(library, "Rex", [ReferenceFile(copy), boxed]).added == 0


@pytest.mark.parametrize("is_copy_first", [False, True])
def test_a_box_or_mask_of_a_copy_that_is_turned_differently_is_kept_as_the_photo_is_known(
    folder, library, tmp_path, is_copy_first
):
    copy, exif = folder / "copy.png", Image.Exif()
    exif[0x0112] = 6
    Image.open(folder / "img0.png").save(copy, exif=exif)
    known = copy if is_copy_first else folder / "img0.png"
    add_references(library, "Rex", [ReferenceFile(known)])
    add_references(library, "Mug", [ReferenceFile(copy, box=(2, 4, 10, 12))])
    mask = mask_file(tmp_path / "mask.png", size=(30, 40))
    add_references(library, "Cup", [ReferenceFile(copy, mask=mask)])
    add_references(library, "Pen", [ReferenceFile(folder / "img0.png", box=(4, 18, 12, 10))])
    found = {one.name: library.concepts.references(one.id)[0] for one in library.concepts.all()}
    box = (2, 4, 10, 12) if is_copy_first else (4, 18, 12, 10)
    assert (found["Mug"].box, found["Pen"].box) == (box, box)
    with Image.open(io.BytesIO(found["Cup"].mask_png)) as picture:
        assert picture.getbbox() == ((5, 5, 20, 10) if is_copy_first else (5, 10, 10, 25))


@pytest.mark.parametrize(
    "bad",
    [
        lambda folder: ReferenceFile(folder / "nowhere.png"),
        lambda folder: ReferenceFile(folder / "img1.png", box=(30, 0, 11, 5)),
        lambda folder: ReferenceFile(folder / "img1.png", box=(0, 0, 0, 5)),
        lambda folder: ReferenceFile(folder / "img1.png", mask=mask_file(folder / "m.png", size=(30, 40))),
        lambda folder: ReferenceFile(folder / "img1.png", mask=mask_file(folder / "m.png", white=0)),
        lambda folder: ReferenceFile(folder / "img1.png", mask=folder / "nowhere.png"),
    ],
)
def test_one_bad_photo_box_or_mask_and_nothing_is_added(folder, library, bad):
    with pytest.raises(ConceptError):
        add_references(library, "Rex", [ReferenceFile(folder / "img0.png"), bad(folder)])
    assert library.concepts.all() == []
    assert library.counts()["photos"] == 0


@pytest.mark.parametrize(("mode", "white"), [("L", 255), ("L", 1), ("1", 255), ("RGB", 200), ("P", 255)])
def test_masks_of_every_kind_become_black_and_white(folder, library, tmp_path, mode, white):
    mask = mask_file(tmp_path / "mask.png", mode=mode, white=white)
    added = add_references(library, "Rex", [ReferenceFile(folder / "img0.png", mask=mask)])
    kept = Image.open(io.BytesIO(library.concepts.references(added.concept.id)[0].mask_png))
    values = np.asarray(kept.convert("L"))
    assert set(np.unique(values)) == {0, 255}
    assert int((values > 0).sum()) == 75


def test_what_is_cut_out_of_a_transparent_picture_is_the_mask(folder, library, tmp_path):
    picture = Image.new("RGBA", (40, 30), (10, 20, 30, 0))
    picture.paste((200, 100, 50, 255), (5, 5, 20, 10))
    picture.save(tmp_path / "cut.png")
    file = ReferenceFile(folder / "img0.png", mask=tmp_path / "cut.png")
    added = add_references(library, "Rex", [file])
    kept = Image.open(io.BytesIO(library.concepts.references(added.concept.id)[0].mask_png))
    assert int((np.asarray(kept) > 0).sum()) == 75
