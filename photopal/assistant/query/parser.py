"""Reads a question or a search: which photos are meant and what is wanted of them; knows no photo.

Every word is accounted for. Readers take what they understand out of the text, one after the other; what is
left at the end is grammar, or a word to be looked for in captions, or it is reported as not understood: a
word that could turn the answer around ("not", "than", "twice") is never passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from photopal.assistant.query.counts import (
    ENDS_FIRST,
    ENDS_LAST,
    read_all_of,
    read_comparison,
    read_rank,
    read_ranked,
    read_share_of,
    read_threshold,
)
from photopal.assistant.query.criteria import Criteria, Question, Threshold, both_of, instead, joined
from photopal.assistant.query.dates import YEARS, Period, resolve
from photopal.assistant.query.entities import (
    DATE,
    ENTITY,
    GROUP,
    NAME,
    Known,
    MarkedText,
    find_unknown_names,
    mark_entities,
)
from photopal.assistant.query.intents import (
    KINDS_OF_GROUPS,
    PHOTO,
    Intent,
    Kind,
    read_doers,
    read_intent,
    without_courtesy,
)
from photopal.assistant.query.languages import to_english
from photopal.assistant.query.lexicon import NUMBER_WORDS
from photopal.assistant.query.negations import read_alone, read_attributes, read_negated_verb, read_negations
from photopal.assistant.query.patterns import LazyPattern
from photopal.assistant.query.reader import (
    CONTENT,
    FILLER,
    TAKE_A_PHOTO,
    Reader,
    joins_deeds,
    joins_pairs,
    refuse,
)
from photopal.errors import ConceptError, UsageError
from photopal.text import fold, join_words
from photopal.vocabulary import WEEKDAYS

LONGEST = 500
"""How many letters a question has at most."""


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
    _refuse_half_dates(marked)
    reader = Reader(marked, known)
    reader.drop_references()
    share_of = read_share_of(reader)
    read_attributes(reader)
    read_alone(reader, of=share_of)
    read_negations(reader)
    is_negated = read_negated_verb(reader)
    threshold = read_threshold(reader)
    is_yes_no = _YES_NO.match(reader.text)
    all_of = read_all_of(reader)
    ranked = None if threshold or all_of else read_ranked(reader)
    comparison = None if threshold or all_of or ranked else read_comparison(reader)
    acting = reader.read_taking_photos()
    asked = reader.read_among() if comparison is None else reader.text
    intent = read_intent(asked)
    if comparison:
        intent = replace(intent, kind="compare")
    elif all_of or ranked or (is_yes_no and (threshold or _is_somebody_alone(intent, reader))):
        intent = replace(intent, kind="exists")
    elif threshold:
        intent = _with_threshold(intent, threshold)
    reader.text = intent.rest
    _refuse_half_read(reader)
    end, number = read_rank(reader, intent)
    reader.read_alternatives(begins_with_verb=intent.kind in KINDS_OF_GROUPS or intent.kind == "when")
    if not any(name.casefold() in {"me", "us"} for name in known.names):
        _refuse_pronouns(reader)
    reader.read_entities()
    words, unknown = reader.read_words(intent)
    not_understood = dict.fromkeys([*reader.unclear, *unknown])
    criteria = replace(reader.criteria, words=(*reader.criteria.words, *words))
    criteria = replace(
        criteria,
        without_names=joined(criteria.without_names, reader.plain_names(criteria.words, but=criteria)),
    )
    criteria = _of_share(criteria, share_of) if intent.kind == "share" else criteria
    if comparison:
        comparison = replace(comparison, sides=tuple(both_of(criteria, side) for side in comparison.sides))
    question = Question(
        text=_as_one_sentence(marked.in_full(re.sub(DATE, " ", marked.text))),
        intent=intent,
        criteria=criteria,
        comparison=comparison,
        all_of=all_of,
        ranked=ranked,
        share_of=share_of,
        threshold=threshold,
        end=end,
        number=number,
        is_negated=is_negated,
        but_names=tuple(reader.but_names),
        elsewhere=instead(criteria, reader.elsewhere) if reader.elsewhere else None,
        unknown_names=tuple(find_unknown_names(reader.text)),
        not_understood=tuple(not_understood),
        notes=tuple(marked.notes),
        group=marked.at(intent.group).value if intent.group else None,  # type: ignore[arg-type]
        doers=_doers(acting or asked, plain, marked),
        is_translated=plain != typed,
    )
    _refuse_unknowable(plain, marked, question)
    _refuse_names_as_words(reader.plain_names(words), criteria)
    is_for_the_eye = {word.casefold() for word in not_understood} <= _FOR_THE_EYE
    if question.kind == "pixels" and reader.has_negation and _YES_NO.match(plain):
        refuse(["not"])
    _refuse_unregistered(question.not_understood, plain, known.names)
    if question.not_understood and not (question.kind in ("pixels", "describe") and is_for_the_eye):
        refuse(question.not_understood)
    _refuse_passed_over(reader, question)
    return question


# "Places that Anna visited and Ben did not" are not those of photos without Ben, who may have been there too;
# and years without photos of Rex are not those of photos without Rex.
_OF_GROUPS_WITHOUT = LazyPattern(
    rf"^(?:(?:in|on|at|with) )?(?:which|what|where|when)\b(?:(?!{PHOTO}).)*\b(?:that|which|but|and) {NAME}"
    r" (?:(?:did|has|had|was|is)(?: not| never|n't)|never)\b"
    rf"|^(?:(?:in|on|at|with) )?(?:which|what|where|when)\b.*\b(?P<no>no|not any) {PHOTO}\b"
)


_VERB = r"(?:is|are|was|were|do|does|did|has|have)\b"
_SUBJECT_OF = rf"(?:(?:{NAME}(?:\s*(?:,|\band\b|&)+\s*{NAME})*|{GROUP}|i|we)\b|{NAME})"
_WHEN: frozenset[Kind] = frozenset({"when"})
_GROUPS = KINDS_OF_GROUPS - {"who"} | _WHEN
# What would be answered of other photos than those that decide it, and by which word that is told.
_OTHER_READINGS: tuple[tuple[frozenset[Kind], LazyPattern], ...] = (
    # Where Anna was not, or when, cannot be told from photos of her.
    (
        _GROUPS,
        LazyPattern(
            rf"^(?:(?:in|on|at|with) )?(?:which|what|where|when)\b(?:(?!{PHOTO}).)*?"
            rf"\b(?:{_VERB} {_SUBJECT_OF} (?P<word>not|never)\b"
            rf"|(?:is|are|was|were|do|does|did|has|have)(?P<word2>n't) {_SUBJECT_OF})"
        ),
    ),
    # Who was there every year is not who was there in any.
    (
        frozenset({"who", "where", *_GROUPS}),
        LazyPattern(
            rf"^(?:who|where|(?:which|what) {GROUP})\b.*\b(?P<word>(?:each|every) (?:year|month|week|day))\b"
        ),
    ),
    # Days are told by their dates; "week" would be looked for in captions.
    (
        frozenset({"when", "days", "exists", "find", "pixels"}),
        LazyPattern(r"^(?:on )?(?:what|which|how many)\b.*\b(?P<word>days? of the week|weekdays?)\b"),
    ),
    # Where Anna was when Ben swam need be no photo of him.
    (frozenset({"where"}), LazyPattern(rf"^where\b.*{NAME}.*\b(?P<word>when|while)\b.*{NAME}")),
    (frozenset({"who"}), LazyPattern(rf"\b(?P<word>only|just|solely) (?:with|beside|near) {NAME}")),
    (
        frozenset({"count"}),
        LazyPattern(
            r"^how many (?:\w+ )?"
            r"(?P<word>(?:weeks|hours|minutes|nights|summers|winters|springs|autumns)\b(?! ago)"
            rf"|{DATE}(?= {_VERB}))"
        ),
    ),
)


def _refuse_other_readings(reader: Reader, question: Question) -> None:
    """Raise where the answer would be that to another question with the same words."""
    text = without_courtesy(reader.marked.text)
    for kinds, pattern in _OTHER_READINGS:
        if question.kind in kinds and (found := pattern.search(text)):
            refuse([reader.marked.typed(next(filter(None, found.groups())))])
    if more := _AND_SO_MANY.search(text):
        refuse([more["word"]])
    of_each = [each.typed for each in reader.marked.entities if _EACH_DATE.match(each.typed)]
    if of_each and question.kind in ("exists", "who", "where") and not re.search(PHOTO, text, re.IGNORECASE):
        refuse(of_each)
    if question.end and question.kind in KINDS_OF_GROUPS and (each := _EACH.search(text)):
        refuse([each[0]])


# "2 photos of Anna and 3 of Ben".
_AND_SO_MANY = LazyPattern(
    rf"(?:\band\b|,|&)\s*(?P<word>\d{{1,3}}|two|three|four|five) (?:(?:of|from|with|in) )?{ENTITY}"
)
_EACH_DATE = LazyPattern(r"(?:each|every)\b")
_EACH = LazyPattern(r"\b(?:each|every|per)\b")


# "Where and when was Anna in Nara?" is one question.
_TWO_QUESTIONS = LazyPattern(
    r"^(?!(?:when|where|who|what) and )(?:in |on |at |with )?"
    rf"(?:(?:who|whom|what|which|when|where|how)\b|{_VERB})"
    rf".* and (?:(?:who|what|when|where) (?:else )?|(?:which|how many) \S+ ){_VERB}"
)


def _refuse_passed_over(reader: Reader, question: Question) -> None:
    """Raise where a word was read of which the answer would know nothing."""
    _refuse_one_photo(reader)
    _refuse_other_readings(reader, question)
    is_of_groups = question.kind in _GROUPS
    if is_of_groups and (without := _OF_GROUPS_WITHOUT.search(reader.marked.text)):
        refuse([without["no"] or "not"])
    is_of_photos = re.search(PHOTO, reader.marked.text, re.IGNORECASE)
    if is_of_groups or (question.kind in ("exists", "who") and not is_of_photos):
        _refuse_but_not(reader, question)
    every = _EVERY.search(reader.marked.text)
    if every and question.kind not in ("find", "describe", "pixels"):
        is_of_each = question.kind == "who" and _YES_NO.match(without_courtesy(reader.marked.text))
        if every["where"] or is_of_each:
            refuse([every[0]])
    is_of_all = question.kind in _OF_ALL and not question.ranked
    if question.end and (is_of_all or question.intent.is_absent):
        refuse([f"{question.end} photo" if question.number else question.end])
    asks_of_deeds = question.kind in KINDS_OF_GROUPS | {"exists", "when"} and not is_of_photos
    if not question.comparison and (
        joins_pairs(reader.marked.text)
        or (asks_of_deeds and joins_deeds(reader.marked.text))
        or _TWO_QUESTIONS.search(without_courtesy(reader.marked.text))
    ):
        raise UsageError(
            'not understood: "and", which joins two questions here', hint="Ask each of them by itself."
        )
    if reader.asks_for_each and question.kind in ("exists", "who"):
        # A photo is in one of two places, but somebody may have been in both.
        raise UsageError('not understood: "and"', hint="Ask for each place, date or camera by itself.")


# "Who is this?" and "is Anna in this photo?" are not asked of the library; "this summer" is a date by now.
# "Is it Monday?" is asked of a photo too; "was it raining in Lisbon?" says which photos are meant.
_OF_THIS_PHOTO = LazyPattern(
    rf"\b(?:this|that) (?:{PHOTO}|one)\b|^(?:is|are|was|were)(?:n't)? (?:this|that)\b"
    rf"|^(?:is|was)(?:n't)? it (?:not )?(?:(?:an?|the|in|on|at) )?(?:[^\W{ENTITY[1:-1]}]+|{ENTITY})[\s?.!]*$"
    r"|^(?:who|what|when|where|which|how|with what)\b.*\b(?:is|was) (?:this|that|it)"
    r"(?= (?:taken|made|shot|from|in|at|on)\b|[\s?.!]*$)"
    r"|^(?:who|what|when|where) (?:this|that|it) (?:is|was)\b"
    r"|^(?:who|what|where|is|are|was|were)\b.* (?<!from )(?<!near )here[\s?.!]*$"
)


def _refuse_one_photo(reader: Reader) -> None:
    """Raise where a question is asked of a photo that nobody has given."""
    if _OF_THIS_PHOTO.search(without_courtesy(reader.marked.text)):
        raise UsageError(
            "the question is about a photo, and none is given", hint="photopal ask QUESTION PHOTO..."
        )


# "Who was everywhere?" and "is everybody on a photo?" are not answered by who was somewhere.
_EVERY = LazyPattern(r"\b(?:every(?:one|body)|(?P<where>everywhere)(?! (?:but|except)))\b")

# Where Anna was "but not Ben", he may be on other photos; "but not with Ben" and "photos of Anna but not Ben"
# say which photos are meant.
_BUT_NOT = LazyPattern(rf"\b(?:but|and|yet)\s+(?:not|never)\s+(?P<words>{FILLER})(?P<entity>{ENTITY})")


def _refuse_but_not(reader: Reader, question: Question) -> None:
    """Raise where what "but not" denies may be so of other photos: "was Anna in Lisbon but not in Paris?"."""
    criteria, says_which = question.criteria, PHOTO if question.kind == "who" else rf"\b(?:with|{PHOTO})\b"
    for match in _BUT_NOT.finditer(reader.marked.text):
        denied = reader.marked.at(match["entity"])
        is_of_others = (
            (
                denied.kind in ("name", "group")
                and not re.search(says_which, reader.marked.text[: match.start("entity")], re.IGNORECASE)
            )
            or (
                denied.kind == "place"
                and question.elsewhere is None
                and criteria.places
                and not any(_lie_together(denied.value, place, reader.known) for place in criteria.places)
            )
            or (
                isinstance(denied.when, Period)
                and question.elsewhere is None
                and criteria.dates
                and not resolve([*criteria.dates, (denied.when,)], YEARS)
            )
        )
        if is_of_others:
            raise UsageError(
                'not understood: "but not", which may be of other photos',
                hint='Ask for each by itself, or for photos: "photos of Anna without Rex".',
            )


def _lie_together(one: str, other: str, known: Known) -> bool:
    """Whether one place is a part of the other, as Berlin is of Germany."""
    names = [{fold(part.strip()) for part in place.split(",")} for place in known.places]
    return any({fold(one), fold(other)} <= parts for parts in names)


_YES_NO = LazyPattern(r"(?:is|are|was|were|do|does|did|has|have|can)\b")

# What these are asked of has no first or last photo.
_OF_ALL = frozenset({"exists", "count", "share", "years", "months", "days"})

# How many there are on a photo, no caption has to say.
_SO_MANY_PEOPLE = LazyPattern(rf"(?<![\w.])\d{{1,3}} (?:other )?{GROUP}")

# "24, 25 and" before a date are days that were not read; captions would be asked for such numbers.
_DAYS_LEFT = LazyPattern(
    rf"\b(?P<days>\d{{1,2}}(?:st|nd|rd|th)?)\s*(?:,|&|[-–—]|\b(?:and|or|to|until)\b)+\s*{DATE}"
)

# "At 10", "from 10 to 12", "the 14th" and "on Friday 13" may be times or days; "the 7th birthday" is neither.
_NUMBER_LEFT = LazyPattern(
    r"\b(?:at|around|from|between|on|since|until|before|after) (?:the )?(?P<number>\d{1,2}(?:st|nd|rd|th)?"
    r"(?:\s*(?:-|to|until|and)\s*\d{1,2}(?:st|nd|rd|th)?)?)(?![\w.:/-])(?=[\s?.!]*$|\s*[\U000f0000-\U000f6fff])"
    rf"|{DATE} (?P<number2>(?:the )?\d{{1,2}}(?:st|nd|rd|th)?)(?=[\s?.!]*$)"
)

# A model that looks at a photo reads these itself; they do not say which photo it looks at.
_FOR_THE_EYE = frozenset(
    """
    how many much what who whom whose where which other others both each else he she her his him herself
    himself them themselves anyone anybody anything someone somebody something biggest largest smallest
    youngest same all over
    """.split()  # noqa: SIM905 - a list literal would take a page
) | frozenset(NUMBER_WORDS)


_ON_RANKED = LazyPattern(
    rf"\s+(?:on|in)\s+(?:(?:the|my|our)\s+(?:(?:{ENDS_LAST}|{ENDS_FIRST}|\d+|{'|'.join(NUMBER_WORDS)})\s+)+)?"
    rf"{PHOTO}[\s?.!]*$"
)


def _doers(asked: str, text: str, marked: MarkedText) -> tuple[str, ...] | None:
    """Those asked about whether they do something; None of what is theirs: "does Anna's dog swim?"."""
    # "Who played the guitar on at least 2 photos?": the number was read before.
    names = read_doers(_ON_RANKED.sub("", asked))
    found = [] if names is None else marked.found(names, "name")
    # The mark of "Anna's" has the "'s" in it, but not as typed.
    is_theirs = any(re.search(rf"\b{re.escape(each.typed)}'", text) for each in found)
    return None if names is None or is_theirs else tuple(each.value for each in found)


def _is_somebody_alone(intent: Intent, reader: Reader) -> bool:
    """Whether "is anybody alone on photos?" is asked: the library knows, and no model need look."""
    return intent.kind == "pixels" and reader.criteria.is_alone


def _of_share(criteria: Criteria, share_of: Criteria | None) -> Criteria:
    """The photos of a share, which are among those that it is a share of."""
    whole = share_of or Criteria()
    part = both_of(whole, criteria)
    if part == whole:
        refuse(["share of photos"])
    return part


def _with_threshold(intent: Intent, threshold: Threshold) -> Intent:
    """What wants groups of at least so many photos, as "when" wants days; raise where nothing is grouped."""
    if intent.kind == "when" and not intent.is_ago and not intent.is_since:
        intent = replace(intent, kind="days")
    if intent.kind not in KINDS_OF_GROUPS or intent.is_absent:
        refuse([threshold.relation])
    return intent


def _refuse_names_as_words(plain_names: Sequence[str], criteria: Criteria) -> None:
    """Raise where a name stands for the one registered and for the ordinary word too."""
    shown = {*criteria.names, *(name for group in criteria.any_names for name in group)}
    if both := [name for name in plain_names if name in shown]:
        raise UsageError(
            f'not understood: "{both[0]}" is a name and a word here, which captions do not tell apart',
            hint=f'Ask about one of them: "of {both[0]}", or the word in quotes.',
        )


def _refuse_unregistered(words: Sequence[str], text: str, names: Sequence[str]) -> None:
    """Raise where a word that is not understood is written as the name that it may be."""
    for word in words:
        if word in ("Max", "Will") and word not in names and not text.startswith("Will "):
            hint = "photopal add-concept NAME PHOTO..."
            if names:
                hint = f"Known names: {join_words(names, most=10)}."
            raise ConceptError(f'no concept named "{word}"', hint=hint)


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


# Answered all the same, these would be told of all photos, or of captions that have "live music".
_NOT_ON_PHOTOS = LazyPattern(
    r"\b(?:do|does|did)(?:n't)? [^?]{1,60}\blive(?: in| at| near)?(?=\W*$|\s*[\U000f2000-\U000f2fff])"
    r"|\bwho lives\b"
    r"|^where(?:'s| is| are)\b.*\b(?:right now|now|currently|at the moment)(?=\W*$)"
    r"|^how many (?:\w+ )?(?:trips|visits|holidays|vacations|journeys)\b"
)


_HOW_LONG = LazyPattern(
    r"how long (?:(?:did|do|does|have|has|had|will)\b"
    r"|(?:was|were) (?!\S+'s\b|(?:the|my|our|his|her|their|your)\b))"
)


# "Did Anna take photos?", "photos that Anna took", "photos taken by Anna", "photos of Rex by Anna"; but not
# "Anna made a cake", "the photo album" and "by Anna's house".
_TOOK = r"(?:took|has taken|shot|made)\b(?! (?:an?|the|her|his|their|some)\b)"
_A_PHOTO = rf"{PHOTO}\b(?:(?<=s)|(?! {CONTENT}))"
_TAKEN_BY = LazyPattern(
    rf"^(?:who|how many {GROUP}) (?:ha(?:s|ve|d)(?:n't)? )?(?:(?:not|n?ever) )?"
    rf"(?:(?:took|taken|shot|made|photographed)\b(?=.*\b{PHOTO}\b)|(?:take|make|shoot) {PHOTO}\b)"
    rf"|\b{PHOTO}\b.* did (?:{NAME}|{GROUP}) (?:ever )?(?:take|shoot|make)\b"
    r"(?! (?!(?:of|in|at|on|with|from|during|near|for)\b)\w)"
    rf"|\bdid (?:{NAME}|{GROUP}) (?:ever )?(?!{TAKE_A_PHOTO})(?:take|shoot|make)\b"
    rf" (?:(?:an?|any|the|this|that|more|most|\d+|{NAME}) )*{_A_PHOTO}"
    rf"|\b{PHOTO}\b(?: (?:that|which))? (?:{NAME}|{GROUP}) {_TOOK}"
    rf"|\b{PHOTO}\b(?:\s|,|\b(?:of|and|or|from|in)\b|{ENTITY})*\b(?:(?:that|which) )?"
    rf"(?:(?:are|is|were|was|been|have|has) )*(?P<verb>(?:taken|shot|made|photographed) )?by"
    rf" (?:who|whom|(?P<by>{NAME})|(?(verb){GROUP}|(?!)))"
)


def _is_taken_by(text: str, marked: MarkedText) -> bool:
    """Whether it is asked who took photos; "taken by Anna's house" is beside it."""
    for match in _TAKEN_BY.finditer(marked.text):
        name = marked.at(match["by"]).typed if match["by"] else ""
        # The mark of "Anna's" has the "'s" in it, but not as typed.
        if not (name and re.search(rf"\bby {re.escape(name)}'s (?!camera|phone)", text, re.IGNORECASE)):
            return True
    return False


# "When is Anna at the beach?" asks like "when was"; no photo tells plans, "when is Anna's wedding?" asks one.
_WHEN_IS = LazyPattern(r"when(?:'s| is| are)\b|when\b.*\b(?:is|are)[\s?.!,]*$")
_WHEN_IS_WHOSE = LazyPattern(r"when(?:'s| is| are) (?:\S+ (?:and|&) )?\S+'s\b")
_IS_SEEN_THERE = LazyPattern(
    rf"when(?:'s| is| are) (?:{NAME}(?:\s*(?:,|and|or|&)+\s*{NAME})*|{GROUP}|(?:we|i)\b(?=.*{ENTITY}))"
    r"(?!\W+(?:coming|going|getting|leaving|arriving|moving|due|back)\b)"
)


_FILE_NAME = LazyPattern(r"[\w()-]+(\.\w+)\b")


def _refuse_file_names(text: str, question: Question) -> None:
    """Refuse to look at all photos of which the names have a part of a file's name."""
    if question.kind not in ("pixels", "describe"):
        return
    # Imported late: most questions have no use for it, and it loads Pillow.
    from photopal.photos.discover import PHOTO_SUFFIXES
    from photopal.photos.raw import RAW_SUFFIXES

    for name in _FILE_NAME.finditer(text):
        if name[1].lower() in PHOTO_SUFFIXES | RAW_SUFFIXES:
            raise UsageError(
                f'"{name[0]}" is the name of a file',
                hint=f'Name the photo behind the question: photopal ask "Who is in this photo?" {name[0]}',
            )


