"""`photopal remove-reference`: takes a photo from those by which a concept is known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import show_json
from photopal.errors import NothingFoundError
from photopal.library import PhotoRecord, ReferencePhoto
from photopal.text import count


def remove_reference(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the person, pet or thing.", metavar="NAME")],
    photos: Annotated[list[Path], typer.Argument(help="Reference photos to remove.", metavar="PHOTO")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove single reference photos of a person, pet or thing.

    The photos stay in the library. The name is learned again from the remaining photos the next time photopal
    looks at photos; run `photopal tune` if you tuned it before. The last reference photo cannot be removed.
    If somebody is not in the photo at all, use `photopal who PHOTO --not NAME` instead. `photopal undo`
    reverts the change.

    Examples:
      photopal remove-reference Anna blurred.jpg
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        concept = library.concepts.get(name)
        references = library.concepts.references(concept.id)
        chosen = {
            photo.id: photo for photo in (_reference(references, path, concept.name) for path in photos)
        }
        where = str(next(iter(chosen.values())).path) if len(chosen) == 1 else count(len(chosen))
        with library.history.recording(f'{where} removed from the reference photos of "{concept.name}"'):
            for photo_id in chosen:
                library.concepts.remove_reference(concept.id, photo_id)
        left = library.concepts.references(concept.id)
    if json:
        removed = [str(photo.path) for photo in chosen.values()]
        show_json(
            session.out,
            {"name": concept.name, "removed": removed, "photos": [str(one.photo.path) for one in left]},
        )
    session.say(
        f"Removed {where} from the reference photos of {concept.name}; {len(left)} left."
        " To revert, run `photopal undo`."
    )
    session.say(f"If {concept.name} is not in it, run `photopal who PHOTO --not NAME`.")


def _reference(references: Sequence[ReferencePhoto], path: Path, name: str) -> PhotoRecord:
    """The reference photo at a path, whether its file is still there or not."""
    wanted = {Path(os.path.abspath(path)), Path(os.path.realpath(path))}  # noqa: PTH100 - as it is written
    for reference in references:
        if reference.photo.path in wanted:
            return reference.photo
    raise NothingFoundError(
        f"{path}: is not a reference photo of {name}",
        hint="Its reference photos are listed by `photopal concepts --json`.",
    )
