"""Answers what a library knows exactly: how many, when, where, who, with which camera; asks no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from photopal.assistant.query.answers import LibraryAnswer, LibraryQuestion, nothing, reservations
from photopal.assistant.query.intents import Kind
from photopal.assistant.query.lexicon import places_in
from photopal.assistant.query.phrasing import (
    counted,
    day,
    filter_words,
    moment_words,
    month,
    sentence,
    span,
)
from photopal.library import Order, PhotoRecord, SearchQuery
from photopal.text import count, join_words

_TIMES = re.compile(r"\b(?:often|times|frequently)\b", re.IGNORECASE)
_KIND_WORDS = (
    ("person", re.compile(r"\b(?:which|what) (?:\w+ )?(?:people|persons?)\b", re.IGNORECASE)),
    ("pet", re.compile(r"\b(?:which|what) (?:\w+ )?(?:pets?|animals?)\b", re.IGNORECASE)),
    ("thing", re.compile(r"\b(?:which|what) (?:\w+ )?things?\b", re.IGNORECASE)),
)


def answer_exactly(asked: LibraryQuestion) -> LibraryAnswer:
    """Answer a question of any kind in `EXACT`."""
    if asked.question.kind in {"concepts", "about"}:
        return EXACT[asked.question.kind](asked)
    total = asked.total()
    answer = EXACT[asked.question.kind](asked) if total else nothing(asked)
    notes = reservations(asked, total)
    return replace(answer, text=" ".join([answer.text, *notes]))


def _count(asked: LibraryQuestion) -> LibraryAnswer:
    total = asked.total()
    days = len(asked.library.search.count_by_day(asked.query)) if _TIMES.search(asked.question.text) else 0
    on_days = f", on {count(days, 'day')}" if days else ""
    return LibraryAnswer(f"{count(total)}{filter_words(asked.question)}{on_days}.", asked.photos(), total)


def _find(asked: LibraryQuestion) -> LibraryAnswer:
    question, total = asked.question, asked.total()
    order: Order = "newest" if question.end != "first" else "oldest"
    if question.words and not question.end:
        order = "best"
    photos = asked.photos(order, most=question.number)
    text = f"{count(total)}{filter_words(question)}."
    if len(photos) < total:
        which = {"newest": "newest", "oldest": "oldest", "best": "best"}[order]
        text += f" The {which} {'is' if len(photos) == 1 else f'{len(photos)} are'} listed."
    return LibraryAnswer(text, photos, total)


def _exists(asked: LibraryQuestion) -> LibraryAnswer:
    total = asked.total()
    when = asked.library.search.date_range(asked.query)
    taken = f", {span(*when)}" if when else ""
    return LibraryAnswer(f"Yes: {count(total)}{filter_words(asked.question)}{taken}.", asked.photos(), total)


def _when(asked: LibraryQuestion) -> LibraryAnswer:
    library, question, total = asked.library, asked.question, asked.total()
    what = filter_words(question)
    days = library.search.count_by_day(asked.query)
    range_ = library.search.date_range(asked.query)
    if range_ is None:
        verb = "has" if total == 1 else "have"
        return LibraryAnswer(sentence(f"{count(total)}{what} {verb} no date"), asked.photos(), total)
    if question.end:
        photo = asked.photos("oldest" if question.end == "first" else "newest", most=1)[0]
        taken = moment_words(str(photo.taken_at))
        return LibraryAnswer(f"The {question.end} photo{what} was taken {taken}.", (photo,), total)
    dated = sum(number for _, number in library.search.count_by_year(asked.query))
    on_days = sum(number for _, number in days)
    if on_days < dated:
        # Of some photos only the year or month is known.
        said = sentence(f"{span(*range_)}: {count(dated)}{what}, {on_days:,} of them with a known day")
        if dated < total:
            said += f" {sentence(f'{count(total - dated)} more without a date')}"
        return LibraryAnswer(said, asked.photos(), total)
    if len(days) <= 4:
        said = f"On {join_words([day(value) for value, _ in days])}: {count(dated)}{what}."
    else:
        first, last = days[0][0], days[-1][0]
        said = sentence(f"{span(first, last)}, on {count(len(days), 'day')}: {count(dated)}{what}")
    if dated < total:
        said += f" {sentence(f'{count(total - dated)} more without a date')}"
    return LibraryAnswer(said, asked.photos(), total)


def _where(asked: LibraryQuestion) -> LibraryAnswer:
    library, question, query = asked.library, asked.question, asked.query
    what, total = filter_words(question), asked.total()
    if question.end:
        photos = asked.photos("oldest" if question.end == "first" else "newest", most=1)
        return LibraryAnswer(_place_of(asked, photos[0], what), photos, total)
    places = library.search.count_by_place(query)
    is_of_countries = re.search(r"\bcountr(?:y|ies)\b", question.text, re.IGNORECASE) is not None
    if is_of_countries:
        places = _countries(places)
    said = []
    if places:
        known = sum(number for _, number in places)
        said.append(f"{count(known)}{what}: {'; '.join(_places(places))}.")
    spoken: Counter[str] = Counter()
    for caption, number in [] if is_of_countries else library.search.count_by_caption(query):
        spoken.update(dict.fromkeys(places_in(caption), number))
    if spoken:
        said.append(f"By the captions: {counted(_most_frequent(spoken))}.")
    if not said:
        said = [sentence(f"nothing says where the {count(total)}{what} {_was(total)} taken")]
    elif places and known < total:
        said.append(f"{count(total - known)} {'has' if total - known == 1 else 'have'} no known position.")
    return LibraryAnswer(" ".join(said), asked.photos(), total)


def _countries(places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    countries: Counter[str] = Counter()
    for place, number in places:
        countries[place.rsplit(", ", 1)[-1]] += number
    return _most_frequent(countries)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _places(places: list[tuple[str, int]], *, most: int = 6) -> list[str]:
    said = [f"{place} ({number:,})" for place, number in places[:most]]
    return said + ([f"{len(places) - most} more"] if len(places) > most else [])


def _most_frequent(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _place_of(asked: LibraryQuestion, photo: PhotoRecord, what: str) -> str:
    caption = asked.library.captions.get(photo.id)
    spoken = places_in(caption.text) if caption else []
    said = f"The {asked.question.end} photo{what}"
    said += f", of {day(photo.taken_at)}" if photo.taken_at else ""
    if photo.place:
        said += f", was taken in {photo.place}" + (f", {join_words(spoken)} by its caption" if spoken else "")
    elif spoken:
        said += f", was taken {join_words(spoken)}, by its caption"
    else:
        said += ", does not say where it was taken"
    return f"{said}."


def _who(asked: LibraryQuestion) -> LibraryAnswer:
    if asked.question.end:
        return _who_on_one(asked)
    total = asked.total()
    known = {*asked.question.names}
    wanted = {kind for kind, words in _KIND_WORDS if words.search(asked.question.text)}
    kinds = {concept.name: concept.kind for concept in asked.library.concepts.all()}
    counts = asked.library.search.count_by_concept(asked.query)
    names = [pair for pair in counts if pair[0] not in known and (not wanted or kinds[pair[0]] in wanted)]
    what = f"{count(total)}{filter_words(asked.question)}"
    if not names:
        else_ = " else" if known else ""
        return LibraryAnswer(f"Nobody{else_} I know is on the {what}.", asked.photos(), total)
    most = f" {names[0][0]} most often." if len(names) > 1 and names[0][1] > names[1][1] else ""
    return LibraryAnswer(f"{counted(names, most=10)} on {what}.{most}", asked.photos(), total)


def _who_on_one(asked: LibraryQuestion) -> LibraryAnswer:
    order: Order = "oldest" if asked.question.end == "first" else "newest"
    [hit] = asked.library.search.find(replace(asked.query, order=order, limit=1))
    taken = f", of {day(hit.photo.taken_at)}" if hit.photo.taken_at else ""
    who = join_words(hit.names) if hit.names else "nobody I know"
    text = f"On the {asked.question.end} photo{filter_words(asked.question)}{taken}: {who}."
    return LibraryAnswer(text, (hit.photo,), asked.total())


def _by_camera(asked: LibraryQuestion) -> LibraryAnswer:
    if asked.question.end:
        photo = asked.photos("oldest" if asked.question.end == "first" else "newest", most=1)[0]
        of = f"of the {asked.question.end} photo{filter_words(asked.question)}"
        text = f"The camera {of}: {photo.camera}." if photo.camera else f"No camera is known {of}."
        return LibraryAnswer(text, (photo,), asked.total())
    values = asked.library.search.count_by_camera(asked.query)
    return _tally(asked, values, "camera")


def _by_lens(asked: LibraryQuestion) -> LibraryAnswer:
    return _tally(asked, asked.library.search.count_by_lens(asked.query), "lens")


def _by_year(asked: LibraryQuestion) -> LibraryAnswer:
    return _tally(asked, asked.library.search.count_by_year(asked.query), "year")


def _by_month(asked: LibraryQuestion) -> LibraryAnswer:
    months = asked.library.search.count_by_month(asked.query)
    return _tally(asked, [(month(value), number) for value, number in months], "month")


def _by_day(asked: LibraryQuestion) -> LibraryAnswer:
    days = asked.library.search.count_by_day(asked.query)
    return _tally(asked, [(day(value), number) for value, number in days], "day")


def _tally(
    asked: LibraryQuestion, values: list[tuple[str, int]] | list[tuple[int, int]], noun: str
) -> LibraryAnswer:
    """Say into how many of something the photos fall, and the most frequent one."""
    total, what = asked.total(), filter_words(asked.question)
    pairs: list[tuple[object, int]] = [*values]
    known = sum(number for _, number in pairs)
    if not pairs:
        return LibraryAnswer(sentence(f"no {noun} is known of {count(total)}{what}"), asked.photos(), total)
    said = f"{count(len(pairs), noun)} for {count(known)}{what}: {counted(pairs, most=12)}."
    if len(pairs) > 1:
        best = max(pairs, key=lambda pair: pair[1])
        said += f" Most: {best[0]}."
    if known < total:
        said += f" {sentence(f'{count(total - known)} more without a known {noun}')}"
    return LibraryAnswer(said, asked.photos(), total)


def _concepts(asked: LibraryQuestion) -> LibraryAnswer:
    concepts = asked.library.concepts.all()
    if not concepts:
        return LibraryAnswer("You have registered nobody and nothing yet.", (), 0)
    said = []
    for kind in ("person", "pet", "thing"):
        names = [concept.name for concept in concepts if concept.kind == kind]
        if names:
            said.append(f"{count(len(names), kind)} ({join_words(names, most=20)})")
    return LibraryAnswer(f"You have registered {join_words(said)}.", (), len(concepts))


def _about(asked: LibraryQuestion) -> LibraryAnswer:
    said = []
    total = asked.total()
    for name in asked.question.names:
        concept = asked.library.concepts.get(name)
        query = SearchQuery(concepts=(name,))
        when = asked.library.search.date_range(query)
        number = count(known) if (known := asked.library.search.count(query)) else "no photo"
        number += f", {span(*when)}" if when else ""
        about = f" {sentence(concept.about)}" if concept.about else ""
        said.append(f"{name} is a {concept.kind} you have registered, on {number}.{about}")
    return LibraryAnswer(" ".join(said), asked.photos(), max(total, 1))


EXACT: Mapping[Kind, Callable[[LibraryQuestion], LibraryAnswer]] = {
    "concepts": _concepts,
    "about": _about,
    "count": _count,
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
