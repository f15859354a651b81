"""`photopal rename-concept`: gives a person, pet or thing another name."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of


def rename_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The name it has.", metavar="NAME")],
    new_name: Annotated[str, typer.Argument(help="The name it gets.", metavar="NEW_NAME")],
) -> None:
    """Give a person, pet or thing another name.

    Nothing learned is lost, and captions that have the old name get the new one. photopal undo takes it back.

    Examples:
      photopal rename-concept Rex "Rex the Second"
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        old = library.concept(name).name
        new = library.rename_concept(old, new_name).name
    session.say(f"{old} is now {new}. Undo with: photopal undo")
