"""Tells whom the files of photos name and where they are, also those who are no concepts; reads no file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photopal.photos.metadata import NOBODY
from photopal.text import name_key

if TYPE_CHECKING:
    from photopal.library import Evidence, Library, PhotoRecord
    from photopal.library.evidence import PhotoEvidence
    from photopal.photos.metadata import Metadata
    from photopal.photos.turns import Box


class FileNames:
    """Whom files name, as the concepts are now.

    Args:
        library: What it knows of files is what `photopal index` read.
    """

    def __init__(self, library: Library) -> None:
        self._concepts = library.concepts.by_key()
        self._removed = set(map(name_key, library.concepts.removed_names()))

    def id_of(self, name: str) -> int | None:
        """Return the id of the concept that a name in a file means; None where it is none's."""
        concept = self._concepts.get(name_key(name))
        return None if concept is None else concept.id

    def locate(self, photo: PhotoRecord, evidence: PhotoEvidence, facts: Metadata | None) -> PhotoEvidence:
        """Return what counts on a photo, with the boxes that its files have for their names.

        Args:
            photo: The photo.
            evidence: What counts on it.
            facts: What its files say.
        """
        if facts is None or not any(one.source == "file" for one in evidence.words):
            return evidence
        boxes = {
            self._concepts[key].id: box
            for name, box in facts.named_boxes(photo.width_px, photo.height_px).items()
            if (key := name_key(name)) in self._concepts
        }

        def located(one: Evidence) -> Evidence:
            root = evidence.roots.get(one.concept_id, one.concept_id)
            return replace(one, box=boxes.get(root)) if one.source == "file" else one

        return replace(
            evidence,
            concepts=tuple(map(located, evidence.concepts)),
            words=tuple(map(located, evidence.words)),
        )

    def others(self, photo: PhotoRecord, facts: Metadata | None) -> dict[str, Box | None]:
        """Return the names in a photo's files that are no concept's and were not removed, and where they are.

        Args:
            photo: The photo.
            facts: What its files say.

        Returns:
            Boxes as of `Metadata.named_boxes`, by name.
        """
        found = {} if facts is None else facts.named_boxes(photo.width_px, photo.height_px)
        return {name: box for name, box in found.items() if self.is_other(name)}

    def is_other(self, name: str) -> bool:
        """Tell whether a name in a file is somebody's who is no concept and was not removed."""
        key = name_key(name)
        return not (key in NOBODY or key in self._concepts or key in self._removed)
