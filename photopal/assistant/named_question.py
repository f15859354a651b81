"""Finds whom a question about a photo names; knows no photo and no library.

Rose is a name in "Is Rose here?" and a word in "Is there a rose in the vase?".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from photopal.assistant.query.entities import Known, mark_entities, meanings_of
from photopal.text import name_spans, write_over

_LISTED = re.compile(r"\s*(?:,|,?\s+and|&)\s*", re.IGNORECASE)
_ARE = re.compile(r"\b[Aa]re\b")
_ASKS_OF_EACH = re.compile(
    r"\s*(?:what are … (?:doing|wearing|holding|carrying|up to)|where are …)"
    r"(?: (?:here|(?:in|on) (?:this|the) (?:photo|picture|image)))?[\s?.!]*",
    re.IGNORECASE,
)
_WITHIN = re.compile(r"\bin\s+(?:the\s+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class NamedQuestion:
    """A question and the names in it.

    Attributes:
        text: In the user's words.
        spans: Start, end and name, as it is registered, in the order of the text.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]

    @property
    def names(self) -> set[str]:
        """Those it names."""
        return {name for _, _, name in self.spans}

    def with_words(self, words: Mapping[str, str]) -> str:
        """The question with other words for names; those without any stay as they are."""
        return write_over(
            self.text, ((start, end, words[name]) for start, end, name in self.spans if name in words)
        )

    def without(self, names: Collection[str]) -> str | None:
        """The question about the others: "What is Ben doing?" of "What are Ben and Tom doing?".

        Args:
            names: Whom not to ask about.

        Returns:
            None where some of them are not in a list with others, and nothing can be asked without them.
        """
        text, spans = self.text, list(self.spans)
        for name in names:
            for index in reversed([n for n, span in enumerate(spans) if span[2] == name]):
                start, end, _ = spans[index]
                left = spans[index - 1][1] if index else None
                right = spans[index + 1][0] if index + 1 < len(spans) else None
                if left is not None and _LISTED.fullmatch(text[left:start]):
                    cut = (left, end)
                elif right is not None and _LISTED.fullmatch(text[end:right]):
                    cut = (start, right)
                else:
                    return None
                text = text[: cut[0]] + text[cut[1] :]
                gone = cut[1] - cut[0]
                moved = [(a - gone, b - gone, who) for a, b, who in spans[index + 1 :]]
                spans = [*spans[:index], *moved]
        if not names or len(spans) > 1:
            return text
        return _is(text)

    def each(self) -> tuple[str, ...]:
        """The same question about each whom it names: "What is Ben doing?" and "What is Tom doing?".

        Returns:
            The question itself where it may ask for what several do together.
        """
        if len(self.names) < 2:
            return (self.text,)
        start, end = self.spans[0][0], self.spans[-1][1]
        gaps = [self.text[a[1] : b[0]] for a, b in pairwise(self.spans)]
        before, after = self.text[:start], self.text[end:]
        is_plain = _ASKS_OF_EACH.fullmatch(f"{before}…{after}") is not None
        if not is_plain or not all(map(_LISTED.fullmatch, gaps)):
            return (self.text,)
        # Each once, however often: the model takes seconds for each.
        said: dict[str, str] = {}
        for a, b, name in self.spans:
            said.setdefault(name, self.text[a:b])
        return tuple(f"{_is(before)}{words}{after}" for words in said.values())


def _is(text: str) -> str:
    """A text that speaks of one where it spoke of several."""
    return _ARE.sub(lambda found: "Is" if found[0] == "Are" else "is", text, count=1)


def read_names(question: str, names: Sequence[str]) -> NamedQuestion:
    """Find the names in a question: whole ones, whatever their case, and not where they are ordinary words.

    Args:
        question: In the user's words.
        names: All that are registered.
    """
    text = unicodedata.normalize("NFC", question)
    spans = name_spans(text, names)
    meant = [span for span in spans if _is_name(text, span, spans, names)]
    return NamedQuestion(text, tuple((start, end, names[index]) for start, end, index in meant))


def _is_name(
    text: str, span: tuple[int, int, int], spans: Sequence[tuple[int, int, int]], names: Sequence[str]
) -> bool:
    start, _, index = span
    name = names[index]
    if not meanings_of(name):
        return True
    # Each place by itself, as Rose may be holding a rose.
    elsewhere = [(begin, end, "it") for begin, end, other in spans if other == index and begin != start]
    marked = mark_entities(write_over(text, elsewhere), Known(names), today=None)
    is_place = any(entity.value == name for entity in marked.found(marked.text, "place"))
    # On a photo somebody is next to Sofia and looks at Florence, but in Paris.
    return name in marked.ambiguous or (is_place and _WITHIN.search(text[:start]) is None)
