"""`photopal problems`: lists the files that could not be read, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_listing


def problems(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List files that could not be read, with the reason.

    Photos that could be read but appear to be damaged are listed too.

    Examples:
      photopal problems
      photopal problems --json
    """
    session = session_of(ctx)
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
