"""The library's tables as numbered steps; knows how a library grows, not what is asked of it.

The number of the last step done is SQLite's `user_version`. Each step runs in one transaction with
its number. sqlite-utils is imported here, by the steps alone: opening a current library never needs it.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Any

from photopal.errors import LibraryError
from photopal.text import fold, name_spans

# 62,167,219,200 seconds lie between the beginning of the year 0 and 1970; a second has 16,777,216 keys.
# What is no date, and what SQLite would read as a number of days, counts as undated. A year or month that is
# all that is known has the key of its first second.
WORDS_KEY = """
    CASE WHEN photos.taken_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
      OR photos.taken_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]' OR photos.taken_at GLOB '[0-9][0-9][0-9][0-9]'
    THEN coalesce(strftime('%s', substr(photos.taken_at || substr('0000-01-01', length(photos.taken_at) + 1),
      1, 19)) + 62167219200, 0) ELSE 0 END
    * 16777216 + photos.id"""

_FACTS = """
    'p' || CASE WHEN captions.photo_id IS NULL THEN '' WHEN by_hand THEN ' k h' ELSE ' k' END
    || coalesce(' m' || hex(photos.camera), '')
    || coalesce((SELECT group_concat(' c' || id, '') FROM concepts WHERE removed_at IS NULL AND id IN
      (SELECT concept_id FROM appearances WHERE photo_id = photos.id AND is_present
       UNION SELECT concept_id FROM reference_photos WHERE photo_id = photos.id)), '')
"""
_IS_FILE_NAME_IN_UTC = "photos.taken_source = 'file name' AND photos.taken_at LIKE '%+00:00'"
TIME_AND_RATING_MARKS = f"""
    CASE WHEN photos.taken_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:*'
      AND coalesce(photos.taken_source, '') <> 'Takeout photoTakenTime'
      AND NOT coalesce({_IS_FILE_NAME_IN_UTC}, 0)
    THEN ' t t' || substr(photos.taken_at, 12, 2) ELSE '' END
    || CASE WHEN photos.rating > 0 THEN ' r r' || photos.rating ELSE '' END
