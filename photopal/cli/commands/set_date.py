"""`photopal set-date`: says when a photo was taken, as far as it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import photo_named
from photopal.cli.output import show_json


def set_date(
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A photo in the library.", metavar="PHOTO")],
    date: Annotated[str, typer.Argument(help="A year, month, day or time.", metavar="DATE")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Set when a photo was taken, as exactly as you know it.

    The date counts before all dates in the file, beside it and in its name; the file itself is not changed. A
    scan can be dated by its year or month only. `photopal undo` reverts the change.

    Examples:
      photopal set-date grandma.jpg "about 1974"
      photopal set-date beach.jpg 1974-07
      photopal set-date party.jpg "3 July 1974"
    """
    from photopal.assistant.date_taken import read_date_taken

    session = session_of(ctx)
    taken_at = read_date_taken(date)
    with session.library_to_write() as library:
        record = photo_named(library, photo)
        known = library.facts.set_date(record.id, taken_at, path=record.path)
    if json:
        facts = {"path": str(record.path), "taken_at": known.at, "taken_certainty": known.certainty}
        show_json(session.out, facts)
    about = "about " if known.certainty == "year" else ""
    session.say(f"Date of {record.path} set to {about}{known.at}. To revert, run `photopal undo`.")
