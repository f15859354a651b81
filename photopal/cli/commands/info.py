"""`photopal info`: prints what the library knows of a photo, and who says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.assistant.explanation import BY_WHOM
from photopal.cli.context import session_of
from photopal.cli.inputs import photo_named
from photopal.cli.output import Listing, show_json, show_listing
from photopal.text import fold, join_words

if TYPE_CHECKING:
    from photopal.library import CaptionRecord, PhotoRecord
    from photopal.library.evidence import PhotoEvidence
    from photopal.photos.metadata import Field, Metadata

_SINGLE: tuple[tuple[Field, str], ...] = (
    ("camera", "camera"),
    ("lens", "lens"),
    ("position", "position"),
    ("altitude_m", "altitude"),
    ("title", "title"),
    ("description", "description"),
    ("rating", "rating"),
)
_SEVERAL: tuple[tuple[Field, str], ...] = (
    ("keyword", "keyword"),
    ("hierarchy", "keyword"),
    ("person", "person"),
)
_BY = {"model": "model", "facts": "what is known", None: "model"}
_Row = tuple[str, str, str]


def info(
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A photo in the library.", metavar="PHOTO")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is known about a photo, and where each fact comes from.

    Dates, cameras, positions, keywords, persons and faces come from the file, from sidecars beside it and
    from its name; the caption comes from you or a model. Who is in the photo is listed by whose word decides
    it, as in `photopal who`. The date that counts is listed first, then those of the other sources.

    Examples:
      photopal info beach.jpg
      photopal info beach.jpg --json
    """
    from photopal.photos.metadata import Metadata

    session = session_of(ctx)
    with session.library_to_read() as library:
        record = photo_named(library, photo)
        metadata = library.facts.get(record.id) or Metadata()
        evidence = library.corrections.evidence(record.id)
        # A caption with the name of somebody whom the user has taken off the photo is shown nowhere.
        caption = None if evidence.is_contradicted else library.captions.get(record.id)
        paths = library.paths.of(record.id)
    if json:
        show_json(session.out, _as_json(record, paths, metadata, caption, evidence))
        return
    rows: list[_Row] = [("path", str(path), "") for path in paths]
    rows.append(("size", f"{record.width_px} x {record.height_px} pixels, {record.size_bytes:,} bytes", ""))
    rows += [*_dates(metadata), *_facts(metadata, record), *_caption(caption), *_names(evidence)]
    show_listing(session.out, Listing(("what", "value", "source"), rows))


def _dates(metadata: Metadata) -> list[_Row]:
    first = metadata.taken
    rows = []
    if first is not None:
        about = {"year": "about ", "exact": ""}.get(first.certainty, "")
        rows.append(("date taken", f"{about}{first.at.replace('T', ' ')}", first.source))
    rest = [date for date in metadata.dates if date is not first]
    for date in rest:
        unsure = " (unsure)" if date.certainty == "unsure" else ""
        rows.append(("other date" if first else "date", f"{date.at.replace('T', ' ')}{unsure}", date.source))
    return rows


def _facts(metadata: Metadata, record: PhotoRecord) -> list[_Row]:
    rows: list[_Row] = []
    for field, name in _SINGLE:
        fact = metadata.first(field)
        if fact is not None:
            rows.append((name, _words(field, fact.value), fact.source))
        if field == "position" and record.place:
            rows.append(("place", record.place, "position"))
    for field, name in _SEVERAL:
        rows += [(name, str(value), ", ".join(sources)) for value, sources in metadata.all(field).items()]
    for region in metadata.regions:
        x, y, width, height = region.box
        where = f"{region.name or 'nobody named'} at {x:.3f}, {y:.3f}, {width:.3f} x {height:.3f}"
        rows.append((region.kind.lower(), where, region.source))
    return rows


def _words(field: str, value: Any) -> str:
    if field == "position":
        return f"{value[0]:.6f}, {value[1]:.6f}"
    return f"{value:g} m" if field == "altitude_m" else str(value)


def _caption(caption: CaptionRecord | None) -> list[_Row]:
    if caption is None or not caption.text:
        return []
    return [("caption", caption.text, "you" if caption.by_hand else _BY[caption.source])]


def _names(evidence: PhotoEvidence) -> list[_Row]:
    """Who is in the photo, a row for each source, and who is not by the user's word."""
    sources = {one.concept_id: one.source for one in evidence.concepts}
    by_source: dict[str, list[str]] = {}
    for concept_id, name in sorted(evidence.shown.items(), key=lambda shown: fold(shown[1])):
        words = f"looks like {name}" if concept_id in evidence.looks_like else name
        by_source.setdefault(BY_WHOM[sources[concept_id]], []).append(words)
    rows = [("in the photo", join_words(names), source) for source, names in by_source.items()]
    if evidence.taken_off:
        rows.append(("not in the photo", join_words(evidence.taken_off), BY_WHOM["user"]))
    return rows


def _as_json(
    record: PhotoRecord,
    paths: list[Path],
    metadata: Metadata,
    caption: CaptionRecord | None,
    evidence: PhotoEvidence,
) -> dict[str, Any]:
    taken = metadata.taken
    return {
        "paths": [str(path) for path in paths],
        "width_px": record.width_px,
        "height_px": record.height_px,
        "format": record.format,
        "taken_at": taken and taken.at,
        "taken_certainty": taken.certainty if taken else "unsure" if metadata.dates else None,
        "taken_source": taken and taken.source,
        "dates": [
            {"at": date.at, "certainty": date.certainty, "source": date.source} for date in metadata.dates
        ],
        "place": record.place,
        "facts": [
            {"field": fact.field, "value": fact.value, "source": fact.source} for fact in metadata.facts
        ],
        "regions": [
            {"name": each.name, "kind": each.kind, "box": each.box, "source": each.source}
            for each in metadata.regions
        ],
        "caption": caption and caption.text,
        "caption_by_hand": caption and caption.by_hand,
        "caption_source": caption and caption.source,
        "names": sorted(evidence.shown.values(), key=fold),
        "looks_like": sorted((evidence.shown[concept_id] for concept_id in evidence.looks_like), key=fold),
    }
