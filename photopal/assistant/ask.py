"""Answers questions about given photos with the model, by name, and questions about the whole library.

About the library it answers exactly where it can: names, dates, counts, places and cameras come from the
library alone. What only pixels can tell is asked of the model about the few photos that names, dates,
places and words of the question leave; torch is imported then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from photopal.assistant.named_question import NamedQuestion, read_names
from photopal.assistant.query.criteria import Question
from photopal.assistant.query.entities import Known, UnknownName
from photopal.assistant.query.exact import EXACT, ExactQuestion, answer_exactly
from photopal.assistant.query.languages import has_english, has_other_language, to_english
from photopal.assistant.query.parser import read_question
from photopal.assistant.query.phrasing import quoted_list
from photopal.assistant.query.selection import LibraryAnswer, Selection, unknown_words
from photopal.assistant.query.visual import look
from photopal.errors import ConceptError, UsageError
from photopal.library import ConceptRecord, Library, SearchQuery
from photopal.prompts import absent_answer, build_prompt
from photopal.prompts.templates import is_overview_question, is_recognition_question
from photopal.prompts.words import begins_with_one_of, definite, name_descriptions, tell_apart
from photopal.text import LIKE_A_NAME, join_words, name_spans, suggest
from photopal.vlm.placeholders import name_placeholder

if TYPE_CHECKING:
    from photopal.assistant.analysis import PersonalizedPrompt, PhotoAnalysis
    from photopal.assistant.assistant import Assistant
    from photopal.vlm.batch_decoder import GenerationRequest


@dataclass(frozen=True)
class PhotoAnswer:
    """An answer about one photo.

    Attributes:
        text: What is said.
        names: Names of those seen on the photo, from left to right.
        is_from_model: Whether the model said it; False where the location maps decided that somebody asked
            for is not there, the record alone tells it, or the model does not understand the photo.
    """

    text: str
    names: tuple[str, ...]
    is_from_model: bool


def named_in(question: str, concepts: Sequence[ConceptRecord]) -> list[ConceptRecord]:
    """The concepts a question names, whole names only, in the order of the concepts."""
    named = _read(question, concepts).names
    return [concept for concept in concepts if concept.name in named]


def _read(question: str, concepts: Sequence[ConceptRecord]) -> NamedQuestion:
    return read_names(question, [concept.name for concept in concepts])


def ask_photo(
    assistant: Assistant,
    analysis: PhotoAnalysis,
    question: str,
    *,
    on_text: Callable[[str], None] | None = None,
) -> PhotoAnswer:
    """Answer a question about a photo that was looked at.

    Where everyone the question names is clearly absent, that is the answer; what only the record tells, such
    as the date, is said from it. About a photo that the model does not understand, the answer is what is
    known of it.

    Args:
        assistant: Looks and speaks.
        analysis: The photo.
        question: In the user's words, with names as they are.
        on_text: Told each new piece of the answer.
    """
    answer = _answer_without_model(assistant, analysis, question)
    if answer is not None:
        if on_text:
            on_text(answer.text)
        return answer
    parts = _parts(assistant, analysis, question)
    if parts.is_whole:
        text = _ask_model(assistant, analysis, question, on_text)
    else:
        text = parts.joined([_ask_model(assistant, analysis, part, None) for part in parts.questions])
        if on_text:
            on_text(text)
    return PhotoAnswer(text, _names_on(analysis), is_from_model=True)


def _ask_model(
    assistant: Assistant, analysis: PhotoAnalysis, question: str, on_text: Callable[[str], None] | None
) -> str:
    """Ask the model a question that names nobody who is absent."""
    personal = assistant.personalize(analysis, asked=named_in(question, assistant.concepts))
    if personal.descriptions:
        text = _answer_in_words(assistant, analysis, personal, question)
        if on_text:
            on_text(text)
        return text
    asked = _asked(assistant, personal, question)
    prefix = assistant.prefix(analysis, personal, asked.encoded)
    return assistant.model.generate(
        asked.encoded, asked.features, asked.concepts, on_text=on_text, prefix=prefix
    )


@dataclass(frozen=True)
class _Parts:
    """A question for the model.

    Attributes:
        absent: What is said before its answer, of those who are not there.
        questions: What to ask it about the others, one after the other.
        names: Whom each of these is about, where it is about one.
        is_who_not: Whether it is asked of whom each is not so.
    """

    absent: tuple[str, ...]
    questions: tuple[str, ...]
    names: tuple[str | None, ...]
    is_who_not: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the question is asked as it is."""
        return not self.absent and not self.is_who_not and len(self.questions) == 1

    def joined(self, answers: Sequence[str]) -> str:
        """One answer of those to the questions: "On the left." says of whom it is said."""
        if self.is_whole:
            return answers[0]
        if self.is_who_not:
            return _who_are_not(self.names, answers)
        said = [
            text if name is None or name_spans(text, [name]) else f"{name}: {text}"
            for name, text in zip(self.names, answers, strict=True)
        ]
        return " ".join([*self.absent, *said])


