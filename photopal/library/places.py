"""Names the place of a position on the earth, offline; knows no photo.

The names are GeoNames', as the package reverse_geocode ships them. Its index takes about three seconds
and 200 MB, so it is read for the first position that is asked for and lives as long as its `PlaceNames`.
"""

from __future__ import annotations

import math
from typing import Any

_CITY_POPULATION = 100_000
_CITY_WITHIN_KM = 15.0
_PLACE_WITHIN_KM = 50.0
_EARTH_RADIUS_KM = 6371.0


class PlaceNames:
    """Names places; without the package reverse_geocode it knows none."""

    def __init__(self) -> None:
        self._is_loaded = False
        self._places: Any = None
        self._cities: Any = None

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
        place, distance_km = _nearest(self._places, position)
        if distance_km > _PLACE_WITHIN_KM:
            return None
        names = [place["city"], place.get("state"), place.get("country")]
        city, distance_km = _nearest(self._cities, position)
        if distance_km <= _CITY_WITHIN_KM and city["country_code"] == place["country_code"]:
            names.insert(1, city["city"])
        return ", ".join(dict.fromkeys(name for name in names if name))

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
        self._cities = type.__call__(reverse_geocode.GeocodeData, _CITY_POPULATION)


def _nearest(places: Any, position: tuple[float, float]) -> tuple[dict[str, Any], float]:
    place: dict[str, Any] = places.query([position])[0]
    return place, _distance_km(position, (place["latitude"], place["longitude"]))


def _distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great-circle distance of two positions in degrees."""
    north, east = math.radians(one[0]), math.radians(one[1])
    other_north, other_east = math.radians(other[0]), math.radians(other[1])
    haversine = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(haversine)))
