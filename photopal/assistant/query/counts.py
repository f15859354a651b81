"""Reads numbers and comparisons: "more than 10", "the last two", "all of", "in 2022 or in 2023"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from photopal.assistant.query.comparisons import find_comparison
from photopal.assistant.query.criteria import Comparison, Criteria, Ranked, Threshold
from photopal.assistant.query.entities import ENTITY, GROUP
from photopal.assistant.query.intents import PHOTO, SHOT, Intent
from photopal.assistant.query.lexicon import NUMBER_WORDS, content_words
from photopal.assistant.query.negations import read_alone, read_attributes, read_negations
from photopal.assistant.query.patterns import LazyPattern
from photopal.assistant.query.reader import Reader, refuse

_RELATIONS: dict[str, Literal["more than", "at least", "fewer than", "at most", "exactly"]] = {
    "more than": "more than", "over": "more than", "at least": "at least", "fewer than": "fewer than",
    "less than": "fewer than", "under": "fewer than", "at most": "at most", "exactly": "exactly",
}  # fmt: skip

_THRESHOLD = LazyPattern(
    r"\b(?P<relation>more than|over|at least|fewer than|less than|under|at most|exactly)\s+"
    rf"(?P<number>\d{{1,6}}|{'|'.join(word for word in NUMBER_WORDS if ' ' not in word)})\s+(?={PHOTO}\b)"
)

_YES_NO = LazyPattern(r"^(?:is|are|was|were|do|does|did|have|has)\b")

_OF_GROUPS = LazyPattern(r"\b(?:who|whom|which|what|where|when|how many)\b|^(?:list|show|name)\b")

_ALL = r"(?:every(?: single)?(?: one of)?|all(?: of)?|each(?: of)?)(?: (?:the|my|our))*"

_IN_EVERY = LazyPattern(
    rf"^(?:is|are|was|were|does|do|did)\s+(?P<fact>{ENTITY}(?:\s*(?:,|and|or)+\s*{ENTITY})*)\s+"
    rf"(?:(?:appear|shown|seen|visible|there)\s+)?(?:in|on)\s+{_ALL}\s+{PHOTO}\b(?P<scope>.*)$"
)

_ARE_ALL = LazyPattern(
    rf"^(?:is|are|was|were|do|does|did)\s+{_ALL}\s+{PHOTO}\s+(?P<scope>(?:of|with|from|in|on|at|taken"
    rf" with)?\s*{ENTITY}"
    rf"(?:\s*(?:,|and|or|with)+\s*{ENTITY})*|{ENTITY})\s+(?P<fact>.+)$"
    rf"|^(?:is|are|was|were|do|does|did)\s+{_ALL}\s+(?P<scope2>{ENTITY})\s+{PHOTO}\s+(?P<fact2>.+)$"
)

ENDS_LAST = r"last|latest|newest|most recent(?:ly)?"

ENDS_FIRST = r"first|earliest|oldest"

_LAST = LazyPattern(rf"\b(?:{ENDS_LAST})\b(?: time\b)?")

_FIRST = LazyPattern(rf"\b(?:{ENDS_FIRST})\b(?: time\b)?")

_ONE = LazyPattern(rf"\b(?:{ENDS_LAST}|{ENDS_FIRST})\s+{SHOT}\b(?<!s)")

_WHICH_ONE = LazyPattern(rf"^(?:which|what) {PHOTO} (?:is|was) the (?:{ENDS_LAST}|{ENDS_FIRST})\b")

_RECENT = LazyPattern(
    r"(?<!\bmost )\b(?:recent(?:ly)?|lately)\b(?! (?:days|weeks|months|years|times|weekends)\b)"
)

_FEW = LazyPattern(
    rf"^(?P<before>(?:(?:the|my|our|{ENDS_LAST}|{ENDS_FIRST}) )*)(?:a )?few "
    rf"(?=(?:more )?(?:of (?:the|my|our) )?(?:(?:{ENDS_LAST}|{ENDS_FIRST}) )?{PHOTO}\b)"
)

_ONE_OF = LazyPattern(
    rf"^(?:just )?one (?=(?:of (?:the|my|our) )?(?:(?:{ENDS_LAST}|{ENDS_FIRST}) )?{PHOTO}\b)"
)

# "Do you have any recent photos?" is answered with the times of all there are.
_NO_NUMBER = LazyPattern(rf"^(?:some |any )?(?:a few |recent )+(?={PHOTO}\b)")

_COUNTED = "|".join(word for word in NUMBER_WORDS if word not in ("a", "an", "one"))

_MANY = LazyPattern(rf"\b(?P<number>\d{{1,3}}|{_COUNTED})\s+(?=(?:(?:{ENDS_LAST}|{ENDS_FIRST})\s+)?{SHOT}\b)")


_IN_RANKED = LazyPattern(
    rf"^(?:is|are|was|were|does|do|did|can (?:you|i) see|do you see)\s+(?:there\s+)?"
    rf"(?P<fact>(?:(?:an?|any|my|our|the)\s+)?{ENTITY}(?:\s*(?:,|and|or)+\s*{ENTITY})*)\s+"
    rf"(?:(?:appear|shown|seen|visible|there)\s+)?(?:in|on)\s+(?:(?:the|my|our)\s+)?"
    rf"(?:(?P<number>\d{{1,3}}|{_COUNTED})\s+)?(?P<end>{ENDS_LAST}|{ENDS_FIRST})\s+"
    rf"(?:(?P<number2>\d{{1,3}}|{_COUNTED})\s+)?{PHOTO}\b(?P<scope>.*)$"
)


_WAS_RANKED = LazyPattern(
    rf"^(?:is|was) (?:the|my|our) (?P<ranked>(?:{ENDS_LAST}|{ENDS_FIRST}) {PHOTO}\b(?<!s)[^,]*?)"
    rf" (?:taken|shot|made) (?:(?:in|at|on|with|the|my|our) )*(?P<fact>{ENTITY})[\s?.!]*$"
)


_HOW_MANY_RANKED = LazyPattern(
    r"^(?:(?:in|on) )?how many of (?:the|my|our)\s+"
    rf"(?:(?P<number>\d{{1,3}}|{_COUNTED})\s+)?(?P<end>{ENDS_LAST}|{ENDS_FIRST})\s+"
    rf"(?:(?P<number2>\d{{1,3}}|{_COUNTED})\s+)?{PHOTO}\b"
    rf"(?P<scope>(?:\s*\b(?:of|with|from|and|taken|in|at)\b|\s*{ENTITY})*)"
    r"\s+(?:that\s+)?(?:shows?|have|has|contains?|includes?|are|is|were|was|do|does|did)\s+"
    rf"(?P<fact>(?:(?:taken|of|with|from|in|at|both|either|an?|any|my|our|the)\s+)*{ENTITY}"
    rf"(?:\s*(?:,|and|or)+\s*{ENTITY})*)"
    r"(?:\s+(?:in|on|there|appear|shown|seen|visible)\b)*[\s?.!]*$"
)


_COUNT_OF_RANKED = LazyPattern(
    rf"\bhow many of (?:the|my|our)\s+(?P<ranked>(?:[^\W_]+\s+)?(?:{ENDS_LAST}|{ENDS_FIRST})\s+"
    rf"(?:[^\W_]+\s+)?{PHOTO})\b"
)


_IS_ANYONE = LazyPattern(
    rf"^(?:(?P<is>is|was)|does|did) (?:there )?(?:(?:any|an?|one) )?(?P<group>{GROUP})"
    rf" (?=\w|{ENTITY})"
)


def read_threshold(reader: Reader) -> Threshold | None:
    """ "More than 10 photos", of a question for yes or no, or for whatever is on as many photos."""
    match = _THRESHOLD.search(reader.text)
    if match is None or not (_YES_NO.match(reader.text) or _OF_GROUPS.search(reader.text)):
        return None
    words = " ".join(match["relation"].casefold().split())
    number = match["number"].casefold()
    is_anyone = _IS_ANYONE.match(reader.text)
    reader.text = f"{reader.text[: match.start()]} {reader.text[match.end() :]}"
    if is_anyone:
        # Who it is says whether it is anyone; the photos of all of them together are more.
        reader.text = f"which {is_anyone['group']} {is_anyone['is'] or ''} {reader.text[is_anyone.end() :]}"
    return Threshold(_RELATIONS[words], int(number) if number.isdecimal() else NUMBER_WORDS[number])


def read_all_of(reader: Reader) -> Criteria | None:
    """The photos of which all must fit, in "is Mia in every photo from 2021?"."""
    match = _IN_EVERY.match(reader.text) or _ARE_ALL.match(reader.text)
    if match is None:
        return None
    part = Reader(reader.marked, reader.known)
    groups = match.groupdict()
    scope, fact = (
        groups["scope"] or groups.get("scope2") or "",
        groups["fact"] or groups.get("fact2") or "",
    )
    part.text = scope
    criteria = read_all(part)
    reader.text = f"are there photos {fact} {scope}"
    return criteria


def read_ranked(reader: Reader) -> Ranked | None:
    """The first or last photos that are looked through, in "is Mia in the last three photos from Rome?".

    Raises:
        UsageError: It is asked how many of them fit, and not understood of how many or what.
    """
    how_many = _HOW_MANY_RANKED.match(reader.text)
    is_read = how_many and (how_many["number"] or how_many["number2"])
    if not is_read and (some := _COUNT_OF_RANKED.search(reader.text)):
        refuse([some["ranked"]])
    match = how_many or _IN_RANKED.match(_WAS_RANKED.sub(r"is \g<fact> on the \g<ranked>", reader.text))
    if match is None:
        return None
    words = (match["number"] or match["number2"] or "1").casefold()
    part = Reader(reader.marked, reader.known)
    part.text = match["scope"]
    reader.text = f"are there photos {match['fact']} {match['scope']}"
    return Ranked(
        end="last" if re.fullmatch(ENDS_LAST, match["end"], re.IGNORECASE) else "first",
        number=max(1, int(words) if words.isdecimal() else NUMBER_WORDS[words]),
        of=read_all(part),
        is_number=how_many is not None,
    )


_SHARE = r"\b(?:percentage|percent|per cent|share|proportion|fraction|part)\s+of\s+"
_SHARE_OF = LazyPattern(
    rf"{_SHARE}(?:(?:all|the|my|our|your|of|these|those)\s+)*(?P<of>(?:{ENTITY}(?:'s)?\s*|[\w-]+\s+){{0,4}}?)"
    rf"(?P<photos>{PHOTO})\b(?P<rest>.*)$"
)
# "That show Anna" says which photos are meant, "show Anna" what is asked of them.
_VERB = LazyPattern(
    r"\b(?:(?P<relative>that|which|who|where)|shows?|(?:are|is|were|was|has|have|had|do|does|did)(?:n't)?"
    r"|contains?|includes?|features?|comes?|came|mentions?|lacks?|involves?|depicts?)\b"
)


def read_share_of(reader: Reader) -> Criteria | None:
    """The photos of which a share is asked for, in "what percentage of photos of Mia show Ben?".

    Their words are taken out, so that what is left is asked of them, and not of other photos.

    Raises:
        UsageError: It cannot be told which photos are meant and what is asked of them.
    """
    match = _SHARE_OF.search(reader.text)
    if match is None:
        if (other := re.search(rf"{_SHARE}(?=.*{GROUP})", reader.text, re.I)) and not _OF_PHOTOS.search(
            reader.text
        ):
            refuse([other[0].strip()])
        return None
    relatives, asked_at = 0, None
    for verb in _VERB.finditer(match["rest"]):
        if verb["relative"]:
            relatives += 1
        elif relatives:
            relatives -= 1
        else:
            asked_at = verb.start()
            break
    if asked_at is None:
        # Of all photos only where nothing but one name, place or date is said: else it may be either's share.
        words = content_words(re.sub(ENTITY, " ", match["rest"]))
        is_of_several = len(re.findall(ENTITY, match["rest"])) + len(words) > 1
        if match["of"] or (is_of_several and re.search(ENTITY, match["rest"])):
            refuse([reader.marked.typed(match[0]).strip(" ?.!")])
        return None
    part = Reader(reader.marked, reader.known)
    part.text = f"{match['of']} {match['rest'][:asked_at]}"
    scope = read_all(part)
    reader.text = f"{reader.text[: match.start('of')]}{match['photos']} {match['rest'][asked_at:]}"
    return scope


_OF_PHOTOS = LazyPattern(rf"\b{PHOTO}\b")


def read_comparison(reader: Reader) -> Comparison | None:
    """What is compared with what; its words are taken out."""
    found = find_comparison(reader.text)
    if found is None:
        return None
    sides = []
    for side in found.sides:
        part = Reader(reader.marked, reader.known)
        part.text = side
        sides.append(read_all(part))
    reader.text = found.rest
    return Comparison(
        by=found.by,
        sides=tuple(sides),
        labels=tuple(reader.marked.typed(label) for label in found.labels),
        is_yes_no=found.is_yes_no,
        is_difference=found.is_difference,
    )


_RECENT_PHOTOS = 5


def _read_recent(reader: Reader, intent: Intent) -> int | None:
    """Make "recently" and "a few" the newest; return how many that are, where it matters.

    "Where was Anna recently?" is told of her newest photos, with their dates.
    """
    if intent.kind == "find":
        reader.text = _FEW.sub(r"\g<before>", _RECENT.sub("newest", reader.text))
    elif intent.kind == "exists":
        reader.text = _NO_NUMBER.sub("", reader.text)
    elif (
        intent.kind in {"when", "where", "who"}
        and not (intent.is_absent or intent.is_number)
        and _RECENT.search(reader.text)
    ):
        reader.text = _RECENT.sub("newest", reader.text)
        return None if intent.kind == "when" else _RECENT_PHOTOS
    return None


def read_rank(reader: Reader, intent: Intent) -> tuple[Literal["first", "last"] | None, int | None]:
    """Whether the first or the last photos are wanted, and how many."""
    number = _read_recent(reader, intent)
    if match := _MANY.search(reader.text):
        words = match["number"].casefold()
        number = max(1, int(words) if words.isdecimal() else NUMBER_WORDS[words])
        reader.text = f"{reader.text[: match.start()]} {reader.text[match.end() :]}"
    elif intent.kind == "find" and (match := _ONE_OF.match(reader.text)):
        number = 1
        reader.text = reader.text[match.end() :]
    elif _ONE.search(reader.text) or _WHICH_ONE.search(reader.marked.text):
        number = 1
    end: Literal["first", "last"] | None = None
    if intent.is_since:
        end = "first"
    elif intent.extreme is None:
        last, first = _LAST.search(reader.text), _FIRST.search(reader.text)
        if last and first:
            return None, number
        end = "last" if last else "first" if first else None
        reader.text = _FIRST.sub(" ", _LAST.sub(" ", reader.text))
    reader.text = " ".join(reader.text.split())
    return end, number


def read_all(reader: Reader) -> Criteria:
    """Read a text that only says which photos are meant.

    Raises:
        UsageError: A word is not understood.
    """
    read_attributes(reader)
    read_alone(reader)
    read_negations(reader)
    reader.read_alternatives()
    reader.read_entities()
    words, unknown = reader.read_words(Intent("find", reader.text))
    if unclear := [*reader.unclear, *unknown]:
        refuse(unclear)
    return replace(reader.criteria, words=(*reader.criteria.words, *words))
