"""`photopal restore`: replaces the library with a backup; a dry run without `--yes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_listing


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Backup file to restore.", metavar="FILE")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Restore it; without this option, nothing is changed.")
    ] = False,
) -> None:
    """Replace the library with a backup.

    The current library is kept in a file next to it. Without --yes, only compares the two: how many photos,
    captions, concepts and reference photos each has, how many are only in the current library, or different
    there, and how many are only in the backup.

    Examples:
      photopal restore /mnt/disk/photopal.db
      photopal restore /mnt/disk/photopal.db --yes
    """
    from photopal.library.backup import check_backup
    from photopal.library.backup import restore as restore_library

    session = session_of(ctx)
    check_backup(file)
    if not yes:
        from photopal.library.backup import compare

        rows = [
            (one.what, f"{one.now:,}", f"{one.backup:,}", f"{one.only_now:,}", f"{one.only_backup:,}")
            for one in compare(session.settings.library_path, file)
        ]
        show_listing(session.out, Listing(("what", "now", "backup", "only now", "only in the backup"), rows))
        session.say("Dry run; nothing was changed. Use --yes to apply.")
        return
    with session.library_to_write() as library, session.progress("Copying") as on_progress:
        aside = restore_library(library, file, on_progress=on_progress)
    session.say(f"Restored the library from {file}. The previous library is kept in {aside}.")
