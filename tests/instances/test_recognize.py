import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from photopal.instances import InstanceVerdict, Reference, learn_instances
from photopal.instances.encoder import features_of
from photopal.instances.recognize import ScoreBand, fit_band
from photopal.vlm.protocol import PhotoFeatures

WIDTH, SIDE = 32, 10
GENERATOR = torch.Generator().manual_seed(5)
REX, BAG, OTHER = normalize(torch.randn(3, WIDTH, generator=GENERATOR), dim=1)
CORNERS = [(0, 0), (3, 5), (1, 6), (5, 2)]


def photo(subject: Tensor | None = None, corner: tuple[int, int] = (4, 4), *, side: int = 4) -> PhotoFeatures:
    """Noise with a subject of four by four cells, or of another size."""
    cells = torch.randn(SIDE, SIDE, WIDTH, generator=GENERATOR)
    if subject is not None:
        row, col = corner
        cells[row : row + side, col : col + side] = 5 * subject
    return features_of(cells + 0.5 * torch.randn(cells.shape, generator=GENERATOR))


def references(subject: Tensor, count: int = 3) -> list[Reference]:
    return [Reference(photo(subject, corner)) for corner in CORNERS[:count]]


ALBUM = [photo(OTHER if number % 4 == 0 else None) for number in range(16)]


@pytest.fixture(autouse=True)
def same_noise() -> None:
    """The same noise for a test whichever other tests this process runs."""
    GENERATOR.manual_seed(6)


def test_a_registered_thing_is_present_where_it_is_and_absent_elsewhere() -> None:
    recognizer = learn_instances({"Rex": references(REX), "bag": references(BAG)}, ALBUM)
    shown = recognizer.judge(photo(REX, (6, 0)))
    assert shown["Rex"].verdict is InstanceVerdict.PRESENT
    assert shown["Rex"].probability > 0.9
    x, y = shown["Rex"].point
    assert 0.0 < x < 0.4
    assert 0.6 < y < 1.0
    assert shown["Rex"].box.x == pytest.approx(0.0, abs=0.11)
    assert shown["Rex"].box.bottom == pytest.approx(1.0, abs=0.11)
    assert shown["bag"].verdict is InstanceVerdict.ABSENT
    assert shown["bag"].probability < 0.1
    stranger = recognizer.judge(photo(OTHER))
    assert {one.verdict for one in stranger.values()} == {InstanceVerdict.ABSENT}


def test_a_single_concept_is_told_from_the_album() -> None:
    recognizer = learn_instances({"Rex": references(REX)}, ALBUM)
    assert recognizer.judge(photo(REX))["Rex"].verdict is InstanceVerdict.PRESENT
    assert recognizer.judge(photo(OTHER))["Rex"].verdict is InstanceVerdict.ABSENT


def test_photos_of_the_album_that_show_a_concept_untold_do_not_hide_it() -> None:
    album = [*ALBUM, photo(REX), photo(REX, (1, 1)), photo(REX, (5, 5))]
    recognizer = learn_instances({"Rex": references(REX), "bag": references(BAG)}, album)
    assert recognizer.judge(photo(REX, (2, 3)))["Rex"].verdict is InstanceVerdict.PRESENT


def test_a_cautious_concept_only_looks_like_itself() -> None:
    known = {"Rex": references(REX), "bag": references(BAG)}
    recognizer = learn_instances(known, ALBUM, cautious=frozenset({"Rex"}))
    assert recognizer.judge(photo(REX))["Rex"].verdict is InstanceVerdict.LOOKS_LIKE
    assert recognizer.judge(photo(BAG))["bag"].verdict is InstanceVerdict.PRESENT


def test_without_an_album_nothing_is_named_outright() -> None:
    recognizer = learn_instances({"Rex": references(REX), "bag": references(BAG)}, ALBUM[:7])
    assert recognizer.judge(photo(REX))["Rex"].verdict is InstanceVerdict.LOOKS_LIKE
    alone = learn_instances({"Rex": references(REX, 1)}, [])
    assert alone.judge(photo(REX))["Rex"].verdict is not InstanceVerdict.PRESENT


def test_the_users_mask_goes_before_what_is_found() -> None:
    """The bag recurs on all photos of Rex; only the masks say who is meant."""
    marked = []
    for corner in CORNERS[:3]:
        cells = photo(REX, (6, 6)).patches
        cells[corner[0] : corner[0] + 3, corner[1] : corner[1] + 3] = 5 * BAG
        mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        mask[7:, 8:] = True
        marked.append(Reference(features_of(cells), mask))
    recognizer = learn_instances({"Rex": marked}, ALBUM)
    assert recognizer.judge(photo(REX))["Rex"].verdict is InstanceVerdict.PRESENT
    assert recognizer.judge(photo(BAG))["Rex"].verdict is InstanceVerdict.ABSENT


def test_concepts_without_reference_photos_are_left_out() -> None:
    assert list(learn_instances({"Rex": [], "bag": references(BAG)}, ALBUM).judge(photo())) == ["bag"]
    assert learn_instances({}, ALBUM).judge(photo()) == {}


def test_untold_positives_among_the_negatives_do_not_lift_the_threshold_over_themselves() -> None:
    negatives = torch.linspace(-0.1, 0.1, 101)
    positives = torch.tensor([0.9, 0.8, 0.85])
    clean = fit_band(positives, negatives)
    mixed = fit_band(positives, torch.cat([negatives, torch.full((30,), 0.8)]))
    assert clean.low < clean.threshold < clean.high < 0.85
    assert mixed.threshold < 0.6


def test_probability_rises_with_the_score_and_is_even_at_the_threshold() -> None:
    band = ScoreBand(0.2, 0.6)
    assert band.probability(band.threshold) == pytest.approx(0.5)
    assert 0.1 < band.probability(band.low) < 0.3
    assert band.probability(band.high) > 0.9
    assert band.probability(-100) < 1e-9
    assert band.probability(100) > 1 - 1e-9


def test_a_closer_look_is_taken_only_where_the_first_leaves_somebody_unsure() -> None:
    recognizer = learn_instances({"Rex": references(REX), "bag": references(BAG)}, ALBUM)
    absent, present, large = photo(OTHER), photo(REX, side=2), photo(REX)
    mixed = [
        features_of(present.patches.lerp(absent.patches, float(share))) for share in torch.linspace(0, 1, 40)
    ]
    faint = next(one for one in mixed if recognizer.judge(one)["Rex"].verdict is InstanceVerdict.UNSURE)
    looks: list[PhotoFeatures] = []

    def closer() -> PhotoFeatures:
        looks.append(present)
        return present

    for sure in (absent, present):
        assert recognizer.judge(sure, closer) == recognizer.judge(sure)
    assert looks == []
    found = recognizer.judge(faint, closer)
    assert len(looks) == 1
    assert found["Rex"] == recognizer.judge(present)["Rex"]
    assert found["bag"] == recognizer.judge(faint)["bag"]
    for other in (absent, large):
        assert recognizer.judge(faint, lambda other=other: other) == recognizer.judge(faint)
