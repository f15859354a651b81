"""Explains who is said to be in a photo: every source with its score, threshold and likest reference photo.

The facts are plain values that can be written as JSON; the words for them are here too, so that commands and
pages say the same. Nothing is looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photopal.assistant.file_names import FileNames
from photopal.box import WHOLE_PHOTO, Box

if TYPE_CHECKING:
    from PIL import Image

    from photopal.faces.sheet import SheetFace
    from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
    from photopal.library.evidence import PhotoEvidence
    from photopal.library.models import Finding

BY_WHOM = {
    "user": "you",
    "caption": "your caption",
    "reference": "reference photo",
    "file": "file",
    "face": "face",
    "look": "looks",
    "model": "model",
}
"""Whose word it is that somebody is on a photo, by `EvidenceSource`."""

DECIDED_BY = {
    **BY_WHOM,
    "user": "your word",
    "face": "a face",
    "reference": "a reference photo",
    "file": "the file",
    "model": "the model",
}
"""The same, as it stands after "by"."""

VERDICTS = {"yes": "yes", "looks like": "something that looks like it", "no": "no", "unsure": "unsure"}
"""What is said of a name, by `Verdict`."""


def explain_names(
    library: Library,
    photo: PhotoRecord,
    concepts: Sequence[ConceptRecord],
    *,
    evidence: PhotoEvidence | None = None,
) -> list[dict[str, Any]]:
    """Tell for each concept the verdict on a photo, whose word decided it, and all that says something.

    Args:
        library: The library.
        photo: A photo of it.
        concepts: Whom to explain, in order.
        evidence: What counts on the photo, as `FileNames.locate` gives it, if it is known already.

    Returns:
        For each concept `name`, `kind`, `is_concept`, `verdict` ("unknown" where nothing is known),
        `decided_by`, `probability`, `box` in pixels of the upright photo, and `sources`, the strongest word
        first.
    """
    evidence = evidence or FileNames(library).locate(
        photo, library.corrections.evidence(photo.id), library.facts.get(photo.id)
    )
    verdicts = {one.concept_id: one for one in evidence.concepts}
    found = library.findings.get(photo.id)
    names = []
    for concept in concepts:
        deciding = verdicts.get(concept.id)
        sources = [
            _word_as_json(photo, one)
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
                "is_concept": True,
                "verdict": "unknown" if deciding is None else deciding.verdict,
                "decided_by": None if deciding is None else deciding.source,
                "probability": None if deciding is None else deciding.probability,
                "box": None if deciding is None else _pixels(_box_of(deciding, evidence), photo),
                "sources": sources,
            }
        )
    return names


def explain_file_names(library: Library, photo: PhotoRecord) -> list[dict[str, Any]]:
    """Tell the same, as `explain_names` does, of those whom only the photo's files name."""
    facts = library.facts.get(photo.id)
    pets = {region.name for region in facts.regions if region.kind == "Pet"} if facts else set()
    said: dict[str, Any] = {"verdict": "yes", "probability": None}
    return [
        {
            "name": name,
            "kind": "pet" if name in pets else "person",
            "is_concept": False,
            "decided_by": "file",
            "box": (pixels := _pixels(box, photo)),
            "sources": [_source(source="file", box=pixels, **said)],
            **said,
        }
        for name, box in FileNames(library).others(photo, facts).items()
    ]


def _box_of(deciding: Evidence, evidence: PhotoEvidence) -> tuple[float, float, float, float] | None:
    """Where somebody is; of whom the photo does not show, where it was looked."""
    return deciding.box or (evidence.box_of(deciding.concept_id) if deciding.is_present else None)


def _word_as_json(photo: PhotoRecord, one: Evidence) -> dict[str, Any]:
    return _source(
        source=one.source,
        verdict=one.verdict,
        probability=one.probability,
        score=one.score,
        threshold=0.0 if one.source == "model" else None,
        box=_pixels(one.box, photo),
    )


def _finding_as_json(library: Library, photo: PhotoRecord, one: Finding) -> dict[str, Any]:
    reference = None if one.reference_id is None else library.photos.get(one.reference_id)
    return _source(
        source=one.source,
        verdict={"present": "yes", "absent": "no"}.get(one.verdict, one.verdict),
        probability=one.probability,
        score=one.score,
        threshold=one.threshold,
        box=_pixels(one.box, photo),
        most_like=reference and str(reference.path),
        decides=one.decides,
    )


