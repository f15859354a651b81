"""`photopal backup`: copies the library into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import show_line


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write over an earlier backup.")] = False,
) -> None:
    """Copy the library into one file, checked, while everything else goes on.

    It holds names, reference photos, captions, the journal and all that is known of photos; not the photos
    themselves, and not what tune has learned. photopal restore puts it back.

    Examples:
      photopal backup /mnt/disk/photopal.db
    """
    from photopal.library.backup import back_up

    session = session_of(ctx)
    with session.library_to_read() as library, session.progress("Copying") as on_progress:
        back_up(library, file, is_forced=yes, on_progress=on_progress)
    show_line(session.out, _size(file))
    session.say(f"{file} is a whole copy. Put it back with: photopal restore FILE")


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:.1f} MB"
