"""`photopal search`: finds photos by words, names, dates and camera."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import NothingFoundError, UsageError

if TYPE_CHECKING:
    from photopal.library import SearchHit


def search(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    query: Annotated[
        list[str] | None, typer.Argument(help="Words, names and dates.", metavar="QUERY", show_default=False)
    ] = None,
    *,
    concept: Annotated[
        list[str] | None,
        typer.Option(help="Only photos with them; may be repeated.", metavar="NAME"),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this day, month or year.", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, month or year.", metavar="DATE")] = None,
    camera: Annotated[str | None, typer.Option(help="Part of the camera's name.", metavar="TEXT")] = None,
    limit: Annotated[int, typer.Option(help="The most photos to print.", min=1, metavar="N")] = 50,
    offset: Annotated[int, typer.Option(help="Pass over the first N photos.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print paths only, one a line.")] = False,
) -> None:
    """Find photos by words, names, dates and camera.

    Words are looked for in captions, names, places and file names, the last one also as the beginning of a
    word; "in quotes" they stand side by side, and -word must not be there. A name counts as the person, pet
    or thing of that name. A date is 2024, 2024-07, July 2023, yesterday, last summer, before 2020 and the
    like; Christmas or July alone is every year's. Photos with a word in a name come first, those with it in a
    file's name only last, and the newest first among the rest. Ends with code 4 when nothing is found.

    Examples:
      photopal search Rex on the beach last summer
      photopal search 'Anna "birthday cake" -garden christmas'
      photopal search "birthday cake" --concept Anna --since 2023 --until 2024-06
      photopal search --camera Canon --paths
    """
    from photopal.assistant.find import SearchOptions, explain_nothing, search_photos

    if json and paths:
        raise UsageError("--json and --paths cannot be used together")
    session = session_of(ctx)
    words = " ".join(query or ())
    options = SearchOptions(
        tuple(concept or ()), since=since, until=until, camera=camera, limit=limit + 1, offset=offset
    )
    with session.library_to_read() as library:
        hits = search_photos(library, words, options)
        hint = None if hits else explain_nothing(library, words)
    _show_hits(session, hits[:limit], is_json=json, is_paths=paths)
    if not hits:
        what = f"no photo found for {words!r}" if words else "no photo found"
        raise NothingFoundError(f"no more photos than {offset:,}, or {what}" if offset else what, hint=hint)
    if len(hits) > limit:
        session.say(f"There are more; see them with --offset {offset + limit}.", style="dim")


def _show_hits(session: Session, hits: list[SearchHit], *, is_json: bool, is_paths: bool) -> None:
    if is_json:
        show_json(session.out, [_hit_as_json(hit) for hit in hits])
    elif is_paths:
        for hit in hits:
            # Bytes, because a file name may hold what no encoding can print.
            typer.echo(os.fsencode(hit.photo.path))
    else:
        rows = [
            (str(hit.photo.path), (hit.photo.taken_at or "")[:10], ", ".join(hit.names), hit.caption or "")
            for hit in hits
        ]
        show_listing(session.out, Listing(("photo", "taken", "who", "caption"), rows))


def _hit_as_json(hit: SearchHit) -> dict[str, Any]:
    photo = hit.photo
    return {
        "path": str(photo.path),
        "taken_at": photo.taken_at,
        "names": hit.names,
        "caption": hit.caption,
        "place": photo.place,
        "camera": photo.camera,
        "latitude": photo.latitude,
        "longitude": photo.longitude,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
    }