# Asked who is not sleeping, the model names who is.
_WHO_IS_NOT = re.compile(
    r"\s*who(?:\s+(?:is|was)\s+not|\s*(?:is|was)n['’]t)\s+(?P<what>.*)", re.IGNORECASE | re.DOTALL
)
_HERE = re.compile(
    r"(?:here|there|(?:in|on)\s+(?:it|(?:this|the)\s+(?:photo|picture|image)))[\s?.!]*", re.IGNORECASE
)


def _who_are_not(names: Sequence[str | None], answers: Sequence[str]) -> str:
    """Say who are not so, by the answers to whether each of them is."""
    told = [(name, text.strip().casefold()) for name, text in zip(names, answers, strict=True) if name]
    others = [name for name, text in told if re.match(r"no\b", text)]
    unclear = [name for name, text in told if not re.match(r"(?:yes|no)\b", text)]
    said = f"{join_words(others)}." if others else "" if unclear else "Nobody you registered."
    return f"{said} It is not clear whether {join_words(unclear, last='or')}.".strip() if unclear else said


def _parts(assistant: Assistant, analysis: PhotoAnalysis, question: str) -> _Parts:
    """Take those who are not there out of a question, and ask of each of the others where that asks the same.

    Of those who are not there the model is not asked: it invents, and somebody else may look so. Asked of
    several together, it speaks of one.
    """
    named = _read(question, assistant.concepts)
    if who_not := _WHO_IS_NOT.fullmatch(question):
        asked = tuple(name for name in _names_on(analysis) if name not in named.names)
        questions = tuple(f"Is {name} {who_not['what']}" for name in asked)
        return _Parts(absent=(), questions=questions, names=asked, is_who_not=True)
    absent = _absent(assistant, analysis, named)
    about_others = named.without(absent)
    assert about_others is not None, "answered without the model"
    questions = _read(about_others, assistant.concepts).each()
    names = [_read(one, assistant.concepts).names for one in questions]
    return _Parts(
        absent=tuple(map(absent_answer, absent)),
        questions=questions,
        names=tuple(next(iter(found)) if len(found) == 1 else None for found in names),
    )


def _absent(assistant: Assistant, analysis: PhotoAnalysis, named: NamedQuestion) -> list[str]:
    """Those of the named who are not on a photo."""
    present = set(_names_on(analysis))
    return [c.name for c in assistant.concepts if c.name in named.names and c.name not in present]


def _answer_in_words(
    assistant: Assistant, analysis: PhotoAnalysis, personal: PersonalizedPrompt, question: str
) -> str:
    """Ask about descriptions and answer with names.

    Who all is there, and what they do, is told as in a caption. Where the model speaks of the only one whom
    the question names in words of its own, "The dog is running", it is made to speak of the description: what
    it says then is said of the name.
    """
    from photopal.assistant.captioner import write_captions

    if is_overview_question(question):
        return write_captions(assistant, [analysis])[0]
    model = assistant.model
    asked = _asked(assistant, personal, question)
    text = model.generate(asked.encoded, asked.features, asked.concepts)
    answer = name_descriptions(text, personal.descriptions)
    named = _read(question, assistant.concepts).names & tell_apart(personal.descriptions).keys()
    if len(named) != 1:
        return answer
    [name] = named
    if name in answer:
        return answer
    looks = personal.descriptions[name]
    if not begins_with_one_of(text, looks):
        return answer
    begun = f"{definite(looks)} is"
    asked = _asked(assistant, personal, question, begun=begun[:1].upper() + begun[1:])
    said = model.generate(asked.encoded, asked.features, asked.concepts)
    return f"{name} is {name_descriptions(said, personal.descriptions)}"


