"""Finds names, dates, places, cameras, kinds and quoted words in a text, and writes one mark for each.

A mark is a character of a private plane, so that patterns over the rest of the text can speak of "a name" or
"a date" whatever was typed. A word that has several meanings (Paris, May, Rose) is settled here, by the words
around it, and a note says which meaning was taken and how to ask for the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from photopal.assistant.query.dates import CALENDAR_WORDS, When, find_dates
from photopal.assistant.query.lexicon import (
    NUMBER_WORDS,
    PEOPLE_WORDS,
    PET_WORDS,
    THING_WORDS,
    is_empty,
)
from photopal.assistant.query.patterns import LazyPattern
from photopal.library import ConceptKind
from photopal.text import fold, name_spans
from photopal.vocabulary import AMBIGUOUS_WORDS, FUNCTION_WORDS

EntityKind = Literal["name", "date", "place", "camera", "group", "phrase", "rating"]

_BASES: dict[EntityKind, int] = {
    "name": 0xF0000,
    "date": 0xF1000,
    "place": 0xF2000,
    "camera": 0xF3000,
    "group": 0xF4000,
    "phrase": 0xF5000,
    "rating": 0xF6000,
}
NAME = "[\U000f0000-\U000f0fff]"
DATE = "[\U000f1000-\U000f1fff]"
PLACE = "[\U000f2000-\U000f2fff]"
CAMERA = "[\U000f3000-\U000f3fff]"
GROUP = "[\U000f4000-\U000f4fff]"
PHRASE = "[\U000f5000-\U000f5fff]"
RATING = "[\U000f6000-\U000f6fff]"
ENTITY = "[\U000f0000-\U000f6fff]"

BRANDS = frozenset(
    """
    canon nikon sony fujifilm fuji olympus panasonic lumix leica pentax samsung apple iphone ipad google pixel
    huawei xiaomi motorola nokia gopro dji hasselblad ricoh sigma kodak galaxy oneplus minolta konica casio
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_TO_PLACE = (
    r"(?:in|at|near|from|to|around|outside|inside|through|visit|visited|visiting|leaving|left|reached)"
)
_PLACE_CUE = LazyPattern(rf"\b{_TO_PLACE}\s+(?:the\s+)?$")
_AFTER_PLACE = LazyPattern(rf"{PLACE}\s*(?:,|and|or|nor|than|vs\.?|versus)+\s*(?:of |in |from )?(?:the )?$")
_OF_PERSON = LazyPattern(
    r"\b(?:of|with|without|and|or|nor|not|no|but|is|are|was|were|did|does|do|has|have|had|show|me|find"
    "|named|called|for"
    r"|than|neither|either|both|where|when|except|only|just|also|by|about|see|saw|meet|met)\s+$|[,&]\s*$"
)


@dataclass(frozen=True)
class Known:
    """What a library has names for: concepts with their kinds, the names of its places, cameras."""

    names: Sequence[str]
    places: Sequence[str] = ()
    cameras: Sequence[str] = ()
    people: Sequence[str] = ()


@dataclass(frozen=True)
class Entity:
    """Something with a name of its own.

    Attributes:
        kind: What it is.
        value: The concept's name, the place or camera as the library has it, a concept's kind, a phrase.
        when: The days, of a date.
        typed: As it was typed.
        is_number: Whether a date is written without letters, as 2024 and 2024-07 are; not the second year of
            "Christmas 2022 and 2023".
        stars: The numbers of stars, of a rating.
        span: All that its mark stands for, such as "in Spain" or "Ben's".
    """

    kind: EntityKind
    value: str
    typed: str
    when: When | None = None
    is_number: bool = False
    stars: tuple[int, ...] = ()
    span: str = ""


