"""`photopal remove-concept`: removes a name; a dry run without `--yes`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import safe, show_line
from photopal.cli.sidecars import SidecarsOption, change_sidecars, say_of_sidecars


def remove_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name to remove.", metavar="NAME")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Remove it; without this option, nothing is changed.")
    ] = False,
    sidecars: SidecarsOption = None,
) -> None:
    """Remove a person, pet or thing.

    Photos and captions are kept, and so are sidecars: with --sidecars, the name is taken out of those that
    `photopal write-metadata` wrote. `photopal restore-concept` brings the name back. Without --yes, only
    shows what would be removed.

    Examples:
      photopal remove-concept Rex
      photopal remove-concept Rex --yes
    """
    session = session_of(ctx)
    if not yes:
        with session.library_to_read() as library:
            concept = library.concepts.get(name)
            show_line(
                session.out,
                safe(f"Would remove {concept.name} ({concept.kind}). Its reference photos are kept:"),
            )
            for reference in library.concepts.references(concept.id):
                show_line(session.out, safe(f"  {reference.photo.path}"))
            say_of_sidecars(session, library, concept.name)
        session.say("Dry run; nothing was changed. Use --yes to apply.")
        return
    with session.library_to_write() as library:
        concept = library.concepts.get(name)
        library.concepts.remove(concept.name)
        session.say(
            f"Removed {concept.name}. To undo, run `photopal restore-concept {shlex.quote(concept.name)}`."
        )
        change_sidecars(session, library, concept.name, is_wanted=sidecars)
