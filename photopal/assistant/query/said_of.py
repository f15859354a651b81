"""Tells of whom a caption says something: "Anna is playing the guitar and Rex is sitting" says it of Anna."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.assistant.query.lexicon import PLACE_WORDS, word_forms
from photopal.assistant.query.patterns import LazyPattern
from photopal.prompts.words import after_verb, split_clauses
from photopal.text import name_spans

_SCENE_WORDS = PLACE_WORDS | frozenset(
    """
    dark dawn daytime dusk evening fog midnight morning night noon rain snow storm sun sunrise sunset
    """.split()  # noqa: SIM905 - a list literal would take half a page
)

# Where everybody is stands once, at the end.
_SCENE = LazyPattern(
    rf"(?:\s+(?:at\s+(?:the\s+)?\w+|(?:in|on|by|near)\s+the\s+(?:\w+\s+)?(?:{'|'.join(sorted(_SCENE_WORDS))})))+\W*$"
)

_JOINS = re.compile(r"\s*(?:,|&|\band\b)+\s*", re.IGNORECASE)
_IS_CALLED = re.compile(r",?\s+the\s+\w+\b", re.IGNORECASE)

# What follows may be said of somebody else: "is sitting next to a man with a guitar", "while ducks swim".
_OTHERS = LazyPattern(
    r"\b(?:who|whom|whose|that|which|while|as|when|where|but)\b|[;.!?](?=\s)"
    r"|(?:,|\band\b)\s+(?=(?:an?|the|two|three|some|several|many|he|she|they|it|his|her|their|its)\b)"
    r"|\b(?:man|men|woman|women|boys?|girls?|child|children|kids?|adults?|person|people|friends?|bab(?:y|ies)"
    r"|guys?|lad(?:y|ies)|couple|others?|someone|somebody|strangers?|dogs?|cats?|puppy|kitten)\b"
)
_SOMEBODY = LazyPattern(r"\W*(?:he|she|they|it|we|i|you|both|all|one|everyone|everybody|who)\b")


@dataclass(frozen=True)
class _Clause:
    """A clause of a caption.

    Attributes:
        text: All of it.
        named: Everybody it names.
        owners: Those it begins with.
        said: What it says of them.
        is_certain: Whether all of it is about those it names, or about somebody who is not registered.
    """

    text: str
    named: frozenset[str]
    owners: frozenset[str]
    said: str
    is_certain: bool


class Caption:
    """A caption as what it says of each.

    Captions are clauses that each begin with whom they are about. Of one of the user's own, of another
    structure, it often cannot be told.

    Args:
        text: The caption.
        names: Everybody who is registered.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        scene = _SCENE.search(text)
        self._scene = scene[0] if scene else ""
        self._clauses = [_read(c, names) for c in split_clauses(text[: scene.start()] if scene else text)]

    def says_of(self, name: str, words: Sequence[Sequence[str]]) -> bool | None:
        """Whether something is said of somebody; None where that cannot be told.

        Args:
            name: Who.
            words: What; of each group one word.
        """
        groups = [group for group in map(_one_of, words) if not group.search(self._scene)]
        if any(all(g.search(c.said) for g in groups) for c in self._clauses if name in c.owners):
            return True
        if not any(name in clause.named for clause in self._clauses):
            return None
        of_others = [c.text for c in self._clauses if c.is_certain and name not in c.named]
        unclear = [c.text for c in self._clauses if not (c.is_certain and name not in c.named)]
        for group in groups:
            if any(map(group.search, of_others)) and not any(map(group.search, unclear)):
                return False
        return None


def _read(text: str, names: Sequence[str]) -> _Clause:
    """Read a clause: whom it begins with, and what it says before somebody else comes in."""
    spans = name_spans(text, names)
    owners: list[int] = []
    end = 0
    for start, stop, index in spans:
        if not _JOINS.fullmatch(text, end, start) and text[end:start].strip():
            break
        owners.append(index)
        end = stop
    if text[end : end + 1] in ("'", "’"):
        owners = []
    if called := _IS_CALLED.match(text, end):
        end = called.end()
    others = [start for start, _, _ in spans[len(owners) :]]
    other = _OTHERS.search(text[end:])
    cut = min([*others, *([end + other.end()] if other else []), len(text)])
    named = frozenset(names[index] for _, _, index in spans)
    is_of_strangers = not named and after_verb(text) != "" and not _SOMEBODY.match(text)
    return _Clause(
        text,
        named,
        frozenset(names[index] for index in owners),
        text[end:cut] if owners else "",
        is_certain=bool(owners) or is_of_strangers,
    )


def _one_of(words: Sequence[str]) -> re.Pattern[str]:
    forms = {form for word in words for form in word_forms(word)}
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(forms)))})(?!\w)", re.IGNORECASE)


def is_of_scene(words: Sequence[str]) -> bool:
    """Whether one of some words says where or when something is, which is so for everybody there."""
    return any(form in _SCENE_WORDS for word in words for form in word_forms(word))
