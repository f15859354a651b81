"""Compares, checks and replaces names as people write them; knows no concept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from photopal.errors import ConceptError

_NAME_LIMIT = 80


def fold(name: str) -> str:
    """Return the form of a name in which two that differ only in case or accents' encoding are one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", " ".join(name.split())).casefold())


def usable_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        ConceptError: It is empty, too long or has control characters.
    """
    usable = unicodedata.normalize("NFC", " ".join(name.split()))
    if not usable:
        raise ConceptError("a name cannot be empty")
    if len(usable) > _NAME_LIMIT:
        raise ConceptError(f"a name has at most {_NAME_LIMIT} letters, this one has {len(usable)}")
    # A lone surrogate is half a letter; joiners are what emoji and some scripts are written with.
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in usable):
        raise ConceptError("a name cannot hold control characters")
    return usable


def replace_name(text: str, old: str, new: str, *, others: Sequence[str] = ()) -> str:
    """Write another name wherever a text has a name as a whole, in this very case.

    Args:
        text: Such as a caption.
        old: The name to replace.
        new: What to write instead.
        others: Names that may hold the old one, as "Anna Maria" holds "Anna"; those stay as they are.
    """
    longer = sorted({name for name in others if old in name and name != old}, key=len, reverse=True)
    kept = [span for name in longer for span in _find_whole(text, name)]
    parts, end = [], 0
    for start, stop in _find_whole(text, old):
        if all(stop <= first or last <= start for first, last in kept):
            parts += [text[end:start], new]
            end = stop
    return "".join([*parts, text[end:]])


def _find_whole(text: str, name: str) -> Iterator[tuple[int, int]]:
    at = text.find(name)
    while at >= 0:
        stop = at + len(name)
        if not _is_word_inside(text, at) and not _is_word_inside(text, stop):
            yield at, stop
            at = text.find(name, stop)
        else:
            at = text.find(name, at + 1)


def _is_word_inside(text: str, place: int) -> bool:
    """Whether a word goes on across this place, combining marks included."""
    return 0 < place < len(text) and _is_of_word(text[place - 1]) and _is_of_word(text[place])


def _is_of_word(letter: str) -> bool:
    return letter == "_" or unicodedata.category(letter)[0] in "LNM"
