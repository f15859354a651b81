"""`photopal restore`: puts a backup in the place of the library; says what that means until told `--yes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_listing


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that photopal backup wrote.", metavar="FILE")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it, not only say it.")] = False,
) -> None:
    """Put a backup in the place of the library.

    The library as it was is kept in a file beside it. Without --yes nothing happens but a look at both.

    Examples:
      photopal restore /mnt/disk/photopal.db
      photopal restore /mnt/disk/photopal.db --yes
    """
    from photopal.library.backup import check_backup
    from photopal.library.backup import restore as restore_library

    session = session_of(ctx)
    check_backup(file)
    if not yes:
        _show_both(session, file)
        session.say("Nothing is changed yet. To do it, repeat the command with --yes.")
        return
    with session.library_to_write() as library, session.progress("Copying") as on_progress:
        aside = restore_library(library, file, on_progress=on_progress)
    session.say(f"The library is as {file} has it. What it was before is kept in {aside}")


def _show_both(session: Session, file: Path) -> None:
    from photopal.library.backup import peek

    here = session.settings.library_path
    there, present = peek(file), peek(here) if here.exists() else {}
    rows = [(name, f"{present.get(name, 0):,}", f"{number:,}") for name, number in there.items()]
    show_listing(session.out, Listing(("what", "now", "backup"), rows))
