"""`photopal status`: says what is in the library."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import say_of_missing
from photopal.cli.output import Listing, show_json, show_listing


def status(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the library contains.

    Examples:
      photopal status
      photopal status --json
    """
    session = session_of(ctx)
    settings = session.settings
    with session.library_to_read() as library:
        counts = library.counts()
        edited = library.pictures.count_edited()
    facts: dict[str, object] = {
        **counts,
        "picture_changed": edited,
        "banks": sum(1 for _ in settings.banks_path.glob("*.bank.safetensors")),
        "library": str(settings.library_path),
        "model": settings.model,
    }
    if json:
        show_json(session.out, facts)
        return
    facts["size"] = f"{counts['size'] / 1e6:.1f} MB"
    rows = [
        (name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in facts.items()
    ]
    show_listing(session.out, Listing(("what", "value"), rows, has_header=False))
    say_of_missing(session, counts["missing"])