"""
"""SQL of a photo's marks: its hour of the day, unless its date is in UTC as those of Takeout and of the file
names of Pixel phones are, and its stars."""

PHOTO_OF_CHANGE = "coalesce(json_extract(after, '$.photo_id'), json_extract(before, '$.photo_id'))"
"""SQL of the photo that a row of the journal is about; NULL where it is about none."""

_WORD_COLUMNS = ("caption", "names", "place", "file", "tags", "facts")


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the number of the last step done in a library; 0 for an empty file."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def is_current(connection: sqlite3.Connection) -> bool:
    """Tell whether every step is done.

    Raises:
        LibraryError: The library was written by a newer photopal.
    """
    version = schema_version(connection)
    if version > len(_STEPS):
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        raise LibraryError(
            f"{path}: the library has format {version};"
            f" this version of photopal reads formats up to {len(_STEPS)}",
            hint="Update photopal.",
        )
    return version == len(_STEPS)


def bring_up_to_date(connection: sqlite3.Connection, lock: AbstractContextManager[object]) -> None:
    """Run the steps that are missing, each in a transaction of its own.

    Args:
        connection: In autocommit mode (`isolation_level=None`).
        lock: The writer's lock; taken after the slow import, and given back.
    """
    from sqlite_utils import Database

    with lock:
        connection.execute("PRAGMA journal_mode = WAL")
        for number, step in enumerate(
            _STEPS[schema_version(connection) :], start=schema_version(connection) + 1
        ):
            connection.execute("BEGIN IMMEDIATE")
            try:
                step(Database(connection, execute_plugins=False))
                connection.execute(f"PRAGMA user_version = {number}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _create_photos(db: Any) -> None:
    """Photos are contents, known by hash; a path is where one of them was seen."""
    db["photos"].create(
        {
            "id": int,
            "content_hash": str,
            "path": bytes,
            "size_bytes": int,
            "width_px": int,
            "height_px": int,
            "format": str,
            "taken_at": str,
            "camera": str,
            "make": str,
            "model": str,
            "lens": str,
            "orientation": int,
            "latitude": float,
            "longitude": float,
            "altitude_m": float,
            "place": str,
            "added_at": str,
            "missing_since": str,
        },
        pk="id",
        not_null={"content_hash", "path", "size_bytes", "width_px", "height_px", "format", "added_at"},
    )
    db["photos"].create_index(["content_hash"], unique=True)
    db["photos"].create_index(["taken_at"])
    db["thumbnails"].create(
        {"photo_id": int, "jpeg": bytes}, pk="photo_id", foreign_keys=[("photo_id", "photos", "id")]
    )
    # Bytes, not text: a file name is whatever the file system holds, UTF-8 or not.
    db["paths"].create(
        {
            "path": bytes,
            "photo_id": int,
            "size_bytes": int,
            "mtime_ns": int,
            "seen_at": str,
            "missing_since": str,
        },
        pk="path",
        not_null={"photo_id", "size_bytes", "mtime_ns", "seen_at"},
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["paths"].create_index(["photo_id"])
    db["problems"].create(
        {"path": bytes, "reason": str, "size_bytes": int, "mtime_ns": int, "seen_at": str},
        pk="path",
        not_null={"reason", "seen_at"},
    )


def _create_concepts(db: Any) -> None:
    """A removed concept keeps its row and its reference photos, so that it can be restored."""
    db["concepts"].create(
        {
            "id": int,
            "name": str,
            "folded": str,
            "kind": str,
            "about": str,
            "created_at": str,
            "removed_at": str,
        },
        pk="id",
        not_null={"name", "folded", "kind", "created_at"},
    )
    db.execute("CREATE UNIQUE INDEX idx_concepts_folded ON concepts(folded) WHERE removed_at IS NULL")
    db["reference_photos"].create(
        {
            "concept_id": int,
            "photo_id": int,
            "box_x": int,
            "box_y": int,
            "box_width": int,
            "box_height": int,
            "mask_png": bytes,
            "added_at": str,
        },
        pk=("concept_id", "photo_id"),
        foreign_keys=[("concept_id", "concepts", "id"), ("photo_id", "photos", "id")],
    )
    db["reference_photos"].create_index(["photo_id"])


def _create_captions(db: Any) -> None:
    db["captions"].create(
        {
            "photo_id": int,
            "text": str,
            "model": str,
            "bank": str,
            "prompt_version": str,
            "created_at": str,
        },
        pk="photo_id",
        not_null={"text", "model", "prompt_version", "created_at"},
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["appearances"].create(
        {
            "photo_id": int,
            "concept_id": int,
            "score": float,
            "is_present": int,
            "point_x": float,
            "point_y": float,
            "box_x": float,
            "box_y": float,
            "box_width": float,
            "box_height": float,
        },
        pk=("photo_id", "concept_id"),
        foreign_keys=[("photo_id", "captions", "photo_id"), ("concept_id", "concepts", "id")],
    )
    db["appearances"].create_index(["concept_id", "is_present"])


def _create_search(db: Any) -> None:
    """One row of words for each photo; the triggers keep the index and the words in one transaction."""
    db["photo_words"].create(
        {"photo_id": int, "caption": str, "names": str, "place": str, "file": str},
        pk="photo_id",
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["photo_words"].enable_fts(
        ["caption", "names", "place", "file"],
        fts_version="FTS5",
        tokenize="unicode61 remove_diacritics 2",
        create_triggers=True,
    )


def _drop_index_of_words(db: Any) -> None:
    """Give up the full-text index; the last step that needs it makes it anew, once for all steps."""
    for trigger in ("ai", "ad", "au"):
        db.execute(f"DROP TRIGGER IF EXISTS photo_words_{trigger}")
    db.execute("DROP TABLE IF EXISTS photo_words_fts")


def keep_captions_by_hand(db: Any) -> None:
    """A caption knows whether the user wrote it; no model's replaces it then."""
    db.execute("ALTER TABLE captions ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX idx_captions_by_hand ON captions(photo_id) WHERE by_hand")


