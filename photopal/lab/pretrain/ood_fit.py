"""Learns what drawn photos look like to the finished model, so that camera photos can be told from them."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch
from PIL import Image

from photopal.concepts.initialize import cluster
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.scene import plan_scene
from photopal.vlm import PhotoFeatures, load_model
from photopal.vlm.ood import OODDetector, summarize

PHOTOS = 1600
OTHERS = 800
ALARM = 0.002
CENTERS = 24
_RIDGE = 1e-6
_BATCH = 50
_SIDES_PX = (160, 224, 320, 512)
_COUNTS = (2, 6, 5, 3, 1)


def fit_ood_detector_to_folder(
    folder: Path, *, seed: int = 0, photos: int = PHOTOS, others: int = OTHERS
) -> OODDetector:
    """Fit on drawn photos as files would hold them, and write the result beside the model in the folder.

    Of `others`, with identities held out of training, a share of `ALARM` is beyond the limit.
    """
    model = load_model(folder)

    def encoded(seed: int, count: int, *, held_out: bool) -> list[PhotoFeatures]:
        images = islice(draw_pictures(seed, held_out=held_out), count)
        features: list[PhotoFeatures] = []
        while batch := list(islice(images, _BATCH)):
            features += model.encode_photos(batch)
        return features

    seen = encoded(seed * 2, photos, held_out=False)
    familiar = fit_ood_detector(seen, encoded(seed * 2 + 1, others, held_out=True), alarm=ALARM)
    familiar.save(folder)
    return familiar


def fit_ood_detector(
    photos: Sequence[PhotoFeatures], others: Sequence[PhotoFeatures], *, alarm: float, centers: int = CENTERS
) -> OODDetector:
    """Learn what familiar photos look like: k-means centers, and the covariance of what is left.

    Args:
        photos: More than twice a patch vector's width and centers together.
        others: Further familiar photos, from which the limit is taken.
        alarm: The share of those that may count as strange, such as 0.002.
        centers: How many.

    Raises:
        ValueError: There are too few photos.
    """
    summaries = torch.stack([summarize(features) for features in photos])
    if len(summaries) <= summaries.shape[1] + centers or not others:
        raise ValueError("more photos than summaries are wide are needed, and others for the limit")
    found = cluster(summaries, centers, generator=torch.Generator().manual_seed(0))
    rest = (summaries - found[torch.cdist(summaries, found).argmin(dim=1)]).double()
    values, vectors = torch.linalg.eigh(rest.T @ rest / (len(summaries) - centers))
    whitening = (vectors / (values + _RIDGE).sqrt()).float()
    free = OODDetector(found, whitening, limit=0.0)
    distances = torch.tensor([free.distance(features) for features in others], dtype=torch.float64)
    return OODDetector(found, whitening, float(distances.quantile(1 - alarm)))


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
