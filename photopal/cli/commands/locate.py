"""`photopal locate`: says who is where on a photo, and draws it on a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.assistant.explanation import BY_WHOM
from photopal.cli.context import Session, session_of
from photopal.cli.loading import open_assistant, open_library
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.pictures import check_target, save_copy
from photopal.cli.terminal import NO_PICTURES, PICTURE_ROWS, show_picture
from photopal.errors import NothingFoundError
from photopal.text import join_words

if TYPE_CHECKING:
    from photopal.assistant.assistant import Sighting
    from photopal.library import ConceptRecord


def locate(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="The photo to look at.", metavar="PHOTO")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these names; all by default.", metavar="NAME")
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Save a copy with boxes, marks and names.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help=NO_PICTURES)] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who is in a photo, and where.

    The score is how far somebody is above or below the threshold for being recognized. Where this is not
    decisive, the model is asked, and p(yes) is its probability of a yes. Where people's faces or the looks of
    pets and things decide, p(yes) is theirs. What you said of the photo with `photopal who`, in its caption
    or by reference photos counts more than all of them. Of two who are recognized in the same place, only the
    surer one is here. Points and boxes are in pixels of the upright photo. No photo is ever overwritten,
    neither this one nor another in the library.

    Examples:
      photopal locate party.jpg
      photopal locate party.jpg Anna Rex
      photopal locate party.jpg --out marked.jpg
    """
    from photopal.photos.decode import photo_size_px

    session = session_of(ctx)
    size_px = photo_size_px(photo)
    with open_library(session) as library:
        if out is not None:
            check_target(out, library, photo=photo, is_forced=force)
        chosen = [library.concepts.get(name) for name in names or ()] or library.concepts.all()
        if not chosen:
            if json:
                show_json(session.out, [])
            raise NothingFoundError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
        assistant = open_assistant(session, library)
        from photopal.assistant.analysis import draw_analysis
        from photopal.assistant.known import look_at

        analysis = look_at(library, assistant, photo)
    seen = {sighting.concept.id: sighting for sighting in analysis.sightings}
    surer = {i: [seen[other].concept.name for other in sighting.displaced_by] for i, sighting in seen.items()}
    wanted = {concept.id for concept in chosen}
    analysis = replace(analysis, sightings=tuple(s for i, s in seen.items() if i in wanted))
    missing = [concept for concept in chosen if concept.id not in seen] if analysis.known else []
    protocol = session.picture_protocol(without=no_pictures or json)
    if protocol is not None:
        show_picture(session.out.file, draw_analysis(analysis), protocol, rows=PICTURE_ROWS)
    _show(session, analysis.sightings, surer, missing, size_px, is_json=json)
    if out is not None:
        save_copy(draw_analysis(analysis), out, is_forced=force)
        found = ", ".join(sighting.concept.name for sighting in analysis.present)
        session.say(f"Saved {out}: {found or 'nobody was found'}.")


def _show(
    session: Session,
    sightings: Sequence[Sighting],
    surer: Mapping[int, Sequence[str]],
    missing: Sequence[ConceptRecord],
    size_px: tuple[int, int],
    *,
    is_json: bool,
) -> None:
    """Print who was found.

    Args:
        session: Where to print.
        sightings: Who was looked for.
        surer: Names of those whom the maps find in somebody's place instead, by the concept's id.
        missing: Those of whom neither faces nor looks show anything.
        size_px: Of the photo.
        is_json: Print JSON.
    """
    if is_json:
        entries = [_as_json(sighting, size_px) for sighting in sightings]
        show_json(session.out, [*entries, *map(_missing_as_json, missing)])
        return
    rows = []
    for sighting in sightings:
        facts = _as_json(sighting, size_px)
        probability = "" if sighting.probability is None else f"{sighting.probability:.2f}"
        point, box = (
            ",".join(map(str, facts[key])) if sighting.is_present else "" for key in ("point", "box")
        )
        # The scores of faces and looks are of other kinds, see `photopal why`.
        score = f"{sighting.score:+.3f}" if sighting.source not in ("face", "look") else ""
        by = BY_WHOM[sighting.source]
        if there := surer[sighting.concept.id]:
            by = f"{by}, rather {join_words(there)}"
        rows.append((sighting.concept.name, _seen(sighting), score, probability, point, box, by))
    rows += [(concept.name, "not found", *("",) * 5) for concept in missing]
    show_listing(session.out, Listing(("name", "seen", "score", "p(yes)", "point", "box", "by"), rows))


def _seen(sighting: Sighting) -> str:
    if sighting.verdict in ("looks like", "unsure"):
        return sighting.verdict
    return "here" if sighting.is_present else "not here"


def _missing_as_json(concept: ConceptRecord) -> dict[str, Any]:
    return {
        "name": concept.name,
        "kind": concept.kind,
        "is_present": False,
        "verdict": None,
        **dict.fromkeys(("score", "probability", "source", "point", "box")),
    }


def _as_json(sighting: Sighting, size_px: tuple[int, int]) -> dict[str, Any]:
    (width, height), (x, y) = size_px, sighting.point
    return {
        "name": sighting.concept.name,
        "kind": sighting.concept.kind,
        "is_present": sighting.is_present,
        "verdict": sighting.verdict or ("yes" if sighting.is_present else "no"),
        "score": sighting.score,
        "probability": sighting.probability,
        "source": sighting.source,
        "point": (round(x * width), round(y * height)),
        "box": sighting.box.to_pixels(width, height),
    }
