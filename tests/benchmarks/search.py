"""Times `photopal search` as a cold command over a made-up library: `python tests/benchmarks/search.py`.

A library of N captioned photos is written straight into its tables, then each query is run as a program of
its own, with its peak memory. Beside it, in turns in the same run, stands a walk over all captions with LIKE
in a bare Python program, without any of photopal's imports. rclip 3.3.0, measured earlier on two cores, took
3.3 to 4.7 s and 1.07 GB for one text search over 100,000 photos, 17 to 18 s and 4.25 GB over 500,000.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.library import Library

QUERIES = (
    ["rex"],
    ["anna", "beach"],
    ["red ball"],
    ["plays"],
    ["garde"],
    ["ball", "--", "-garden"],
    ["rex", "last", "summer"],
    ["anna christmas"],
    ['"red ball on the"', "2019"],
    ["kilimanjaro"],
    ["a"],
    ["snow", "--offset", "1000", "--json"],
    ["anna with no rex in july"],
    ["iphone snow"],
    ["nobody", "2019"],
    ["on sundays"],
    ["anna in the evening"],
    ["rex rating:5"],
    ["北京"],
    ["公园里的狗"],
    ["ชายหาด"],
    ["Müller"],
    ["🎉"],
)

_WHO = ("A dog", "Rex", "Anna", "Anna and Rex", "A woman", "Two children", "A cat", "Nobody", "Ben")
_DOES = ("plays", "runs", "sits", "sleeps", "stands", "jumps", "waits", "looks around", "eats")
_WHAT = ("with a red ball", "beside a tree", "under a parasol", "on a bicycle", "with a kite", "in the rain")
_WHERE = (
    "on the beach",
    "in the garden",
    "by the lake",
    "in the snow",
    "at home",
    "in the street",
    "in town",
)
# A fifth of all captions is written without spaces.
_UNSPACED = (
    ("2021北京旅行的", "小明在", "孩子们在", "上海"),
    ("公园里的狗", "海边的小狗", "天安门广场", "雪地里的红色汽车", "花园里的生日蛋糕"),
    ("", "和一个红球", "🎉", "หมาวิ่งบนชายหาด", "Müller"),
)
_PLACES = ("Nice, Provence, France", "Lisbon, Portugal", "Kyoto, Japan", "Bergen, Norway", None)
_CAMERAS = ("Canon EOS R5", "Apple iPhone 15", "Google Pixel 8", None)

_LIKE = (
    "import sqlite3, sys\n"
    "rows = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute("
    "'SELECT path, text FROM photos JOIN captions ON captions.photo_id = photos.id WHERE text LIKE ?"
    " ORDER BY +taken_at DESC LIMIT 50', (f'%{sys.argv[2]}%',)).fetchall()\n"
    "print(len(rows))"
)


@dataclass(frozen=True)
class Run:
    """Seconds by the clock and of the processor, peak memory in MB, lines printed."""

    wall_s: float
    work_s: float
    peak_mb: float
    lines: int


def write_library(path: Path, photos: int, *, seed: int = 0) -> None:
    """Write a library of captioned photos, taken over twenty years; every ninth is undated or so."""
    with Library(path) as library:
        anna, rex, ben = (library.concepts.add(name).id for name in ("Anna", "Rex", "Ben"))
        ids = {"Anna": [anna], "Rex": [rex], "Anna and Rex": [anna, rex], "Ben": [ben]}
        with library.writing():
            database = library.connection.sqlite
            triggers = dict(
                database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            )
            for trigger in triggers:
                database.execute(f"DROP TRIGGER {trigger}")
            rows = list(_rows(photos, random.Random(seed)))
            database.executemany(
                "INSERT INTO photos (id, content_hash, path, size_bytes, width_px, height_px, format,"
                " taken_at, camera, place, rating, added_at)"
                " VALUES (?, ?, ?, 1, 4000, 3000, 'JPEG', ?, ?, ?, ?, '2024')",
                ((n, f"{n:032x}", p.encode(), t, c, where, n % 7) for n, p, t, c, where, _, _ in rows),
            )
            database.executemany(
                "INSERT INTO paths (path, photo_id, size_bytes, mtime_ns, seen_at)"
                " VALUES (?, ?, 1, ?, '2024')",
                ((r[1].encode(), r[0], r[0]) for r in rows),
            )
            database.executemany(
                "INSERT INTO captions (photo_id, text, model, prompt_version, created_at)"
                " VALUES (?, ?, 'm', '1', '2024')",
                ((r[0], r[5]) for r in rows),
            )
            database.executemany(
                "INSERT INTO appearances (photo_id, concept_id, score, is_present, point_x, point_y)"
                " VALUES (?, ?, 0.9, 1, 0.5, 0.5)",
                ((r[0], concept) for r in rows for concept in ids.get(r[6], ())),
            )
            del rows
        _write_words(library, list(triggers.values()))


def _write_words(library: Library, triggers: Sequence[str]) -> None:
    """Make all words at once, as a migration does, and the triggers again."""
    from photopal.library import fts, migrations

    upsert = fts._UPSERT_WORDS
    select = upsert[upsert.index("SELECT " + migrations.WORDS_KEY) : upsert.index("ON CONFLICT")]
    for parameter, value in (
        ("WHERE photos.id = ?1", "ORDER BY 1"),
        ("?2", "'20 / IMG_' || photos.id || '.jpg'"),
        ("?3", "(SELECT text FROM captions WHERE photo_id = photos.id)"),
        (
            "?4",
            (
                "(SELECT group_concat(name, ' / ') FROM appearances JOIN concepts ON concepts.id = concept_id"
                " WHERE photo_id = photos.id)"
            ),
        ),
        ("?5", "' k'"),
        (
            "?6",
            (
                "coalesce((SELECT group_concat(' c' || concept_id, '') FROM appearances"
                " WHERE photo_id = photos.id), '')"
            ),
        ),
    ):
        assert parameter in select, parameter
        select = select.replace(parameter, value)
    with library.writing():
        library.connection.execute(
            f"INSERT INTO photo_words (key, photo_id, caption, names, place, file, tags, facts) {select}"
        )
        library.connection.execute("INSERT INTO photo_words_fts (photo_words_fts) VALUES ('rebuild')")
        for trigger in triggers:
            library.connection.execute(trigger)


def _rows(
    photos: int, rng: random.Random
) -> Iterator[tuple[int, str, str | None, str | None, str | None, str, str]]:
    """Yield id, path, time, camera, place, caption and who of each photo."""
    for number in range(1, photos + 1):
        year, month, day = rng.randrange(2005, 2026), rng.randrange(1, 13), rng.randrange(1, 29)
        moment = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        who = rng.choice(_WHO)
        caption = f"{who} {rng.choice(_DOES)} {rng.choice(_WHAT)} {rng.choice(_WHERE)}."
        if number % 5 == 0:
            caption = "".join(map(rng.choice, _UNSPACED))
        if number % 99_991 == 7:
            caption += " Behind them stands Kilimanjaro."
        taken = None if number % 50 == 0 else f"{year}-{month:02}-{day:02}T{moment}"
        path, camera, place = f"/p/{year}/IMG_{number:07}.jpg", rng.choice(_CAMERAS), rng.choice(_PLACES)
        yield number, path, taken, camera, place, caption, who


def run_cold(command: Sequence[str], environ: dict[str, str]) -> Run:
    """Run a program and wait for it; its memory and its processor's time are the kernel's figures."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 4):
        raise SystemExit(f"{command} ended with {process.returncode}")
    per_mb = 1024 if sys.platform == "linux" else 1024 * 1024
    lines = printed.count(b"\n") if not printed.startswith(b"[") else printed.count(b'"path"')
    return Run(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / per_mb, lines)


