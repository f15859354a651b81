"""`photopal rename-concept`: gives a person, pet or thing another name."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.sidecars import SidecarsOption, change_sidecars


def rename_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Current name.", metavar="NAME")],
    new_name: Annotated[str, typer.Argument(help="New name.", metavar="NEW_NAME")],
    *,
    sidecars: SidecarsOption = None,
) -> None:
    """Rename a person, pet or thing.

    Nothing learned is lost: files and captions you wrote that have the old name count as before, unless you
    give that name to somebody else. Captions with the old name, spelled exactly so, are updated; with
    --sidecars, so are the sidecars that `photopal write-metadata` wrote. `photopal undo` reverts the change.

    Examples:
      photopal rename-concept Rex "Rex the Second"
    """
    from photopal.assistant.find import explain_name

    session = session_of(ctx)
    with session.library_to_write() as library:
        old = library.concepts.get(name).name
        new = library.concepts.rename(old, new_name).name
        warning = explain_name(library, new)
        session.say(f"Renamed {old} to {new}. To revert, run `photopal undo`.")
        if warning:
            session.warn(warning)
        change_sidecars(session, library, old, is_wanted=sidecars)