def _source(**values: Any) -> dict[str, Any]:
    keys = ("source", "verdict", "probability", "score", "threshold", "box", "most_like", "decides")
    return {key: values.get(key) for key in keys}


def _pixels(box: tuple[float, float, float, float] | None, photo: PhotoRecord) -> tuple[int, ...] | None:
    return None if box is None else Box(*box).to_pixels(photo.width_px, photo.height_px)


def source_in_words(source: dict[str, Any]) -> str:
    """Put one source into words: "face: yes, distance 0.310, where up to 0.470 counts, probability 0.97"."""
    if source["source"] in ("user", "caption", "reference", "file"):
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


_GAP_PX, _LABEL_PX, _SMALLEST_TILE_PX = 8, 22, 120
_PAPER, _INK = (255, 255, 255), (20, 20, 24)


def draw_explanation(
    library: Library, photo: PhotoRecord, names: Sequence[dict[str, Any]], *, max_side_px: int
) -> Image.Image:
    """Draw a photo with the boxes of all who may be in it, and beside it the reference photos most like them.

    Args:
        library: The library.
        photo: A photo of it, which is only read.
        names: As `explain_names` gives them.
        max_side_px: How long the photo's longer side is at most, in pixels.

    Raises:
        PhotoError: The photo cannot be read.
    """
    # Imported here, as commands that only need the words do without.
    from PIL import Image, ImageDraw

    from photopal.faces.sheet import draw_tile
    from photopal.photos import open_photo
    from photopal.photos.fonts import font_for
    from photopal.prompts import Label, draw_labels

    size = (photo.width_px, photo.height_px)
    labels = []
    for entry in names:
        if entry["box"] is not None and entry["verdict"] in _LABELS:
            sure = "" if entry["probability"] is None else f" {entry['probability']:.2f}"
            words = _LABELS[entry["verdict"]].format(name=entry["name"])
            labels.append(Label(f"{words}{sure}", Box.from_pixels(entry["box"], *size)))
    drawn = draw_labels(open_photo(photo.path, max_side_px=max_side_px), labels)
    side = max(_SMALLEST_TILE_PX, drawn.height // 3)
    likest = list(_likest(library, photo, names))[: max(1, drawn.height // (side + _LABEL_PX + _GAP_PX))]
    if not likest:
        return drawn
    both = Image.new("RGB", (drawn.width + side + 2 * _GAP_PX, max(drawn.height, side + _LABEL_PX)), _PAPER)
    both.paste(drawn, (0, 0))
    pen = ImageDraw.Draw(both)
    for number, (name, tile) in enumerate(likest):
        left, top = drawn.width + _GAP_PX, number * (side + _LABEL_PX + _GAP_PX)
        both.paste(draw_tile(tile, side_px=side), (left, top))
        words = f"{name}, {tile.path.name}"
        font = font_for(words, 15)
        while len(words) > 1 and pen.textlength(words, font=font) > side:
            words = f"{words[:-2]}…"
        pen.text((left, top + side + 2), words, font=font, fill=_INK)
    return both


_LABELS = {"yes": "{name}", "looks like": "like {name}", "unsure": "{name}?"}


def _likest(
    library: Library, photo: PhotoRecord, names: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, SheetFace]]:
    """The reference photos that those who may be there are most like."""
    for entry in names:
        paths = [source["most_like"] for source in entry["sources"] if source["most_like"]]
        reference = library.photos.at(Path(paths[0])) if paths and entry["verdict"] in _LABELS else None
        # A reference photo is most like itself.
        if reference is not None and reference.id != photo.id:
            yield entry["name"], tile_of(library, reference, library.concepts.get(entry["name"]).id)


def tile_of(library: Library, photo: PhotoRecord, concept_id: int) -> SheetFace:
    """Return what `draw_tile` shows of a concept on a photo: where it is, or the whole photo."""
    from photopal.faces.sheet import SheetFace

    box = library.corrections.evidence(photo.id).box_of(concept_id)
    return SheetFace(photo.path, (photo.width_px, photo.height_px), box or WHOLE_PHOTO)
