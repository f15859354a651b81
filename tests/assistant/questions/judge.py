"""Tells whether an answer is right, does not claim to understand, or is wrong; knows answers only as told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.assistant.questions.album import ALBUM, CONCEPTS, PLACES
from tests.assistant.questions.expect import (
    PHOTOS,
    Count,
    Either,
    Expected,
    Moment,
    Names,
    Photos,
    Places,
    Question,
    Refusal,
    Truth,
    Words,
)

Verdict = Literal["right", "not understood", "wrong"]

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_DAY = re.compile(
    rf"\b(?P<d>\d{{1,2}}) (?P<m>{_MONTH}) (?P<y>\d{{4}})"
    rf"|\b(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}}), (?P<y2>\d{{4}})"
    r"|\b(?P<iso>\d{4}-\d\d-\d\d)\b"
)
_MONTH_IN_TEXT = re.compile(rf"\b(?:\d{{1,2}} )?(?:{_MONTH}) \d{{4}}\b|\b(?:in|every) May\b")
_NOT_UNDERSTOOD = re.compile(
    r"not understood|\b(?:do|did|could|can)(?: not|n't) (?:understand|read|know|answer|tell)"
    r"|cannot be (?:answered|read)|only English|only (?:reads|understands)",
    re.IGNORECASE,
)
_NAMED_MOST = re.compile(
    r"\b(?:most|fewest|least)(?: often| photos)?: (?P<after>[^.,;]+)|(?P<before>\w+) most often",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reply:
    """What a command said.

    Attributes:
        text: The words; of a refusal, its message.
        photos: The numbers of the photos cited.
        total: How many photos it rests on.
        is_refused: Whether the command ended in a refusal.
        is_look: Whether only a model could go on.
    """

    text: str
    photos: frozenset[int] = frozenset()
    total: int = 0
    is_refused: bool = False
    is_look: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether it says that nothing was found."""
        return not self.is_refused and not self.is_look and self.total == 0


def reply_of_json(told: dict[str, Any] | list[dict[str, Any]]) -> Reply:
    """Return what `ask --json` or `search --json` printed."""
    if isinstance(told, list):
        found = frozenset(_number_of(photo["path"]) for photo in told)
        return Reply("", found, len(found))
    return Reply(told["answer"], frozenset(map(_number_of, told["photos"])), told["total"])


def _number_of(path: str) -> int:
    match = re.search(r"p(\d{3})\.jpg$", path)
    assert match, path
    return int(match[1])


def judge(question: Question, reply: Reply) -> Verdict:
    """Judge a reply."""
    is_content = question.may_refuse or isinstance(question.expected, Refusal)
    if question.kind == "other languages":
        is_content = "English" in reply.text
    if reply.is_refused:
        return "right" if is_content else "not understood"
    if reply.is_look:
        return "not understood"
    said = reply.text.casefold()
    is_said = not question.mentions or any(words in said for words in question.mentions)
    if is_said and _is_right(question.expected, reply, question.text):
        return "right"
    if _NOT_UNDERSTOOD.search(reply.text):
        return "right" if is_content else "not understood"
    return "wrong"


def _is_right(expected: Expected, reply: Reply, asked: str) -> bool:
    if isinstance(expected, Either):
        return any(_is_right(meaning, reply, asked) for meaning in expected.expected)
    evidence = getattr(expected, "evidence", None)
    if evidence is not None and not reply.photos <= evidence:
        return False
    check: Callable[[Any, Reply, str], bool] = _CHECKS[type(expected)]
    return check(expected, reply, asked)


def _is_count(expected: Count, reply: Reply, asked: str) -> bool:
    of_photos = expected.unit == PHOTOS
    if of_photos and reply.total not in expected.numbers:
        return False
    if reply.is_nothing:
        return 0 in expected.numbers
    said = re.search(rf"\b(\d[\d,]*|{'|'.join(_NUMBERS)}) {expected.unit}\b", reply.text, re.IGNORECASE)
    if said:
        word = said[1].casefold().replace(",", "")
        return (_NUMBERS.index(word) if word in _NUMBERS else int(word)) in expected.numbers
    plain = [int(n) for n in re.findall(r"\d+", reply.text) if n not in asked]
    return bool(plain) and plain[0] in expected.numbers


