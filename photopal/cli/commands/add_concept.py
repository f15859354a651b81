"""`photopal add-concept`: gives a person, pet or thing a name by a few photos."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import parse_box, say_what_is_left_out
from photopal.cli.loading import find_faces, open_model, warn_of_unregistered
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import ConceptError, UsageError
from photopal.files import is_there
from photopal.text import count, join_words

if TYPE_CHECKING:
    from photopal.box import PixelBox
    from photopal.concepts.bank import Bank, BankConcept
    from photopal.concepts.initialize import FoundSubject
    from photopal.concepts.registration import SyncResult
    from photopal.ingest.references import AddedReferences, ReferenceFile
    from photopal.library import ConceptRecord, Library
    from photopal.vlm import VisionModel


@dataclass(frozen=True)
class _Details:
    """What the user says of a concept, next to its photos."""

    name: str
    kind: str | None
    about: str | None
    born: int | date | None
    is_child: bool


def add_concept(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the person, pet or thing.", metavar="NAME")],
    photos: Annotated[
        list[Path] | None,
        typer.Argument(help="Photos that show them, or folders of photos.", metavar="PHOTO"),
    ] = None,
    *,
    group: Annotated[
        int | None,
        typer.Option(help="Use the clearest faces of this group of `photopal people`.", metavar="GROUP"),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="person, pet or thing; person by default.", metavar="KIND")
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(help="Where they are in the photo, in pixels; once per photo.", metavar="X,Y,W,H"),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            help="Mask image, white where they are; once per photo, or a folder of masks.", metavar="FILE"
        ),
    ] = None,
    about: Annotated[
        str | None, typer.Option(help="Short description of how they look.", metavar="TEXT")
    ] = None,
    born: Annotated[
        str | None,
        typer.Option(
            help="Year or date of birth, such as 2021-06-03; small children are never named by face.",
            metavar="DATE",
        ),
    ] = None,
    child: Annotated[
        bool, typer.Option("--child", help="They are a small child on all photos, so faces never name them.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Give a name to a person, pet or thing, using a few photos of them.

    The name works at once, and `photopal tune` makes it more accurate. To models that were not taught names,
    photopal speaks of how somebody looks: as --about says, or else in the model's own words.

    Without a box or mask, photopal finds the subject by what the photos have in common; three or more photos
    work best. With --group, people get the name of whom `photopal people` found several photos. Masks in a
    folder are matched to photos by file name: IMG_1.png or IMG_1_mask.png for IMG_1.jpg. If the name exists
    already, the photos are added to it. If any photo cannot be read, nothing is added. Of folders, what
    `photopal index` leaves out is left out here too.

    Examples:
      photopal add-concept Rex rex1.jpg rex2.jpg rex3.jpg --kind pet --about "a small brown dog"
      photopal add-concept Anna party.jpg --box 410,120,300,620
      photopal add-concept Anna photos-of-anna --mask masks-of-anna
      photopal add-concept Leo leo1.jpg leo2.jpg leo3.jpg --born 2021
      photopal add-concept Anna --group 3
    """
    from photopal.assistant.find import explain_name

    session = session_of(ctx)
    birth = _read_birth(born)
    if group is not None:
        if photos or box or mask or kind not in (None, "person"):
            raise UsageError("--group cannot be used with photos, --box, --mask or another kind than person")
        files = _files_of_group(session, group, name)
    elif photos:
        files = _list_files(session, photos, boxes=[parse_box(text) for text in box or ()], masks=mask or ())
    else:
        raise UsageError("no photos", hint="Name photos that show them, or a group with --group.")
    model, path = open_model(session)
    with session.library_to_write() as library:
        details = _Details(name=name, kind=kind, about=about, born=birth, is_child=child)
        added, result, bank = _register(session, library, (model, path), files, details)
        if added.concept.kind == "person":
            _find_their_face(session, library, added.concept)
        warn_of_unregistered(session, library.concepts.all(), result.failed, known=bank.concepts)
        if added.concept.kind == "person":
            from photopal.assistant.evidence import compare_faces

            compare_faces(library)
        entries = _entries(library, added, result.found.get(added.concept.id, []))
        warning = explain_name(library, added.concept.name) if added.is_new else None
        names = {c.id: c.name for c in library.concepts.all()}
    registered = bank.concepts.get(added.concept.id)
    _show(session, added, entries, words=registered.words if registered else "", is_json=json)
    if registered and (alike := _described_alike(registered, bank, names)):
        session.warn(
            f'{join_words(alike)} and {added.concept.name} are both described as "{registered.words}", so'
            " nothing that a model says of one of them can be said by name. Tell them apart with --about."
        )
    if warning:
        session.warn(warning)


