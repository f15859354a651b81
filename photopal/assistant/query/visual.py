"""Answers from the captions of a few photos, or by having the model look at them; knows no exact answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from photopal.assistant.query.answers import LibraryAnswer, LibraryQuestion, nothing, reservations
from photopal.assistant.query.lexicon import PLACE_WORDS, word_forms
from photopal.assistant.query.parser import Question
from photopal.assistant.query.phrasing import day, filter_words
from photopal.errors import PhotoError, UsageError
from photopal.library import Order, PhotoRecord
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.text import count, join_words

if TYPE_CHECKING:
    from PIL import Image

    from photopal.assistant.assistant import Assistant

# Words that say what is asked of a photo; which photos are meant they do not say.
_ASKED_OF = frozenset(
    """
    age clothes clothing color colors colour colours describe dressed expression hair kind like long outfit
    size type wear wearing wears weather wore worn
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_COLOURS = "black|white|gr[ae]y|red|green|blue|yellow|orange|purple|violet|pink|brown|beige|golden|silver"
_COLOUR_OF = re.compile(
    r"\b(?:what|which) colou?r (?:is|was|are|were) (?:the |an? |my |our )?(?P<thing>[\w-]+)\W*$",
    re.IGNORECASE,
)


def look(
    asked: LibraryQuestion,
    open_assistant: Callable[[], Assistant],
    *,
    most_photos: int,
    on_text: Callable[[str], None] | None = None,
) -> LibraryAnswer:
    """Answer a question about what is seen on photos.

    What captions say is taken from them; only for the rest is the model asked, photo by photo.

    Args:
        asked: The question; names, dates, places and words found in captions choose the photos.
        open_assistant: Gives the assistant; not called where the captions answer.
        most_photos: How many photos the model looks at, at most.
        on_text: Told each new piece of the answer.

    Raises:
        UsageError: The question does not say which photos are meant.
        PhotoError: None of the photos can be read.
    """
    pieces = _Pieces(on_text)
    narrowed, ignored = _narrow(asked)
    total = narrowed.total()
    if not total:
        answer = nothing(narrowed)
        answer = replace(answer, text=" ".join([answer.text, *reservations(narrowed, 0)]))
        pieces.add(answer.text)
        return answer
    if ignored:
        words = join_words([f'"{word}"' for word in ignored], last="or")
        pieces.add(f"None of these photos has {words} in its caption. ")
    photos = narrowed.photos(_order(asked.question), most=asked.question.number)
    told = [(photo, said) for photo in photos if (said := _told_by_caption(asked, photo))]
    if not told:
        return _ask_model(narrowed, photos[:most_photos], open_assistant, pieces)
    pieces.add(f"By {'its caption' if total == 1 else 'their captions'}, ")
    pieces.add(f"{_share(len(told), narrowed)}:")
    for photo, said in told:
        pieces.add(f"\n{_heading(photo)}: {said}")
    _add_reservations(narrowed, pieces)
    return LibraryAnswer(pieces.text, tuple(photo for photo, _ in told), total)


