"""The steps by which libraries of older photopals grow; knows how, not when they are run.

A step is never changed once a photopal with it was given out: what it did is in libraries already.
"""

from __future__ import annotations

from typing import Any

# 62,167,219,200 seconds lie between the beginning of the year 0 and 1970; a second has 16,777,216 keys.
# What is no date, and what SQLite would read as a number of days, counts as undated.
WORDS_KEY = """
    CASE WHEN photos.taken_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    THEN coalesce(strftime('%s', substr(photos.taken_at, 1, 19)) + 62167219200, 0) ELSE 0 END
    * 16777216 + photos.id"""

_FACTS = """
    'p' || CASE WHEN captions.photo_id IS NULL THEN '' WHEN by_hand THEN ' k h' ELSE ' k' END
    || coalesce(' m' || hex(photos.camera), '')
    || coalesce((SELECT group_concat(' c' || id, '') FROM concepts WHERE removed_at IS NULL AND id IN
      (SELECT concept_id FROM appearances WHERE photo_id = photos.id AND is_present
       UNION SELECT concept_id FROM reference_photos WHERE photo_id = photos.id)), '')
"""
_WORDS_TRIGGERS = (
    """CREATE TRIGGER photo_words_ai AFTER INSERT ON photo_words BEGIN
      INSERT INTO photo_words_fts (rowid, caption, names, place, file, facts)
      VALUES (new.key, new.caption, new.names, new.place, new.file, new.facts); END""",
    """CREATE TRIGGER photo_words_ad AFTER DELETE ON photo_words BEGIN
      INSERT INTO photo_words_fts (photo_words_fts, rowid, caption, names, place, file, facts)
      VALUES ('delete', old.key, old.caption, old.names, old.place, old.file, old.facts); END""",
    """CREATE TRIGGER photo_words_au AFTER UPDATE ON photo_words BEGIN
      INSERT INTO photo_words_fts (photo_words_fts, rowid, caption, names, place, file, facts)
      VALUES ('delete', old.key, old.caption, old.names, old.place, old.file, old.facts);
      INSERT INTO photo_words_fts (rowid, caption, names, place, file, facts)
      VALUES (new.key, new.caption, new.names, new.place, new.file, new.facts); END""",
)


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
    db.execute("DROP TABLE photo_words_fts")
    db.execute("DROP TABLE photo_words")
    db.execute("ALTER TABLE words_by_date RENAME TO photo_words")
    db.execute(
        "CREATE VIRTUAL TABLE photo_words_fts USING fts5(caption, names, place, file, facts,"
        " content='photo_words', content_rowid='key', prefix='2 3',"
        " tokenize='unicode61 remove_diacritics 2')"
    )
    for trigger in _WORDS_TRIGGERS:
        db.execute(trigger)
    db.execute("INSERT INTO photo_words_fts (photo_words_fts) VALUES ('rebuild')")


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
    """How photos look; older libraries get theirs from thumbnails when they are first asked for."""
    db.execute("CREATE TABLE looks (photo_id INTEGER PRIMARY KEY REFERENCES photos(id), look INTEGER)")


def note_problems_of_good_photos(db: Any) -> None:
    """A problem may be a note about a photo that can be read, by what decoders say of it."""
    db.execute("ALTER TABLE problems ADD COLUMN is_note INTEGER NOT NULL DEFAULT 0")


LATER_STEPS = (
    keep_captions_by_hand,
    order_words_by_date,
    index_what_is_counted,
    create_journal,
    create_looks,
    note_problems_of_good_photos,
)
