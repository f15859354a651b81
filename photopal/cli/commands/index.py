"""`photopal index`: reads folders of photos into the library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import say_what_is_left_out, warn_of_offline
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.sidecars import UNREAD_SIDECARS_HINT, say_of_parts
from photopal.errors import ExitCode, UsageError
from photopal.files import is_file
from photopal.text import count

if TYPE_CHECKING:
    from photopal.faces import FaceDetector, ScanReport
    from photopal.ingest.report import IndexReport

_COUNTS = ("added", "changed", "moved", "revived", "removed", "unchanged")
_MOST_NAMED = 10
_WATCHED_AT_ONCE = 100


def index(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folders: Annotated[list[Path], typer.Argument(help="Folders or photos to add.", metavar="FOLDER")],
    *,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Mark photos as missing even if most of a folder has disappeared."
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave out files or folders, as in .gitignore; remembered for each folder.", metavar="GLOB"
        ),
    ] = None,
    no_exclude: Annotated[
        bool, typer.Option("--no-exclude", help="Forget what --exclude left out before.")
    ] = False,
    faces: Annotated[
        bool,
        typer.Option("--faces", help="Also search all photos of the library for faces, each photo once."),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running and add new photos as they arrive.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --watch: exit when everything is done.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add folders of photos to the library.

    Records dates, cameras, places and thumbnails; your photos are never changed. You can run it again at any
    time: only new and changed files are read, moved files keep their data, and nothing is lost while a folder
    is unavailable. A photo is known by its picture: whatever other programs write into its file, your
    captions and names stay. If they change the picture itself, `photopal problems` lists the photo. Exits
    with code 3 if some files or folders could not be read, and if a folder is unavailable or most of its
    photos have disappeared.

    Dates, positions, keywords, titles, ratings, persons and faces are taken from EXIF, XMP and IPTC, from XMP
    sidecars and Google Takeout's JSON beside a photo, and dates also from file names. Sidecars that cannot be
    read are named. Hidden files, trash, folders with a .nomedia file, and what a .photopalignore file lists
    (as in .gitignore) are left out.

    With --faces, photos are then searched for faces, about one per second; the search continues where it was
    interrupted. What is found stays in the library on this machine.

    Examples:
      photopal index ~/Pictures
      photopal index ~/Pictures /mnt/camera --json
      photopal index ~/Pictures --exclude 'Screenshots/' --exclude '*.gif'
      photopal index ~/Pictures --faces
      photopal index --watch ~/Pictures
    """
    from photopal.ingest.indexer import index_folders

    session = session_of(ctx)
    if once and not watch:
        raise UsageError("--once requires --watch")
    if exclude and no_exclude:
        raise UsageError("--exclude and --no-exclude cannot be used together")
    globs = [] if no_exclude else exclude or None
    if watch:
        if accept_loss or json or globs is not None:
            raise UsageError("--accept-loss, --exclude and --json cannot be used with --watch")
        _index_watched(session, folders, once=once, with_faces=faces)
        return
    _refuse_what_never_was(session, folders)
    # What the machine lacks is told before an hour of reading.
    detector = _load_detector(session) if faces else None
    with session.library_to_write() as library, session.progress("Reading photos") as on_progress:
        report = index_folders(
            library, folders, on_progress=on_progress, accept_loss=accept_loss, globs=globs
        )
    scan = None if detector is None else _find_faces(session, detector)
    if json:
        show_json(session.out, _report_as_json(report, scan))
    else:
        show_listing(session.out, _report_as_listing(report, scan))
    if report.edited:
        session.say(
            f"The picture of {count(report.edited, 'photo')} changed; what you said of "
            f"{'it' if report.edited == 1 else 'them'} was kept. Check with `photopal problems`."
        )
    say_of_parts(session, report.parts)
    say_what_is_left_out(session, report.left_out)
    _warn_of_gaps(session, report)
    if report.skipped or report.offline:
        raise typer.Exit(ExitCode.PARTIAL)