@dataclass
class MarkedText:
    """A text with marks for its entities.

    Attributes:
        text: The text; every entity in it is one private character.
        entities: The entities, by the number that their marks have.
        notes: What a word with several meanings was taken for.
        plain_names: Names that stand for the ordinary word here.
        ambiguous: Names that were taken for names and mean something else too.
    """

    text: str
    entities: list[Entity] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plain_names: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)

    def mark(self, entity: Entity) -> str:
        """Keep an entity and return its mark."""
        self.entities.append(entity)
        return chr(_BASES[entity.kind] + min(len(self.entities) - 1, 0xFFF))

    def replace(self, spans: Sequence[tuple[int, int, Entity]]) -> None:
        """Write marks over spans of the text, given in its order."""
        parts, end = [], 0
        for start, stop, entity in spans:
            mark = self.mark(replace(entity, span=self.text[start:stop]))
            parts += [self.text[end:start], f" {mark} "]
            end = stop
        self.text = re.sub(r"[ \t]+", " ", "".join([*parts, self.text[end:]])).strip()

    def at(self, mark: str) -> Entity:
        """Return the entity of a mark."""
        return self.entities[ord(mark) & 0xFFF]

    def found(self, text: str, kind: EntityKind) -> list[Entity]:
        """Return the entities of a kind whose marks a text has, in its order."""
        return [entity for mark in re.findall(ENTITY, text) if (entity := self.at(mark)).kind == kind]

    def typed(self, text: str) -> str:
        """Return a text with the names and dates, as they were typed, in place of the marks."""
        return re.sub(ENTITY, lambda match: self.at(match[0]).typed, text)

    def in_full(self, text: str) -> str:
        """Return a text with all that was typed in place of the marks: "in Spain", "Ben's"."""

        def full(match: re.Match[str]) -> str:
            entity = self.at(match[0])
            return self.in_full(entity.span) if entity.span else entity.typed

        return re.sub(ENTITY, full, text)


def mark_entities(text: str, known: Known, *, today: date | None, is_search: bool = False) -> MarkedText:
    """Write marks for everything in a text that has a name of its own.

    Args:
        text: Without private characters.
        known: What the library has names for.
        today: What "last summer" is counted from; None leaves dates alone.
        is_search: Whether the text is a list of words rather than a sentence; places stay words then.

    Raises:
        UsageError: A date cannot be read.
    """
    marked = MarkedText(text)
    part_of_place = {fold(part) for place in known.places for part in place.split(",")}
    ambiguous = [name for name in known.names if meanings_of(name, part_of_place)]
    _mark_phrases(marked, [name for name in ambiguous if "word" in meanings_of(name)])
    _write_countries(marked)
    _mark_names(marked, [name for name in known.names if name not in ambiguous])
    _mark_ambiguous(marked, ambiguous, part_of_place, known.cameras, is_search=is_search)
    _mark_cameras(marked, known.cameras)
    _mark_ratings(marked)
    if today is not None:
        _mark_dates(marked, today, is_search=is_search)
    if not is_search:
        _mark_places_within(marked, known.places)
        _mark_places(marked, known.places)
        if known.places:
            _mark_other_countries(marked)
    _mark_groups(marked)
    return marked


_SHORT_NAMES = (
    (LazyPattern(r"\b(?:the\s+)?(?:(?-i:USA)\b|U\.S(?:\.A)?\b\.?)"), "United States"),
    (LazyPattern(r"\b(?:the\s+)?(?:UK\b|U\.K\b\.?)"), "United Kingdom"),
)
_US = LazyPattern(
    rf"^(?:the\s+US|(?-i:US)|(?:the\s+)?USA)$|(?P<cue>\b{_TO_PLACE}\s+)(?:the\s+USA?|(?-i:US)|USA)\b"
    r"|(?P<link>\b(?:of|or|and|than)\s+)the\s+US\b"
    r"(?=\W*$|\s+(?:in|on|from|with|without|and|or|than|but)\b)"
)


def _write_countries(marked: MarkedText) -> None:
    """Write countries as places have them: "in the US" is "in United States".

    Captions have "the US flag" as it is, and in capitals "VISITED US" may be anybody.
    """
    for pattern, country in _SHORT_NAMES:
        marked.text = pattern.sub(country, marked.text)

    def in_full(match: re.Match[str]) -> str:
        is_whole = match[0].isupper() and marked.text.isupper() and match["cue"]
        is_clear = not is_whole or re.search(r"\bTHE\b|\bUSA\b", match[0])
        return f"{match['cue'] or match['link'] or ''}United States" if is_clear else match[0]

    marked.text = _US.sub(in_full, marked.text)


def _mark_other_countries(marked: MarkedText) -> None:
    """Countries of two words in which no photo was taken, so that captions are not asked for either word."""
    spans = [
        (match.start(), match.end(), Entity("phrase", match[0], match[0]))
        for match in re.finditer(rf"\b(?:{'|'.join(country for _, country in _SHORT_NAMES)})\b", marked.text)
    ]
    marked.replace(spans)


