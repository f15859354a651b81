"""Positions get the names people look for, and none where there is none."""

import sys

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from photopal.ingest.indexer import index_folders
from photopal.library import SearchQuery
from photopal.photos.geocode import PlaceNames


@pytest.fixture(scope="module")
def place_names():
    pytest.importorskip("reverse_geocode")
    return PlaceNames()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("position", "names"),
    [
        ((41.38, 2.17), ["Barcelona", "Spain"]),
        ((-33.8568, 151.2153), ["Sydney", "Australia"]),
        ((46.0207, 7.7491), ["Zermatt", "Switzerland"]),
    ],
)
def test_a_place_has_its_own_name_the_citys_and_the_countrys(place_names, position, names):
    place = place_names.name(*position)
    assert set(names) <= set(place.split(", "))


@pytest.mark.parametrize("position", [(None, None), (0.0, 0.0), (-45.0, -120.0)])
def test_nowhere_has_no_name(place_names, position):
    assert place_names.name(*position) is None


def test_without_the_package_no_place_has_a_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "reverse_geocode", None)
    assert PlaceNames().name(41.38, 2.17) is None


def test_a_photo_with_a_position_is_found_by_its_place(library, tmp_path):
    pytest.importorskip("reverse_geocode")
    exif = Image.Exif()
    north, east = (
        (IFDRational(41), IFDRational(22), IFDRational(48)),
        (IFDRational(2), IFDRational(10), IFDRational(12)),
    )
    exif.get_ifd(0x8825).update({1: "N", 2: north, 3: "E", 4: east})
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    index_folders(library, [tmp_path])
    assert len(library.search.find(SearchQuery(text="barcelona"))) == 1
    assert library.search.count_by_place(SearchQuery())[0][1] == 1


@pytest.mark.parametrize(
    ("position", "name"),
    [
        (
            (63.4695, 28.6902),
            "Rautavaara",
        ),  # a degree of longitude is less than half a degree of latitude here
        ((63.06, -179.9), "Beringovskiy"),  # the nearest place is on the other side of the date line
    ],
)
def test_the_nearest_place_is_the_nearest_in_kilometers(place_names, position, name):
    assert name in (place_names.name(*position) or "")
