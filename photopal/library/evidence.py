"""Weighs all that is known of who is on a photo: by the user, reference photos, files, faces, looks, a model.

Here alone it is decided what counts; search, captions and questions follow.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from photopal.library.connection import Connection
from photopal.library.models import Evidence, EvidenceSource, Finding, PhotoFindings
from photopal.text import name_key, name_spans
from photopal.vocabulary import MONTHS, is_date, is_word

# The strongest word first: what the user said of this photo beats everything, in either direction.
_ORDER: tuple[EvidenceSource, ...] = ("user", "caption", "reference", "file", "face", "look", "model")

_ALL_WORDS = """
    SELECT 'user' AS source, concept_id, is_present, NULL AS score, NULL AS probability,
      box_x / (width_px * 1.0) AS box_x, box_y / (height_px * 1.0) AS box_y,
      box_width / (width_px * 1.0) AS box_width, box_height / (height_px * 1.0) AS box_height, NULL AS text,
      NULL AS corrections
      FROM corrections JOIN photos ON photos.id = photo_id WHERE photo_id = ?1
    UNION ALL SELECT 'reference', concept_id, 1, NULL, NULL,
      box_x / (width_px * 1.0), box_y / (height_px * 1.0),
      box_width / (width_px * 1.0), box_height / (height_px * 1.0), NULL, NULL
      FROM reference_photos JOIN photos ON photos.id = photo_id WHERE photo_id = ?1
    UNION ALL SELECT 'model', concept_id, is_present, score, probability,
      box_x, box_y, box_width, box_height, NULL, NULL FROM appearances WHERE photo_id = ?1
    UNION ALL SELECT source, concept_id, verdict IN ('present', 'looks like'), score, probability,
      box_x, box_y, box_width, box_height, verdict, NULL FROM findings WHERE photo_id = ?1 AND decides
    UNION ALL SELECT 'caption', NULL, by_hand, NULL, NULL, NULL, NULL, NULL, NULL, text, corrections
      FROM captions WHERE photo_id = ?1
    UNION ALL SELECT 'file', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, persons, NULL
      FROM photos WHERE id = ?1 AND persons IS NOT NULL
"""


FaceBox = tuple[float, float, float, float]
"""x, y, width and height in fractions of a photo."""


@dataclass(frozen=True)
class PhotoEvidence:
    """What counts on one photo.

    Attributes:
        concepts: One for each concept of which anything is known, by id; removed concepts are left out.
        names: The names of all concepts, by id.
        caption: The caption that may be shown; None where there is none, or it names somebody whom the user
            has taken off the photo since it was written.
        by_hand: Whether the user wrote the caption.
        is_contradicted: Whether there is a caption that must not be shown.
        words: All that was weighed, the stronger words first.
        roots: The concepts that others were merged into, or themselves, by id.
        people: The ids of all people.
    """

    concepts: tuple[Evidence, ...] = ()
    names: Mapping[int, str] | None = None
    caption: str | None = None
    by_hand: bool = False
    is_contradicted: bool = False
    words: tuple[Evidence, ...] = ()
    roots: Mapping[int, int] = field(default_factory=dict)
    people: frozenset[int] = frozenset()

    def box_of(self, concept_id: int) -> tuple[float, float, float, float] | None:
        """Return where a concept is, by the strongest word that says so; a model's is too coarse."""
        boxes = (
            word.box
            for word in self.words
            if word.is_present
            and word.source != "model"
            and self.roots.get(word.concept_id, word.concept_id) == concept_id
        )
        return next((box for box in boxes if box is not None), None)

    def faces_in_boxes(self, faces: Sequence[FaceBox]) -> dict[int, int]:
        """Return whose faces the user's boxes and those of reference photos say: people by index of the face.

        Args:
            faces: The boxes of all faces on the photo, in fractions of it.
        """
        return _faces_in_boxes(faces, _boxes_of_people(self.words, self.roots, self.people))

    @property
    def shown(self) -> dict[int, str]:
        """The names of those who count as shown, by id."""
        names = self.names or {}
        return {one.concept_id: names[one.concept_id] for one in self.concepts if one.is_present}

    @property
    def looks_like(self) -> list[int]:
        """Whose likes are shown, and no more is known."""
        return [one.concept_id for one in self.concepts if one.found == "looks like"]

    @property
    def taken_off(self) -> list[str]:
        """The names of those whom the user has taken off the photo."""
        names = self.names or {}
        return [names[e.concept_id] for e in self.concepts if e.source == "user" and not e.is_present]


