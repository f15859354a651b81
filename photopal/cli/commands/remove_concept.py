"""`photopal remove-concept`: forgets a name; shows what would be forgotten until told `--yes`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import safe, show_line


def remove_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The name to forget.", metavar="NAME")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it, not only say it.")] = False,
) -> None:
    """Forget a person, pet or thing.

    Photos and captions stay. Without --yes nothing happens but a list of what would.

    Examples:
      photopal remove-concept Rex
      photopal remove-concept Rex --yes
    """
    session = session_of(ctx)
    if not yes:
        with session.library_to_read() as library:
            concept = library.concept(name)
            references = library.references(concept.id)
        show_line(
            session.out,
            safe(f"Would forget {concept.name} ({concept.kind}); its photos stay where they are:"),
        )
        for reference in references:
            show_line(session.out, safe(f"  {reference.photo.path}"))
        session.say("Nothing is changed yet. To do it, repeat the command with --yes.")
        return
    with session.library_to_write() as library:
        concept = library.concept(name)
        library.remove_concept(concept.name)
    session.say(
        f"{concept.name} is forgotten. Undo with: photopal restore-concept {shlex.quote(concept.name)}"
    )