def order_words_by_date(db: Any) -> None:
    """Words lie in the order of time, of photos that are there only, with marks for facts beside them."""
    db.execute(
        "CREATE TABLE words_by_date (key INTEGER PRIMARY KEY, photo_id INTEGER NOT NULL UNIQUE"
        " REFERENCES photos(id), caption TEXT, names TEXT, place TEXT, file TEXT, facts TEXT NOT NULL)"
    )
    db.execute(
        f"""INSERT INTO words_by_date SELECT {WORDS_KEY}, photo_words.photo_id, photo_words.caption,
          photo_words.names, photo_words.place, photo_words.file, {_FACTS}
        FROM photos JOIN photo_words ON photo_words.photo_id = photos.id
        LEFT JOIN captions ON captions.photo_id = photos.id
        WHERE photos.missing_since IS NULL ORDER BY 1"""
    )
    _drop_index_of_words(db)
    db.execute("DROP TABLE photo_words")
    db.execute("ALTER TABLE words_by_date RENAME TO photo_words")


def index_what_is_counted(db: Any) -> None:
    """Counting photos, places and cameras reads these small indexes instead of all rows."""
    for column in ("place", "camera"):
        db.execute(f"CREATE INDEX idx_photos_{column} ON photos({column}) WHERE missing_since IS NULL")
    db.execute("CREATE INDEX idx_photos_missing ON photos(missing_since) WHERE missing_since IS NOT NULL")


def create_journal(db: Any) -> None:
    """What the user changed: an entry for each command, with the rows before and after it."""
    db.execute(
        "CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, made_at TEXT NOT NULL,"
        " what TEXT NOT NULL, undoes INTEGER REFERENCES journal(id),"
        " undone_by INTEGER REFERENCES journal(id))"
    )
    db.execute(
        "CREATE TABLE journal_rows (entry_id INTEGER NOT NULL REFERENCES journal(id),"
        " place TEXT NOT NULL, key TEXT NOT NULL, before TEXT, after TEXT,"
        " PRIMARY KEY (entry_id, place, key)) WITHOUT ROWID"
    )


def create_looks(db: Any) -> None:
    """Perceptual hashes of photos; older libraries get theirs from thumbnails when they are first needed."""
    db.execute("CREATE TABLE looks (photo_id INTEGER PRIMARY KEY REFERENCES photos(id), look INTEGER)")


def note_problems_of_good_photos(db: Any) -> None:
    """A problem may be a note about a photo that can be read, by what decoders say of it."""
    db.execute("ALTER TABLE problems ADD COLUMN is_note INTEGER NOT NULL DEFAULT 0")


