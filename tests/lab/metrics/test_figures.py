"""Every figure against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from photopal.lab.metrics.intervals import bootstrap, bootstrap_counts, paired_bootstrap
from photopal.lab.metrics.localization import is_in_mask, mask_box, overlap
from photopal.lab.metrics.text_scores import (
    character_score,
    count_names,
    is_exact,
    names_f1,
    rotations,
    substring_recall,
    word_f1,
    words_of,
)
from photopal.lab.metrics.yes_no import (
    auroc,
    calibration_error,
    choose_threshold,
    false_positive_rate,
    weighted_recall,
)


def test_weighted_recall_is_the_mean_of_both_recalls():
    truths = [True, True, True, True, False, False]
    says = [True, True, True, False, True, False]
    assert weighted_recall(truths, says) == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_answering_always_yes_is_worth_one_half_whatever_the_balance():
    assert weighted_recall([True] * 9 + [False], [True] * 10) == 0.5


def test_without_negatives_weighted_recall_is_the_recall_of_yes():
    assert weighted_recall([True, True], [True, False]) == 0.5
    assert math.isnan(weighted_recall([], []))


def test_auroc_counts_pairs_in_order_and_ties_as_half():
    # Pairs of positive and negative: 0.9>0.8, 0.9>0.1, 0.8=0.8, 0.8>0.1, 0.3<0.8, 0.3>0.1.
    assert auroc([True, True, False, True, False], [0.9, 0.8, 0.8, 0.3, 0.1]) == pytest.approx(4.5 / 6)
    assert auroc([True, False], [0.4, 0.4]) == 0.5
    assert math.isnan(auroc([True, True], [0.1, 0.2]))


def test_the_false_positive_rate_is_taken_where_nine_of_ten_positives_are_found():
    positives = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.1]
    assert false_positive_rate(positives, [0.61, 0.6, 0.59, 0.0]) == 0.5
    assert false_positive_rate(positives, [0.61, 0.6, 0.59, 0.0], recall=1.0) == 0.75
    assert math.isnan(false_positive_rate([], [0.5]))


def test_calibration_error_is_the_distance_of_share_and_probability_in_each_bin():
    # Bin 0.2: p 0.25, share 1/2, two questions; bin 0.9: mean p 0.95, share 1, two questions.
    truths, p = [True, False, True, True], [0.25, 0.25, 0.9, 1.0]
    assert calibration_error(truths, p) == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)
    assert calibration_error([True, False], [1.0, 0.0]) == 0.0


def test_the_threshold_is_the_best_on_what_it_is_given_and_near_the_default():
    assert choose_threshold([0.9, 0.8], [0.7, 0.6]) == pytest.approx(0.75)
    assert choose_threshold([0.9, 0.8], [0.3, 0.2]) == 0.5
    assert choose_threshold([0.2, 0.3], [0.1]) == pytest.approx(0.15)
    assert choose_threshold([], [0.9]) == 0.5


def test_the_authors_score_is_of_characters_and_their_pairs():
    # "abcd" against "abxd": characters 3/4, pairs 1/3, no brevity penalty.
    assert character_score("abcd", "abxd") == pytest.approx((3 / 4) ** 0.7 * (1 / 3) ** 0.3)
    # "ab" against "abcd": all characters and pairs right, brevity penalty exp(1 - 4/2).
    assert character_score("abcd", "ab") == pytest.approx(math.exp(-1))
    # "ba" against "ab": no pair right counts as a tenth.
    assert character_score("ab", "ba") == pytest.approx(0.1**0.3)
    assert character_score("ab", "ab") == 1.0
    assert character_score("ab", "xy") == character_score("ab", "") == 0.0


def test_the_authors_score_favours_a_wrong_answer_of_the_same_letters():
    """Why it is not called BLEU and never stands alone."""
    wrong = character_score("Anna is on the left.", "Anna is in the loft.")
    assert wrong > 0.8
    assert not is_exact("Anna is on the left.", "Anna is in the loft.")


def test_a_repeated_character_counts_as_often_as_it_is_true():
    assert character_score("ab", "aaa") == pytest.approx((1 / 3) ** 0.7 * (0.1 / 2) ** 0.3)


def test_words_are_compared_without_case_articles_and_punctuation():
    assert words_of("On the Left.") == ["on", "left"]
    assert is_exact("A red top.", "the red top")
    assert not is_exact("A red top.", "top red")
    assert word_f1("a red striped top", "a red top") == pytest.approx(2 * 2 / (3 + 2))
    assert word_f1("red red", "red") == pytest.approx(2 / 3)
    assert word_f1("red", "blue") == 0.0
    assert word_f1("", "") == 1.0


def test_rotations_put_every_option_once_in_every_place():
    turned = rotations(("x", "y", "z"))
    assert turned == [("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")]


def test_a_substring_satisfies_the_authors_and_not_the_honest_count():
    caption = "Alex is waving in the garden."
    assert substring_recall(caption, ["A", "Alex"]) == 1.0
    told = count_names(caption, ["A", "Alex"], ["A", "Alex", "Bo"])
    assert (told.hits, told.wrong, told.missing) == (1, 0, 1)


def test_wrong_and_missing_names_lower_f1():
    told = count_names("Bo and Cleo sit there.", ["Alex", "Bo"], ["Alex", "Bo", "Cleo"])
    assert (told.hits, told.wrong, told.missing) == (1, 1, 1)
    assert names_f1(told.hits, told.wrong, told.missing) == 0.5
    assert names_f1(0, 0, 0) == 1.0
    assert math.isnan(substring_recall("x", []))


def test_a_point_lies_in_a_mask_of_a_wide_and_of_a_square_photo():
    wide = np.zeros((2, 4), dtype=bool)
    wide[0, 3] = True
    assert is_in_mask((0.8, 0.2), wide)
    assert not is_in_mask((0.2, 0.8), wide)
    assert is_in_mask((1.0, 0.0), wide)
    square = np.eye(3, dtype=bool)
    assert is_in_mask((0.5, 0.5), square)
    assert not is_in_mask((0.9, 0.1), square)


def test_boxes_around_masks_and_their_overlap():
    mask = np.zeros((4, 8), dtype=bool)
    mask[1:3, 2:4] = True
    assert mask_box(mask) == (0.25, 0.25, 0.25, 0.5)
    assert mask_box(np.zeros((2, 2), dtype=bool)) is None
    assert overlap((0, 0, 0.5, 0.5), (0.25, 0, 0.5, 0.5)) == pytest.approx(0.125 / 0.375)
    assert overlap((0, 0, 0.2, 0.2), (0.5, 0.5, 0.2, 0.2)) == 0.0


def test_an_interval_draws_whole_scenarios():
    scenarios = [[0.0] * 10, [1.0] * 10]
    pooled = lambda drawn: float(np.mean([v for one in drawn for v in one]))  # noqa: E731
    assert bootstrap(pooled, scenarios, rounds=200) == (0.0, 1.0)
    assert bootstrap(pooled, scenarios, seed=3) == bootstrap(pooled, scenarios, seed=3)
    assert all(math.isnan(end) for end in bootstrap(pooled, scenarios[:1]))


def test_a_paired_interval_sees_a_difference_that_single_ones_hide():
    first = [float(n) for n in range(10)]
    second = [value - 0.5 for value in first]
    mean = lambda drawn: float(np.mean(drawn))  # noqa: E731
    assert paired_bootstrap(mean, (first, second)) == pytest.approx((0.5, 0.5))
    low, high = bootstrap(mean, first)
    assert low < float(np.mean(second)) < high
    with pytest.raises(ValueError, match="10 scenarios against 9"):
        paired_bootstrap(mean, (first, second[:9]))


def test_an_interval_of_counts_is_that_of_drawing_their_clusters():
    counts = np.array([[3.0, 4.0], [1.0, 4.0], [4.0, 4.0], [2.0, 4.0], [4.0, 4.0]])
    by_counts = bootstrap_counts(lambda sums: sums[..., 0] / sums[..., 1], counts, rounds=4000)
    one_by_one = bootstrap(lambda drawn: float(np.mean(drawn)), (counts[:, 0] / 4).tolist(), rounds=4000)
    assert by_counts == pytest.approx(one_by_one, abs=0.05)
    assert by_counts[0] < 14 / 20 < by_counts[1]
