"""Tells on what occasion a photo was taken, from dates and places alone: only what is certain.

A trip is a time away from where most days with photos were spent, between two days there. Fixed holidays and
birthdays are those of the calendar.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from photopal.assistant.query.phrasing import span
from photopal.library import ConceptRecord, Library
from photopal.library.models import Stay
from photopal.text import join_words

_HOME_KM = 50.0  # up to which a day counts as one at home
_AWAY_KM = 80.0  # from which all photos of a day have to be taken for one away
_LEAST_HOME_DAYS = 10
_LEAST_PHOTOS = 5
_LONGEST = timedelta(days=31)  # between the days at home; longer ones may be another home
_MOST_PLACES = 3
_CELL_DEGREES = 0.5
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Trip:
    """Some days away from home.

    Attributes:
        first: The first day with photos.
        last: The last one.
        places: The places with photos, as the library names them.
        destination: Where it went to, in words.
    """

    first: date
    last: date
    places: frozenset[str]
    destination: str


class Trips:
    """The trips of a library.

    Args:
        stays: The days with places, in order.
    """

    def __init__(self, stays: Iterable[Stay] = ()) -> None:
        self._by_day = {day: list(group) for day, group in groupby(stays, key=lambda stay: stay.day)}
        self._trips: dict[date, Trip] = {}
        home = _home(self._by_day)
        if home is None:
            return
        before: date | None = None
        days: list[date] = []
        for day, found in self._by_day.items():
            nearest = min(_km(home, stay) for stay in found)
            if nearest > _HOME_KM:
                # A day halfway belongs to no trip for certain, and those beside it to none either.
                before = before if nearest >= _AWAY_KM else None
                days.append(day)
                continue
            if before is not None and days and day - before <= _LONGEST:
                self._add(days, at_home=self._by_day[before])
            before, days = day, []

    def of(self, taken: date, place: str | None) -> Trip | None:
        """Return the trip on which a photo with a place was taken; None where that is not certain."""
        trip = self._trips.get(taken)
        return trip if trip is not None and place in trip.places else None

    def _add(self, days: Sequence[date], *, at_home: Sequence[Stay]) -> None:
        stays = [stay for day in days for stay in self._by_day[day]]
        destination = _destination([stay.place for stay in stays], [stay.place for stay in at_home])
        if destination is None or sum(stay.photos for stay in stays) < _LEAST_PHOTOS:
            return
        trip = Trip(days[0], days[-1], frozenset(stay.place for stay in stays), destination)
        self._trips.update(dict.fromkeys(days, trip))


def find_trips(library: Library) -> Trips:
    """Find the trips of a library; a fraction of a second for many photos, so once is enough."""
    return Trips(library.search.stays())


def trip_words(trip: Trip) -> str:
    """Write a trip as a sentence: "It is from a trip to Lisbon, Portugal, from 1 to 5 July 2019."."""
    return f"It is from a trip to {trip.destination}, {span(str(trip.first), str(trip.last))}."


def holiday(taken: date) -> str | None:
    """Return the holiday that a day is, with its preposition; None for all others."""
    if taken.month == 12 and 24 <= taken.day <= 26:
        return "at Christmas"
    return {(12, 31): "on New Year's Eve", (1, 1): "on New Year's Day"}.get((taken.month, taken.day))


def birthdays(taken: date, people: Iterable[ConceptRecord]) -> list[str]:
    """Return whose birthday a day is: "Anna's 7th birthday".

    Args:
        taken: The day.
        people: Those of whom the year of birth, and perhaps the birthday, is known.
    """
    return [
        f"{one.name}'s {_ordinal(taken.year - one.born)} birthday"
        for one in people
        if one.born is not None and one.birthday == taken.strftime("%m-%d") and taken.year > one.born
    ]


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _home(by_day: dict[date, list[Stay]]) -> tuple[float, float] | None:
    """Where most days were spent, if there are many and no other region has half as many."""
    days: Counter[tuple[int, int]] = Counter()
    for stays in by_day.values():
        days.update({_cell(stay) for stay in stays})
    if not days:
        return None
    [(cell, _)] = days.most_common(1)
    there = [stay for stays in by_day.values() for stay in stays if _cell(stay) == cell]
    center = (
        sum(stay.latitude for stay in there) / len(there),
        sum(stay.longitude for stay in there) / len(there),
    )
    home_days = sum(any(_km(center, stay) <= _HOME_KM for stay in stays) for stays in by_day.values())
    elsewhere = Counter(
        {
            other: number
            for other, number in days.items()
            if _km(center, _middle(other)) > _HOME_KM + _CELL_DEGREES * _KM_PER_DEGREE
        }
    )
    rival = max(elsewhere.values(), default=0)
    return center if home_days >= _LEAST_HOME_DAYS and home_days >= 2 * rival else None


def _cell(stay: Stay) -> tuple[int, int]:
    return (math.floor(stay.latitude / _CELL_DEGREES), math.floor(stay.longitude / _CELL_DEGREES))


def _middle(cell: tuple[int, int]) -> Stay:
    latitude, longitude = ((part + 0.5) * _CELL_DEGREES for part in cell)
    return Stay(day=date.min, place="", latitude=latitude, longitude=longitude, photos=0)


def _km(point: tuple[float, float], stay: Stay) -> float:
    """The distance of two positions on the earth."""
    north, other = math.radians(point[0]), math.radians(stay.latitude)
    apart = math.radians(point[1] - stay.longitude)
    cosine = math.sin(north) * math.sin(other) + math.cos(north) * math.cos(other) * math.cos(apart)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) * _KM_PER_DEGREE


def _destination(places: Collection[str], at_home: Collection[str]) -> str | None:
    """What places have in common, the smallest region with a name; else their countries, if they are few.

    None where that would be the home's own country, or too many.
    """
    parts = [[name.strip() for name in place.split(",")] for place in dict.fromkeys(places)]
    home_countries = {place.split(",")[-1].strip() for place in at_home}
    for name in parts[0]:
        if all(name in names for names in parts):
            country = parts[0][-1]
            if name == country:
                return None if name in home_countries else name
            return f"{name}, {country}"
    for level in (0, -1):
        names = list(dict.fromkeys(one[level] for one in parts))
        if len(names) <= _MOST_PLACES and not home_countries & set(names):
            return join_words(names)
    return None
