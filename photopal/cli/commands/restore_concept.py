"""`photopal restore-concept`: takes back a removal."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.sidecars import say_of_return


def restore_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name that was removed.", metavar="NAME")],
) -> None:
    """Restore a removed person, pet or thing.

    It comes back with its reference photos and everything that was found for it.

    Examples:
      photopal restore-concept Rex
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        concept = library.concepts.restore(name)
        session.say(f"Restored {concept.name}.")
        say_of_return(session, library, concept.id, concept.name)
