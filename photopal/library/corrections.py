"""Keeps what the user says of who is on a photo, for ever; it beats every model, reference and caption."""

from __future__ import annotations

from collections.abc import Sequence

from photopal.library.concepts import Concepts, check_box
from photopal.library.connection import Connection, precisely_now, storable
from photopal.library.evidence import FaceBox, PhotoEvidence, corrections_key, evidence_on, merged_ids
from photopal.library.fts import WordIndex
from photopal.library.history import Journal
from photopal.library.models import Correction, Evidence, PhotoFindings
from photopal.library.photos import PHOTO_COLUMNS, Photos, photo_record


class Corrections:
    """The part of a library that is about who is on which photo, in the user's own words.

    Args:
        connection: The open library.
        photos: The photos.
        concepts: Whose reference photos a word may take back.
        journal: Told of every change.
        words: Renewed for each photo that is spoken of.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        photos: Photos,
        concepts: Concepts,
        journal: Journal,
        words: WordIndex,
    ) -> None:
        self._connection = connection
        self._photos = photos
        self._concepts = concepts
        self._journal = journal
        self._words = words

    def put(
        self,
        photo_id: int,
        concept_id: int,
        *,
        is_present: bool,
        box: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Say that a photo shows a concept, or that it does not, for ever.

        A photo that does not show it is no longer its reference photo. What is said again without a box keeps
        the box it has.

        Args:
            photo_id: The photo.
            concept_id: The concept.
            is_present: Whether the photo shows it.
            box: Where: x, y, width, height in pixels of the upright photo.

        Raises:
            ConceptError: The box is outside the photo, or the photo is the concept's only reference photo.
            LibraryError: There is no such photo.
        """
        photo = self._photos.get(photo_id)
        check_box(box, photo)
        merged = merged_ids(self._connection, concept_id)
        verb = "is" if is_present else "is not"
        path = storable(str(photo.path))
        with self._journal.recording(f"{self._concepts.quoted_name(concept_id)} {verb} in {path}"):
            # That none of those who were merged is there holds for each of them, also once they are split.
            for member in merged[:1] if is_present else merged:
                self._put_one(photo_id, member, is_present=is_present, box=box)
            if not is_present:
                self._concepts.remove_reference(concept_id, photo_id)
            self._words.refresh((photo_id,))

    def _put_one(
        self, photo_id: int, concept_id: int, *, is_present: bool, box: tuple[int, int, int, int] | None
    ) -> None:
        rows = self._connection.rows(
            "SELECT is_present, box_x, box_y, box_width, box_height FROM corrections"
            " WHERE photo_id = ? AND concept_id = ?",
            (photo_id, concept_id),
        )
        before = tuple(rows[0]) if rows else None
        if before is not None and before[0] == is_present and (box is None or before[1:] == box):
            return
        self._journal.touch("corrections", photo_id, concept_id)
        self._connection.execute(
            "INSERT OR REPLACE INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (photo_id, concept_id, is_present, *(box or (None,) * 4), precisely_now()),
        )

    def evidence(self, photo_id: int, found: PhotoFindings | None = None) -> PhotoEvidence:
        """Weigh all that is known of who is on a photo.

        Args:
            photo_id: The photo.
            found: What faces and looks say, in place of what is stored of them.
        """
        return evidence_on(self._connection, photo_id, found)

    def owners_of_faces(self, photo_id: int, faces: Sequence[FaceBox]) -> dict[int, int]:
        """Return whose faces the user's boxes and those of reference photos say: people by index of the face.

        Args:
            photo_id: The photo.
            faces: The boxes of all faces on it, in fractions of it.
        """
        # Most photos have no box, and weighing all that is known of thousands of photos takes seconds.
        has_boxes = faces and self._connection.rows(
            "SELECT 1 FROM corrections WHERE photo_id = ?1 AND box_x NOT NULL UNION ALL"
            " SELECT 1 FROM reference_photos WHERE photo_id = ?1 AND box_x NOT NULL LIMIT 1",
            (photo_id,),
        )
        return self.evidence(photo_id).faces_in_boxes(faces) if has_boxes else {}

    def words(self, photo_id: int) -> dict[int, Evidence]:
        """Return what the user said of a photo, by concept: in photopal or in the photo's file."""
        rows = self._connection.rows(
            "SELECT 1 FROM corrections WHERE photo_id = ?1 UNION ALL SELECT 1 FROM reference_photos"
            " WHERE photo_id = ?1 UNION ALL SELECT 1 FROM captions WHERE photo_id = ?1 AND by_hand"
            " UNION ALL SELECT 1 FROM photos WHERE id = ?1 AND persons IS NOT NULL LIMIT 1",
            (photo_id,),
        )
        if not rows:
            return {}
        return {e.concept_id: e for e in self.evidence(photo_id).concepts if e.is_of_user}

    def known(self, photo_id: int, found: PhotoFindings | None = None) -> dict[int, Evidence]:
        """Return what counts more than a model's word of a photo, by concept: the user's, faces and looks.

        Args:
            photo_id: The photo.
            found: What faces and looks say, in place of what is stored of them.
        """
        return {e.concept_id: e for e in self.evidence(photo_id, found).concepts if e.source != "model"}

    def key(self, photo_id: int) -> str:
        """Return what is known of a photo in a short form, to tell whether a caption knows it."""
        return corrections_key(self.known(photo_id))

    def of_concept(self, concept_id: int, *, most: int) -> list[Correction]:
        """Return the photos of which the user said that a concept is there or is not, the latest first.

        Args:
            concept_id: The concept.
            most: How many photos of either kind to return at most. Missing photos are left out.
        """
        merged = merged_ids(self._connection, concept_id)
        found: dict[int, Correction] = {}
        for is_present in (True, False):
            rows = self._connection.rows(
                f"SELECT {PHOTO_COLUMNS}, box_x, box_y, box_width, box_height FROM corrections"
                f" JOIN photos ON photos.id = photo_id WHERE concept_id IN ({', '.join('?' * len(merged))})"
                " AND missing_since IS NULL AND is_present = ? ORDER BY made_at DESC, photo_id LIMIT ?",
                (*merged, is_present, most),
            )
            for row in rows:
                box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
                correction = Correction(photo_record(row), is_present, None if box[0] is None else box)
                found.setdefault(row["id"], correction)
        return list(found.values())

    def shown_hashes(self) -> set[str]:
        """Return the content hashes of photos that show somebody by the user's own word."""
        return set(
            self._connection.iter_column(
                "SELECT content_hash FROM photos WHERE id IN"
                " (SELECT photo_id FROM corrections WHERE is_present"
                " UNION SELECT photo_id FROM captions JOIN photo_words USING (photo_id)"
                " WHERE by_hand AND names IS NOT NULL)"
            )
        )

    def renew_words(self) -> None:
        """Make the searchable words of photos anew on which an earlier version counted somebody else."""
        if not self._connection.rows("SELECT 1 FROM stale_words LIMIT 1"):
            return
        with self._connection.writing():
            self._words.refresh(list(self._connection.iter_column("SELECT photo_id FROM stale_words")))
            self._connection.execute("DELETE FROM stale_words")

    def stamp(self) -> tuple[object, ...]:
        """Return what changes whenever reference photos or the user's words of photos do."""
        [row] = self._connection.rows(
            "SELECT (SELECT count(*) FROM corrections), (SELECT max(made_at) FROM corrections),"
            " (SELECT count(*) FROM reference_photos), (SELECT max(added_at) FROM reference_photos)"
        )
        return tuple(row)
