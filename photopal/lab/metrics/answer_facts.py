"""Reads facts out of an answer: places, activities, garments, colors, numbers; knows no scene and no truth.

A reader gives all it finds, so that a judge can tell a right answer from one that says everything at once.
"""

from __future__ import annotations

import re

from photopal.lab.synthetic.identity import COATS, FEATHERS, HAIR_COLORS, SPECIES
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import ACTIVITIES
from photopal.lab.synthetic.scene import TOP_COLORS, TROUSER_COLORS

Garment = tuple[str, str, str]
"""A garment's kind, its color and its pattern; "plain" where none is said, "" for no color."""

COLORS = tuple(dict.fromkeys((*TOP_COLORS, *TROUSER_COLORS, *COATS, *FEATHERS, *HAIR_COLORS)))

_PLACE_WORDS = {
    "beach": r"beach|seaside|seashore",
    "forest": r"forest|woods?",
    "mountains": r"mountains?",
    "street": r"street|road",
    "living room": r"living[ -]room|lounge|sitting room",
    "garden": r"garden|yard",
    "snow": r"snow|snowy",
    "lake": r"lake|lakeside",
    "farm": r"farm|farmyard",
}
_ACTIVITY_WORDS = {
    "flying a kite": r"kites?",
    "playing the guitar": r"guitar",
    "eating an ice cream": r"ice[ -]creams?",
    "holding an umbrella": r"umbrella",
    "holding a balloon": r"balloon",
    "playing with a ball": r"ball",
    "reading a book": r"books?|reading|reads",
    "riding a bicycle": r"bicycle|bike|cycling|cycles",
    "holding a cake": r"cake",
    "taking a photo": r"(?:taking|takes|take|shooting|snapping) (?:a |the |some )?(?:photo|picture)s?|camera"
    r"|photographing",
    "waving": r"wav(?:ing|es)",
    "running": r"run(?:ning|s)",
    "sitting": r"sit(?:ting|s)",
    "sleeping": r"sleep(?:ing|s)|asleep|napping",
    "standing": r"stand(?:ing|s)",
    "flying": r"fl(?:ying|ies)(?! (?:a|the|her|his|their|its) )",
}
_COLOR_WORDS = {"grey": "gr[ea]y", "blond": "blonde?"}
_PATTERN_WORDS = {
    "striped": r"striped|stripes|stripy",
    "dotted": r"dotted|dots|spotted|polka[ -]dot",
    "checked": r"checked|chequered|checkered",
}
_GARMENT_WORDS = {
    "straw hat": r"straw hat",
    "party hat": r"party hat",
    "cap": r"cap",
    "beanie": r"beanie",
    "top": r"top|shirt|t-shirt|tee|jumper|sweater|pullover",
    "trousers": r"trousers|pants|jeans",
    "collar": r"collar",
}
_NUMBERS = {
    "0": r"0|no|none|zero|nobody|not (?:a single|one|any)|no[ -]one|nothing",
    "1": r"1|one|a single|just a",
    "2": r"2|two|a pair|both",
    "3": r"3|three",
    "4": r"4|four",
    "5": r"5|five",
}
SIDES = {"on the left": r"left", "in the middle": r"middle|centre|center", "on the right": r"right"}
_NOT = r"(?:is|are|was|does|do|can|could|has|have)(?: not|n['’]?t)(?! (?:wearing|holding|standing|know))"
_ABSENT = re.compile(
    rf"\b(?:{_NOT}|cannot|not (?:in|on|here|there|shown|seen|visible|part)|nowhere|no sign of|absent)\b"
)
_NOBODY = re.compile(
    r"\b(?:nobody|no[ -]one|not anyone|not anybody|none|empty|no (?:people|person|pets?|animals?))\b"
)
_UNKNOWN = re.compile(
    r"\b(?:nobody|no[ -]one|not anyone|not anybody|none)\b.*\bknow|\bstrangers?\b|\bsome(?:body|one)\b"
    r"|\bdo(?:n['’]?t| not) (?:know|recogni[sz]e)\b"
)


def read_places(text: str) -> set[str]:
    """The places an answer names, as keys of `PLACES`."""
    return {place for place in PLACES if _says(_PLACE_WORDS.get(place, re.escape(place)), text)}


def read_activities(text: str) -> set[str]:
    """The activities an answer names."""
    return {activity for activity, _ in find_activities(text)}


def find_activities(text: str) -> list[tuple[str, int]]:
    """The activities an answer names with where each stands, in the order of the answer."""
    found = [
        (activity, match.start())
        for activity in ACTIVITIES
        for match in re.finditer(rf"\b(?:{_activity_words(activity)})\b", text.lower())
    ]
    return sorted(found, key=lambda pair: pair[1])