@dataclass(frozen=True)
class _Concepts:
    """All concepts by id: `roots` are those that others were merged into, or themselves.

    `earlier` has the names that concepts had before they were renamed, `people` are those with a name.
    """

    roots: Mapping[int, int]
    active: Mapping[int, str]
    every: Mapping[int, str]
    earlier: Mapping[int, Sequence[str]]
    people: frozenset[int]

    def named(self) -> dict[str, tuple[int, str]]:
        """Whom a name means in a file or the user's caption, with the name as it is written, by `name_key`.

        That is who has it, was renamed or merged with it.
        """
        names = [*self.every.items(), *((i, name) for i, had in self.earlier.items() for name in had)]
        counting = [(i, name) for i, name in names if self.roots[i] in self.active]
        return {name_key(name): (i, name) for i, name in (*counting, *self.active.items())}


def evidence_on(connection: Connection, photo_id: int, found: PhotoFindings | None = None) -> PhotoEvidence:
    """Weigh everything that is known of one photo.

    Args:
        connection: The open library.
        photo_id: The photo.
        found: What faces and looks say, in place of what is stored of them.
    """
    rows = connection.rows(_ALL_WORDS, (photo_id,))
    if found is not None:
        rows = [row for row in rows if row["source"] not in ("face", "look")]
    if not rows and found is None:
        return PhotoEvidence()
    concepts = _read_concepts(connection)
    captions = [row for row in rows if row["source"] == "caption"]
    text, by_hand = (captions[0]["text"], bool(captions[0]["is_present"])) if captions else (None, False)
    words = [_evidence(row) for row in rows if row["source"] not in ("caption", "file")]
    words += [] if found is None else [_evidence_of(one) for one in found.findings if one.decides]
    for row in (row for row in rows if row["source"] == "file"):
        named = concepts.named()
        keys = {name_key(name) for name in json.loads(row["text"])} & named.keys()
        words += [Evidence(i, True, "file") for i in {named[key][0] for key in keys}]
    if by_hand and text is not None:
        # As in files, a name that was changed since counts: no text is rewritten in whichever case it stands.
        words += [Evidence(i, True, "caption") for i in _named_in(text, concepts)]
    words = _without_others_faces(connection, photo_id, words, concepts)
    weighed = _weigh(words, concepts)
    is_contradicted = False
    if text is not None and not by_hand:
        known = taken_off_in_key(captions[0]["corrections"])
        is_contradicted = _names_absent(text, words, weighed, concepts, known=known)
    return PhotoEvidence(
        concepts=weighed,
        names=concepts.active,
        caption=None if is_contradicted else text,
        by_hand=by_hand,
        is_contradicted=is_contradicted,
        words=tuple(sorted(words, key=lambda one: _ORDER.index(one.source))),
        roots=concepts.roots,
        people=concepts.people,
    )


def merged_ids(connection: Connection, concept_id: int) -> list[int]:
    """Return the ids of a concept and of all that were merged with it, the one with the name first."""
    roots = _read_concepts(connection).roots
    root = roots.get(concept_id, concept_id)
    return [root, *(i for i, its_root in roots.items() if its_root == root and i != root)]


def named_by_people(connection: Connection, name: str) -> set[int]:
    """Return the ids of the photos with a name in a caption that the user wrote or in their files."""
    rows = connection.rows("SELECT photo_id, text FROM captions WHERE by_hand")
    by_files = connection.iter_column(
        "SELECT rowid % 16777216 FROM photo_words_fts WHERE photo_words_fts MATCH ?",
        (f'{{facts}} : "{person_mark(name)}"',),
    )
    return {row["photo_id"] for row in rows if name_spans(row["text"], [name])} | set(by_files)


def person_mark(name: str) -> str:
    """Return the mark of a person or pet that a file names; it is the name's `name_key` in hexadecimal."""
    return "f" + name_key(name).encode("utf-8", "replace").hex()


