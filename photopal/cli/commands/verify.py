"""`photopal verify`: checks the library for damage and missing files."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import say_of_missing
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import ExitCode
from photopal.text import count


def verify(
    ctx: typer.Context,
    *,
    contents: Annotated[
        bool, typer.Option("--contents", help="Read every file completely and compare its contents.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the library for damage and missing files.

    Checks the library file, every thumbnail, and whether every photo file exists unchanged. Photos that
    `photopal index` marked as missing are only counted. Nothing is modified. Exits with code 3 if there is a
    problem with a photo's file or thumbnail, and with code 1 if the library file is damaged.

    Examples:
      photopal verify
      photopal verify --contents --json
    """
    from photopal.library.integrity import check_library

    session = session_of(ctx)
    with session.library_to_read() as library, session.progress("Checking") as on_progress:
        report = check_library(library, with_contents=contents, on_progress=on_progress)
    rows = [(str(finding.path), finding.reason) for finding in report.findings]
    if json:
        findings = [{"path": path, "reason": reason} for path, reason in rows]
        facts = {
            "photos": report.photos,
            "files": report.files,
            "missing": report.missing,
            "faults": report.faults,
            "findings": findings,
        }
        show_json(session.out, facts)
    else:
        show_listing(session.out, Listing(("path", "problem"), rows))
    for fault in report.faults:
        session.warn(f"Library file damaged: {fault}")
    good = "no problems found" if not (rows or report.faults) else count(len(rows), "problem")
    session.say(f"{count(report.photos, 'photo')} with {count(report.files, 'file')}: {good}.")
    say_of_missing(session, report.missing)
    if report.faults:
        raise typer.Exit(ExitCode.ERROR)
    if rows:
        raise typer.Exit(ExitCode.PARTIAL)
