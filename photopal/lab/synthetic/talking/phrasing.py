"""A small grammar of phrasings: `[a|b]` stands for either; knows nothing of what is phrased."""

from __future__ import annotations

import random
import re

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def phrase(grammar: str, rng: random.Random, /, **fields: str) -> str:
    """Pick one phrasing of a grammar and fill in its `{fields}`.

    Choices may stand within choices and may be empty: `"Who is [here|in this [photo|picture]]?"`.
    """
    text = grammar
    while "[" in text:
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
    return _tidy(text).format(**fields)


def pattern(grammar: str) -> re.Pattern[str]:
    """A pattern that fully matches every phrasing of a grammar, whatever its fields are, and no other."""
    text = grammar
    kept: list[str] = []
    while "[" in text:
        text = _CHOICE.sub(lambda match: _keep(match[1], kept), text)
    source = _source(text)
    for number in reversed(range(len(kept))):
        ways = "|".join(_source(way) for way in kept[number].split("|"))
        source = source.replace(f"\x00{number}\x01", f"(?:{ways})")
    return re.compile(rf"\s*{source}\s*", re.IGNORECASE)


def _keep(ways: str, kept: list[str]) -> str:
    kept.append(ways)
    return f"\x00{len(kept) - 1}\x01"


def _source(text: str) -> str:
    """Escape a piece of grammar: fields match anything, a space any or no white space."""
    parts = re.split(r"(\x00\d+\x01|\{\w+\}| +)", text)
    return "".join(
        part
        if part.startswith("\x00")
        else r".+?"
        if part.startswith("{")
        else r"\s*"
        if part.isspace()
        else re.escape(part)
        for part in parts
    )


def _tidy(text: str) -> str:
    return re.sub(r" +([?.!,])", r"\1", re.sub(r" {2,}", " ", text)).strip()


__all__ = ["pattern", "phrase"]
