"""`photopal why`: explains who is in a photo, by everything that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.assistant.explanation import (
    DECIDED_BY,
    VERDICTS,
    explain_file_names,
    explain_names,
    source_in_words,
)
from photopal.cli.context import session_of
from photopal.cli.inputs import photo_named
from photopal.cli.output import safe, show_json, show_line
from photopal.cli.pictures import check_target, save_copy
from photopal.cli.terminal import NO_PICTURES, PICTURE_ROWS, show_picture
from photopal.errors import NothingFoundError, PhotoError
from photopal.text import count, name_key

if TYPE_CHECKING:
    from PIL import Image

    from photopal.library import Library, PhotoRecord


def why(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A photo in the library.", metavar="PHOTO")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these names; all by default.", metavar="NAME")
    ] = None,
    *,
    picture: Annotated[
        Path | None,
        typer.Option(
            help="Save a picture of the boxes, with the most similar reference photos.", metavar="FILE"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help=NO_PICTURES)] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain why somebody is, or is not, said to be in a photo.

    For each name, shows the verdict and whose word decided it, then everything that is known: your own words,
    reference photos, names in the photo's file, faces, how pets and things look, and what a model found, each
    with its score, the threshold that the score is compared with, the probability, where in the photo, and
    the reference photo that is most alike. Names that only the file has are shown as well. Of a face, the
    score is a distance, so less is more alike; of all others more is.
    With --picture, and in terminals that can show pictures, the boxes are drawn on a copy of the photo, with
    the most similar reference photo beside it.

    Examples:
      photopal why party.jpg
      photopal why party.jpg Anna --picture why.jpg
    """
    session = session_of(ctx)
    protocol = session.picture_protocol(without=no_pictures or json)
    drawn = None
    with session.library_to_read() as library:
        record = photo_named(library, photo)
        if picture is not None:
            check_target(picture, library, photo=photo, is_forced=force)
        facts = _explain(library, record, names or ())
        if not facts["names"]:
            if json:
                show_json(session.out, facts)
            raise NothingFoundError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
        if picture is not None or protocol is not None:
            drawn = _draw(library, record, facts["names"], is_wanted=picture is not None)
    if json:
        show_json(session.out, facts)
    else:
        if drawn is not None and protocol is not None:
            show_picture(session.out.file, drawn, protocol, rows=PICTURE_ROWS)
        show_line(session.out, "\n".join(_in_words(facts)))
    if picture is not None and drawn is not None:
        save_copy(drawn, picture, is_forced=force)
        session.say(f"Saved {picture}.")


def _draw(
    library: Library, photo: PhotoRecord, names: Sequence[dict[str, Any]], *, is_wanted: bool
) -> Image.Image | None:
    """Draw the explanation; a photo that cannot be read is an error only if the user wants the picture."""
    from photopal.assistant.explanation import draw_explanation
    from photopal.photos import MODEL_SIDE_PX

    try:
        return draw_explanation(library, photo, names, max_side_px=MODEL_SIDE_PX)
    except PhotoError:
        if is_wanted:
            raise
        return None


def _explain(library: Library, photo: PhotoRecord, names: Sequence[str]) -> dict[str, Any]:
    """Explain some names, or all.

    Raises:
        ConceptError: One of the names is neither a concept's nor in the photo's files.
    """
    from photopal.faces import DETECTOR

    by_file = {name_key(entry["name"]): entry for entry in explain_file_names(library, photo)}
    if names:
        in_file = [by_file[key] for name in names if (key := name_key(name)) in by_file]
        concepts = [library.concepts.get(name) for name in names if name_key(name) not in by_file]
    else:
        in_file, concepts = list(by_file.values()), library.concepts.all()
    found = library.findings.get(photo.id)
    caption = library.captions.get(photo.id)
    is_searched = library.faces.is_scanned(photo.id, detector=DETECTOR)
    return {
        "path": str(photo.path),
        "faces": len(library.faces.of_photo(photo.id)) if is_searched else None,
        "compared_with_faces": found is not None and found.face_key is not None,
        "compared_with_looks": found is not None and found.look_key is not None,
        "species": found and found.species,
        "caption": caption and caption.text,
        "caption_source": caption and ("you" if caption.by_hand else caption.source),
        "model": (caption and caption.model) or None,
        "bank": caption and caption.bank,
        "detector": DETECTOR,
        "names": [*explain_names(library, photo, concepts), *in_file],
    }


def _in_words(facts: dict[str, Any]) -> list[str]:
    lines = []
    for entry in facts["names"]:
        by = f", by {DECIDED_BY[entry['decided_by']]}" if entry["decided_by"] else ""
        is_compared = facts["compared_with_faces" if entry["kind"] == "person" else "compared_with_looks"]
        nothing = "not found" if is_compared else "not known"
        lines.append(safe(f"{entry['name']}: {VERDICTS.get(entry['verdict'], nothing)}{by}"))
        lines += [f"  {safe(source_in_words(source))}" for source in entry["sources"]]
        if not entry["is_concept"]:
            lines.append("  only the file has the name: run `photopal import-names` to have it recognized")
        if not entry["sources"]:
            lines.append(f"  {_nothing_in_words(facts, entry['kind'])}")
    if facts["species"]:
        lines.append(f"What looks like a {facts['species']} is in the photo.")
    if facts["caption"]:
        whose = {"you": "you wrote it", "facts": "from what is known, as the model cannot see the photo"}
        lines.append(
            safe(f"Caption ({whose.get(facts['caption_source'], 'by the model')}): {facts['caption']}")
        )
    if facts["model"]:
        bank = f", names of bank {facts['bank']}" if facts["bank"] else ""
        lines.append(f"Looked at with model {facts['model'][:12]}{bank}, faces of {facts['detector']}.")
    return lines


def _nothing_in_words(facts: dict[str, Any], kind: str) -> str:
    if kind != "person":
        return (
            "no part of the photo looks like it"
            if facts["compared_with_looks"]
            else "nothing has looked for it yet: run `photopal caption`"
        )
    if facts["faces"] is None:
        return "the photo was not searched for faces: run `photopal index --faces FOLDER`"
    if not facts["faces"]:
        return "no face was found in the photo"
    if not facts["compared_with_faces"]:
        return f"{count(facts['faces'], 'face')}, not compared yet: run `photopal caption`"
    return f"{count(facts['faces'], 'face')} in the photo, none of them theirs"
