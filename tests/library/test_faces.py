"""Faces are kept as they were found, found again by their vectors, and gone when a photo is searched anew."""

import numpy as np
import pytest

from photopal.errors import ConceptError, LibraryError, UsageError
from photopal.library import Library
from photopal.library.models import Face, FaceGroup

DETECTOR = "d1"


def face(seed, *, x=0.1):
    vector = np.random.default_rng(seed).normal(0, 0.1, 128).astype(np.float32)
    return Face(box=(x, 0.2, 0.3, 0.4), vector=vector, side_px=150, sharpness=0.5, yaw=-0.25, score=1.5)


def same(first, second):
    return first.box == second.box and np.array_equal(first.vector, second.vector)


@pytest.fixture
def photo_ids(library, make_photo):
    return [library.photos.add(make_photo(number)) for number in range(1, 6)]


def test_faces_come_back_as_they_were_found(library, photo_ids):
    ids = library.faces.put(photo_ids[0], [face(1), face(2, x=0.5)], detector=DETECTOR)
    records = library.faces.of_photo(photo_ids[0])
    assert [record.id for record in records] == ids
    assert same(records[0].face, face(1))
    assert same(records[1].face, face(2, x=0.5))
    facts = records[0].face
    assert (facts.side_px, facts.sharpness, facts.yaw, facts.score) == (150, 0.5, -0.25, 1.5)
    assert records[0].photo_id == photo_ids[0]


def test_what_was_searched_is_not_searched_again_even_without_a_face(library, photo_ids):
    library.faces.put(photo_ids[0], [], detector=DETECTOR)
    library.faces.put(photo_ids[1], [face(1)], detector=DETECTOR)
    assert [photo.id for photo in library.faces.unscanned(detector=DETECTOR)] == photo_ids[2:]
    assert [photo.id for photo in library.faces.unscanned(detector="d2")] == photo_ids
    assert library.faces.counts(detector=DETECTOR) == {"unscanned": 3, "scanned": 2, "faces": 1}
    assert library.faces.is_scanned(photo_ids[0], detector=DETECTOR)
    assert not library.faces.is_scanned(photo_ids[0], detector="d2")


def test_a_missing_photo_is_not_waited_for(library, photo_ids):
    library.paths.mark_missing([library.photos.get(photo_ids[0]).path])
    assert [photo.id for photo in library.faces.unscanned(detector=DETECTOR)] == photo_ids[1:]


def test_a_photo_searched_anew_has_its_new_faces_only(library, photo_ids):
    old = library.faces.put(photo_ids[0], [face(1), face(2)], detector=DETECTOR)
    library.faces.put_groups(
        [FaceGroup(1, face(1).vector + face(9).vector.astype(float), 2)], faces={old[0]: 1}
    )
    new = library.faces.put(photo_ids[0], [face(3)], detector="d2")
    assert [record.id for record in library.faces.of_photo(photo_ids[0])] == new
    assert not set(new) & set(old)
    [group] = library.faces.groups()
    assert group.face_count == 1
    assert np.allclose(group.total, face(9).vector, atol=1e-6)


def test_a_photo_that_is_not_there_has_no_faces(library):
    with pytest.raises(LibraryError, match="no photo with id 7"):
        library.faces.put(7, [face(1)], detector=DETECTOR)


def near(library, center, within):
    [found] = library.faces.near(center[None], np.array([within]))
    return found


def test_faces_near_a_vector_are_found_nearest_first(library, photo_ids):
    for number, photo_id in enumerate(photo_ids):
        library.faces.put(photo_id, [face(number), face(number + 100)], detector=DETECTOR)
    center = face(3).vector + np.float32(0.01)
    everything = [record for photo_id in photo_ids for record in library.faces.of_photo(photo_id)]
    expected = sorted(
        (float(np.linalg.norm(record.face.vector - center)), record.id) for record in everything
    )
    found = near(library, center, 10.0)
    assert [record.id for record, _ in found] == [number for _, number in expected]
    assert [distance for _, distance in found] == pytest.approx([d for d, _ in expected], abs=1e-4)
    [(nearest, distance)] = near(library, center, 0.5)
    assert same(nearest.face, face(3))
    assert distance == pytest.approx(0.01 * 128**0.5, abs=1e-4)


def test_many_vectors_at_once_find_what_each_finds_alone(library, photo_ids):
    for number, photo_id in enumerate(photo_ids):
        library.faces.put(photo_id, [face(number), face(number + 100)], detector=DETECTOR)
    centers = np.array([face(number).vector + np.float32(0.01) for number in (3, 0, 900)])
    within = np.array([10.0, 0.5, 0.1], np.float32)
    alone = [near(library, center, most) for center, most in zip(centers, within, strict=True)]
    together = library.faces.near(centers, within)
    assert [[record.id for record, _ in found] for found in together] == [
        [record.id for record, _ in found] for found in alone
    ]
    assert [len(found) for found in together][1:] == [1, 0]


