"""Takes the questions of a dataset apart: names in angle brackets, lettered options; knows no files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LETTERS = "ABCDEFGH"
_OPTION = re.compile(r"(?:^|(?<=\s))\(?([A-H])[.):]\s+")
_REQUEST = re.compile(
    r"\s*(?:IMPORTANT:)?\s*Answer (?:the question using a single letter|with the letter)[^.]*\.\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parts:
    """A question and its options."""

    text: str
    options: tuple[str, ...]


def bare_names(text: str, names: Sequence[str]) -> str:
    """Write `<Anna>` as `Anna` for the names of a scenario, `<sks>` for the only one; others stay."""
    for name in names:
        text = text.replace(f"<{name}>", name)
    return text.replace("<sks>", names[0]) if len(names) == 1 else text


def take_apart(text: str) -> Parts:
    """Split a question from its options `A. … B. …`; without at least two in order there are none."""
    text = _REQUEST.sub("", text.strip())
    found = list(_OPTION.finditer(text))
    runs = [start for start, match in enumerate(found) if match[1] == "A"]
    for start in reversed(runs):
        run = found[start:]
        letters = "".join(match[1] for match in run)
        if len(run) < 2 or letters != LETTERS[: len(run)]:
            continue
        ends = [match.start() for match in run[1:]] + [len(text)]
        options = tuple(text[m.end() : end].strip(" ;,\n\t") for m, end in zip(run, ends, strict=True))
        if all(options):
            return Parts(text[: run[0].start()].strip(), options)
    return Parts(text, ())


def letter_of(answer: str) -> str:
    """The letter an answer gives: of "B", "B." and "(B) on the left"; empty where there is none."""
    match = re.match(r"\s*\(?([A-H])(?:[.):\s]|$)", answer)
    return match[1] if match else ""


def with_options(text: str, options: Sequence[str]) -> str:
    """A question with its options, as it is asked."""
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, options, strict=False))
    return f"{text} {listed} Answer with the letter."
