"""Learns how registered pets and things look, and tells whether and where a photo shows them.

It knows neither library nor encoder: cells come in, verdicts go out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import torch
from torch import Tensor

from photopal.box import Box
from photopal.concepts.localize import concept_direction, find_regions, location_maps, map_scores
from photopal.instances.masks import CellMatches, find_subject_cells
from photopal.vlm.protocol import PhotoFeatures

K = TypeVar("K", bound=Hashable)

LEAST_ALBUM = 8
"""With fewer photos to compare with nothing is named: at most it looks like somebody."""

_TOP_CELLS = 3
_SMALL_SIDE = 0.25  # of a photo's
_SPREADS = 4.0
_LEAST_SPREAD = 0.01
_TOWARDS_HIGH = 0.3
_AT_HALF_BAND = math.log(9)  # half a band over the threshold the probability is 0.9


class InstanceVerdict(Enum):
    """What a photo's cells say about a concept."""

    ABSENT = "absent"
    UNSURE = "unsure"
    LOOKS_LIKE = "looks like"
    PRESENT = "present"


@dataclass(frozen=True)
class Reference:
    """A reference photo of a concept.

    Attributes:
        photo: Its cells.
        mask: Bool `[rows, cols]`, the cells the user marked by a box or mask (`localize.mask_cells`); None
            where the subject is to be found.
    """

    photo: PhotoFeatures
    mask: Tensor | None = None


@dataclass(frozen=True)
class InstanceEvidence:
    """What a photo's cells say about one concept.

    Attributes:
        verdict: Whether the photo shows it.
        probability: Of showing it, 0…1; 0.5 in the middle between photos with and without it.
        box: Where it shows most.
        point: The center of the cell that shows it most, x and y in fractions of the photo.
        score: What the verdict is from; only comparable between photos, not between concepts.
        threshold: The score from which on it counts as shown.
        nearest: The index of the reference photo that is most like it there.
    """

    verdict: InstanceVerdict
    probability: float
    box: Box
    point: tuple[float, float]
    score: float
    threshold: float
    nearest: int


@dataclass(frozen=True)
class ScoreBand:
    """Which scores of a concept mean what.

    Attributes:
        low: What photos without it stay below.
        high: What photos with it reach.
    """

    low: float
    high: float

    @property
    def threshold(self) -> float:
        """The score at which showing it is as likely as not."""
        return self.low + _TOWARDS_HIGH * (self.high - self.low)

    def probability(self, score: float) -> float:
        """Turn a score into a probability: 0.5 at the threshold, over 0.9 at the upper end."""
        exponent = (score - self.threshold) / max((self.high - self.low) / 2, 1e-6) * _AT_HALF_BAND
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, exponent))))


class InstanceRecognizer(Generic[K]):
    """Knows how some concepts look.

    Args:
        directions: `[concepts + 1, width]`, unit vectors; the last is the background's.
        bands: The scores of each concept, in the order of the directions.
        cautious: Concepts that are never named outright.
        examples: Of each concept `[references, width]`, the direction of each of its reference photos.
        separation: Of each concept how well its references, each left out, are told from other photos: the
            share of them that is found less that of the others; None with a single reference.
    """

    def __init__(
        self,
        directions: Tensor,
        bands: Mapping[K, ScoreBand],
        cautious: frozenset[K],
        *,
        examples: Mapping[K, Tensor],
        separation: Mapping[K, float | None],
    ) -> None:
        self._directions = directions
        self.bands = dict(bands)
        self._cautious = cautious
        self._examples = examples
        self.separation = dict(separation)

    def judge(
        self, photo: PhotoFeatures, larger: Callable[[], PhotoFeatures] | None = None
    ) -> dict[K, InstanceEvidence]:
        """Tell of every concept whether and where a photo shows it.

        Args:
            photo: Its cells.
            larger: Encodes it with more cells. It is called where the photo leaves some concept unsure, which
                a small subject does, and decides of those concepts that it shows better and as small: what is
                large and leaves a concept unsure is something like it.
        """
        evidence = self._judge(photo)
        unsure = [key for key, one in evidence.items() if one.verdict is InstanceVerdict.UNSURE]
        if larger is None or not unsure:
            return evidence
        second = self._judge(larger())
        return evidence | {
            key: second[key]
            for key in unsure
            if second[key].score > evidence[key].score
            and max(second[key].box.width, second[key].box.height) <= _SMALL_SIDE
        }

    def _judge(self, photo: PhotoFeatures) -> dict[K, InstanceEvidence]:
        if not self.bands:
            return {}
        maps = _concept_maps(photo, self._directions)
        scores = map_scores(maps, top=_TOP_CELLS).tolist()
        evidence = {}
        for (key, band), score, region in zip(
            self.bands.items(), scores, find_regions(maps, photo.frame), strict=True
        ):
            evidence[key] = InstanceEvidence(
                verdict=self._verdict(key, band, score),
                probability=band.probability(score),
                box=region.box,
                point=region.point,
                score=score,
                threshold=band.threshold,
                nearest=int((self._examples[key] @ _cell_at(photo.patches, region.point)).argmax()),
            )
        return evidence

    def _verdict(self, key: K, band: ScoreBand, score: float) -> InstanceVerdict:
        if score < band.low:
            return InstanceVerdict.ABSENT
        if score < band.threshold:
            return InstanceVerdict.UNSURE
        return InstanceVerdict.LOOKS_LIKE if key in self._cautious else InstanceVerdict.PRESENT