def _described_alike(registered: BankConcept, bank: Bank, names: Mapping[int, str]) -> list[str]:
    """The names of others whom the model knows by the same words."""
    from photopal.prompts.words import say_the_same

    others = [one for one in bank.concepts.values() if one.words and one.concept_id in names]
    return [
        names[one.concept_id]
        for one in others
        if one.concept_id != registered.concept_id and say_the_same(one.words, registered.words)
    ]


def _read_birth(text: str | None) -> int | date | None:
    """Read a year or a date.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    try:
        return int(text) if re.fullmatch(r"\d{4}", text, re.ASCII) else date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"invalid date of birth {text!r}", hint="Give a year such as 2021, or a day such as 2021-06-03."
        ) from None


def _list_files(
    session: Session, photos: Sequence[Path], *, boxes: Sequence[PixelBox], masks: Sequence[Path]
) -> list[ReferenceFile]:
    """List the photos that paths name, without what is excluded of folders, and say what is left out."""
    from photopal.ingest.references import list_reference_files
    from photopal.photos.exclude import Excludes

    globs: Mapping[Path, Sequence[str]] = {}
    if is_there(session.settings.library_path):
        with session.library_to_read() as library:
            globs = library.facts.globs()
    left_out: Counter[str] = Counter()
    try:
        return list_reference_files(
            photos,
            boxes=boxes,
            masks=masks,
            excludes=Excludes(photos, globs),
            on_left_out=lambda what, number: left_out.update({what: number}),
        )
    finally:
        say_what_is_left_out(session, left_out)


def _files_of_group(session: Session, group: int, name: str) -> list[ReferenceFile]:
    """The clearest faces that `photopal people` lists of a group, as photos with boxes.

    They are as different as they are. Faces of the group that are known to be somebody's are left out: a
    group may hold two people.

    Raises:
        UsageError: There is no such group, everybody in it has a name, or the name is that of a pet or thing.
    """
    from photopal.faces import learn_library
    from photopal.faces.unnamed import choose_references, find_unnamed, head_box
    from photopal.ingest.references import ReferenceFile

    with session.library_to_read() as library:
        concept = library.concepts.get_or_none(name)
        if concept is not None and concept.kind != "person":
            raise UsageError(f"{concept.name} is a {concept.kind}; a group of faces is a person")
        faces = library.faces.of_group(group)
        if not faces:
            raise UsageError(f"group {group} has no face on a photo that is there", hint="photopal people")
        unnamed = find_unnamed(library, learn_library(library))
        listed = {face_id for one in unnamed.groups for face_id in one.faces}
        faces = [face for face in faces if face.id in listed]
        if not faces:
            raise UsageError(f"everybody in group {group} has a name already", hint="photopal people")
        files = []
        for record in choose_references(faces):
            photo, others = library.photos.get(record.photo_id), library.faces.of_photo(record.photo_id)
            box = head_box(record, (photo.width_px, photo.height_px), others=others)
            files.append(ReferenceFile(photo.path, box))
    return files


def _register(
    session: Session,
    library: Library,
    model_and_bank: tuple[VisionModel, Path],
    files: Sequence[ReferenceFile],
    details: _Details,
) -> tuple[AddedReferences, SyncResult, Bank]:
    """Store a name with its photos and register it, both or neither; then put it into words if need be."""
    from photopal.concepts.registration import FeatureStore, encode_ahead, refresh_bank
    from photopal.concepts.wording import put_into_words
    from photopal.ingest.references import add_references, read_references

    model, path = model_and_bank
    store = FeatureStore(model)
    with session.progress("Looking at the photos") as on_progress:
        references = read_references(files)
        encode_ahead(library, store, [reference.photo for reference in references])
        try:
            with library.history.recording(
                f'added {count(len(files), "photo")} of "{" ".join(details.name.split())}"'
            ):
                added = add_references(
                    library, details.name, references, kind=details.kind, about=details.about
                )
                if details.born is not None or details.is_child:
                    library.concepts.set_age(
                        added.concept.id, born=details.born, is_child=details.is_child or None
                    )
                result = refresh_bank(
                    library, model, path, store=store, required=added.concept.id, on_progress=on_progress
                )
        except Exception as error:
            error.add_note("Nothing was added to the library.")
            raise
        # After the transaction, as the model may take a while to say how somebody looks.
        try:
            bank = put_into_words(library, store, result, path)
        except Exception as error:
            error.add_note("The photos were added; the next command tries again.")
            raise
    return added, result, bank


def _find_their_face(session: Session, library: Library, concept: ConceptRecord) -> None:
    """Search the reference photos for faces, and say whose face is taken for the person's."""
    from photopal.faces import find_reference_faces, refuse_tie

    references = library.concepts.references(concept.id)
    if find_faces(session, library, photos=[reference.photo for reference in references]) is None:
        return
    found = find_reference_faces(library, concept)
    try:
        refuse_tie(found)
    except ConceptError as error:
        session.warn(f"{error.message}. {error.hint}")
        return
    if found.faces:
        session.say(f"Found the face of {concept.name} on {len(found.faces)} of {count(len(references))}.")


