"""Made-up people and a photo with a drawn face."""

import pytest

from tests.faces.made_up import Crowd, picture_with_face


@pytest.fixture
def crowd():
    return Crowd()


@pytest.fixture
def face_photo():
    return picture_with_face()
