"""Boils a picture down to 64 bits that stay nearly the same when it is shrunk or saved again; knows no files.

The bits are those of a pHash (as in the ImageHash library): the lowest 8 × 8 frequencies of the gray picture
at 32 × 32, each above their median or not.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIDE_PX = 32
_FREQUENCIES = 8
# Below this, the frequencies are rounding and noise: all walls and skies would look the same.
_LEAST_CONTRAST = 2.0


def phash_of(picture: Image.Image) -> int | None:
    """Return a picture's hash as a signed 64-bit number; None where the picture shows next to nothing."""
    import numpy as np

    gray = picture.convert("L").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    waves = _waves()
    low = waves @ np.asarray(gray, dtype=np.float32) @ waves.T  # [frequencies, frequencies]
    if float(np.abs(low).ravel()[1:].max()) < _LEAST_CONTRAST * _SIDE_PX:
        return None
    bits = np.packbits((low > np.median(low)).ravel())
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def bits_apart(one: int, other: int) -> int:
    """Count the bits in which two hashes differ, 0 to 64; about 32 for photos of different things."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


@cache
def _waves() -> NDArray[np.float32]:
    """The lowest frequencies of a discrete cosine transform, [frequencies, pixels]."""
    import numpy as np

    frequencies = np.arange(_FREQUENCIES)[:, None]
    pixels = np.arange(_SIDE_PX)[None, :]
    return np.cos(np.pi * (2 * pixels + 1) * frequencies / (2 * _SIDE_PX)).astype(np.float32)
