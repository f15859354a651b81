"""`photopal gallery`: writes a page to look at photos, which opens without a server or a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.filters import CameraFilter, ConceptFilter, SinceFilter, UntilFilter
from photopal.cli.output import show_json, show_line
from photopal.cli.pages import open_page, save_page
from photopal.errors import ExitCode, NothingFoundError

_EVERY = 1 << 31


def gallery(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    query: Annotated[
        list[str] | None,
        typer.Argument(help="Words, names and dates, as in search.", metavar="QUERY", show_default=False),
    ] = None,
    *,
    into: Annotated[
        Path, typer.Option(help="Folder for the page: a new one, an empty one or a gallery.", metavar="DIR")
    ],
    concept: ConceptFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    camera: CameraFilter = None,
    title: Annotated[
        str | None, typer.Option(help="Title of the page; the query by default.", metavar="TEXT")
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the photos into DIR, so that it can be given away.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a page to look at your photos, with names, captions, search and filters.

    Writes a folder whose index.html opens in any browser, from your disk: no server, no network, nothing from
    elsewhere, and the page itself forbids every connection. It shows the photos of a query, all without one,
    with the boxes of everybody who was found, filters by person, place and year, a search as you type, a map
    of the places, and for each name why it is there.

    The page shows the thumbnails of the library and links to your photos where they are, which are only read.
    With --copy, the photos are copied into the folder too; without, the page has their paths. Running the
    command again replaces the gallery; a run that is stopped leaves the old one. A folder that has anything
    else in it is refused. Exits with code 3 if some photos could not be copied, with 4 if nothing is found.

    Examples:
      photopal gallery --into ~/gallery --open
      photopal gallery Rex last summer --into ~/rex
      photopal gallery --concept Anna --since 2020 --into /mnt/stick/anna --copy --title "For Anna"
    """
    from photopal.assistant.find import SearchOptions, explain_nothing, explain_reading, search_photos
    from photopal.gallery import check_folder

    session = session_of(ctx)
    words = " ".join(query or ())
    options = SearchOptions(tuple(concept or ()), since=since, until=until, camera=camera, limit=_EVERY)
    check_folder(into)
    with session.library_to_read() as library:
        photos = [hit.photo for hit in search_photos(library, words, options)]
        if not photos:
            if json:
                show_json(session.out, {"page": None, "photos": 0, "size_bytes": 0, "not_copied": []})
            what = f"no photo found for {words!r}" if words else "no photo found"
            raise NothingFoundError(what, hint=explain_nothing(library, words))
        for note in explain_reading(library, words, options):
            session.say(note, style="dim")
        report = save_page(session, library, photos, into, title=title or words or "Photos", copy=copy)
    if json:
        show_json(
            session.out,
            {
                "page": str(report.page),
                "photos": report.photos,
                "size_bytes": report.size_bytes,
                "not_copied": [{"path": str(path), "reason": reason} for path, reason in report.not_copied],
            },
        )
    else:
        show_line(session.out, str(report.page))
    if open_:
        open_page(session, report.page)
    if report.not_copied:
        raise typer.Exit(ExitCode.PARTIAL)
