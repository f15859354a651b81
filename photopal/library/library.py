"""The library as the rest of photopal sees it: one connection, and the parts that use it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from photopal.library.captions import Captions
from photopal.library.concepts import Concepts
from photopal.library.connection import WRITER_WAIT_S, Connection
from photopal.library.corrections import Corrections
from photopal.library.faces import Faces
from photopal.library.findings import Findings
from photopal.library.fts import WordIndex
from photopal.library.history import History, Journal
from photopal.library.metadata import FileFacts
from photopal.library.paths import Paths
from photopal.library.photos import Photos
from photopal.library.pictures import Pictures
from photopal.library.search import Search
from photopal.library.sidecars import WrittenSidecars


class Library:
    """Photos, concepts and captions in one SQLite file; open it in a `with`.

    One `Library` belongs to one thread. Every change is committed when its call returns, or
    together with others at the end of `with library.writing():`.

    Args:
        path: The library file; created, with its folder, unless `read_only`.
        read_only: For searching and counting; changes are refused.
        wait_s: How long a change waits for another process's change, in seconds.

    Attributes:
        connection: The open file.
        facts: What files say of photos, dates that the user set, and what is not wanted.
        paths: Where files are and which could not be read.
        pictures: Which file is which photo, also after an edit.
        photos: What is known of each photo.
        concepts: The people, pets and things that have names, and their reference photos.
        captions: What photos show, in words, and which concepts.
        corrections: Who is on which photo, in the user's words, and what counts.
        faces: The faces on photos, and groups of faces alike.
        findings: Who was found on photos by faces and looks.
        sidecars: What photopal wrote beside photos.
        search: Finds and counts photos.
        history: What the user changed, and its undo.

    Raises:
        LibraryError: There is no library to read, it is no library, or a newer photopal wrote it.
    """

    def __init__(self, path: Path, *, read_only: bool = False, wait_s: float = WRITER_WAIT_S) -> None:
        self.connection = Connection(path, read_only=read_only, wait_s=wait_s)
        words, journal = WordIndex(self.connection), Journal(self.connection)
        self.facts = FileFacts(self.connection, journal=journal, words=words)
        self.pictures = Pictures(self.connection, facts=self.facts, words=words)
        self.paths = Paths(self.connection, facts=self.facts, words=words, pictures=self.pictures)
        self.photos = Photos(self.connection, paths=self.paths, facts=self.facts, pictures=self.pictures)
        self.captions = Captions(self.connection, photos=self.photos, journal=journal, words=words)
        self.concepts = Concepts(
            self.connection, photos=self.photos, captions=self.captions, journal=journal, words=words
        )
        self.corrections = Corrections(
            self.connection, photos=self.photos, concepts=self.concepts, journal=journal, words=words
        )
        self.faces = Faces(self.connection, journal=journal)
        self.findings = Findings(self.connection, words=words)
        self.sidecars = WrittenSidecars(self.connection, journal=journal)
        self.search = Search(self.connection, self.concepts)
        self.history = History(
            self.connection,
            journal=journal,
            concepts=self.concepts,
            captions=self.captions,
            facts=self.facts,
            words=words,
        )

        if self.connection.was_older:
            self.heal()

    def heal(self) -> None:
        """Join what earlier versions took for two photos, and let search know who counts as shown by now.

        Whatever is not done now, the next index does.
        """
        if self.read_only:
            with Library(self.path) as library:
                library.heal()
            return
        with self.writing():
            self.pictures.settle()
            self.pictures.heal_moved()
            self.corrections.renew_words()

    @property
    def path(self) -> Path:
        """The library file, absolute."""
        return self.connection.path

    @property
    def read_only(self) -> bool:
        """Whether changes are refused."""
        return self.connection.read_only

    def __enter__(self) -> Self:
        """Return the open library."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the library."""
        self.close()

    def close(self) -> None:
        """Close the library; closing twice does nothing."""
        self.connection.close()

    def writing(self) -> AbstractContextManager[None]:
        """Make several changes one, in a `with`: all are committed at the end, or none after an error.

        Raises:
            LibraryLockedError: Another process is writing; the message has its pid.
            LibraryError: The library is open for reading only, or SQLite fails.
        """
        return self.connection.writing()

    def counts(self) -> dict[str, int]:
        """Count what there is: photos, missing, captioned, concepts, references, problems, size.

        `photos` are those whose files are there, `missing` those whose are not, `captioned` those
        of `photos` that have a caption; `size` is the library file's, in bytes.
        """
        sql = """
            SELECT
              (SELECT count(*) FROM photos WHERE missing_since IS NULL) AS photos,
              (SELECT count(*) FROM photos WHERE missing_since IS NOT NULL) AS missing,
              (SELECT count(*) FROM photo_words_fts WHERE photo_words_fts MATCH '{facts} : k') AS captioned,
              (SELECT count(*) FROM concepts WHERE removed_at IS NULL) AS concepts,
              (SELECT count(*) FROM reference_photos JOIN concepts ON concepts.id = concept_id
                WHERE removed_at IS NULL OR merged_into IN (SELECT id FROM concepts WHERE removed_at IS NULL))
                AS "references",
              (SELECT count(*) FROM problems WHERE NOT is_note) AS problems,
              (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS size
        """
        return dict(self.connection.rows(sql)[0])
