"""Finds the photos that look most alike, by what the model's vision tower makes of them; knows no terminal.

A vector is the mean of the raw patch vectors over the photo itself, its padding left out. Those of
a library are compared one by one, so that nothing near is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photopal.errors import PhotoError
from photopal.library import Library, PhotoRecord
from photopal.library.originals import checked
from photopal.library.photo_vectors import VectorFile
from photopal.photos import MODEL_SIDE_PX, Skipped
from photopal.photos.prefetch import open_ahead
from photopal.progress import OnProgress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from photopal.vlm.protocol import PhotoFeatures, VisionModel

_PHOTOS_AT_ONCE = 4


@dataclass(frozen=True)
class SimilarPhoto:
    """A photo and how alike it is: the cosine of the two vectors, 1 for the same."""

    photo: PhotoRecord
    likeness: float


def similar_photos(
    library: Library, vectors: VectorFile, photo: PhotoRecord, *, limit: int
) -> list[SimilarPhoto]:
    """Return the photos most like one, of those that have a vector and whose files are there.

    Raises:
        LibraryError: The photo has no vector.
    """
    wanted = limit
    while True:
        # Some of the nearest may be gone from the library; then more are asked for.
        nearest = vectors.nearest(photo.content_hash, wanted)
        found = []
        for content_hash, likeness in nearest:
            row = library.photos.with_hash(content_hash)
            if row is not None and not library.photos.is_missing(row.id):
                found.append(SimilarPhoto(row, likeness))
        if len(found) >= limit or len(nearest) < wanted:
            return found[:limit]
        wanted *= 2


def photos_without_vector(photos: Iterable[PhotoRecord], vectors: VectorFile) -> list[PhotoRecord]:
    """Those of some photos that have no vector yet."""
    return [photo for photo in photos if photo.content_hash not in vectors]


def add_vectors(
    vectors: VectorFile,
    model: VisionModel,
    photos: Sequence[PhotoRecord],
    *,
    on_progress: OnProgress | None = None,
) -> list[Skipped]:
    """Look at photos and store their vectors, a few at a time; returns those that cannot be read.

    Args:
        vectors: Of this model.
        model: Looks.
        photos: Which to look at.
        on_progress: Called for each photo.
    """
    skipped: list[Skipped] = []
    batch: list[tuple[str, Image.Image]] = []
    with closing(open_ahead(photos, lambda photo: photo.path, max_side_px=MODEL_SIDE_PX)) as opened:
        for number, (photo, opened_image) in enumerate(opened, start=1):
            image = checked(photo, opened_image)
            if isinstance(image, PhotoError):
                skipped.append(Skipped.by(photo.path, image))
            elif image is not None:
                batch.append((photo.content_hash, image))
            if on_progress is not None:
                on_progress(number, len(photos), photo.path)
            if batch and (len(batch) == _PHOTOS_AT_ONCE or number == len(photos)):
                images = [image for _, image in batch]
                store_vectors(
                    vectors, [content_hash for content_hash, _ in batch], model.encode_photos(images)
                )
                batch = []
    return skipped


def store_vectors(
    vectors: VectorFile, content_hashes: Sequence[str], features: Sequence[PhotoFeatures]
) -> None:
    """Store the vectors of photos that were looked at."""
    import numpy as np

    vectors.add(content_hashes, np.stack([pooled(photo) for photo in features]))


def pooled(features: PhotoFeatures) -> NDArray[np.float32]:
    """Return `[width]`, the mean of a photo's patch vectors, its padding left out."""
    from photopal.concepts.localize import inside_photo

    mean: NDArray[np.float32] = features.patches[inside_photo(features)].mean(dim=0).numpy()
    return mean
