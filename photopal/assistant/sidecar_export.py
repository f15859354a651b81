"""Tells what sidecars are to say of photos, and writes them; captions and names as they are known now.

Only what is sure goes out: names that the user confirmed, and captions that name nobody else. What stands in
the photo itself or was written by others beside it stays as it is; where a new sidecar would hide a list in
the photo from other programs, as they read only one of both, the list is copied.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from photopal.assistant.file_names import FileNames
from photopal.errors import LibraryError, PhotoError
from photopal.files import is_there
from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
from photopal.library.originals import known_photo_at
from photopal.library.sidecar_files import has_possible_name, read_sidecar, write_sidecar
from photopal.library.sidecars import SidecarChange
from photopal.photos.metadata import Fact, Metadata, levels_of
from photopal.photos.sidecar_words import (
    LISTS,
    NamedRegion,
    SidecarWords,
    said_by_item,
    without_photopal,
    words_by_photopal,
    write_words,
)
from photopal.photos.sidecars import SidecarFinder, sidecar_to_write
from photopal.photos.turns import back, turned_box
from photopal.photos.xmp import Xmp
from photopal.photos.xmp_edit import XmpEditError
from photopal.text import name_key, names_in

_FOLDERS = {"person": "People", "pet": "Pets", "thing": "Things"}
_REGION_KINDS = {"person": "Face", "pet": "Pet"}
# What other programs read anyway; they do not know Takeout's and Picasa's own files.
_XMP_SOURCES = ("XMP", "sidecar")


@dataclass(frozen=True)
class ExportOptions:
    """What goes out, and where.

    Attributes:
        has_unconfirmed: Also names that a model is sure of, and captions with them.
        is_removal: Nothing goes out, and what photopal wrote before is taken out.
        is_short: Whether new sidecars are called photo.xmp instead of photo.jpg.xmp.
    """

    has_unconfirmed: bool = False
    is_removal: bool = False
    is_short: bool = False


@dataclass(frozen=True)
class PlannedSidecar:
    """A sidecar that is to change, the photo's path, and the caption that photopal writes into it."""

    photo: Path
    change: SidecarChange
    caption: str | None


@dataclass(frozen=True)
class ExportPlan:
    """What is to be written.

    Attributes:
        sidecars: Those that change.
        unchanged: How many photos need no change.
        left_out: Sidecars that cannot be changed, or whose photos were replaced, and why.
        withheld: How many captions stay here because they name somebody who is not confirmed.
        parts: Temporary files that lie beside the photos.
    """

    sidecars: tuple[PlannedSidecar, ...]
    unchanged: int
    left_out: tuple[tuple[Path, str], ...]
    withheld: int
    parts: tuple[Path, ...] = ()

    def without(self, failed: Sequence[tuple[Path, str]]) -> ExportPlan:
        """The plan as it was carried out: sidecars that failed, with the reasons, are left out."""
        paths = {path for path, _ in failed}
        done = tuple(each for each in self.sidecars if each.change.path not in paths)
        return replace(self, sidecars=done, left_out=(*self.left_out, *failed))