class _Pieces:
    """The text of an answer as it grows."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        self.text = ""
        self._on_text = on_text

    def add(self, piece: str) -> None:
        """Say more."""
        self.text += piece
        if self._on_text:
            self._on_text(piece)


def _ask_model(
    asked: LibraryQuestion,
    photos: tuple[PhotoRecord, ...],
    open_assistant: Callable[[], Assistant],
    pieces: _Pieces,
) -> LibraryAnswer:
    opened = _open(photos)
    assistant = open_assistant()
    from photopal.assistant.ask import ask_view
    from photopal.assistant.view import corrected

    pieces.add(f"A look at {_share(len(opened), asked)}:")
    is_from_model = False
    for photo, image in opened:
        pieces.add(f"\n{_heading(photo)}: ")
        length = len(pieces.text)
        view = corrected(assistant.look(image), asked.library.corrections.words(photo.id))
        answer = ask_view(assistant, view, asked.question.text, on_text=pieces.add)
        is_from_model |= answer.is_from_model
        if len(pieces.text) == length:
            pieces.add("no answer.")
    if len(opened) < len(photos):
        pieces.add(f"\n{count(len(photos) - len(opened))} could not be read.")
    _add_reservations(asked, pieces)
    return LibraryAnswer(pieces.text, tuple(photo for photo, _ in opened), asked.total(), is_from_model)


def _open(photos: tuple[PhotoRecord, ...]) -> list[tuple[PhotoRecord, Image.Image]]:
    opened = []
    failure: PhotoError | None = None
    for photo in photos:
        try:
            opened.append((photo, open_photo(photo.path, max_side_px=MODEL_SIDE_PX)))
        except PhotoError as error:
            failure = failure or error
    if failure and not opened:
        raise failure
    return opened


def _narrow(asked: LibraryQuestion) -> tuple[LibraryQuestion, list[str]]:
    """Keep of the question's words those that captions have, places and rare words first.

    Returns:
        The question with these words alone, and the words of places that had to be left out.

    Raises:
        UsageError: Nothing in the question says which photos are meant.
    """
    question = asked.question
    words = [word for word in question.words if word.casefold() not in _ASKED_OF]
    base = replace(asked, question=replace(question, words=()))
    sizes = {word: _with_words(base, (word,)).total() for word in words}
    kept: tuple[str, ...] = ()
    for word in sorted(words, key=lambda word: (word.casefold() not in PLACE_WORDS, sizes[word])):
        if sizes[word] and _with_words(base, (*kept, word)).total():
            kept = (*kept, word)
    if not kept and not _says_which(question):
        if not words:
            raise UsageError(
                "the question does not say which photos are meant",
                hint="name somebody, a date or a place, or give photos: photopal ask QUESTION PHOTO...",
            )
        return _with_words(base, tuple(words)), []
    left_out = [w for w in words if w not in kept and {*word_forms(w)} & PLACE_WORDS]
    return _with_words(base, tuple(word for word in words if word in kept)), left_out


def _with_words(asked: LibraryQuestion, words: tuple[str, ...]) -> LibraryQuestion:
    return replace(asked, question=replace(asked.question, words=words))


def _says_which(question: Question) -> bool:
    known = (question.names, question.any_names, question.period, question.place, question.camera)
    return any(known) or question.end is not None


def _order(question: Question) -> Order:
    if question.end:
        return "oldest" if question.end == "first" else "newest"
    return "best" if question.words else "newest"


def _told_by_caption(asked: LibraryQuestion, photo: PhotoRecord) -> str | None:
    """What a photo's caption answers: what happens there, or the colour of something it mentions."""
    caption = asked.library.captions.get(photo.id)
    if caption is None:
        return None
    if asked.question.kind == "describe":
        return caption.text
    colour = _COLOUR_OF.search(asked.question.text)
    if colour is None:
        return None
    forms = "|".join(map(re.escape, word_forms(colour["thing"])))
    found = re.search(rf"\b(?P<colour>{_COLOURS})\s+(?:[\w-]+\s+)?(?:{forms})\b", caption.text, re.IGNORECASE)
    return f"{found['colour'].capitalize()}. {caption.text}" if found else None


def _share(number: int, asked: LibraryQuestion) -> str:
    """Say how many of the photos were used: "4 of 12 photos of Anna"."""
    total = asked.total()
    all_of = count(total) + filter_words(asked.question)
    return all_of if number == total else f"{number:,} of {all_of}"


def _heading(photo: PhotoRecord) -> str:
    return photo.path.name + (f", {day(photo.taken_at)}" if photo.taken_at else "")


def _add_reservations(asked: LibraryQuestion, pieces: _Pieces) -> None:
    for note in reservations(asked, asked.total()):
        pieces.add(f"\n{note}")
