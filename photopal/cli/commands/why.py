"""`photopal why`: explains who is in a photo, by everything that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.box import Box
from photopal.cli.context import session_of
from photopal.cli.output import BY_WHOM, safe, show_json, show_line
from photopal.cli.pictures import check_target, save_copy
from photopal.errors import NothingFoundError
from photopal.text import count

if TYPE_CHECKING:
    from PIL import Image

    from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
    from photopal.library.models import Finding

_VERDICTS = {"yes": "yes", "looks like": "something that looks like it", "no": "no", "unsure": "unsure"}


def why(
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A photo in the library.", metavar="PHOTO")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these names; all by default.", metavar="NAME")
    ] = None,
    *,
    picture: Annotated[
        Path | None, typer.Option(help="Save a copy with the boxes of all who were found.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain why somebody is, or is not, said to be in a photo.

    For each name, shows the verdict and whose word decided it, then everything that is known: your own words,
    reference photos, faces, how pets and things look, and what a model found, each with its score, the
    threshold that the score is compared with, the probability, where in the photo, and the reference photo
    that is most alike. Of a face, the score is a distance, so less is more alike; of all others more is.

    Examples:
      photopal why party.jpg
      photopal why party.jpg Anna --picture why.jpg
    """
    session = session_of(ctx)
    with session.library_to_read() as library:
        record = library.photos.at(photo)
        if record is None:
            raise NothingFoundError(f"{photo}: not in the library", hint="photopal index FOLDER")
        if picture is not None:
            check_target(picture, library, photo=photo, is_forced=force)
        chosen = [library.concepts.get(name) for name in names or ()] or library.concepts.all()
        if not chosen:
            raise NothingFoundError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
        facts = _explain(library, record, chosen)
    if json:
        show_json(session.out, facts)
    else:
        show_line(session.out, "\n".join(_in_words(facts)))
    if picture is not None:
        save_copy(_draw(photo, record, facts["names"]), picture, is_forced=force)
        session.say(f"Saved {picture}.")


def _explain(library: Library, photo: PhotoRecord, concepts: Sequence[ConceptRecord]) -> dict[str, Any]:
    from photopal.faces import DETECTOR

    evidence = library.corrections.evidence(photo.id)
    verdicts = {one.concept_id: one for one in evidence.concepts}
    found = library.findings.get(photo.id)
    caption = library.captions.get(photo.id)
    is_searched = library.faces.is_scanned(photo.id, detector=DETECTOR)
    names = []
    for concept in concepts:
        deciding = verdicts.get(concept.id)
        sources = [
            _source_as_json(photo, one)
            for one in evidence.words
            if one.concept_id == concept.id and one.found is None
        ]
        sources += [
            _finding_as_json(library, photo, one)
            for one in (found.findings if found else ())
            if one.concept_id == concept.id
        ]
        names.append(
            {
                "name": concept.name,
                "kind": concept.kind,
                "verdict": "unknown" if deciding is None else deciding.verdict,
                "decided_by": None if deciding is None else deciding.source,
                "probability": None if deciding is None else deciding.probability,
                "box": None if deciding is None else _pixels(deciding.box, photo),
                "sources": sources,
            }
        )
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
        "names": names,
    }


def _source_as_json(photo: PhotoRecord, one: Evidence) -> dict[str, Any]:
    return {
        "source": one.source,
        "verdict": one.verdict,
        "probability": one.probability,
        "score": one.score,
        "threshold": 0.0 if one.source == "model" else None,
        "box": _pixels(one.box, photo),
        "most_like": None,
        "decides": None,
    }


def _finding_as_json(library: Library, photo: PhotoRecord, one: Finding) -> dict[str, Any]:
    reference = None if one.reference_id is None else library.photos.get(one.reference_id)
    return {
        "source": one.source,
        "verdict": {"present": "yes", "absent": "no"}.get(one.verdict, one.verdict),
        "probability": one.probability,
        "score": one.score,
        "threshold": one.threshold,
        "box": _pixels(one.box, photo),
        "most_like": reference and str(reference.path),
        "decides": one.decides,
    }


def _pixels(box: tuple[float, float, float, float] | None, photo: PhotoRecord) -> tuple[int, ...] | None:
    return None if box is None else Box(*box).to_pixels(photo.width_px, photo.height_px)


def _in_words(facts: dict[str, Any]) -> list[str]:
    lines = []
    for entry in facts["names"]:
        by = f", by {_BY[entry['decided_by']]}" if entry["decided_by"] else ""
        is_compared = facts["compared_with_faces" if entry["kind"] == "person" else "compared_with_looks"]
        nothing = "not found" if is_compared else "not known"
        lines.append(safe(f"{entry['name']}: {_VERDICTS.get(entry['verdict'], nothing)}{by}"))
        lines += [f"  {safe(_source_in_words(source))}" for source in entry["sources"]]
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


_BY = {
    **BY_WHOM,
    "user": "your word",
    "face": "a face",
    "reference": "a reference photo",
    "model": "the model",
}


def _source_in_words(source: dict[str, Any]) -> str:
    """One source in a sentence: "face: yes, 0.31 from the mean of the reference photos (at most 0.47)"."""
    if source["source"] in ("user", "caption", "reference"):
        box = f", at {','.join(map(str, source['box']))}" if source["box"] else ""
        return f"{BY_WHOM[source['source']]}: {source['verdict']}{box}"
    parts = [f"{BY_WHOM[source['source']]}: {source['verdict']}"]
    if source["source"] == "face":
        parts.append(f"distance {source['score']:.3f}, where up to {source['threshold']:.3f} counts")
    elif source["score"] is not None:
        parts.append(f"score {source['score']:+.3f}, where from {source['threshold']:+.3f} on counts")
    if source["probability"] is not None:
        parts.append(f"probability {source['probability']:.2f}")
    if source["box"]:
        parts.append(f"at {','.join(map(str, source['box']))}")
    if source["most_like"]:
        parts.append(f"most like {source['most_like']}")
    if source["decides"] is False:
        parts.append("the model separates better and decides")
    return ", ".join(parts)


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


def _draw(path: Path, record: PhotoRecord, entries: Sequence[dict[str, Any]]) -> Image.Image:
    from photopal.photos import MODEL_SIDE_PX, open_photo
    from photopal.prompts import Label, draw_labels

    size = (record.width_px, record.height_px)
    labels = []
    for entry in entries:
        if entry["box"] is not None and entry["verdict"] in ("yes", "looks like"):
            like = "like " if entry["verdict"] == "looks like" else ""
            sure = "" if entry["probability"] is None else f" {entry['probability']:.2f}"
            labels.append(Label(f"{like}{entry['name']}{sure}", Box.from_pixels(entry["box"], *size)))
    return draw_labels(open_photo(path, max_side_px=MODEL_SIDE_PX), labels)
