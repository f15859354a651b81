"""Runs a watch for a command: signals, words on stderr, exit code; knows not what photos are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from photopal.errors import ExitCode
from photopal.text import count

if TYPE_CHECKING:
    from photopal.cli.context import Session
    from photopal.ingest.sync import LibrarySync
    from photopal.ingest.watch import WatchEvent, WatchOptions, WatchOutcome, WatchReport

_MOST_NAMED = 10


def run_watch(
    session: Session,
    folders: Sequence[Path],
    *,
    options: WatchOptions,
    on_photos: Callable[[Sequence[Path]], WatchOutcome | None],
    is_known: Callable[[Path], bool],
    sync: LibrarySync | None = None,
) -> None:
    """Watch folders until SIGINT or SIGTERM, or with `once` until all is done; tell what happens on stderr.

    Args:
        session: The command's.
        folders: What to watch.
        options: How to watch.
        on_photos: Takes photos that came to rest; see `watch_folders`.
        is_known: True for a photo that is done already.
        sync: Keeps the library in line with what goes from the folders.

    Raises:
        typer.Exit: With code 3, when some photos or folders failed.
        UsageError: No folder is named, or one of them is a file.
    """
    from photopal.ingest.watch import stop_on_signals, watch_folders
    from photopal.ingest.watch.status_file import StatusFile

    status = StatusFile(session.settings.watches_path, watched=folders)

    def tell(event: WatchEvent) -> None:
        status.note(event)
        _tell(session, event)
        if sync is not None:
            _pass_on(sync, event)

    with stop_on_signals() as stop, status:
        report = watch_folders(
            folders, options=options, on_photos=on_photos, on_event=tell, is_known=is_known, stop=stop
        )
        if sync is not None:
            sync.catch_up()
    _sum_up(session, report)
    if not report.is_complete:
        raise typer.Exit(ExitCode.PARTIAL)


def _pass_on(sync: LibrarySync, event: WatchEvent) -> None:
    """Pass on what concerns the library, which catches up about once a second."""
    if event.path is not None and event.kind == "skipped":
        sync.note_bad(event.path)
    elif event.path is not None and event.kind == "missing":
        sync.note_missing(event.path)
    elif event.path is not None and event.kind == "looked":
        sync.note_looked(event.path)
    elif event.kind == "backlog":
        sync.catch_up()


def _tell(session: Session, event: WatchEvent) -> None:
    """Put one event into a line: what is as it should be is silent with `--quiet`."""
    if event.kind in ("looked", "backlog"):
        return
    words = _words(event)
    if event.kind in ("watching", "back", "handed", "missing"):
        session.say(words)
        return
    session.warn(words)
    if event.kind == "sidecar":
        session.say("Save it again in the program that wrote it, or replace it with a copy.")
    if event.hint:
        session.warn(f"Hint: {event.hint}", style="")


def _words(event: WatchEvent) -> str:
    photos, path, reason = count(event.count, "photo"), event.path, event.reason
    match event.kind:
        case "watching":
            return f"Watching {path}."
        case "polling":
            return f"Watching {path} by polling: {reason}."
        case "gone":
            return f"{path}: {reason}; waiting for it to come back."
        case "back":
            return f"{path} is back{': ' if reason else ''}{reason}."
        case "handed":
            return f"{photos} done."
        case "skipped":
            return f"Skipped {path}: {reason}"
        case "sidecar":
            return f"{path}: {reason}"
        case "failed":
            return f"{photos} failed, retrying in {event.retry_s or 0:.0f} s: {reason}"
        case "given up":
            return f"Giving up on {photos}: {reason}"
        case _:
            return f"{path} was deleted or moved away."


def _sum_up(session: Session, report: WatchReport) -> None:
    """Say at the end what was done and what is left."""
    waiting = f", {count(report.waiting, 'photo')} left for the next run" if report.waiting else ""
    session.say(f"{count(report.handed, 'photo')} done{waiting}.")
    for folder in report.offline:
        session.warn(f"{folder} was still unavailable at the end.")
    failed = [*report.given_up, *report.skipped]
    for skipped in failed[:_MOST_NAMED]:
        session.warn(f"Not done: {skipped.path}: {skipped.reason}")
    if len(failed) > _MOST_NAMED:
        session.warn(f"… and {count(len(failed) - _MOST_NAMED, 'more file')}.")
