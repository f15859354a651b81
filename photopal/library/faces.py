"""Keeps faces, which photos were searched for them, and groups of faces alike; finds and names none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from photopal.errors import LibraryError, UsageError
from photopal.library.connection import Connection, now
from photopal.library.face_sums import forget_faces, recount_groups
from photopal.library.models import Face, FaceGroup, FaceRecord, PhotoRecord
from photopal.library.photos import PHOTO_COLUMNS, photo_record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photopal.library.face_matrix import FaceMatrix
    from photopal.library.history import Journal

_FACES_AT_ONCE = 2000
_UNSCANNED = (
    "FROM photos LEFT JOIN face_scans ON face_scans.photo_id = photos.id"
    " WHERE missing_since IS NULL AND detector IS NOT ?"
)


class Faces:
    """The part of a library that is about faces.

    Args:
        connection: The open library.
        journal: Told of what the user says of groups.
    """

    def __init__(self, connection: Connection, *, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal
        self._matrix: FaceMatrix | None = None

    def put(self, photo_id: int, faces: Sequence[Face], *, detector: str) -> list[int]:
        """Store the faces of a photo in place of any it had, and that it was searched; return their numbers.

        Args:
            photo_id: The photo.
            faces: What was found, nothing included.
            detector: What found them.

        Raises:
            LibraryError: There is no such photo.
        """
        with self._connection.writing():
            if not self._connection.rows("SELECT 1 FROM photos WHERE id = ?", (photo_id,)):
                raise LibraryError(f"no photo with id {photo_id} in the library")
            forget_faces(self._connection, photo_id)
            ids = [
                self._connection.execute(
                    "INSERT INTO faces (photo_id, box_x, box_y, box_width, box_height, vector, side_px,"
                    " sharpness, yaw, score) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (
                        photo_id,
                        *face.box,
                        face.vector.astype("<f4").tobytes(),
                        face.side_px,
                        face.sharpness,
                        face.yaw,
                        face.score,
                    ),
                ).fetchone()[0]
                for face in faces
            ]
            self._connection.execute(
                "INSERT INTO face_scans VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " detector = excluded.detector, face_count = excluded.face_count,"
                " scanned_at = excluded.scanned_at",
                (photo_id, detector, len(faces), now()),
            )
        return ids

    def of_photo(self, photo_id: int) -> list[FaceRecord]:
        """Return the faces of a photo, the largest first."""
        return self._records("WHERE photo_id = ? ORDER BY id", (photo_id,))

    def get(self, ids: Sequence[int]) -> list[FaceRecord]:
        """Return faces by their numbers, in the order of the numbers; those that are no more are left out."""
        found = {}
        for start in range(0, len(ids), _FACES_AT_ONCE):
            some = ids[start : start + _FACES_AT_ONCE]
            marks = ", ".join("?" * len(some))
            found.update({face.id: face for face in self._records(f"WHERE id IN ({marks})", some)})
        return [found[number] for number in ids if number in found]

    def of_group(self, group_id: int) -> list[FaceRecord]:
        """Return the faces of a group and of those merged into it, the earliest found first.

        Only those on photos whose files are there.
        """
        merged = self._merged_ids(group_id)
        return self._records(
            f"WHERE group_id IN ({', '.join('?' * len(merged))})"
            " AND photo_id IN (SELECT id FROM photos WHERE missing_since IS NULL) ORDER BY id",
            merged,
        )

    def grouped(self) -> Iterator[tuple[int, int, int]]:
        """Yield the numbers of all faces in groups, with those of their photos and groups.

        Only those on photos whose files are there. Of groups that the user merged, the number is that of the
        one that the others are in.
        """
        roots = self._roots()
        rows = self._connection.rows(
            "SELECT faces.id, photo_id, group_id FROM faces JOIN photos ON photos.id = photo_id"
            " WHERE group_id NOT NULL AND missing_since IS NULL ORDER BY faces.id"
        )
        for row in rows:
            yield row["id"], row["photo_id"], roots[row["group_id"]]

    def is_scanned(self, photo_id: int, *, detector: str) -> bool:
        """Tell whether a photo was searched for faces by a detector."""
        return bool(
            self._connection.rows(
                "SELECT 1 FROM face_scans WHERE photo_id = ? AND detector = ?", (photo_id, detector)
            )
        )

    def unscanned(self, *, detector: str) -> Iterator[PhotoRecord]:
        """Yield the photos that a detector has not searched and whose files are there, by id."""
        last_id = 0
        while True:
            rows = self._connection.rows(
                f"SELECT {PHOTO_COLUMNS} {_UNSCANNED} AND photos.id > ? ORDER BY photos.id LIMIT 500",
                (detector, last_id),
            )
            if not rows:
                return
            yield from map(photo_record, rows)
            last_id = rows[-1]["id"]

    def counts(self, *, detector: str) -> dict[str, int]:
        """Count `unscanned` and `scanned` photos whose files are there, and the `faces` on them."""
        [row] = self._connection.rows(f"SELECT count(*) {_UNSCANNED}", (detector,))
        [scanned] = self._connection.rows(
            "SELECT count(*), coalesce(sum(face_count), 0) FROM face_scans"
            " JOIN photos ON photos.id = photo_id WHERE missing_since IS NULL AND detector = ?",
            (detector,),
        )
        return {"unscanned": row[0], "scanned": scanned[0], "faces": scanned[1]}

    def near(
        self, centers: NDArray[np.float32], within: NDArray[np.float32]
    ) -> list[list[tuple[FaceRecord, float]]]:
        """Return for each of some vectors the faces of the library no farther, with distances, nearest first.

        Args:
            centers: `[centers, 128]`; many at once take hardly longer than one.
            within: `[centers]`, the largest Euclidean distance from each.
        """
        from photopal.library.face_matrix import FaceMatrix

        if self._matrix is None:
            path = self._connection.path
            self._matrix = FaceMatrix(path.with_name(f"{path.stem}-faces.f32"))
        self._matrix.refresh(self._vectors_of, self._vectors_after)
        found = self._matrix.near(centers, within)
        every = list(dict.fromkeys(number for ids, _ in found for number in ids.tolist()))
        faces = {face.id: face for face in self.get(every)}
        return [
            [
                (faces[number], distance)
                for number, distance in zip(ids.tolist(), distances.tolist(), strict=True)
                if number in faces
            ]
            for ids, distances in found
        ]

    def groups(self) -> list[FaceGroup]:
        """Return all groups that have faces, ignored ones too, by number."""
        rows = self._connection.rows("SELECT * FROM face_groups WHERE face_count > 0 ORDER BY id")
        return [_group(row) for row in rows]

    def ignored_groups(self) -> set[int]:
        """Return the numbers of the groups that the user ignored, also of those whose faces are gone."""
        return set(self._connection.iter_column("SELECT id FROM face_groups WHERE is_ignored"))

    def put_groups(
        self,
        groups: Sequence[FaceGroup],
        *,
        faces: Mapping[int, int | None],
        merged: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Store groups that changed and which faces belong to them, as photopal finds them.

        Args:
            groups: New ones, and ones with another sum or number; what the user said of one stays.
            faces: The group of each face, by the numbers of both.
            merged: Groups that are no more, with those whose their faces now are, in this order.
        """
        with self._connection.writing():
            for group in groups:
                self._connection.execute(
                    "INSERT INTO face_groups (id, total, face_count, settled_count) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET total = excluded.total, face_count = excluded.face_count,"
                    " settled_count = excluded.settled_count",
                    (
                        group.id,
                        group.total.astype("<f8").tobytes(),
                        group.face_count,
                        group.face_count if group.is_settled else 0,
                    ),
                )
            for face_id, group_id in faces.items():
                self._connection.execute("UPDATE faces SET group_id = ? WHERE id = ?", (group_id, face_id))
            for gone, into in merged:
                self._connection.execute("UPDATE faces SET group_id = ? WHERE group_id = ?", (into, gone))
                self._connection.execute("DELETE FROM face_groups WHERE id = ?", (gone,))

    def merge_groups(self, group_id: int, other_id: int) -> None:
        """Say that two groups are one person, for good: the other one's faces count as the first one's.

        Raises:
            UsageError: There is no such group, or both are one already.
        """
        roots = self.groups_to_merge(group_id, other_id)
        with self._journal.recording(f"merged face group {roots[1]} into {roots[0]}"):
            for number in roots:
                self._journal.touch("face_groups", number)
            self._connection.execute("UPDATE face_groups SET is_fixed = 1 WHERE id IN (?, ?)", roots)
            self._connection.execute("UPDATE face_groups SET merged_into = ? WHERE id = ?", roots)

    def groups_to_merge(self, group_id: int, other_id: int) -> list[int]:
        """Return the numbers of the two groups that `merge_groups` would make one.

        Raises:
            UsageError: There is no such group, or both are one already.
        """
        roots = self.roots_of([group_id, other_id])
        if len(roots) < 2:
            raise UsageError(f"groups {group_id} and {other_id} are one already")
        return roots

    def roots_of(self, group_ids: Sequence[int]) -> list[int]:
        """Return the numbers of the groups that some are in, their own where they were not merged, each once.

        Raises:
            UsageError: There is no such group.
        """
        return list(dict.fromkeys(self._merged_ids(number)[0] for number in group_ids))

    def merged_groups(self, group_id: int) -> list[int]:
        """Return the numbers of the groups that the user merged into one directly.

        Raises:
            UsageError: There is no such group.
        """
        root = self._merged_ids(group_id)[0]
        sql = "SELECT id FROM face_groups WHERE merged_into = ? ORDER BY id"
        return list(self._connection.iter_column(sql, (root,)))

    def split_group(self, group_id: int, leaving: Sequence[int] = ()) -> list[int]:
        """Say that a group is of several people: those merged into it are apart again, or some faces leave.

        Args:
            group_id: The group.
            leaving: Faces that become a group of their own; without, merged groups are taken apart.

        Returns:
            The numbers of the groups that it was split into, its own first.

        Raises:
            UsageError: There is no such group, or there is nothing to take apart.
        """
        root = self._merged_ids(group_id)[0]
        apart = self.merged_groups(root)
        if not apart and not leaving:
            raise UsageError(f"nothing was merged into group {root}")
        with self._journal.recording(f"split face group {root}"):
            self._journal.touch("face_groups", root)
            self._connection.execute("UPDATE face_groups SET is_fixed = 1 WHERE id = ?", (root,))
            if not leaving:
                for number in apart:
                    self._journal.touch("face_groups", number)
                    self._connection.execute(
                        "UPDATE face_groups SET merged_into = NULL WHERE id = ?", (number,)
                    )
                return [root, *apart]
            new = self._connection.execute(
                "INSERT INTO face_groups (total, face_count, is_fixed) VALUES (zeroblob(1024), 0, 1)"
                " RETURNING id"
            ).fetchone()[0]
            self._journal.touch_new("face_groups", new)
            for number in leaving:
                self._journal.touch("faces", number)
                self._connection.execute("UPDATE faces SET group_id = ? WHERE id = ?", (new, number))
            recount_groups(self._connection)
        return [root, new]

    def ignore_groups(self, group_ids: Sequence[int]) -> None:
        """Say that the people of groups need no name; the groups take in their faces and are shown no more.

        Raises:
            UsageError: There is no such group.
        """
        roots = self.roots_of(group_ids)
        with self._journal.recording(
            f"ignored face {'group' if len(roots) == 1 else 'groups'} {', '.join(map(str, roots))}"
        ):
            for number in roots:
                self._journal.touch("face_groups", number)
                self._connection.execute("UPDATE face_groups SET is_ignored = 1 WHERE id = ?", (number,))

    def _merged_ids(self, group_id: int) -> list[int]:
        """A group's number with those of all that were merged with it, the one they are in first."""
        roots = self._roots()
        root = roots.get(group_id)
        merged = [number for number, its_root in roots.items() if root is not None and its_root == root]
        with_faces = {group.id for group in self.groups()}
        if root is None or with_faces.isdisjoint(merged):
            raise UsageError(f"no group of faces with number {group_id}", hint="photopal people")
        return [root, *(number for number in merged if number != root)]

    def _roots(self) -> dict[int, int]:
        """The group that each group is in, by number; what the user merged is so without faces too."""
        rows = self._connection.rows("SELECT id, merged_into FROM face_groups ORDER BY id")
        into = {row["id"]: row["merged_into"] for row in rows}

        def root_of(number: int) -> int:
            while (upper := into[number]) is not None:
                number = upper
            return number

        return {number: root_of(number) for number in into}

    def next_group_id(self) -> int:
        """Return a number above that of any group there is or was."""
        rows = self._connection.rows("SELECT seq FROM sqlite_sequence WHERE name = 'face_groups'")
        return (rows[0][0] if rows else 0) + 1

    def share_photo(self, first: int, second: int) -> bool:
        """Tell whether some photo shows a face of both of two groups."""
        return bool(
            self._connection.rows(
                "SELECT 1 FROM faces AS one JOIN faces AS other ON other.photo_id = one.photo_id"
                " WHERE one.group_id = ? AND other.group_id = ? LIMIT 1",
                (first, second),
            )
        )

    def _vectors_of(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        return {record.id: record.face.vector for record in self.get(ids)}

    def _vectors_after(self, number: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        import numpy as np

        while True:
            rows = self._connection.rows(
                f"SELECT id, vector FROM faces WHERE id > ? ORDER BY id LIMIT {_FACES_AT_ONCE}", (number,)
            )
            if not rows:
                return
            for row in rows:
                yield row["id"], np.frombuffer(row["vector"], "<f4")
            number = rows[-1]["id"]

    def _records(self, condition: str, parameters: Sequence[Any]) -> list[FaceRecord]:
        return [_record(row) for row in self._connection.rows(f"SELECT * FROM faces {condition}", parameters)]


def _record(row: sqlite3.Row) -> FaceRecord:
    import numpy as np

    face = Face(
        box=(row["box_x"], row["box_y"], row["box_width"], row["box_height"]),
        vector=np.frombuffer(row["vector"], "<f4"),
        side_px=row["side_px"],
        sharpness=row["sharpness"],
        yaw=row["yaw"],
        score=row["score"],
    )
    return FaceRecord(row["id"], row["photo_id"], face, row["group_id"])


def _group(row: sqlite3.Row) -> FaceGroup:
    import numpy as np

    return FaceGroup(
        id=row["id"],
        total=np.frombuffer(row["total"], "<f8"),
        face_count=row["face_count"],
        is_fixed=bool(row["is_fixed"]),
        is_ignored=bool(row["is_ignored"]),
        is_settled=row["settled_count"] == row["face_count"],
    )
