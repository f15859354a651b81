"""Opens the photos and masks of a dataset and encodes each photo once a run; knows no questions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.cache import LRUCache
from photopal.errors import DatasetError, PhotoError
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.tuning.batching import PrefixStore
from photopal.vlm.protocol import PhotoFeatures, VisionModel

MOST_BYTES = 1 << 29
MOST_PREFIX_BYTES = 1 << 28


class _Remembering:
    """A model that encodes the same picture once; everything else is the model's own."""

    def __init__(self, model: VisionModel, most_bytes: int) -> None:
        self._model = model
        self._cached: LRUCache[bytes, PhotoFeatures] = LRUCache(most_bytes, lambda features: features.nbytes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode_photos(self, images: Sequence[Image.Image], **_: Any) -> list[PhotoFeatures]:
        keys = [_key(image) for image in images]
        # Those found are held here too: what is put may push them out.
        found = {key: features for key in keys if (features := self._cached.get(key)) is not None}
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in found}
        for key, features in zip(new, self._model.encode_photos(list(new.values())), strict=True):
            found[key] = features
            self._cached.put(key, features)
        return [found[key] for key in keys]


def remember(model: VisionModel, *, most_bytes: int = MOST_BYTES) -> VisionModel:
    """The same model, which encodes a picture it still knows no second time.

    Args:
        model: Who encodes.
        most_bytes: How much is kept; the least recently used features go first.
    """
    return cast("VisionModel", _Remembering(model, most_bytes))


def _key(image: Image.Image) -> bytes:
    digest = hashlib.blake2b(f"{image.mode} {image.size}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.digest()


class PhotoStore:
    """The photos of a run: opened once while they are in use, encoded once.

    Args:
        model: Encodes; give one that remembers.
        images: Photos that are no files, by the paths they go by.
    """

    def __init__(self, model: VisionModel, *, images: Mapping[Path, Image.Image] | None = None) -> None:
        self.model = model
        self._given = images or {}
        self.prefixes = PrefixStore(model, most_bytes=MOST_PREFIX_BYTES) if model.supports_prefix else None
        self._images: dict[Path, Image.Image] = {}

    def image(self, path: Path) -> Image.Image:
        """A photo, upright.

        Raises:
            DatasetError: It is missing or cannot be read.
        """
        if path in self._given:
            return self._given[path]
        if path not in self._images:
            try:
                self._images[path] = open_photo(path, max_side_px=MODEL_SIDE_PX)
            except PhotoError as error:
                raise DatasetError(error.message) from error
        return self._images[path]

    def features(self, paths: Iterable[Path]) -> list[PhotoFeatures]:
        """The features of photos, those not encoded before all at once.

        Raises:
            DatasetError: One is missing or cannot be read.
        """
        return self.model.encode_photos([self.image(path) for path in paths])

    def clear(self) -> None:
        """Close all photos; their features stay as long as there is room."""
        self._images.clear()


def read_mask(path: Path | NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask: bool `[height, width]`, true where it is white.

    Args:
        path: The picture, or the mask itself.
        size: Width and height of the photo; a mask has the same proportions.

    Raises:
        DatasetError: It is missing, no picture, empty, or of other proportions.
    """
    if isinstance(path, np.ndarray):
        return path
    try:
        with Image.open(path) as picture:
            mask = np.asarray(picture.convert("L")) > 127
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: the mask is missing") from error
    except OSError as error:
        raise DatasetError(f"{path}: the mask cannot be read") from error
    height, width = mask.shape
    if abs(width * size[1] - height * size[0]) > max(width, height, *size):
        raise DatasetError(f"{path}: the mask has {width}×{height} pixels, its photo {size[0]}×{size[1]}")
    if not mask.any():
        raise DatasetError(f"{path}: the mask is empty")
    return mask
