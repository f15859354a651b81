"""Reads what is typed into a search: words, phrases, names, dates and what is not wanted; knows no photo.

`Rex "red ball" -garden last summer` asks for photos of Rex that have the words red ball side by side, not the
word garden, and were taken last summer. A month, season or holiday without a year counts for every year. A
minus may also stand before a name, a date or a camera. In "can you show me the latest photos of Anna?" what
only asks is passed over, and which photos come first is read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date

from photopal.assistant.query.counts import ENDS_FIRST, ENDS_LAST
from photopal.assistant.query.criteria import Criteria, joined, with_entities
from photopal.assistant.query.dates import Period
from photopal.assistant.query.entities import (
    DATE,
    ENTITY,
    GROUP,
    Entity,
    Known,
    MarkedText,
    mark_entities,
    meanings_of,
)
from photopal.assistant.query.intents import PHOTO, SHOT
from photopal.assistant.query.lexicon import DIGITS, in_letters_and_digits, word_forms
from photopal.assistant.query.negations import read_alone, read_attributes, read_negations
from photopal.assistant.query.parser import STRAIGHT
from photopal.assistant.query.patterns import LazyPattern
from photopal.assistant.query.reader import Reader, joins_pairs
from photopal.errors import UsageError
from photopal.library import Order
from photopal.library.search_text import has_letters
from photopal.text import fold, name_key
from photopal.vocabulary import GRAMMAR

# Words that say nothing about a photo; captions are not asked to hold them.
_EMPTY_WORDS = frozenset(
    """
    a all an and any are at by contain containing contains did do does each every featuring find for from got
    had has have having her his i image images in include includes including is it its me my of on or our
    photo photograph photographs photos picture pictures pic pics please show showing shown shows some tagged
    that the their there they this to was we were what when where which who with taken you
    """.split()  # noqa: SIM905
)
# Captions may hold these; they are passed over only where no photo has all the words as typed.
_FILLERS = GRAMMAR | frozenset("shot shots snap snaps snapshot snapshots".split())  # noqa: SIM905
# "Can you show me", "I'd like to see", "looking for": what only asks, before what is asked for.
_ASKING = LazyPattern(
    r"^(?:(?:so|hey|hi|hello|ok|please)\b[ ,]*)*"
    r"(?:(?:(?:can|could|would|will) you|(?:can|could) (?:i|we)|let me"
    r"|(?:i|we)(?: (?:want|need|wanna|would like|would love)|'d (?:like|love))(?: to)?)\b"
    r"(?: please)?(?: (?:show|find|list|give|display|search|look|get|open|see|have)\b)?(?: me\b)?(?: for\b)?"
    r"|(?:i(?:'m| am) )?(?:looking|searching|look|search) for\b"
    rf"|(?:give|get|list|display|open)(?: me\b|(?=(?: (?:all|the|my|our|some|any))* {PHOTO}\b)))\s+(?=\S)"
)
_MANY = rf"\d{{1,3}}|{'|'.join(word for word in DIGITS if word != 'one')}"
_LATEST, _EARLIEST = "latest|newest|(?:most )?recent", "oldest|earliest"
_LAST, _FIRST = f"{ENDS_LAST}|recent|new", f"{ENDS_FIRST}|old"
_PHOTOS = rf"(?:{ENTITY}\s+)*(?P<photo>{SHOT})\b"
_SO_MANY = LazyPattern(rf"\b(?:(?P<number>{_MANY})|few)\s+(?=(?:(?:{_LAST}|{_FIRST}|best)\s+)?{_PHOTOS})")
_RANKED = LazyPattern(rf"\b(?:(?P<last>{_LAST})|(?P<first>{_FIRST})|best|nicest|more)\s+(?={_PHOTOS})")
# These are an order with other words too: "latest beach photos", "beach, newest first".
_ORDERED = LazyPattern(
    rf"\b(?:(?P<last>{_LATEST})|(?P<first>{_EARLIEST}))\b(?P<sure>\s+(?:ones|first)\b|(?=.*\b{PHOTO}\b))?"
)
_ONE = LazyPattern(f"(?:{ENDS_LAST}|{ENDS_FIRST})\\b")
_SO_MANY_PEOPLE = LazyPattern(rf"\b(?P<number>\d{{1,3}}|{'|'.join(DIGITS)})\s+(?={GROUP})")
_MARKS = ".,;:!?\"'()"
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
# Other programs have fields, as in "person:anna"; such a word is no more than itself, whether it has a minus
# or not, so that nothing is found and a hint can say so. "rating:5" is read.
_LABELED = re.compile(r"(?!rat(?:ing|ed))[^\W\d_]+:[^\W_].*", re.IGNORECASE)
# A minus stands at the beginning of a word; it may be a typographic one.
_PART = re.compile(r'(?P<minus>(?<!\S)[-−–](?=[^\s-]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


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
        notes: What words with several meanings were taken for, and words that join unclearly.
        order: Which photos come first; "best" where nothing is said of it.
        most: How many photos are wanted, where it is said, as in "the last photo of Rex".
        other: The search with such words taken for what they mean besides a name.
    """

    criteria: Criteria
    words: str
    text: str
    criteria_of_text: Criteria
    is_date_only: bool = False
    problem: UsageError | None = None
    notes: tuple[str, ...] = ()
    order: Order = "best"
    most: int | None = None
    other: SearchReading | None = None


