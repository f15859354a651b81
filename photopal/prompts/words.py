"""Speaks of concepts by a description of their looks, for models that know no names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from photopal.prompts.build import write_names
from photopal.text import write_over
from photopal.vlm.placeholders import name_placeholder

_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_DETERMINED = re.compile(r"(?:the|my|our|your|his|her|its|their|this|that)\s", re.IGNORECASE)
_CLAUSE_START = re.compile(r",\s+(?:and\s+)?|\s+and\s+|[.!?]\s+")
_SUBJECT = re.compile(r"(?:an?|the)\s+(\w+)\b[^.!?]*?\bis\s", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are)\s")
_MORE = re.compile(r"\s+(?:with|wearing)\b", re.IGNORECASE)
_AND = re.compile(r"\s*,\s|\s+and\s", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:is|are|was|were|has|have)\b", re.IGNORECASE)


def replace_names(text: str, words: Mapping[str, str]) -> str:
    """A text with other words for the whole names in it.

    Args:
        text: What the user wrote.
        words: What to write for each name.
    """
    written = write_names(text, list(words))
    for slot, instead in enumerate(words.values()):
        written = written.replace(name_placeholder(slot), instead)
    return written


def definite(description: str) -> str:
    """A description as one speaks of somebody known: "a black dog" becomes "the black dog"."""
    return description if _DETERMINED.match(description) else f"the {_ARTICLE.sub('', description)}"


def describe_names(question: str, descriptions: Mapping[str, str]) -> str:
    """A question with descriptions for names: "What is the black dog doing?" for "What is Rex doing?".

    Args:
        question: What the user wrote.
        descriptions: Of each name; "a black dog".
    """
    return replace_names(question, {name: definite(words) for name, words in descriptions.items()})


def say_the_same(description: str, other: str) -> bool:
    """Whether two descriptions are of the same words, whatever their articles."""
    return _bare(description) == _bare(other)


def _bare(description: str) -> str:
    return _ARTICLE.sub("", description).casefold()


def tell_apart(descriptions: Mapping[str, str]) -> dict[str, str]:
    """Those who are described as nobody else is: of two black dogs nothing can be said by a description."""
    times = Counter(map(_bare, descriptions.values()))
    return {name: words for name, words in descriptions.items() if times[_bare(words)] == 1}


def name_descriptions(answer: str, descriptions: Mapping[str, str]) -> str:
    """An answer with names for descriptions, where it repeats the whole of one and says no more.

    "A dog" is not in "a black dog" or in "a dog with a collar", who may be somebody else.

    Args:
        answer: What the model said to `describe_names`.
        descriptions: Of each name.
    """
    spans: list[tuple[int, int, str]] = []
    for name, words in sorted(tell_apart(descriptions).items(), key=lambda pair: -len(pair[1])):
        for found in _repeated(words, answer):
            if all(found.end() <= start or end <= found.start() for start, end, _ in spans):
                spans.append((found.start(), found.end(), name))
    return write_over(answer, sorted(spans))


def _repeated(words: str, answer: str) -> Iterator[re.Match[str]]:
    """Find where an answer speaks of one who is described so, and in no more words."""
    bare = _ARTICLE.sub("", words)
    if not bare:
        return
    article = r"\b" if _DETERMINED.match(bare) else r"(?:\b(?:an?|the)\s+|^|(?<=[.!?]\s))"
    for found in re.finditer(rf"{article}{re.escape(bare)}\b", answer, re.IGNORECASE):
        rest = answer[found.end() :]
        if not _MORE.match(rest) and not (" with " in bare and _goes_on(rest)):
            yield found


def _goes_on(rest: str) -> bool:
    """Whether a list begun by "with" goes on: "and a beard is running", but not "and a dog are running"."""
    if not _AND.match(rest):
        return False
    verb = _NUMBER.search(re.split(r"[.!?]", rest, maxsplit=1)[0])
    return verb is None or verb[0].casefold() not in ("are", "were", "have")


def begins_with_one_of(answer: str, description: str) -> bool:
    """Whether an answer begins with one such as is described: "The dog is …" of "a black dog"."""
    found = _SUBJECT.match(answer)
    return found is not None and found[1].casefold() in re.findall(r"\w+", description.casefold())


def split_clauses(text: str, *, is_begun: bool = False) -> list[str]:
    """A text in pieces that each say of somebody what it is or does, with the commas and "and" at their ends.

    "A man with a hat and a beard is running, a dog is" is two pieces: a hat and a beard are no clauses.

    Args:
        text: Such as a caption.
        is_begun: Whether it goes on behind "somebody is".
    """
    clauses: list[str] = []
    start = 0
    for found in _CLAUSE_START.finditer(text):
        if (is_begun and not clauses) or _VERB.search(text, start, found.start()):
            clauses.append(text[start : found.end()])
            start = found.end()
    return [*clauses, text[start:]]


def after_verb(clause: str) -> str:
    """What a clause says of somebody: "running" of "a dog is running"; empty where it says nothing."""
    found = _VERB.search(clause)
    return "" if found is None else clause[found.end() :].strip()
