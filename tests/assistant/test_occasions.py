"""Trips and birthdays: told where dates and places leave no doubt, and not otherwise."""

from datetime import date, timedelta

import pytest

from photopal.assistant.occasions import Trips, birthdays, holiday, trip_words
from photopal.library import ConceptRecord
from photopal.library.models import Stay

BERLIN = ("Mitte, Berlin, Land Berlin, Germany", 52.5, 13.4)
LISBON = ("Alfama, Lisbon, Lisbon, Portugal", 38.71, -9.13)
SINTRA = ("Sintra, Lisbon, Portugal", 38.8, -9.38)
POTSDAM = ("Potsdam, Brandenburg, Germany", 52.4, 13.06)
LEIPZIG = ("Leipzig, Saxony, Germany", 51.34, 12.37)
MADRID = ("Sol, Madrid, Madrid, Spain", 40.42, -3.7)


def stay(day, place, photos=3):
    name, latitude, longitude = place
    return Stay(day=day, place=name, latitude=latitude, longitude=longitude, photos=photos)


def at_home(first, days):
    return [stay(first + timedelta(days=number), BERLIN) for number in range(days)]


def album(*away):
    """Ten days at home, those given, and a day at home on 20 July."""
    return [*at_home(date(2019, 6, 20), 10), *away, stay(date(2019, 7, 20), BERLIN)]


def test_a_time_away_between_two_days_at_home_is_a_trip_to_what_its_places_have_in_common():
    trips = Trips(album(stay(date(2019, 7, 3), LISBON), stay(date(2019, 7, 6), SINTRA)))
    trip = trips.of(date(2019, 7, 3), LISBON[0])
    assert trip_words(trip) == "It is from a trip to Lisbon, Portugal, from 3 to 6 July 2019."
    assert trips.of(date(2019, 7, 6), SINTRA[0]) == trip
    assert trips.of(date(2019, 6, 20), BERLIN[0]) is None
    assert trips.of(date(2019, 7, 6), "Somewhere else") is None


def test_a_trip_within_the_own_country_is_named_by_its_city_and_one_through_two_countries_by_both():
    [trip] = {Trips(album(stay(date(2019, 7, 3), LEIPZIG, 9))).of(date(2019, 7, 3), LEIPZIG[0])}
    assert trip_words(trip) == "It is from a trip to Leipzig, Germany, on 3 July 2019."
    both = Trips(album(stay(date(2019, 7, 3), LISBON), stay(date(2019, 7, 5), MADRID)))
    assert both.of(date(2019, 7, 5), MADRID[0]).destination == "Alfama and Sol"


@pytest.mark.parametrize(
    "stays",
    [
        [*at_home(date(2019, 6, 20), 5), stay(date(2019, 7, 3), LISBON, 9), stay(date(2019, 7, 9), BERLIN)],
        album(stay(date(2019, 7, 3), LISBON, 4)),
        album(stay(date(2019, 7, 3), POTSDAM, 9)),
        [*at_home(date(2019, 6, 20), 10), stay(date(2019, 7, 3), LISBON, 9)],
        [
            *at_home(date(2019, 1, 1), 10),
            *(stay(date(2019, 5, 1) + timedelta(days=n), LISBON) for n in range(8)),
            *at_home(date(2019, 5, 10), 1),
        ],
        [*at_home(date(2019, 6, 20), 10), stay(date(2019, 8, 3), LISBON, 9), stay(date(2019, 9, 9), BERLIN)],
        [],
    ],
    ids=["few days at home", "few photos", "near", "no return", "two homes", "too long", "nothing"],
)
def test_what_may_be_no_trip_is_none(stays):
    trips = Trips(stays)
    assert not any(trips.of(one.day, one.place) for one in stays)


def test_a_birthday_is_told_of_those_whose_day_is_known():
    def person(name, born, birthday):
        return ConceptRecord(
            id=1, name=name, kind="person", about=None, created_at="", born=born, birthday=birthday
        )

    people = [person("Anna", 2012, "07-03"), person("Ben", 2012, None), person("Zoe", 1998, "07-03")]
    assert birthdays(date(2019, 7, 3), people) == ["Anna's 7th birthday", "Zoe's 21st birthday"]
    assert birthdays(date(2019, 7, 4), people) == []
    assert birthdays(date(2012, 7, 3), people[:1]) == []
    assert birthdays(date(2024, 7, 3), people[:1]) == ["Anna's 12th birthday"]


def test_only_fixed_holidays_are_told():
    assert holiday(date(2019, 12, 25)) == "at Christmas"
    assert holiday(date(2019, 12, 31)) == "on New Year's Eve"
    assert holiday(date(2019, 7, 3)) is None