def test_nothing_is_near_where_there_are_no_faces(library):
    assert near(library, face(1).vector, 10.0) == []


def test_faces_found_later_and_by_others_are_near_too(library, photo_ids):
    library.faces.put(photo_ids[0], [face(1)], detector=DETECTOR)
    assert len(near(library, face(2).vector, 0.1)) == 0
    with Library(library.path) as other:
        other.faces.put(photo_ids[1], [face(2)], detector=DETECTOR)
        assert len(near(other, face(2).vector, 0.1)) == 1
    assert len(near(library, face(2).vector, 0.1)) == 1


def test_faces_that_are_gone_are_near_nothing(library, photo_ids):
    library.faces.put(photo_ids[0], [face(1)], detector=DETECTOR)
    assert len(near(library, face(1).vector, 0.1)) == 1
    library.faces.put(photo_ids[0], [face(2)], detector="d2")
    assert near(library, face(1).vector, 0.1) == []
    assert len(near(library, face(2).vector, 0.1)) == 1


@pytest.mark.parametrize("content", [None, b"", b"x" * 100, b"\xff" * 524 * 3, b"\0" * 524 * 3])
def test_a_damaged_or_foreign_matrix_file_is_made_anew(library, photo_ids, content):
    library.faces.put(photo_ids[0], [face(1)], detector=DETECTOR)
    near(library, face(1).vector, 0.1)
    path = library.path.with_name(f"{library.path.stem}-faces.f32")
    assert path.stat().st_size == 524
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    library.faces.put(photo_ids[1], [face(2)], detector=DETECTOR)
    with Library(library.path) as fresh:
        for number in (1, 2):
            [(_, distance)] = near(fresh, face(number).vector, 0.1)
            assert distance == pytest.approx(0, abs=1e-3)


def test_groups_take_faces_in_and_each_other(library, photo_ids):
    ids = [library.faces.put(photo_id, [face(photo_id)], detector=DETECTOR)[0] for photo_id in photo_ids]
    totals = [face(photo_id).vector.astype(float) for photo_id in photo_ids]
    library.faces.put_groups(
        [FaceGroup(number, totals[number - 1], 1) for number in (1, 2)], faces={ids[0]: 1, ids[1]: 2}
    )
    assert library.faces.next_group_id() == 3
    library.faces.put_groups([FaceGroup(1, totals[0] + totals[1], 2)], faces={}, merged=[(2, 1)])
    [group] = library.faces.groups()
    assert (group.id, group.face_count) == (1, 2)
    assert [record.id for record in library.faces.of_group(1)] == ids[:2]
    assert library.faces.next_group_id() == 3


def test_whether_a_photo_shows_faces_of_two_groups(library, photo_ids):
    first, second = library.faces.put(photo_ids[0], [face(1), face(2)], detector=DETECTOR)
    library.faces.put_groups(
        [FaceGroup(number, face(number).vector.astype(float), 1) for number in (1, 2, 3)],
        faces={first: 1, second: 2},
    )
    assert library.faces.share_photo(1, 2)
    assert not library.faces.share_photo(1, 3)


def test_people_have_a_year_of_birth_that_can_be_undone(library):
    anna, rex = library.concepts.add("Anna"), library.concepts.add("Rex", kind="pet")
    assert library.concepts.set_age(anna.id, born=2015).born == 2015
    assert library.concepts.set_age(anna.id, is_child=True).is_child
    assert library.concepts.get("Anna").born == 2015
    library.history.undo()
    assert not library.concepts.get("Anna").is_child
    library.history.undo()
    assert library.concepts.get("Anna").born is None
    with pytest.raises(ConceptError, match="not a person"):
        library.concepts.set_age(rex.id, born=2015)
    with pytest.raises(ConceptError, match="invalid year of birth 15"):
        library.concepts.set_age(anna.id, born=15)


def grouped_faces(library, photo_id):
    """Two faces of a photo, each in a group of its own."""
    ids = library.faces.put(photo_id, [face(1, x=0.1), face(2, x=0.6)], detector=DETECTOR)
    groups = [FaceGroup(number, face(number).vector.astype(float), 1) for number in (1, 2)]
    library.faces.put_groups(groups, faces=dict(zip(ids, (1, 2), strict=True)))
    return ids


def test_faces_turn_with_their_photo_each_by_itself(library, photo_ids):
    grouped_faces(library, photo_ids[0])
    with library.writing():
        library.pictures.turn(photo_ids[0], 3, (400, 300))
    boxes = [record.face.box for record in library.faces.of_photo(photo_ids[0])]
    assert boxes == [pytest.approx((0.6, 0.4, 0.3, 0.4)), pytest.approx((0.1, 0.4, 0.3, 0.4))]


