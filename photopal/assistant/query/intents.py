"""Tells from the wording of a question what is wanted; knows no photo and reads no names or dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from photopal.assistant.query.lexicon import DOING, content_words

Kind = Literal[
    "concepts", "about", "count", "when", "where", "who", "cameras", "lenses", "years", "months", "days",
    "exists", "find", "describe", "pixels",
]  # fmt: skip
"""What is wanted: "pixels" is whatever only a look at photos can tell."""

NAME = r"[\U000F0000-\U000FFFFD]"
"""The private character that stands for a name."""

PHOTO = r"(?:photo(?:graph)?|picture|image|pic|snapshot|shot|selfie)s?"

_MOST = (
    r"(?:(?:different|of|my|our|the|all|other|new|old|newest|oldest|latest|first|last|recent|most|\d+)\s+)*"
)
_SOME = r"(?:people|persons|pets|animals|things)"
_SOMEBODY = r"(?:people|persons?|pets?|animals?|friends?|things?|family members?)"
_REGION = r"(?:places?|cit(?:y|ies)|towns?|countr(?:y|ies)|locations?|villages?|regions?)"
_EACH = r"\b(?:per|by|for each|of each|each|every)\s+"
_ASK = (
    r"^(?:(?:so|and|please|hey|ok|well)[ ,]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell me )?|tell me )?"
)
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("where", r"\bwhen and where\b|\bwhere and when\b"),
    ("about", rf"{_ASK}(?:who|what)(?:'s| is| are| was| were) {NAME}(?:,? and {NAME})*\W*$"),
    ("about", rf"\bdo you (?:know|recogni[sz]e) (?:who )?{NAME}"),
    ("about", rf"^tell me (?:something |more |all )?about {NAME}\W*$"),
    ("concepts", r"\b(?:do|can) you (?:already )?(?:know|recogni[sz]e)\b|\b(?:registered|enrolled)\b"),
    ("concepts", rf"^how many {_SOME} (?:do|have|did) (?:i|we) (?:have|named|know)\b"),
    ("concepts", r"^(?:how many|list|show|which|what)(?: me)?(?: all| the| my)* (?:concepts|names)\b"),
    ("cameras", rf"\b(?:which|what|how many) {_MOST}(?:cameras?|phones?|smartphones?|devices?)\b"),
    ("cameras", rf"{_EACH}(?:camera|phone)\b"),
    ("cameras", r"^(?:list|show me).*\bcameras\b"),
    ("cameras", r"\b(?:taken|shot|made|photographed) with\W*$"),
    ("cameras", rf"^who (?:took|shot|made)\b.*{PHOTO}"),
    ("lenses", rf"\b(?:which|what|how many) {_MOST}lens(?:es)?\b|{_EACH}lens\b"),
    ("who", rf"{_EACH}(?:person|concept|name|pet|one|of them)\b|\beveryone\b"),
    ("when", r"\b(?:what|which) (?:year|month|day)\b.*\b(?:first|last)\b"),
    ("years", rf"\b(?:which|what|how many) {_MOST}years?\b(?! old)|{_EACH}year\b"),
    ("months", rf"\b(?:which|what|how many) {_MOST}months?\b(?! old)|{_EACH}month\b"),
    ("days", r"\b(?:what|which) (?:day|date)\b.*\bmost\b"),
    ("days", rf"\b(?:how many|which|what) {_MOST}(?:days|dates)\b|{_EACH}day\b"),
    ("where", rf"\b(?:which|what|how many) {_MOST}{_REGION}\b"),
    ("where", rf"{_EACH}(?:place|city|country)\b"),
    ("where", r"^(?:list|show me)(?: all| the| my)* (?:places|cities|countries)\b"),
    ("count", rf"\bhow (?:many|much) {_MOST}{PHOTO}\b|\bhow (?:often|many times|frequently)\b|^count\b"),
    ("count", rf"\b(?:number|count|amount|total) of {_MOST}{PHOTO}\b|\b{PHOTO} count\b"),
    ("count", r"^how many (?:of (?:them|these|those|it)|are there\W*$|do (?:i|we) have|have (?:i|we)|show)"),
    ("count", rf"^how many (?:have|of) {NAME}"),
    ("when", r"^(?:\w+ ){0,3}?(?:when|(?:what|which) (?:day|date|time(?! of)))\b"),
    ("when", r"\bhow long ago\b"),
    ("when", r"\b(?:date|day) of\b"),
    ("when", r"\bsince when\b"),
    ("when", r"^(?:what|which) (?:is|was|were) the (?:date|day|first time|last time)\b"),
    ("when", r"\bwhen (?:was|were|did|is)\b"),
    ("where", r"^(?:\w+ ){0,2}?where\b|\bwhere (?:was|were|did|is|are|have|has)\b"),
    ("who", r"^(?:\w+ ){0,3}?(?:who|whom|who's)\b|\bwho (?:is|are|was|were|else|all|appears?)\b"),
    ("who", rf"\b(?:which|what) {_MOST}{_SOMEBODY}\b"),
    ("who", rf"^how many {_MOST}{_SOMEBODY} (?:appear|are there|were there|did|have)\b"),
    ("describe", r"\bwhat(?:'s| is| was| were| are| did| does| do| have)\b.*\b(?:do|doing|done|up to)\b"),
    ("describe", r"\bwhat (?:has |is |was |else )*happen(?:ed|s|ing)\b"),
    ("describe", r"\bwhat(?:'s| is| was) going on\b"),
    ("describe", r"\bcaptions?\b"),
    ("describe", rf"{_ASK}describe\b.*{PHOTO}"),
    ("describe", rf"\bwhat(?:'s| is| was| can be seen) (?:in|on)\b.*{PHOTO}"),
    ("describe", rf"\bdo(?:es)?\b.*{PHOTO} show\b"),
    ("exists", rf"^(?:is|are|was|were) there (?:\w+ ){{0,3}}?{PHOTO}\b"),
    ("exists", rf"^any {_MOST}{PHOTO}\b"),
    ("exists", rf"\bin any (?:of )?{_MOST}{PHOTO}\b"),
    ("exists", rf"^(?:do|did|have|has) (?:i|we|you) (?:ever )?(?:have|got|take|taken)\b.*{PHOTO}|\bever\b"),
    ("exists", r"^(?:did|has|have|had)\b"),
    ("find", rf"^(?:which|what) {_MOST}{PHOTO}\b|^in (?:which|what) {_MOST}{PHOTO}\b"),
    ("find", rf"{_ASK}(?:show|find|list|give|display|search|get|open|bring|fetch|print|see|look for)\b"),
    ("find", rf"^what (?:is|was|are|were) (?:the|my|our) {_MOST}{PHOTO}\b"),
    ("find", rf"^i(?:'d| would| want| need)\b.*{PHOTO}"),
)  # fmt: skip
ASKED_FOR: Mapping[Kind, str] = {
    "where": rf"\b{_REGION}\b",
    "who": rf"\b(?:{_SOMEBODY}|concept|one|everyone)\b",
    "when": r"\bhow long ago\b",
    "cameras": r"\b(?:smart)?(?:phones?|cameras?)\b|\bdevices?\b",
    "concepts": rf"\b(?:{_SOMEBODY}|concepts?)\b",
}
"""Words that name what is asked for and say nothing of the photos."""

_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS]

# Asked for by words that stand for what is seen, not for where or with whom.
_BESIDE = re.compile(
    r"\b(?:next to|beside|behind|in front of|(?:on|to) the (?:left|right)|in the middle"
    r"|wears?|wore|holds?|held|carr(?:y|ies|ied)|youngest|tallest|oldest (?!photo|pic|image|shot))\b"
)
_IS = re.compile(r"^(?:is|are|was|were)\b")
_PHRASE = re.compile(
    r"\b(?:in|at|on|near|by|from|to|inside|outside|around|into|along)\s+(?:(?:the|an?|my|our|his|her|their)\s+)?"
    r"[\w'-]+(?:\s+(?!in\b|at\b|on\b|with\b)[\w'-]+)?"
)
_BEGINS = re.compile(
    r"^(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will|would"
    r"|should|describe|tell|explain|does)\b"
)


def kind_of(masked: str) -> Kind:
    """What a question wants.

    Args:
        masked: The question without its period, with `NAME` characters for names.
    """
    folded = masked.casefold()
    is_seen = DOING.search(folded) is not None or _BESIDE.search(folded) is not None
    for kind, pattern in _PATTERNS:
        if pattern.search(folded):
            return "pixels" if is_seen and _is_of_pixels(kind, folded) else kind
    if _IS.search(folded):
        loose = content_words(_PHRASE.sub(" ", re.sub(NAME, " ", folded)))
        is_named = re.search(rf"{NAME}|\b(?:we|i)\b", folded) is not None
        return "exists" if is_named and not loose and not is_seen else "pixels"
    return "pixels" if _BEGINS.search(folded) else "find"


def _is_of_pixels(kind: Kind, folded: str) -> bool:
    """Whether a verb of seeing makes a question of this kind one for the eye: "who is holding a cake?"."""
    if kind == "exists":
        return _IS.search(folded) is not None and re.search(PHOTO, folded) is None
    return kind in {"who", "where"}
