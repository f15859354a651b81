"""Keeps the sums of groups of faces in step with the faces in them; knows nothing of who is meant."""

from __future__ import annotations

from photopal.library.connection import Connection


def forget_faces(connection: Connection, photo_id: int) -> None:
    """Forget the faces of a photo and that it was searched, as its picture is another; inside `writing`."""
    import numpy as np

    for row in connection.rows(
        "SELECT group_id, vector, total FROM faces JOIN face_groups ON face_groups.id = group_id"
        " WHERE photo_id = ?",
        (photo_id,),
    ):
        total = np.frombuffer(row["total"], "<f8") - np.frombuffer(row["vector"], "<f4")
        connection.execute(
            "UPDATE face_groups SET total = ?, face_count = face_count - 1 WHERE id = ?",
            (total.astype("<f8").tobytes(), row["group_id"]),
        )
    connection.execute("DELETE FROM faces WHERE photo_id = ?", (photo_id,))
    connection.execute("DELETE FROM face_scans WHERE photo_id = ?", (photo_id,))


def recount_groups(connection: Connection) -> None:
    """Sum the groups up anew whose faces are not as many as they were; inside `writing`."""
    import numpy as np

    rows = connection.rows(
        "SELECT face_groups.id, count(faces.id) AS present FROM face_groups"
        " LEFT JOIN faces ON group_id = face_groups.id GROUP BY face_groups.id HAVING present <> face_count"
    )
    for row in rows:
        vectors = [
            np.frombuffer(vector, "<f4")
            for vector in connection.iter_column("SELECT vector FROM faces WHERE group_id = ?", (row["id"],))
        ]
        total = np.sum(vectors, axis=0, dtype=np.float64) if vectors else np.zeros(128)
        connection.execute(
            "UPDATE face_groups SET total = ?, face_count = ?, settled_count = 0 WHERE id = ?",
            (total.astype("<f8").tobytes(), len(vectors), row["id"]),
        )
