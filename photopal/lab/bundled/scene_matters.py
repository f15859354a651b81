"""What can be asked about a whole photo: place, counts, things, light, who is there; knows no wording."""

from __future__ import annotations

import random

from photopal.lab.bundled import readers
from photopal.lab.bundled.album import names_in
from photopal.lab.bundled.matter import Maker, Matter, yes_no
from photopal.lab.bundled.shown import THINGS, Shown
from photopal.lab.synthetic.identity import SPECIES


def _place(shown: Shown, rng: random.Random) -> Matter | None:
    return Matter(lambda text: readers.read_places(text) == {shown.scene.place})


def _count(shown: Shown, rng: random.Random) -> Matter | None:
    what = rng.choice(("people", "people", "pets", "dogs", "cats"))
    number = shown.count(what)
    return Matter(lambda text: readers.read_numbers(text) == {number}, {"what": what})


def _exists(shown: Shown, rng: random.Random) -> Matter | None:
    there: dict[str, bool] = {f"a {species}": shown.count(f"{species}s") > 0 for species in SPECIES}
    there |= {thing: has for thing in THINGS if (has := shown.has(thing)) is not None}
    wanted = rng.random() < 0.5
    choices = [thing for thing, is_there in there.items() if is_there == wanted]
    return yes_no(wanted, thing=rng.choice(choices)) if choices else None


def _missing(shown: Shown, rng: random.Random) -> Matter | None:
    things = [thing for thing in THINGS if shown.has(thing) is False]
    things += [f"a {species}" for species in SPECIES if not shown.count(f"{species}s")]
    return yes_no(False, thing=rng.choice(things)) if things else None


def _found(shown: Shown, rng: random.Random) -> Matter | None:
    things = [thing for thing in THINGS if shown.has(thing)]
    things += [f"a {species}" for species in SPECIES if shown.count(f"{species}s")]
    return yes_no(True, thing=rng.choice(things)) if things else None


def _time(shown: Shown, rng: random.Random) -> Matter | None:
    light = {"cloudy": "day"}.get(shown.scene.light, shown.scene.light)
    if not shown.is_outdoors or light not in ("day", "sunset", "night"):
        return None
    return Matter(lambda text: readers.read_light(text) == {light})


def _weather(shown: Shown, rng: random.Random) -> Matter | None:
    scene = shown.scene
    if not shown.is_outdoors or scene.place == "snow" or scene.light not in ("day", "cloudy"):
        return None
    truth = "rainy" if scene.has_rain else "sunny" if scene.light == "day" else "cloudy"
    return Matter(lambda text: readers.read_weather(text) == {truth})


def _dark(shown: Shown, rng: random.Random) -> Matter | None:
    is_told = shown.is_outdoors and shown.scene.light in ("day", "cloudy", "night")
    return yes_no(shown.scene.light == "night") if is_told else None


def _rain(shown: Shown, rng: random.Random) -> Matter | None:
    return yes_no(shown.scene.has_rain) if shown.is_outdoors else None


def _who(shown: Shown, rng: random.Random) -> Matter | None:
    def is_right(text: str) -> bool:
        told = set(names_in(text, shown.everyone))
        if told or shown.present:
            return told == shown.present
        return readers.says_unknown(text) if shown.scene.subjects else readers.says_nobody(text)

    return Matter(is_right)


def _present(shown: Shown, rng: random.Random) -> Matter | None:
    wanted = bool(shown.present) and (not shown.absent or rng.random() < 0.5)
    choices = sorted(shown.present) if wanted else list(shown.absent)
    return yes_no(wanted, name=rng.choice(choices)) if choices else None


def _absent(shown: Shown, rng: random.Random) -> Matter | None:
    if not shown.absent:
        return None
    name = rng.choice(shown.absent)
    others = [other for other in shown.everyone if other != name]
    return Matter(lambda text: readers.says_absent(text) and not names_in(text, others), {"name": name})


def _scene(shown: Shown, rng: random.Random) -> Matter | None:
    def is_right(text: str) -> bool:
        is_named = set(names_in(text, shown.everyone)) == shown.present
        has_place = readers.read_places(text) == {shown.scene.place}
        # A short description may leave out what is done; what it does say must be so.
        is_silent = bool(shown.scene.subjects) and not readers.read_activities(text)
        return is_named and has_place and (is_silent or tells_activities(shown, text))

    return Matter(is_right)


def tells_activities(shown: Shown, text: str) -> bool:
    """Whether a description says of everybody what they do: after each name, and of all together no more."""
    told = readers.find_activities(text)
    if {activity for activity, _ in told} != {subject.activity for subject in shown.scene.subjects}:
        return False
    low = text.lower()
    for name, subject in zip(shown.names, shown.scene.subjects, strict=True):
        at = low.find(name.lower()) if name is not None else -1
        after = [activity for activity, place in told if place > at]
        if at >= 0 and after and after[0] != subject.activity:
            return False
    return True


SCENE_MAKERS: dict[str, Maker] = {
    "place": _place,
    "count": _count,
    "exists": _exists,
    "missing": _missing,
    "found": _found,
    "time": _time,
    "weather": _weather,
    "dark": _dark,
    "rain": _rain,
    "who": _who,
    "present": _present,
    "absent": _absent,
    "scene": _scene,
}