def read_search(
    text: str, known: Known, *, today: date | None, numbers_are_words: bool = False
) -> SearchReading:
    """Read the words of a search, without its quoted phrases and its -words.

    Args:
        text: Words in any order.
        known: Names and cameras of the library.
        today: What "last summer" is counted from; None leaves dates among the words.
        numbers_are_words: Whether dates without a letter, as 2024 and 2024-07, are left among the words.
    """
    marked, problem = _mark(text, known, today)
    asked, order, most = _read_order(_ASKING.sub("", marked.text))
    asked, numbers = _read_numbers(asked)

    def read(text: str) -> tuple[Criteria, str, list[str]]:
        criteria, words, unclear = _read_search(marked, known, text, numbers_are_words=numbers_are_words)
        return replace(criteria, words=(*criteria.words, *numbers)), words, unclear

    criteria, words, unclear = read(asked)
    loose = {"date", "camera", "group", "rating"}
    as_words = re.sub(
        ENTITY, lambda m: marked.at(m[0]).typed if marked.at(m[0]).kind in loose else m[0], asked
    )
    entities = [marked.at(mark) for mark in re.findall(ENTITY, marked.text)]
    # What is not wanted in one meaning is not brought back by the other: "not in july".
    is_negated = bool(
        criteria.without_dates
        or criteria.without_cameras
        or criteria.without_ratings
        or criteria.without_kinds
    )
    is_same = is_negated or not any(entity.kind in loose for entity in entities)
    criteria_of_text, text_words = (criteria, words) if is_same else read(as_words)[:2]
    by_word = None
    if known.places and any(entity.kind == "place" for entity in entities):
        by_word = read_search(
            text, replace(known, places=()), today=today, numbers_are_words=numbers_are_words
        )
    elif marked.ambiguous:
        rest = Known(
            [n for n in known.names if n not in marked.ambiguous], known.places, known.cameras, known.people
        )
        by_word = read_search(text, rest, today=today, numbers_are_words=numbers_are_words)
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
    return SearchReading(
        criteria=criteria,
        words=words,
        text=text_words,
        criteria_of_text=criteria_of_text,
        is_date_only=any(isinstance(when, Period) for group in criteria.dates for when in group),
        problem=problem,
        notes=(
            *marked.notes,
            *(_UNCLEAR.format(word) for word in dict.fromkeys(unclear)),
            *([_UNCLEAR.format("and")] if joins_pairs(marked.text) else []),
            *(_NOBODY.format(match["who"] or match["all"]) for match in _OF_US.finditer(marked.text)),
        ),
        order=order,
        most=most,
        other=by_word,
    )


_OF_US = LazyPattern(r"(?<!\ball )\b(?:of|with|without)\s+(?P<who>(?-i:me|us))\b|^(?P<all>us)$")
_NOBODY = 'It is not known who "{}" is; search for a registered name, or "all of us" for everybody.'
_OR_ENTITY = LazyPattern(rf"{ENTITY}\s+or\b|\bor\s+(?:\w+\s+)?{ENTITY}")
_UNCLEAR = 'What "{}" joins here can be read in two ways; to be sure, search for one thing at a time.'
_NOT_TYPED = re.compile("[\U000f0000-\U0010fffd\ue000-\uf8ff\ud800-\udfff]")


