"""Answers a question about the whole library: exactly where it can, else by a look at a few photos.

Names, dates, counts, places and cameras come from the library alone. What only pixels can tell is asked of
the model about the few photos that names, dates, places and words of the question leave; torch is imported
then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING

from photopal.answers.questions.asked import Asked, LibraryAnswer
from photopal.answers.questions.facts import EXACT, answer_exactly
from photopal.answers.questions.look import look
from photopal.answers.questions.mentions import Stranger
from photopal.answers.questions.reading import Known, read_question
from photopal.answers.questions.telling import listing
from photopal.errors import ConceptError
from photopal.library import Library, SearchQuery

if TYPE_CHECKING:
    from photopal.answers.assistant import Assistant

__all__ = ["AskOptions", "LibraryAnswer", "ask_library"]


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
    names = [concept.name for concept in library.concepts()]
    every = SearchQuery()
    places = [place for place, _ in library.places(every)]
    known = Known(names, places, [camera for camera, _ in library.cameras(every)])
    read = read_question(question, known, today=options.today)
    for stranger in read.strangers:
        _refuse_stranger(library, stranger, names)
    asked = Asked(library, read, options.most_cited)
    if read.kind not in EXACT:
        return look(asked, open_assistant, most_photos=options.most_photos, on_text=on_text)
    answer = answer_exactly(asked)
    if on_text:
        on_text(answer.text)
    return answer


def _refuse_stranger(library: Library, stranger: Stranger, names: Sequence[str]) -> None:
    """Raise where a word with a capital is in no photo's words and not where a place would stand."""
    words = tuple((word,) for word in stranger.words.split())
    is_known = library.count_photos(SearchQuery(any_words=words)) > 0
    if stranger.is_place or is_known or not library.count_photos(SearchQuery()):
        return
    folded = {name.casefold(): name for name in names}
    nearest = get_close_matches(stranger.words.casefold(), folded, n=1, cutoff=0.6)
    if nearest:
        hint = f'did you mean "{folded[nearest[0]]}"?'
    elif names:
        hint = f"you have registered {listing([*names[:10], *(['others'] if len(names) > 10 else [])])}"
    else:
        hint = "photopal add-concept NAME PHOTO..."
    raise ConceptError(f"I know nobody called {stranger.words}", hint=hint)