def _refuse_unknowable(text: str, marked: MarkedText, question: Question) -> None:
    """Raise where a question asks for what no photo shows, which a model would make up."""
    _refuse_file_names(text, question)
    found = _UNKNOWABLE.search(text)
    if (
        found
        and question.kind in {"pixels", "exists", "about", "count", "find"}
        and not re.search(PHOTO, text, re.I)
    ):
        raise UsageError(
            f'photos cannot tell: "{found[0]}"', hint="Ask who, what, when or where is on your photos."
        )
    asked = without_courtesy(marked.text)
    if never := _NOT_ON_PHOTOS.search(asked):
        raise UsageError(
            f'photos cannot tell: "{marked.typed(never[0])}"',
            hint='Ask when or where somebody was, for example: photopal ask "Where was Anna last?"',
        )
    recent = [word for word in question.not_understood if word.casefold() in {"recently", "lately"}]
    if recent and question.kind != "pixels":
        raise UsageError(
            f'not understood: "{recent[0]}"', hint='Say since when, for example: "in the last 3 months".'
        )
    if question.kind == "pixels" and _HOW_LONG.match(without_courtesy(text)):
        raise UsageError(
            'not understood: "how long"; photos only tell when they were taken',
            hint='Ask for the days, for example: photopal ask "On which days was Anna at the lake?"',
        )
    if (
        _WHEN_IS.match(asked)
        and not re.search(PHOTO, text, re.IGNORECASE)
        and (found or not _IS_SEEN_THERE.match(asked) or _WHEN_IS_WHOSE.match(without_courtesy(text)))
    ):
        raise UsageError(
            'not understood: "when is"; photos only tell when they were taken',
            hint='Ask when something was, for example: photopal ask "When was Anna last at the lake?"',
        )
    if _is_taken_by(text, marked):
        raise UsageError(
            "photos do not tell who took them", hint='photopal ask "Which camera took the photos of Anna?"'
        )