def _mark(text: str, known: Known, today: date | None) -> tuple[MarkedText, UsageError | None]:
    """Mark the entities of words as typed; where a date cannot be read, dates are words, and why is told."""
    straight = " ".join(unicodedata.normalize("NFC", _NOT_TYPED.sub(" ", text.translate(STRAIGHT))).split())
    try:
        return mark_entities(straight, known, today=today, is_search=True), None
    except UsageError as error:
        return mark_entities(straight, known, today=None, is_search=True), error


def _read_order(text: str) -> tuple[str, Order, int | None]:
    """Take out which photos are to come first and how many are wanted: "the last two photos"."""
    most = None
    if match := _SO_MANY.search(text):
        number = match["number"]
        most = max(1, int(DIGITS.get(number.casefold(), number))) if number else None
        text = f"{text[: match.start()]}{text[match.end() :]}"
    match = _RANKED.search(text)
    is_ranked = match is not None
    match = match or _ORDERED.search(text)
    if match is None:
        return text, "best", most
    rest = f"{text[: match.start()]}{text[match.end() :]}"
    if not is_ranked and match["sure"] is None and _has_words(re.sub(ENTITY, " ", rest)):
        # As in "the oldest tree".
        return text, "best", most
    order: Order = "newest" if match["last"] else "oldest" if match["first"] else "best"
    is_one = is_ranked and _ONE.match(match[0]) and not match["photo"].casefold().endswith("s")
    return rest, order, 1 if is_one and most is None else most


def _read_numbers(text: str) -> tuple[str, list[tuple[str, ...]]]:
    """Take out how many people there are, which only captions can tell: in "2 people" it is "2" or "two"."""
    numbers = [match["number"].casefold() for match in _SO_MANY_PEOPLE.finditer(text)]
    return _SO_MANY_PEOPLE.sub("", text), [in_letters_and_digits(number) for number in numbers]


def _read_search(
    marked: MarkedText, known: Known, text: str, *, numbers_are_words: bool
) -> tuple[Criteria, str, list[str]]:
    reader = Reader(marked, known)
    reader.text = text
    reader.drop_possessives()
    reader.drop_callings()
    read_attributes(reader)
    read_alone(reader)
    read_negations(reader)
    if numbers_are_words:
        # "Without 2021" is no word even then.
        reader.text = re.sub(
            DATE, lambda m: when.typed if (when := marked.at(m[0])).is_number else m[0], reader.text
        )
    reader.read_alternatives()
    # "Anna or beach": of a name and a word both are looked for.
    if _OR_ENTITY.search(reader.text):
        reader.unclear.append("or")
    reader.read_entities()
    plain = reader.plain_names((), but=reader.criteria)
    criteria = replace(reader.criteria, without_names=joined(reader.criteria.without_names, plain))
    return criteria, reader.text, reader.unclear


@dataclass(frozen=True)
class Reading:
    """A query as it was read.

    Attributes:
        plain: What was read in the plain words.
        phrases: What stood in quotes.
        without: Words and phrases with a minus, but for names.
        without_entities: What has a name of its own among what has a minus: names, dates, cameras, kinds.
        known_names: The names of the library.
        last: The word typed last among the plain ones, which may be unfinished.
    """

    plain: SearchReading
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_entities: tuple[Entity, ...] = ()
    known_names: tuple[str, ...] = ()
    last: str = ""

    @property
    def without_names(self) -> tuple[str, ...]:
        """Names with a minus."""
        return tuple(dict.fromkeys(each.value for each in self.without_entities if each.kind == "name"))

    def alternatives(self) -> list[tuple[tuple[str, ...], list[tuple[Criteria, str]]]]:
        """Return criteria and words to search by: of each list all in turn, the next where one finds nothing.

        Before each list stand the notes on what its words are taken for. What is found by words as they were
        typed is enough; only then are "balloons" a balloon too.
        """
        found = []
        for complete in (self._as_typed, self._in_other_forms):
            reading: SearchReading | None = self.plain
            while reading is not None:
                first = complete(reading.criteria, reading.words)
                second = complete(reading.criteria_of_text, reading.text)
                both = [entry for entry in dict.fromkeys([first, second]) if entry is not None]
                lists = [[entry] for entry in both] if reading.is_date_only else [both]
                found += [(reading.notes, entries) for entries in lists if entries]
                reading = reading.other
        return found

    def _as_typed(self, criteria: Criteria, words: str) -> tuple[Criteria, str]:
        complete = replace(
            with_entities(criteria, self.without_entities, is_wanted=False),
            phrases=(*criteria.phrases, *self.phrases),
            without_words=(*criteria.without_words, *self.without),
        )
        kept = meaningful_words(words)
        # A mark that stood between or behind names, as in "anna, ben!", is no word to look for.
        if complete != Criteria() and not any(map(has_letters, kept)):
            kept = []
        # A word before a name is whole: "anna und ben" asks for no "under".
        is_last = bool(kept) and kept[-1].endswith(self.last)
        return complete, " ".join(kept) + ("" if is_last or not kept else " ")

    def _in_other_forms(self, criteria: Criteria, words: str) -> tuple[Criteria, str] | None:
        """The words in whichever form, as a question takes them; None where no word is left for it."""
        complete, typed = self._as_typed(criteria, words)
        kept = [re.sub(r"['’]s$", "", word.strip(_MARKS)) for word in typed.split()]
        plain = [w.casefold() for w in kept if has_letters(w) and w.casefold() not in _FILLERS]
        groups = [in_letters_and_digits(word) for word in plain]
        if not typed or (not groups and complete == Criteria()):
            return None
        # "Roses" are none of Rose, as captions do not tell her from a rose.
        forms = {form for group in groups for word in group for form in word_forms(word)}
        shown = {*complete.names, *(name for group in complete.any_names for name in group)}
        meant = (n for n in self.known_names if fold(n) in forms and "word" in meanings_of(n))
        without = joined(complete.without_names, tuple(name for name in meant if name not in shown))
        return replace(complete, words=(*complete.words, *groups), without_names=without), ""


