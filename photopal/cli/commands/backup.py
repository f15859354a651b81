"""`photopal backup`: copies the library into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import show_line


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Backup file to write.", metavar="FILE")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it is a backup.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", hidden=True)] = False,
) -> None:
    """Back up the library to a single file.

    The backup contains names, reference photos, captions, the journal and all other photo data. It does not
    contain the photos themselves or the results of `photopal tune`. The copy is verified, and other commands
    can run meanwhile. Use `photopal restore` to restore it.

    Examples:
      photopal backup /mnt/disk/photopal.db
    """
    from photopal.library.backup import back_up

    session = session_of(ctx)
    with session.library_to_read() as library, session.progress("Copying") as on_progress:
        back_up(library, file, force=force or yes, on_progress=on_progress)
    show_line(session.out, f"{file.stat().st_size / 1e6:.1f} MB")
    session.say(f"Backed up to {file}. To restore it, run `photopal restore FILE`.")