def _load_detector(session: Session) -> FaceDetector:
    from photopal.faces import load_detector

    with session.progress("Loading the face detector"):
        return load_detector()


def _find_faces(session: Session, detector: FaceDetector) -> ScanReport:
    from photopal.faces import scan_library

    with session.library_to_write() as library, session.progress("Finding faces") as on_progress:
        report = scan_library(library, detector=detector, on_progress=on_progress)
        if report.faces and library.concepts.all():
            from photopal.assistant.evidence import compare_faces

            compare_faces(library)
        return report


def _index_watched(session: Session, folders: Sequence[Path], *, once: bool, with_faces: bool) -> None:
    from photopal.cli.watching import run_watch
    from photopal.ingest.sync import LibrarySync
    from photopal.ingest.watch import WatchOptions, WatchOutcome

    detector = _load_detector(session) if with_faces else None
    with session.library_to_write() as library:
        sync = LibrarySync(library)

        def take(paths: Sequence[Path]) -> WatchOutcome:
            report = sync.take(paths)
            if detector is not None:
                from photopal.faces import scan_library

                photos = [photo for path in paths if (photo := library.photos.at(path)) is not None]
                scan_library(library, detector=detector, photos=photos)
            return WatchOutcome(skipped=report.skipped, unread_sidecars=report.unread_sidecars)

        options = WatchOptions(once=once, batch_size=_WATCHED_AT_ONCE, globs=library.facts.globs())
        run_watch(session, folders, options=options, on_photos=take, is_known=sync.has, sync=sync)


def _refuse_what_never_was(session: Session, folders: Sequence[Path]) -> None:
    """Refuse a path at which there is nothing and never was: a mistyped one, not a drive that is away.

    Raises:
        UsageError: With the path.
    """
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    if missing and is_file(session.settings.library_path):
        with session.library_to_read() as library:
            missing = [folder for folder in missing if not library.paths.has_seen(folder)]
    if missing:
        raise UsageError(f"{missing[0]}: does not exist", hint="Check the path; nothing was indexed.")


def _report_as_json(report: IndexReport, scan: ScanReport | None) -> dict[str, Any]:
    found = {} if scan is None else {"searched_for_faces": scan.photos, "faces": scan.faces}
    return {
        **{name: getattr(report, name) for name in _COUNTS},
        "edited": report.edited,
        "skipped": [{"path": str(skipped.path), "reason": skipped.reason} for skipped in report.skipped],
        "unread_sidecars": [
            {"path": str(sidecar.path), "reason": sidecar.reason} for sidecar in report.unread_sidecars
        ],
        "left_out": dict(report.left_out),
        "offline": [str(root) for root in report.offline],
        **found,
    }


def _report_as_listing(report: IndexReport, scan: ScanReport | None) -> Listing:
    rows = [(name, f"{getattr(report, name):,}") for name in _COUNTS]
    rows.append(("skipped", f"{len(report.skipped):,}"))
    if scan is not None:
        rows += [("searched for faces", f"{scan.photos:,}"), ("faces", f"{scan.faces:,}")]
    return Listing(("photos", "number"), rows, has_header=False)


def _warn_of_gaps(session: Session, report: IndexReport) -> None:
    warn_of_offline(session, report.offline)
    _warn_of_each(session, [f"Skipped {each.path}: {each.reason}" for each in report.skipped])
    _warn_of_each(session, [f"{each.path}: {each.reason}" for each in report.unread_sidecars])
    if report.unread_sidecars:
        session.say(UNREAD_SIDECARS_HINT)


def _warn_of_each(session: Session, warnings: Sequence[str]) -> None:
    for warning in warnings[:_MOST_NAMED]:
        session.warn(warning)
    if len(warnings) > _MOST_NAMED:
        more = count(len(warnings) - _MOST_NAMED, "more file")
        session.warn(f"... and {more}; run `photopal problems` to list them all.")