def _activity_words(activity: str) -> str:
    """How an activity can be told: by its thing where it has one, else by its verb."""
    if activity in _ACTIVITY_WORDS:
        return _ACTIVITY_WORDS[activity]
    *_, last = activity.split()
    stem = last.removesuffix("ing")
    return re.escape(last) if " " in activity or stem == last else rf"{re.escape(stem)}(?:ing|e?s)"


def read_colors(text: str) -> set[str]:
    """The colors an answer names."""
    return {c for c in COLORS if _says(_COLOR_WORDS.get(c, re.escape(c)), text)}


def read_garments(text: str) -> set[Garment]:
    """What an answer says somebody wears, each with its color and pattern."""
    garments = set()
    for phrase in re.split(r",|;|\.|\band\b|\bwith\b(?! (?:stripes|dots))", text.lower()):
        kinds = [kind for kind, words in _GARMENT_WORDS.items() if _says(words, phrase)]
        if not kinds and (other := re.search(r"\b(\w+)\W*$", phrase)) and read_colors(phrase):
            # A garment that this module does not know is known by its own word.
            kinds = [] if other[1] in (*COLORS, "hair") else [other[1]]
        patterns = [name for name, words in _PATTERN_WORDS.items() if _says(words, phrase)] or ["plain"]
        for kind in kinds[:1]:
            garments.add((kind, " ".join(sorted(read_colors(phrase))), " ".join(patterns)))
    return garments


def read_hats(text: str) -> set[str]:
    """The kinds of hats an answer names."""
    return {kind for kind in ("straw hat", "party hat", "cap", "beanie") if _says(kind, text)}


def read_numbers(text: str) -> set[int]:
    """The numbers an answer names, up to five."""
    return {int(number) for number, words in _NUMBERS.items() if _says(words, text)}


def read_yes_no(text: str) -> bool | None:
    """Whether an answer begins with Yes or with No; None where it does neither, or says both."""
    yes, no = _says(r"yes|yeah|yep", text), _says(r"no|nope", text)
    if yes == no:
        return None
    first = re.match(r"\W*(\w+)", text.lower())
    return yes if first and first[1] in ("yes", "yeah", "yep", "no", "nope") else None


def read_sides(text: str) -> set[str]:
    """The sides an answer names: on the left, in the middle, on the right."""
    return {side for side, words in SIDES.items() if _says(words, text)}


def read_species(text: str) -> set[str]:
    """The kinds of pets an answer names."""
    return {species for species in SPECIES if _says(rf"{species}s?", text)}


def read_ages(text: str) -> set[str]:
    """Whether an answer speaks of an adult, of a child, or of both."""
    words = {"adult": r"adult|grown[ -]up|man|woman", "child": r"child|kid|boy|girl"}
    return {age for age, said in words.items() if _says(said, text)}


def read_light(text: str) -> set[str]:
    """The times of day an answer names: day, sunset, night."""
    words = {"day": r"day|daytime|daylight", "sunset": r"sunset|dusk|evening", "night": r"night"}
    return {light for light, said in words.items() if _says(said, text)}


def read_weather(text: str) -> set[str]:
    """The weather an answer names: sunny, cloudy, rainy."""
    words = {
        "sunny": r"sunny|sunshine|clear|bright",
        "cloudy": r"cloudy|clouds|overcast|gr[ea]y",
        "rainy": r"rain|rainy|raining|wet",
    }
    return {weather for weather, said in words.items() if _says(said, text)}


def says_absent(text: str) -> bool:
    """Whether an answer says that somebody is not there, and nothing of what they do or where they are."""
    is_told = _ABSENT.search(text.lower()) is not None
    return is_told and not read_activities(text) and not read_sides(text) and not read_garments(text)


def says_nobody(text: str) -> bool:
    """Whether an answer says that nobody at all is there."""
    return _NOBODY.search(text.lower()) is not None and "know" not in text.lower()


def says_unknown(text: str) -> bool:
    """Whether an answer says that somebody is there whom it does not know, or describes them."""
    is_described = _says(rf"an? (?:\w+ )*(?:person|adult|child|man|woman|{'|'.join(SPECIES)})", text)
    return _UNKNOWN.search(text.lower()) is not None or is_described


def says_person(text: str) -> bool:
    """Whether an answer speaks of a person without a name."""
    return bool(read_ages(text)) or _says("person", text) or says_somebody(text)


def says_somebody(text: str) -> bool:
    """Whether an answer speaks of somebody it does not name."""
    return _says(r"some(?:body|one)|strangers?", text)


def _says(words: str, text: str) -> bool:
    return re.search(rf"\b(?:{words})\b", text.lower()) is not None
