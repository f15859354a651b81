"""Finds what a question compares, as in "more in 2022 or 2023" or "is Ben in more photos than Anna"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from photopal.assistant.query.entities import CAMERA, DATE, ENTITY, GROUP, NAME, PHRASE, PLACE
from photopal.assistant.query.intents import PHOTO
from photopal.assistant.query.patterns import LazyPattern

By = Literal["more", "fewer", "equal", "first", "last"]


@dataclass(frozen=True)
class FoundComparison:
    """A comparison in a text.

    Attributes:
        by: What is compared.
        sides: The words of each side.
        labels: How each side is called.
        rest: The text without the sides and the words that compare.
        is_yes_no: Whether it is asked if the first side has it.
        is_difference: Whether it is asked by how many.
    """

    by: By
    sides: tuple[str, ...]
    labels: tuple[str, ...]
    rest: str
    is_yes_no: bool
    is_difference: bool


_KINDS = (NAME, DATE, PLACE, CAMERA, GROUP, PHRASE)
_SEEN = f"(?:{NAME}|{GROUP}|{PHRASE})"
_PREPOSITION = (
    "(?:(?:of|in|on|at|from|with|by|without|near|for|during|the|a|an|my|our|those|ones|photos?|pictures?"
    "|images?|are|is|was|were|"
    r"there|taken|did|do|does|either|both|there)\s+)*"
)
_MORE = LazyPattern(
    r"\b(?:how (?:many|much) )?(?P<word>(?:the )?(?:more|most|fewer|fewest|less|least|as many|as often|the"
    " same number of"
    r"|equally(?: many| often| frequently)?|bigger|greater|larger|higher))\b(?:\s+(?:often|frequently"
    "|times|number))?"
)
_ORDER = LazyPattern(r"\b(?P<word>first|earlier|sooner|last|later|most recently|before|after)\b")
_COMPARE = LazyPattern(r"^(?:please )?compare\b")
_PIVOT = LazyPattern(r"\s+(?:than|versus|vs\.?|as opposed to|compared (?:to|with)|as)\s+")
# "Who has more photos than Ben?" compares everybody with Ben, which is not the same as two sides.
_ASKS_WHICH = LazyPattern(r"^(?:(?:in|on|at|of|with|by)\s+)?(?:who|whom|whose|which|what|where|when)\b")
_YES_NO = LazyPattern(r"^(?:is|are|was|were|do|does|did|have|has)\b")
_WORD = r"[^\W_][\w'-]*"


_LINK = r"(?:\s*(?:,|\band\b|\bor\b|&))+\s*"
_LISTED_BEFORE = LazyPattern(rf"{ENTITY}{_LINK}$")
_LISTED_AFTER = LazyPattern(rf"{_LINK}{_PREPOSITION}{ENTITY}")
# Of "who is more often with Mia, Anna or Ben?" Mia is on all photos that are compared.
_WITH_ONE_OF = LazyPattern(
    rf"(?P<rest>(?:who|which {GROUP})\b.*\b(?:with|beside) {NAME})\s*[,:]\s*"
    rf"(?P<sides>{NAME}(?:{_LINK}{NAME})+)$"
)


def find_comparison(text: str) -> FoundComparison | None:
    """Return what a text compares; None where it compares nothing."""
    plain = text.rstrip(" ?.!")
    if _COMPARE.match(plain):
        return _listed(
            _COMPARE.sub(" ", plain), "more", joins=r",|\band\b|\bwith\b|\bto\b|\bor\b|\bvs\.?|\bversus\b"
        )
    more = _MORE.search(plain)
    if more:
        by = _by(more["word"])
        rest = f"{plain[: more.start()]} {plain[more.end() :]}"
        if _PIVOT.search(rest):
            return _with_pivot(plain, rest, by, is_difference=more[0].casefold().startswith("how many"))
        if by == "equal":
            found = _listed(rest, by, joins=r",|\band\b|\bor\b")
            return replace(found, is_yes_no=True) if found and _YES_NO.match(plain) else found
        if among := _WITH_ONE_OF.match(" ".join(rest.split())):
            sides = tuple(re.findall(NAME, among["sides"]))
            return FoundComparison(
                by, sides, sides, _cleaned(among["rest"]), is_yes_no=False, is_difference=False
            )
        # "Which person appears most often?" compares nothing that the question names.
        is_of_list = re.search(r"\b(?:which|who|what) of\b|\b(?:between|among)\b", plain, re.IGNORECASE)
        joins = r",|\bor\b|\bvs\.?|\bversus\b" + (r"|\band\b" if is_of_list else "")
        return _listed(rest, by, joins=joins)
    order = _ORDER.search(plain)
    if (
        order
        and re.search(rf"{NAME}\s*,?\s*\bor\b\s*{_PREPOSITION}{NAME}", plain)
        and order["word"].casefold() not in {"before", "after"}
    ):
        by = "first" if order["word"].casefold() in {"first", "earlier", "sooner"} else "last"
        return _listed(f"{plain[: order.start()]} {plain[order.end() :]}", by, joins=r",|\bor\b")
    if order and order["word"].casefold() in {"before", "after"} and _YES_NO.match(plain):
        ordered = re.search(
            rf"(?P<one>{NAME})(?P<between>[^{NAME[1:-1]}]*)\b{order['word']}\s+(?P<two>{NAME})\s*$", plain
        )
        if ordered:
            rest = f"{plain[: ordered.start()]} {ordered['between']}"
            by = "first" if order["word"].casefold() == "before" else "last"
            return FoundComparison(by, (ordered["one"], ordered["two"]), (ordered["one"], ordered["two"]),
                                   _cleaned(rest), is_yes_no=True, is_difference=False)  # fmt: skip
    if re.search(r"\s(?:vs\.?|versus)\s", plain):
        return _listed(plain, "more", joins=r"\bvs\.?|\bversus\b")
    return None


def _by(word: str) -> By:
    folded = word.casefold().removeprefix("the ")
    if folded in {"fewer", "fewest", "less", "least"}:
        return "fewer"
    return "equal" if folded.startswith(("as ", "same", "equally")) else "more"


def _with_pivot(plain: str, rest: str, by: By, *, is_difference: bool) -> FoundComparison | None:
    """Read "A ... than B": B stands behind "than", A is the last of its kind before it."""
    pivot = list(_PIVOT.finditer(rest))[-1]
    if _ASKS_WHICH.match(plain) and pivot[0].strip().casefold() in ("than", "as"):
        return None
    before, after = rest[: pivot.start()], rest[pivot.end() :]
    is_yes_no = _YES_NO.match(plain) is not None and not is_difference
    right = re.match(rf"(?P<words>{_PREPOSITION}(?P<entity>{ENTITY}))", after, re.IGNORECASE)
    if right:
        kind = next(kind for kind in (_SEEN, *_KINDS) if re.match(kind, right["entity"]))
        left = list(re.finditer(rf"{_PREPOSITION}(?P<entity>{kind})", before, re.IGNORECASE))
        # "More photos of Anna than in Berlin" has two clear sides, though of two kinds.
        left = left or list(re.finditer(rf"\b{PHOTO}\s+{_PREPOSITION}(?P<entity>{ENTITY})", before, re.I))
        if not left:
            return None
        found = left[-1]
        # "Anna and Ben than of Mia" and "than in 2021 and 2020": a side of several is not read.
        if _LISTED_BEFORE.search(before[: found.start()]) or _LISTED_AFTER.match(after, right.end()):
            return None
        remaining = f"{before[: found.start()]} {before[found.end() :]} {after[right.end() :]}"
        return FoundComparison(
            by,
            (_side(found["entity"], found[0]), _side(right["entity"], right["words"])),
            (_side(found["entity"], found[0]), _side(right["entity"], right["words"])),
            _cleaned(remaining),
            is_yes_no=is_yes_no,
            is_difference=is_difference,
        )
    words = re.match(rf"{_PREPOSITION}(?P<words>(?:{_WORD}\s*){{1,3}})$", after, re.IGNORECASE)
    phrase = list(re.finditer(
        r"\b(?:in|at|on|of|with|by|near|from)\s+(?:(?:the|a|an|my"
        rf"|our)\s+)?(?P<words>(?:{_WORD}\s*){{1,2}})$", before, re.I))  # fmt: skip
    if (
        not words
        or not phrase
        or re.search(r"\d|\bi\b|\bexpected\b|\bbefore\b|\bever\b|\busual\b|\baverage\b", words["words"], re.I)
    ):
        return None
    left_words, right_words = phrase[-1]["words"].strip(), words["words"].strip()
    return FoundComparison(
        by, (left_words, right_words), (left_words, right_words), _cleaned(before[: phrase[-1].start()]),
        is_yes_no=is_yes_no, is_difference=is_difference,
    )  # fmt: skip


def _listed(text: str, by: By, *, joins: str) -> FoundComparison | None:
    """Read "A or B", which may be more than two."""
    for kind in _KINDS:
        entry = rf"{_PREPOSITION}{kind}"
        found = re.search(
            rf"(?:\b(?:between|either)\s+)?{entry}(?:\s*(?:{joins})+\s*{entry})+", text, re.IGNORECASE
        )
        if found:
            sides = re.findall(rf"({_PREPOSITION})({kind})", found[0], re.IGNORECASE)
            entities = [entity for _, entity in sides]
            words = [_side(entity, preposition) for preposition, entity in sides]
            entities = words if any(word.startswith("without") for word in words) else entities
            # Of "Anna and Ben or Mia" the sides may be Anna and Ben together.
            if len(set(words)) < 2 or _LISTED_BEFORE.search(text[: found.start()]):
                return None
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            return FoundComparison(
                by, tuple(words), tuple(entities), _cleaned(rest), is_yes_no=False, is_difference=False
            )
    negative = re.search(
        rf"\bwith (?P<one>{ENTITY}) or (?P<two>without)(?: (?:{ENTITY}|her|him|them|it))?", text, re.I
    )
    if negative:
        one = negative["one"]
        rest = f"{text[: negative.start()]} {text[negative.end() :]}"
        return FoundComparison(by, (one, f"without {one}"), (f"with {one}", f"without {one}"), _cleaned(rest),
                               is_yes_no=False, is_difference=False)  # fmt: skip
    mixed = re.search(rf"{_PREPOSITION}({ENTITY})\s+or\s+{_PREPOSITION}({ENTITY})", text, re.IGNORECASE)
    if mixed:
        rest = f"{text[: mixed.start()]} {text[mixed.end() :]}"
        return FoundComparison(by, (mixed[1], mixed[2]), (mixed[1], mixed[2]), _cleaned(rest),
                               is_yes_no=False, is_difference=False)  # fmt: skip
    alternatives = re.search(
        rf"(?:\b(?:in|at|on|of|with|by|near|from)\s+|[:,]\s*|\b{PHOTO}\s+)(?:(?:the|a|an|my"
        rf"|our)\s+)?(?P<one>{_WORD}(?:\s{_WORD})?)"
        rf"\s+or\s+{_PREPOSITION}(?P<two>{_WORD}(?:\s{_WORD})?)\s*$",
        text,
        re.IGNORECASE,
    )
    if alternatives:
        pair = (alternatives["one"], alternatives["two"])
        rest = _cleaned(text[: alternatives.start()])
        return FoundComparison(by, pair, pair, rest, is_yes_no=False, is_difference=False)
    return None


def _side(entity: str, words: str) -> str:
    return f"without {entity}" if re.search(r"\bwithout\b", words, re.IGNORECASE) else entity


def _cleaned(rest: str) -> str:
    """The words beside a comparison, without those that only belong to it."""
    own = (
        rf"\b(?:which|what)\s+{GROUP}|\b(?:more|fewer|less|most|least|often|frequently|times|who|which"
        "|what|whose|when|where|how many|are there|there|is|was|"
        "are|were|did|do|does|have|has|i|we|me|one|year|month|day|camera|person|place|city|country|of"
        " these|of those|of the two|"
        "of them|between|among|either|both|than|compared|or|and|appears?|photographed|season|phone|comes?"
        r"|came|seen|see|met|meet|saw|in|on|at|of)\b|[,:]"
    )
    return " ".join(re.sub(own, " ", rest, flags=re.IGNORECASE).split())
