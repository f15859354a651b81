"""Learns what drawn photos look like to the finished model, so that camera photos can be told from them."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from PIL import Image

from photopal.concepts.initialize import cluster
from photopal.instances import load_encoder
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.scene import plan_scene
from photopal.vlm import PhotoFeatures, load_model
from photopal.vlm.ood import OODDetector, summarize

PHOTOS = 1600
OTHERS = 2000
ALARM = 0.002
"""The share of photos that a detector alone may refuse; two together refuse fewer."""

CENTERS = 24
_ALARM_OF_TWO = 0.0005
# Over the farthest of a few thousand photos, as others lie farther. To the encoder of pets and things camera
# photos lie much farther still: the nearest of 1,300 at 2.5 times that distance.
_SLACK, _SLACK_OF_SECOND = 1.1, 1.8
_RIDGE = 1e-6
_BATCH = 50
_SIDES_PX = (160, 224, 320, 512)
_COUNTS = (2, 6, 5, 3, 1)


def fit_ood_detector_to_folder(
    folder: Path, *, seed: int = 0, photos: int = PHOTOS, others: int = OTHERS
) -> OODDetector:
    """Fit on drawn photos as files would hold them, and write the result beside the model in the folder.

    Of `others`, with identities held out of training, a share of `ALARM` is beyond the limit. Where the
    encoder of pets and things is installed, a second detector is fitted to what it makes of the same photos.
    """
    model, encoder = load_model(folder), load_encoder()

    def encoded(seed: int, count: int, *, held_out: bool) -> tuple[list[PhotoFeatures], list[PhotoFeatures]]:
        images = islice(draw_pictures(seed, held_out=held_out), count)
        features: list[PhotoFeatures] = []
        glances: list[PhotoFeatures] = []
        while batch := list(islice(images, _BATCH)):
            features += model.encode_photos(batch)
            glances += [] if encoder is None else encoder.glance(batch)
        return features, glances

    seen, seen_at_a_glance = encoded(seed * 2, photos, held_out=False)
    unseen, unseen_at_a_glance = encoded(seed * 2 + 1, others, held_out=True)
    familiar = fit_ood_detector(seen, unseen, alarm=ALARM)
    if encoder is not None:
        # Their spread tells less than their mean here, and would make the file four times as large.
        second = fit_ood_detector(
            seen_at_a_glance, unseen_at_a_glance, alarm=_ALARM_OF_TWO, centers=1, has_spread=False
        )
        familiar = replace(
            familiar,
            second=replace(second, limit=_SLACK_OF_SECOND * second.limit),
            limit_with_second=_SLACK * farthest(familiar, unseen, alarm=_ALARM_OF_TWO),
        )
    familiar.save(folder)
    return familiar


def fit_ood_detector(
    photos: Sequence[PhotoFeatures],
    others: Sequence[PhotoFeatures],
    *,
    alarm: float,
    centers: int = CENTERS,
    has_spread: bool = True,
) -> OODDetector:
    """Learn what familiar photos look like: k-means centers, and the covariance of what is left.

    Args:
        photos: More than twice a patch vector's width and centers together.
        others: Further familiar photos, from which the limit is taken.
        alarm: The share of those that may count as strange, such as 0.002.
        centers: How many.
        has_spread: Whether photos are told by the spread of their vectors too, not by the mean alone.

    Raises:
        ValueError: There are too few photos.
    """
    summaries = torch.stack([summarize(features) for features in photos])
    if not has_spread:
        summaries = summaries[:, : summaries.shape[1] // 2]
    if len(summaries) <= summaries.shape[1] + centers or not others:
        raise ValueError("more photos than summaries are wide are needed, and others for the limit")
    found = cluster(summaries, centers, generator=torch.Generator().manual_seed(0))
    rest = (summaries - found[torch.cdist(summaries, found).argmin(dim=1)]).double()
    values, vectors = torch.linalg.eigh(rest.T @ rest / (len(summaries) - centers))
    # As exact as the file.
    whitening = (vectors / (values + _RIDGE).sqrt()).half().float()
    free = OODDetector(found, whitening, limit=0.0)
    return replace(free, limit=farthest(free, others, alarm=alarm))


def farthest(detector: OODDetector, photos: Sequence[PhotoFeatures], *, alarm: float) -> float:
    """Return the distance that a share of photos exceeds."""
    distances = torch.tensor([detector.distance(features) for features in photos], dtype=torch.float64)
    return float(distances.quantile(1 - alarm))


def draw_pictures(seed: int, *, held_out: bool) -> Iterator[Image.Image]:
    """Draw photos without end, of several sizes, through JPEG: what libraries of drawn photos hold."""
    rng = random.Random(seed)
    while True:
        cast = [draw_identity(rng, held_out=held_out) for _ in range(rng.choices(range(5), _COUNTS)[0])]
        drawn = draw_photo(plan_scene(cast, rng), size_px=rng.choice(_SIDES_PX))
        file = io.BytesIO()
        drawn.image.save(file, "JPEG", quality=rng.randint(70, 95))
        file.seek(0)
        yield Image.open(file).convert("RGB")