def _entries(
    library: Library, added: AddedReferences, found: list[FoundSubject]
) -> list[tuple[str, int, int, PixelBox]]:
    """For each reference photo its path, the patches that show the concept, all patches, and where."""
    from photopal.concepts.localize import cells_extent

    photos = {
        reference.photo.content_hash: reference.photo
        for reference in library.concepts.references(added.concept.id)
    }
    entries = []
    for subject in found:
        photo = photos[subject.reference.key]
        extent = cells_extent(subject.cells, subject.reference.features.frame)
        box = extent.to_pixels(photo.width_px, photo.height_px)
        entries.append((str(photo.path), int(subject.cells.sum()), subject.cells.numel(), box))
    return entries


def _show(
    session: Session,
    added: AddedReferences,
    entries: list[tuple[str, int, int, PixelBox]],
    *,
    words: str,
    is_json: bool,
) -> None:
    concept = added.concept
    if is_json:
        photos: list[dict[str, Any]] = [
            {"path": path, "patches": patches, "of": total, "box": box}
            for path, patches, total, box in entries
        ]
        facts = {"name": concept.name, "kind": concept.kind, "about": concept.about, "is_new": added.is_new}
        show_json(session.out, {**facts, "added": added.added, "photos": photos})
    else:
        rows = [
            (path, f"{patches} of {total}", ",".join(map(str, box))) for path, patches, total, box in entries
        ]
        show_listing(session.out, Listing(("photo", "patches", "box"), rows))
    if added.is_new:
        session.say(f"Added {concept.name} with {count(added.added, 'photo')}.")
    elif added.added:
        session.say(f"Added {count(added.added, 'photo')} to {concept.name}.")
    else:
        session.say(f"{concept.name} already has these photos.")
    if words and not concept.about:
        session.say(
            f'The model sees {concept.name} as "{words}". If that is wrong, describe them with --about.'
        )
    session.say("The name can be used now. Run `photopal tune` to make it more accurate.")
