"""Answers from the captions of a few photos, or by having the model look at them; knows no exact answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from photopal.assistant.query.criteria import Criteria, Question
from photopal.assistant.query.lexicon import PLACE_WORDS, word_forms
from photopal.assistant.query.phrasing import day, quoted_list
from photopal.assistant.query.selection import LibraryAnswer, Selection, nothing_found, reservations
from photopal.errors import PhotoChangedError, PhotoError, UsageError
from photopal.library import Library, Order, PhotoRecord
from photopal.library.originals import photo_at
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.text import count

if TYPE_CHECKING:
    from PIL import Image

    from photopal.assistant.assistant import Assistant

# Words that say what is asked about a photo; they do not say which photos are meant.
_QUESTION_WORDS = frozenset(
    """
    age clothes clothing color colors colour colours describe dressed expression hair kind like long outfit
    size type wear wearing wears weather wore worn
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_COLORS = "black|white|gr[ae]y|red|green|blue|yellow|orange|purple|violet|pink|brown|beige|golden|silver"
_COLOR_OF = re.compile(
    r"\b(?:what|which) colou?r (?:is|was|are|were) (?:the |an? |my |our )?(?P<thing>[\w-]+)\W*$",
    re.IGNORECASE,
)


def look(
    question: Question,
    selection: Selection,
    open_assistant: Callable[[], Assistant],
    *,
    most_photos: int,
    on_text: Callable[[str], None] | None = None,
) -> LibraryAnswer:
    """Answer a question about what is seen on photos.

    What captions say is taken from them; only for the rest is the model asked, photo by photo.

    Args:
        question: The question.
        selection: The photos it is about; words that captions have narrow them down further.
        open_assistant: Gives the assistant; not called where the captions answer.
        most_photos: How many photos the model looks at, at most.
        on_text: Called with each new piece of the answer.

    Raises:
        UsageError: The question does not say which photos are meant.
        PhotoError: None of the photos can be read.
    """
    text = _AnswerText(on_text)
    narrowed, ignored = _narrow(question, selection)
    total = narrowed.count()
    if not total:
        answer = nothing_found(narrowed)
        answer = replace(answer, text=" ".join([answer.text, *reservations(narrowed, 0), *question.notes]))
        text.add(answer.text)
        return answer
    if ignored:
        text.add(f"None of these photos has {quoted_list(ignored, last='or')} in its caption. ")
    photos = narrowed.photos(_order(question), most=question.number)
    answered = [(photo, line) for photo in photos if (line := _caption_answer(question, narrowed, photo))]
    if not answered:
        return _ask_model(question, narrowed, photos[:most_photos], open_assistant, text)
    text.add(f"According to {'its caption' if total == 1 else 'their captions'}, ")
    text.add(f"{_share(len(answered), narrowed)}:")
    for photo, line in answered:
        text.add(f"\n{_heading(photo)}: {line}")
    _add_reservations(question, narrowed, text)
    return LibraryAnswer(text.text, tuple(photo for photo, _ in answered), total)


