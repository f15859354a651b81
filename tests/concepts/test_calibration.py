"""From scores to a verdict: thresholds between photos with and without a concept."""

import pytest
import torch

from photopal.concepts.calibration import (
    Calibration,
    Verdict,
    calibrate,
    fit_yes_bias,
    without_bias,
)
from photopal.concepts.localize import (
    contested_places,
    find_region,
    find_regions,
    location_maps,
    map_scores,
    suppress_rivals,
)


def test_groups_that_are_apart_are_told_apart_and_only_the_weakest_photo_is_unsure():
    with_it, without = torch.tensor([0.8, 0.85, 0.9, 0.7]), torch.tensor([0.1, 0.2, 0.3, 0.25])
    learned = calibrate(with_it, without)
    assert [learned.judge(float(score)) for score in with_it] == [Verdict.PRESENT] * 3 + [Verdict.UNSURE]
    assert all(learned.judge(float(score)) is Verdict.ABSENT for score in without)
    assert learned.judge(learned.threshold) is Verdict.UNSURE


def test_groups_that_overlap_leave_a_band_within_the_overlap_open():
    learned = calibrate(torch.tensor([0.2, 0.4, 0.6, 0.8]), torch.tensor([0.1, 0.3, 0.5, 0.7]))
    assert 0.1 < learned.low < learned.high < 0.8
    assert learned.judge(learned.threshold) is Verdict.UNSURE
    assert learned.judge(0.9) is Verdict.PRESENT
    assert learned.judge(0.0) is Verdict.ABSENT


def test_one_photo_of_each_kind_is_enough():
    learned = calibrate(torch.tensor([0.9]), torch.tensor([0.1]))
    assert learned.judge(0.9) is Verdict.PRESENT
    assert learned.judge(0.1) is Verdict.ABSENT


def test_a_band_without_width_judges_too():
    assert Calibration(0.5, 0.5).judge(0.5) is Verdict.PRESENT


def test_a_patch_belongs_to_the_concept_that_fits_it_best():
    directions = torch.eye(3)[:2]
    patches = torch.tensor([[[1.0, 0.6, 0.0], [0.6, 1.0, 0.0]]])
    plain = location_maps(patches, directions)
    contested = suppress_rivals(plain)
    assert torch.equal(contested[0, 0, 0], plain[0, 0, 0])
    assert contested[1, 0, 0] < plain[1, 0, 0]
    assert torch.equal(suppress_rivals(plain[:1]), plain[:1])


def test_a_place_is_contested_by_those_who_fit_it_as_well_or_nearly_so():
    maps = torch.tensor([[[0.9, 0.1]], [[0.8, 0.2]], [[0.1, 0.7]]])
    lowered = suppress_rivals(maps)
    assert contested_places(maps, lowered, [0.05] * 3).tolist() == [
        [False, True, False],  # the second is highest where the first fits better
        [False, False, False],
        [False, False, False],
    ]
    assert contested_places(maps, lowered, [0.15] * 3)[1, 0]
    assert contested_places(maps[:1], maps[:1], [0.1]).tolist() == [[False]]


def test_the_place_of_a_peak_is_the_region_around_it_on_the_photo():
    location_map = torch.zeros(4, 4)
    location_map[1, 2], location_map[1, 3], location_map[3, 0] = 1.0, 0.8, 0.9
    place = find_region(location_map, (0.0, 0.0, 1.0, 1.0))
    assert place.point == (0.625, 0.375)
    assert place.box == (0.5, 0.25, 0.5, 0.25)
    assert map_scores(location_map[None], top=2).tolist() == [torch.tensor([1.0, 0.9]).mean().item()]


def test_a_score_has_its_place_in_the_band():
    band = Calibration(0.2, 0.6)
    assert [round(band.share(score), 3) for score in (0.0, 0.2, 0.3, 0.6, 1.0)] == [0, 0, 0.25, 1, 1]
    assert Calibration(0.5, 0.5).share(0.5) == 1.0


def test_many_places_are_found_at_once_as_each_alone():
    maps = torch.rand(20, 9, 7, generator=torch.Generator().manual_seed(3)) - 0.3
    frame = (-0.2, 0.1, 1.4, 0.8)
    assert find_regions(maps, frame) == [find_region(one, frame) for one in maps]
    assert find_regions(maps[:0], frame) == []


def test_the_bias_towards_yes_is_where_both_answers_are_missed_alike():
    yes, no = [1.0, 2.0, 3.0], [-1.0, 0.0, 0.5]
    bias = fit_yes_bias(yes, no)
    assert 0.5 < bias < 1.0
    assert fit_yes_bias([m + 2 for m in yes], [m + 2 for m in no]) == pytest.approx(bias + 2, abs=0.2)
    assert fit_yes_bias(yes * 10, no) == pytest.approx(bias, abs=1e-6)  # however often each is asked
    assert fit_yes_bias([1.0, -1.0], [1.0, -1.0]) == pytest.approx(0.0, abs=1e-6)


def test_where_all_answers_are_sure_or_alike_there_is_no_bias():
    assert abs(fit_yes_bias([12.0, 15.0], [-9.0, -8.0])) < 0.1
    assert fit_yes_bias([1.0], []) == fit_yes_bias([], [1.0]) == 0.0


def test_a_share_of_yes_without_its_bias():
    assert without_bias(0.5, 0.0) == 0.5
    assert without_bias(torch.sigmoid(torch.tensor(2.0)).item(), 2.0) == pytest.approx(0.5)
    assert without_bias(0.0, 3.0) == 0.0
    assert without_bias(1.0, 3.0) == 1.0
