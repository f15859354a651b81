"""Knows photos by their pictures, and lets what the user said follow a file that was edited; opens no file.

The same picture is the same photo, whatever metadata its files have. Where another picture lies at a photo's
path, the photo may have been edited, or moved away and replaced. Which it is shows only once all files are
read, so it is written down and settled at the end of a run, or of the next one. After an edit of the pixels
the photo keeps its id and the user's words, and is marked; what a model said of it before is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from photopal.library.connection import Connection, now
from photopal.library.face_sums import forget_faces
from photopal.library.findings import forget_findings
from photopal.library.fts import WordIndex
from photopal.library.metadata import FileFacts
from photopal.library.migrations import PHOTO_OF_CHANGE

if TYPE_CHECKING:
    from photopal.photos import Photo, turns

# Tables with what the user said of photos, beside captions.
_TABLES_OF_THE_USER = ("reference_photos", "corrections", "set_dates")
# Tables with one row for a photo's present picture.
_TABLES_OF_THE_PICTURE = ("photos", "paths", "thumbnails", "looks", "photo_words")
# Of a row of the user's, in pixels.
_POSITION_COLUMNS = ("box_x", "box_y", "box_width", "box_height", "mask_png")
# Bits of a perceptual hash in which two frames of one scene, or an edited photo, differ at most.
_SAME_SCENE_BITS = 18
_SAME_PICTURE_BITS = 4
# What is made of a row's values. Rows with pixels are the user's, in a table or the journal, and are told by
# names; all others are None and have fractions of width and height.
_Change = Callable[[dict[str, Any], str | None], dict[str, Any]]
# Boxes and masks by the names of their rows, a mask in hexadecimal.
_Positions = dict[str, list[Any]]


class _Facts(NamedTuple):
    """A photo as far as it tells whether another one is an edited version."""

    taken_at: str | None
    camera: str | None
    orientation: int
    size_px: tuple[int, int]
    thumbnail: bytes
    picture_hash: str | None


class Pictures:
    """The part of a library that knows which file is which photo.

    Args:
        connection: The open library.
        facts: Renewed for each photo whose files change.
        words: Renewed after them.
    """

    def __init__(self, connection: Connection, *, facts: FileFacts, words: WordIndex) -> None:
        self._connection = connection
        self._facts = facts
        self._words = words

    def find(self, content_hash: str, picture_hash: str, *, photo_id: int | None = None) -> int | None:
        """Return the photo with a picture, missing or not; None if the library has none.

        Args:
            content_hash: Of a file.
            picture_hash: Of its picture.
            photo_id: Which of several photos it is if it can be; libraries of earlier versions may have them.
        """
        rows = self._connection.rows(
            "SELECT id FROM photos WHERE picture_hash = ?1"
            " UNION SELECT photo_id FROM paths WHERE content_hash = ?2"
            " UNION SELECT id FROM photos WHERE content_hash = ?2",
            (picture_hash, content_hash),
        )
        found = [row[0] for row in rows]
        if photo_id in found:
            return photo_id
        return min(found, key=lambda one: (self._is_missing(one), one), default=None)

    def has_bytes(self, content_hash: str) -> bool:
        """Whether exactly this file, here or elsewhere, was read before."""
        return bool(
            self._connection.rows("SELECT 1 FROM paths WHERE content_hash = ? LIMIT 1", (content_hash,))
        )

    def has_unread(self, size_bytes: int) -> bool:
        """Whether an earlier version indexed a file of this size and its picture is not known yet."""
        return bool(
            self._connection.rows(
                "SELECT 1 FROM photos WHERE size_bytes = ? AND picture_hash IS NULL LIMIT 1", (size_bytes,)
            )
        )

    def identify(self, plain_hash: str, picture_hash: str) -> bool:
        """Note the picture of the photo that earlier versions knew by a plain hash, if there is one."""
        with self._connection.writing():
            return bool(
                self._connection.execute(
                    "UPDATE photos SET picture_hash = ?"
                    " WHERE content_hash = ? AND picture_hash IS NULL RETURNING id",
                    (picture_hash, plain_hash),
                ).fetchall()
            )

    def complete(self, key: bytes, *, content_hash: str, picture_hash: str, picture_bytes: int) -> None:
        """Note hashes of a file that an earlier version indexed and that is as it was.

        Two photos that turn out to have one picture become one, unless the user said something of both.
        """
        with self._connection.writing():
            rows = self._connection.execute(
                "UPDATE paths SET content_hash = ? WHERE path = ? RETURNING photo_id", (content_hash, key)
            ).fetchall()
            for (photo_id,) in rows:
                self._connection.execute(
                    "UPDATE photos SET picture_hash = ?, picture_bytes = ?"
                    " WHERE id = ? AND picture_hash IS NULL",
                    (picture_hash, picture_bytes, photo_id),
                )
                others = self._connection.rows(
                    "SELECT id FROM photos WHERE picture_hash = ? AND id <> ? ORDER BY id",
                    (picture_hash, photo_id),
                )
                for (other_id,) in others:
                    if not self.has_words(other_id):
                        self._turn_alike(photo_id, other_id)
                        self._merge(photo_id, other_id)
                    elif not self.has_words(photo_id):
                        self._turn_alike(other_id, photo_id)
                        self._merge(other_id, photo_id)
                        break

    def has_words(self, photo_id: int) -> bool:
        """Whether the user said anything of a photo: a caption, a name, a reference photo, a date."""
        if self._connection.rows("SELECT 1 FROM captions WHERE photo_id = ? AND by_hand", (photo_id,)):
            return True
        return any(
            self._connection.rows(f"SELECT 1 FROM {table} WHERE photo_id = ? LIMIT 1", (photo_id,))
            for table in self._tables_with_photos()
            if table in _TABLES_OF_THE_USER
        )

    def same_as_before(self, before_id: int, *, thumbnail: bytes) -> bool:
        """Whether a photo whose picture's hash is not known has the picture of a thumbnail, maybe turned."""
        facts = self._photo_facts(before_id)
        if facts.picture_hash is not None:
            return False
        return facts.thumbnail == thumbnail or _is_same_picture(facts.thumbnail, thumbnail)

    def has(self, content_hash: str, picture_hash: str) -> bool:
        """Whether a file has the picture of a photo, missing or not, or that of one before its edit."""
        return (
            self.find(content_hash, picture_hash) is not None or self.former_photo(picture_hash) is not None
        )

    def former_photo(self, picture_hash: str) -> int | None:
        """Return the photo that had a picture before it was edited."""
        rows = self._connection.rows(
            "SELECT photo_id FROM former_pictures WHERE picture_hash = ? ORDER BY photo_id DESC LIMIT 1",
            (picture_hash,),
        )
        return rows[0][0] if rows else None

    def return_to(self, photo_id: int, photo: Photo) -> None:
        """Give an edited photo its earlier picture again; belongs inside `writing`.

        Boxes and masks are where they were in it.
        """
        from photopal.photos import turns

        before = self._photo_facts(photo_id)
        after = before._replace(
            orientation=photo.exif.orientation,
            size_px=(photo.width_px, photo.height_px),
            thumbnail=photo.thumbnail,
            picture_hash=photo.picture_hash or photo.content_hash,
        )
        self._forget_missing_files(photo_id)
        was = self._positions(photo_id)
        likeness = turns.compare_thumbnails(before.thumbnail, after.thumbnail)
        self._fit_positions(photo_id, before.size_px, after.size_px, likeness)
        self._put_back_positions(photo_id, after, photo_id, was)
        self._follow_positions(photo_id, was)
        self.change_back(photo_id, photo.picture_hash or photo.content_hash)
        self._connection.execute(
            "UPDATE photos SET content_hash = ?, width_px = ?, height_px = ?, orientation = ? WHERE id = ?",
            (photo.content_hash, *after.size_px, after.orientation, photo_id),
        )
        self._connection.execute(
            "UPDATE thumbnails SET jpeg = ? WHERE photo_id = ?", (photo.thumbnail, photo_id)
        )

    def change_back(self, photo_id: int, picture_hash: str) -> None:
        """Note that an edited photo has its earlier picture again; belongs inside `writing`."""
        self._connection.execute(
            "DELETE FROM former_pictures WHERE picture_hash = ? AND photo_id = ?", (picture_hash, photo_id)
        )
        self._drop_models_words(photo_id)
        self._connection.execute(
            "UPDATE photos SET picture_hash = ?, picture_changed_at = NULL WHERE id = ?",
            (picture_hash, photo_id),
        )

    def note_replaced(self, before_id: int, photo_id: int, *, was_there: bool) -> None:
        """Note that a new photo lies where another one did, to be settled; belongs inside `writing`.

        Args:
            before_id: The photo that was last seen at the path.
            photo_id: The new photo.
            was_there: Whether the file of the earlier photo was there until now.
        """
        self._connection.execute(
            "INSERT INTO replacements VALUES (?, ?, ?) ON CONFLICT (before_id) DO UPDATE SET"
            " photo_id = excluded.photo_id, was_there = excluded.was_there",
            (before_id, photo_id, was_there),
        )

    def settle(self) -> int:
        """Decide which replaced photos were edited, and let the user's words follow; return how many did."""
        if not self._connection.rows("SELECT 1 FROM replacements LIMIT 1"):
            return 0
        followed = 0
        with self._connection.writing():
            while rows := self._connection.rows(
                "SELECT before_id, photo_id, was_there FROM replacements ORDER BY before_id LIMIT 1"
            ):
                before_id, photo_id, was_there = rows[0]
                self._connection.execute("DELETE FROM replacements WHERE before_id = ?", (before_id,))
                if before_id != photo_id and self._exists(photo_id) and self._exists(before_id):
                    followed += self._follow(before_id, photo_id, was_there=bool(was_there))
        return followed

    def heal_moved(self) -> int:
        """Join photos that earlier versions lost when a file was moved and edited at once; return how many.

        Of a missing photo only the thumbnail is known: exactly one photo that is there must have the same.
        """
        present: dict[int, list[int]] = {}
        missing: list[tuple[int, int]] = []
        for row in self._connection.rows(
            "SELECT id, look, missing_since FROM photos JOIN looks ON photo_id = id WHERE look NOT NULL"
        ):
            if row["missing_since"] is None:
                present.setdefault(row["look"], []).append(row["id"])
            else:
                missing.append((row["id"], row["look"]))
        healed = 0
        with self._connection.writing():
            for before_id, look in missing:
                facts = self._photo_facts(before_id)
                same = [
                    one
                    for one in present.get(look, ())
                    if self._photo_facts(one).thumbnail == facts.thumbnail
                ]
                if len(same) == 1 and facts.picture_hash is None and self._has_caption(before_id):
                    self._join(before_id, same[0])
                    joined_id = min(before_id, same[0])
                    present[look] = [joined_id if one == same[0] else one for one in present[look]]
                    healed += 1
        return healed

    def count_edited(self) -> int:
        """Count the photos whose pixels were edited since the user said something of them."""
        number: int = self._connection.rows(
            "SELECT count(*) FROM photos WHERE picture_changed_at NOT NULL AND missing_since IS NULL"
        )[0][0]
        return number

    def confirm(self, photo_id: int) -> bool:
        """Note that what was said of an edited photo still holds; tell whether it was marked."""
        with self._connection.writing():
            return bool(
                self._connection.execute(
                    "UPDATE photos SET picture_changed_at = NULL"
                    " WHERE id = ? AND picture_changed_at NOT NULL RETURNING id",
                    (photo_id,),
                ).fetchall()
            )

    def turn(self, photo_id: int, turn: int, size_px: tuple[int, int]) -> None:
        """Turn what is said of positions in a photo, in the journal too; belongs inside `writing`.

        Args:
            photo_id: The photo.
            turn: As EXIF numbers them.
            size_px: Width and height before the turn.
        """
        if turn != 1:
            self._change_positions(
                photo_id, lambda values, row: _turned(values, turn, (1, 1) if row is None else size_px)
            )

    def turn_as(self, photo_id: int, orientation: int, *, content_hash: str | None) -> None:
        """Turn all that is known of a photo as another of its files is; belongs inside `writing`.

        Args:
            photo_id: The photo.
            orientation: That of the file by which it is known from now on.
            content_hash: That file's; what is stored elsewhere by the present one is of the photo unturned.
        """
        from photopal.photos import turns

        before = self._photo_facts(photo_id)
        turn = turns.turn_between(before.orientation, orientation)
        if turn == 1:
            return
        self.turn(photo_id, turn, before.size_px)
        width_px, height_px = before.size_px[::-1] if turn >= 5 else before.size_px
        self._connection.execute(
            "UPDATE photos SET width_px = ?, height_px = ?, orientation = ?,"
            " content_hash = coalesce(?, content_hash) WHERE id = ?",
            (width_px, height_px, orientation, content_hash, photo_id),
        )
        turned = turns.turned_thumbnail(turn, before.thumbnail)
        if turned is not None:
            jpeg, phash = turned
            self._connection.execute("UPDATE thumbnails SET jpeg = ? WHERE photo_id = ?", (jpeg, photo_id))
            self._connection.execute("UPDATE looks SET look = ? WHERE photo_id = ?", (phash, photo_id))

    def scale(self, photo_id: int, size_px: tuple[int, int], new_size_px: tuple[int, int]) -> None:
        """Scale what is said of positions in a photo, in the journal too; belongs inside `writing`."""
        if size_px != new_size_px:
            self._change_positions(
                photo_id,
                lambda values, row: values if row is None else _scaled(values, size_px, new_size_px),
            )

    def _change_positions(self, photo_id: int, change: _Change) -> None:
        """Change what is said of positions in a photo, in the journal too, so that it can still be undone."""
        for table in self._tables_with_photos():
            info = self._connection.rows(f"PRAGMA table_info({table})")
            types = {row["name"]: row["type"].upper() for row in info}
            if "box_x" not in types:
                continue
            keys = [row["name"] for row in info if row["pk"]]
            for row in self._connection.rows(f"SELECT * FROM {table} WHERE photo_id = ?", (photo_id,)):
                values = dict(row)
                is_pixels = types["box_x"].startswith("INT")
                new = change(values, f"{table} {values['concept_id']}" if is_pixels else None)
                changed = {name: value for name, value in new.items() if value != values[name]}
                if changed:
                    self._connection.execute(
                        f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in changed)}"
                        f" WHERE {' AND '.join(f'{name} = ?' for name in keys)}",
                        (*changed.values(), *(values[name] for name in keys)),
                    )
        for row in self._connection.rows(
            "SELECT entry_id, place, key, before, after FROM journal_rows"
            f" WHERE {PHOTO_OF_CHANGE} = ? AND place IN ('reference_photos', 'corrections')",
            (photo_id,),
        ):
            images = [
                _changed_image(row[side], change, row["place"], f"{row['entry_id']} {side}")
                for side in ("before", "after")
            ]
            if images != [row["before"], row["after"]]:
                self._connection.execute(
                    "UPDATE journal_rows SET before = ?, after = ?"
                    " WHERE entry_id = ? AND place = ? AND key = ?",
                    (*images, row["entry_id"], row["place"], row["key"]),
                )

    def _positions(self, photo_id: int) -> _Positions:
        positions: _Positions = {}

        def note(values: dict[str, Any], row: str | None) -> dict[str, Any]:
            if row is not None:
                positions[row] = _position_of(values)
            return values

        self._change_positions(photo_id, note)
        return positions

    def _keep_positions(self, photo_id: int, former: _Facts, was: _Positions) -> None:
        """Keep where all was in a photo's former picture, and what has become of it, beside that picture."""
        self._follow_positions(photo_id, was)
        became = self._positions(photo_id)
        self._connection.execute(
            "INSERT OR REPLACE INTO former_pictures (picture_hash, photo_id, orientation, positions)"
            " VALUES (?, ?, ?, ?)",
            (
                former.picture_hash, photo_id, former.orientation,
                json.dumps({row: (was[row], became[row]) for row in was}),
            ),
        )  # fmt: skip

    def _follow_positions(self, photo_id: int, was: _Positions) -> None:
        """Note beside a photo's earlier pictures what has become of positions now."""
        became = self._positions(photo_id)
        for picture_hash, positions in self._connection.rows(
            "SELECT picture_hash, positions FROM former_pictures WHERE photo_id = ? AND positions NOT NULL",
            (photo_id,),
        ):
            kept = {
                row: (first, became[row] if row in became and was.get(row) == last else last)
                for row, (first, last) in json.loads(positions).items()
            }
            self._connection.execute(
                "UPDATE former_pictures SET positions = ? WHERE picture_hash = ? AND photo_id = ?",
                (json.dumps(kept), picture_hash, photo_id),
            )

    def _put_back_positions(self, photo_id: int, former: _Facts, former_id: int, was: _Positions) -> None:
        """Put boxes and masks where they were in an earlier picture; what was said since stays.

        Args:
            photo_id: The photo that has the picture, or has it again.
            former: Its facts.
            former_id: The photo that had the picture.
            was: The positions until now, where they were in the edited picture.
        """
        rows = self._connection.rows(
            "SELECT positions FROM former_pictures"
            " WHERE picture_hash = ? AND photo_id = ? AND orientation = ? AND positions NOT NULL",
            (former.picture_hash, former_id, former.orientation),
        )
        if not rows:
            return
        kept = json.loads(rows[0][0])

        def put_back(values: dict[str, Any], row: str | None) -> dict[str, Any]:
            if row is None:
                return values
            # What a later entry of the journal found in a table is known by the name of that row.
            for name in (row, " ".join(row.split()[:2])):
                if name in kept and kept[name][1] == was[row]:
                    return _with_position(values, kept[name][0])
            return values

        self._change_positions(photo_id, put_back)

    def _follow(self, before_id: int, photo_id: int, *, was_there: bool) -> bool:
        """Let a photo's words follow to the one that is now at its path, if it is the same photo, edited."""
        from photopal.photos import turns

        before, after = self._photo_facts(before_id), self._photo_facts(photo_id)
        if before.picture_hash is None and (
            before.thumbnail == after.thumbnail or _is_same_picture(before.thumbnail, after.thumbnail)
        ):
            if not self._is_missing(before_id):
                return False
            self._join(before_id, photo_id)
            return False
        if not self.has_words(before_id):
            return False
        likeness = turns.compare_thumbnails(before.thumbnail, after.thumbnail)
        is_surely_missing = self._is_missing(before_id)
        if not _is_edit(before, after, likeness, is_doubtful=not (was_there and is_surely_missing)):
            return False
        if is_surely_missing:
            self._keep_as_edited(before_id, photo_id, likeness)
        else:
            self.copy_words(before_id, photo_id)
        return True

    def _keep_as_edited(self, before_id: int, photo_id: int, likeness: turns.Likeness | None) -> None:
        """Give the earlier photo the new picture; what the user said stays, what a model said goes."""
        before, after = self._photo_facts(before_id), self._photo_facts(photo_id)
        self._drop_models_words(before_id)
        was = self._positions(before_id)
        self._fit_positions(before_id, before.size_px, after.size_px, likeness)
        if before.picture_hash is not None:
            self._keep_positions(before_id, before, was)
        self._forget_missing_files(before_id)
        self._merge(before_id, photo_id)
        self._connection.execute("UPDATE photos SET picture_changed_at = ? WHERE id = ?", (now(), before_id))

    def _forget_missing_files(self, photo_id: int) -> None:
        """Take no file for a photo because it once was: what was at its earlier paths had another picture.

        No file has the size that is noted, so whatever comes to such a path is read.
        """
        self._connection.execute(
            "UPDATE paths SET content_hash = NULL, size_bytes = -1"
            " WHERE photo_id = ? AND missing_since NOT NULL",
            (photo_id,),
        )

    def copy_words(self, before_id: int, photo_id: int) -> None:
        """Say of a photo what the user said of another one, and mark it; belongs inside `writing`."""
        from photopal.photos import turns

        before, after = self._photo_facts(before_id), self._photo_facts(photo_id)
        likeness = turns.compare_thumbnails(before.thumbnail, after.thumbnail)
        for table in ("captions", *_TABLES_OF_THE_USER):
            columns = [row["name"] for row in self._connection.rows(f"PRAGMA table_info({table})")]
            if not columns:
                continue
            others = ", ".join(name for name in columns if name != "photo_id")
            condition = " AND by_hand" if table == "captions" else ""
            self._connection.execute(
                f"INSERT OR IGNORE INTO {table} (photo_id, {others}) SELECT ?, {others} FROM {table}"
                f" WHERE photo_id = ?{condition}",
                (photo_id, before_id),
            )
        self._drop_models_words(photo_id)
        was = self._positions(photo_id)
        self._fit_positions(photo_id, before.size_px, after.size_px, likeness)
        self._put_back_positions(photo_id, after, before_id, was)
        self._connection.execute("UPDATE photos SET picture_changed_at = ? WHERE id = ?", (now(), photo_id))
        self._facts.refresh(photo_id)
        self._words.refresh((photo_id,))

    def _fit_positions(
        self,
        photo_id: int,
        size_px: tuple[int, int],
        new_size_px: tuple[int, int],
        likeness: turns.Likeness | None,
    ) -> None:
        """Turn and scale boxes and masks where the picture was; after a crop nobody knows where they are."""
        if likeness is not None and likeness.is_same:
            self.turn(photo_id, likeness.turn, size_px)
            size_px = size_px[::-1] if likeness.turn >= 5 else size_px
            self.scale(photo_id, size_px, new_size_px)
        elif size_px != new_size_px:
            self._change_positions(
                photo_id, lambda values, row: values if row is None else _without_positions(values)
            )

    def _join(self, before_id: int, photo_id: int) -> None:
        """Make two photos of one picture, of which the first is missing, one; the lower id stays."""
        before, after = self._photo_facts(before_id), self._photo_facts(photo_id)
        if before.thumbnail != after.thumbnail:
            turn = _turn_of(before, after)
            self.turn(before_id, turn, before.size_px)
            if turn == 1 and before.size_px != after.size_px:
                self._fit_positions(before_id, before.size_px, after.size_px, None)
        if before_id < photo_id:
            self._merge(before_id, photo_id, keeps_key=before.thumbnail == after.thumbnail)
        else:
            self._merge(photo_id, before_id)

    def _turn_alike(self, photo_id: int, other_id: int) -> None:
        """Turn what is said of positions in two photos of one picture as they are turned once merged."""
        # After `_merge` the photo is as the other one is where that is there.
        turned_id, as_id = (other_id, photo_id) if self._is_missing(other_id) else (photo_id, other_id)
        before = self._photo_facts(turned_id)
        self.turn(turned_id, _turn_of(before, self._photo_facts(as_id)), before.size_px)

    def _merge(self, photo_id: int, other_id: int, *, keeps_key: bool = False) -> None:
        """Move all that is known of another photo to a photo, which keeps what the user said of it.

        Of two captions that the user wrote the later one stands.

        Args:
            photo_id: The photo that stays.
            other_id: The photo that is no more afterwards.
            keeps_key: Whether what is stored for the photo elsewhere by its `content_hash` is still right.
        """
        connection = self._connection
        connection.execute("PRAGMA defer_foreign_keys = ON")
        is_there = not self._is_missing(other_id)
        if self._caption_of_other_stands(photo_id, other_id):
            connection.execute("DELETE FROM appearances WHERE photo_id = ?", (photo_id,))
            connection.execute("DELETE FROM captions WHERE photo_id = ?", (photo_id,))
        elif connection.rows("SELECT 1 FROM captions WHERE photo_id = ?", (photo_id,)):
            connection.execute("DELETE FROM appearances WHERE photo_id = ?", (other_id,))
            connection.execute("DELETE FROM captions WHERE photo_id = ?", (other_id,))
        if connection.rows("SELECT 1 FROM face_scans WHERE photo_id = ?", (photo_id,)):
            # Both are of one picture: no face is to be there twice.
            forget_faces(connection, other_id)
        for table in self._tables_with_photos():
            connection.execute(
                f"UPDATE OR IGNORE {table} SET photo_id = ? WHERE photo_id = ?", (photo_id, other_id)
            )
            connection.execute(f"DELETE FROM {table} WHERE photo_id = ?", (other_id,))
        connection.execute(
            "UPDATE OR IGNORE replacements SET before_id = ? WHERE before_id = ?", (photo_id, other_id)
        )
        self._move_journal(photo_id, other_id)
        connection.execute("DELETE FROM photo_words WHERE photo_id = ?", (other_id,))
        if is_there:
            for table in ("thumbnails", "looks"):
                connection.execute(f"DELETE FROM {table} WHERE photo_id = ?", (photo_id,))
            kept = {"id", "added_at", "picture_changed_at", *(("content_hash",) if keeps_key else ())}
            columns = [
                row["name"] for row in connection.rows("PRAGMA table_info(photos)") if row["name"] not in kept
            ]
            connection.execute(
                f"UPDATE photos SET {', '.join(f'{name} = other.{name}' for name in columns)}"
                " FROM (SELECT * FROM photos WHERE id = ?) AS other WHERE photos.id = ?",
                (other_id, photo_id),
            )
        for table in ("thumbnails", "looks", "paths"):
            connection.execute(
                f"UPDATE OR IGNORE {table} SET photo_id = ? WHERE photo_id = ?", (photo_id, other_id)
            )
            connection.execute(f"DELETE FROM {table} WHERE photo_id = ?", (other_id,))
        connection.execute("DELETE FROM photos WHERE id = ?", (other_id,))
        self._facts.refresh(photo_id)
        self._words.refresh((photo_id,))

    def _caption_of_other_stands(self, photo_id: int, other_id: int) -> bool:
        rows = {
            row["photo_id"]: row
            for row in self._connection.rows(
                "SELECT photo_id, by_hand, created_at FROM captions WHERE photo_id IN (?, ?)",
                (photo_id, other_id),
            )
        }
        own, other = rows.get(photo_id), rows.get(other_id)
        if other is None or own is None:
            return False
        return bool((other["by_hand"], other["created_at"]) > (own["by_hand"], own["created_at"]))

    def _move_journal(self, photo_id: int, other_id: int) -> None:
        """Have the journal speak of the photo that stays."""
        for row in self._connection.rows(
            f"SELECT entry_id, place, key, before, after FROM journal_rows WHERE {PHOTO_OF_CHANGE} = ?",
            (other_id,),
        ):
            key = json.loads(row["key"])
            if row["place"] != "sidecars":
                key[1 if row["place"] == "reference_photos" else 0] = photo_id
            images = []
            for image in (row["before"], row["after"]):
                values = json.loads(image) if image else None
                images.append(None if values is None else json.dumps(values | {"photo_id": photo_id}))
            self._connection.execute(
                "UPDATE OR IGNORE journal_rows SET key = ?, before = ?, after = ?"
                " WHERE entry_id = ? AND place = ? AND key = ?",
                (json.dumps(key), *images, row["entry_id"], row["place"], row["key"]),
            )

    def _drop_models_words(self, photo_id: int) -> None:
        """Forget what a model said of a photo; a caption by the user stays, and a model shall look again."""
        forget_faces(self._connection, photo_id)
        forget_findings(self._connection, photo_id)
        self._connection.execute("DELETE FROM appearances WHERE photo_id = ?", (photo_id,))
        self._connection.execute("DELETE FROM captions WHERE photo_id = ? AND NOT by_hand", (photo_id,))
        self._connection.execute(
            "UPDATE captions SET model = '', bank = NULL, prompt_version = '' WHERE photo_id = ?", (photo_id,)
        )

    def _tables_with_photos(self) -> list[str]:
        """The tables with rows about photos, but for those about their present pictures."""
        names = [
            row["name"]
            for row in self._connection.rows(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        ]
        # A caption's appearances refer to it.
        names.sort(key=lambda name: name != "captions")
        return [
            name
            for name in names
            if name not in _TABLES_OF_THE_PICTURE
            and not name.startswith("photo_words")
            and any(row["name"] == "photo_id" for row in self._connection.rows(f"PRAGMA table_info({name})"))
        ]

    def _photo_facts(self, photo_id: int) -> _Facts:
        [row] = self._connection.rows(
            "SELECT taken_at, camera, orientation, width_px, height_px, jpeg, picture_hash FROM photos"
            " LEFT JOIN thumbnails ON photo_id = id WHERE id = ?",
            (photo_id,),
        )
        return _Facts(
            taken_at=row["taken_at"],
            camera=row["camera"],
            orientation=row["orientation"] or 1,
            size_px=(row["width_px"], row["height_px"]),
            thumbnail=row["jpeg"] or b"",
            picture_hash=row["picture_hash"],
        )

    def _exists(self, photo_id: int) -> bool:
        return bool(self._connection.rows("SELECT 1 FROM photos WHERE id = ?", (photo_id,)))

    def _is_missing(self, photo_id: int) -> bool:
        return bool(
            self._connection.rows("SELECT 1 FROM photos WHERE id = ? AND missing_since NOT NULL", (photo_id,))
        )

    def _has_caption(self, photo_id: int) -> bool:
        return self.has_words(photo_id) or bool(
            self._connection.rows("SELECT 1 FROM captions WHERE photo_id = ?", (photo_id,))
        )


def _is_edit(before: _Facts, after: _Facts, likeness: turns.Likeness | None, *, is_doubtful: bool) -> bool:
    """Tell an edited photo from another one at its path.

    Cameras count their files anew and scanners use the same names again; an edit mostly keeps the date, and
    another photo looks different and has another date. In doubt the photos must have something in common.
    """
    looks_alike = likeness is not None and likeness.bits <= _SAME_SCENE_BITS
    has_date = before.taken_at is not None and after.taken_at is not None
    has_same_date = has_date and (before.taken_at, before.camera) == (after.taken_at, after.camera)
    if looks_alike or has_same_date:
        return True
    return not is_doubtful and not has_date


def _is_same_picture(before: bytes, after: bytes) -> bool:
    from photopal.photos import turns

    likeness = turns.compare_thumbnails(before, after)
    return likeness is not None and likeness.is_same and likeness.bits <= _SAME_PICTURE_BITS


def _turn_of(before: _Facts, after: _Facts) -> int:
    """Return how the same picture is turned: as EXIF says, or as it looks where EXIF does not fit."""
    from photopal.photos import turns

    turn = turns.turn_between(before.orientation, after.orientation)
    size = before.size_px[::-1] if turn >= 5 else before.size_px
    if turn > 1 and size == after.size_px:
        return turn
    likeness = turns.compare_thumbnails(before.thumbnail, after.thumbnail)
    return likeness.turn if likeness is not None and likeness.is_same else 1


def turn_for(
    *,
    orientation: tuple[int, int],
    size_px: tuple[tuple[int, int], tuple[int, int]],
    thumbnails: tuple[bytes, bytes],
) -> int:
    """Return how the same picture is turned, from each value before and after."""
    before, after = (
        _Facts(
            taken_at=None,
            camera=None,
            orientation=orientation[side],
            size_px=size_px[side],
            thumbnail=thumbnails[side],
            picture_hash=None,
        )
        for side in (0, 1)
    )
    return _turn_of(before, after)


def _turned(values: dict[str, Any], turn: int, size: tuple[float, float]) -> dict[str, Any]:
    """Turn the positions in a row: a box in pixels or fractions, a point in fractions, a mask."""
    from photopal.photos import turns

    turned = dict(values)
    if values.get("box_x") is not None:
        box = (values["box_x"], values["box_y"], values["box_width"], values["box_height"])
        moved = turns.turned_box(turn, box, width=size[0], height=size[1])
        is_pixels = size != (1, 1)
        for name, value in zip(("box_x", "box_y", "box_width", "box_height"), moved, strict=True):
            turned[name] = round(value) if is_pixels else value
    if values.get("point_x") is not None:
        turned["point_x"], turned["point_y"] = turns.turned_point(turn, values["point_x"], values["point_y"])
    if values.get("mask_png"):
        turned["mask_png"] = turns.turned_png(turn, values["mask_png"])
    return turned


def _scaled(values: dict[str, Any], size_px: tuple[int, int], new_size_px: tuple[int, int]) -> dict[str, Any]:
    """Scale the positions in a row: a box in pixels, a mask."""
    from photopal.photos import turns

    (width, height), (new_width, new_height) = size_px, new_size_px
    scaled = dict(values)
    if values.get("box_x") is not None:
        x = min(new_width - 1, round(values["box_x"] * new_width / width))
        y = min(new_height - 1, round(values["box_y"] * new_height / height))
        scaled |= {
            "box_x": x,
            "box_y": y,
            "box_width": max(1, min(new_width - x, round(values["box_width"] * new_width / width))),
            "box_height": max(1, min(new_height - y, round(values["box_height"] * new_height / height))),
        }
    if values.get("mask_png"):
        scaled["mask_png"] = turns.resized_png(values["mask_png"], *new_size_px)
    return scaled


def _without_positions(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if name in _POSITION_COLUMNS else value for name, value in values.items()}


def _position_of(values: dict[str, Any]) -> list[Any]:
    mask = values.get("mask_png")
    return [*(values[name] for name in _POSITION_COLUMNS[:4]), mask.hex() if mask else None]


def _with_position(values: dict[str, Any], position: list[Any]) -> dict[str, Any]:
    *box, mask = position
    found = dict(zip(_POSITION_COLUMNS, (*box, bytes.fromhex(mask) if mask else None), strict=True))
    return {name: found.get(name, value) for name, value in values.items()}


def _changed_image(image: str | None, change: _Change, table: str, side: str) -> str | None:
    """Change the positions in a row of the journal, where bytes are in hexadecimal."""
    if image is None:
        return None
    values = json.loads(image)
    if values.get("mask_png"):
        values["mask_png"] = bytes.fromhex(values["mask_png"]["hex"])
    values = change(values, f"{table} {values['concept_id']} {side}")
    if values.get("mask_png"):
        values["mask_png"] = {"hex": values["mask_png"].hex()}
    return json.dumps(values)
