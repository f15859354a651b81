"""`photopal search`: finds photos by words, names, dates and camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.filters import CameraFilter, ConceptFilter, SinceFilter, UntilFilter
from photopal.cli.inputs import show_paths
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.pages import open_page, save_page
from photopal.cli.terminal import NO_PICTURES, show_photos
from photopal.errors import NothingFoundError, UsageError

if TYPE_CHECKING:
    from photopal.library import Library, PhotoRecord, SearchHit


def search(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    query: Annotated[
        list[str] | None, typer.Argument(help="Words, names and dates.", metavar="QUERY", show_default=False)
    ] = None,
    *,
    concept: ConceptFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    camera: CameraFilter = None,
    limit: Annotated[int, typer.Option(help="Maximum number of photos.", min=1, metavar="N")] = 50,
    offset: Annotated[int, typer.Option(help="Skip the first N photos.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one per line.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help=NO_PICTURES)] = False,
    open_: Annotated[bool, typer.Option("--open", help="Also show the photos in your browser.")] = False,
) -> None:
    """Find photos by words, names, dates and camera.

    Searches captions, names, places, file names, and the keywords, titles, descriptions and persons in the
    files; the last word can be incomplete. "Quoted words" match as a phrase, and -word, "no word" and
    "without word" exclude photos. A name matches photos of that person, pet or thing; people, pets and nobody
    match any or none of them; a camera matches its photos. Dates can be written as 2024, 2024-07, July 2023,
    yesterday, last summer, early 2023 or before 2020; Christmas or July alone matches every year, and weekend
    or Monday every week. "In the evening" and "after 22:00" go by the local time taken, and rating:5 or "at
    least 4 stars" by the rating in the file. If a name is also a place, a month or a word, a note says which
    was taken. Matches in names come first, then captions, places and keywords, then file names; newest photos
    first, or the oldest for "oldest photos". If no photo has all the words as typed, their other forms count,
    as balloon for balloons; "quoted words" stay as they are. With --open, the listed photos are also shown on
    a page in your browser, as `photopal gallery` writes it, from a folder in the home folder. Exits with code
    4 if nothing is found.

    Examples:
      photopal search Rex on the beach last summer
      photopal search 'Anna "birthday cake" -garden christmas'
      photopal search "birthday cake" --concept Anna --since 2023 --until 2024-06
      photopal search --camera Canon --paths
      photopal search Rex 2024 --limit 500 --open
    """
    from photopal.assistant.find import SearchOptions, explain_nothing, explain_reading, search_photos

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
        notes = explain_reading(library, words, options)
        protocol = session.picture_protocol(without=no_pictures or json or paths)
        pictures = _thumbnails(library, hits[:limit]) if protocol else {}
        page = None
        if open_ and hits:
            photos = [hit.photo for hit in hits[:limit]]
            page = save_page(
                session, library, photos, session.settings.page_path, title=words or "Photos"
            ).page
    if protocol is None:
        _show_hits(session, hits[:limit], is_json=json, is_paths=paths)
    else:
        facts = [(str(hit.photo.path), pictures[hit.photo.id], _facts(hit)) for hit in hits[:limit]]
        show_photos(session.out, facts, protocol)
    for note in notes:
        session.say(note, style="dim")
    if not hits:
        what = f"no photo found for {words!r}" if words else "no photo found"
        raise NothingFoundError(f"no more photos than {offset:,}, or {what}" if offset else what, hint=hint)
    if len(hits) > limit:
        session.say(f"There are more results; use --offset {offset + limit} to see them.", style="dim")
    if page is not None:
        open_page(session, page)


def _show_hits(session: Session, hits: list[SearchHit], *, is_json: bool, is_paths: bool) -> None:
    if is_json:
        show_json(session.out, [_hit_as_json(hit) for hit in hits])
    elif is_paths:
        show_paths(session, (hit.photo.path for hit in hits))
    else:
        rows = [(str(hit.photo.path), *_facts(hit)) for hit in hits]
        show_listing(session.out, Listing(("photo", "taken", "who", "caption"), rows))


def _thumbnails(library: Library, hits: Sequence[SearchHit]) -> dict[int, bytes | None]:
    return {hit.photo.id: library.photos.thumbnail_or_none(hit.photo.id) for hit in hits}


def _facts(hit: SearchHit) -> tuple[str, ...]:
    return (_taken(hit.photo), ", ".join(_names(hit)), hit.caption or "")


def _names(hit: SearchHit) -> list[str]:
    """Who is on a photo, worded by how sure that is."""
    return [f"looks like {name}" if name in hit.looks_like else name for name in hit.names]


def _taken(photo: PhotoRecord) -> str:
    """Say when a photo was taken, as far as it is known; what cannot be believed is marked."""
    if photo.taken_at is None:
        return f"{photo.taken_unsure[:10]} (unsure)" if photo.taken_unsure else ""
    return f"about {photo.taken_at}" if photo.taken_certainty == "year" else photo.taken_at[:10]


def _hit_as_json(hit: SearchHit) -> dict[str, Any]:
    photo = hit.photo
    return {
        "path": str(photo.path),
        "taken_at": photo.taken_at,
        "taken_certainty": "unsure" if photo.taken_unsure else photo.taken_certainty,
        "taken_unsure": photo.taken_unsure,
        "taken_source": photo.taken_source,
        "names": hit.names,
        "looks_like": hit.looks_like,
        "caption": hit.caption,
        "place": photo.place,
        "camera": photo.camera,
        "latitude": photo.latitude,
        "longitude": photo.longitude,
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "picture_changed_at": photo.picture_changed_at,
    }
