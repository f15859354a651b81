"""Does to photos and to photopal what goes wrong in life, in random order; checks that nothing is lost.

Run it with `python tests/torture/faults.py --faults 200 --seed 0`. It needs no model. Every photo gets a
caption. Then, again and again, one fault happens: photopal is killed while it indexes, the folder goes away
and comes back, photos are cut short, renamed, moved, copied slowly, deleted and restored, touched,
overwritten, written tags into. After each, one run of index must bring the library in line with the folder:
every photo that is there is known by its picture and has the caption it had, every broken file is a problem,
the database is sound, and no file was changed by photopal. The seed chooses the faults, so that a failure can
be had again.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from photopal.ingest.indexer import index_folders
from photopal.library import Library
from photopal.library.integrity import find_faults
from photopal.photos import fingerprint_file

PATIENCE_S = 600


def make_jpeg(number: int) -> bytes:
    """A small photo with a picture unlike any other."""
    encoded = io.BytesIO()
    cells = Image.new("L", (8, 4))
    cells.putdata([255 * (number >> bit & 1) for bit in range(32)])
    picture = Image.merge("RGB", [cells.resize((320, 240), Image.Resampling.NEAREST)] * 3)
    picture.save(encoded, "JPEG")
    return encoded.getvalue()


def with_other_metadata(jpeg: bytes, number: int) -> bytes:
    """The same picture in a file with something more said of it."""
    words = b"http://ns.adobe.com/xap/1.0/\0" + b"<x/>" * (number % 7) + number.to_bytes(4, "big")
    return jpeg[:2] + b"\xff\xe1" + (len(words) + 2).to_bytes(2, "big") + words + jpeg[2:]


@dataclass
class Bench:
    """A folder of photos, its library, and what must be in it."""

    root: Path
    rng: random.Random
    number: int = 0
    captions: dict[str, str] = field(default_factory=dict)
    killed: int = 0

    def __post_init__(self) -> None:
        self.folder, self.database = self.root / "photos", self.root / "home" / "library.db"
        for _ in range(60):
            self.new_photo()
        self.settle()

    def photos(self) -> list[Path]:
        """The files in the folder, in order."""
        return sorted(path for path in self.folder.rglob("*.jpg") if path.is_file())

    def some(self, most: int) -> list[Path]:
        """Some of the files."""
        photos = self.photos()
        return self.rng.sample(photos, min(len(photos), self.rng.randint(1, most)))

    def new_photo(self, content: bytes | None = None) -> Path:
        """Bring a photo into one of the folders."""
        self.number += 1
        path = self.folder / f"folder {self.rng.randint(0, 4)}" / f"{self.number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_jpeg(self.number) if content is None else content)
        return path

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start photopal on the folder."""
        command = [
            sys.executable,
            "-m",
            "photopal",
            "--home",
            str(self.root / "home"),
            *words,
            str(self.folder),
        ]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def kill(self, process: subprocess.Popen[bytes], longest_s: float) -> None:
        """Kill it at a random moment."""
        deadline = time.monotonic() + self.rng.uniform(0.1, longest_s)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            self.killed += 1
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def settle(self) -> None:
        """Index once and compare the library with the folder; photos that are new get a caption."""
        before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.photos()}
        with Library(self.database) as library:
            report = index_folders(library, [self.folder], accept_loss=True)
            self.compare(library, before)
            for row in library.photos.all():
                picture = fingerprint_file(row.path).picture_hash
                if picture not in self.captions:
                    self.captions[picture] = text = f"Photo {picture[:8]}."
                    library.captions.put(
                        row.id, text, model="m", bank=None, prompt_version="1", appearances=[]
                    )
            again = index_folders(library, [self.folder])
        assert again.unchanged + len(again.skipped) == len(before), (
            f"work is left or repeated: {report} {again}"
        )

    def compare(self, library: Library, before: dict[Path, str]) -> None:
        """Compare the library with the folder and with what was said before."""
        faults = find_faults(library)
        assert not faults, faults
        bad = {problem.path for problem in library.paths.problems()}
        known = {path: row for row in library.photos.all() for path in library.paths.of(row.id)}
        files = set(before)
        assert known.keys() | bad == files, f"lost or invented: {sorted(files ^ (known.keys() | bad))[:5]}"
        assert not known.keys() & bad
        for path, row in known.items():
            picture = fingerprint_file(path).picture_hash
            assert library.pictures.find("", picture) == row.id, f"{path} is taken for another photo"
            caption = library.captions.get(row.id)
            wanted = self.captions.get(picture)
            assert wanted is None or (caption is not None and caption.text == wanted), (
                f"{path} lost its caption"
            )
        after = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.photos()}
        assert after == before, "an original was changed"


def kill_index(bench: Bench) -> None:
    """Many new photos; index is killed on the way."""
    for _ in range(bench.rng.randint(5, 60)):
        bench.new_photo()
    bench.kill(bench.start("index"), 4.0)


def kill_watch(bench: Bench) -> None:
    """New photos come while a watch runs, which is killed."""
    process = bench.start("index", "--watch")
    for _ in range(bench.rng.randint(1, 10)):
        bench.new_photo()
        time.sleep(0.05)
    bench.kill(process, 8.0)


