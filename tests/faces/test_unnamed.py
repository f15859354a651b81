"""Who has no name yet is found with their photos, and who has one is not offered again."""

import numpy as np
import pytest
from PIL import Image

from photopal.faces import learn_library, scan_library, settle_groups
from photopal.faces.sheet import TILE_PX, SheetFace, SheetRow, draw_sheet
from photopal.faces.unnamed import choose_references, divide_group, find_unnamed, head_box
from tests.faces.made_up import PretendDetector, photo_named


def find(album):
    settle_groups(album)
    return find_unnamed(album, learn_library(album))


@pytest.fixture
def party(album, crowd):
    """Anna on photos 0 to 3, Ben on 2 to 4, somebody seen once on 5."""
    faces = {f"{number}.png": [crowd.face("anna", x=0.1)] for number in range(4)}
    for number in (2, 3, 4):
        faces.setdefault(f"{number}.png", []).append(crowd.face("ben", x=0.7))
    faces["5.png"] = [crowd.face("once")]
    scan_library(album, detector=PretendDetector(faces))
    return album


def test_people_without_a_name_are_listed_the_one_on_most_photos_first(party):
    found = find(party)
    assert [len(group.photos) for group in found.groups] == [4, 3, 1]
    anna = party.concepts.add("Anna")
    for name in ("0.png", "1.png"):
        party.concepts.add_reference(anna.id, photo_named(party, name).id)
    assert [len(group.photos) for group in find(party).groups] == [3, 1]
    party.faces.ignore_groups([found.groups[1].id])
    assert [group.is_ignored for group in find(party).groups] == [True, False]


def test_a_photo_that_may_show_somebody_is_suggested_until_the_user_says(party, crowd):
    anna = party.concepts.add("Anna")
    for name in ("0.png", "1.png"):
        party.concepts.add_reference(anna.id, photo_named(party, name).id)
    [person] = learn_library(party)
    away = crowd.random.normal(size=128)
    vector = person.center + away / np.linalg.norm(away) * (person.threshold + 0.02)
    scan_library(party, photos=[])
    photo = photo_named(party, "6.png")
    face = crowd.face("anna")
    party.faces.put(
        photo.id, [type(face)(**{**vars(face), "vector": vector.astype(np.float32)})], detector="d"
    )
    [suggestion] = find(party).suggestions[anna.id]
    assert suggestion.face.photo_id == photo.id
    assert 0.2 < suggestion.probability < 0.5
    party.corrections.put(photo.id, anna.id, is_present=False)
    assert find(party).suggestions == {}


def test_a_face_that_is_somebodys_by_a_box_is_listed_no_more(party):
    """Also where photos do not tell yet how they look."""
    carl = party.concepts.add("Carl")
    for name in ("2.png", "3.png"):
        party.concepts.add_reference(carl.id, photo_named(party, name).id)
    assert [len(group.photos) for group in find(party).groups] == [4, 3, 1]
    party.corrections.put(photo_named(party, "5.png").id, carl.id, is_present=True, box=(160, 90, 40, 30))
    assert learn_library(party) == []
    assert [len(group.photos) for group in find(party).groups] == [4, 3]


def test_references_are_sharp_faces_of_different_photos(party):
    group = find(party).groups[0]
    faces = party.faces.get(group.faces)
    assert len({record.photo_id for record in choose_references(faces, most=3)}) == 3
    blurred = faces[0].face.__class__(**{**vars(faces[0].face), "sharpness": 0.0, "side_px": 20})
    many = [type(faces[0])(9, 9, blurred, None), *faces, *faces]
    assert 9 not in [record.id for record in choose_references(many)]


def test_a_head_is_more_than_its_face_unless_another_face_is_beside_it(party, crowd):
    records = party.faces.of_photo(photo_named(party, "2.png").id)
    assert head_box(records[0], (400, 300), others=records) == (26, 80, 68, 50)
    near = type(records[0])(99, 1, crowd.face("x", x=0.17), None)
    assert head_box(records[0], (400, 300), others=[*records, near]) == (40, 90, 40, 30)


def test_a_group_of_two_people_divides_into_both(party):
    groups = find(party).groups
    both = [record for group in groups[:2] for record in party.faces.get(group.faces)]
    assert [sorted(part) for part in divide_group(both)] == [sorted(group.faces) for group in groups[:2]]


def test_a_sheet_shows_each_face_and_an_empty_tile_for_a_photo_that_is_gone(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (400, 300), (200, 30, 30)).save(path)
    face = SheetFace(path, (400, 300), (0.4, 0.4, 0.2, 0.2))
    gone = SheetFace(tmp_path / "gone.png", (400, 300), (0.4, 0.4, 0.2, 0.2))
    sheet = draw_sheet([SheetRow("3", ("2 photos", "राम?"), (face, gone)), SheetRow("7", (), (face,) * 9)])
    middle = 24 + 190 + TILE_PX // 2
    assert sheet.getpixel((middle, 24 + TILE_PX // 2)) == (200, 30, 30)
    assert sheet.getpixel((middle + TILE_PX, 24 + TILE_PX // 2)) == (225, 226, 230)
    assert sheet.width == 2 * 24 + 190 + 8 * TILE_PX + 7 * 8