def keep_what_files_say(db: Any) -> None:
    """What files say of photos, by path, with its sources; dates by the user; what is not wanted.

    What was known before stands for what the files say until they are read again.
    """
    for column in ("taken_certainty", "taken_source", "taken_unsure", "tags", "persons"):
        db.execute(f"ALTER TABLE photos ADD COLUMN {column} TEXT")
    db.execute(
        "CREATE TABLE metadata (path BLOB PRIMARY KEY REFERENCES paths(path), version INTEGER NOT NULL,"
        " sidecars TEXT NOT NULL, facts TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        """INSERT INTO metadata SELECT paths.path, 0, '', json_object(
          'dates', CASE WHEN taken_at IS NULL THEN json_array()
            ELSE json_array(json_array(taken_at, 'exact', 'EXIF')) END,
          'facts', (SELECT json_group_array(json_array(field, json(value), 'EXIF')) FROM (
            SELECT 'camera' AS field, json_quote(camera) AS value WHERE camera NOT NULL
            UNION ALL SELECT 'make', json_quote(make) WHERE make NOT NULL
            UNION ALL SELECT 'model', json_quote(model) WHERE model NOT NULL
            UNION ALL SELECT 'lens', json_quote(lens) WHERE lens NOT NULL
            UNION ALL SELECT 'orientation', orientation WHERE orientation > 1
            UNION ALL SELECT 'position', json_array(latitude, longitude) WHERE latitude NOT NULL
            UNION ALL SELECT 'altitude_m', altitude_m WHERE altitude_m NOT NULL)),
          'regions', json_array())
        FROM paths JOIN photos ON photos.id = paths.photo_id"""
    )
    db.execute(
        "CREATE TABLE set_dates (photo_id INTEGER PRIMARY KEY REFERENCES photos(id), taken_at TEXT NOT NULL,"
        " set_at TEXT NOT NULL)"
    )
    db.execute("CREATE TABLE excludes (root BLOB PRIMARY KEY, globs TEXT NOT NULL)")
    _drop_index_of_words(db)
    db.execute("ALTER TABLE photo_words ADD COLUMN tags TEXT")


def keep_corrections(db: Any) -> None:
    """What the user says of who is on a photo, for ever; concepts may be merged; captions know what was said.

    Names in captions that the user wrote now count as marks for facts, as everybody else who is shown does.
    """
    db.execute(
        "CREATE TABLE corrections (photo_id INTEGER NOT NULL REFERENCES photos(id),"
        " concept_id INTEGER NOT NULL REFERENCES concepts(id), is_present INTEGER NOT NULL,"
        " box_x INTEGER, box_y INTEGER, box_width INTEGER, box_height INTEGER, made_at TEXT NOT NULL,"
        " PRIMARY KEY (photo_id, concept_id)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX idx_corrections_concept_id ON corrections(concept_id)")
    db.execute("ALTER TABLE concepts ADD COLUMN merged_into INTEGER REFERENCES concepts(id)")
    db.execute("ALTER TABLE captions ADD COLUMN corrections TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE appearances ADD COLUMN probability REAL")
    concepts = db.execute("SELECT id, name FROM concepts WHERE removed_at IS NULL ORDER BY id").fetchall()
    rows = db.execute(
        "SELECT photo_id, captions.text, facts FROM photo_words JOIN captions USING (photo_id) WHERE by_hand"
    ).fetchall()
    for photo_id, text, facts in rows:
        named = {concepts[index][0] for _, _, index in name_spans(text, [name for _, name in concepts])}
        marks = facts.split()
        shown = [(i, name) for i, name in concepts if i in named or f"c{i}" in marks]
        # The mark of captions written by the user, h, is no longer needed.
        marks = [mark for mark in marks if mark != "h" and mark[0] != "c"]
        db.execute(
            "UPDATE photo_words SET names = ?, facts = ? WHERE photo_id = ?",
            (
                " / ".join(name for _, name in shown) or None,
                " ".join([*marks, *(f"c{i}" for i, _ in shown)]),
                photo_id,
            ),
        )


def find_words_in_every_script(db: Any) -> None:
    """Words of every script are indexed as they are looked for; a known place and camera are marked."""
    _drop_index_of_words(db)
    db.execute(
        """UPDATE photo_words SET caption = index_text(caption), names = index_text(names),
          place = index_text(place), file = index_text(file), tags = index_text(tags), facts = facts
          || CASE WHEN place IS NULL THEN '' ELSE ' l' END
          || CASE WHEN (SELECT camera FROM photos WHERE id = photo_id) IS NULL THEN '' ELSE ' n' END"""
    )


def know_pictures(db: Any) -> None:
    """A photo is known by its picture, a path by its bytes; which photo replaced which is settled later.

    Earlier versions knew photos by their bytes: what they took for another photo where a file was edited, and
    left missing, is noted to be joined again.
    """
    for column in ("picture_hash TEXT", "picture_bytes INTEGER", "picture_changed_at TEXT"):
        db.execute(f"ALTER TABLE photos ADD COLUMN {column}")
    db.execute("ALTER TABLE paths ADD COLUMN content_hash TEXT")
    db.execute("DROP INDEX idx_photos_content_hash")
    for table, column in (("photos", "content_hash"), ("photos", "picture_hash"), ("paths", "content_hash")):
        db.execute(f"CREATE INDEX idx_{table}_{column} ON {table}({column})")
    db.execute("CREATE INDEX idx_photos_unread ON photos(size_bytes) WHERE picture_hash IS NULL")
    db.execute(
        "CREATE INDEX idx_photos_picture_changed_at ON photos(picture_changed_at)"
        " WHERE picture_changed_at NOT NULL"
    )
    db.execute(
        "CREATE TABLE replacements (before_id INTEGER PRIMARY KEY, photo_id INTEGER NOT NULL,"
        " was_there INTEGER NOT NULL)"
    )
    db.execute(
        "CREATE TABLE former_pictures (picture_hash TEXT NOT NULL, photo_id INTEGER NOT NULL"
        " REFERENCES photos(id), PRIMARY KEY (picture_hash, photo_id)) WITHOUT ROWID"
    )
    db.execute(
        "INSERT INTO replacements SELECT photos.id, paths.photo_id, 1 FROM photos"
        " JOIN paths ON paths.path = photos.path WHERE photos.missing_since NOT NULL"
        " AND paths.photo_id <> photos.id AND paths.missing_since IS NULL"
    )


def create_faces(db: Any) -> None:
    """Faces on photos, and which photos were searched for them; when people were born.

    A group's faces are in `faces`; its row keeps their sum, so that a face more needs no other face.
    """
    db.execute(
        "CREATE TABLE face_groups (id INTEGER PRIMARY KEY AUTOINCREMENT, total BLOB NOT NULL,"
        " face_count INTEGER NOT NULL, is_fixed INTEGER NOT NULL DEFAULT 0,"
        " is_ignored INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute(
        "CREATE TABLE faces (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " photo_id INTEGER NOT NULL REFERENCES photos(id), box_x REAL NOT NULL, box_y REAL NOT NULL,"
        " box_width REAL NOT NULL, box_height REAL NOT NULL, vector BLOB NOT NULL, side_px INTEGER NOT NULL,"
        " sharpness REAL NOT NULL, yaw REAL NOT NULL, score REAL NOT NULL,"
        " group_id INTEGER REFERENCES face_groups(id))"
    )
    db.execute("CREATE INDEX idx_faces_photo_id ON faces(photo_id)")
    db.execute("CREATE INDEX idx_faces_group_id ON faces(group_id, photo_id) WHERE group_id IS NOT NULL")
    db.execute(
        "CREATE TABLE face_scans (photo_id INTEGER PRIMARY KEY REFERENCES photos(id),"
        " detector TEXT NOT NULL, face_count INTEGER NOT NULL, scanned_at TEXT NOT NULL)"
    )
    db.execute("ALTER TABLE concepts ADD COLUMN born INTEGER")
    db.execute("ALTER TABLE concepts ADD COLUMN is_child INTEGER NOT NULL DEFAULT 0")


def mark_times_and_ratings(db: Any) -> None:
    """A photo's hour, its stars and whom its file names are marks for facts; the index is made anew."""
    _drop_index_of_words(db)
    db.execute("ALTER TABLE photos ADD COLUMN rating INTEGER")
    db.execute(
        """UPDATE photos SET rating = (SELECT json_extract(fact.value, '$[1]') FROM paths
            JOIN metadata USING (path), json_each(metadata.facts, '$.facts') AS fact
            WHERE paths.photo_id = photos.id AND json_extract(fact.value, '$[0]') = 'rating' LIMIT 1)"""
    )
    db.execute(
        f"UPDATE photo_words SET facts = facts || {TIME_AND_RATING_MARKS}"
        " FROM photos WHERE photos.id = photo_words.photo_id"
    )
    # Whom a file names counts as shown, as whom the user names does.
    for concept_id, name in db.execute("SELECT id, name FROM concepts WHERE removed_at IS NULL").fetchall():
        person = "f" + fold(name).encode("utf-8", "replace").hex()
        db.execute(
            "UPDATE photo_words SET facts = facts || ?1,"
            " names = coalesce(names || ' / ', '') || index_text(?2)"
            " WHERE instr(facts || ' ', ?3) AND NOT instr(facts || ' ', ?1 || ' ')",
            (f" c{concept_id}", name, f" {person} "),
        )
    columns = ", ".join(_WORD_COLUMNS)
    # A vowel sign is a part of its word.
    db.execute(
        f"CREATE VIRTUAL TABLE photo_words_fts USING fts5({columns},"
        " content='photo_words', content_rowid='key', prefix='2 3',"
        " tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\")"
    )
    old, new = (", ".join(f"{row}.{column}" for column in _WORD_COLUMNS) for row in ("old", "new"))
    insert = f"INSERT INTO photo_words_fts (rowid, {columns}) VALUES (new.key, {new});"
    delete = (
        f"INSERT INTO photo_words_fts (photo_words_fts, rowid, {columns}) VALUES ('delete', old.key, {old});"
    )
    for trigger, event, statements in (
        ("ai", "INSERT", insert),
        ("ad", "DELETE", delete),
        ("au", "UPDATE", delete + insert),
    ):
        db.execute(
            f"CREATE TRIGGER photo_words_{trigger} AFTER {event} ON photo_words BEGIN {statements} END"
        )
    db.execute("INSERT INTO photo_words_fts (photo_words_fts) VALUES ('rebuild')")


def keep_words_of_groups(db: Any) -> None:
    """The user merges groups of faces; a group knows with how many faces it was settled."""
    db.execute("ALTER TABLE face_groups ADD COLUMN merged_into INTEGER REFERENCES face_groups(id)")
    db.execute("ALTER TABLE face_groups ADD COLUMN settled_count INTEGER NOT NULL DEFAULT 0")


def mark_captions_from_facts(db: Any) -> None:
    """A caption knows whether a model saw the photo or it was made from what is known of it.

    Nothing says so of earlier ones: a model that does not understand all photos looks at them again.
    """
    db.execute("ALTER TABLE captions ADD COLUMN source TEXT")


def keep_findings(db: Any) -> None:
    """What faces and looks say of who is on a photo, and what people and pets they were compared with."""
    db.execute(
        "CREATE TABLE findings (photo_id INTEGER NOT NULL REFERENCES photos(id),"
        " concept_id INTEGER NOT NULL REFERENCES concepts(id), source TEXT NOT NULL, verdict TEXT NOT NULL,"
        " probability REAL NOT NULL, score REAL NOT NULL, threshold REAL NOT NULL,"
        " box_x REAL, box_y REAL, box_width REAL, box_height REAL, reference_id INTEGER,"
        " decides INTEGER NOT NULL, PRIMARY KEY (photo_id, concept_id, source)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX idx_findings_concept_id ON findings(concept_id)")
    db.execute(
        "CREATE TABLE found_with (photo_id INTEGER PRIMARY KEY REFERENCES photos(id), face_key TEXT,"
        " look_key TEXT, species TEXT)"
    )


def keep_written_sidecars(db: Any) -> None:
    """Sidecars that photopal wrote: whose names it wrote, and the bytes as it last saw them, compressed."""
    db.execute(
        "CREATE TABLE sidecars (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE,"
        " photo_id INTEGER NOT NULL, content BLOB, names TEXT NOT NULL,"
        " has_unconfirmed INTEGER NOT NULL DEFAULT 0)"
    )


def keep_birthdays(db: Any) -> None:
    """The day of the year on which people were born, as "MM-DD", beside the year."""
    db.execute("ALTER TABLE concepts ADD COLUMN birthday TEXT")


def keep_earlier_names(db: Any) -> None:
    """The names that a concept had before it was renamed, as JSON: files may still have them."""
    db.execute("ALTER TABLE concepts ADD COLUMN earlier_names TEXT")


def tell_edited_photos_from_their_originals(db: Any) -> None:
    """A path where an edited photo's file is no more may have had the picture before the edit.

    Whatever comes to such a path is read: its size is one that no file has.
    """
    db.execute(
        "UPDATE paths SET content_hash = NULL, size_bytes = -1 WHERE missing_since NOT NULL"
        " AND photo_id IN (SELECT photo_id FROM former_pictures)"
    )


def find_changes_by_photo(db: Any) -> None:
    """What the journal says of a photo is found without reading all of it."""
    db.execute(f"CREATE INDEX idx_journal_rows_photo ON journal_rows({PHOTO_OF_CHANGE})")


def keep_former_positions(db: Any) -> None:
    """Where the user's boxes and masks were before an edit, as JSON, and how the photo was turned then."""
    db.execute("ALTER TABLE former_pictures ADD COLUMN orientation INTEGER")
    db.execute("ALTER TABLE former_pictures ADD COLUMN positions TEXT")


def keep_places_by_path(db: Any) -> None:
    """The place that a path's position has, beside what the path says; a photo has that of its position."""
    db.execute("ALTER TABLE metadata ADD COLUMN place TEXT")
    db.execute(
        """UPDATE metadata SET place = (SELECT place FROM paths JOIN photos ON photos.id = photo_id,
            json_each(metadata.facts, '$.facts') AS fact
          WHERE paths.path = metadata.path AND json_extract(fact.value, '$[0]') = 'position'
            AND json_extract(fact.value, '$[1][0]') = latitude
            AND json_extract(fact.value, '$[1][1]') = longitude LIMIT 1)"""
    )


def leave_out_hours_in_utc(db: Any) -> None:
    """What the file names of Pixel phones say is UTC, and no longer counts as an hour of the day."""
    db.execute(
        "UPDATE photo_words SET facts = replace(facts, ' t t' || substr(photos.taken_at, 12, 2), '')"
        f" FROM photos WHERE photos.id = photo_words.photo_id AND {_IS_FILE_NAME_IN_UTC}"
    )


def note_stale_words(db: Any) -> None:
    """Photos whose words are made anew once every step is done: whom captions and boxes show has changed."""
    db.execute("CREATE TABLE IF NOT EXISTS stale_words (photo_id INTEGER PRIMARY KEY REFERENCES photos(id))")
    db.execute(
        "INSERT OR IGNORE INTO stale_words SELECT photo_id FROM ("
        " SELECT photo_id FROM captions WHERE by_hand"
        " UNION SELECT photo_id FROM corrections WHERE NOT is_present OR box_x NOT NULL"
        " UNION SELECT photo_id FROM reference_photos WHERE box_x NOT NULL"
        ") WHERE photo_id IN (SELECT photo_id FROM paths)"  # those of photos that are away are made on return
    )


# A new step goes last; one that was released is never changed.
_STEPS = (
    _create_photos,
    _create_concepts,
    _create_captions,
    _create_search,
    keep_captions_by_hand,
    order_words_by_date,
    index_what_is_counted,
    create_journal,
    create_looks,
    note_problems_of_good_photos,
    keep_what_files_say,
    keep_corrections,
    find_words_in_every_script,
    know_pictures,
    create_faces,
    mark_times_and_ratings,
    keep_words_of_groups,
    mark_captions_from_facts,
    keep_findings,
    keep_written_sidecars,
    keep_birthdays,
    keep_earlier_names,
    tell_edited_photos_from_their_originals,
    find_changes_by_photo,
    keep_former_positions,
    keep_places_by_path,
    leave_out_hours_in_utc,
    note_stale_words,
)