def unmount(bench: Bench) -> None:
    """The folder is away while index runs, or goes while it runs, and comes back."""
    process = bench.start("index")
    time.sleep(bench.rng.uniform(0.0, 2.0))
    away = bench.folder.with_name("away")
    bench.folder.rename(away)
    process.wait(PATIENCE_S)
    with Library(bench.database) as library:
        present = library.counts()["photos"]
        report = index_folders(library, [bench.folder])
        assert report.offline == [bench.folder], "a folder that is away is not offline"
        assert library.counts()["photos"] == present, "photos of a folder that is away were forgotten"
    away.rename(bench.folder)


def truncate(bench: Bench) -> None:
    """Photos are cut short; some are whole again later."""
    for path in bench.some(4):
        content = path.read_bytes()
        path.write_bytes(content[: bench.rng.randint(0, len(content) * 7 // 10)])
        if bench.rng.random() < 0.5:
            with Library(bench.database) as library:
                index_folders(library, [bench.folder])
            path.write_bytes(content)


def rename(bench: Bench) -> None:
    """Photos get other names, some change places."""
    for path in bench.some(8):
        if path.exists():
            bench.number += 1
            path.rename(path.with_name(f"renamed {bench.number}.jpg"))
    one, other = bench.rng.sample(bench.photos(), 2)
    between = one.with_name("between.jpg")
    one.rename(between)
    other.rename(one)
    between.rename(other)


def move_folder(bench: Bench) -> None:
    """A folder gets another name or moves into another one."""
    folders = [path for path in sorted(bench.folder.rglob("*")) if path.is_dir()]
    bench.number += 1
    moved = bench.rng.choice(folders)
    moved.rename(bench.folder / f"moved {bench.number}")


def copy_slowly(bench: Bench) -> None:
    """A photo grows while index reads."""
    bench.number += 1
    content = make_jpeg(bench.number)
    path = bench.new_photo(content[: len(content) // 3])

    def go_on() -> None:
        for start in range(len(content) // 3, len(content), 400):
            with path.open("ab") as file:
                file.write(content[start : start + 400])
            time.sleep(0.05)

    copier = threading.Thread(target=go_on)
    copier.start()
    with Library(bench.database) as library:
        index_folders(library, [bench.folder])
    copier.join()


def delete_and_restore(bench: Bench) -> None:
    """Photos go and come back with their old times."""
    kept = bench.root / "kept"
    kept.mkdir()
    chosen = bench.some(6)
    for path in chosen:
        shutil.move(path, kept / path.name)
    with Library(bench.database) as library:
        index_folders(library, [bench.folder], accept_loss=True)
    for path in chosen[: bench.rng.randint(0, len(chosen))]:
        shutil.move(kept / path.name, path)
    shutil.rmtree(kept)


def copy(bench: Bench) -> None:
    """Photos are copied, some copies deleted."""
    for path in bench.some(5):
        shutil.copy2(path, path.with_name(f"copy of {path.name}"))
    with Library(bench.database) as library:
        index_folders(library, [bench.folder])
    for path in bench.some(3):
        path.unlink()


def touch(bench: Bench) -> None:
    """Photos get another time and the same contents."""
    for path in bench.some(10):
        os.utime(path, (bench.rng.randint(1, 10**9),) * 2)


def edit(bench: Bench) -> None:
    """Programs write tags into photos; some photos are moved too, some copied before."""
    for path in bench.some(8):
        if bench.rng.random() < 0.3:
            shutil.copy2(path, path.with_name(f"before {bench.number} {path.name}"[-100:]))
        bench.number += 1
        path.write_bytes(with_other_metadata(path.read_bytes(), bench.number))
        if bench.rng.random() < 0.3:
            path.rename(path.with_name(f"edited {bench.number}.jpg"))


def overwrite(bench: Bench) -> None:
    """A path holds another photo."""
    for path in bench.some(3):
        bench.number += 1
        path.write_bytes(make_jpeg(bench.number))


def interrupt(bench: Bench) -> None:
    """Index is interrupted as by Ctrl-C."""
    for _ in range(30):
        bench.new_photo()
    process = bench.start("index")
    time.sleep(bench.rng.uniform(0.2, 3.0))
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)


def two_at_once(bench: Bench) -> None:
    """Two programs index the same folder."""
    for _ in range(20):
        bench.new_photo()
    for process in [bench.start("index"), bench.start("index")]:
        process.wait(PATIENCE_S)


FAULTS: tuple[Callable[[Bench], None], ...] = (
    kill_index, kill_watch, unmount, truncate, rename, move_folder, copy_slowly, delete_and_restore, copy,
    touch, edit, overwrite, interrupt, two_at_once,
)  # fmt: skip


def run_faults(root: Path, *, faults: int, seed: int, log: Callable[[str], None]) -> Bench:
    """Let faults happen one after the other, and compare after each."""
    rng = random.Random(seed)
    bench, counted = Bench(root, rng), Counter[str]()
    for number in range(1, faults + 1):
        fault = rng.choice(FAULTS)
        fault(bench)
        bench.settle()
        while len(photos := bench.photos()) > 300:
            # Few enough that the next fault is soon over.
            for path in rng.sample(photos, 100):
                path.unlink()
            bench.settle()
        counted[fault.__name__] += 1
        log(f"{number:3}/{faults} {fault.__name__:18} {len(photos):3} files, {len(bench.captions)} captions")
    log(", ".join(f"{name} {count}" for name, count in sorted(counted.items())))
    return bench


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as root:
        bench = run_faults(
            Path(root), faults=asked.faults, seed=asked.seed, log=lambda line: print(line, flush=True)
        )
    print(f"{asked.faults} faults, {bench.killed} of them kills: {len(bench.captions)} photos, none lost")


if __name__ == "__main__":
    main()