def _is_photos(expected: Photos, reply: Reply, asked: str) -> bool:
    is_all = expected.required <= reply.photos <= expected.required | expected.optional
    return is_all and reply.total in (len(reply.photos), expected.of)


def _is_moment(expected: Moment, reply: Reply, asked: str) -> bool:
    taken = {str(photo.day) for photo in ALBUM if photo.number in reply.photos}
    if not any(day.startswith(expected.date) for day in taken):
        return False
    if len(expected.date) == 4:
        years = set(re.findall(r"\b(?:19|20)\d\d\b", reply.text))
        return years == {expected.date}
    days = [_iso(match) for match in _DAY.finditer(reply.text)]
    return bool(days) and days[0] == expected.date


def _iso(match: re.Match[str]) -> str:
    if match["iso"]:
        return match["iso"]
    year, month, day = (match["y"] or match["y2"], match["m"] or match["m2"], match["d"] or match["d2"])
    return f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}"


def _is_truth(expected: Truth, reply: Reply, asked: str) -> bool:
    said = re.match(r"\W*(yes|no)\b", reply.text, re.IGNORECASE)
    told = {int(number) for number in re.findall(r"\d+", reply.text)}
    if told and not expected.reasons <= told:
        return False
    if said:
        return (said[1].casefold() == "yes") == expected.is_true
    return not expected.is_plain and expected.is_true == (reply.total > 0)


def _is_names(expected: Names, reply: Reply, asked: str) -> bool:
    told = _MONTH_IN_TEXT.sub(" ", _without_quotes(reply.text))
    for place, _, _ in PLACES.values():
        told = told.replace(place, " ")
    told = re.sub(r"\b(?:in|from|at) Paris\b", " ", told)
    found = frozenset(name for name in CONCEPTS if _has(told, name))
    echoed = frozenset(name for name in CONCEPTS if _has(asked, name))
    return bool(reply.total) and expected.names <= found <= expected.names | expected.optional | echoed


def _is_places(expected: Places, reply: Reply, asked: str) -> bool:
    told = _without_quotes(reply.text)
    found = frozenset(place for place in PLACES if _tells_place(told, place))
    echoed = frozenset(place for place in PLACES if _has(asked, place))
    return bool(reply.total) and expected.places <= found <= expected.places | echoed


def _tells_place(told: str, place: str) -> bool:
    """Whether a place is told; Paris is somebody's name, too."""
    if place in CONCEPTS:
        return PLACES[place][0] in told or re.search(rf"\b(?:in|from|at|to) {place}\b", told) is not None
    return _has(told, place)


def _is_words(expected: Words, reply: Reply, asked: str) -> bool:
    told = _without_quotes(reply.text)
    if re.match(r"\W*(?:yes|no)\b", told, re.IGNORECASE):
        return False
    if named := _NAMED_MOST.search(told):
        return _has(named["after"] or named["before"], expected.word)
    ends = {word: _start(told, word) for word in {expected.word, *expected.others}}
    return min(ends, key=lambda word: ends[word]) == expected.word and ends[expected.word] <= len(told)


def _is_refusal(expected: Refusal, reply: Reply, asked: str) -> bool:
    """Only to have found nothing will do, and neither "yes" nor "no"."""
    return reply.is_nothing and re.match(r"\W*(?:yes|no)\b", reply.text, re.IGNORECASE) is None


def _start(text: str, word: str) -> int:
    match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    return match.start() if match else len(text) + 1


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _without_quotes(text: str) -> str:
    return re.sub(r'"[^"]*"', " ", text)


_CHECKS: dict[type, Callable[[Any, Reply, str], bool]] = {
    Count: _is_count,
    Photos: _is_photos,
    Moment: _is_moment,
    Truth: _is_truth,
    Names: _is_names,
    Places: _is_places,
    Words: _is_words,
    Refusal: _is_refusal,
}