def read_query(
    query: str, known: Known, *, today: date | None = None, numbers_are_words: bool = False
) -> Reading:
    """Read a query.

    Args:
        query: Anything at all.
        known: Concepts and cameras; in quotes a name is no more than its words.
        today: What "last summer" is counted from; None leaves dates among the words.
        numbers_are_words: Whether dates without a letter are left among the words that are wanted.
    """
    plain, phrases, unwanted = _parts(unicodedata.normalize("NFC", query.translate(_QUOTES)))
    reading = read_search(plain, known, today=today, numbers_are_words=numbers_are_words)
    named = {name_key(name): name for name in known.names}
    # Captions do not tell a name from the word in quotes.
    as_words = [named[key] for key in map(name_key, phrases) if key in named]
    as_words = [n for n in as_words if "word" in meanings_of(n) and n not in reading.criteria.names]
    without, entities, notes = [], [Entity("name", name, name) for name in as_words], list(reading.notes)
    for part in unwanted:
        found, meant = _read_unwanted(part, known, today)
        notes += meant
        entities += found
        # Photos that speak of a date or a camera are found by it too; a name is never a word.
        if not any(entity.kind == "name" for entity in found):
            without.append(part)
    return Reading(
        replace(reading, notes=tuple(dict.fromkeys(notes))),
        phrases=tuple(phrase for phrase in phrases if phrase),
        without=tuple(without),
        without_entities=tuple(entities),
        known_names=tuple(known.names),
        last=plain.split()[-1] if plain.split() else "",
    )


def _read_unwanted(part: str, known: Known, today: date | None) -> tuple[list[Entity], list[str]]:
    """The entities that a word or phrase with a minus consists of, none where it has other words too.

    Returns:
        The entities, and what words with several meanings were taken for.
    """
    marked, _ = _mark(part, known, today)
    if re.search(r"\w", marked.text):
        return [], []
    return [marked.at(mark) for mark in re.findall(ENTITY, marked.text)], marked.notes


def meaningful_words(text: str) -> list[str]:
    """The words of a query that a caption, a place or a file name could hold."""
    return [word for word in text.split() if word.strip(_MARKS).casefold() not in _EMPTY_WORDS]


def _has_words(text: str) -> bool:
    return any(map(has_letters, meaningful_words(text)))


def _parts(query: str) -> tuple[str, list[str], list[str]]:
    """Take a query apart into plain words, phrases, and what is not wanted."""
    plain: list[str] = []
    phrases: list[str] = []
    unwanted: list[str] = []
    for match in _PART.finditer(query):
        is_phrase = match["word"] is None
        part = " ".join((match["phrase"] if is_phrase else match["word"]).split())
        is_labeled = not is_phrase and _LABELED.fullmatch(part) is not None
        is_wanted = is_labeled or not match["minus"]
        target = phrases if is_wanted and (is_phrase or is_labeled) else plain if is_wanted else unwanted
        target.append(part)
    return " ".join(plain), phrases, [part for part in unwanted if part]
