"""People and pets whom files name become concepts, known by a few photos with the right boxes."""

from dataclasses import replace
from pathlib import Path

import pytest

from photopal.ingest.name_import import MOST_REFERENCES, apply_import, plan_import
from photopal.library import Library, SearchQuery
from photopal.photos import Exif, Photo
from photopal.photos.metadata import Fact, Metadata, Region, metadata_of_exif
from photopal.photos.turns import turned_box, turned_point

WIDTH, HEIGHT = 400, 300
UPRIGHT = (0.5, 0.2, 0.25, 0.4)
UPRIGHT_PX = (200, 60, 100, 120)
# The turn back is another one only for the two quarter turns.
BACK = {turn: {6: 8, 8: 6}.get(turn, turn) for turn in range(1, 9)}


def region(name, box=UPRIGHT, *, kind="Face", drawn_on=None):
    return Region(name, kind, box, "XMP", drawn_on)


class Folder:
    """Puts photos into a library whose files say something."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.number = 0

    def put(self, *regions, persons=(), hierarchy=(), orientation=1, taken_at=None, source="XMP"):
        self.number += 1
        facts = [Fact("orientation", orientation, "EXIF")] if orientation != 1 else []
        facts += [Fact("person", name, source) for name in persons]
        facts += [Fact("hierarchy", path, source) for path in hierarchy]
        photo = Photo(
            path=Path(f"/p/{self.number:04d}.jpg"), content_hash=f"{self.number:032x}", size_bytes=1,
            mtime_ns=1, width_px=WIDTH, height_px=HEIGHT, format="JPEG", thumbnail=b"jpeg",
            exif=Exif(orientation=orientation),
            metadata=Metadata(facts=tuple(facts), regions=regions),
        )  # fmt: skip
        photo_id = self.library.photos.add(photo)
        if taken_at:
            self.library.facts.set_date(photo_id, taken_at, path=photo.path)
        return photo_id

    def plan(self):
        return plan_import(self.library, self.library.photos.all())

    def only(self):
        [name] = self.plan().names
        return name


@pytest.fixture
def folder(library):
    return Folder(library)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_of_the_image_as_stored_becomes_a_box_of_the_upright_photo(folder, orientation):
    stored = turned_box(BACK[orientation], UPRIGHT)
    size = (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)
    for drawn_on in (None, size, (size[0] * 10, size[1] * 10)):
        folder.put(region("Anna", stored, drawn_on=drawn_on), orientation=orientation)
    assert [reference.box for reference in folder.only().references] == [UPRIGHT_PX] * 3


def test_the_turn_back_is_known():
    for turn in range(1, 9):
        assert turned_point(BACK[turn], *turned_point(turn, 0.25, 0.125)) == (0.25, 0.125)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_region_drawn_on_the_photo_as_shown_is_told_by_the_size(folder, orientation):
    folder.put(region("Anna", UPRIGHT, drawn_on=(2 * WIDTH, 2 * HEIGHT)), orientation=orientation)
    assert folder.only().references[0].box == UPRIGHT_PX


@pytest.mark.parametrize(("orientation", "drawn_on"), [(1, (300, 400)), (3, (300, 400)), (6, (400, 400))])
def test_a_region_of_a_photo_that_was_cropped_or_turned_since_is_not_used(folder, orientation, drawn_on):
    folder.put(region("Anna", drawn_on=drawn_on), orientation=orientation)
    plan = folder.plan()
    assert plan.names == ()
    assert "cropped or turned" in plan.left_out[0].reason
    folder.put(region("Anna"))
    assert [reference.photo.id for reference in folder.only().references] == [2]
    assert folder.only().photos == 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("other", [1, 3, 6, 8])
def test_regions_of_a_copy_that_is_turned_differently_are_where_they_belong(library, orientation, other):
    stored_px = (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)
    shown_px = stored_px[::-1] if other >= 5 else stored_px
    stored = turned_box(BACK[orientation], UPRIGHT)
    shown = turned_box(other, stored)
    regions = [region("Anna", stored), region("Anna", stored, drawn_on=stored_px)]
    if other >= 5:
        regions.append(region("Anna", shown, drawn_on=shown_px))
    for number, said in enumerate(regions):
        photo = Photo(
            path=Path(f"/p/{number}/a.jpg"), content_hash=f"{number:032x}", size_bytes=1, mtime_ns=1,
            width_px=WIDTH, height_px=HEIGHT, format="JPEG", thumbnail=b"jpeg", picture_hash=f"{number:032x}",
            exif=Exif(orientation=orientation),
        )  # fmt: skip
        copy = replace(
            photo, path=photo.path.with_name("b.jpg"), content_hash=f"{number + 9:032x}",
            width_px=shown_px[0], height_px=shown_px[1], exif=Exif(orientation=other),
            metadata=replace(metadata_of_exif(Exif(orientation=other)), regions=(said,)),
        )  # fmt: skip
        assert library.photos.add(photo) == library.photos.add(copy)
    plan = plan_import(library, library.photos.all())
    assert [one.box for one in plan.names[0].references] == [UPRIGHT_PX] * len(regions)


def test_a_region_as_a_copy_is_shown_is_not_taken_for_one_of_a_file_that_is_turned(library):
    """It fits the photo as it is known, but not the copy that it stands in."""
    turned = Photo(
        path=Path("/p/a.jpg"), content_hash="1" * 32, size_bytes=1, mtime_ns=1, width_px=HEIGHT,
        height_px=WIDTH, format="JPEG", thumbnail=b"jpeg", picture_hash="0" * 32, exif=Exif(orientation=6),
    )  # fmt: skip
    copy = replace(
        turned, path=Path("/p/b.jpg"), content_hash="2" * 32, width_px=WIDTH, height_px=HEIGHT, exif=Exif(),
        metadata=Metadata(regions=(region("Anna", drawn_on=(HEIGHT, WIDTH)),)),
    )  # fmt: skip
    assert library.photos.add(turned) == library.photos.add(copy)
    plan = plan_import(library, library.photos.all())
    assert plan.names == ()
    assert "cropped or turned" in plan.left_out[0].reason


def test_spellings_that_the_matcher_takes_for_one_are_one_name_and_others_are_not(folder):
    for name in ("Zoë O'Neil", "Zoe\u0308 O’Neil", "ZOË O'NEIL", "Zoë O'Neil", "Zoe O'Neil"):
        folder.put(region(name))
    assert [(each.name, each.photos) for each in folder.plan().names] == [
        ("Zoë O'Neil", 4),
        ("Zoe O'Neil", 1),
    ]
    apply_import(folder.library, folder.plan())
    shown = [folder.library.corrections.evidence(photo_id).shown for photo_id in range(1, 6)]
    assert [list(names.values()) for names in shown] == [["Zoë O'Neil"]] * 4 + [["Zoe O'Neil"]]
    counted = [
        folder.library.search.count(SearchQuery(concepts=(name,))) for name in ("Zoë O'Neil", "Zoe O'Neil")
    ]
    assert counted == [4, 1]


def test_pets_are_pets_by_their_region_or_by_their_tag(folder):
    folder.put(region("Rex", kind="Pet"), region("Anna", (0.1, 0.1, 0.2, 0.2)))
    folder.put(region("Mia"), hierarchy=["Pets/Mia"])
    assert {each.name: each.kind for each in folder.plan().names} == {
        "Rex": "pet", "Anna": "person", "Mia": "pet",
    }  # fmt: skip


def test_nobody_is_no_name(folder):
    folder.put(region(None), region("Unknown"), persons=["_UNKNOWN_"])
    assert folder.plan().names == ()


def test_a_few_large_faces_of_all_the_time_are_enough_and_the_others_count_as_they_are(folder):
    for year in range(2001, 2021):
        folder.put(region("Anna", (0.5, 0.2, 0.25, 0.3)), taken_at=f"{year}")
        folder.put(region("Anna", (0.1, 0.1, 0.1, 0.1)), taken_at=f"{year}")
    name = folder.only()
    years = [int(reference.photo.taken_at) for reference in name.references]
    assert (name.photos, len(years)) == (40, MOST_REFERENCES)
    assert all(reference.box[2:] == (100, 90) for reference in name.references)
    assert years[0] <= 2003
    assert years[-1] >= 2018
    apply_import(folder.library, folder.plan())
    assert all(folder.library.corrections.evidence(photo_id).shown for photo_id in range(1, 41))


def test_a_second_run_adds_nothing_and_undo_takes_everything_back(folder):
    for _ in range(MOST_REFERENCES + 3):
        folder.put(region("Anna"), region("Rex", (0.1, 0.1, 0.2, 0.2), kind="Pet"))
    folder.put(persons=["Ben"], source="Takeout")
    planned = folder.plan()
    apply_import(folder.library, planned)
    stored = {
        concept.name: sorted((r.photo.id, r.box) for r in folder.library.concepts.references(concept.id))
        for concept in folder.library.concepts.all()
    }
    assert stored == {
        each.name: sorted((one.photo.id, one.box) for one in each.references) for each in planned.names
    }
    again = folder.plan()
    assert [(each.name, each.references) for each in again.names] == [("Anna", ()), ("Rex", ()), ("Ben", ())]
    apply_import(folder.library, again)
    assert len([entry for entry in folder.library.history.entries() if "imported" in entry.what]) == 1
    folder.library.history.undo()
    assert folder.library.concepts.all() == []
    assert folder.plan() == planned


def test_somebody_who_was_renamed_keeps_the_photos_whose_files_have_the_earlier_name(folder):
    library = folder.library
    photos = {folder.put(region("Anna Müller")) for _ in range(MOST_REFERENCES + 3)}
    apply_import(library, folder.plan())

    def found(name):
        return {hit.photo.id for hit in library.search.find(SearchQuery(concepts=(name,), limit=99))}

    references = {one.photo.id for one in library.concepts.references(1)}
    denied = min(photos - references)
    library.corrections.put(denied, 1, is_present=False)
    for name in ("Anne", "Anna"):
        library.concepts.rename(library.concepts.all()[0].name, name)
        assert found(name) == photos - {denied}
        assert [(each.name, each.references) for each in folder.plan().names] == [(name, ())]
    # The name is somebody else's as long as there is such a concept.
    library.concepts.add("Anna Müller")
    assert (found("Anna Müller"), found("Anna")) == (photos, references)
    library.concepts.remove("Anna Müller")
    assert found("Anna") == photos - {denied}
    for _ in range(4):
        library.history.undo()
    assert [concept.name for concept in library.concepts.all()] == ["Anna Müller"]
    assert found("Anna Müller") == photos - {denied}


def test_without_a_region_only_a_photo_that_shows_nobody_else_tells_what_somebody_looks_like(folder):
    folder.put(persons=["Anna", "Ben"], source="Takeout")
    plan = folder.plan()
    assert (plan.names, [each.name for each in plan.left_out]) == ((), ["Anna", "Ben"])
    alone = folder.put(persons=["Anna"], source="Takeout")
    [anna] = folder.plan().names
    assert [(one.photo.id, one.box) for one in anna.references] == [(alone, None)]
    boxed = folder.put(region("Anna"))
    assert [one.photo.id for one in folder.only().references] == [boxed]


def test_a_face_that_cannot_be_told_is_no_reference(folder):
    folder.put(region("Anna"), region("Anna", (0.0, 0.0, 0.2, 0.2)))
    folder.put(region("Ben"), region("Carl", (0.5, 0.21, 0.25, 0.4)))
    folder.put(region("Dora", (0.5, 0.5, 0.02, 0.02)))
    plan = folder.plan()
    assert plan.names == ()
    assert {each.name: each.reason for each in plan.left_out if each.photo} == {
        "Anna": "two regions in different parts of the photo have this name",
        "Ben": "the same region has another name, too",
        "Carl": "the same region has another name, too",
        "Dora": "smaller than 20 pixels",
    }


def test_somebody_who_is_known_keeps_kind_and_photos_and_what_the_user_said(folder):
    photos = [folder.put(region("Oma")) for _ in range(3)]
    concepts = folder.library.concepts
    grandma, oma = concepts.add("Grandma", kind="thing"), concepts.add("Oma")
    concepts.merge("Grandma", "Oma")
    concepts.add_reference(grandma.id, photos[0])
    folder.library.corrections.put(photos[1], grandma.id, is_present=False)
    name = folder.only()
    assert (name.name, name.kind, name.concept_id) == ("Grandma", "thing", grandma.id)
    assert [one.photo.id for one in name.references] == [photos[2]]
    apply_import(folder.library, folder.plan())
    assert not folder.library.corrections.evidence(photos[1]).shown
    assert oma.id != grandma.id


def test_a_name_that_cannot_be_kept_is_left_out_with_the_reason(folder):
    folder.put(region("A" * 100))
    [left_out] = folder.plan().left_out
    assert "at most 80 letters" in left_out.reason
