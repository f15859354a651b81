"""Families drawn in memory hold what they say: held-out identities, masks, and the truth of every photo."""

from __future__ import annotations

import pytest

from photopal.lab.datasets.drawn_scenarios import CALIBRATION_NEGATIVES, FamilyOptions, draw_family
from photopal.lab.synthetic.identity import is_held_out

SMALL = FamilyOptions(concepts=2, photos=2, tests=6, size_px=128)


@pytest.fixture(scope="module")
def family():
    return draw_family(3, SMALL)


def test_a_family_shows_identities_that_training_never_saw(family):
    assert all(is_held_out(identity) for identity in family.cast)
    for test in family.tests:
        assert all(is_held_out(subject.identity) for subject in test.drawn.scene.subjects)


def test_the_same_seed_draws_the_same_family(family):
    again = draw_family(3, SMALL)
    assert again.cast == family.cast
    assert {path: image.tobytes() for path, image in again.images.items()} == {
        path: image.tobytes() for path, image in family.images.items()
    }


def test_the_truth_of_a_test_photo_is_who_its_scene_shows(family):
    for test in family.tests:
        shown = {subject.identity for subject in test.drawn.scene.subjects}
        assert {family.cast[index] for index in test.present} == shown & set(family.cast)
        assert set(test.boxes) == set(test.present)
        assert family.images[test.path] is test.drawn.image


def test_reference_photos_have_masks_and_negatives_are_for_thresholds_first(family):
    for concept in family.scenario.concepts:
        for photo in concept.train:
            mask = photo.regions[concept.name].mask
            assert mask.shape == family.images[photo.path].size[::-1]
            assert mask.any()
    assert len(family.calibration) == len(family.negatives) == CALIBRATION_NEGATIVES
    assert len({photo.path for photo in (*family.calibration, *family.negatives)}) == 16


def test_a_family_with_lookalikes_has_two_who_differ_in_little():
    cast = draw_family(1, FamilyOptions(photos=1, tests=1, has_lookalikes=True, size_px=64)).cast
    first, second = vars(cast[0]), vars(cast[1])
    assert first.keys() == second.keys()
    assert 1 <= sum(first[name] != second[name] for name in first) <= 2