def ask_each(assistant: Assistant, analysis: PhotoAnalysis, questions: Sequence[str]) -> list[PhotoAnswer]:
    """Answer several questions about one photo together, each as `ask_photo` answers it alone.

    Args:
        assistant: Looks and speaks.
        analysis: The photo.
        questions: In the user's words.
    """
    from photopal.vlm.batch_decoder import answer_batch

    answers = [_answer_without_model(assistant, analysis, question) for question in questions]
    open_ = [question for question, answer in zip(questions, answers, strict=True) if answer is None]
    asked_of_model = [_parts(assistant, analysis, question) for question in open_]
    singles = [question for parts in asked_of_model for question in parts.questions]
    named = [named_in(question, assistant.concepts) for question in singles]
    prepared = assistant.personalize_each([(analysis, asked) for asked in named])
    pairs = list(zip(prepared, singles, strict=True))
    asked = [_asked(assistant, p, q) for p, q in pairs if not p.descriptions]
    together = iter(answer_batch(assistant.model, asked))
    said = iter(
        [_answer_in_words(assistant, analysis, p, q) if p.descriptions else next(together) for p, q in pairs]
    )
    texts = iter([parts.joined([next(said) for _ in parts.questions]) for parts in asked_of_model])
    names = _names_on(analysis)
    return [PhotoAnswer(next(texts), names, is_from_model=True) if a is None else a for a in answers]


def _asked(
    assistant: Assistant, personal: PersonalizedPrompt, question: str, *, begun: str = ""
) -> GenerationRequest:
    from photopal.vlm.batch_decoder import GenerationRequest

    words = {name: definite(looks) for name, looks in personal.descriptions.items()}
    words |= {name: name_placeholder(slot) for slot, name in enumerate(personal.names)}
    written = _read(question, assistant.concepts).with_words(words)
    prompt = build_prompt(written, personal.offered)
    encoded = assistant.model.encode_prompt(prompt, personal.features, begun=begun)
    return GenerationRequest(encoded, personal.features, personal.embeddings)


def _answer_without_model(assistant: Assistant, analysis: PhotoAnalysis, question: str) -> PhotoAnswer | None:
    """What to say where the model cannot see or know it, or those named are absent; None to ask the model."""
    from photopal.assistant.known import answer_from_known, answer_from_record

    asked = named_in(question, assistant.concepts)
    if analysis.known is not None:
        return PhotoAnswer(
            answer_from_known(analysis, question, asked), _names_on(analysis), is_from_model=False
        )
    if (who_not := _WHO_IS_NOT.fullmatch(question)) and _HERE.fullmatch(who_not["what"]):
        others = [c.name for c in assistant.concepts if c.name not in _names_on(analysis)]
        text = " ".join(map(absent_answer, others)) or "Everybody you registered is in this photo."
        return PhotoAnswer(text, _names_on(analysis), is_from_model=False)
    if who_not and not analysis.present:
        return PhotoAnswer("Nobody you registered is in this photo.", (), is_from_model=False)
    named = _read(question, assistant.concepts)
    absent = _absent(assistant, analysis, named)
    names = [concept.name for concept in asked]
    sentences = [absent_answer(name) for name in absent]
    if is_recognition_question(to_english(question, names), names):
        # The model knows a description, which fits others too: who is there was decided by all that is known.
        if absent:
            sentences = ["No.", *sentences]
        elif all(assistant.bank.concepts[concept.id].words for concept in asked):
            sentences = ["Yes."]
        else:
            return None
    elif recorded := answer_from_record(analysis, question, names):
        sentences.append(recorded)
    # "Is anyone besides Anna here?" is not answered with No by her not being there.
    elif not absent or (len(absent) < len(asked) and named.without(absent) is not None):
        return None
    elif is_recognition_question(re.sub(r"\bor\b", "and", to_english(question, names)), names):
        sentences += [f"{name} is in this photo." for name in names if name not in absent]
    return PhotoAnswer(" ".join(sentences), _names_on(analysis), is_from_model=False)


