"""`photopal review`: asks about the least sure names, one by one, with the picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.assistant.explanation import explain_names, source_in_words, tile_of
from photopal.cli.context import Session, session_of
from photopal.cli.keys import END, answers
from photopal.cli.output import safe, show_json, show_line
from photopal.cli.pictures import save_copy
from photopal.cli.terminal import PICTURE_ROWS, show_picture
from photopal.errors import NothingFoundError, PhotoError
from photopal.text import count

if TYPE_CHECKING:
    from pathlib import Path

    from photopal.assistant.review import Review, ReviewQuestion
    from photopal.config import PictureProtocol
    from photopal.library import Library

_AT_ONCE = 20
_KEYS = "[y]es  [n]o  [s]kip  [u]ndo  [q]uit"
_KEYS_AT_THE_END = "No more questions.  [u]ndo  [q]uit"


def review(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Only this person, pet or thing.", metavar="NAME", show_default=False)
    ] = None,
    *,
    limit: Annotated[
        int | None, typer.Option(help="Maximum number of questions.", min=1, metavar="N", show_default=False)
    ] = None,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Show no pictures and write no contact sheet.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the questions as JSON; ask nothing.")] = False,
) -> None:
    """Confirm or deny the names that photopal is least sure of, one by one.

    Asks whether somebody is in a photo, beginning with those whose score is closest to the threshold. Press y
    for yes, n for no (nowhere in the photo), s to skip, u to undo the last answer, which can also be done
    after the last question, and q to quit. If the input is not a terminal, answers are read from it, one a
    line.

    Each answer is saved at once, as by `photopal who --is` and `--not`: it is final, photopal learns from it
    before the next question, and `photopal undo` reverts it. Ctrl-C loses nothing.

    Terminals that can show pictures show the photo with a box, and the most similar reference photo beside
    it. Otherwise, a contact sheet of the next questions is written, whose path is shown. Exits with code 4 if
    there is nothing to ask.

    Examples:
      photopal review
      photopal review Anna --limit 20
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        concepts = library.concepts.all() if name is None else [library.concepts.get(name)]
        if not concepts:
            if json:
                show_json(session.out, [])
            raise NothingFoundError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
        with session.progress("Comparing faces"):
            from photopal.assistant.review import Review
            from photopal.instances import ENCODER
            from photopal.vlm.feature_cache import FeatureCache

            most_bytes = session.settings.features_mb * 2**20
            cache = FeatureCache(session.settings.features_path, ENCODER, most_bytes=most_bytes)
            sitting = Review(library, concepts, cache=cache)
        if json:
            questions = sitting.questions(limit or 1 << 31)
            show_json(session.out, [_as_json(library, one) for one in questions])
        else:
            protocol = session.picture_protocol(without=no_pictures)
            asker = _Asker(session, library, sitting, protocol=protocol, has_sheet=not no_pictures)
            try:
                with answers() as read:
                    asker.ask(limit, read)
            finally:
                asker.sum_up()
    if not (questions if json else asker.asked):
        whom = "" if name is None else f" about {concepts[0].name}"
        raise NothingFoundError(f"nothing to ask{whom}: everything that was found is sure")


