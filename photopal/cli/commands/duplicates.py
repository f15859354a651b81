"""`photopal duplicates`: lists photos that are the same, nearly the same, or of one burst."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.text import count

Kind = Literal["copies", "alike", "burst"]


def duplicates(
    ctx: typer.Context,
    *,
    kind: Annotated[
        Kind | None, typer.Option(help="Only this kind: copies, alike or burst.", metavar="KIND")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List duplicate, near-duplicate and burst photos.

    There are three kinds of groups: copies (files with the same picture, whatever metadata they have), alike
    (resized, re-saved or slightly edited versions, the best first) and burst (photos taken one right after
    the other). Links to a file are not copies of it. Each line shows the group number, the kind and a path.
    Nothing is deleted.

    Examples:
      photopal duplicates
      photopal duplicates --kind alike --json
    """
    from photopal.ingest.duplicates import group_photos

    session = session_of(ctx)
    _fill_in_phashes(session)
    with session.library_to_read() as library, session.progress("Comparing photos"):
        groups = [group for group in group_photos(library) if kind in (None, group.kind)]
    if json:
        show_json(session.out, [{"kind": g.kind, "paths": [str(path) for path in g.paths]} for g in groups])
        return
    rows = [(f"{n}", group.kind, str(path)) for n, group in enumerate(groups, 1) for path in group.paths]
    show_listing(session.out, Listing(("group", "kind", "path"), rows))
    session.say(f"{count(len(groups), 'group')} of photos." if groups else "No duplicates found.")


def _fill_in_phashes(session: Session) -> None:
    """Make sure that every photo has a perceptual hash, also those an older photopal added."""
    from photopal.ingest.duplicates import fill_in_phashes

    with session.library_to_read() as library:
        is_complete = not library.photos.thumbnails_without_phash(1)
    if not is_complete:
        with session.progress("Looking at thumbnails"), session.library_to_write() as library:
            fill_in_phashes(library)
