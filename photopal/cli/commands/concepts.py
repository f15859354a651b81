"""`photopal concepts`: lists the people, pets and things that have a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_listing


def concepts(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the people, pets and things that have a name.

    If the current model could not register one of them, the reason is shown. Everything else works without
    it, and registration is tried again by every command that uses names.

    Examples:
      photopal concepts
      photopal concepts --json
    """
    from photopal.library.unregistered import reasons_kept

    session = session_of(ctx)
    settings = session.settings
    with session.library_to_read() as library:
        merged = library.concepts.merged_names()
        reasons = reasons_kept(settings.banks_path, settings.model_name)
        entries: list[dict[str, Any]] = [
            {
                "name": concept.name,
                "kind": concept.kind,
                "about": concept.about,
                "merged": merged.get(concept.id, []),
                "photos": [
                    str(reference.photo.path) for reference in library.concepts.references(concept.id)
                ],
                "not_registered": reasons.get(concept.id),
            }
            for concept in library.concepts.all()
        ]
    if json:
        show_json(session.out, entries)
        return
    if not entries:
        session.say("No concepts yet. Add one with `photopal add-concept NAME PHOTO...`.")
    rows = [
        (row["name"], row["kind"], str(len(row["photos"])), row["about"] or "", row["not_registered"] or "")
        for row in entries
    ]
    columns = ("name", "kind", "photos", "about", "not registered because")
    show_listing(session.out, Listing(columns, rows))