def refuse_empty(question: str) -> None:
    """Check that a question, of whatever kind, asks something.

    Raises:
        UsageError: It has no letter, no number and no emoji.
    """
    if not any(letter.isalnum() or unicodedata.category(letter) == "So" for letter in question):
        raise UsageError("the question is empty", hint='photopal ask "When was Anna last at the lake?"')


def _plain(text: str) -> str:
    """Straight apostrophes and quotes, single blanks, no control, private or half characters."""
    straight = unicodedata.normalize("NFC", text).translate(STRAIGHT)
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in straight)
    plain = " ".join("".join(kept).split())
    refuse_empty(plain)
    if re.search(r"\b(?:videos?|movies?|films?|clips?)\b", plain, re.IGNORECASE) and not re.search(
        PHOTO, plain
    ):
        raise UsageError("photopal only knows photos, not videos")
    if len(plain) > LONGEST:
        raise UsageError(f"a question can have at most {LONGEST} characters, this one has {len(plain)}")
    return plain


STRAIGHT = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "？": "?", "，": ", "}
)

_OPEN_END = LazyPattern(rf"(?P<date>{DATE})\s*(?P<word>and|&|up to|to|until|till|through)\s+(?:\w|{NAME})")


_PART_OF_DATE = LazyPattern(
    r"(?P<at>\b(?:at|by|from|in|on|since|to|until|till)\s+(?:the\s+)?)?\b(?P<part>(?:end|start|middle|week|weekend)(?!s)"
    r"|(?P<nth>first|second|third|fourth|last|\d(?:st|nd|rd|th))\s+(?:few\s+|\w+\s+)?"
    rf"(?:(?P<unit>week|weekend|{'|'.join(WEEKDAYS)})|day|month|year)s?)\s+(?P<of>of\s+)?(?P<date>{DATE})"
)
_BESIDE_DATE = LazyPattern(r"(?:before|after)\b")
_CONDITION = LazyPattern(r"(?:in|on|at|from|during|since|until|till|before|after|between)\b")


