"""`photopal concepts`: lists the people, pets and things that have a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from photopal.cli.screen import Listing, show_json, show_listing
from photopal.cli.session import session_of


def concepts(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the people, pets and things that have a name.

    Examples:
      photopal concepts
      photopal concepts --json
    """
    session = session_of(ctx)
    with session.library_to_read() as library:
        entries: list[dict[str, Any]] = [
            {
                "name": concept.name,
                "kind": concept.kind,
                "about": concept.about,
                "photos": [str(reference.photo.path) for reference in library.references(concept.id)],
            }
            for concept in library.concepts()
        ]
    if json:
        show_json(session.out, entries)
        return
    if not entries:
        session.say("Nobody has a name yet. Give one with: photopal add-concept NAME PHOTO…")
    rows = [(row["name"], row["kind"], str(len(row["photos"])), row["about"] or "") for row in entries]
    show_listing(session.out, Listing(("name", "kind", "photos", "about"), rows))
