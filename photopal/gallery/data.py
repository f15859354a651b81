"""What a gallery's page is told of photos, as scripts; writes no file.

The page's script says what each short key means. Photos name places, cameras, folders and people by their
index in tables, as each would else be written thousands of times.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from photopal.assistant.explanation import DECIDED_BY, VERDICTS, explain_names, source_in_words
from photopal.assistant.file_names import FileNames
from photopal.library import ConceptRecord, Library, PhotoRecord
from photopal.photos.metadata import Metadata
from photopal.text import name_key

_LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "<": "\\u003c"}
# What a browser's encodeURIComponent leaves as it is; other names are written a second time, as a link.
_UNQUOTED = "!'()*~"
_NAMED, _LIKE, _BY_FILE = 0, 1, 2


@dataclass
class Tables:
    """What photos name by index, in order."""

    names: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    cameras: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)


def script(call: str, *values: Any) -> str:
    """Write a call of the page's with values that a browser reads as they are, whatever is in them."""
    parts = []
    for value in values:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for letter, escaped in _LINE_ENDS.items():
            text = text.replace(letter, escaped)
        # Undecodable bytes of file names are no text that a file in UTF-8 could have.
        parts.append(text.encode("utf-8", "replace").decode())
    return f"photopal.{call}({','.join(parts)});\n"


def describe(
    library: Library,
    photo: PhotoRecord,
    concepts: Sequence[ConceptRecord],
    *,
    file_names: FileNames,
    tables: Tables,
    link: tuple[str, Path],
) -> tuple[dict[str, Any], list[Any]]:
    """Tell what the page shows of a photo, and why each name is, or is not, said to be in it.

    Args:
        library: The library.
        photo: A photo of it.
        concepts: All of the library.
        file_names: Of the library.
        tables: Extended by what this photo brings.
        link: The folder of its file as the beginning of a link, and the file.

    Returns:
        The photo, and the evidence: index of the name, verdict and lines of words for each.
    """
    said = library.facts.get(photo.id)
    evidence = file_names.locate(photo, library.corrections.evidence(photo.id), said)
    names = evidence.names or {}
    shown = []
    for one in evidence.concepts:
        if one.is_present:
            box = one.box or evidence.box_of(one.concept_id)
            name = _index(tables.names, names[one.concept_id])
            shown.append([name, _LIKE if one.verdict == "looks like" else _NAMED, _edges(box)])
    others = file_names.others(photo, said)
    shown += [[_index(tables.names, name), _BY_FILE, _edges(box)] for name, box in others.items()]
    because: list[Any] = [[_index(tables.names, name), "named in the file", []] for name in others]
    folder, path = link
    quoted = quote_from_bytes(os.fsencode(path.name), safe=_UNQUOTED)
    as_text = quote_from_bytes(path.name.encode("utf-8", "replace"), safe=_UNQUOTED)
    has_position = photo.latitude is not None and photo.longitude is not None
    facts = {
        "w": photo.width_px,
        "h": photo.height_px,
        "t": photo.taken_at and photo.taken_at[:19],
        "u": photo.taken_unsure and photo.taken_unsure[:10],
        "p": _index(tables.places, photo.place) if photo.place else None,
        "c": _index(tables.cameras, photo.camera) if photo.camera else None,
        "x": evidence.caption or None,
        "n": shown,
        "d": _index(tables.folders, folder),
        "f": path.name,
        "l": quoted if quoted != as_text else None,
        "k": _words_of_file(
            said, hidden=set(map(name_key, [*others, *(names[e.concept_id] for e in evidence.concepts)]))
        ),
        "g": [round(photo.latitude or 0.0, 4), round(photo.longitude or 0.0, 4)] if has_position else None,
    }
    told = {key: value for key, value in facts.items() if value is not None}
    known = {one.concept_id for one in evidence.concepts}
    if not known:
        return told, because
    explained = explain_names(
        library, photo, [concept for concept in concepts if concept.id in known], evidence=evidence
    )
    by_concept = [
        [_index(tables.names, entry["name"]), _verdict(entry), _lines(entry)] for entry in explained
    ]
    return told, [*by_concept, *because]


def pack_script(
    library: Library,
    key: int,
    photos: list[tuple[PhotoRecord, list[Any]]],
    jpeg_of: Callable[[int], bytes | None],
) -> str:
    """Write the thumbnails of some photos and the evidence of who is on them."""
    thumbnails = [base64.b64encode(jpeg_of(photo.id) or b"").decode("ascii") for photo, _ in photos]
    return script("pack", key, thumbnails, [because for _, because in photos])


def _index(table: dict[str, int], text: str) -> int:
    return table.setdefault(text, len(table))


def _edges(box: tuple[float, float, float, float] | None) -> list[float] | None:
    return None if box is None else [round(part, 4) for part in box]


def _words_of_file(facts: Metadata | None, *, hidden: set[str]) -> str | None:
    """Title, description, keywords and persons of the file, but those that are shown as names."""
    words = [] if facts is None else facts.words()
    return (
        " · ".join(" ".join(str(word).split()) for word in words if name_key(str(word)) not in hidden) or None
    )


def _verdict(entry: dict[str, Any]) -> str:
    by = f", by {DECIDED_BY[entry['decided_by']]}" if entry["decided_by"] else ""
    return f"{VERDICTS.get(entry['verdict'], entry['verdict'])}{by}"


def _lines(entry: dict[str, Any]) -> list[str]:
    """The sources in words; the box is drawn, and of the likest photo the file's name will do."""
    lines = []
    for source in entry["sources"]:
        likest = source["most_like"] and Path(source["most_like"]).name
        lines.append(source_in_words({**source, "box": None, "most_like": likest}))
    return lines