def _refuse_half_read(reader: Reader) -> None:
    """Raise where only some days of a date are meant, "at the end of 2023", or so many people, "3 people".

    In "the dead end in 2024" and "our last day in 2024" the date is whole, and these words are not of it.
    """
    if people := _SO_MANY_PEOPLE.search(reader.text):
        refuse([reader.marked.typed(people[0])])
    for part in _PART_OF_DATE.finditer(reader.text):
        # The mark of "of 2023" has the "of" in it.
        date_typed = reader.marked.at(part["date"]).typed
        is_of = part["of"] or re.match(r"of\b", date_typed, re.IGNORECASE)
        is_beside = re.match(r"week", part["part"], re.IGNORECASE) and _BESIDE_DATE.match(date_typed)
        is_nth = part["nth"] and (part["at"] or part["unit"])
        if is_of or is_beside or is_nth or (part["at"] and not _CONDITION.match(date_typed)):
            refuse([part["part"]])


def _refuse_half_dates(marked: MarkedText) -> None:
    """Raise where only a part of a date was read: "24 and 25 July", "from 2024 to the wedding"."""
    if days := _DAYS_LEFT.search(marked.text):
        refuse([days["days"]])
    if number := _NUMBER_LEFT.search(marked.text):
        refuse([number["number"] or number["number2"]])
    if end := _OPEN_END.search(marked.text):
        begin = marked.at(end["date"]).typed
        first = "between" if end["word"].casefold() in {"and", "&"} else "(?:from|since|starting)"
        if re.match(rf"{first}\b(?!.*\band\b)", begin, re.IGNORECASE):
            refuse([f"{begin} {end['word']}"])