class _AnswerText:
    """The text of an answer as it grows."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        self.text = ""
        self._on_text = on_text

    def add(self, piece: str) -> None:
        """Append a piece."""
        self.text += piece
        if self._on_text:
            self._on_text(piece)


def _ask_model(
    question: Question,
    selection: Selection,
    photos: tuple[PhotoRecord, ...],
    open_assistant: Callable[[], Assistant],
    text: _AnswerText,
) -> LibraryAnswer:
    opened, changed = _open(selection.library, photos)
    assistant = open_assistant()
    from photopal.assistant.ask import ask_photo
    from photopal.assistant.known import look_at

    library = selection.library
    seen = [(photo, look_at(library, assistant, photo.path, photo=photo, image=i)) for photo, i in opened]
    is_blind = bool(seen) and all(analysis.known is not None for _, analysis in seen)
    text.add(f"{'What is known of' if is_blind else 'From looking at'} {_share(len(seen), selection)}:")
    is_from_model = False
    for photo, analysis in seen:
        text.add(f"\n{_heading(photo)}: ")
        length = len(text.text)
        answer = ask_photo(assistant, analysis, question.text, on_text=text.add)
        is_from_model |= answer.is_from_model
        if len(text.text) == length:
            text.add("no answer.")
    if unread := len(photos) - len(seen) - changed:
        text.add(f"\n{count(unread)} could not be read.")
    if changed:
        since = "it was" if changed == 1 else "they were"
        text.add(f"\n{count(changed)} changed since {since} indexed; run `photopal index`.")
    _add_reservations(question, selection, text)
    return LibraryAnswer(text.text, tuple(photo for photo, _ in seen), selection.count(), is_from_model)


def _open(
    library: Library, photos: tuple[PhotoRecord, ...]
) -> tuple[list[tuple[PhotoRecord, Image.Image]], int]:
    """Open photos; also count those whose files are other pictures by now, which answer no question."""
    opened = []
    failures: list[PhotoError] = []
    for photo in photos:
        try:
            image = open_photo(photo.path, max_side_px=MODEL_SIDE_PX)
            present = photo_at(library, photo.path)
            if present is None or present.id != photo.id:
                raise PhotoChangedError(photo.path)
            opened.append((photo, image))
        except PhotoError as error:
            failures.append(error)
    if failures and not opened:
        raise failures[0]
    return opened, sum(isinstance(failure, PhotoChangedError) for failure in failures)


def _narrow(question: Question, selection: Selection) -> tuple[Selection, list[str]]:
    """Keep of the question's words those that captions have, places and rare words first.

    Returns:
        The photos with these words alone, and the words of places that had to be left out.

    Raises:
        UsageError: Nothing in the question says which photos are meant.
    """
    groups = selection.criteria.words
    wanted = [group for group in groups if not _QUESTION_WORDS.issuperset(map(str.casefold, group))]
    base = selection.where(words=())
    sizes = {group: base.where(words=(group,)).count() for group in wanted}
    used: tuple[tuple[str, ...], ...] = ()
    for group in sorted(wanted, key=lambda group: (group[0].casefold() not in PLACE_WORDS, sizes[group])):
        if sizes[group] and base.where(words=(*used, group)).count():
            used = (*used, group)
    if not used and not _says_which(question, base.criteria):
        if not wanted:
            raise UsageError(
                "the question does not say which photos are meant",
                hint="Name somebody, a date or a place, or give photos: photopal ask QUESTION PHOTO...",
            )
        return base.where(words=tuple(wanted)), []
    left_out = [g[0] for g in wanted if g not in used and {*word_forms(g[0])} & PLACE_WORDS]
    return base.where(words=tuple(group for group in wanted if group in used)), left_out


def _says_which(question: Question, criteria: Criteria) -> bool:
    return criteria != Criteria() or question.end is not None


def _order(question: Question) -> Order:
    if question.end:
        return "oldest" if question.end == "first" else "newest"
    return "best" if question.criteria.words else "newest"


def _caption_answer(question: Question, selection: Selection, photo: PhotoRecord) -> str | None:
    """What a photo's caption answers: what happens there, or the color of something it mentions."""
    caption = selection.library.captions.get(photo.id)
    if caption is None:
        return None
    if question.kind == "describe":
        return caption.text
    color = _COLOR_OF.search(question.text)
    if color is None:
        return None
    forms = "|".join(map(re.escape, word_forms(color["thing"])))
    found = re.search(rf"\b(?P<color>{_COLORS})\s+(?:[\w-]+\s+)?(?:{forms})\b", caption.text, re.IGNORECASE)
    return f"{found['color'].capitalize()}. {caption.text}" if found else None


def _share(number: int, selection: Selection) -> str:
    """Write how many of the photos were used: "4 of 12 photos of Anna"."""
    total = selection.count()
    all_photos = count(total) + selection.what
    return all_photos if number == total else f"{number:,} of {all_photos}"


def _heading(photo: PhotoRecord) -> str:
    return photo.path.name + (f", {day(photo.taken_at)}" if photo.taken_at else "")


def _add_reservations(question: Question, selection: Selection, text: _AnswerText) -> None:
    for note in [*reservations(selection, selection.count()), *question.notes]:
        text.add(f"\n{note}")
