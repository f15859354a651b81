"""`photopal problems`: lists the files that could not be read, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.screen import Listing, show_json, show_listing
from photopal.cli.session import session_of


def problems(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the files that could not be read, and why.

    Examples:
      photopal problems
      photopal problems --json
    """
    session = session_of(ctx)
    with session.library_to_read() as library:
        found = [(str(problem.path), problem.reason, str(problem.seen_at)) for problem in library.problems()]
    columns = ("path", "reason", "seen_at")
    if json:
        show_json(session.out, [dict(zip(columns, row, strict=True)) for row in found])
        return
    if not found:
        session.say("No problems: every file found could be read.")
    show_listing(session.out, Listing(columns, found))