def _names_on(analysis: PhotoAnalysis) -> tuple[str, ...]:
    return tuple(s.concept.name for s in analysis.present)


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
        question: In the user's words; English, or a simple question in a language of `languages`.
        open_assistant: Gives the assistant; called only when pixels are needed, and at most once.
        options: The defaults when left out.
        on_text: Called with each new piece of the answer; the pieces joined are its text.

    Returns:
        The answer. Where nothing was found its `total` is 0 and its text says what was looked for.

    Raises:
        UsageError: The question is empty or too long, has a date that cannot be read or a word that matters
            and is not understood, or asks what is seen without saying on which photos.
        ConceptError: It has a name that nobody has, or of "me" or "her".
        PhotoError: None of the photos that need a look can be read.
    """
    options = options or AskOptions()
    known = known_in(library)
    asked = read_question(question, known, today=options.today)
    for name in asked.unknown_names:
        _refuse_unknown(library, name, known.names, is_translated=asked.is_translated)
    asked = _without_holidays(library, asked)
    photos = Selection(library, asked.criteria, options.most_cited)
    _refuse_other_languages(library, asked)
    is_for_the_eye = asked.intent.is_seen and asked.kind in {"who", "where"} and not photos.count()
    # The library knows registered names only: how many people are on one photo is to be seen on it.
    is_to_be_counted = asked.kind == "who" and asked.intent.is_number and asked.end is not None
    if asked.kind not in EXACT or is_for_the_eye or is_to_be_counted:
        return look(asked, photos, open_assistant, most_photos=options.most_photos, on_text=on_text)
    answer = answer_exactly(ExactQuestion(asked, photos, options.today))
    if on_text:
        on_text(answer.text)
    return answer


def known_in(library: Library) -> Known:
    """Return what a library has names for."""
    concepts = library.concepts.all()
    every = SearchQuery()
    return Known(
        names=[concept.name for concept in concepts],
        places=[place for place, _ in library.search.count_by_place(every)],
        cameras=[camera for camera, _ in library.search.count_by_camera(every)],
        people=[concept.name for concept in concepts if concept.kind == "person"],
    )


_HOLIDAYS = frozenset({"holiday", "holidays", "vacation", "vacations"})


def _without_holidays(library: Library, question: Question) -> Question:
    """Take "holiday" out of "our holiday in Spain" where no caption says it: the place says what is meant."""
    criteria = question.criteria
    words = [word for group in criteria.words for word in group if word.casefold() in _HOLIDAYS]
    rest = tuple(group for group in criteria.words if not _HOLIDAYS.intersection(map(str.casefold, group)))
    without = replace(criteria, words=rest)
    if (
        not (words and criteria.places)
        or Selection(library, criteria, 1).count()
        or not Selection(library, without, 1).count()
    ):
        return question
    note = f"No such photo mentions {quoted_list(words, last='or')}."
    return replace(question, criteria=without, notes=(*question.notes, note))


def _refuse_other_languages(library: Library, question: Question) -> None:
    """Raise where words of another language have no translation and are in no photo's words."""
    words = [word for group in question.criteria.words for word in group]
    if question.is_translated:
        # What is denied in words that no table has may be a condition: "que no vienen de Berlin".
        words += question.criteria.without_words
    is_foreign = question.is_translated or (
        len(words) > 1 and (not has_english(question.text) or has_other_language(words))
    )
    unknown = unknown_words(library, words) if is_foreign else []
    if not unknown or not library.search.count(SearchQuery()):
        return
    if question.is_translated or len(unknown) == len(words) or has_other_language(unknown):
        raise UsageError(
            f"not understood: {quoted_list(unknown)}",
            hint="Ask in English; simple questions can also be in German, French, Spanish, Italian,"
            " Chinese or Japanese.",
        )


def _refuse_unknown(
    library: Library, name: UnknownName, names: Sequence[str], *, is_translated: bool
) -> None:
    """Raise where a word with a capital is in no photo's words and not where a place would stand."""
    words = tuple((word,) for word in name.words.split())
    is_known = library.search.count(SearchQuery(any_words=words)) > 0
    if name.is_place or is_known or not library.search.count(SearchQuery()):
        return
    hint = suggest(name.words, names, cutoff=LIKE_A_NAME if is_translated else 0.6) or (
        f"Known names: {join_words(names, most=10)}." if names else "photopal add-concept NAME PHOTO..."
    )
    if is_translated:
        # German writes every noun with a capital.
        hint += " Other words are only understood in English."
    raise ConceptError(f'no concept named "{name.words}"', hint=hint)


__all__ = ["AskOptions", "LibraryAnswer", "ask_library"]