def _read_concepts(connection: Connection) -> _Concepts:
    rows = connection.rows(
        "SELECT id, name, kind, removed_at, merged_into, earlier_names FROM concepts ORDER BY id"
    )
    above = {row["id"]: row["merged_into"] for row in rows}
    roots = {}
    for concept_id in above:
        root = concept_id
        while (upper := above[root]) is not None:
            root = upper
        roots[concept_id] = root
    active = {row["id"]: row["name"] for row in rows if row["removed_at"] is None}
    earlier = {row["id"]: json.loads(row["earlier_names"]) for row in rows if row["earlier_names"]}
    people = frozenset(row["id"] for row in rows if row["kind"] == "person" and row["id"] in active)
    return _Concepts(roots, active, {row["id"]: row["name"] for row in rows}, earlier, people)


def _boxes_of_people(
    words: Iterable[Evidence], roots: Mapping[int, int], people: Collection[int]
) -> list[tuple[int, FaceBox]]:
    """The boxes of people that the user drew, on this photo or a reference photo, the user's first."""
    return [
        (roots[word.concept_id], word.box)
        for word in sorted(words, key=lambda one: _ORDER.index(one.source))
        if word.source in ("user", "reference")
        and word.is_present
        and word.box is not None
        and roots[word.concept_id] in people
    ]


def _faces_in_boxes(faces: Sequence[FaceBox], boxes: Iterable[tuple[int, FaceBox]]) -> dict[int, int]:
    """Whose faces boxes of people say, by the index of the face; several faces in a box say nothing."""
    inside = [
        (key, [n for n, face in enumerate(faces) if _has_middle(box, face)], box[2] * box[3])
        for key, box in boxes
    ]
    owners: dict[int, int] = {}
    # Narrow boxes first: in the box of somebody with a child in their arms, the child's face is settled then,
    # also where the child's is the only face as the other is seen from behind.
    for concept_id, found, _ in sorted(inside, key=lambda one: (len(one[1]), one[2])):
        free = [index for index in found if index not in owners]
        if len(free) == 1 and concept_id not in owners.values():
            owners[free[0]] = concept_id
    return owners


def _has_middle(box: FaceBox, face: FaceBox) -> bool:
    """Whether the middle of a face lies in a box."""
    x, y, width, height = box
    across, down = face[0] + face[2] / 2, face[1] + face[3] / 2
    return x <= across <= x + width and y <= down <= y + height


def _without_others_faces(
    connection: Connection, photo_id: int, words: list[Evidence], concepts: _Concepts
) -> list[Evidence]:
    """Leave out who was found by a face that is somebody else's by a box, which may have been drawn since."""
    boxes = _boxes_of_people(words, concepts.roots, concepts.people)
    if not boxes or all(word.source != "face" for word in words):
        return words
    rows = connection.rows(
        "SELECT box_x, box_y, box_width, box_height FROM faces WHERE photo_id = ? ORDER BY id", (photo_id,)
    )
    faces: list[FaceBox] = [(x, y, width, height) for x, y, width, height in rows]
    owners = {faces[index]: concept_id for index, concept_id in _faces_in_boxes(faces, boxes).items()}

    def is_others(word: Evidence) -> bool:
        if word.source != "face" or word.box is None or word.box not in owners:
            return False
        return owners[word.box] != concepts.roots[word.concept_id]

    return [word for word in words if not is_others(word)]


def _weigh(words: Iterable[Evidence], concepts: _Concepts) -> tuple[Evidence, ...]:
    """The strongest word about each concept; concepts that were merged are shown where one of them is."""
    strongest: dict[int, Evidence] = {}
    for one in sorted(words, key=lambda one: _ORDER.index(one.source)):
        strongest.setdefault(one.concept_id, one)
    families: dict[int, list[Evidence]] = {}
    for concept_id, one in strongest.items():
        families.setdefault(concepts.roots[concept_id], []).append(one)
    weighed = []
    for root in sorted(families.keys() & concepts.active.keys()):
        best = min(families[root], key=lambda e: (not e.is_present, _ORDER.index(e.source), -(e.score or 0)))
        weighed.append(replace(best, concept_id=root))
    return tuple(weighed)


def _named_in(text: str, concepts: _Concepts) -> set[int]:
    """Whom the user's caption names. A name that is a word too is one where it is written as a name."""
    named = list(concepts.named().values())
    found = set()
    for start, end, index in name_spans(text, [name for _, name in named]):
        concept_id, name = named[index]
        is_name = _is_written_as_name(text, text[start:end], name)
        if is_name and not _is_date_in(text, start, end):
            found.add(concept_id)
    return found


