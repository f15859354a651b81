"""The text of a question as one reader after the other takes out what it understands; knows no photo."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from photopal.assistant.query.criteria import Criteria, with_entities
from photopal.assistant.query.dates import can_all_hold
from photopal.assistant.query.entities import (
    CAMERA,
    DATE,
    ENTITY,
    GROUP,
    NAME,
    PHRASE,
    PLACE,
    RATING,
    Entity,
    Known,
    MarkedText,
    meanings_of,
)
from photopal.assistant.query.intents import PHOTO, Intent, needs_look, without_courtesy
from photopal.assistant.query.lexicon import (
    NUMBER_WORDS,
    content_words,
    in_letters_and_digits,
    is_empty,
    word_forms,
)
from photopal.assistant.query.patterns import LazyPattern
from photopal.errors import UsageError
from photopal.text import fold, join_words
from photopal.vocabulary import GRAMMAR, OPERATORS, OURS

LINK = r"(?:(?:\s*(?:,|\band\b|\bor\b|\bnor\b|&|/|\bplus\b))+\s*)"

FILLER = (
    "(?:(?:of|with|in|on|at|from|by|during|near|list|find|give|display|want|any|an?|the|my|our|taken|shot"
    "|made|showing|shows?|includ(?:e|ing|es)"
    f"|contain(?:s|ing)?|featur(?:e|es|ing)|hav(?:e|ing)|has|been|being|to|both|either|{PHOTO}|present|me"
    "|there"
    "|mention(?:s|ing)?|including|visible|seen|appear(?:s|ing)?|wearing|holding|for|those|ones?|that"
    r"|which|are|is|were|was|any(?:thing|one))\s+)*"
)

_NAMES = rf"{NAME}(?:{LINK}{NAME})+"
_AMONG = LazyPattern(
    rf"^(?:which|who) of (?P<of>{_NAMES}) (?P<of_rest>.*)$"
    rf"|^who (?P<rest>[^,:]*)[,:]\s*(?P<either>{NAME}(?:\s*,\s*{NAME})*\s*,?\s*or {NAME})[\s?.!]*$"
)

# Only who is registered can be looked for on photos.
_REGISTERED = LazyPattern(
    rf"(?:(?<={GROUP})|(?<=\banyone)|(?<=\banybody)|(?<=\bsomeone)|(?<=\bsomebody))(?:\s+(?:that|who|whom|which))?"
    r"(?:\s+(?:i|we))?(?:\s+(?:have|are|is|were))?\s+(?:registered|enrolled)\b"
    rf"|\b(?:registered|enrolled)\s+(?={GROUP})"
)

# "Did Ben take the photo?" and "did Ben take a photo of Rex?" ask who stood behind the camera.
TAKE_A_PHOTO = rf"take[ns]?(?= (?:an?|some|any) {PHOTO}\b(?! (?:of|by|with)\b|\s*{CAMERA}))"
_WHO_NOT = (
    rf"^(?:who|(?:which|what) {GROUP})"
    "(?: (?:is|are|was|were|has|have|did|does|do)(?:n't| not| never)| never)"
)
_TAKING_PHOTOS = LazyPattern(
    rf"(?P<who>(?:{_WHO_NOT}|\bwho|{NAME}|{GROUP})(?: (?:is|are|was|were|ever|first|last))*)"
    rf" (?P<verb>taking|takes|{TAKE_A_PHOTO})"
    rf" (?:(?:an?|the|some|any) )?(?P<photo>{PHOTO})\b(?! (?:of|by|with)[\s?.!]*$)"
)

CONTENT = r"(?!(?:" + "|".join(sorted(GRAMMAR | OPERATORS, key=len, reverse=True)) + r")\b)[^\W_][\w-]*"


# Of "cake or ice cream" one cannot be ice alone; of "a red or blue ball" both are a ball.
_NOUN_BEFORE = LazyPattern(rf"(?:^|,\s*|\b(?:an?|the|some|of|with|without|{PHOTO})\s+){CONTENT}\s+$")
_NOUN_AFTER = LazyPattern(rf"\s+(?!\w+ing\b){CONTENT}")
_ADJECTIVES = frozenset(
    """
    big black blue brown gold golden gray green grey large little long new old orange pink purple red short
    silver small tall violet white yellow young
    """.split()  # noqa: SIM905 - a list literal would take a page
)

# "Anna and Ben or Mia" may be both or Mia, or Anna with one of them; "Mia with Anna or Ben" is clear.
_AND_OR = LazyPattern(
    rf"{NAME}\s*(?:\band\b|&)\s*{NAME}\s*,?\s*\bor\b\s*{NAME}"
    rf"|{NAME}\s*\bor\b\s*{NAME}\s*,?\s*(?:\band\b|&)\s*{NAME}"
)

# "Her smiling" may be "Anna smiling".
_POSSESSIVE = LazyPattern(
    rf"\b(?:his|her|their|its)\s+(?={CONTENT})(?!(?:tonight|yesterday|today|together)\b)(?!\w+ing\b(?<!\bring))"
)

_CALLED = LazyPattern(rf"{OURS}(?={NAME})")


class Reader:
    """The text of a question, and what was understood of it.

    Args:
        marked: The text with marks for its entities.
        known: What the library has names for.

    Attributes:
        text: What nobody has read yet.
        criteria: What was read.
        has_negation: Whether something was excluded.
        but_names: Concepts that "who besides Anna" does not ask for.
        elsewhere: Of "who was in Lisbon but not in Paris?" Paris.
        asks_for_each: Whether places, dates or cameras were joined by "and", as in "in Spain and in Paris".
        unclear: Words of which it cannot be told what they join. A question with them is not answered, and a
            search says so.
    """

    def __init__(self, marked: MarkedText, known: Known) -> None:
        self.marked = marked
        self.text = marked.text
        self.criteria = Criteria()
        self.known = known
        self.has_negation = False
        self.but_names: list[str] = []
        self.elsewhere: list[Entity] = []
        self.asks_for_each = False
        self.unclear: list[str] = []

    def take(
        self, pattern: re.Pattern[str] | LazyPattern, use: Callable[[re.Match[str]], str | None]
    ) -> None:
        """Take out what a pattern finds, where `use` has a use for it; it may leave something instead."""

        def taken(match: re.Match[str]) -> str:
            left = use(match)
            return match[0] if left is None else f" {left} "

        self.text = " ".join(pattern.sub(taken, self.text).split())

    def marked_in(self, text: str) -> list[Entity]:
        """The entities whose marks a text has."""
        return [self.marked.at(mark) for mark in re.findall(ENTITY, text)]

    def exclude(self, entities: Sequence[Entity]) -> None:
        """Note what photos must not have."""
        self.criteria = with_entities(self.criteria, entities, is_wanted=False)

    def drop_possessives(self) -> None:
        """Make "her" of "Anna with her guitar" "the"; in "Anna with her" it is somebody nobody knows."""
        name = re.search(NAME, self.text)
        if name:
            rest = _POSSESSIVE.sub("the ", self.text[name.end() :])
            self.text = f"{self.text[: name.end()]}{rest}"

    def drop_callings(self) -> None:
        """Take out "our dog" of "our dog Rex": captions say the name."""
        self.text = _CALLED.sub("", self.text)

    def drop_references(self) -> None:
        """Take out what changes nothing: "do you know", "photos ... in them", "people I registered"."""
        self.text = without_courtesy(self.text)
        self.drop_possessives()
        self.drop_callings()
        # Who saw somebody is on photos with them; captions do not say so.
        self.text = re.sub(rf"{GROUP} (?:called|named) (?={NAME})", "", self.text, flags=re.IGNORECASE)
        self.text = re.sub(rf"(?<={NAME}) saw (?={NAME})", " and ", self.text)
        self.text = re.sub(rf"\b(i|we) saw (?={NAME})", r"\1 ", self.text, flags=re.IGNORECASE)
        self.text = re.sub(r"\bin (?:the|its|their|a) captions?\b", " ", self.text, flags=re.IGNORECASE)
        self.text = re.sub(rf"\b(?:celebrat\w+|spen[dt]\w*)\s+(?={DATE})", "", self.text, flags=re.IGNORECASE)
        self.text = re.sub(
            rf"(\b{PHOTO}\b.*?)\s+(?:in|on|of|from)\s+(?:them|it)\b", r"\1", self.text, flags=re.IGNORECASE
        )
        if re.search(rf"\b{PHOTO}\b", self.text, re.IGNORECASE):
            self.text = _REGISTERED.sub("", self.text)

    def read_taking_photos(self) -> str | None:
        """Read what somebody on a photo is doing: "Anna taking a photo", "did Rex take a photo?".

        Returns:
            The text with "acting" for it; None where nobody is taking a photo.
        """

        def taken(match: re.Match[str]) -> str:
            photo = match["photo"]
            nouns = ("photo", "picture")
            if re.match("picture", photo, re.IGNORECASE):
                nouns = (photo, "photo")
            elif re.match("photo", photo, re.IGNORECASE):
                nouns = (photo, "picture")
            self.criteria = replace(self.criteria, words=(*self.criteria.words, (match["verb"],), nouns))
            return match["who"]

        others = re.sub(_WHO_NOT, "", self.text, flags=re.IGNORECASE)
        if re.search(r"\b(?:not|never|no)\b|n't\b", others, re.IGNORECASE):
            return None
        acting = _TAKING_PHOTOS.sub(r"\g<who> acting", self.text)
        if acting == self.text:
            return None
        self.take(_TAKING_PHOTOS, taken)
        return acting

    def read_among(self) -> str:
        """Read the names that "which of Anna and Ben" and "who was there, Anna or Ben?" ask about.

        "Which of Anna and Ben is taller?" needs a look at photos of both, and is left as it is.

        Returns:
            What is left of the text, which asks who.
        """
        match = _AMONG.match(self.text)
        rest = (match["of_rest"] or match["rest"]) if match else ""
        # What stands behind "photos" says which they are.
        if match is None or needs_look(re.sub(rf"\b{PHOTO}\b.*", "", rest, flags=re.IGNORECASE)):
            return self.text
        names = [entity.value for entity in self.marked_in(match["of"] or match["either"])]
        if self.has_negation:
            self.unclear.append("not")
        self.criteria = replace(self.criteria, any_names=(*self.criteria.any_names, tuple(names)))
        self.but_names += [name for name in self.known.names if name not in names]
        self.text = f"who {rest}"
        return self.text

    def read_alternatives(self, *, begins_with_verb: bool = False) -> None:
        """Names, places, cameras and dates of which one is enough, and words of which one is.

        Args:
            begins_with_verb: Whether the text begins with what somebody does: "eats cake or cookies".
        """
        if not re.search(r"\b(?:or|and|but)\b|[,&]", self.text, re.IGNORECASE):
            return

        def either(match: re.Match[str], *, is_and: bool = False) -> str | None:
            entities = self.marked_in(match[0])
            kinds = {entity.kind for entity in entities}
            if kinds == {"name"}:
                names = tuple(dict.fromkeys(entity.value for entity in entities))
                self.criteria = replace(self.criteria, any_names=(*self.criteria.any_names, names))
                return ""
            if len(kinds) == 1 and kinds <= {"date", "place", "camera"}:
                dates = [entity.when for entity in entities if entity.when is not None]
                is_either = not (is_and and can_all_hold(dates))
                if is_either and re.search(r"\bbut\b", match[0], re.IGNORECASE):
                    return None
                # "In July and August" is one time, "in 2022 and in 2024" are two.
                typed = [entity.typed for entity in entities if entity.kind == "date"]
                is_one_time = any(not re.fullmatch(r"(?:(?:in|from) )?\d{4}", date, re.I) for date in typed)
                self.asks_for_each |= is_and and is_either and not is_one_time
                self.criteria = with_entities(self.criteria, entities, is_wanted=True, is_either=is_either)
                return ""
            return None

        if _AND_OR.search(self.text):
            self.unclear.append("or")
        kinds = "|".join(
            rf"(?:either\s+)?{one}(?:\s*(?:,|\bor\b)+\s*{FILLER}{one})*"
            rf"\s*,?\s*\bor\b\s*{FILLER}{one}"
            for one in (NAME, DATE, PLACE, CAMERA)
        )
        self.take(re.compile(rf"(?:{kinds})", re.IGNORECASE), either)
        link = r"(?:\s*(?:,|\band\b|\bbut\b|&))+\s*"
        joined = "|".join(rf"{one}(?:{link}{FILLER}{one})+" for one in (DATE, PLACE, CAMERA))
        self.take(re.compile(joined, re.IGNORECASE), partial(either, is_and=True))

        def words(match: re.Match[str]) -> str | None:
            groups = [match["one"], *re.split(rf"\s*(?:,|\bor\b)+\s*{FILLER}", match["others"], flags=re.I)]
            parts = [part.strip() for part in groups if part and part.strip()]
            if any(is_empty(part) for part in parts):
                return None
            before, after = self.text[: match.start()], self.text[match.end() :]
            is_verb = begins_with_verb and len(before.split()) == 1
            if (_NOUN_BEFORE.search(before) and not is_verb) or (
                _NOUN_AFTER.match(after) and not _ADJECTIVES.issuperset(map(str.casefold, parts))
            ):
                self.unclear.append("or")
            self.criteria = replace(self.criteria, words=(*self.criteria.words, tuple(parts)))
            return ""

        word = CONTENT
        self.take(
            re.compile(
                rf"\b(?P<one>{word})(?P<others>(?:\s*,\s*{FILLER}{word})*\s*,?\s*\bor\b\s+{FILLER}{word})",
                re.I,
            ),
            words,
        )

    def read_entities(self) -> None:
        """Take the marks that are left as what the photos must have."""
        self.criteria = with_entities(self.criteria, self.marked_in(self.text), is_wanted=True)
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
                or (word in NUMBER_WORDS and _counts_nothing(rest, match.end()))
            ):
                not_understood.append(match[0])
        words = [
            word
            for word in content_words(rest)
            if word.casefold() not in NUMBER_WORDS or word.casefold() not in map(str.casefold, not_understood)
        ]
        # "One dog" is "a dog" in captions.
        words = [word for word in words if word.casefold() != "one" or len(words) == 1]
        groups = [in_letters_and_digits(word) for word in _without_wear(words)]
        return groups, list(dict.fromkeys(not_understood))


# What stands in such a list is one thing each in "Anna and Ben in Berlin and Paris".
_LIST_LINK = LazyPattern(r"\s*(?:,|;|\band\b|&)+\s*")
_SEEN = f"(?:{NAME}|{GROUP}|{PHRASE})"
_TOPICS = tuple(re.compile(topic) for topic in (_SEEN, DATE, PLACE, CAMERA, RATING))
_WORDS = f"[^{ENTITY[1:-1]}]*"
_WITH_EACH = LazyPattern(
    rf"{_SEEN}{_WORDS}\bwith {FILLER}{_SEEN}{_WORDS}(?:,|;|\band\b|&)"
    rf" {FILLER}{_SEEN}{_WORDS}\bwith {FILLER}{_SEEN}"
)


def joins_pairs(text: str) -> bool:
    """Whether "and" joins pairs that belong together, as "Anna in Berlin and Ben in Paris" does.

    Photos of both, taken in one place or the other, are not what is meant.
    """
    parts = [{topic for topic in _TOPICS if topic.search(part)} for part in _LIST_LINK.split(text)]
    is_paired = any(len(one & other) > 1 for n, one in enumerate(parts) for other in parts[:n])
    return is_paired or _WITH_EACH.search(text) is not None


def joins_deeds(text: str) -> bool:
    """Whether "and" joins what one does and what another does: "did Anna swim and Ben ride a bike?"."""
    parts = _LIST_LINK.split(text)
    deeds = [re.search(NAME, part) and content_words(re.sub(ENTITY, " ", part)) for part in parts]
    return sum(map(bool, deeds)) > 1


def refuse(words: Sequence[str]) -> None:
    """Raise a `UsageError` for words that are not understood."""
    quoted = join_words([f'"{word}"' for word in words])
    raise UsageError(
        f"not understood: {quoted}",
        hint='Ask in other words, for example: photopal ask "How many photos of Anna without Rex in 2023?"',
    )


def _counts_nothing(text: str, end: int) -> bool:
    """Whether a number counts nothing that a caption could have, as "two" alone, unlike "two dogs"."""
    following = re.match(r"\s+([^\W_][\w-]*)", text[end:])
    return following is None or is_empty(following[1])


def _without_wear(words: list[str]) -> list[str]:
    """Captions say "in a red dress" as often as "wearing"."""
    others = [word for word in words if word.casefold() not in word_forms("wear")]
    return others or words
