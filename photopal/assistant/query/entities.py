"""Finds cameras, places and unknown names that a question mentions; knows no kinds of questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.assistant.query.dates import CALENDAR_WORDS
from photopal.assistant.query.lexicon import is_empty
from photopal.text import name_spans

_TO_PLACE = re.compile(r"\b(?:in|at|near|from|to|around)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Stranger:
    """Words with capitals that are no known name; after "in" or "at" they are more likely a place."""

    words: str
    is_place: bool


def find_camera(rest: str, cameras: Sequence[str]) -> tuple[str | None, str]:
    """The longest run of words after "with", "by" or "on" that is part of a camera's name."""
    match = re.search(
        r"\b(?:with|by|on|using|from)\s+(?:my |the |an? |our )?(?P<words>[\w .-]+)", rest, re.IGNORECASE
    )
    words = match["words"].split() if match else []
    for end in range(len(words), 0, -1):
        part = " ".join(words[:end]).strip(".-")
        is_known = any(re.search(rf"\b{re.escape(part)}\b", camera, re.IGNORECASE) for camera in cameras)
        if match and len(part) > 2 and is_known and not is_empty(part):
            rest_of_words = match["words"][match["words"].find(words[end - 1]) + len(words[end - 1]) :]
            return part, f"{rest[: match.start()]} {rest_of_words} {rest[match.end() :]}"
    return None, rest


def find_place(rest: str, places: Sequence[str]) -> tuple[str | None, str]:
    """A known place, the longest first; in small letters it must follow "in" or the like: a nice day."""
    parts = {part.strip() for place in places for part in place.split(",")}
    for part in sorted(parts - {""}, key=len, reverse=True):
        spans = name_spans(_without_accents(rest), [_without_accents(part)])
        if not spans:
            continue
        start, end, _ = spans[0]
        is_common = rest[start : start + 1].islower() and not _TO_PLACE.search(rest[:start])
        if not is_common and not is_empty(part):
            after = rest[end:].removeprefix("'s")
            return part, f"{_TO_PLACE.sub('', rest[:start])} {after}"
    return None, rest


def _without_accents(text: str) -> str:
    """The same letters without accents, letter by letter, so that places stay where they are."""
    return "".join(unicodedata.normalize("NFD", letter)[:1] or letter for letter in text)


def find_strangers(rest: str) -> list[Stranger]:
    """Words with a capital inside the sentence, those that stand together as one."""
    words = re.findall(r"[^\W\d_][\w'-]*", rest)
    capitals = [word for word in words if word[0].isupper()]
    if len(capitals) > 2 and len(capitals) > 0.6 * len(words):
        return []
    found = []
    for match in re.finditer(r"(?<=\S )(?:[A-ZÀ-Þ][\w'-]*)(?: [A-ZÀ-Þ][\w'-]*)*", rest):
        named = [re.sub(r"'s$", "", word) for word in match[0].split()]
        named = [word for word in named if not is_empty(word) and word.casefold() not in CALENDAR_WORDS]
        before = rest[: match.start()].rstrip().casefold()
        if named and not before.endswith((".", "?", "!")):
            is_place = (
                re.search(r"\b(?:in|at|near|from|to|around|visit|visited)(?: the)?$", before) is not None
            )
            found.append(Stranger(" ".join(named), is_place))
    return found