def _is_written_as_name(text: str, written: str, name: str) -> bool:
    """Whether a name in a caption stands for whoever has it: Anna may sleep, but teddy is the bear."""
    if not is_word(name) or written == name:  # who registers a name in small letters writes it so
        return True
    is_capitalized = written[:1].isupper() and written in (name, name.capitalize())
    return is_capitalized or text.isupper()


_BEFORE_DATE = re.compile(
    r"(?:\b(?:in|during|since|until|till|late|early|mid|last|next)|\d(?:st|nd|rd|th)?(?:\s+of)?\.?)[\s-]+$",
    re.I,
)
_YEAR, _DAY = r"(?:1[89]|20)\d\d\b", r"\d\d?(?:st|nd|rd|th)?\.?"
# After a comma a number alone may be an age: "June, 3 months old".
_AFTER_DATE = re.compile(
    rf"[\s-]+\d|\s*,\s*(?:{_YEAR}|{_DAY}(?:\s+of)?[\s,-]+(?:{_YEAR}|(?:{'|'.join(MONTHS)})\b)"
    r"|\d\d?(?:[./-]\d\d?[./-]|:)\d)",
    re.I,
)


def _is_date_in(text: str, start: int, end: int) -> bool:
    """Whether a word in a text is a month, season or day of the week: Anna sleeps in May."""
    is_among_dates = _BEFORE_DATE.search(text[:start]) or _AFTER_DATE.match(text, end)
    return is_date(text[start:end]) and bool(is_among_dates)


def _names_absent(
    text: str,
    words: Iterable[Evidence],
    weighed: Iterable[Evidence],
    concepts: _Concepts,
    *,
    known: Collection[int],
) -> bool:
    """Whether a text names somebody whom the user has taken off the photo, by a present or earlier name.

    What was written when that was `known` does not speak of them: May is the month then, and Paris the place.
    """
    shown = {e.concept_id for e in weighed if e.is_present}
    taken_off = {e.concept_id for e in words if e.source == "user" and not e.is_present}
    absent = {i for i in taken_off if concepts.roots[i] not in shown}
    absent = {i for i in absent if not {i, concepts.roots[i]} & set(known)}
    if not absent:
        return False
    others = [name for i, name in concepts.active.items() if i not in absent]
    theirs = [name for i in absent for name in (concepts.every[i], *concepts.earlier.get(i, ()))]
    # A model need not write names as the user does: what may be one is not shown.
    spans = name_spans(text, [*others, *theirs])
    return any(index >= len(others) and not _is_date_in(text, start, end) for start, end, index in spans)


def corrections_key(words: Mapping[int, Evidence]) -> str:
    """Return what is known of a photo in a short form; captions that the user wrote are left out.

    Those are not made anew, so nothing depends on them.
    """
    said = [e for e in words.values() if e.source != "caption"]
    return " ".join(f"{_sign(e)}{e.concept_id}{_rounded(e.box)}" for e in said)


def taken_off_in_key(key: str) -> set[int]:
    """Return the ids of the concepts of which a `corrections_key` says that the user took them off the photo.

    Keys of earlier versions do not tell the user's "no" from that of a face or look: none is in them.
    """
    return set(map(int, re.findall(r"(?<!\S)!(\d+)", key)))


_SIGNS = {"yes": "+", "looks like": "~", "unsure": "?", "no": "-"}


def _sign(word: Evidence) -> str:
    return "!" if word.source == "user" and not word.is_present else _SIGNS[word.verdict]


def _rounded(box: Sequence[float] | None) -> str:
    return "" if box is None else "@" + ",".join(f"{part:.3f}" for part in box)


def _evidence_of(finding: Finding) -> Evidence:
    return Evidence(
        concept_id=finding.concept_id,
        is_present=finding.verdict in ("present", "looks like"),
        source=finding.source,
        score=finding.score,
        probability=finding.probability,
        box=finding.box,
        found=finding.verdict,
    )


def _evidence(row: sqlite3.Row) -> Evidence:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return Evidence(
        concept_id=row["concept_id"],
        is_present=bool(row["is_present"]),
        source=row["source"],
        score=row["score"],
        probability=row["probability"],
        box=None if box[0] is None else box,
        found=row["text"] if row["source"] in ("face", "look") else None,
    )
