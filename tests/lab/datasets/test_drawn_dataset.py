"""The drawn world in the layout of MC-LLaVA: true, complete, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from photopal.errors import DatasetError
from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn
from photopal.lab.datasets.drawn_scenarios import (
    LEAST_DIFFERENCE,
    LEAST_STEP,
    NAMES,
    difference,
    difference_to,
    draw_cast,
    in_place_of,
    name_of,
    nearly_same,
)
from photopal.lab.experiments.photo_store import read_mask
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import Person, is_held_out
from photopal.lab.synthetic.painting.people import Clothes
from photopal.lab.synthetic.scene import Scene, Subject

SMALL = DrawnOptions(
    scenarios=3,
    lookalikes=1,
    train=3,
    test=2,
    multi=2,
    negatives=6,
    siblings=1,
    size_px=64,
    near_duplicates=1,
)

SIZE = (64, 64)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "scenes"
    write_drawn(folder, SMALL, seed=5)
    return folder


@pytest.mark.slow
def test_scenarios_have_two_three_and_four_concepts(drawn):
    dataset = load_dataset(drawn)
    assert [len(scenario.concepts) for scenario in dataset.scenarios] == [2, 3, 4, 2]
    assert [scenario.group for scenario in dataset.scenarios] == ["plain"] * 3 + ["lookalike"]
    for scenario in dataset.scenarios:
        assert len(scenario.multi) == 2
        for concept in scenario.concepts:
            assert len(concept.train) + len(concept.validation) == 3
            assert len(concept.test) == 2
            assert concept.about


def test_the_count_of_photos_is_that_of_the_files(tmp_path):
    options = DrawnOptions(scenarios=1, train=1, test=1, multi=1, negatives=1, siblings=1, size_px=64)
    photos = write_drawn(tmp_path / "x", options)
    files = [p for p in (tmp_path / "x").rglob("*.png") if "masks" not in p.parts and "_mask" not in p.stem]
    assert photos == len(files) == 2 * (1 + 1 + 1) + 1 + 1


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_writes_the_same_files(tmp_path):
    options = DrawnOptions(scenarios=1, train=1, test=1, multi=1, negatives=1, siblings=1, size_px=64)
    for folder, seed in (("first", 5), ("again", 5), ("other", 6)):
        write_drawn(tmp_path / folder, options, seed=seed)
    assert files_of(tmp_path / "first") == files_of(tmp_path / "again")
    assert files_of(tmp_path / "first") != files_of(tmp_path / "other")


def test_every_test_photo_has_a_mask_of_everyone_it_shows(drawn):
    for scenario in load_dataset(drawn).scenarios:
        for photo in scenario.test_photos:
            assert photo.regions
            for place in photo.regions.values():
                assert read_mask(place.mask, SIZE).any()


def test_the_last_photo_of_several_lacks_somebody(drawn):
    for scenario in load_dataset(drawn).scenarios:
        *others, last = scenario.multi
        assert all(not photo.absent for photo in others)
        assert len(last.absent) == 1
        assert set(last.regions) | set(last.absent) == set(scenario.names)


def test_the_mask_of_the_one_on_the_left_is_on_the_left(drawn):
    for scenario in load_dataset(drawn).scenarios:
        for photo in scenario.multi:
            for place in photo.regions.values():
                columns = np.nonzero(read_mask(place.mask, SIZE))[1]
                middle = columns.mean() / SIZE[0]
                assert {"left": middle < 0.6, "middle": 0.15 < middle < 0.85, "right": middle > 0.4}[
                    place.words
                ]


def test_questions_have_options_and_answers_among_them(drawn):
    for scenario in load_dataset(drawn).scenarios:
        m, photos = len(scenario.concepts), len(scenario.multi)
        choices = [q for q in scenario.questions if q.task in ("choice", "grounding")]
        assert all(len(q.options) >= 2 and q.answer in "ABCD"[: len(q.options)] for q in choices)
        assert sum(q.kind == "si_sq" for q in choices) == 2 * m
        assert sum(q.kind == "mi_mq" for q in choices) == photos * (m - 1)
        assert sum(q.kind == "text" for q in choices) == 2 * m
        free = [q for q in scenario.questions if q.task == "vqa"]
        assert len(free) == 2 * m + photos * (2 + m - 1)
        assert all(q.answer and "<" not in q.text + q.answer for q in free)


def test_right_letters_are_spread(drawn):
    letters = [q.answer for s in load_dataset(drawn).scenarios for q in s.questions if q.options]
    assert all(letters.count(letter) > len(letters) / 8 for letter in "ABC")


def test_names_are_unique_and_some_stand_within_others():
    names = [name_of(number) for number in range(3 * len(NAMES))]
    assert len(set(names)) == len(names)
    assert all("_" not in name for name in names)
    assert {"Al", "Alex", "Ana", "Anna"} <= set(names)


def test_nobody_was_trained_on_and_nobody_is_in_two_scenarios():
    rng = random.Random(2)
    first = draw_cast(rng, 4, set(), has_lookalikes=False)
    second = draw_cast(rng, 4, set(first), has_lookalikes=True)
    looks = [*first, *second]
    assert all(is_held_out(look) for look in looks)
    assert len(set(looks)) == 8


def test_lookalikes_of_a_scenario_differ_in_little():
    for seed in range(5):
        one, other = draw_cast(random.Random(seed), 2, set(), has_lookalikes=True)
        assert one.kind == other.kind
        assert 1 <= sum(vars(one)[key] != vars(other)[key] for key in vars(one)) <= 2


def test_lookalikes_of_a_scenario_are_told_to_the_evaluation(drawn):
    *plain, alike = load_dataset(drawn).scenarios
    assert all(concept.sibling is None for scenario in plain for concept in scenario.concepts)
    first, second = alike.concepts
    assert (first.sibling, second.sibling) == (second.name, first.name)
    assert all(photo.resembles in alike.names for photo in alike.lookalikes)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DatasetError, match="not empty") as refused:
        write_drawn(tmp_path, SMALL)
    assert "an empty folder" in refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


SHORN = Person("tan", "red", "short", "none", "none", "slim", "adult", has_freckles=False)


def photo_of(look, **place):
    """One adult in the middle of a photo, bareheaded."""
    facts = {"activity": "standing", "x": 0.5, "ground": 0.95, "height": 0.8, "is_mirrored": False} | place
    clothes = Clothes("blue", "plain", "black", "none", "red")
    scene = Scene("beach", "day", (Subject(look, clothes=clothes, **facts),), seed=4)
    return draw_photo(scene, size_px=64)


def test_another_hair_color_shows_and_one_beyond_the_edge_does_not():
    other = replace(SHORN, hair_color="blue")
    assert difference_to(photo_of(SHORN), SHORN, other) >= LEAST_DIFFERENCE
    headless = photo_of(SHORN, ground=0.4)
    assert headless.mask(0).any()
    assert difference_to(headless, SHORN, other) < LEAST_DIFFERENCE


def test_who_is_not_on_a_photo_differs_from_nobody_there():
    other = replace(SHORN, hair_color="blue")
    assert difference_to(photo_of(SHORN), other, SHORN) == 0.0


def test_a_near_duplicate_can_be_told_from_its_photo_and_is_the_same_elsewhere():
    photo = photo_of(SHORN)
    twin = nearly_same(photo, SHORN)
    assert twin.scene.subjects[0].identity != SHORN
    assert difference(photo, twin, SHORN) >= LEAST_DIFFERENCE
    elsewhere = ~(photo.mask(0) | twin.mask(0))
    steps = np.abs(np.asarray(photo.image, dtype=int) - np.asarray(twin.image, dtype=int)).max(axis=2)
    assert (steps[elsewhere] > LEAST_STEP).mean() < 0.02
    assert np.array_equal(
        np.asarray(in_place_of(twin, twin.scene.subjects[0].identity, SHORN).image), photo.image
    )


def test_near_duplicates_on_disk_all_differ_from_their_photos(drawn):
    seen = 0
    for scenario in load_dataset(drawn).scenarios:
        tested = {concept.name: concept.test for concept in scenario.concepts}
        for twin in (one for one in scenario.lookalikes if one.negative == "near-duplicate"):
            assert twin.resembles is not None
            original = tested[twin.resembles][int(twin.path.stem)]
            mask = read_mask(original.regions[twin.resembles].mask, SIZE)
            with Image.open(twin.path) as one, Image.open(original.path) as other:
                steps = np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max(axis=2)
            # The mask on disk is that of the original alone, which may be the smaller of the two.
            assert (steps > LEAST_STEP).sum() >= 0.5 * LEAST_DIFFERENCE * mask.sum()
            seen += 1
    assert seen == sum(len(scenario.concepts) for scenario in load_dataset(drawn).scenarios)
