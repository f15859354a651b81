"""Of several people on the reference photos the one who recurs is meant; two who do are a question."""

import numpy as np

from photopal.faces.recurring import find_recurring

NOBODY = np.empty((0, 128), np.float32)


def photo(crowd, *people):
    return np.concatenate([crowd.vectors(who) for who in people])


def test_the_face_that_recurs_is_found_wherever_it_stands(crowd):
    photos = [photo(crowd, "x", "anna"), photo(crowd, "anna", "y", "z"), photo(crowd, "w", "v", "anna")]
    found = find_recurring(photos)
    assert found.indexes == (1, 0, 2)
    assert not found.is_tie


def test_a_photo_on_which_they_have_no_face_has_none(crowd):
    found = find_recurring([photo(crowd, "anna"), NOBODY, photo(crowd, "x", "anna"), photo(crowd, "y")])
    assert found.indexes == (0, None, 1, None)
    assert not found.is_tie


def test_a_couple_on_every_photo_is_a_tie(crowd):
    found = find_recurring([photo(crowd, "anna", "ben"), photo(crowd, "ben", "anna")])
    assert found.is_tie
    assert {found.indexes, *found.rivals} == {(0, 1), (1, 0)}


def test_two_faces_on_the_only_photo_are_a_tie(crowd):
    assert find_recurring([photo(crowd, "anna", "ben")]).is_tie
    assert not find_recurring([photo(crowd, "anna")]).is_tie


def test_one_photo_more_breaks_the_tie(crowd):
    photos = [photo(crowd, "anna", "ben"), photo(crowd, "ben", "anna"), photo(crowd, "anna")]
    found = find_recurring(photos)
    assert (found.indexes, found.is_tie) == ((0, 1, 0), False)


def test_without_any_face_there_is_nothing_to_find():
    assert find_recurring([NOBODY, NOBODY]) is None
    assert find_recurring([]) is None
