"""`photopal watch-status`: shows the progress of running watches."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import NothingFoundError

if TYPE_CHECKING:
    from photopal.ingest.watch.status_file import WatchStatus


def watch_status(
    ctx: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the progress of running watches.

    For each watch: its folders and how changes are detected, photos waiting, speed, time left, and the last
    error. Exits with code 4 if no watch is running.

    Examples:
      photopal watch-status
      photopal watch-status --json
    """
    from photopal.ingest.watch.status_file import read_statuses

    session = session_of(ctx)
    statuses = read_statuses(session.settings.watches_path)
    if json:
        show_json(session.out, [asdict(status) for status in statuses])
    if not statuses:
        raise NothingFoundError("no watch is running", hint="photopal caption --watch FOLDER")
    if not json:
        rows = [row for status in statuses for row in _rows(status)]
        show_listing(session.out, Listing(("what", "value"), rows, has_header=False))


def _rows(status: WatchStatus) -> list[tuple[str, str]]:
    rate = "not known yet" if status.per_minute is None else f"{status.per_minute:g} a minute"
    return [
        ("watch", f"process {status.pid}, since {status.started_at}"),
        *(
            ("folder", f"{folder.path} ({folder.state}{': ' if folder.reason else ''}{folder.reason})")
            for folder in status.folders
        ),
        ("backlog", f"{status.backlog:,}"),
        ("done", f"{status.done:,}"),
        ("skipped", f"{status.skipped:,}"),
        ("rate", rate),
        ("time left", "not known yet" if status.eta_s is None else _duration(status.eta_s)),
        ("last error", f"{status.last_error_at} {status.last_error}" if status.last_error else "none"),
        ("as of", status.updated_at),
    ]


def _duration(seconds: float) -> str:
    """Write a length of time as hours, minutes and seconds: `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