def main() -> None:
    """Write the library, run everything in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--home", type=Path, help="a folder with a library of an earlier run, or for this one's"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder)
        path = home / "library.db"
        if not path.exists():
            began = time.perf_counter()
            # In a process of its own: a program that is started counts its parent's memory as its peak.
            writer = multiprocessing.get_context("spawn").Process(
                target=write_library, args=(path, asked.photos)
            )
            writer.start()
            writer.join()
            took_s, size_mb = time.perf_counter() - began, path.stat().st_size / 1e6
            print(f"{asked.photos:,} photos, {size_mb:.0f} MB, in {took_s:.0f} s")
        environ = {**os.environ, "PHOTOPAL_HOME": str(home)}
        print(
            "query                            clock s  processor s   MB  lines | LIKE: clock s  processor s"
        )
        for words in QUERIES:
            command = [sys.executable, "-m", "photopal", "search", *words]
            plain = [sys.executable, "-c", _LIKE, str(path), words[0].strip('"').split()[-1]]
            ours, theirs = [], []
            for _ in range(asked.runs):
                ours.append(run_cold(command, environ))
                theirs.append(run_cold(plain, environ))
            best = statistics.median(run.wall_s for run in ours)
            print(
                f"{' '.join(words):32} {best:7.2f} {min(r.work_s for r in ours):11.2f}"
                f" {max(r.peak_mb for r in ours):6.0f} {ours[0].lines:5} |"
                f" {statistics.median(r.wall_s for r in theirs):12.2f} {min(r.work_s for r in theirs):11.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
