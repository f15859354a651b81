"""`photopal who`: says who is on a photo and by whose word, and puts names on it or takes them off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.assistant.explanation import BY_WHOM
from photopal.assistant.file_names import FileNames
from photopal.cli.context import Session, session_of
from photopal.cli.inputs import parse_box, photo_named, read_paths
from photopal.cli.output import Listing, safe, show_json, show_line, show_listing
from photopal.errors import NothingFoundError, UsageError
from photopal.text import count, join_words

if TYPE_CHECKING:
    from photopal.library import ConceptRecord, Library, PhotoRecord
    from photopal.library.evidence import PhotoEvidence

_BOX = re.compile(r"(?P<name>.+)=(?P<box>[-\d., ]*)")


def who(
    ctx: typer.Context,
    photos: Annotated[
        list[Path],
        typer.Argument(help="Photos in the library, or - to read paths from stdin.", metavar="PHOTO"),
    ],
    *,
    is_: Annotated[
        list[str] | None,
        typer.Option(
            "--is",
            help="This person, pet or thing is in the photo, in this box in pixels; can be repeated.",
            metavar="NAME[=X,Y,W,H]",
        ),
    ] = None,
    not_: Annotated[
        list[str] | None,
        typer.Option(
            "--not", help="This person, pet or thing is not in the photo; can be repeated.", metavar="NAME"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who is in a photo, or correct it.

    For each name, shows whether it is in the photo and who says so: you, a caption you wrote, a reference
    photo, the file itself, a face, how a pet or thing looks, or a model with its score. "looks like" counts
    as being in the photo but is not sure until you confirm it. "unsure" by a face or by looks does not count;
    by a model, it counts if the model rather sees them, which --json gives as is_present. `photopal why`
    explains it. Persons that only the file names are listed too.

    What you say with --is and --not is final: no model changes it, and search, captions and answers follow at
    once. A face in a box is nobody else's. A caption by a model with a name you took off is no longer shown,
    and `photopal caption` writes a new one. photopal also learns from it. A photo that does not show somebody
    is no longer one of their reference photos. `photopal undo` reverts the change.

    Examples:
      photopal who party.jpg
      photopal who party.jpg --not Ben --is Anna=410,120,300,620
      photopal search Ben 2019 --paths | photopal who - --not Ben
    """
    session = session_of(ctx)
    paths = read_paths(photos)
    said = [_Word.read(text, is_present=True) for text in is_ or ()]
    said += [_Word(name, is_present=False) for name in not_ or ()]
    with session.library_to_write() if said else session.library_to_read() as library:
        # A photo may be named twice, or by the paths of its copies.
        rows = list({row.id: row for row in (photo_named(library, path) for path in paths)}.values())
        if len(rows) > 1 and any(word.box for word in said):
            raise UsageError("a box can only be given for a single photo")
        file_names = FileNames(library)
        persons = {row.id: list(file_names.others(row, library.facts.get(row.id))) for row in rows}
        if said:
            _correct(session, library, rows, [_as_known(library, word, rows[0], paths[0]) for word in said])
        found = [(row, library.corrections.evidence(row.id)) for row in rows]
        concepts = library.concepts.all()
        if json:
            show_json(session.out, [_as_json(row, known, concepts, persons[row.id]) for row, known in found])
        if not concepts and not any(persons.values()):
            raise NothingFoundError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
        if not json and not said:
            _show(session, library, found, persons)


@dataclass(frozen=True)
class _Word:
    """A name with what the user says of it, and the box as x, y, width, height in pixels."""

    name: str
    is_present: bool
    box: tuple[int, int, int, int] | None = None

    @classmethod
    def read(cls, text: str, *, is_present: bool) -> _Word:
        """Read NAME or NAME=X,Y,W,H."""
        match = _BOX.fullmatch(text)
        if match is None:
            return cls(text, is_present)
        return cls(
            match["name"], is_present, parse_box(match["box"], example=f"{match['name']}=410,120,300,620")
        )


def _as_known(library: Library, word: _Word, row: PhotoRecord, path: Path) -> _Word:
    """Turn a box as the photo is known, which may be by a copy that is turned differently."""
    if word.box is None:
        return word
    own = library.facts.orientation_at(path)
    if own is None or own == row.orientation:
        return word
    from photopal.photos.turns import turn_between, turned_pixels

    turn = turn_between(own, row.orientation)
    size_px = (row.height_px, row.width_px) if turn >= 5 else (row.width_px, row.height_px)
    return replace(word, box=turned_pixels(turn, word.box, size_px))


