"""A question put to a library: what fits it, what it cannot know, and how an empty answer is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from photopal.assistant.query.lexicon import word_forms
from photopal.assistant.query.parser import Question
from photopal.assistant.query.phrasing import filter_words, period_words, sentence
from photopal.library import Library, Order, PhotoRecord, SearchQuery
from photopal.text import LIKE_A_NAME, count, join_words, suggest


@dataclass(frozen=True)
class LibraryAnswer:
    """An answer with the photos it rests on.

    Attributes:
        text: What is said.
        photos: The photos cited, at most as many as the options allow; the newest or the best first.
        total: How many photos the answer rests on, cited or not; for a question about names alone, how many
            names. 0 says that nothing was found: a command prints the text and ends with the exit code of
            `NothingFoundError`.
        is_from_model: Whether a model looked at photos for it.
    """

    text: str
    photos: tuple[PhotoRecord, ...]
    total: int
    is_from_model: bool = False


@dataclass(frozen=True)
class LibraryQuestion:
    """A question put to a library.

    Attributes:
        library: The library.
        question: As it was read.
        most_cited: How many photos to cite at most.
    """

    library: Library
    question: Question
    most_cited: int

    @property
    def query(self) -> SearchQuery:
        """What photos fit the question."""
        asked = self.question
        without = asked.without
        if asked.is_alone:
            without = tuple(c.name for c in self.library.concepts.all() if c.name not in asked.names)
        return SearchQuery(
            any_words=tuple(word_forms(word) for word in asked.words),
            concepts=asked.names,
            any_concepts=asked.any_names,
            without_concepts=without,
            place=asked.place,
            since=asked.period.since if asked.period else None,
            until=asked.period.until if asked.period else None,
            camera=asked.camera,
            has_caption=asked.has_caption,
        )

    def photos(self, order: Order = "newest", *, most: int | None = None) -> tuple[PhotoRecord, ...]:
        """The photos to cite."""
        limit = min(most or self.most_cited, self.most_cited)
        hits = self.library.search.find(replace(self.query, order=order, limit=limit))
        return tuple(hit.photo for hit in hits)

    def total(self) -> int:
        """How many photos fit."""
        return self.library.search.count(self.query)


def nothing(asked: LibraryQuestion) -> LibraryAnswer:
    """Say that no photo fits, and which word is to blame."""
    library, asked_for = asked.library, asked.question
    if not library.search.count(SearchQuery()):
        return LibraryAnswer("The library has no photo yet.", (), 0)
    is_yes_no = asked_for.kind == "exists"
    said = [("No: there is" if is_yes_no else "There is") + f" no photo{filter_words(asked_for)}."]
    unknown = unknown_words(library, asked_for.words)
    if unknown and (len(asked_for.words) > 1 or asked_for.names or asked_for.period):
        words = join_words([f'"{word}"' for word in unknown], last="or")
        said.append(f"No photo at all has {words} in its caption, place or file name.")
    names = [concept.name for concept in library.concepts.all()]
    if hint := next(filter(None, (suggest(word, names, cutoff=LIKE_A_NAME) for word in unknown)), None):
        said.append(sentence(hint))
    return LibraryAnswer(" ".join(said), (), 0)


def unknown_words(library: Library, words: tuple[str, ...]) -> list[str]:
    """Which words no caption, place or file name has, in whichever form."""
    return [word for word in words if not library.search.count(SearchQuery(any_words=(word_forms(word),)))]


def reservations(asked: LibraryQuestion, total: int) -> list[str]:
    """Say what an answer cannot know: names and words without a caption, periods without a date."""
    library, question, query = asked.library, asked.question, asked.query
    notes = []
    is_of_content = question.names or question.any_names or question.without or question.words
    if question.has_caption is None and (is_of_content or question.kind == "who"):
        scope = SearchQuery(since=query.since, until=query.until, camera=query.camera, has_caption=False)
        is_known = total and question.kind != "who"
        known = library.search.count(replace(query, has_caption=False)) if is_known else 0
        blind = library.search.count(scope) - known
        if blind > 0:
            when = f" {period_words(question.period)}" if question.period else ""
            verb = "has" if blind == 1 else "have"
            notes.append(
                f"{count(blind)}{when} {verb} no caption yet, so names and words are not known there."
            )
    if question.period and question.kind != "when":
        undated = replace(query, since=None, until=None)
        without_date = library.search.count(undated) - library.search.count(replace(undated, since="0"))
        if without_date:
            verb = "has" if without_date == 1 else "have"
            also = count(without_date) + filter_words(question, with_period=False)
            notes.append(f"{also} {verb} no date.")
    return notes
