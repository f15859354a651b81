"""`photopal problems`: lists the files that could not be read, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import unknown_photo
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.sidecars import UNREAD_SIDECARS_HINT
from photopal.text import count


def problems(
    ctx: typer.Context,
    *,
    confirm: Annotated[
        list[Path] | None,
        typer.Option(
            help="Photo whose picture changed but whose caption and names still fit; can be repeated.",
            metavar="PHOTO",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List files that could not be read, with the reason.

    Sidecars that could not be read are listed too; their photos are in the library all the same.

    Photos that could be read but appear to be damaged are listed too. So are photos whose picture was edited
    after you captioned or named them, until you confirm what you said or edit the caption.

    Examples:
      photopal problems
      photopal problems --confirm party.jpg
      photopal problems --json
    """
    from photopal.photos.picasa import is_picasa_named
    from photopal.photos.sidecars import is_sidecar_named

    session = session_of(ctx)
    if confirm:
        _confirm(session, confirm, is_json=json)
        return
    with session.library_to_read() as library:
        found = library.paths.problems()
    if json:
        facts = [
            {
                "path": str(problem.path),
                "reason": problem.reason,
                "seen_at": problem.seen_at,
                "is_readable": problem.is_note,
            }
            for problem in found
        ]
        show_json(session.out, facts)
        return
    if not found:
        session.say("No problems found.")
    rows = [
        (
            str(problem.path),
            f"{'readable, but: ' if problem.is_note else ''}{problem.reason}",
            problem.seen_at,
        )
        for problem in found
    ]
    show_listing(session.out, Listing(("path", "reason", "seen_at"), rows))
    names = [problem.path.name for problem in found]
    if any(is_sidecar_named(name) or is_picasa_named(name) for name in names):
        session.say(UNREAD_SIDECARS_HINT)


def _confirm(session: Session, paths: list[Path], *, is_json: bool) -> None:
    with session.library_to_write() as library, library.writing():
        rows = [(path, library.photos.at(path)) for path in paths]
        for path, row in rows:
            if row is None:
                raise unknown_photo(path)
        confirmed = sum(library.pictures.confirm(row.id) for _, row in rows if row is not None)
    if is_json:
        show_json(session.out, {"confirmed": confirmed})
    session.say(f"Confirmed {count(confirmed, 'photo')}.")
