"""Answers questions about given photos with the model, by name, and questions about the whole library.

About the library it answers exactly where it can: names, dates, counts, places and cameras come from the
library alone. What only pixels can tell is asked of the model about the few photos that names, dates,
places and words of the question leave; torch is imported then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from photopal.assistant.query.answers import LibraryAnswer, LibraryQuestion
from photopal.assistant.query.entities import Stranger
from photopal.assistant.query.exact import EXACT, answer_exactly
from photopal.assistant.query.parser import Known, read_question
from photopal.assistant.query.visual import look
from photopal.errors import ConceptError
from photopal.library import ConceptRecord, Library, SearchQuery
from photopal.prompts import absent_answer, build_prompt, write_names
from photopal.text import join_words, names_in, suggest

if TYPE_CHECKING:
    from photopal.assistant.assistant import Assistant
    from photopal.assistant.view import PersonalizedPrompt, View
    from photopal.vlm.batch_decoder import GenerationRequest

_YES_NO = re.compile(r"\s*(is|are|can|could|do|does|did|was|were|has|have|would)\b", re.IGNORECASE)


@dataclass(frozen=True)
class PhotoAnswer:
    """An answer about one photo.

    Attributes:
        text: What is said.
        names: Names of those seen on the photo, from left to right.
        is_from_model: Whether the model said it; False where the location maps decided that somebody asked
            for is not there.
    """

    text: str
    names: tuple[str, ...]
    is_from_model: bool


def named_in(question: str, concepts: Sequence[ConceptRecord]) -> list[ConceptRecord]:
    """The concepts a question names, whole names only, in the order of the concepts."""
    named = names_in(question, [concept.name for concept in concepts])
    return [concept for concept in concepts if concept.name in named]


def ask_view(
    assistant: Assistant, view: View, question: str, *, on_text: Callable[[str], None] | None = None
) -> PhotoAnswer:
    """Answer a question about a photo that was looked at.

    Where everyone the question names is clearly absent, that is the answer.

    Args:
        assistant: Looks and speaks.
        view: The photo.
        question: In the user's words, with names as they are.
        on_text: Told each new piece of the answer.
    """
    absence = _absence(assistant, view, question)
    if absence is not None:
        if on_text:
            on_text(absence.text)
        return absence
    personal = assistant.personalize(view, asked=named_in(question, assistant.concepts))
    asked = _asked(assistant, personal, question)
    prefix = assistant.prefix(view, personal, asked.encoded)
    text = assistant.model.generate(
        asked.encoded, asked.features, asked.concepts, on_text=on_text, prefix=prefix
    )
    return PhotoAnswer(text, _names_on(view), is_from_model=True)


def ask_each(assistant: Assistant, view: View, questions: Sequence[str]) -> list[PhotoAnswer]:
    """Answer several questions about one photo together, each as `ask_view` answers it alone.

    Args:
        assistant: Looks and speaks.
        view: The photo.
        questions: In the user's words.
    """
    from photopal.vlm.batch_decoder import answer_batch

    answers = [_absence(assistant, view, question) for question in questions]
    open_ = [question for question, answer in zip(questions, answers, strict=True) if answer is None]
    named = [named_in(question, assistant.concepts) for question in open_]
    prepared = assistant.personalize_each([(view, asked) for asked in named])
    asked = [_asked(assistant, personal, q) for personal, q in zip(prepared, open_, strict=True)]
    texts = iter(answer_batch(assistant.model, asked))
    names = _names_on(view)
    return [PhotoAnswer(next(texts), names, is_from_model=True) if a is None else a for a in answers]


def _asked(assistant: Assistant, personal: PersonalizedPrompt, question: str) -> GenerationRequest:
    from photopal.vlm.batch_decoder import GenerationRequest

    prompt = build_prompt(write_names(question, personal.names), personal.offered)
    encoded = assistant.model.encode_prompt(prompt, personal.features)
    return GenerationRequest(encoded, personal.features, personal.embeddings)


def _absence(assistant: Assistant, view: View, question: str) -> PhotoAnswer | None:
    """What to say where everyone a question names is clearly absent; else None."""
    asked = named_in(question, assistant.concepts)
    present = {s.concept.id for s in view.present}
    if not asked or any(concept.id in present for concept in asked):
        return None
    words = " ".join(absent_answer(concept.name) for concept in asked)
    text = f"No. {words}" if _YES_NO.match(question) else words
    return PhotoAnswer(text, _names_on(view), is_from_model=False)


def _names_on(view: View) -> tuple[str, ...]:
    return tuple(s.concept.name for s in view.present)


@dataclass(frozen=True)
class AskOptions:
    """How a question about a library is answered.

    Attributes:
        most_photos: How many photos the model looks at, at most.
        most_cited: How many photos an answer cites at most.
        today: What "last summer" and the like are counted from.
    """

    most_photos: int = 4
    most_cited: int = 10
    today: date = field(default_factory=date.today)


def ask_library(
    library: Library,
    question: str,
    *,
    open_assistant: Callable[[], Assistant],
    options: AskOptions | None = None,
    on_text: Callable[[str], None] | None = None,
) -> LibraryAnswer:
    """Answer a question about all photos of a library.

    Args:
        library: An open library; nothing is written to it.
        question: English, in the user's words.
        open_assistant: Gives the assistant; called only when pixels are needed, and at most once.
        options: The defaults when left out.
        on_text: Told each new piece of the answer; the pieces joined are its text.

    Returns:
        The answer. Where nothing was found its `total` is 0 and its text says what was looked for.

    Raises:
        UsageError: The question is empty, too long, has a date that cannot be read, says "not" where only
            what is there can be counted, or asks for a look without saying at which photos.
        ConceptError: It speaks of a name that nobody has, or of "me" or "her".
        PhotoError: None of the photos that need a look can be read.
    """
    options = options or AskOptions()
    names = [concept.name for concept in library.concepts.all()]
    every = SearchQuery()
    places = [place for place, _ in library.search.count_by_place(every)]
    known = Known(names, places, [camera for camera, _ in library.search.count_by_camera(every)])
    read = read_question(question, known, today=options.today)
    for stranger in read.strangers:
        _refuse_stranger(library, stranger, names)
    asked = LibraryQuestion(library, read, options.most_cited)
    if read.kind not in EXACT:
        return look(asked, open_assistant, most_photos=options.most_photos, on_text=on_text)
    answer = answer_exactly(asked)
    if on_text:
        on_text(answer.text)
    return answer


def _refuse_stranger(library: Library, stranger: Stranger, names: Sequence[str]) -> None:
    """Raise where a word with a capital is in no photo's words and not where a place would stand."""
    words = tuple((word,) for word in stranger.words.split())
    is_known = library.search.count(SearchQuery(any_words=words)) > 0
    if stranger.is_place or is_known or not library.search.count(SearchQuery()):
        return
    hint = suggest(stranger.words, names) or (
        f"Known names: {join_words(names, most=10)}." if names else "photopal add-concept NAME PHOTO..."
    )
    raise ConceptError(f'no concept named "{stranger.words}"', hint=hint)


__all__ = ["AskOptions", "LibraryAnswer", "ask_library"]