def plan_export(
    library: Library,
    photos: Iterable[tuple[PhotoRecord, Sequence[Path]]],
    options: ExportOptions,
    *,
    only_written: Mapping[int, bool] | None = None,
) -> ExportPlan:
    """Tell what would be written beside photos; changes nothing.

    Args:
        library: What is known of them.
        photos: Photos, and the paths beside which to write.
        options: What goes out.
        only_written: Only photos beside which photopal wrote before, and whether with unconfirmed names;
            nothing is written beside others.
    """
    concepts = {concept.id: concept for concept in library.concepts.all()}
    # A caption may have the name of somebody who was removed, and is then as little to go out.
    names = [*library.concepts.names(), *library.concepts.removed_names()]
    file_names = FileNames(library)
    finder = SidecarFinder()
    planned: list[PlannedSidecar] = []
    left_out: list[tuple[Path, str]] = []
    unchanged = withheld = 0
    photo_of: dict[Path, int] = {}
    for photo, paths in photos:
        own = options
        if only_written is not None:
            own = replace(options, has_unconfirmed=options.has_unconfirmed or only_written[photo.id])
        known = _Known(library, photo, concepts, names=names, file_names=file_names, options=own)
        withheld += known.is_withheld
        for path in paths:
            sidecar = sidecar_to_write(path, finder, is_short=options.is_short)
            # A folder that was indexed under two names has each photo twice.
            if photo_of.get(sidecar) == photo.id:
                continue
            is_of_another = (
                _is_called_after_another(sidecar, path, finder)
                or photo_of.setdefault(sidecar, photo.id) != photo.id
            )
            try:
                if not options.is_removal:
                    known_photo_at(library, path)
                content = read_sidecar(sidecar)
                after = known.write(content, path, sidecar, must_be_ours=only_written is not None)
            except (XmpEditError, LibraryError, PhotoError) as error:
                left_out.append((sidecar, error.message.removeprefix(f"{sidecar}: ")))
                continue
            if after == content:
                unchanged += 1
            elif (reason := _why_not_to_write(sidecar, is_of_another=is_of_another)) is not None:
                left_out.append((sidecar, reason))
            else:
                written = words_by_photopal(Xmp([after or b""]))
                change = SidecarChange(
                    path=sidecar,
                    photo_id=photo.id,
                    before=content,
                    after=after,
                    names=known.names_in(written),
                    has_unconfirmed=own.has_unconfirmed,
                )
                planned.append(PlannedSidecar(path, change, written.description))
    return ExportPlan(tuple(planned), unchanged, tuple(left_out), withheld, tuple(finder.parts))


def _is_called_after_another(sidecar: Path, photo: Path, finder: SidecarFinder) -> bool:
    theirs = finder.sidecar_of_another(photo)
    return theirs is not None and os.path.realpath(theirs) == str(sidecar)


def _why_not_to_write(sidecar: Path, *, is_of_another: bool) -> str | None:
    if is_of_another:
        return "it is the sidecar of another photo, too"
    if not has_possible_name(sidecar):
        return "the photo's name is too long for a sidecar to be called after it"
    if is_there(sidecar) and not os.access(sidecar, os.W_OK):
        # It could be replaced all the same, but somebody has protected it.
        return "it is write-protected"
    return None if os.access(sidecar.parent, os.W_OK) else "the folder cannot be written to"


def apply_export(library: Library, plan: ExportPlan) -> list[tuple[Path, str]]:
    """Write what was planned, as one entry of the journal that can be undone; it has what was written.

    Returns:
        The sidecars that could not be written or were changed by somebody else meanwhile, and why.
    """
    failed: list[tuple[Path, str]] = []
    with library.sidecars.writing():
        changes: list[SidecarChange] = []
        for planned in plan.sidecars:
            # What another run has written since the plan is that run's, and for its entry to undo.
            reason = _why_not_as_planned(planned.change)
            if reason is None:
                changes.append(planned.change)
            else:
                failed.append((planned.change.path, reason))
        entry_id = library.sidecars.record(changes) if changes else None
        unwritten: list[tuple[Path, str]] = []
        for change in changes:
            try:
                # See `remove_parts` for the lock; it is given back each time, so that others need not wait.
                with library.connection.lock():
                    reason = _why_not_as_planned(change)
                    if reason is None:
                        write_sidecar(change.path, change.after)
            except LibraryError as error:
                reason = error.message
            except OSError as error:
                reason = f"cannot be written: {error.strerror or error}"
            if reason is not None:
                unwritten.append((change.path, reason.removeprefix(f"{change.path}: ")))
        if entry_id is not None and unwritten:
            library.sidecars.withdraw(entry_id, changes, failed=[path for path, _ in unwritten])
    return [*failed, *unwritten]


def _why_not_as_planned(change: SidecarChange) -> str | None:
    """Tell why a sidecar is not what a change was made from; None where it is."""
    try:
        is_as_planned = read_sidecar(change.path) == change.before
    except LibraryError as error:
        return error.message.removeprefix(f"{change.path}: ")
    return None if is_as_planned else "another program has just changed it"


