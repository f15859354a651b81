"""One album for all tests of galleries; nobody may write to it."""

import pytest

from tests.gallery.album import make_album


@pytest.fixture(scope="package")
def album(tmp_path_factory):
    return make_album(tmp_path_factory.mktemp("album"))