_PRONOUN = LazyPattern(
    r"\b(?:of|with|without|than|and|is|was|am|are)\s+(?P<who>me|us|him|her|them|myself|ourselves|i|he|she"
    "|they|we|it)"
    rf"(?=[\s?.!,]*$|\s+(?:in|at|on|and|from|with|or|alone)\b|\s*{ENTITY})(?!\s+(?:and|or)\s+(?:where|when))"
)

# Whatever follows, as in "photos of us are there"; but "photos of us from when we were in Lisbon" says which,
# and "US flags" are nobody's.
_OF_US = LazyPattern(
    r"\b(?:of|with|without|than)\s+(?!(?-i:US\s+\w[a-z]))(?P<who>me|us|myself|ourselves)\b"
    r"(?!\s+(?:(?:and|or|from)\s+)?(?:where|when|we)\b)"
)
# "Who visited us?" and "photos near me"; but "show us photos" only asks, and "the US" is a country.
_OBJECT = LazyPattern(
    r"(?:\b(?:shows|showing|(?:that|which) show)|\b(?!(?:show|tell|give|get|find|let|bring|send|help|remind"
    r"|list|display|fetch|open|print|for|of|with|without|than|and|or|the|an?)\b)[a-z]+)\s+(?P<who>me|us)\b(?!-)"
)
_SUBJECT = LazyPattern(r"\b(?:did|was|is|has|does|were|are|have|can)\s+(?P<who>he|she|they)\b")


