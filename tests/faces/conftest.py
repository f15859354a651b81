"""Made-up people and a photo with a drawn face."""

import pytest
from PIL import Image

from photopal.ingest.indexer import index_folders
from tests.faces.made_up import Crowd, picture_with_face


@pytest.fixture
def crowd():
    return Crowd()


@pytest.fixture
def face_photo():
    return picture_with_face()


@pytest.fixture
def album(library, tmp_path):
    """A library of photos 0.png to 7.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(8):
        Image.new("RGB", (400, 300), (number * 20, 0, 0)).save(folder / f"{number}.png")
    index_folders(library, [folder])
    return library