def _correct(session: Session, library: Library, rows: Sequence[PhotoRecord], said: Sequence[_Word]) -> None:
    """Store what the user says, all in one entry of the journal, and tell what came of it."""
    concepts = [library.concepts.get(word.name) for word in said]
    if len({concept.id for concept in concepts}) < len(concepts):
        raise UsageError("the same name is given twice")
    words = list(zip(concepts, said, strict=True))
    before = [library.corrections.evidence(row.id) for row in rows]
    references = {c.id: {r.photo.id for r in library.concepts.references(c.id)} for c in concepts}
    entries = library.history.entries(1)
    with library.history.recording(_what(rows, words)):
        for row in rows:
            for concept, word in words:
                library.corrections.put(row.id, concept.id, is_present=word.is_present, box=word.box)
    if library.history.entries(1) == entries:
        session.say("You have said so before; nothing was changed.")
        return
    where = str(rows[0].path) if len(rows) == 1 else count(len(rows))
    for concept, word in words:
        session.say(f"{concept.name} {'is' if word.is_present else 'is not'} in {where}.")
        gone = references[concept.id] & {row.id for row in rows} if not word.is_present else set()
        for row in rows:
            if row.id in gone:
                session.say(f"{row.path} is no longer a reference photo of {concept.name}.")
    after = [library.corrections.evidence(row.id) for row in rows]
    _tell_of_captions(session, rows, before, after)
    session.say(
        "photopal learns from this when it next looks at photos, and `photopal tune` learns more."
        " To revert, run `photopal undo`."
    )


def _what(rows: Sequence[PhotoRecord], words: Sequence[tuple[ConceptRecord, _Word]]) -> str:
    """What the journal says of the change."""
    where = str(rows[0].path) if len(rows) == 1 else count(len(rows))
    shown = [f'"{concept.name}"' for concept, word in words if word.is_present]
    absent = [f'"{concept.name}"' for concept, word in words if not word.is_present]
    parts = [f"{join_words(names)} {verb}" for names, verb in ((shown, "is"), (absent, "is not")) if names]
    return safe(f"{' and '.join(parts)} in {where}")


def _tell_of_captions(
    session: Session,
    rows: Sequence[PhotoRecord],
    before: Sequence[PhotoEvidence],
    after: Sequence[PhotoEvidence],
) -> None:
    hidden = [
        row
        for row, old, new in zip(rows, before, after, strict=True)
        if new.is_contradicted and not old.is_contradicted
    ]
    by_hand = [
        row for row, known in zip(rows, after, strict=True) if known.by_hand and known.caption is not None
    ]
    if hidden:
        whose = f"The caption of {hidden[0].path}" if len(hidden) == 1 else f"{count(len(hidden), 'caption')}"
        session.say(f"{whose} had the name and is no longer shown. `photopal caption` writes a new one.")
    elif len(by_hand) < len(rows):
        session.say("`photopal caption` writes new captions that follow what you said.")
    for row in by_hand[:10]:
        session.say(f"You wrote the caption of {row.path} yourself; it is left as it is.")


def _show(
    session: Session,
    library: Library,
    found: Sequence[tuple[PhotoRecord, PhotoEvidence]],
    persons: Mapping[int, Sequence[str]],
) -> None:
    concepts = library.concepts.all()
    for row, known in found:
        if len(found) > 1:
            show_line(session.out, f"{safe(str(row.path))}:")
        entries = _as_json(row, known, concepts, persons[row.id])["names"]
        rows = [
            (
                entry["name"],
                entry["verdict"],
                BY_WHOM.get(entry["source"] or "", ""),
                "" if entry["score"] is None else f"{entry['score']:+.3f}",
                "" if entry["box"] is None or not entry["is_present"] else ",".join(map(str, entry["box"])),
            )
            for entry in entries
        ]
        show_listing(session.out, Listing(("name", "in the photo", "says", "score", "box"), rows))
        if known.is_contradicted:
            session.say(f"{row.path} needs a new caption: run `photopal caption`.")
        elif library.captions.get(row.id) is None:
            session.say(f"No model has looked at {row.path} yet: run `photopal caption`.")


_ORDER = ("yes", "looks like", "unsure", "no", "unknown")


def _as_json(
    photo: PhotoRecord, known: PhotoEvidence, concepts: Sequence[ConceptRecord], persons: Sequence[str]
) -> dict[str, Any]:
    """What is known of every concept and of others whom the file names, those that are there first."""
    evidence = {one.concept_id: one for one in known.concepts}
    names: list[dict[str, Any]] = []
    for concept in concepts:
        one = evidence.get(concept.id)
        box = None
        if one is not None and one.box is not None:
            x, y, width, height = one.box
            left, top = round(x * photo.width_px), round(y * photo.height_px)
            right, bottom = round((x + width) * photo.width_px), round((y + height) * photo.height_px)
            box = (left, top, right - left, bottom - top)
        names.append(
            {
                "name": concept.name,
                "kind": concept.kind,
                "is_present": None if one is None else one.is_present,
                "verdict": "unknown" if one is None else one.verdict,
                "source": None if one is None else one.source,
                "score": None if one is None else one.score,
                "probability": None if one is None else one.probability,
                "box": box,
            }
        )
    nothing: dict[str, Any] = dict.fromkeys(("kind", "score", "probability", "box"))
    names += [
        {"name": name, **nothing, "is_present": True, "verdict": "yes", "source": "file"} for name in persons
    ]
    names.sort(key=lambda entry: _ORDER.index(entry["verdict"]))
    return {
        "path": str(photo.path),
        "caption": known.caption,
        "needs_caption": known.caption is None,
        "names": names,
    }