class _Known:
    """What is known of a photo that may go out."""

    def __init__(
        self,
        library: Library,
        photo: PhotoRecord,
        concepts: Mapping[int, ConceptRecord],
        *,
        names: Sequence[str],
        file_names: FileNames,
        options: ExportOptions,
    ) -> None:
        self._library, self._photo, self._options = library, photo, options
        self._file_names = file_names
        self._facts = library.facts.get(photo.id) or Metadata()
        self._orientation = self._facts.value("orientation") or 1
        self._evidence = evidence = file_names.locate(
            photo, library.corrections.evidence(photo.id), self._facts
        )
        self._taken_off = {file_names.id_of(name) for name in evidence.taken_off}
        self._shown = [
            concepts[one.concept_id]
            for one in evidence.concepts
            if one.is_present and not options.is_removal and self._is_sure(one)
        ]
        self.is_withheld = False
        self._names = names
        self._caption: str | None = None
        self._is_by_user = evidence.by_hand
        if evidence.caption and not options.is_removal:
            # A model's caption stays here if it names somebody who is not to be named.
            shown = {concept.name for concept in self._shown}
            is_shown = shown.issuperset(names_in(evidence.caption, self._names))
            self.is_withheld = not evidence.by_hand and not is_shown
            self._caption = None if self.is_withheld else evidence.caption

    def _is_sure(self, one: Evidence) -> bool:
        return one.is_of_user or (self._options.has_unconfirmed and one.verdict == "yes")

    def write(self, content: bytes | None, path: Path, sidecar: Path, *, must_be_ours: bool) -> bytes | None:
        """Return what is to be in a sidecar.

        Raises:
            XmpEditError: It cannot be changed.
        """
        before = Xmp([content]) if content else Xmp(())
        is_ours = any(name.startswith("photopal:") for name in before.all())
        if not is_ours and (must_be_ours or self._options.is_removal):
            return content
        is_new = content is None and sidecar.name == f"{path.stem}.xmp"
        others = without_photopal(before)
        words = replace(self._words(others), orientation=self._orientation_at(path))
        # A sidecar of photopal's own has to say something that the photo does not.
        is_own = content is None or not others.all().keys() - {"photoshop:SidecarForExtension"}
        if is_own and not self._adds_to_file():
            words = SidecarWords(size_px=words.size_px)
        return write_words(content, words, extension=path.suffix[1:] if is_new else None)

    def names_in(self, words: SidecarWords) -> tuple[str, ...]:
        """Return the names that photopal has put into a sidecar."""
        drawn = {name_key(region.name) for region in words.regions}
        said = {_said(name, text) for name, items in words.lists.items() for text in items}
        listed = [
            concept.name
            for concept in self._shown
            if name_key(concept.name) in drawn
            or any(_said(name, text) in said for name, text in _items_of(concept).items())
        ]
        return tuple(dict.fromkeys([*listed, *names_in(words.description or "", self._names)]))

    def _adds_to_file(self) -> bool:
        """Whether there is anything that the photo's own file does not say."""
        if self._caption and self._description_in_photo() is None:
            return True
        regions = [each for each in self._facts.regions if each.name and each.source in _XMP_SOURCES]
        drawn = {name_key(each.name or "") for each in regions}
        persons = [each for each in self._facts.facts if each.field == "person"]
        named = drawn | {name_key(each.value) for each in persons if each.source in _XMP_SOURCES}
        return any(
            name_key(concept.name) not in (drawn if self._region(concept) else named)
            for concept in self._shown
        )

    def _words(self, others: Xmp) -> SidecarWords:
        """What to say beside others, with copies of what is in the photo where it would be hidden."""
        items = [_items_of(concept) for concept in self._shown]
        lists = {name: [each[name] for each in items if name in each] for name in LISTS}
        regions = [region for concept in self._shown if (region := self._region(concept))]
        stored = (self._photo.width_px, self._photo.height_px)
        embedded = self._embedded()
        for name in LISTS:
            if lists[name] and not others.texts(name):
                said = {said_by_item(name, text) for text in embedded[name]}
                ours = [text for text in lists[name] if said_by_item(name, text) not in said]
                lists[name] = [*embedded[name], *ours]
        if regions and not others.structures("mwg-rs:Regions", "mwg-rs:RegionList"):
            drawn = {concept.id for concept in self._shown if self._region(concept)}
            regions += [
                each for each in self._embedded_regions() if self._file_names.id_of(each.name) not in drawn
            ]
        return SidecarWords(
            description=self._caption if self._description_in_photo() is None else None,
            is_by_user=self._is_by_user,
            lists={name: tuple(items) for name, items in lists.items()},
            regions=tuple(regions),
            size_px=stored[::-1] if self._orientation >= 5 else stored,
        )

    def _orientation_at(self, path: Path) -> int:
        """How the file at a path is turned, which may be a copy that is turned differently."""
        own = self._library.facts.orientation_at(path)
        return self._orientation if own is None else own

    def _description_in_photo(self) -> str | None:
        """The description that stands in the photo, which one beside it would hide."""
        descriptions = (fact for fact in self._facts.facts if fact.field == "description")
        return next((fact.value for fact in descriptions if fact.source not in ("sidecar", "Takeout")), None)

    def _embedded(self) -> dict[str, list[str]]:
        """The lists that stand in the photo, without those whom the user has taken off it."""
        found = {
            field: [
                str(fact.value)
                for fact in self._facts.facts
                if fact.field == field
                and fact.source in ("XMP", "IPTC", "EXIF")
                and not self._is_taken_off(_name_in(fact))
            ]
            for field in ("keyword", "hierarchy", "person")
        }
        # A keyword without levels stands among the others too, and may have a slash in it.
        tags = [[text] if text in found["keyword"] else levels_of(text) for text in found["hierarchy"]]
        return {
            "dc:subject": found["keyword"],
            "digiKam:TagsList": ["/".join(level.replace("/", "-") for level in levels) for levels in tags],
            "lr:hierarchicalSubject": ["|".join(levels) for levels in tags],
            "Iptc4xmpExt:PersonInImage": found["person"],
        }

    def _is_taken_off(self, name: str) -> bool:
        """Whether a name in the photo is that of somebody whom the user has taken off it."""
        concept_id = self._file_names.id_of(name)
        return concept_id is not None and concept_id in self._taken_off

    def _embedded_regions(self) -> list[NamedRegion]:
        regions = []
        for region in self._facts.regions:
            box = region.upright_box(self._orientation, self._photo.width_px, self._photo.height_px)
            if region.source == "XMP" and region.name and box is not None:
                stored = turned_box(back(self._orientation), box)
                if not self._is_taken_off(region.name):
                    regions.append(NamedRegion(region.name, region.kind, stored))
        # Copies that are turned differently may have the same ones.
        return list(dict.fromkeys(regions))

    def _region(self, concept: ConceptRecord) -> NamedRegion | None:
        """Where somebody is in the image as stored: a person by their face where it has been found."""
        box = self._evidence.box_of(concept.id)
        if box is None or concept.kind not in _REGION_KINDS:
            return None
        x, y, width, height = box
        if concept.kind == "person":
            faces = [record.face.box for record in self._library.faces.of_photo(self._photo.id)]
            inside = [
                face
                for face in faces
                if x <= face[0] + face[2] / 2 <= x + width and y <= face[1] + face[3] / 2 <= y + height
            ]
            box = inside[0] if len(inside) == 1 else box
        return NamedRegion(
            concept.name, _REGION_KINDS[concept.kind], turned_box(back(self._orientation), box)
        )


def _items_of(concept: ConceptRecord) -> dict[str, str]:
    """What stands for somebody in each list; a name has no mark in it that would part it into levels."""
    folder, name = _FOLDERS[concept.kind], concept.name
    items = {
        "dc:subject": name,
        "digiKam:TagsList": f"{folder}/{name.replace('/', '-')}",
        "lr:hierarchicalSubject": f"{folder}|{name.replace('|', '-')}",
    }
    return items | {"Iptc4xmpExt:PersonInImage": name} if concept.kind == "person" else items


def _said(name: str, text: str) -> tuple[str, ...]:
    """What an item of a list says, in which of the lists."""
    return (name, *map(name_key, said_by_item(name, text)))


def _name_in(fact: Fact) -> str:
    """Whom a keyword may name: "People/Anna" names Anna."""
    value = str(fact.value)
    return levels_of(value)[-1] if fact.field == "hierarchy" else value
