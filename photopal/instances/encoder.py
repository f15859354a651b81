"""Makes of a photo the cells that pets and things are recognized by, and says "dog" or "cat"."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photopal.box import WHOLE_PHOTO
from photopal.instances.network import CELL_WIDTH, STRIDE_PX, EfficientNetLite0, load_network
from photopal.instances.weights import weights_path
from photopal.vlm.protocol import PhotoFeatures

ENCODER = "efficientnet-lite0"
"""What tells stored cells from those of another encoder."""

SIDE_PX = 640
"""The longer side of photos whose subject takes at least a quarter of it."""

SMALL_SUBJECT_SIDE_PX = 960
"""The longer side for smaller subjects; takes over twice as long."""

_CLASS_SIDE_PX = 224
_GAP = 1.0  # of `Image.resize`: a quarter of the time
_CLASS_MOST_PX = 448  # of the longer side, so that a panorama costs no more than four times a square
_CLASSES_OF = {"dog": slice(151, 269), "cat": slice(281, 286)}  # of ImageNet's 1000
_LEAST_PROBABILITY = 0.3


class InstanceEncoder:
    """Encodes photos on the CPU.

    Args:
        network: As `load_network` gives it.
    """

    def __init__(self, network: EfficientNetLite0) -> None:
        self._network = network

    def encode(self, images: Sequence[Image.Image], *, side_px: int = SIDE_PX) -> list[PhotoFeatures]:
        """Encode photos into cells, one for each square of 32 pixels.

        Fits `FeatureCache.get_or_encode`, which keeps the cells in half precision: 256 kB for a photo at most
        at 640 pixels, 576 kB at 960.

        Args:
            images: RGB and upright, of any size.
            side_px: The longer side that photos are resized to; a multiple of 32.

        Returns:
            Features without tokens; `patches` is `[rows, cols, CELL_WIDTH]` and covers the whole photo.
        """
        encoded = []
        for image in images:
            scale = side_px / max(image.size)
            with torch.inference_mode():
                cells = self._network.encode(_pixels(image, scale))[0]
            # As exact as the cache, so that a photo gets the same verdict the second time.
            patches = cells.permute(1, 2, 0).half().float().contiguous()
            encoded.append(features_of(patches))
        return encoded

    def glance(self, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
        """Encode photos as small as those the network was trained on: a tenth of the time of `encode`.

        Args:
            images: RGB and upright, of any size.

        Returns:
            Features without tokens, too coarse to recognize anybody by: they tell the species, and a kind of
            photo from another. `patches` is `[rows, cols, CELL_WIDTH]`.
        """
        threads = torch.get_num_threads()
        if min(len(images), threads) < 2:
            return [self._glance(image) for image in images]
        # Each photo on a thread of its own: convolutions so small are no faster on several.
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            glances = list(pool.map(self._glance, images))
        torch.set_num_threads(threads)  # what threads begin with that others make
        return glances

    def _glance(self, image: Image.Image) -> PhotoFeatures:
        scale = min(_CLASS_SIDE_PX / min(image.size), _CLASS_MOST_PX / max(image.size))
        with torch.inference_mode():
            cells = self._network.encode(_pixels(image, scale, reducing_gap=_GAP))[0]
        return features_of(cells.permute(1, 2, 0).contiguous())

    def species(self, glance: PhotoFeatures) -> str | None:
        """Say "dog" or "cat" where its breeds together have a probability over 0.3; otherwise None.

        Args:
            glance: A photo as `glance` encodes it.
        """
        with torch.inference_mode():
            cells = glance.patches.permute(2, 0, 1)[None]
            probabilities = self._network.classify(cells)[0].softmax(dim=0)
        by_species = {name: float(probabilities[classes].sum()) for name, classes in _CLASSES_OF.items()}
        best = max(by_species, key=lambda name: by_species[name])
        return best if by_species[best] > _LEAST_PROBABILITY else None


def load_encoder() -> InstanceEncoder | None:
    """Load the encoder; None where the package with its weights is not installed.

    Raises:
        ModelError: The weights cannot be read or are others than expected.
    """
    path = weights_path()
    return None if path is None else InstanceEncoder(load_network(path))


def features_of(cells: Tensor) -> PhotoFeatures:
    """Put `[rows, cols, width]` cells of a whole photo into the form that maps and caches take."""
    tokens = torch.empty(0, CELL_WIDTH, dtype=torch.float16)
    return PhotoFeatures(tokens=tokens, token_grid=(0, 0), patches=cells, frame=WHOLE_PHOTO)


def _pixels(image: Image.Image, scale: float, *, reducing_gap: float | None = None) -> Tensor:
    """A photo as the network takes it: `[1, 3, height, width]`, its sides rounded to multiples of 32."""
    width, height = (max(STRIDE_PX, round(side * scale / STRIDE_PX) * STRIDE_PX) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=reducing_gap)
    pixels = np.asarray(resized, dtype=np.float32)
    tensor = torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]
    return tensor.contiguous(memory_format=torch.channels_last)
