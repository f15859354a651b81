"""`photopal restore`: replaces the library with a backup; a dry run without `--yes`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_listing

if TYPE_CHECKING:
    from photopal.progress import OnProgress


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Backup file to restore.", metavar="FILE")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Restore it; without this option, nothing is changed.")
    ] = False,
) -> None:
    """Replace the library with a backup.

    The current library is kept in a file next to it, even if it is damaged. Without --yes, only compares the
    two: how many photos, captions, concepts and reference photos each has, how many are only in the current
    library, or different there, and how many are only in the backup. For a damaged library, it only shows how
    many the backup has.

    Examples:
      photopal restore /mnt/disk/photopal.db
      photopal restore /mnt/disk/photopal.db --yes
    """
    from photopal.library.backup import check_backup, find_damage

    session = session_of(ctx)
    check_backup(file)
    damage = find_damage(session.settings.library_path)
    if not yes:
        if damage is not None:
            session.warn(f"{session.settings.library_path}: damaged: {damage}")
        show_listing(session.out, _differences(session, file, is_damaged=damage is not None))
        session.say("Dry run; nothing was changed. Use --yes to apply.")
        return
    with session.progress("Copying") as on_progress:
        aside = _restore(session, file, on_progress, is_damaged=damage is not None)
    kept = "previous" if damage is None else "damaged"
    session.say(f"Restored the library from {file}. The {kept} library is kept in {aside}.")


def _differences(session: Session, file: Path, *, is_damaged: bool) -> Listing:
    from photopal.library.backup import compare

    if is_damaged:
        return Listing(("what", "backup"), [(one.what, f"{one.backup:,}") for one in compare(None, file)])
    rows = [
        (one.what, f"{one.now:,}", f"{one.backup:,}", f"{one.only_now:,}", f"{one.only_backup:,}")
        for one in compare(session.settings.library_path, file)
    ]
    return Listing(("what", "now", "backup", "only now", "only in the backup"), rows)


def _restore(session: Session, file: Path, on_progress: OnProgress, *, is_damaged: bool) -> Path:
    from photopal.library.backup import replace_damaged
    from photopal.library.backup import restore as restore_library

    if is_damaged:
        return replace_damaged(session.settings.library_path, file, on_progress=on_progress)
    with session.library_to_write() as library:
        return restore_library(library, file, on_progress=on_progress)
