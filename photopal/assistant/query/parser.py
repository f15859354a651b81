"""Reads a question or a search: which photos are meant and what is wanted of them; knows no photo.

Every word is accounted for. Readers take what they understand out of the text, one after the other; what is
left at the end is grammar, or a word to be looked for in captions, or it is reported as not understood: a
word that could turn the answer around ("not", "than", "twice") is never passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from photopal.assistant.query.comparisons import find_comparison
from photopal.assistant.query.dates import Period, When, is_daytime
from photopal.assistant.query.entities import (
    CAMERA,
    DATE,
    ENTITY,
    GROUP,
    NAME,
    PLACE,
    Entity,
    Known,
    MarkedText,
    UnknownName,
    find_unknown_names,
    mark_entities,
    meanings_of,
)
from photopal.assistant.query.intents import PHOTO, Intent, Kind, read_intent
from photopal.assistant.query.languages import to_english
from photopal.assistant.query.lexicon import (
    DOING,
    FUNCTION_WORDS,
    GRAMMAR,
    NUMBER_WORDS,
    OPERATORS,
    content_words,
    is_empty,
    word_forms,
)
from photopal.assistant.query.patterns import LazyPattern
from photopal.errors import ConceptError, UsageError
from photopal.library import ConceptKind
from photopal.text import fold, join_words

LONGEST = 500
"""How many letters a question has at most."""

Attribute = Literal["caption", "date", "time", "place", "camera", "rating"]


@dataclass(frozen=True)
class Criteria:
    """What photos are meant; everything given must hold.

    Attributes:
        names: Concepts that are all on the photos.
        any_names: Groups of concepts; of each group at least one is.
        without_names: Concepts that are not.
        is_alone: Whether no concept but `names` is.
        with_others: Whether some concept beside `names` is.
        kinds: Kinds of concepts, of each of which at least one is on the photos.
        without_kinds: Kinds of which none is.
        dates: Groups of dates; of each group one holds.
        without_dates: Dates of which none holds.
        places: Names of places as the library has them; one holds.
        without_places: Places of which none holds.
        cameras: Cameras, or parts of their names; one holds.
        without_cameras: Cameras of which none holds.
        ratings: Numbers of stars, of which the photo has one.
        without_ratings: Numbers of stars of which it has none; it may have no rating.
        has: What a photo has or lacks: a caption, a date, a time of day, a place, a camera, a rating.
        words: What else a caption, a place or a file name must hold; of each group one word.
        phrases: What it must hold word for word.
        without_words: Words and phrases that it must not hold.
    """

    names: tuple[str, ...] = ()
    any_names: tuple[tuple[str, ...], ...] = ()
    without_names: tuple[str, ...] = ()
    is_alone: bool = False
    with_others: bool = False
    kinds: tuple[ConceptKind, ...] = ()
    without_kinds: tuple[ConceptKind, ...] = ()
    dates: tuple[tuple[When, ...], ...] = ()
    without_dates: tuple[When, ...] = ()
    places: tuple[str, ...] = ()
    without_places: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    without_cameras: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()
    without_ratings: tuple[int, ...] = ()
    has: tuple[tuple[Attribute, bool], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()

    def is_of_content(self) -> bool:
        """Whether only photos that somebody has looked at can be known to fit."""
        return bool(
            self.names or self.any_names or self.without_names or self.is_alone or self.with_others
            or self.kinds or self.without_kinds or self.words or self.phrases or self.without_words
        )  # fmt: skip

    def given(self, attribute: Attribute) -> bool | None:
        """Whether photos must have something, must lack it, or may do as they like."""
        return dict(self.has).get(attribute)


@dataclass(frozen=True)
class Comparison:
    """Which of several has more photos, fewer, earlier or later ones.

    Attributes:
        by: What is compared.
        sides: What is compared with what, each complete in itself.
        labels: How each is called.
        is_yes_no: Whether the question asks if the first side has it.
        is_difference: Whether the question asks by how many.
    """

    by: Literal["more", "fewer", "equal", "first", "last"]
    sides: tuple[Criteria, ...]
    labels: tuple[str, ...]
    is_yes_no: bool = False
    is_difference: bool = False


@dataclass(frozen=True)
class Threshold:
    """How many photos there must be: "more than 10", "at least 5"."""

    relation: Literal["more than", "at least", "fewer than", "at most", "exactly"]
    number: int

    def holds(self, number: int) -> bool:
        """Tell whether a number of photos is as many."""
        return {
            "more than": number > self.number,
            "at least": number >= self.number,
            "fewer than": number < self.number,
            "at most": number <= self.number,
            "exactly": number == self.number,
        }[self.relation]


@dataclass(frozen=True)
class Question:
    """What a question asks.

    Attributes:
        text: The question without its dates, as a model may be asked it about one photo.
        intent: What is wanted.
        criteria: Which photos are meant.
        comparison: What is compared, of a comparison.
        all_of: Of "are all photos of Mia from Berlin?" those that are asked of; `criteria` has both.
        threshold: How many photos there must be for a yes.
        end: Whether the first or the last photo is wanted.
        number: How many photos are wanted.
        is_negated: Whether a question for yes or no has a "not" in its verb, as in "isn't Anna there?".
        but_names: Concepts that "who besides Anna" does not ask for.
        elsewhere: Of "who was in Lisbon but not in Paris?" the photos that those asked for are not on.
        unknown_names: Words that may be names nobody has registered.
        not_understood: Words that no reader has taken and that change what is asked.
        notes: What words with several meanings were taken for.
        group: The kind of concepts that is asked for, as in "which pets".
        is_translated: Whether the question was in another language than English.
    """

    text: str
    intent: Intent
    criteria: Criteria
    comparison: Comparison | None = None
    all_of: Criteria | None = None
    threshold: Threshold | None = None
    end: Literal["first", "last"] | None = None
    number: int | None = None
    is_negated: bool = False
    but_names: tuple[str, ...] = ()
    elsewhere: Criteria | None = None
    unknown_names: tuple[UnknownName, ...] = ()
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    group: ConceptKind | None = None
    is_translated: bool = False

    @property
    def kind(self) -> Kind:
        """What kind of answer is wanted."""
        return self.intent.kind


def read_question(text: str, known: Known, *, today: date) -> Question:
    """Read a question.

    Args:
        text: In the user's words.
        known: Names, places and cameras of the library.
        today: What "last summer" and the like are counted from.

    Raises:
        UsageError: The question is empty or too long, its dates cannot be read, or a word that matters is not
            understood.
        ConceptError: It speaks of "me" or "her", which is nobody's name.
    """
    typed = _plain(text)
    plain = to_english(typed, known.names, known.places)
    marked = mark_entities(plain, known, today=today)
    reader = _Reader(marked, known)
    reader.drop_references()
    reader.read_attributes()
    reader.read_alone()
    reader.read_negations()
    is_negated = reader.read_negated_verb()
    threshold = reader.read_threshold()
    all_of = reader.read_all_of()
    comparison = None if threshold or all_of else reader.read_comparison()
    intent = read_intent(reader.text)
    if comparison:
        intent = replace(intent, kind="compare")
    elif threshold or all_of:
        intent = replace(intent, kind="exists")
    reader.text = intent.rest
    end, number = reader.read_rank(intent)
    reader.read_alternatives()
    if not any(name.casefold() in {"me", "us"} for name in known.names):
        reader.refuse_pronouns()
    reader.read_entities()
    words, not_understood = reader.read_words(intent)
    criteria = replace(reader.criteria, words=(*reader.criteria.words, *words))
    criteria = replace(
        criteria,
        without_names=_joined(criteria.without_names, reader.plain_names(criteria.words, but=criteria)),
    )
    if comparison:
        comparison = replace(comparison, sides=tuple(_both(criteria, side) for side in comparison.sides))
    question = Question(
        text=_as_one_sentence(marked.typed(re.sub(DATE, " ", marked.text))),
        intent=intent,
        criteria=criteria,
        comparison=comparison,
        all_of=all_of,
        threshold=threshold,
        end=end,
        number=number,
        is_negated=is_negated,
        but_names=tuple(reader.but_names),
        elsewhere=_instead(criteria, reader.elsewhere) if reader.elsewhere else None,
        unknown_names=tuple(find_unknown_names(reader.text)),
        not_understood=tuple(not_understood),
        notes=tuple(marked.notes),
        group=marked.at(intent.group).value if intent.group else None,  # type: ignore[arg-type]
        is_translated=plain != typed,
    )
    _refuse_unknowable(plain, question)
    shown = {*criteria.names, *(name for group in criteria.any_names for name in group)}
    both = [name for name in reader.plain_names(words) if name in shown]
    if both:
        raise UsageError(
            f'not understood: "{both[0]}" is a name and a word here, which captions do not tell apart',
            hint=f'Ask about one of them: "of {both[0]}", or the word in quotes.',
        )
    is_for_the_eye = {word.casefold() for word in not_understood} <= _FOR_THE_EYE
    is_of_pixels = question.kind in ("pixels", "describe") and is_for_the_eye
    is_yes_no = re.match(r"(?:is|are|was|were|do|does|did|has|have|can)\b", plain, re.IGNORECASE)
    if question.kind == "pixels" and reader.has_negation and is_yes_no:
        _refuse(["not"])
    if question.not_understood and not is_of_pixels:
        _refuse(question.not_understood)
    return question


@dataclass(frozen=True)
class SearchReading:
    """A search as it was read.

    Attributes:
        criteria: What was read as names, dates, cameras, kinds and negations; its words are alternatives.
        words: The other words, of which all are looked for.
        text: Those with the dates, cameras and kinds as words too, in case they were meant as such.
        criteria_of_text: The criteria without those dates, cameras and kinds.
        is_date_only: Whether only dates of a certain year make the difference.
        problem: Why a date among the words could not be read.
        notes: What words with several meanings were taken for.
        other: The search with such words taken for what they mean besides a name.
    """

    criteria: Criteria
    words: str
    text: str
    criteria_of_text: Criteria
    is_date_only: bool = False
    problem: UsageError | None = None
    notes: tuple[str, ...] = ()
    other: SearchReading | None = None


def read_search(text: str, known: Known, *, today: date | None) -> SearchReading:
    """Read the words of a search, without its quoted phrases and its -words.

    Args:
        text: Words in any order.
        known: Names and cameras of the library.
        today: What "last summer" is counted from; None leaves dates among the words.
    """
    problem = None
    straight = " ".join(unicodedata.normalize("NFC", _NOT_TYPED.sub(" ", text.translate(_STRAIGHT))).split())
    try:
        marked = mark_entities(straight, known, today=today, is_search=True)
    except UsageError as error:
        problem = error
        marked = mark_entities(straight, known, today=None, is_search=True)
    criteria, words = _read_search(marked, known, marked.text)
    loose = {"date", "camera", "group", "rating"}
    as_words = re.sub(
        ENTITY, lambda m: marked.at(m[0]).typed if marked.at(m[0]).kind in loose else m[0], marked.text
    )
    entities = [marked.at(mark) for mark in re.findall(ENTITY, marked.text)]
    is_same = not any(entity.kind in loose for entity in entities)
    criteria_of_text, text_words = (criteria, words) if is_same else _read_search(marked, known, as_words)
    by_word = None
    if known.places and any(entity.kind == "place" for entity in entities):
        by_word = read_search(text, replace(known, places=()), today=today)
    elif marked.ambiguous:
        rest = Known(
            [n for n in known.names if n not in marked.ambiguous], known.places, known.cameras, known.people
        )
        by_word = read_search(text, rest, today=today)
        without = tuple(dict.fromkeys([*by_word.criteria.without_names, *marked.ambiguous]))
        by_word = replace(
            by_word,
            criteria=replace(by_word.criteria, without_names=without),
            criteria_of_text=replace(by_word.criteria_of_text, without_names=without),
            notes=tuple(
                f'"{name}" is read as a word or place here; for the one you registered, use --concept {name}.'
                for name in marked.ambiguous
            ),
        )
    certain = [e for e in entities if e.kind == "date" and isinstance(e.when, Period)]
    return SearchReading(
        criteria=criteria,
        words=words,
        text=text_words,
        criteria_of_text=criteria_of_text,
        is_date_only=bool(certain),
        problem=problem,
        notes=tuple(marked.notes),
        other=by_word,
    )


_NOT_TYPED = re.compile("[\U000f0000-\U0010fffd\ue000-\uf8ff\ud800-\udfff]")


def _read_search(marked: MarkedText, known: Known, text: str) -> tuple[Criteria, str]:
    reader = _Reader(marked, known)
    reader.text = text
    reader.read_attributes()
    reader.read_alone()
    reader.read_negations()
    reader.read_alternatives()
    reader.read_entities()
    plain = reader.plain_names((), but=reader.criteria)
    criteria = replace(reader.criteria, without_names=_joined(reader.criteria.without_names, plain))
    return criteria, reader.text


def _refuse(words: Sequence[str]) -> None:
    quoted = join_words([f'"{word}"' for word in words])
    raise UsageError(
        f"not understood: {quoted}",
        hint='Ask in other words, for example: photopal ask "How many photos of Anna without Rex in 2023?"',
    )


# A model that looks at a photo reads these itself; they do not say which photo it looks at.
_FOR_THE_EYE = frozenset(
    """
    how many much what who whom whose where which other others both each else he she her his him herself
    himself them themselves anyone anybody anything someone somebody something biggest largest smallest
    youngest same all over
    """.split()  # noqa: SIM905 - a list literal would take a page
) | frozenset(NUMBER_WORDS)
_UNKNOWABLE = LazyPattern(
    r"\b(?:phone number|telephone|address|e-?mail|birthday(?= *[\s?.!,]*$)|born|married|marry|wedding day"
    " of|wife|husband|girlfriend|boyfriend"
    "|divorced|engaged to|jobs?|salary|profession|religion|costs?|prices?|expensive|pay|paid|thinking"
    "|thought|think of|feel(?:ing)?s? about"
    r"|weather [^?]*\btomorrow|tomorrow|capital of|population|surname|last name|full name|middle name"
    "|nationality|why|how old|how tall|how heavy"
    "|how far|how much (?:does|did|do|is|was)|meaning of|opinion|dream(?:ing)? (?:of|about)|plan(?:ning"
    r"|s)? to|going to)\b"
)


def _refuse_unknowable(text: str, question: Question) -> None:
    """Raise where a question asks for what no photo shows, which a model would make up."""
    found = _UNKNOWABLE.search(text)
    if (
        found
        and question.kind in {"pixels", "exists", "about", "count", "find"}
        and not re.search(PHOTO, text, re.I)
    ):
        raise UsageError(
            f'photos cannot tell: "{found[0]}"', hint="Ask who, what, when or where is on your photos."
        )
    if re.match(r"when(?:'s| is| are)\b", text, re.IGNORECASE) and not re.search(PHOTO, text, re.IGNORECASE):
        raise UsageError(
            'not understood: "when is"; photos only tell when they were taken',
            hint='Ask when something was, for example: photopal ask "When was Anna last at the lake?"',
        )
    if re.match(rf"who (?:took|shot|made|photographed)\b.*\b{PHOTO}\b", text, re.IGNORECASE):
        raise UsageError(
            "photos do not tell who took them", hint='photopal ask "Which camera took the photos of Anna?"'
        )


def _plain(text: str) -> str:
    """Straight apostrophes and quotes, single blanks, no control, private or half characters."""
    straight = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in straight)
    plain = " ".join("".join(kept).split())
    if not any(letter.isalnum() or unicodedata.category(letter) == "So" for letter in plain):
        raise UsageError("the question is empty", hint='photopal ask "When was Anna last at the lake?"')
    if re.search(r"\b(?:videos?|movies?|films?|clips?)\b", plain, re.IGNORECASE) and not re.search(
        PHOTO, plain
    ):
        raise UsageError("photopal only knows photos, not videos")
    if len(plain) > LONGEST:
        raise UsageError(f"a question can have at most {LONGEST} characters, this one has {len(plain)}")
    return plain


_STRAIGHT = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "？": "?", "，": ", "}
)

_LINK = r"(?:\s*(?:,|\band\b|\bor\b|\bnor\b|&|/|\bplus\b)+\s*)"
_FILLER = (
    "(?:(?:of|with|in|on|at|from|by|during|near|list|find|give|display|want|any|an?|the|my|our|taken|shot"
    "|made|showing|shows?|includ(?:e|ing|es)"
    f"|contain(?:s|ing)?|featur(?:e|es|ing)|hav(?:e|ing)|has|been|being|to|both|either|{PHOTO}|present|me"
    "|there"
    "|mention(?:s|ing)?|including|visible|seen|appear(?:s|ing)?|wearing|holding|for|those|ones?|that"
    r"|which|are|is|were|was|any(?:thing|one))\s+)*"
)
_LIST = rf"{ENTITY}(?:{_LINK}{_FILLER}{ENTITY})*"
_AUX = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_NO = (
    rf"(?:(?:all|every)(?: (?:the|my|our))* {PHOTO} but(?! (?:not|no)\b)|"
    "without|w/o|with no|with neither|with none of|(?:and|but|or|yet|,) (?:not|no|none|nothing|without"
    "|never|neither)|but without|"
    "and without|no|not|never|neither|nor|none of|except(?: for| with)?|excepting|excluding|exclude|minus"
    "|sans"
    r"|other than|apart from|aside from|besides|lacking|lack|lacks|missing|leaving out|free of|empty of"
    rf"|(?:(?:that|which|who|and|but)\s+)?(?:{_AUX}n't|{_AUX} not|{_AUX} never|cannot)"
    r"|(?:all|everyone|everybody|anyone|anybody|anywhere|everywhere|anything|everything|any) but)"
)
_NEGATED = LazyPattern(rf"(?<![\w'-]){_NO}\s+{_FILLER}(?P<list>{_LIST})")
_ABSENT = LazyPattern(
    rf"\b(?:(?:where|in which|on which|that|when|while)\s+(?P<list>{_LIST})\s+(?:{_AUX}(?:n't|\s+not"
    r"|\s+never)"
    rf"|(?:is|are|was|were)\s+(?:absent|missing)|absent|missing)|with\s+(?P<list2>{_LIST})\s+(?:absent"
    "|missing))"
    r"(?:\s+(?:there|in|on|at|them|it|the|photos?|pictures?|present|visible|appear|seen|included|shown"
    r"|around|home)\b)*"
    rf"(?!\s*(?:(?:in|at|from|on|with|taken|by|going|been|to)\s+)*{ENTITY})(?!\s+(?:taken|shot|from|in"
    r"|at)\b)"
)
_NOBODY = LazyPattern(
    r"(?<![\w'-])(?:(?:with|of|showing|show|shows|containing|where|that (?:have|show)|there is|there are"
    "|has|have|and|"
    r"but)\s+)*(?:nobody|no one|no-one|noone|not anyone|not anybody|none of (?:us|them))(?:\s+at all)?"
    r"(?:\s+(?:is|was|are|were))?(?:\s+(?:there|in (?:it|them)|on (?:it|them)|visible|present|shown|to be"
    r" seen)\b)*"
    r"(?!\s+(?:else|but|except|other)\b)"
)
_OUTSIDE = LazyPattern(
    rf"\b(?:outside(?: of)?|away from|anywhere (?:but|except)(?: in)?)\s+(?P<list>{_LIST})"
)
_COMPARES = LazyPattern(r"\b(?:more|fewer|less|most|fewest|often)\b.*\b(?:than|or)\b")
_CONTENT = r"(?!(?:" + "|".join(sorted(GRAMMAR | OPERATORS, key=len, reverse=True)) + r")\b)[^\W_][\w-]*"
_NEGATED_WORDS = LazyPattern(
    r"(?<![\w'-])(?:without|w/o|with no|(?:and|but) (?:no|not)|no|not|except(?: for)?|excluding"
    rf"|minus)\s+{_FILLER}"
    rf"(?P<words>{_CONTENT}(?:\s+{_CONTENT}){{0,2}}(?:{_LINK}{_FILLER}{_CONTENT}(?:\s+{_CONTENT}){{0,2}})*)"
)
_ALONE = LazyPattern(
    r"(?:\b(?:all |completely |quite )?alone\b(?! (?:in|with)\b(?! the))|\bby (?:her|him|it|them)sel(?:f"
    r"|ves)\b"
    r"|\bon (?:her|his|its|their) own\b"
    r"|\b(?:just|only|exclusively|solely|nobody but|no one but|no-one but|nobody except|no one except"
    "|noone but|nobody other than"
    rf"|no one other than|nothing but)(?=(?:\s+(?:of|with|by|shows?|showing|containing))*\s+{NAME})"
    r"|\b(?:with |and |but )*(?:without |with )?(?:nobody|no one|no-one|noone|no other people|no other person"
    r"|(?:any(?:one|body)|someone|somebody|others?) else|no others?|any others?|other people|anyone else)"
    r"(?: else)?(?= *(?:[?.!,]|$|in\b|at\b|on\b|from\b|there\b))"
    rf"|\bsolo\b|(?<={NAME}) only\b)"
)
_WHO_ALONE = LazyPattern(
    rf"(?<=\bwho )(?:(?:is|was|are|were) )?(?:all )?alone\b|(?<={GROUP} )(?:(?:is|was|are|were) )?(?:all"
    r" )?alone\b"
)
_WITH_OTHERS = LazyPattern(
    r"\b(?:with|and|together with)\s+(?:(?:any|some)(?:one|body) else|(?:some |any )?other people|others"
    r"|another person)\b"
)
_EVERYONE = LazyPattern(
    r"(?:\b(?:with|of|show(?:s|ing)?)\s+|^)(?:everyone|everybody|all of us)\b(?! (?:but|except))"
)
_ATTRIBUTES: tuple[tuple[Attribute, str], ...] = (
    ("caption", r"(?:captions?|descriptions?)"),
    ("date", r"(?:dates?|time ?stamps?|date taken|time|date or time|dates? (?:and|or) times?)"),
    ("place", r"(?:(?:gps )?(?:locations?|positions?|coordinates|gps(?: data)?)|places?|geotags?|geo ?data)"),
    ("camera", r"(?:cameras?(?: (?:name|model|make))?|camera information|camera data)"),
    ("rating", r"(?:ratings?|stars?)"),
)
_LACKING = (
    rf"(?:(?:that |which |and |but |who )*(?:{_AUX}n't|{_AUX} not|{_AUX})?\s*(?:have |has |having |had"
    " )?(?:got )?"
    "(?:without|w/o|with no|with neither|neither|no|not|lacking|lack|lacks|missing|with missing|with"
    " unknown|unknown|n't|never)"
    r"|(?:that |which |and |but |who )*(?:do|does|did)(?:n't| not) (?:have|carry|contain))"
)
_ADJECTIVES = r"(?:(?:an?|any|the|known|recorded|exact|yet|stored|valid|capture|creation|taken)\s+)*"
_UN: tuple[tuple[Attribute, str], ...] = (
    ("caption", r"uncaptioned|not (?:yet )?captioned(?: yet)?|not (?:yet )?described|captionless"),
    ("date", r"undated|not dated|dateless"),
    ("place", r"not geo-?tagged|unlocated|not located|not geocoded"),
    ("rating", r"unrated|not (?:yet )?rated(?: yet)?"),
)
_PRONOUN = LazyPattern(
    r"\b(?:of|with|without|than|and|is|was|am|are)\s+(?P<who>me|us|him|her|them|myself|ourselves|i|he|she"
    "|they|we|it)"
    rf"(?=[\s?.!,]*$|\s+(?:in|at|on|and|from|with|or|alone)\b|\s*{ENTITY})(?!\s+(?:and|or)\s+(?:where|when))"
)
_SUBJECT = LazyPattern(r"\b(?:did|was|is|has|does|were|are|have|can)\s+(?P<who>he|she|they)\b")
_NEGATED_VERB = LazyPattern(
    rf"^(?P<aux>is|are|was|were|do|does|did|has|have|had)(?:n't|(?P<subject>\s+(?:{NAME}(?:{_LINK}{NAME})*"
    r"|i|we|there|you))\s+(?:not|never))\b"
    rf"|^(?P<aux2>is|are|was|were|do|does|did|has|have|had) not\b(?=\s+(?:{NAME}|i|we|there|you)\b)"
)


_RELATIONS: dict[str, Literal["more than", "at least", "fewer than", "at most", "exactly"]] = {
    "more than": "more than", "over": "more than", "at least": "at least", "fewer than": "fewer than",
    "less than": "fewer than", "under": "fewer than", "at most": "at most", "exactly": "exactly",
}  # fmt: skip
_THRESHOLD = LazyPattern(
    r"\b(?P<relation>more than|over|at least|fewer than|less than|under|at most|exactly)\s+"
    rf"(?P<number>\d{{1,6}}|{'|'.join(word for word in NUMBER_WORDS if ' ' not in word)})\s+(?={PHOTO}\b)"
)
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


# What the readers below look for has one of these words; without one, nothing need be compiled.
_OF_ATTRIBUTES = LazyPattern(
    r"caption|descri|date|time|location|located|position|coordinates|gps|place|geo|camera|rat(?:ing|ed)|star"
)
_OF_COMPANY = LazyPattern(
    r"\b(?:alone|\w*sel(?:f|ves)|own|only|just|exclusively|solely|nobody|no[ -]?one|nothing|else|others?"
    r"|another|solo|every\w+|all of us)\b"
)
_OF_NEGATIONS = LazyPattern(
    r"n't\b|\b(?:no|not|without|w/o|never|neither|nor|none|nobody|no[ -]?one|except\w*|exclud\w*|minus|sans"
    r"|other|apart|aside|besides|lack\w*|missing|leaving|free|empty|cannot|absent|outside|away|anywhere|but)\b"
)


class _Reader:
    """The text of a question as one reader after the other takes out what it understands."""

    def __init__(self, marked: MarkedText, known: Known) -> None:
        self.marked = marked
        self.text = marked.text
        self.criteria = Criteria()
        self.known = known
        self.has_negation = False
        self.but_names: list[str] = []
        self.elsewhere: list[Entity] = []

    def _take(
        self, pattern: re.Pattern[str] | LazyPattern, use: Callable[[re.Match[str]], str | None]
    ) -> None:
        """Take out what a pattern finds, where `use` has a use for it; it may leave something instead."""

        def taken(match: re.Match[str]) -> str:
            left = use(match)
            return match[0] if left is None else f" {left} "

        self.text = " ".join(pattern.sub(taken, self.text).split())

    def drop_references(self) -> None:
        """Take out "in them" and "in the caption", which say no more than "photos" before it."""
        self.text = re.sub(r"\bin (?:the|its|their|a) captions?\b", " ", self.text, flags=re.IGNORECASE)
        self.text = re.sub(rf"\b(?:celebrat\w+|spen[dt]\w*)\s+(?={DATE})", "", self.text, flags=re.IGNORECASE)
        self.text = re.sub(
            rf"(\b{PHOTO}\b.*?)\s+(?:in|on|of|from)\s+(?:them|it)\b", r"\1", self.text, flags=re.IGNORECASE
        )

    def read_attributes(self) -> None:
        """Photos with or without a caption, a date, a place or a camera."""
        if not _OF_ATTRIBUTES.search(self.text):
            return
        has: dict[Attribute, bool] = {}

        def lacks(attribute: Attribute) -> Callable[[re.Match[str]], str]:
            def use(_match: re.Match[str]) -> str:
                has[attribute] = False
                return ""

            return use

        def owns(attribute: Attribute) -> Callable[[re.Match[str]], str]:
            def use(_match: re.Match[str]) -> str:
                has[attribute] = True
                return ""

            return use

        for name, pattern in _UN:
            self._take(
                re.compile(rf"\b(?:that |which )?(?:(?:are|is|were) )?(?:{pattern})\b", re.I), lacks(name)
            )
        for name, pattern in _ATTRIBUTES:
            other = "|".join(p for n, p in _ATTRIBUTES if n != name)
            negative = (
                rf"(?<![\w'-]){_LACKING}\s+{_ADJECTIVES}{pattern}(?: (?:is|was) known)?(?: yet| at"
                rf" all)?\b(?!\s+(?:of|{NAME}))"
            )
            again = rf"(?:\s*(?:,|and|or|nor)\s+{_ADJECTIVES}(?:no\s+)?(?P<other>{other})\b)?"
            self._take(re.compile(negative + again, re.I), self._lacks_both(name, has))
            self._take(
                re.compile(
                    rf"\b(?:where|whose)\s+(?:the\s+)?{pattern}\s+(?:is|are|was)(?:n't| not) known\b"
                    rf"|\b(?:whose|with)\s+(?:the\s+|an?\s+)?(?:unknown\s+{pattern}"
                    rf"|{pattern}\s+(?:is\s+)?(?:unknown|missing))\b",
                    re.I,
                ),
                lacks(name),
            )
            self._take(
                re.compile(
                    r"\b(?:with|(?:that |which )?ha(?:ve|s)(?: got)?)\s+(?:an?\s+|the\s+)?(?:known\s+"
                    rf"|recorded\s+)?{pattern}\b"
                    rf"(?!\s*(?:of|called|{NAME}|{CAMERA}|{DATE}|with|were|did|was|took|that))(?=\s*(?:$"
                    r"|[?.!,]|and\b|in\b|but\b|from\b|do\b|are\b))",
                    re.I,
                ),
                owns(name),
            )
        self._take(re.compile(rf"\b(?:that |which )?(?:are |is )?dated\b(?!\s*{DATE})", re.I), owns("date"))
        self._take(re.compile(r"\b(?:that |which )?(?:are |is )?(?:geo-?tagged)\b", re.I), owns("place"))
        self._take(re.compile(r"\b(?:that |which )?(?:are |is )captioned\b", re.I), owns("caption"))
        self._take(
            re.compile(r"\b(?:that |which )?(?:(?:are|is|were|have been) )?rated\b", re.I), owns("rating")
        )
        self.criteria = replace(self.criteria, has=tuple(has.items()))

    def _lacks_both(
        self, attribute: Attribute, has: dict[Attribute, bool]
    ) -> Callable[[re.Match[str]], str | None]:
        def use(match: re.Match[str]) -> str | None:
            has[attribute] = False
            if other := match.groupdict().get("other"):
                name = next(n for n, p in _ATTRIBUTES if re.fullmatch(p, other, re.IGNORECASE))
                has[name] = False
            return ""

        return use

    def read_alone(self) -> None:
        """Somebody alone, with others, or all people together."""
        if not _OF_COMPANY.search(self.text):
            return

        def only_kind(match: re.Match[str]) -> str:
            kind = self.marked.at(match["group"]).value
            other: ConceptKind = "pet" if kind == "person" else "person"
            without = tuple(dict.fromkeys([*self.criteria.without_kinds, other]))
            self.criteria = replace(self.criteria, without_kinds=without)
            return match["group"]

        self._take(
            re.compile(rf"\b(?:only|just|exclusively)\s+(?:of\s+|with\s+)?(?P<group>{GROUP})", re.I),
            only_kind,
        )

        def with_others(_match: re.Match[str]) -> str:
            self.criteria = replace(self.criteria, with_others=True)
            return ""

        def alone(match: re.Match[str]) -> str | None:
            is_question = re.match(
                r"^(?:any|some)|^others?|^other people",
                re.sub(r"^(?:with|and|but) ", "", match[0].strip(), flags=re.I),
                re.I,
            )
            if is_question and not re.match(r"without", match[0].strip(), re.IGNORECASE):
                return None
            self.criteria = replace(self.criteria, is_alone=True)
            return ""

        if not re.search(NAME, self.text):
            self._take(_WHO_ALONE, alone)
            self._read_everyone()
            return
        self._take(_WITH_OTHERS, with_others)
        self._take(_ALONE, alone)
        self._read_everyone()

    def _read_everyone(self) -> None:
        def everyone(_match: re.Match[str]) -> str | None:
            if not self.known.people:
                return None
            self.criteria = replace(self.criteria, names=tuple(self.known.people))
            return ""

        self._take(_EVERYONE, everyone)

    def read_negations(self) -> None:
        """What must not be on the photos, or not hold for them."""
        if not _OF_NEGATIONS.search(self.text):
            return

        def without(match: re.Match[str]) -> str | None:
            self.has_negation = True
            self._exclude(self.marked_in(match["list"] or match.groupdict().get("list2") or ""))
            return ""

        def nobody(match: re.Match[str]) -> str | None:
            rest = self.text[match.end() :]
            before = self.text[: match.start()].strip()
            is_subject = re.fullmatch(rf"(?:{_AUX}|why|when|where)(?: there| {_AUX})?", before, re.IGNORECASE)
            is_statement = not before and re.search(rf"\b{_AUX}\s*$", match[0], re.IGNORECASE)
            if is_subject or (is_statement and rest.strip(" ?.!")):
                return None
            self.has_negation = True
            kinds = (*self.criteria.without_kinds, "person")
            self.criteria = replace(self.criteria, without_kinds=tuple(dict.fromkeys(kinds)))
            return ""

        self._take(_ABSENT, without)
        self._take(_OUTSIDE, without)
        self._take(_NEGATED, self._negated)
        self._take(_NOBODY, nobody)
        self._take(_NEGATED_WORDS, self._negated_words)

    def _negated(self, match: re.Match[str]) -> str | None:
        """Use "without Anna"; but "isn't Anna there?" and "no photos of Anna?" ask for yes or no."""
        start = match[0].casefold()
        is_order = re.match(r"(?:do not|don't|never) (?:show|list|find|give|display|include|want)\b", start)
        if (
            not is_order
            and match.start() == 0
            and re.match(rf"(?:(?:who|which)\s+)?{_AUX}(?:n't| not| never)", start)
        ):
            return None
        if re.match(r"(?:who|which|what)\b.*$", self.text[: match.start()].casefold() or "-") and re.match(
            rf"(?:{_AUX}(?:n't| not| never)|never|not)\b", start
        ):
            head = self.text[: match.start()].strip().casefold()
            if re.fullmatch(rf"(?:who|which {GROUP}|what {GROUP}|who {_AUX})", head):
                return None
        if re.match(
            rf"^(?:is|are|was|were|did|does|do|has|have|had)\s+(?:{NAME}|i|we)(?:{_LINK}{NAME})*\s*$",
            self.text[: match.start()],
            re.I,
        ) and re.match(r"(?:not|never)\b", start):
            return None
        before = self.text[: match.start()].casefold()
        is_of_verb = re.match(
            r"(?:are|is|were|was) there $|(?:do|did|have|has) (?:i|we|you) (?:have |take |got )?$", before
        )
        has_no = is_of_verb or re.fullmatch(
            rf"(?:who|(?:which|what) {GROUP}) (?:has|have|had|is|are)", before.strip()
        )
        if has_no and start.startswith("no "):
            return None
        is_who = re.match(rf"(?:who|whom|(?:which|what) {GROUP}|how many {GROUP})", self.text, re.IGNORECASE)
        if is_who and re.match(r"(?:besides|except|other than|apart from|aside from|excluding)\b", start):
            self.but_names += [entity.value for entity in self.marked_in(match["list"])]
            return ""
        entities = self.marked_in(match["list"])
        if (
            is_who
            and re.match(r"(?:and|but|yet|,) (?:not|never)\b", start)
            and {entity.kind for entity in entities} <= {"date", "place", "camera"}
        ):
            self.elsewhere += entities
            return ""
        listed = {(e.kind, e.value) for e in entities}
        others = self.marked_in(self.text[: match.start()] + self.text[match.end() :])
        if _COMPARES.search(self.text) and any((e.kind, e.value) in listed for e in others):
            return None
        if start.startswith("or without ") and re.search(
            r"\b(?:more|fewer|less|most|often)\b", self.text, re.I
        ):
            return None
        self.has_negation = True
        self._exclude(entities)
        return ""

    def _negated_words(self, match: re.Match[str]) -> str | None:
        words = match["words"]
        before = self.text[: match.start()].strip().casefold()
        if re.search(ENTITY, words) or (
            re.match(r"(?:who|why|how)\b", before) and DOING.search(match[0].casefold())
        ):
            return None
        if re.search(rf"\b{PHOTO}\b", words) or re.fullmatch(r"(?:are|is|were|was) there", before):
            return None
        if (
            re.match(r"not\b", match[0], re.I)
            and re.match(r"(?:is|are|was|were|did|does|do|has|have|who|which|where|when|why)\b", before)
            and not re.search(PHOTO, before)
        ):
            return None
        parts = [
            " ".join(word for word in re.split(r"\s+", part) if not is_empty(word))
            for part in re.split(_LINK.replace("(?:", "(?:", 1) + _FILLER, words, flags=re.IGNORECASE)
        ]
        parts = [part for part in parts if part]
        if not parts:
            return None
        self.has_negation = True
        self.criteria = replace(
            self.criteria, without_words=tuple(dict.fromkeys([*self.criteria.without_words, *parts]))
        )
        return ""

    def marked_in(self, text: str) -> list[Entity]:
        """The entities whose marks a text has."""
        return [self.marked.at(mark) for mark in re.findall(ENTITY, text)]

    def _exclude(self, entities: Sequence[Entity]) -> None:
        self.criteria = _with(self.criteria, entities, is_wanted=False)

    def read_negated_verb(self) -> bool:
        """Whether the verb of a question for yes or no is negated; such a question is answered with facts."""
        match = _NEGATED_VERB.match(self.text)
        if match:
            aux = match["aux"] or match["aux2"]
            subject = match["subject"] or ""
            self.text = f"{aux}{subject} {self.text[match.end() :]}".strip()
            self.text = " ".join(self.text.split())
            return True
        match = re.match(r"^(?P<aux>are|is|were|was) there no\b", self.text, re.IGNORECASE)
        if match:
            self.text = f"{match['aux']} there any{self.text[match.end() :]}"
            return True
        match = re.match(
            rf"^(?P<aux>do|did|have|has) (?P<who>i|we|you) (?P<verb>have |take |got )?no (?={PHOTO})",
            self.text,
            re.I,
        )
        if match:
            self.text = f"{match['aux']} {match['who']} {match['verb'] or ''}any {self.text[match.end() :]}"
            return True
        return False

    def read_threshold(self) -> Threshold | None:
        """ "More than 10 photos", of a question for yes or no."""
        match = _THRESHOLD.search(self.text)
        if match is None or not re.match(
            r"(?:is|are|was|were|do|does|did|have|has)\b", self.text, re.IGNORECASE
        ):
            return None
        words = " ".join(match["relation"].casefold().split())
        number = match["number"].casefold()
        self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        return Threshold(_RELATIONS[words], int(number) if number.isdecimal() else NUMBER_WORDS[number])

    def read_all_of(self) -> Criteria | None:
        """The photos of which all must fit, in "is Mia in every photo from 2021?"."""
        match = _IN_EVERY.match(self.text) or _ARE_ALL.match(self.text)
        if match is None:
            return None
        part = _Reader(self.marked, self.known)
        groups = match.groupdict()
        scope, fact = (
            groups["scope"] or groups.get("scope2") or "",
            groups["fact"] or groups.get("fact2") or "",
        )
        part.text = scope
        criteria = part.read_all()
        self.text = f"are there photos {fact} {scope}"
        return criteria

    def read_all(self) -> Criteria:
        """Read a text that only says which photos are meant.

        Raises:
            UsageError: A word is not understood.
        """
        self.read_attributes()
        self.read_alone()
        self.read_negations()
        self.read_alternatives()
        self.read_entities()
        words, unknown = self.read_words(Intent("find", self.text))
        if unknown:
            _refuse(unknown)
        return replace(self.criteria, words=(*self.criteria.words, *words))

    def read_comparison(self) -> Comparison | None:
        """What is compared with what; its words are taken out."""
        found = find_comparison(self.text)
        if found is None:
            return None
        sides = []
        for side in found.sides:
            part = _Reader(self.marked, self.known)
            part.text = side
            sides.append(part.read_all())
        self.text = found.rest
        return Comparison(
            by=found.by,
            sides=tuple(sides),
            labels=tuple(self.marked.typed(label) for label in found.labels),
            is_yes_no=found.is_yes_no,
            is_difference=found.is_difference,
        )

    def read_rank(self, intent: Intent) -> tuple[Literal["first", "last"] | None, int | None]:
        """Whether the first or the last photos are wanted, and how many."""
        number = None
        if match := _MANY.search(self.text):
            words = match["number"].casefold()
            number = max(1, int(words) if words.isdecimal() else NUMBER_WORDS[words])
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        elif _ONE.search(self.text) or _WHICH_ONE.search(self.marked.text):
            number = 1
        end: Literal["first", "last"] | None = None
        if intent.is_since:
            end = "first"
        elif intent.extreme is None:
            last, first = _LAST.search(self.text), _FIRST.search(self.text)
            if last and first:
                return None, number
            end = "last" if last else "first" if first else None
            self.text = _FIRST.sub(" ", _LAST.sub(" ", self.text))
        self.text = " ".join(self.text.split())
        return end, number

    def read_alternatives(self) -> None:
        """Names, places, cameras and dates of which one is enough, and words of which one is."""
        if not re.search(r"\b(?:or|and)\b|[,&]", self.text, re.IGNORECASE):
            return

        def either(match: re.Match[str]) -> str | None:
            entities = self.marked_in(match[0])
            kinds = {entity.kind for entity in entities}
            if kinds == {"name"}:
                names = tuple(dict.fromkeys(entity.value for entity in entities))
                self.criteria = replace(self.criteria, any_names=(*self.criteria.any_names, names))
                return ""
            if len(kinds) == 1 and kinds <= {"date", "place", "camera"}:
                self.criteria = _with(self.criteria, entities, is_wanted=True, is_either=True)
                return ""
            return None

        kinds = "|".join(
            rf"(?:either\s+)?{one}(?:\s*(?:,|\bor\b)+\s*{_FILLER}{one})*"
            rf"\s*,?\s*\bor\b\s*{_FILLER}{one}"
            for one in (NAME, DATE, PLACE, CAMERA)
        )
        self._take(re.compile(rf"(?:{kinds})", re.IGNORECASE), either)
        joined = "|".join(rf"{one}(?:\s*(?:,|\band\b|&)+\s*{_FILLER}{one})+" for one in (DATE, PLACE, CAMERA))
        self._take(re.compile(joined, re.IGNORECASE), either)

        def words(match: re.Match[str]) -> str | None:
            groups = [match["one"], *re.split(rf"\s*(?:,|\bor\b)+\s*{_FILLER}", match["others"], flags=re.I)]
            parts = [part.strip() for part in groups if part and part.strip()]
            if any(is_empty(part) for part in parts):
                return None
            self.criteria = replace(self.criteria, words=(*self.criteria.words, tuple(parts)))
            return ""

        word = _CONTENT
        self._take(
            re.compile(
                rf"\b(?P<one>{word})(?P<others>(?:\s*,\s*{_FILLER}{word})*\s*,?\s*\bor\b\s+{_FILLER}{word})",
                re.I,
            ),
            words,
        )

    def refuse_pronouns(self) -> None:
        """Raise where somebody is spoken of without a name."""
        found = _PRONOUN.search(self.text) or _SUBJECT.search(self.text)
        if found and not (
            found["who"].casefold() in {"i", "we", "it"}
            and not re.search(r"(?:of|with|without|than) $", found[0][: -len(found["who"])])
        ):
            if found["who"].casefold() in {"it", "i", "we"}:
                return
            raise ConceptError(f'I do not know who "{found["who"]}" is', hint="Ask with a registered name.")

    def read_entities(self) -> None:
        """Take the marks that are left as what the photos must have."""
        self.criteria = _with(self.criteria, self.marked_in(self.text), is_wanted=True)
        self.text = " ".join(
            re.sub(
                rf"\b(?:both|either|together)\b(?=\W*{ENTITY})|(?<={ENTITY})\W+together\b|{ENTITY}(?:'s)?",
                " ",
                self.text,
                flags=re.I,
            ).split()
        )

    def plain_names(
        self, words: Sequence[tuple[str, ...]], *, but: Criteria | None = None
    ) -> tuple[str, ...]:
        """The names that are ordinary words here, in whichever form; captions do not tell them apart."""
        forms = {form for group in words for word in group for form in word_forms(word)}
        names = [n for n in self.known.names if fold(n) in forms and "word" in meanings_of(n)]
        shown = {*but.names, *(name for group in but.any_names for name in group)} if but else set()
        return tuple(name for name in dict.fromkeys([*self.marked.plain_names, *names]) if name not in shown)

    def read_words(self, intent: Intent) -> tuple[list[tuple[str, ...]], list[str]]:
        """What is left: words that captions are asked for, and words that are not understood."""
        rest = intent.without_own_words(self.text)
        not_understood = []
        for match in re.finditer(r"[^\W_]+(?:['-][^\W_]+)*|[%+=<>]", rest):
            word = match[0].casefold()
            if (
                word in OPERATORS
                or word in "%+=<>"
                or (word in NUMBER_WORDS and is_empty_number(rest, match.end()))
            ):
                not_understood.append(match[0])
        words = [
            word
            for word in content_words(rest)
            if word.casefold() not in NUMBER_WORDS or word.casefold() not in map(str.casefold, not_understood)
        ]
        return [(word,) for word in _without_wear(words)], list(dict.fromkeys(not_understood))


def is_empty_number(text: str, end: int) -> bool:
    """Whether a number counts nothing that a caption could have, as "two" alone, unlike "two dogs"."""
    following = re.match(r"\s+([^\W_][\w-]*)", text[end:])
    return following is None or is_empty(following[1])


def _with(
    criteria: Criteria, entities: Sequence[Entity], *, is_wanted: bool, is_either: bool = False
) -> Criteria:
    """Add entities to criteria; of the dates, one is enough or all must hold."""

    def values(kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entity.value for entity in entities if entity.kind == kind))

    dates = tuple(entity.when for entity in entities if entity.kind == "date" and entity.when)
    rated = [entity for entity in entities if entity.kind == "rating"]
    if not is_wanted:
        return replace(
            criteria,
            without_names=_joined(criteria.without_names, values("name")),
            without_kinds=_joined(criteria.without_kinds, values("group")),  # type: ignore[arg-type]
            without_dates=(*criteria.without_dates, *dates),
            without_places=_joined(criteria.without_places, values("place")),
            without_cameras=_joined(criteria.without_cameras, values("camera")),
            without_ratings=(*criteria.without_ratings, *(n for entity in rated for n in entity.stars)),
            without_words=_joined(criteria.without_words, values("phrase")),
        )
    if is_either and len({is_daytime(when) for when in dates}) > 1:
        raise UsageError(
            'not understood: "or" between a date and a time of day', hint="Ask for each of them by itself."
        )
    ratings = criteria.ratings
    for entity in rated:
        ratings = tuple(number for number in entity.stars if not ratings or number in ratings)
    groups = (dates,) if is_either and dates else tuple((when,) for when in dates)
    return replace(
        criteria,
        names=_joined(criteria.names, values("name")),
        kinds=_joined(criteria.kinds, values("group")),  # type: ignore[arg-type]
        dates=(*criteria.dates, *groups),
        places=_joined(criteria.places, values("place")),
        cameras=_joined(criteria.cameras, values("camera")),
        ratings=ratings,
        phrases=_joined(criteria.phrases, values("phrase")),
    )


def _instead(criteria: Criteria, entities: Sequence[Entity]) -> Criteria:
    """Criteria with other dates, places or cameras in place of those they have."""
    kinds = {entity.kind for entity in entities}
    freed = {field: () for kind, field in _FIELDS_OF.items() if kind in kinds}
    return _with(replace(criteria, **freed), entities, is_wanted=True, is_either=True)  # type: ignore[arg-type]


_FIELDS_OF: dict[str, str] = {"date": "dates", "place": "places", "camera": "cameras"}


def _joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *two]))


def _both(base: Criteria, side: Criteria) -> Criteria:
    """What fits both criteria."""
    changes: dict[str, object] = {}
    for name in Criteria.__dataclass_fields__:
        one, two = getattr(base, name), getattr(side, name)
        changes[name] = one or two if isinstance(one, bool) else (*one, *(v for v in two if v not in one))
    if base.places and side.places:
        changes["places"] = side.places
    return replace(base, **changes)  # type: ignore[arg-type]


def _as_one_sentence(text: str) -> str:
    """The question as one sentence about one photo, after its dates were taken out."""
    plain = re.sub(r"^\W+|\s+(?=[?.!,])", "", " ".join(_RANK.sub("", text).split()))
    return plain[:1].upper() + plain[1:]


def _without_wear(words: list[str]) -> list[str]:
    """Captions say "in a red dress" as often as "wearing"."""
    others = [word for word in words if word.casefold() not in word_forms("wear")]
    return others or words


_ENDS_LAST = r"last|latest|newest|most recent(?:ly)?"
_ENDS_FIRST = r"first|earliest|oldest"
_LAST = LazyPattern(rf"\b(?:{_ENDS_LAST})\b(?: time\b)?")
_FIRST = LazyPattern(rf"\b(?:{_ENDS_FIRST})\b(?: time\b)?")
_ONE = LazyPattern(rf"\b(?:{_ENDS_LAST}|{_ENDS_FIRST})\s+{PHOTO}\b(?<!s)")
_WHICH_ONE = LazyPattern(rf"^(?:which|what) {PHOTO} (?:is|was) the (?:{_ENDS_LAST}|{_ENDS_FIRST})\b")
_RANK = LazyPattern(rf"\b(?:{_ENDS_LAST}|{_ENDS_FIRST})\s+(?={PHOTO}\b)")
_COUNTED = "|".join(word for word in NUMBER_WORDS if word not in ("a", "an", "one"))
_MANY = LazyPattern(
    rf"\b(?P<number>\d{{1,3}}|{_COUNTED})\s+(?=(?:(?:{_ENDS_LAST}|{_ENDS_FIRST})\s+)?{PHOTO}\b)"
)
__all__ = ["FUNCTION_WORDS", "Comparison", "Criteria", "Known", "Question", "read_question"]