def _refuse_pronouns(reader: Reader) -> None:
    """Raise where somebody is spoken of without a name."""
    patterns = (_OF_US, _PRONOUN, _OBJECT, _SUBJECT)
    found = next(filter(None, (pattern.search(reader.text) for pattern in patterns)), None)
    if found and not (
        found["who"].casefold() in {"i", "we", "it"}
        and not re.search(r"(?:of|with|without|than) $", found[0][: -len(found["who"])])
    ):
        if found["who"].casefold() in {"it", "i", "we"}:
            return
        hint = "Ask with a registered name."
        is_us = found["who"].casefold() in {"us", "ourselves"}
        if is_us and len(reader.known.people) > 1 and "all of us" not in reader.text.casefold():
            names = join_words(reader.known.people[:2])
            hint = f'Ask with registered names, "{names}", or "all of us" for every person you registered.'
        raise ConceptError(f'I do not know who "{found["who"]}" is', hint=hint)


_RANK = LazyPattern(rf"\b(?:{ENDS_LAST}|{ENDS_FIRST})\s+(?={PHOTO}\b)")


def _as_one_sentence(text: str) -> str:
    """The question as one sentence about one photo, after its dates were taken out."""
    # Marks had blanks around them.
    plain = re.sub(r"^\W+|\s+(?=[?.!,;:)]|'(?:\s|$))|(?<=\()\s+", "", " ".join(_RANK.sub("", text).split()))
    return plain[:1].upper() + plain[1:]
