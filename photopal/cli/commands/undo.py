"""`photopal undo`: takes back what was changed, or shows the journal of it."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import UsageError


def undo(
    ctx: typer.Context,
    entry: Annotated[
        int | None,
        typer.Argument(
            help="Number of the journal entry to undo; the latest change by default.", metavar="ENTRY", min=1
        ),
    ] = None,
    *,
    show: Annotated[bool, typer.Option("--list", help="List the journal without changing anything.")] = False,
    limit: Annotated[
        int, typer.Option(help="With --list: maximum number of entries.", min=1, metavar="N")
    ] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Undo the latest change to names, reference photos, corrections, captions or dates.

    Sidecars that `photopal write-metadata` wrote are put back as well. Run it again to undo the change before
    that. Every change is an entry in the journal, and so is every undo: to redo a change, undo the entry that
    undid it.

    Examples:
      photopal undo
      photopal undo --list
      photopal undo 7
    """
    session = session_of(ctx)
    if show:
        if entry is not None:
            raise UsageError("--list cannot be used with an entry number")
        _list(session, limit, is_json=json)
        return
    with session.library_to_write() as library:
        made = library.history.undo(entry)
    if json:
        show_json(session.out, {"entry": made.id, "what": made.what, "undoes": made.undoes})
    session.say(f"{made.what[0].upper()}{made.what[1:]}. To reverse this, run `photopal undo {made.id}`.")


def _list(session: Session, limit: int, *, is_json: bool) -> None:
    with session.library_to_read() as library:
        entries = library.history.entries(limit)
    if is_json:
        columns = ("id", "made_at", "what", "undoes", "undone_by")
        show_json(session.out, [{name: getattr(entry, name) for name in columns} for entry in entries])
        return
    if not entries:
        session.say("No changes yet.")
    rows = [
        (
            str(e.id),
            e.made_at[:19].replace("T", " "),
            e.what,
            f"undone by {e.undone_by}" if e.undone_by is not None else "",
        )
        for e in entries
    ]
    show_listing(session.out, Listing(("entry", "when", "what", "state"), rows))