def meanings_of(name: str, places: set[str] | frozenset[str] = frozenset()) -> list[str]:
    """Return what a name means besides a concept: "place", "month", "season", "day" or "word"."""
    folded = fold(name)
    found = []
    if folded in places or folded in AMBIGUOUS_WORDS["place"]:
        found.append("place")
    if folded in CALENDAR_WORDS:
        found.append("date")
    if folded in FUNCTION_WORDS or folded in AMBIGUOUS_WORDS["word"] or is_empty(folded):
        found.append("word")
    return found


def _mark_phrases(marked: MarkedText, names: Sequence[str]) -> None:
    spans = [
        (match.start(), match.end(), Entity("phrase", " ".join(match[1].split()), match[0]))
        for match in re.finditer(r'"([^"]*\w[^"]*)"', marked.text)
    ]
    phrases = {fold(entity.value) for _, _, entity in spans}
    marked.plain_names += [name for name in names if fold(name) in phrases]
    marked.replace(spans)


def _mark_names(marked: MarkedText, names: Sequence[str]) -> None:
    """Names as they are written, and then as they may be spelled: Zoe for Zoë, Mueller for Müller."""
    spans: list[tuple[int, int, Entity]] = []
    for start, end, index in name_spans(marked.text, names):
        owned = re.compile(r"['’]s?\b").match(marked.text, end)
        spans.append(
            (start, owned.end() if owned else end, Entity("name", names[index], marked.text[start:end]))
        )
    marked.replace(spans)
    accented = [name for name in names if not name.isascii() and max(name) < "\u0250"]
    for name in sorted(accented, key=len, reverse=True):
        found = place_pattern(name).search(without_accents(marked.text))
        if found:
            entity = Entity("name", name, marked.text[found.start() : found.end()])
            owned = re.compile(r"['’]s?\b").match(marked.text, found.end())
            marked.replace([(found.start(), owned.end() if owned else found.end(), entity)])


def _mark_ambiguous(
    marked: MarkedText, names: Sequence[str], places: set[str], cameras: Sequence[str], *, is_search: bool
) -> None:
    """Settle names that are words, dates or places too."""
    spans = []
    for start, end, index in name_spans(marked.text, names):
        name, typed = names[index], marked.text[start:end]
        before, after = marked.text[:start], marked.text[end:]
        if _is_of_camera(before, typed, cameras):
            continue
        other = _other_meaning(name, typed, before, after, places)
        if other == "word" and is_search and not before.strip() and fold(name) not in _AUXILIARIES:
            other = None
        is_list = is_search and typed.islower() and bool(before.strip() + after.strip())
        if other is None and is_list and fold(name) in places and not _OF_PERSON.search(before):
            other = "place"
        owned = re.compile(r"['’]s\b").match(marked.text, end)
        if other is None:
            spans.append((start, owned.end() if owned else end, Entity("name", name, typed)))
            marked.ambiguous.append(name)
        elif other == "place":
            cue = _PLACE_CUE.search(before)
            is_outside = cue is None or cue[0].casefold().startswith("outside")
            spans.append(
                (start if is_outside or cue is None else cue.start(), end, Entity("place", name, typed))
            )
        elif other == "word" and fold(name) not in FUNCTION_WORDS:
            marked.plain_names.append(name)
        marked.notes.append(_note(name, other, meanings_of(name, places), places))
    marked.replace(spans)
    marked.notes = list(dict.fromkeys(marked.notes))


# "Will Anna swim" and "may in Paris" may begin with a verb; "max beach" does not.
_AUXILIARIES = frozenset(["can", "may", "might", "will"])


def _is_of_camera(before: str, typed: str, cameras: Sequence[str]) -> bool:
    """Whether a word and the one before it are of a camera's name, as in "the iPhone 14 Pro Max"."""
    last = before.split()[-1:]
    return bool(last) and any(f"{last[0]} {typed}".casefold() in camera.casefold() for camera in cameras)


def _other_meaning(name: str, typed: str, before: str, after: str, places: set[str]) -> str | None:
    """What a word means where it stands, if it is not the name."""
    meanings = meanings_of(name, places)
    if "place" in meanings and (_PLACE_CUE.search(before) or _is_beside_place(before, after, places)):
        return "place"
    if "date" in meanings and _stands_as_date(before, after, typed):
        return "date"
    if "word" in meanings and _stands_as_word(name, typed, before, after):
        return "word"
    return None