def test_a_photo_whose_picture_was_edited_is_searched_again(library, photo_ids):
    grouped_faces(library, photo_ids[0])
    with library.writing():
        library.pictures.change_back(photo_ids[0], "0" * 32)
    assert library.faces.of_photo(photo_ids[0]) == []
    assert library.faces.groups() == []
    assert not library.faces.is_scanned(photo_ids[0], detector=DETECTOR)


def test_photos_that_become_one_have_each_face_once(library, photo_ids):
    for photo_id in photo_ids[:2]:
        library.faces.put(photo_id, [face(1), face(2)], detector=DETECTOR)
    library.faces.put(photo_ids[3], [face(3)], detector=DETECTOR)
    with library.writing():
        library.pictures._merge(photo_ids[0], photo_ids[1])
        library.pictures._merge(photo_ids[2], photo_ids[3])
    assert len(library.faces.of_photo(photo_ids[0])) == 2
    [record] = library.faces.of_photo(photo_ids[2])
    assert same(record.face, face(3))
    assert library.faces.is_scanned(photo_ids[2], detector=DETECTOR)


def test_what_the_user_says_of_groups_is_undone_whatever_was_found_since(library, photo_ids):
    ids = [library.faces.put(photo_id, [face(photo_id)], detector=DETECTOR)[0] for photo_id in photo_ids]
    one, other = face(photo_ids[0]).vector.astype(float), face(photo_ids[1]).vector.astype(float)
    library.faces.put_groups([FaceGroup(1, one, 1), FaceGroup(2, other, 1)], faces={ids[0]: 1, ids[1]: 2})
    library.faces.merge_groups(1, 2)
    assert [record.id for record in library.faces.of_group(2)] == ids[:2]
    assert list(library.faces.grouped()) == [(ids[0], photo_ids[0], 1), (ids[1], photo_ids[1], 1)]
    library.faces.put_groups([FaceGroup(2, other * 2, 2)], faces={ids[2]: 2})
    library.history.undo()
    assert [record.id for record in library.faces.of_group(1)] == ids[:1]
    library.faces.ignore_groups([1])
    assert [group.is_ignored for group in library.faces.groups()] == [True, False]
    library.history.undo()
    assert not any(group.is_ignored for group in library.faces.groups())
    with pytest.raises(UsageError, match="no group of faces with number 7"):
        library.faces.merge_groups(1, 7)


def test_merged_groups_stay_one_also_when_the_one_they_are_in_has_lost_its_faces(library, photo_ids):
    ids = [library.faces.put(photo_id, [face(photo_id)], detector=DETECTOR)[0] for photo_id in photo_ids]
    vectors = [face(photo_id).vector.astype(float) for photo_id in photo_ids]
    library.faces.put_groups(
        [FaceGroup(number, vectors[number - 1], 1) for number in (1, 2, 3)],
        faces={ids[number - 1]: number for number in (1, 2, 3)},
    )
    library.faces.merge_groups(1, 2)
    library.faces.put(photo_ids[0], [], detector="d2")
    assert [group.id for group in library.faces.groups()] == [2, 3]
    assert [group_id for _, _, group_id in library.faces.grouped()] == [1, 3]
    for number in (1, 2):
        assert [record.id for record in library.faces.of_group(number)] == [ids[1]]
    assert [record.id for record in library.faces.of_group(3)] == [ids[2]]
    library.faces.ignore_groups([1])
    assert library.faces.ignored_groups() == {1}
    library.faces.merge_groups(1, 3)
    assert library.faces.merged_groups(2) == [2, 3]
    library.faces.put(photo_ids[1], [], detector="d2")
    library.faces.put(photo_ids[2], [], detector="d2")
    with pytest.raises(UsageError, match="no group of faces with number 2"):
        library.faces.of_group(2)


def test_a_split_group_is_whole_again_after_undo_also_if_it_got_faces(library, photo_ids):
    ids = [library.faces.put(photo_id, [face(photo_id)], detector=DETECTOR)[0] for photo_id in photo_ids]
    vectors = [face(photo_id).vector.astype(float) for photo_id in photo_ids]
    library.faces.put_groups([FaceGroup(1, sum(vectors[:4]), 4)], faces=dict.fromkeys(ids[:4], 1))
    assert library.faces.split_group(1, ids[2:4]) == [1, 2]
    groups = {group.id: group for group in library.faces.groups()}
    assert [groups[number].face_count for number in (1, 2)] == [2, 2]
    assert np.allclose(groups[2].total, vectors[2] + vectors[3])
    library.faces.put_groups([FaceGroup(2, sum(vectors[2:]), 3)], faces={ids[4]: 2})
    library.history.undo()
    groups = {group.id: group for group in library.faces.groups()}
    assert [groups[number].face_count for number in (1, 2)] == [4, 1]
    assert np.allclose(groups[1].total, sum(vectors[:4]))
    assert not groups[2].is_fixed
    with pytest.raises(UsageError, match="nothing was merged into group 1"):
        library.faces.split_group(1)