def learn_instances(
    references: Mapping[K, Sequence[Reference]],
    album: Sequence[PhotoFeatures],
    *,
    cautious: frozenset[K] = frozenset(),
    matches: CellMatches | None = None,
) -> InstanceRecognizer[K]:
    """Learn how concepts look from their reference photos and the user's own other photos.

    Every concept is learned against the others and the album, so all are learned together; it takes some
    milliseconds for each photo.

    Args:
        references: Reference photos of each concept; a concept without any is left out.
        album: A sample of the user's photos that are no reference photos, about 50; some may show concepts.
        cautious: Concepts that at most "look like" themselves: pets, whose breed has many that look the
            same, until the user has confirmed a few photos. All are, if the album has fewer than
            `LEAST_ALBUM` photos.
        matches: Makes learning anew with the cells of most photos the same several times as fast.
    """
    known = {key: list(photos) for key, photos in references.items() if photos}
    matches = matches or CellMatches()
    with matches.learning():
        masks = {key: _subject_masks(key, known, album, matches) for key in known}
    cells = {
        key: [one.photo.patches[mask] for one, mask in zip(known[key], masks[key], strict=True)]
        for key in known
    }
    background = _background(known, masks, album)
    directions = (
        torch.stack([*(concept_direction(torch.cat(cells[key])) for key in known), background])
        if known
        else torch.empty(0, 0)
    )
    bands: dict[K, ScoreBand] = {}
    separation: dict[K, float | None] = {}
    for index, key in enumerate(known):
        others = [one.photo for other, photos in known.items() if other != key for one in photos]
        negatives = _scores([*album, *others], directions, index)
        positives = _left_out_scores(known[key], cells[key], directions, index)
        bands[key] = fit_band(positives, negatives)
        found, mistaken = (
            float((scores >= bands[key].threshold).float().mean()) if len(scores) else 0.0
            for scores in (positives, negatives)
        )
        separation[key] = found - mistaken if len(positives) else None
    is_small = len(album) < LEAST_ALBUM
    return InstanceRecognizer(
        directions,
        bands,
        frozenset(known) if is_small else cautious,
        examples={key: torch.stack(list(map(concept_direction, parts))) for key, parts in cells.items()},
        separation=separation,
    )


def fit_band(positives: Tensor, negatives: Tensor) -> ScoreBand:
    """Find which scores mean what.

    The lower end is four spreads over the median of the negatives, and the spread is taken between their
    quartiles: so up to a quarter of them may show the concept, which nobody told.

    Args:
        positives: `[n]` scores of reference photos, each by what the others taught; may be empty.
        negatives: `[n]` scores of other photos; may be empty.
    """
    if not len(negatives):
        low = 0.0
        spread = _LEAST_SPREAD
    else:
        quartile, middle = torch.quantile(negatives, torch.tensor([0.25, 0.5])).tolist()
        spread = max((middle - quartile) / 0.674, _LEAST_SPREAD)
        low = middle + _SPREADS * spread
    high = float(torch.quantile(positives, 0.25)) if len(positives) else low
    return ScoreBand(low, max(high, low + spread))


def _concept_maps(photo: PhotoFeatures, directions: Tensor) -> Tensor:
    """Cosines with each concept, less the mean over all and the background: `[concepts, rows, cols]`."""
    maps = location_maps(photo.patches, directions)
    return maps[:-1] - maps.mean(dim=0)


def _cell_at(patches: Tensor, point: tuple[float, float]) -> Tensor:
    """The `[width]` cell at a point, in fractions of the photo that `[rows, cols, width]` cells cover."""
    rows, cols = patches.shape[:2]
    return patches[min(rows - 1, int(point[1] * rows)), min(cols - 1, int(point[0] * cols))]


def _scores(photos: Sequence[PhotoFeatures], directions: Tensor, index: int) -> Tensor:
    scores = [map_scores(_concept_maps(photo, directions)[index][None], top=_TOP_CELLS) for photo in photos]
    return torch.cat(scores) if scores else torch.empty(0)


def _left_out_scores(
    references: Sequence[Reference], cells: Sequence[Tensor], directions: Tensor, index: int
) -> Tensor:
    """The score of each reference photo by a direction that it had no part in; empty for a single photo."""
    if len(references) < 2:
        return torch.empty(0)
    scores = []
    for left_out, reference in enumerate(references):
        rest = torch.cat([photo for number, photo in enumerate(cells) if number != left_out])
        changed = directions.clone()
        changed[index] = concept_direction(rest)
        scores.append(_scores([reference.photo], changed, index))
    return torch.cat(scores)


def _subject_masks(
    key: K, known: Mapping[K, Sequence[Reference]], album: Sequence[PhotoFeatures], matches: CellMatches
) -> list[Tensor]:
    """The cells of the subject on each of a concept's photos; the user's word goes before what is found."""
    if all(one.mask is not None for one in known[key]):
        return [one.mask for one in known[key] if one.mask is not None]
    others = [one.photo.patches for other, photos in known.items() if other != key for one in photos]
    found = find_subject_cells(
        [one.photo.patches for one in known[key]], [*others, *(photo.patches for photo in album)], matches
    )
    return [mask if one.mask is None else one.mask for one, mask in zip(known[key], found, strict=True)]


def _background(
    known: Mapping[K, Sequence[Reference]],
    masks: Mapping[K, Sequence[Tensor]],
    album: Sequence[PhotoFeatures],
) -> Tensor:
    """The direction of all that is no subject: of the album, or of the reference photos without one."""
    cells = [photo.patches.flatten(0, 1) for photo in album]
    cells += [
        one.photo.patches[~mask]
        for key, photos in known.items()
        for one, mask in zip(photos, masks[key], strict=True)
        if not bool(mask.all())
    ]
    return concept_direction(torch.cat(cells)) if cells else torch.empty(0)