def _is_beside_place(before: str, after: str, places: set[str]) -> bool:
    """Whether another place stands beside in a list, as in "from Berlin or"."""
    joins = r"(?:,|\band\b|\bor\b|\bnor\b|\bthan\b|\bvs\.?|\bversus\b)"
    match = re.search(rf"(?P<words>\w[\w. -]*?)\s*{joins}\s*(?:in |from )?$", before, re.IGNORECASE)
    words = match["words"].split()[::-1] if match else []
    if any(fold(" ".join(words[:length][::-1])) in places for length in range(1, min(len(words), 4) + 1)):
        return True
    match = re.match(rf"\s*{joins}\s*(?:in |from )?(?P<words>\w[\w. -]*)", after, re.IGNORECASE)
    words = match["words"].split() if match else []
    return any(
        fold(" ".join(words[:length]).strip(" .")) in places for length in range(1, min(len(words), 4) + 1)
    )


def _stands_as_date(before: str, after: str, typed: str) -> bool:
    cue = (
        r"\b(?:in|during|since|until|till|before|after|between|from|last|this|next|every|each|over|through"
        "|early|late)"
    )
    if re.search(rf"{cue}\s+(?:the\s+)?$", before, re.IGNORECASE):
        return True
    if re.match(r"\s*,?\s*(?:of |in )?(?:(?:1[89]|2[01])\d\d)\b", after) and not re.search(
        r"\b(?:of|with|without)\s+$", before, re.IGNORECASE
    ):
        return not re.match(r"\s*,?\s*in ", after)
    if re.match(r"\s+\d{1,2}(?:st|nd|rd|th)?\b(?!\d)", after) or re.search(
        r"\b\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?$", before
    ):
        return True
    neighbors = "|".join(sorted(CALENDAR_WORDS, key=len, reverse=True))
    is_after = re.search(rf"\b(?:{neighbors})\s*(?:,|and|or|to|until|-|–)\s*$", before, re.IGNORECASE)
    has_date_cue = re.search(rf"{cue}\s+[^,]*$", before, re.IGNORECASE)
    return bool(is_after and has_date_cue)


def _stands_as_word(name: str, typed: str, before: str, after: str) -> bool:
    is_first = not before.strip()
    is_typed_as_name = typed[:1].isupper() or not typed[:1].isalpha()
    if fold(name) in FUNCTION_WORDS or is_empty(fold(name)):
        # "Will Anna swim?" and "may I see"; but "Will on the beach" and "is will there".
        follows = re.match(
            rf"\s+(?:{NAME}|i|we|you|he|she|it|they|there|be|my|the|any|all|our)\b|\s+{NAME}", after, re.I
        )
        if is_first:
            return bool(follows) or (bool(after.strip()) and not is_typed_as_name and _is_verb_place(after))
        return not (is_typed_as_name or (_OF_PERSON.search(before) and not follows))
    article = re.search(
        r"\b(?:an?|the|some|any|one|two|three|many|no|red|white|pink|yellow|blue|wild|single)\s+$",
        before,
        re.I,
    )
    is_the_thing = article is not None and not re.match(r"['’]s\b", after)
    if is_the_thing and article is not None and article[0].strip().casefold() == "no" and is_typed_as_name:
        return False
    follows_noun = re.search(r"[a-z]+\s+$", before) and not _OF_PERSON.search(before) and not is_typed_as_name
    if is_the_thing and is_typed_as_name and re.search(r"\b(?:a|an|the|some)\s+$", before, re.I) is None:
        return False
    return bool(is_the_thing or (follows_noun and not is_empty(before.split()[-1])))


def _is_verb_place(after: str) -> bool:
    return re.match(r"\s*(?:,|and\b|or\b|with\b|in\b|on\b|at\b|alone\b)", after, re.IGNORECASE) is None


