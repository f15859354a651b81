"""`photopal ask`: answers questions about photos, or about the whole library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import list_photos, read_paths, warn_of_skipped
from photopal.cli.loading import open_assistant, open_library
from photopal.cli.output import safe, show_json, show_line
from photopal.errors import ExitCode, NothingFoundError, PhotoError
from photopal.text import join_words

if TYPE_CHECKING:
    from photopal.photos import Skipped


def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="The question, in your own words.", metavar="QUESTION")],
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Photos or folders to ask about, - for paths on stdin; the whole library by default.",
            metavar="PHOTO",
        ),
    ] = None,
    *,
    limit: Annotated[
        int,
        typer.Option(
            help="Maximum number of photos, places or names to list for a question about the library.",
            min=1,
            metavar="N",
        ),
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a question about photos, or about the whole library.

    With photos, the model looks at each one and answers, using the names it knows; a name that is also a
    word, such as Rose, counts only where it stands for somebody. When a photo was taken, with which camera
    and, where it has a position, in which place is answered from its record and not by the model. Of photos
    that it does not understand, the answer is what is known: who is there by face, looks and your own words,
    how many faces there are, where and when they were taken, and what their files say; Yes or No is said only
    to whether somebody is there.
    Without photos, questions about names, dates, counts and places are answered exactly from the library; the
    model only looks at the few photos that remain, and the answer lists the photos it is based on. "Not",
    "without", "more than" and the like are understood or refused; words that are neither names, dates nor
    places are looked for in captions and quoted in the answer. A month, season or holiday without a year
    means every year, "from Saturday" and "the weekend" every week, and "on Saturday" the latest; early, mid
    and late 2023, and morning, evening or night, are the days or hours that the answer names. Simple
    questions can also be asked in German, French, Spanish, Italian, Chinese and Japanese. Exits with code 4
    if nothing matches.

    Examples:
      photopal ask "What is Rex doing?" beach.jpg
      photopal ask "When did I last see Anna with Rex?"
      photopal ask "How many photos of Anna are there from 2023?"
      photopal ask "Did I take more photos in 2022 or 2023?"
      photopal ask "Show me photos of Anna without Ben at Christmas" --limit 100
    """
    session = session_of(ctx)
    if photos:
        from photopal.assistant.query.parser import refuse_empty

        refuse_empty(question)
        _ask_photos(session, question, read_paths(photos), is_json=json)
    else:
        _ask_library(session, question, limit=limit, is_json=json)


def _ask_library(session: Session, question: str, *, limit: int, is_json: bool) -> None:
    from photopal.assistant.ask import AskOptions, ask_library

    with session.library_to_read() as library:
        answer = ask_library(
            library,
            question,
            open_assistant=lambda: open_assistant(session, library),
            options=AskOptions(most_cited=limit),
            on_text=None if is_json else _streaming(session),
        )
    if is_json:
        facts = {"answer": answer.text, "total": answer.total, "is_from_model": answer.is_from_model}
        show_json(session.out, {**facts, "photos": [str(photo.path) for photo in answer.photos]})
    else:
        show_line(session.out, "")
        for photo in answer.photos:
            show_line(session.out, f"  {safe(str(photo.path))}")
    if not answer.total:
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _ask_photos(session: Session, question: str, paths: Sequence[Path], *, is_json: bool) -> None:
    from photopal.photos import Skipped

    skipped: list[Skipped] = []
    answers: list[dict[str, Any]] = []
    with open_library(session) as library:
        found = list(list_photos(library, paths, on_skip=skipped.append))
        if not found and not skipped:
            if is_json:
                show_json(session.out, [])
            raise NothingFoundError(f"{join_words([str(path) for path in paths[:3]])}: no photos")
        assistant = open_assistant(session, library)
        from photopal.assistant.ask import ask_photo
        from photopal.assistant.known import look_at

        for path in found:
            try:
                analysis = look_at(library, assistant, path)
            except PhotoError as error:
                skipped.append(Skipped.by(path, error))
                continue
            if len(found) > 1 and not is_json:
                show_line(session.out, f"{safe(str(path))}:")
            on_text = None if is_json else _streaming(session)
            answer = ask_photo(assistant, analysis, question, on_text=on_text)
            answers.append(
                {
                    "path": str(path),
                    "answer": answer.text,
                    "names": answer.names,
                    "is_from_model": answer.is_from_model,
                }
            )
            if not is_json:
                show_line(session.out, "")
    if is_json:
        show_json(session.out, answers)
    warn_of_skipped(session, skipped)
    if skipped:
        raise typer.Exit(ExitCode.PARTIAL if answers else ExitCode.ERROR)


def _streaming(session: Session) -> Callable[[str], None]:
    """Print pieces of text as they come, line ends as they are, all else made harmless."""

    def show(piece: str) -> None:
        session.out.file.write("\n".join(safe(line) for line in piece.split("\n")))
        session.out.file.flush()

    return show
