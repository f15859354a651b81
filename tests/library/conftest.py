"""Photos and an open library for the library's tests."""

import numpy as np
import pytest
from PIL import Image

from photopal.library import Library
from photopal.photos import Exif, Photo


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library.db") as library:
        yield library


@pytest.fixture
def make_photo(tmp_path):
    """Make a photo record without a file; what is not given is told by its number."""

    def make(number, *, path=None, width_px=400, height_px=300, **exif):
        return Photo(
            path=path or tmp_path / "photos" / f"{number}.jpg",
            content_hash=f"{number:032x}",
            size_bytes=1000 + number,
            mtime_ns=number,
            width_px=width_px,
            height_px=height_px,
            format="JPEG",
            exif=Exif(**exif),
            thumbnail=b"jpeg %d" % number,
        )

    return make


@pytest.fixture
def save_photo():
    """Write a small photo file, unlike any of another seed."""

    def save(path, seed=0, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(levels).save(path, **options)
        return path

    return save