def _note(name: str, taken: str | None, meanings: list[str], places: set[str]) -> str:
    """Say what a word was taken for and how to ask for the other meaning."""
    as_name = f'write "of {name}"'
    if taken == "place":
        return f'"{name}" is read as the place here; for the one you registered, {as_name}.'
    if taken == "date":
        return f'"{name}" is read as a date here; for the one you registered, {as_name}.'
    if taken == "word":
        return f'"{name}" is read as an ordinary word here; for the one you registered, {as_name}.'
    hows = []
    if "place" in meanings and fold(name) in places:
        hows.append(f'for the place, write "in {name}"')
    if "date" in meanings:
        hows.append(f'for the date, write "in {name}"')
    if "word" in meanings or not hows:
        hows.append(f"for the word, write it in quotes: '\"{name.casefold()}\"'")
    return f'"{name}" is read as the one you registered; {", ".join(hows)}.'


def _mark_dates(marked: MarkedText, today: date, *, is_search: bool) -> None:
    spans = [
        (
            span.start,
            span.end,
            Entity(
                "date",
                "",
                marked.text[span.start : span.end].strip(),
                when=span.when,
                is_number=span.base is None
                and not re.search(r"[^\W\d_]", marked.text[span.start : span.end]),
            ),
        )
        for span in find_dates(marked.text, today, is_search=is_search)
    ]
    marked.replace(spans)


def _mark_cameras(marked: MarkedText, cameras: Sequence[str]) -> None:
    """The longest runs of words that are a part of a camera's name, or a maker's name."""
    words = list(re.finditer(r"[^\W_][\w.-]*", marked.text))
    spans: list[tuple[int, int, Entity]] = []
    index = 0
    while index < len(words):
        for last in range(min(len(words), index + 6), index, -1):
            start, end = words[index].start(), words[last - 1].end()
            part = marked.text[start:end].strip(".-")
            if (value := _camera(part, cameras, marked.text[:start])) is not None:
                owner = re.search(r"(?<!\w)(?:(?:taken |shot |made |snapped )?(?:with|by|on|using|from) )?"
                                  "(?:(?:my|the|an?|our"
                                  "|your|his|her) )*$", marked.text[:start], re.IGNORECASE)  # fmt: skip
                assert owner is not None
                after = re.compile(
                    r"\s+(?:camera|phone|smartphone|cam)\b(?!s)|(?:'s|s)\b", re.IGNORECASE
                ).match(marked.text, end)
                spans.append((owner.start(), after.end() if after else end, Entity("camera", value, part)))
                index = last
                break
        else:
            index += 1
    marked.replace(spans)