class _Asker:
    """Asks the questions of a sitting; `asked` counts them."""

    def __init__(
        self,
        session: Session,
        library: Library,
        sitting: Review,
        *,
        protocol: PictureProtocol | None,
        has_sheet: bool,
    ) -> None:
        self._session, self._library, self._sitting = session, library, sitting
        self._protocol = protocol
        self._sheet: Path | None = session.settings.review_path if has_sheet and protocol is None else None
        self._rows: dict[tuple[int, int], int] = {}
        self.asked = 0

    def ask(self, limit: int | None, read: Callable[[Callable[[], None]], str]) -> None:
        """Ask until there is nothing to ask, enough was asked, or the user wants no more."""
        while True:
            most = _AT_ONCE if limit is None else min(_AT_ONCE, limit - self.asked)
            if some := self._sitting.questions(most) if most else []:
                self._rows = {one.key: number for number, one in enumerate(some, 1)}
                self._draw_sheet(some)
            elif (last := self._undone_at_the_end(read)) is not None:
                some = [last]
            else:
                return
            waiting = deque(some)
            while waiting:
                question = self._sitting.renewed(waiting.popleft())
                if question is None:
                    continue
                self.asked += 1
                answer = self._answer_to(question, read)
                if answer in ("q", END):
                    return
                if answer == "u":
                    self.asked -= 1
                    waiting.appendleft(question)
                    if (last := self._sitting.undo()) is None:
                        self._session.say("There is no answer of this sitting to undo.")
                    else:
                        self.asked -= 1
                        waiting.appendleft(last)
                elif answer == "s":
                    self._sitting.skip(question)
                else:
                    self._sitting.answer(question, is_present=answer == "y")
                    verb = "is" if answer == "y" else "is not"
                    show_line(
                        self._session.out, safe(f"{question.concept.name} {verb} in {question.photo.path}")
                    )

    def _undone_at_the_end(self, read: Callable[[Callable[[], None]], str]) -> ReviewQuestion | None:
        """Let the user take the last answer back where nothing more is asked, and return its question."""
        if not self._sitting.answers:
            return None
        answer = ""
        while answer not in ("u", "q"):
            answer = read(lambda: self._session.warn(_KEYS_AT_THE_END, style="dim"))
            if answer == END:
                return None
        if answer == "q":
            return None
        self.asked -= 1
        return self._sitting.undo()

    def _answer_to(self, question: ReviewQuestion, read: Callable[[Callable[[], None]], str]) -> str:
        """Show a question until the user says y, n, s, u or q, or no more."""
        answer = read(lambda: self._show(question))
        while answer not in ("y", "n", "s", "u", "q", END):
            answer = read(lambda: self._session.warn(_KEYS, style="dim"))
        return answer

    def _show(self, question: ReviewQuestion) -> None:
        [entry] = explain_names(self._library, question.photo, [question.concept])
        if self._protocol is not None:
            self._show_picture(question, entry)
        number = self._rows.get(question.key)
        row = f"{number}. " if number is not None and self._sheet is not None else ""
        for line in (
            f"{row}Is {question.concept.name} in {question.photo.path}?",
            *(f"  {source_in_words(source)}" for source in entry["sources"]),
        ):
            self._session.warn(safe(line), style="")
        self._session.warn(_KEYS, style="dim")

    def _show_picture(self, question: ReviewQuestion, entry: dict[str, Any]) -> None:
        from photopal.assistant.explanation import draw_explanation
        from photopal.photos import MODEL_SIDE_PX

        assert self._protocol is not None
        try:
            drawn = draw_explanation(self._library, question.photo, [entry], max_side_px=MODEL_SIDE_PX)
        except PhotoError as error:
            self._session.warn(str(error))
            return
        show_picture(self._session.out.file, drawn, self._protocol, rows=PICTURE_ROWS)

    def _draw_sheet(self, questions: Sequence[ReviewQuestion]) -> None:
        """Draw the questions that follow: of each the photo, and reference photos of the name."""
        if self._sheet is None:
            return
        from photopal.box import WHOLE_PHOTO
        from photopal.faces.sheet import FACES_PER_ROW, SheetFace, SheetRow, draw_sheet

        rows = []
        for number, question in enumerate(questions, 1):
            likest = question.finding.reference_id if question.finding else None
            references = self._library.concepts.references(question.concept.id)
            references.sort(key=lambda one: one.photo.id != likest)
            size = (question.photo.width_px, question.photo.height_px)
            tiles = [SheetFace(question.photo.path, size, question.evidence.box or WHOLE_PHOTO)]
            some = references[: FACES_PER_ROW // 2]
            tiles += [tile_of(self._library, one.photo, question.concept.id) for one in some]
            rows.append(SheetRow(str(number), (f"{question.concept.name}?",), tuple(tiles)))
        with self._session.progress("Drawing the contact sheet") as on_progress:
            picture = draw_sheet(rows, on_progress=on_progress)
        save_copy(picture, self._sheet, is_forced=True)
        self._session.say(
            f"Saved {self._sheet}: each row is a question, with reference photos right of the photo."
        )

    def sum_up(self) -> None:
        """Say what was answered and what came of it."""
        answers = self._sitting.answers
        if not answers:
            return
        self._session.say(f"{count(len(answers), 'answer')} saved. To revert one, run `photopal undo`.")
        for effect in self._sitting.effects():
            parts = [f"found in {count(effect.gained, 'more photo')}"] if effect.gained else []
            if effect.lost:
                parts.append(f"no longer found in {count(effect.lost, 'photo')}")
            self._session.say(f"By these answers, {effect.concept.name} is {' and '.join(parts)}.")
        self._session.say("`photopal caption` writes new captions that follow what you said.")


def _as_json(library: Library, question: ReviewQuestion) -> dict[str, Any]:
    [entry] = explain_names(library, question.photo, [question.concept])
    return {"path": str(question.photo.path), **entry}
