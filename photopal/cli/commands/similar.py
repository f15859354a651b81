"""`photopal similar`: lists the photos that look most like one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import choose_photos, show_paths, warn_of_skipped
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.terminal import NO_PICTURES, show_photos
from photopal.errors import NothingFoundError, UsageError
from photopal.files import is_folder
from photopal.text import count

if TYPE_CHECKING:
    from photopal.assistant.similar import SimilarPhoto
    from photopal.library import Library, PhotoRecord
    from photopal.library.photo_vectors import VectorFile
    from photopal.vlm import VisionModel


def similar(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="The photo to compare with.", metavar="PHOTO")],
    *,
    limit: Annotated[int, typer.Option(help="Maximum number of photos.", min=1, metavar="N")] = 20,
    known: Annotated[
        bool, typer.Option("--known", help="Compare only with photos the model has already seen.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one per line.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help=NO_PICTURES)] = False,
) -> None:
    """List the photos most similar to a given photo.

    The model looks at each photo once, either when it is captioned or now, and saves the result; Ctrl-C loses
    nothing. The photo is compared with all others. Exits with code 4 if there are no other photos.

    Examples:
      photopal similar beach.jpg
      photopal similar beach.jpg --known --limit 5 --json
    """
    if json and paths:
        raise UsageError("--json and --paths cannot be used together")
    from photopal.assistant.similar import similar_photos

    session = session_of(ctx)
    with session.library_to_write() as library:
        if is_folder(photo):
            raise UsageError(f"{photo}: is a folder", hint="Name a single photo.")
        chosen = choose_photos(session, library, [photo])
        if not chosen.photos:
            reason = f": {chosen.skipped[0].reason}" if chosen.skipped else ""
            raise UsageError(f"{photo}: cannot be compared{reason}")
        row = chosen.photos[0]
        vectors = _vectors_with(session, library, row, is_known=known)
        found = similar_photos(library, vectors, row, limit=limit)
        protocol = session.picture_protocol(without=no_pictures or json or paths)
        if protocol is not None:
            facts = [
                (str(hit.photo.path), library.photos.thumbnail_or_none(hit.photo.id), [f"{hit.likeness:.3f}"])
                for hit in found
            ]
            show_photos(session.out, facts, protocol)
    if protocol is None:
        _show(session, found, is_json=json, is_paths=paths)
    if not found:
        raise NothingFoundError(f"no other photos to compare {photo} with")


def _vectors_with(session: Session, library: Library, row: PhotoRecord, *, is_known: bool) -> VectorFile:
    """Open the vectors of the present model, those that are missing made."""
    from photopal.assistant.similar import add_vectors, photos_without_vector
    from photopal.library.photo_vectors import VectorFile

    folder = Path(session.settings.model_name_or_path).expanduser()
    model: VisionModel | None = None
    if is_folder(folder):
        from photopal.vlm.causes import check_folder
        from photopal.vlm.checkpoint import fingerprint_folder

        check_folder(folder)
        fingerprint = fingerprint_folder(folder)
    else:
        model = session.model()
        fingerprint = model.fingerprint
    vectors = VectorFile(session.settings.vectors_path, fingerprint)
    missing = photos_without_vector([row] if is_known else library.photos.all(), vectors)
    if missing:
        model = model or session.model()
        with session.progress("Looking at photos") as on_progress:
            skipped = add_vectors(vectors, model, missing, on_progress=on_progress)
        reason = next((one.reason for one in skipped if one.path == row.path), None)
        if reason is not None:
            raise UsageError(f"{row.path}: cannot be compared: {reason}")
        warn_of_skipped(session, skipped[:10])
        if len(skipped) > 10:
            session.warn(f"... and {count(len(skipped) - 10, 'more photo')} could not be read.")
    return vectors


def _show(session: Session, found: list[SimilarPhoto], *, is_json: bool, is_paths: bool) -> None:
    if is_json:
        show_json(
            session.out,
            [{"path": str(hit.photo.path), "likeness": round(hit.likeness, 4)} for hit in found],
        )
    elif is_paths:
        show_paths(session, (hit.photo.path for hit in found))
    else:
        rows = [(f"{hit.likeness:.3f}", str(hit.photo.path)) for hit in found]
        show_listing(session.out, Listing(("likeness", "photo"), rows))