def _camera(part: str, cameras: Sequence[str], before: str) -> str | None:
    """The words of a camera's name that some words are, None where they are none."""
    if len(part) < 2 or is_empty(part) or part.casefold() in CALENDAR_WORDS:
        return None
    pattern = r"[\s-]*".join(map(re.escape, re.split(r"[\s-]+", part)))
    is_known = any(re.search(rf"(?<!\w){pattern}(?!\w)", camera, re.IGNORECASE) for camera in cameras)
    folded = part.casefold()
    is_brand = folded in BRANDS or folded.removesuffix("s") in BRANDS
    if folded.removesuffix("s") in BRANDS and not is_known and folded.endswith("s"):
        part, folded = part[:-1], folded[:-1]
        is_known = any(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", c, re.IGNORECASE) for c in cameras)
    if not (is_known or is_brand) or part.isdecimal():
        return None
    if folded in {"apple", "galaxy", "mark", "one", "plus", "pro", "mini", "max", "phone", "camera", "sigma"}:
        is_cued = re.search(r"\b(?:my|our|the) $|\b(?:by|using|on)\s+(?:(?:my|the|an?)\s+)?$", before, re.I)
        return part if is_cued and part[:1].isupper() and folded not in {"phone", "camera", "mark"} else None
    return part


_AT_LEAST = r"at least|or (?:better|more|higher|above|up)|and (?:up|above|more|better)|\+|>="
_AT_MOST = r"at most|or (?:worse|less|lower|below|fewer)|and (?:below|less|under|lower)|<="
_RATING = LazyPattern(
    r"(?:\b(?:with|has|have|having|that|which|are|is|were|was)\s+)*(?:\ban?\s+)?"
    r"(?P<rated>\b(?:ratings?|rated)\s*(?:(?:of|with|at|is|:|=)\s*)*)?"
    rf"(?:(?:(?P<least>{_AT_LEAST})|(?P<most>{_AT_MOST})|(?P<over>more than|over|better than|above|>)"
    r"|(?P<under>fewer than|less than|under|below|worse than|<)|exactly)\s*)?"
    r"(?<![\w.])(?P<number>[1-5]|one|two|three|four|five)(?![\w.:/])(?P<star>[- ]?stars?\b(?: ratings?\b)?)?"
    rf"(?:\s*(?:(?P<least_after>{_AT_LEAST})|(?P<most_after>{_AT_MOST})))?"
)


def _mark_ratings(marked: MarkedText) -> None:
    """Ratings: "rating:5", "with at least 4 stars", "5-star photos", "★★★"."""
    spans = []
    for match in _RATING.finditer(marked.text):
        if not (match["rated"] or match["star"]):
            continue
        word = match["number"].casefold()
        number = int(word) if word.isdecimal() else NUMBER_WORDS[word]
        first = number if match["least"] or match["least_after"] else number + 1 if match["over"] else 1
        last = number if match["most"] or match["most_after"] else number - 1 if match["under"] else 5
        is_bound = (first, last) != (1, 5) or any(match[name] for name in ("least", "least_after"))
        is_bound = is_bound or any(match[name] for name in ("most", "most_after"))
        stars = tuple(range(first, last + 1)) if is_bound else (number,)
        spans.append((match.start(), match.end(), Entity("rating", "", match[0].strip(), stars=stars)))
    spans += [
        (match.start(), match.end(), Entity("rating", "", match[0], stars=(len(match[0]),)))
        for match in re.finditer("★{1,5}", marked.text)
    ]
    marked.replace(sorted(spans, key=lambda span: span[0]))


def _mark_places_within(marked: MarkedText, places: Sequence[str]) -> None:
    """A place with what it lies in, "Berlin, Germany", which is one place and not two."""
    if "," not in marked.text:
        return
    split = [[part.strip() for part in place.split(",")] for place in places]
    folded = fold(marked.text)
    inner = {
        part: depth
        for parts in split
        for depth, part in enumerate(parts[:-1])
        if part and fold(part) in folded
    }
    for part in sorted(inner, key=lambda part: (inner[part], -len(part), part)):
        lying = [parts[parts.index(part) :] for parts in split if part in parts]
        outer = {other for parts in lying for other in parts[1:] if other and fold(other) in folded}
        if not outer:
            continue
        one_of = "|".join(place_pattern(other).pattern for other in sorted(outer, key=len, reverse=True))
        whole = re.compile(rf"{place_pattern(part).pattern}(?:\s*,\s*(?:{one_of}))+", re.IGNORECASE)
        match = whole.search(without_accents(marked.text))
        if match is None or not _is_place(marked.text, match, part):
            continue
        names = [name.strip() for name in match[0].split(",")][1:]
        wholes = [_up_to(parts, names) for parts in lying]
        if any(wholes):
            typed = marked.text[match.start() : match.end()]
            # Where nothing else is called so, its name is enough.
            values = [part] if all(wholes) else list(dict.fromkeys(filter(None, wholes)))
            marks = " or ".join(
                marked.mark(Entity("place", value, typed if not n else "")) for n, value in enumerate(values)
            )
            marked.text = f"{marked.text[: match.start()]}{marks}{marked.text[match.end() :]}"


def _up_to(parts: Sequence[str], names: Sequence[str]) -> str:
    """A place's parts as far as the last of some names, which follow each other there; empty if not so."""
    place = 0
    for name in names:
        pattern = place_pattern(name)
        place = next(
            (n for n in range(place + 1, len(parts)) if pattern.fullmatch(without_accents(parts[n]))), 0
        )
        if not place:
            return ""
    return ", ".join(parts[: place + 1])


def _mark_places(marked: MarkedText, places: Sequence[str]) -> None:
    """Known places, the longest first; in small letters one must follow "in" or the like: a nice day."""
    parts = {part.strip() for place in places for part in place.split(",")} - {""}
    ordered = sorted(parts, key=lambda part: (-len(part), part))
    _mark_each_place(marked, ordered)
    # In "in spain or new york" the longer one follows a place only now.
    text = without_accents(marked.text).casefold()
    _mark_each_place(marked, [part for part in ordered if without_accents(part).casefold() in text])


def _mark_each_place(marked: MarkedText, parts: Sequence[str]) -> None:
    for part in parts:
        pattern = place_pattern(part)
        while True:
            plain = without_accents(marked.text)
            match = next((m for m in pattern.finditer(plain) if _is_place(marked.text, m, part)), None)
            if match is None:
                break
            start, end = match.span()
            owned = re.match(r"['’]s\b", marked.text[end:])
            cue = re.search(
                rf"\b{_TO_PLACE.replace('|outside', '')}\s+(?:the\s+)?$", marked.text[:start], re.IGNORECASE
            )
            entity = Entity("place", part, marked.text[start:end])
            marked.replace([(cue.start() if cue else start, end + (owned.end() if owned else 0), entity)])


def _is_place(text: str, match: re.Match[str], part: str) -> bool:
    typed, before, after = match[0], text[: match.start()], text[match.end() :]
    is_common = text[match.start()].islower() or fold(typed) in AMBIGUOUS_WORDS["word"]
    if is_empty(part) or (fold(part) in CALENDAR_WORDS and not _PLACE_CUE.search(before)):
        return False
    if not is_common:
        return True
    has_cue = _PLACE_CUE.search(before) or _AFTER_PLACE.search(before)
    is_adjective = fold(typed) in AMBIGUOUS_WORDS["adjective"] and re.match(r"\s+[a-z]", after)
    is_only = not before.strip() and not after.strip(" ?.!")
    return bool((has_cue or is_only) and not is_adjective)


_SPELLINGS = {
    "ä": "(?:a|ae)", "ö": "(?:o|oe)", "ü": "(?:u|ue)", "ß": "(?:ß|ss)", "ø": "(?:ø|o|oe)", "å": "(?:a|aa)",
    "æ": "(?:æ|ae)", "œ": "(?:œ|oe)", "ł": "(?:ł|l)",
}  # fmt: skip


def place_pattern(part: str) -> re.Pattern[str]:
    """A pattern that finds a place in a text without accents: "St. Moritz" as "St Moritz" too."""
    words = []
    for word in unicodedata.normalize("NFC", part).casefold().split():
        if word.rstrip(".") in {"st", "saint", "sankt"}:
            words.append(r"(?:st\.?|saint|sankt)")
            continue
        words.append("".join(_SPELLINGS.get(c) or re.escape(without_accents(c)) for c in word))
    return re.compile(r"(?<!\w)" + r"[\s-]+".join(words) + r"(?!\w)", re.IGNORECASE)


def without_accents(text: str) -> str:
    """The same letters without accents, letter by letter, so that all stay where they are."""
    return "".join(unicodedata.normalize("NFD", letter)[:1] or letter for letter in text)


def _mark_groups(marked: MarkedText) -> None:
    """Words for any person, pet or thing that is registered: "pets", "somebody"."""
    kinds: tuple[tuple[ConceptKind, str], ...] = (
        ("person", PEOPLE_WORDS),
        ("pet", PET_WORDS),
        ("thing", THING_WORDS),
    )
    spans = []
    for kind, words in kinds:
        for match in re.finditer(rf"(?<![\w'-]){words}(?![\w'-])(?! else\b)", marked.text, re.IGNORECASE):
            spans.append((match.start(), match.end(), Entity("group", kind, match[0])))
    marked.replace(sorted(spans, key=lambda span: span[0]))


@dataclass(frozen=True)
class UnknownName:
    """Words with capitals that are no known name; after "in" or "at" they are more likely a place."""

    words: str
    is_place: bool


def find_unknown_names(rest: str) -> list[UnknownName]:
    """Words with a capital inside the sentence, those that stand together as one."""
    words = re.findall(r"[^\W\d_][\w'-]*", rest)
    capitals = [word for word in words if word[0].isupper()]
    if len(capitals) > 2 and len(capitals) > 0.6 * len(words):
        return []
    found = []
    for match in re.finditer(r"(?<=\S )(?:[A-ZÀ-Þ][\w'-]*)(?: [A-ZÀ-Þ][\w'-]*)*", rest):
        named = [re.sub(r"'s$", "", word) for word in match[0].split()]
        named = [word for word in named if not is_empty(word) and word.casefold() not in CALENDAR_WORDS]
        before = rest[: match.start()].rstrip().casefold()
        if named and not before.endswith((".", "?", "!")):
            is_place = re.search(rf"\b{_TO_PLACE}(?: the)?$", before) is not None
            found.append(UnknownName(" ".join(named), is_place))
    return found
