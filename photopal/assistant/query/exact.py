"""Answers what a library knows exactly: how many, when, where, who, with which camera; asks no model.

Every photo cited for an answer has the property that it is cited for: photos cited for a place have one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from photopal.assistant.file_names import FileNames
from photopal.assistant.query.criteria import Criteria, Question, Ranked
from photopal.assistant.query.dates import Period
from photopal.assistant.query.intents import Kind
from photopal.assistant.query.lexicon import places_in
from photopal.assistant.query.patterns import LazyPattern
from photopal.assistant.query.phrasing import (
    ago,
    counted,
    day,
    describe_criteria,
    moment_words,
    month,
    sentence,
    span,
    time_of_day,
)
from photopal.assistant.query.said_of import Caption, is_of_scene
from photopal.assistant.query.selection import LibraryAnswer, Selection, nothing_found, reservations
from photopal.library import ConceptKind, Library, Order, PhotoRecord, SearchHit
from photopal.text import count, join_words, plural

_MOST_SCANNED = 500
_AT_END = frozenset({"who", "when", "where", "cameras", "lenses"})
_KIND_NOUNS: Mapping[ConceptKind, str] = {"person": "person", "pet": "pet", "thing": "thing"}


@dataclass(frozen=True)
class ExactQuestion:
    """A question that the library alone answers.

    Attributes:
        question: As it was read.
        photos: The photos it is about.
        today: The day it is asked on.
    """

    question: Question
    photos: Selection
    today: date

    @property
    def group(self) -> ConceptKind | None:
        """The kind of concepts it asks for."""
        return self.question.group

    @property
    def is_of_numbers(self) -> bool:
        """Whether it asks who or what has the most photos, the fewest, or so many."""
        return self.question.intent.extreme is not None or self.question.threshold is not None

    @property
    def deeds(self) -> list[tuple[str, ...]]:
        """What it asks whether somebody does, wears or holds, of each group one word; else empty."""
        criteria = self.question.criteria
        groups = [*criteria.words, *((phrase,) for phrase in criteria.phrases)]
        is_asked = self.question.doers is not None and not all(map(is_of_scene, groups))
        return groups if is_asked and self.question.elsewhere is None else []

    @property
    def library(self) -> Library:
        """The library."""
        return self.photos.library

    @property
    def most(self) -> int:
        """How many photos, places or names an answer lists."""
        return self.photos.most_cited

    def order(self) -> Order:
        """Which photos come first."""
        question = self.question
        if question.end == "first":
            return "oldest"
        return "best" if question.criteria.words and not question.end else "newest"


def answer_exactly(asked: ExactQuestion) -> LibraryAnswer:
    """Answer a question of any kind in `EXACT`."""
    question = asked.question
    answer_kind = EXACT[question.kind]
    is_counted = question.kind == "exists" and (
        (question.all_of or question.ranked or question.threshold) is not None
    )
    if (
        question.kind in {"concepts", "about", "compare", "share"}
        or question.intent.is_absent
        or is_counted
        or asked.photos.count()
    ):
        hits = _several_at_end(asked) if question.kind in _AT_END and not question.intent.is_absent else []
        answer = _of_several_at_end(asked, hits) if hits else answer_kind(asked)
    else:
        # Of "did Anna swim and dance?" each may be on a photo of its own.
        is_of_several = len(question.criteria.words) > 1 and re.search(r"\band\b|&|,", question.text)
        is_yes_no = question.kind == "exists" and not question.is_negated and not is_of_several
        answer = nothing_found(asked.photos, is_yes_no=is_yes_no)
    notes: list[str] = []
    if question.kind not in {"concepts", "about", "compare"}:
        notes = reservations(
            asked.photos,
            asked.photos.count(),
            asks_who=question.kind == "who",
            asks_when=question.kind == "when",
        )
    return replace(answer, text=" ".join([answer.text, *notes, *question.notes]))


def _listing(shown: int, total: int, which: str) -> str:
    """Say that not all are listed, and how to see the rest."""
    if shown >= total or not shown:
        return ""
    listed = "is" if shown == 1 else f"{shown:,} are"
    return f" The {which} {listed} listed; --limit {total} lists all."


def _count(asked: ExactQuestion) -> LibraryAnswer:
    selection, total = asked.photos, asked.photos.count()
    days = len(asked.library.search.count_by_day(selection.query())) if asked.question.intent.is_times else 0
    on_days = f", on {count(days, 'day')}" if days else ""
    return LibraryAnswer(f"{count(total)}{selection.what}{on_days}.", selection.photos(asked.order()), total)


def _share(asked: ExactQuestion) -> LibraryAnswer:
    base = asked.question.share_of
    if base is None:
        criteria = asked.question.criteria
        base = criteria.without_content() if criteria.is_of_content() else Criteria()
    whole, part = replace(asked.photos, criteria=base).count(), asked.photos.count()
    if not whole:
        return nothing_found(replace(asked.photos, criteria=base))
    percent = 100 * part / whole
    text = (
        f"{percent:.1f} %: {part:,} of {count(whole)}{describe_criteria(base)} {_is(part)}"
        f" photos{asked.photos.what}."
    )
    return LibraryAnswer(text, asked.photos.photos(), max(part, 1))


def _find(asked: ExactQuestion) -> LibraryAnswer:
    question, total, order = asked.question, asked.photos.count(), asked.order()
    photos = asked.photos.photos(order, most=question.number)
    text = f"{count(total)}{asked.photos.what}."
    which = "best" if order == "best" else "oldest" if order == "oldest" else "newest"
    if question.number is None:
        text += _listing(len(photos), total, which)
    elif len(photos) < total:
        text += f" The {which} {'is' if len(photos) == 1 else f'{len(photos):,} are'} listed."
    return LibraryAnswer(text, photos, total)


def _exists(asked: ExactQuestion) -> LibraryAnswer:
    if asked.question.all_of is not None:
        return _all_of(asked, asked.question.all_of)
    if asked.question.ranked is not None:
        return _in_ranked(asked, asked.question.ranked)
    if asked.question.threshold is not None:
        number = asked.photos.count()
        word = "Yes" if asked.question.threshold.holds(number) else "No"
        return LibraryAnswer(
            f"{word}, there {_is(number)} {count(number)}{asked.photos.what}.",
            asked.photos.photos(),
            max(number, 1),
        )
    if asked.question.doers and asked.deeds:
        return _does(asked, asked.question.doers)
    selection, total = asked.photos, asked.photos.count()
    when = asked.library.search.date_range(selection.query())
    taken = f", {span(*when)}" if when else ""
    are = f"There {'is' if total == 1 else 'are'} " if asked.question.is_negated else "Yes, "
    return LibraryAnswer(
        f"{are}{count(total)}{selection.what}{taken}.", selection.photos(asked.order()), total
    )


def _does(asked: ExactQuestion, doers: Sequence[str]) -> LibraryAnswer:
    """Say whether captions say it of those who are asked about, and not of somebody else beside them."""
    both = [name for name in doers if name in asked.question.criteria.names]
    hits, what = asked.photos.hits(asked.order(), most=asked.photos.count()), asked.photos.what
    told = [[says for _, says in _sayings(asked, hit, both or doers)] for hit in hits]
    fits = all if both else any
    own = [hit.photo for hit, says in zip(hits, told, strict=True) if fits(s is True for s in says)]
    if own:
        dates = sorted(photo.taken_at for photo in own if photo.taken_at)
        taken = f", {span(dates[0], dates[-1])}" if dates else ""
        are = f"There {_is(len(own))} " if asked.question.is_negated else "Yes, "
        return LibraryAnswer(f"{are}{count(len(own))}{what}{taken}.", tuple(own[: asked.most]), len(own))
    is_unclear = any(says is None for each in told for says in each)
    who = join_words(both or doers, last="and" if both else "or")
    but = f"it is not clear whether of {who}" if is_unclear else f"no caption says it of {who}"
    return LibraryAnswer(
        f"There {_is(len(hits))} {count(len(hits))}{what}, but {but}.",
        tuple(hit.photo for hit in hits[: asked.most]),
        len(hits),
    )


def _sayings(asked: ExactQuestion, hit: SearchHit, names: Sequence[str]) -> list[tuple[str, bool | None]]:
    """Whether a caption says of each what is asked; None where that cannot be told."""
    caption = Caption(hit.caption or "", [concept.name for concept in asked.library.concepts.all()])
    return [(name, caption.says_of(name, asked.deeds)) for name in names]


def _all_of(asked: ExactQuestion, criteria: Criteria) -> LibraryAnswer:
    """Say whether all photos of one kind are of another, and cite those that are not."""
    scope = replace(asked.photos, criteria=criteria)
    whole, part = scope.count(), asked.photos.count()
    if not whole:
        return nothing_found(scope)
    if whole == part:
        return LibraryAnswer(f"Yes, all {count(whole)}{scope.what}.", asked.photos.photos(), whole)
    fitting = {hit.photo.id for hit in asked.photos.hits(most=part)}
    others = [hit.photo for hit in scope.hits(most=whole) if hit.photo.id not in fitting]
    text = f"No, only {part:,} of {count(whole)}{scope.what}; those that do not fit are listed."
    return LibraryAnswer(text, tuple(others[: asked.most]), whole)


def _in_ranked(asked: ExactQuestion, ranked: Ranked) -> LibraryAnswer:
    """Say whether any of the first or last photos fits, or how many, and cite those, or else all of them."""
    scope = replace(asked.photos, criteria=ranked.of).having("date")
    order: Order = "oldest" if ranked.end == "first" else "newest"
    hits = scope.hits(order, most=ranked.number)
    if not hits:
        return nothing_found(scope)
    # Whatever fits is in the scope too: among the first there, it is among the first that fit.
    known = {hit.photo.id for hit in asked.photos.having("date").hits(order, most=ranked.number)}
    fitting = tuple(hit.photo for hit in hits if hit.photo.id in known)
    unread = sum(hit.caption is None for hit in hits) if asked.question.criteria.is_of_content() else 0
    unplaced = sum(hit.photo.place is None for hit in hits) if asked.question.criteria.places else 0
    lacking, thing = (unread, "caption yet") if unread else (unplaced, "known location")
    what = describe_criteria(ranked.of)
    if len(hits) == 1:
        which = f"the {ranked.end} photo{what}, from {day(str(hits[0].photo.taken_at))}"
        some, one, unknown = which, which, f"{which}, has"
    else:
        which = f"the {ranked.end} {count(len(hits))}{what}"
        some, one = f"{len(fitting)} of {which}", f"any of {which}"
        unknown = f"{lacking} of {which} {'has' if lacking == 1 else 'have'}"
    if ranked.is_number:
        are = "is a photo" if len(fitting) == 1 else "are photos"
        text = f"{len(fitting)} of the {ranked.end} {count(len(hits))}{what} {are}{asked.photos.what}."
        text += f" {sentence(unknown)[:-1]} no {thing}." if unplaced else ""
    elif fitting:
        text = f"Yes, on {some}."
    elif lacking:
        text = f"It is not known, as {unknown} no {thing}."
    else:
        text = f"No, not on {one}."
    return LibraryAnswer(text, (fitting or tuple(hit.photo for hit in hits))[: asked.most], len(hits))


def _when(asked: ExactQuestion) -> LibraryAnswer:
    question, total, what = asked.question, asked.photos.count(), asked.photos.what
    dated = asked.photos.having("date")
    days = asked.library.search.count_by_day(dated.query())
    taken_range = asked.library.search.date_range(dated.query())
    if taken_range is None:
        has = "has" if total == 1 else "have"
        return LibraryAnswer(sentence(f"{count(total)}{what} {has} no date"), asked.photos.photos(), total)
    if question.end or question.intent.is_ago:
        end = question.end or "last"
        photo = dated.photos("oldest" if end == "first" else "newest", most=1)[0]
        taken = str(photo.taken_at)
        before = f", {ago(taken, asked.today)}" if question.intent.is_ago else ""
        text = f"The {end} photo{what} was taken {moment_words(taken)}{before}."
        return LibraryAnswer(text, (photo,), total)
    known, on_days = dated.count(), sum(number for _, number in days)
    if on_days < known:
        # Of some photos only the year or month is known.
        text = sentence(f"{span(*taken_range)}: {count(known)}{what}, {on_days:,} of them with a known day")
    elif len(days) <= asked.most:
        listed = join_words(
            [f"{day(value)} ({number:,})" if len(days) > 1 else day(value) for value, number in days]
        )
        text = f"On {listed}: {count(known)}{what}."
    else:
        text = sentence(
            f"{span(days[0][0], days[-1][0])}, on {count(len(days), 'day')}: {count(known)}{what}"
        )
        text += f" --limit {len(days)} lists every day."
    if known < total:
        text += f" {total - known:,} more {'photo has' if total - known == 1 else 'photos have'} no date."
    return LibraryAnswer(text, dated.photos(), total)


_WHEN_TOO = LazyPattern(r"\b(?:when and where|where and when)\b")


def _where(asked: ExactQuestion) -> LibraryAnswer:
    answer = _where_on_one(asked) if asked.question.end else _in_which_places(asked)
    if asked.question.end or asked.is_of_numbers or not _WHEN_TOO.search(asked.question.text):
        # Of one photo it says the day anyway.
        return answer
    return replace(answer, text=f"{_when(asked).text} {answer.text}")


def _in_which_places(asked: ExactQuestion) -> LibraryAnswer:
    question, what, total = asked.question, asked.photos.what, asked.photos.count()
    intent = question.intent
    located = asked.photos.having("place")
    places = asked.library.search.count_by_place(located.query())
    noun = "country" if intent.is_country else "place"
    places = _merged(places, -1 if intent.is_country else None)
    known = sum(number for _, number in places)
    spoken = _spoken_places(asked) if not intent.is_country else []
    parts = []
    if places and asked.is_of_numbers:
        return _by_number(asked, places, noun, lambda value: located.where(places=(*_place_names(value),)))
    if places:
        number = f"{count(len(places), noun)}: " if intent.is_number or len(places) > 1 else ""
        parts.append(f"{number}{counted(places, most=max(asked.most, 1))}, from {count(known)}{what}.")
        if len(places) > asked.most:
            parts.append(f"--limit {len(places)} lists all of them.")
    elif intent.is_number:
        parts.append(f"No {noun} is known for {_the(total)}{what}.")
    photos = located.photos() if places else ()
    if spoken and not intent.is_number:
        parts.append(f"According to the captions: {counted(spoken)}.")
        if not places:
            photos = _scan(asked.photos, lambda hit: bool(hit.caption and places_in(hit.caption)))
    if not parts:
        parts = [f"It is not known where {_the(total)}{what} {_was(total)} taken."]
        photos = asked.photos.photos()
    elif places and known < total:
        rest = total - known
        parts.append(f"The location of {count(rest)} is not known.")
    return LibraryAnswer(" ".join(parts), photos, total)


def _place_names(value: object) -> list[str]:
    return [str(value).split(", ")[0]]


def _spoken_places(asked: ExactQuestion) -> list[tuple[str, int]]:
    spoken: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for caption, number in asked.library.search.count_by_caption(asked.photos.query()):
        for place in places_in(caption):
            spoken[spelled.setdefault(place.casefold(), place)] += number
    return _most_frequent(spoken)


def _merged(places: list[tuple[str, int]], part: int | None) -> list[tuple[str, int]]:
    """Count by one part of places, such as the country, or by the whole."""
    if part is None:
        return places
    merged: Counter[str] = Counter()
    for place, number in places:
        merged[place.split(", ")[part]] += number
    return _most_frequent(merged)


def _where_on_one(asked: ExactQuestion) -> LibraryAnswer:
    end, what = asked.question.end, asked.photos.what
    order: Order = "oldest" if end == "first" else "newest"
    [hit] = asked.photos.hits(order, most=1)
    photo = hit.photo
    spoken = places_in(hit.caption) if hit.caption else []
    of = f", from {day(photo.taken_at)}," if photo.taken_at else ""
    if photo.place:
        text = f"The {end} photo{what}{of} was taken in {photo.place}"
        text += f", {join_words(spoken)} according to its caption" if spoken else ""
    elif spoken:
        text = f"The {end} photo{what}{of} was taken {join_words(spoken)}, according to its caption"
    else:
        text = f"It is not known where the {end} photo{what}{of.rstrip(',')} was taken"
        located = asked.photos.having("place").hits(order, most=1)
        if located:
            [known] = located
            at = f" on {day(known.photo.taken_at)}" if known.photo.taken_at else ""
            text += f"; the {end} one with a known location was taken in {known.photo.place}{at}"
            photo = known.photo
    return LibraryAnswer(f"{text}.", (photo,), asked.photos.count())


def _who(asked: ExactQuestion) -> LibraryAnswer:
    question = asked.question
    if question.intent.is_absent:
        return _who_is_absent(asked)
    if question.end:
        return _who_on_one(asked)
    total, what = asked.photos.count(), asked.photos.what
    known = {*question.criteria.names, *question.but_names}
    if asked.deeds:
        return _who_does(asked, known)
    elsewhere = replace(asked.photos, criteria=question.elsewhere) if question.elsewhere else None
    if elsewhere:
        known |= {name for name, _ in asked.library.search.count_by_concept(elsewhere.query())}
    names = _counted_names(asked, known)
    noun = _KIND_NOUNS[asked.group] if asked.group else None
    if asked.is_of_numbers and (names or question.threshold):

        def with_name(name: object) -> Selection:
            return asked.photos.where(names=(*question.criteria.names, str(name)))

        return _by_number(asked, names, noun or "name", with_name)
    if not names:
        else_ = " else" if known else ""
        nobody = f"None of your {plural(noun)}" if noun else f"Nobody{else_} you registered"
        verb = "are" if noun else "is"
        if elsewhere:
            return LibraryAnswer(f"{nobody} {verb} on photos{what} and on none{elsewhere.what}.", (), 0)
        text = f"{nobody} {verb} on {_the(total)}{what}.{_named_in_files(asked)}"
        return LibraryAnswer(text, asked.photos.photos(), total)
    shown = asked.photos.where(any_names=(*question.criteria.any_names, tuple(name for name, _ in names)))
    number = f"{count(len(names), noun or 'name')}: " if question.intent.is_number else ""
    none_of = f", and on none{elsewhere.what}" if elsewhere else ""
    text = f"{number}{counted(names, most=asked.most)} on {count(total)}{what}{none_of}."
    if len(names) > asked.most:
        text += f" --limit {len(names)} lists all of them."
    return LibraryAnswer(text + _named_in_files(asked), shown.photos(), total)


def _who_does(asked: ExactQuestion, known: Collection[str]) -> LibraryAnswer:
    """Say of whom captions say it, which is not everybody on these photos."""
    kinds = {concept.name: concept.kind for concept in asked.library.concepts.all()}
    hits, what = asked.photos.hits(asked.order(), most=asked.photos.count()), asked.photos.what
    sure: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    own: list[PhotoRecord] = []
    for hit in hits:
        names = [name for name in hit.names if name not in known and asked.group in (None, kinds[name])]
        told = _sayings(asked, hit, names)
        sure.update(name for name, says in told if says)
        unclear.update(name for name, says in told if says is None)
        own += [hit.photo] if any(says for _, says in told) else []
    noun = _KIND_NOUNS[asked.group] if asked.group else None
    perhaps = f"is not clear whether of {counted(_most_frequent(unclear), most=asked.most)}"
    if asked.is_of_numbers and (sure or asked.question.threshold):
        answer = _by_number(asked, _most_frequent(sure), noun or "name", lambda value: asked.photos.where(
            names=(*asked.question.criteria.names, str(value))))  # fmt: skip
        shown = {photo.id for photo in own}
        return replace(answer, photos=tuple(photo for photo in answer.photos if photo.id in shown))
    if sure:
        number = f"{count(len(sure), noun or 'name')}: " if asked.question.intent.is_number else ""
        text = f"{number}{counted(_most_frequent(sure), most=asked.most)} on {count(len(own))}{what}."
        text += f" It {perhaps}." if unclear else ""
        return LibraryAnswer(text + _named_in_files(asked), tuple(own[: asked.most]), len(own))
    photos = f"There {_is(len(hits))} {count(len(hits))}{what}, but"
    whom = (
        f"any of your {plural(noun)}"
        if noun
        else "anybody else you registered"
        if known
        else "anybody you registered"
    )
    text = f"{photos} it {perhaps}." if unclear else f"{photos} no caption says it of {whom}."
    return LibraryAnswer(
        text + _named_in_files(asked), tuple(hit.photo for hit in hits[: asked.most]), len(hits)
    )


def _named_in_files(asked: ExactQuestion) -> str:
    """Say whom the files of the photos name besides everybody who is registered."""
    if asked.group in ("pet", "thing") or asked.question.elsewhere:
        return ""
    file_names = FileNames(asked.library)
    found = asked.library.search.count_by_person(asked.photos.query())
    others = [(name, number) for name, number in found if file_names.is_other(name)]
    who = "Its file also names" if asked.photos.count() == 1 else "Their files also name"
    return f" {who} {counted(others, most=asked.most)}." if others else ""


def _counted_names(asked: ExactQuestion, known: Collection[str]) -> list[tuple[str, int]]:
    """Who is on the photos besides those who are known to be, and on how many."""
    question = asked.question
    kinds = {concept.name: concept.kind for concept in asked.library.concepts.all()}
    counts = asked.library.search.count_by_concept(asked.photos.query())
    names = [pair for pair in counts if pair[0] not in known and asked.group in (None, kinds[pair[0]])]
    if (question.intent.extreme == "fewest" and not known) or (
        question.threshold and question.threshold.holds(0)
    ):
        seen = {*known, *(name for name, _ in counts)}
        names += [(n, 0) for n, kind in kinds.items() if n not in seen and asked.group in (None, kind)]
    return names


def _who_is_absent(asked: ExactQuestion) -> LibraryAnswer:
    if asked.deeds:
        return _who_does_not(asked)
    seen = {name for name, _ in asked.library.search.count_by_concept(asked.photos.query())}
    concepts = [c for c in asked.library.concepts.all() if asked.group in (None, c.kind)]
    missing = [concept.name for concept in concepts if concept.name not in seen]
    what = asked.photos.what
    if not missing:
        everyone = f"All your {plural(asked.group)} are" if asked.group else "Everybody you registered is"
        return LibraryAnswer(
            f"None: {everyone[0].lower()}{everyone[1:]} on at least one photo{what}.", (), len(concepts)
        )
    text = f"{join_words(missing)}: on none of the photos{what}."
    return LibraryAnswer(text, (), len(missing))


def _several_at_end(asked: ExactQuestion) -> list[SearchHit]:
    """The first or last photos where more than one is asked about: "the last 3"; else empty."""
    question = asked.question
    if question.end is None or (question.number or 1) < 2 or question.intent.is_ago:
        return []
    order: Order = "oldest" if question.end == "first" else "newest"
    return asked.photos.having("date").hits(order, most=question.number)


def _of_several_at_end(asked: ExactQuestion, hits: Sequence[SearchHit]) -> LibraryAnswer:
    """Say who is on the first or last photos, when and where they were taken, and with what."""
    photos = f"{count(len(hits))}" if len(hits) > 1 else "photo"
    these = f"the {asked.question.end} {photos}{asked.photos.what}"
    dates = sorted(str(hit.photo.taken_at) for hit in hits)
    cited = tuple(hit.photo for hit in hits[: asked.most])
    if asked.question.kind == "when":
        return LibraryAnswer(sentence(f"{_moments(asked, dates)}: {these}"), cited, len(hits))
    these += f", {span(dates[0], dates[-1])}"
    if asked.question.kind == "who":
        return LibraryAnswer(f"{_who_at_end(asked, hits)}: {these}.", cited, len(hits))
    noun, values = _taken_with(asked, [hit.photo for hit in hits])
    if not values:
        return LibraryAnswer(f"The {noun} of {these}, is not known.", cited, len(hits))
    number = f"{count(len(values), noun)}: " if asked.question.intent.is_number else ""
    text = f"{number}{counted(_most_frequent(values), most=asked.most)}: {these}."
    if unknown := len(hits) - values.total():
        text += f" The {noun} of {count(unknown)} is not known."
    return LibraryAnswer(text, cited, len(hits))


def _moments(asked: ExactQuestion, dates: Sequence[str]) -> str:
    """ "on 3 July 2024 and 5 July 2024" or "in 2024 and on 3 July 2024"; with the times if asked for."""
    is_time = re.search(r"\b(?:what|which) time\b", asked.question.text, re.IGNORECASE)
    tell = time_of_day if is_time else day
    told = list(dict.fromkeys(("on" if len(each) >= 10 else "in", tell(each)) for each in dates))
    if len({word for word, _ in told}) == 1:
        return f"{told[0][0]} {join_words([moment for _, moment in told], most=asked.most)}"
    return join_words([f"{word} {moment}" for word, moment in told], most=asked.most)


def _taken_with(asked: ExactQuestion, photos: Sequence[PhotoRecord]) -> tuple[str, Counter[str]]:
    """The places, cameras or lenses of photos, with the word for what they are."""
    if asked.question.kind == "cameras":
        return "camera", Counter(photo.camera for photo in photos if photo.camera)
    if asked.question.kind == "lenses":
        return "lens", Counter(photo.lens for photo in photos if photo.lens)
    if asked.question.intent.is_country:
        return "country", Counter(photo.place.split(", ")[-1] for photo in photos if photo.place)
    return "place", Counter(photo.place for photo in photos if photo.place)


def _who_at_end(asked: ExactQuestion, hits: Sequence[SearchHit]) -> str:
    kinds = {concept.name: concept.kind for concept in asked.library.concepts.all()}
    known = {*asked.question.criteria.names, *asked.question.but_names}
    noun = _KIND_NOUNS[asked.group] if asked.group else None
    names: Counter[str] = Counter()
    for hit in hits:
        shown = [name for name in hit.names if name not in known and asked.group in (None, kinds[name])]
        if asked.deeds:
            # Somebody on the photo need not be who does it.
            shown = [name for name, says in _sayings(asked, hit, shown) if says]
        names.update(shown)
    if not names:
        return f"None of your {plural(noun)}" if noun else f"Nobody{' else' if known else ''} you registered"
    number = f"{count(len(names), noun or 'name')}: " if asked.question.intent.is_number else ""
    return f"{number}{counted(_most_frequent(names), most=asked.most)}"


def _who_does_not(asked: ExactQuestion) -> LibraryAnswer:
    """Say of whom no caption says it, though they may be beside somebody of whom one does."""
    question, what = asked.question, asked.photos.what
    if not asked.photos.count():
        return nothing_found(asked.photos)
    known = {*question.criteria.names, *question.but_names}
    names = [c.name for c in asked.library.concepts.all() if asked.group in (None, c.kind)]
    told: dict[str, set[bool | None]] = {name: set() for name in names if name not in known}
    for hit in asked.photos.hits(most=asked.photos.count()):
        for name, says in _sayings(asked, hit, [name for name in hit.names if name in told]):
            told[name].add(says)
    others = [name for name, says in told.items() if says <= {False}]
    unclear = [name for name, says in told.items() if None in says and True not in says]
    perhaps = f"is not clear whether of {join_words(unclear)}"
    if not others and unclear:
        photos = asked.photos.photos()
        return LibraryAnswer(f"On {count(asked.photos.count())}{what} it {perhaps}.", photos, len(unclear))
    if not others:
        whom = f"all your {plural(asked.group)}" if asked.group else "everybody you registered"
        return LibraryAnswer(f"None: on photos{what}, a caption says it of {whom}.", (), len(names))
    if any(told[name] for name in others):
        whom = "them" if len(others) > 1 else others[0]
        text = f"{join_words(others)}: no caption of the photos{what} says it of {whom}."
    else:
        text = f"{join_words(others)}: on none of the photos{what}."
    return LibraryAnswer(text + (f" It {perhaps}." if unclear else ""), (), len(others))


def _who_on_one(asked: ExactQuestion) -> LibraryAnswer:
    order: Order = "oldest" if asked.question.end == "first" else "newest"
    [hit] = asked.photos.hits(order, most=1)
    of = f" from {day(hit.photo.taken_at)}" if hit.photo.taken_at else ""
    who = join_words(hit.names) if hit.names else "nobody you registered"
    text = (
        f"The {asked.question.end} photo{asked.photos.what}{',' if of else ''}{of}{',' if of else ''}"
        f" shows {who}."
    )
    return LibraryAnswer(text, (hit.photo,), asked.photos.count())


def _by_camera(asked: ExactQuestion) -> LibraryAnswer:
    end, what = asked.question.end, asked.photos.what
    if end:
        photo = asked.photos.photos("oldest" if end == "first" else "newest", most=1)[0]
        text = f"The {end} photo{what} was taken with {photo.camera}." if photo.camera else (
            f"It is not known which camera took the {end} photo{what}.")  # fmt: skip
        return LibraryAnswer(text, (photo,), asked.photos.count())
    known = asked.photos.having("camera")
    values = asked.library.search.count_by_camera(known.query())
    return _tally(asked, values, "camera", known, lambda value: known.where(cameras=(str(value),)))


def _by_lens(asked: ExactQuestion) -> LibraryAnswer:
    values = asked.library.search.count_by_lens(asked.photos.query())
    answer = _tally(asked, values, "lens", asked.photos, lambda value: asked.photos)
    threshold = asked.question.threshold
    lenses = {str(value) for value, number in values if threshold is None or threshold.holds(number)}
    return (
        replace(answer, photos=_scan(asked.photos, lambda hit: hit.photo.lens in lenses))
        if values
        else answer
    )


def _scan(selection: Selection, fits: Callable[[SearchHit], bool]) -> tuple[PhotoRecord, ...]:
    """The newest photos that fit what no index knows, of the first few hundred."""
    hits = selection.hits(most=_MOST_SCANNED)
    return tuple(hit.photo for hit in hits if fits(hit))[: selection.most_cited]


def _within(selection: Selection, first: date, last: date) -> Selection:
    return selection.where(dates=(*selection.criteria.dates, (Period(first, last),)))


def _by_year(asked: ExactQuestion) -> LibraryAnswer:
    dated = asked.photos.having("date")
    values = asked.library.search.count_by_year(dated.query())

    def of(year: object) -> Selection:
        return _within(dated, date(int(str(year)), 1, 1), date(int(str(year)), 12, 31))

    return _tally(asked, values, "year", dated, of)


def _by_month(asked: ExactQuestion) -> LibraryAnswer:
    dated = asked.photos.having("date")
    months = dict(asked.library.search.count_by_month(dated.query()))
    names = {month(value): date.fromisoformat(f"{value}-01") for value in sorted(months)}
    values = [(month(value), months[value]) for value in sorted(months)]

    def of(value: object) -> Selection:
        first = names[str(value)]
        return _within(dated, first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    return _tally(asked, values, "month", dated, of)


def _by_day(asked: ExactQuestion) -> LibraryAnswer:
    dated = asked.photos.having("date")
    values = asked.library.search.count_by_day(dated.query())
    names = {day(value): date.fromisoformat(value) for value, _ in values}
    return _tally(asked, [(day(value), number) for value, number in values], "day", dated,
                  lambda value: _within(dated, names[str(value)], names[str(value)]))  # fmt: skip


Values = Sequence[tuple[object, int]]


def _tally(
    asked: ExactQuestion, values: Values, noun: str, known: Selection, of: Callable[[object], Selection]
) -> LibraryAnswer:
    """Say into how many of something the photos fall."""
    total, what = asked.photos.count(), asked.photos.what
    if not values:
        return LibraryAnswer(f"The {noun} of {_the(total)}{what} is not known.", asked.photos.photos(), total)
    if asked.is_of_numbers:
        return _by_number(asked, values, noun, of)
    number = sum(number for _, number in values)
    text = (
        f"{count(len(values), noun)} for {count(number)}{what}: {counted(values, most=max(asked.most, 12))}."
    )
    if len(values) > max(asked.most, 12):
        text += f" --limit {len(values)} lists all of them."
    if number < total:
        text += f" The {noun} of {count(total - number)} is not known."
    return LibraryAnswer(text, known.photos(), total)


def _by_number(
    asked: ExactQuestion, values: Values, noun: str, of: Callable[[object], Selection]
) -> LibraryAnswer:
    return (_extreme if asked.question.intent.extreme else _meeting)(asked, values, noun, of)


def _extreme(
    asked: ExactQuestion, values: Values, noun: str, of: Callable[[object], Selection]
) -> LibraryAnswer:
    """Say which has the most or the fewest photos; the others stand behind it."""
    extreme = asked.question.intent.extreme
    numbers = [number for _, number in values]
    wanted = max(numbers) if extreme == "most" else min(numbers)
    best = [value for value, number in values if number == wanted]
    each = " each" if len(best) > 1 else ""
    what = asked.photos.what
    text = f"{join_words([str(value) for value in best], most=asked.most)}, with {count(wanted)}{what}{each}."
    ordered = sorted(values, key=lambda pair: -pair[1] if extreme == "most" else pair[1])
    others = [pair for pair in ordered if pair[1] != wanted]
    if others:
        text += f" Then {counted(others, most=4)}."
    photos = of(best[0]).photos() if wanted else ()
    return LibraryAnswer(text, photos, max(asked.photos.count(), 1))


def _meeting(
    asked: ExactQuestion, values: Values, noun: str, of: Callable[[object], Selection]
) -> LibraryAnswer:
    """Say which have at least, or at most, so many photos, and cite photos of these."""
    threshold, what = asked.question.threshold, asked.photos.what
    assert threshold is not None
    needed = f"{threshold.relation} {count(threshold.number)}{what}"
    meeting = [(value, number) for value, number in values if threshold.holds(number)]
    if not meeting:
        return LibraryAnswer(f"There is no {noun} with {needed}.", (), 0)
    text = f"{count(len(meeting), noun)} with {needed}: {counted(meeting, most=max(asked.most, 12))}."
    if len(meeting) > max(asked.most, 12):
        text += f" --limit {len(meeting)} lists all of them."
    photos = {photo.id: photo for value, number in meeting if number for photo in of(value).photos()}
    newest = sorted(photos.values(), key=lambda photo: photo.taken_at or "", reverse=True)
    return LibraryAnswer(text, tuple(newest[: asked.most]), max(asked.photos.count(), 1))


def _compare(asked: ExactQuestion) -> LibraryAnswer:
    comparison = asked.question.comparison
    assert comparison is not None
    sides = [replace(asked.photos, criteria=criteria) for criteria in comparison.sides]
    if comparison.by in {"first", "last"}:
        return _compare_dates(asked, sides)
    counts = [side.count() for side in sides]
    described = [f"{count(n)}{side.what}" for n, side in zip(counts, sides, strict=True)]
    facts = join_words(described)
    best = max(counts) if comparison.by != "fewer" else min(counts)
    winners = [index for index, n in enumerate(counts) if n == best]
    labels = [comparison.labels[index] for index in winners]
    if not any(counts):
        return (
            nothing_found(sides[0])
            if len(sides) == 1
            else LibraryAnswer(f"There are no photos{sides[0].what}, and no photos{sides[1].what}.", (), 0)
        )
    if comparison.is_difference and len(counts) == 2:
        difference = counts[0] - counts[1] if comparison.by != "fewer" else counts[1] - counts[0]
        more = "more" if (difference >= 0) == (comparison.by != "fewer") else "fewer"
        text = (
            f"{count(abs(difference), f'{more} photo')}: {facts}."
            if difference
            else f"Equally many: {facts}."
        )
    elif len(winners) == len(counts):
        is_equal = "Yes, equally" if comparison.by == "equal" else "No, equally"
        text = f"{is_equal if comparison.is_yes_no else 'Equally'} many: {facts}."
    elif comparison.is_yes_no:
        text = f"{'Yes' if winners == [0] and comparison.by != 'equal' else 'No'}: {facts}."
    else:
        winner = join_words(labels)
        is_phrase = winner.partition(" ")[0] in {
            "in",
            "on",
            "at",
            "from",
            "with",
            "without",
            "since",
            "between",
        }
        text = f"{sentence(winner)[:-1] if is_phrase else winner}: {facts}."
    cited = sides[winners[0]].photos() if counts[winners[0]] else ()
    return LibraryAnswer(" ".join([text, *_comparison_notes(sides)]), cited, max(sum(counts), 1))


def _comparison_notes(sides: Sequence[Selection]) -> list[str]:
    notes = [note for side in sides for note in reservations(side, side.count())]
    return list(dict.fromkeys(notes))


def _compare_dates(asked: ExactQuestion, sides: Sequence[Selection]) -> LibraryAnswer:
    """Say of which side the first, or the last, photo is the earlier, or the later."""
    comparison = asked.question.comparison
    assert comparison is not None
    is_first = comparison.by == "first"
    found = []
    for side, label in zip(sides, comparison.labels, strict=True):
        photos = side.having("date").photos("oldest" if is_first else "newest", most=1)
        if not photos:
            return replace(nothing_found(side.having("date")), total=0)
        found.append((str(photos[0].taken_at), label, photos[0], side.what))
    best = min(found, key=lambda entry: entry[0]) if is_first else max(found, key=lambda entry: entry[0])
    word = "first" if is_first else "last"
    facts = "; ".join(f"the {word} photo{what} is from {day(taken)}" for taken, _, _, what in found)
    is_tie = len({taken[:19] for taken, *_ in found}) == 1
    begin = (
        ("No" if is_tie or best is not found[0] else "Yes")
        if comparison.is_yes_no
        else "At the same time"
        if is_tie
        else best[1]
    )
    return LibraryAnswer(f"{begin}: {facts}.", tuple(entry[2] for entry in found), len(found))


def _concepts(asked: ExactQuestion) -> LibraryAnswer:
    concepts = [c for c in asked.library.concepts.all() if asked.group in (None, c.kind)]
    noun = _KIND_NOUNS[asked.group] if asked.group else None
    if not concepts:
        nothing = (
            f"You have not registered any {plural(noun)} yet."
            if noun
            else "You have not registered anybody or anything yet."
        )
        return LibraryAnswer(nothing, (), 0)
    parts = []
    for kind in ("person", "pet", "thing"):
        names = [concept.name for concept in concepts if concept.kind == kind]
        if names:
            parts.append(f"{count(len(names), kind)} ({join_words(names, most=max(asked.most, 20))})")
    return LibraryAnswer(f"You have registered {join_words(parts)}.", (), len(concepts))


def _about(asked: ExactQuestion) -> LibraryAnswer:
    parts = []
    for name in asked.question.criteria.names:
        concept = asked.library.concepts.get(name)
        of_name = replace(asked.photos, criteria=Criteria(names=(name,)))
        when = asked.library.search.date_range(of_name.query())
        known = of_name.count()
        number = count(known) if known else "no photos yet"
        number += f", {span(*when)}" if when else ""
        about = f" {sentence(concept.about)}" if concept.about else ""
        parts.append(f"{name} is a {concept.kind} you registered, on {number}.{about}")
    return LibraryAnswer(" ".join(parts), asked.photos.photos(), max(asked.photos.count(), 1))


def _most_frequent(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _the(number: int) -> str:
    return "the only photo" if number == 1 else f"the {count(number)}"


EXACT: Mapping[Kind, Callable[[ExactQuestion], LibraryAnswer]] = {
    "concepts": _concepts,
    "about": _about,
    "count": _count,
    "share": _share,
    "compare": _compare,
    "when": _when,
    "where": _where,
    "who": _who,
    "cameras": _by_camera,
    "lenses": _by_lens,
    "years": _by_year,
    "months": _by_month,
    "days": _by_day,
    "exists": _exists,
    "find": _find,
}
"""Who answers which kind of question."""

__all__ = ["EXACT", "ExactQuestion", "answer_exactly"]
