"""Measures a gallery of many photos in real Chromium: `python -m tests.benchmarks.gallery`.

A library of N photos with thumbnails of usual weight, captions, names, boxes and places is made, its gallery
written, and the page opened from the disk. Beside the packs of thumbnails stand single files with the same
pictures, written and read in the same run.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from photopal.gallery import write_gallery
from photopal.library import Library
from photopal.library.models import Appearance
from photopal.photos import Exif, Photo
from tests.gallery.chromium import PROGRAM, WHY_NOT, Chromium

_WHO = ("Anna", "Ben", "Rex", "Grandma", "Leo", "Minka")
_DOES = ("plays with a red ball", "stands under a parasol", "sits beside a tree", "rides a bicycle")
_WHERE = (
    (38.72, -9.14, "Lisbon, Lisbon, Portugal"),
    (48.86, 2.35, "Paris, Île-de-France, France"),
    (35.01, 135.77, "Kyoto, Kyoto, Japan"),
    (60.39, 5.32, "Bergen, Vestland, Norway"),
    (43.7, 7.27, "Nice, Provence, France"),
)
_KINDS_OF_PICTURES = 40


def thumbnails(rng: np.random.Generator) -> list[bytes]:
    """JPEGs of 256 pixels and about 10 kB, as those of camera photos are."""
    made = []
    for _ in range(_KINDS_OF_PICTURES):
        coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize((256, 192), 3)
        fine = rng.normal(0, 9, (192, 256, 3))
        picture = Image.fromarray(np.clip(np.asarray(coarse) * 0.8 + fine, 0, 255).astype(np.uint8))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=80)
        made.append(out.getvalue())
    return made


def make_library(path: Path, count: int) -> None:
    """Write a library of photos without files."""
    rng = random.Random(0)
    pictures = thumbnails(np.random.default_rng(0))
    with Library(path) as library, library.writing():
        ids = {name: library.concepts.add(name).id for name in _WHO}
        for number in range(count):
            latitude, longitude, place = rng.choice(_WHERE)
            moment = (
                f"{rng.randrange(2005, 2026)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T12:00:00"
            )
            tall = number % 4 == 0
            photo_id = library.photos.add(
                Photo(
                    path=path.parent / "photos" / f"IMG_{number:05}.jpg",
                    content_hash=f"{number:032x}",
                    size_bytes=1,
                    mtime_ns=number,
                    width_px=3000 if tall else 4000,
                    height_px=4000 if tall else 3000,
                    format="JPEG",
                    exif=Exif(taken_at=moment, latitude=latitude, longitude=longitude, camera="Canon EOS R5"),
                    thumbnail=rng.choice(pictures) + number.to_bytes(4, "big"),
                ),
                place=place,
            )
            shown = rng.sample(_WHO, rng.randrange(3))
            found = [
                Appearance(
                    concept_id=ids[name],
                    score=0.7,
                    is_present=True,
                    point=(0.5, 0.5),
                    box=(0.3, 0.2, 0.3, 0.5),
                )
                for name in shown
            ]
            text = f"{' and '.join(shown) or 'Somebody'} {rng.choice(_DOES)} in {place.split(',')[0]}."
            library.captions.put(photo_id, text, model="m", bank=None, prompt_version="1", appearances=found)


def compare_packs(library: Library, folder: Path, packs: list[Path]) -> None:
    """Print how long thumbnails take to write and read as packs, and as a file each."""
    ids = [photo.id for photo in library.photos.all()]
    jpegs = [library.photos.thumbnail(photo_id) for photo_id in ids]
    took = {}
    for kind, contents in (("packs", [path.read_bytes() for path in packs]), ("single files", jpegs)):
        inner = folder / kind
        inner.mkdir()
        began = time.perf_counter()
        for number, content in enumerate(contents):
            (inner / str(number)).write_bytes(content)
        written = time.perf_counter() - began
        began = time.perf_counter()
        total = sum(len(path.read_bytes()) for path in inner.iterdir())
        took[kind] = (written, time.perf_counter() - began)
        print(f"{kind}: {len(contents):,} files, {total / 1e6:.0f} MB")
    ratio = [single / pack for single, pack in zip(took["single files"], took["packs"], strict=True)]
    print(f"single files take {ratio[0]:.1f} times as long to write, {ratio[1]:.1f} times to read")


def measure(page: Path, profile: Path, *, rounds: int) -> None:
    """Print what Chromium takes for the page, and what the page asked for."""
    first, ready, searched, chosen = [], [], [], []
    with Chromium(profile) as browser:
        for _ in range(rounds):
            browser.call("Page.navigate", url="about:blank")
            browser.call("Page.navigate", url=page.as_uri())
            browser.wait("document.querySelector('.tile img')?.naturalWidth > 0")
            first.append(
                browser.evaluate("Math.max(...performance.getEntriesByType('paint').map(p => p.startTime))")
            )
            browser.wait("document.documentElement.dataset.ready === 'yes'")
            ready.append(browser.evaluate("performance.now()"))
            for words in ("r", "re", "red", "red ball", "red ball kyoto"):
                searched.append(
                    _after(browser, f"search.value = {words!r}; search.dispatchEvent(new Event('input'))")
                )
            browser.evaluate("document.getElementById('clear').click()")
            for number in (1, 2):
                chosen.append(_after(browser, f"who.children[{number}].click()"))
            browser.evaluate("document.getElementById('clear').click()")
        tiles = []
        for step in range(20):
            browser.evaluate(f"window.scrollTo(0, document.body.scrollHeight * {step} / 20)")
            time.sleep(0.03)
            tiles.append(browser.evaluate("document.querySelectorAll('.tile').length"))
        heap = browser.call("Runtime.getHeapUsage")["usedSize"]
        outside = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
    shown, complete = statistics.median(first), statistics.median(ready)
    print(f"first picture after {shown:,.0f} ms, all data after {complete:,.0f} ms")
    letter, name = statistics.median(searched), statistics.median(chosen)
    print(f"list after a letter of a search: {letter:,.0f} ms, after a name: {name:,.0f} ms")
    print(f"at most {max(tiles)} photos in the page at a time, {heap / 1e6:.0f} MB of memory at the end")
    print(f"requests that left the page's folder and the photos: {len(outside)}")
    if outside:
        raise SystemExit(f"asked for {outside[0]}")


def _after(browser: Chromium, script: str) -> float:
    """Milliseconds from a change to the next frame with the new list."""
    took: float = browser.evaluate(
        "(async () => { const [search, who] = ['search', 'who'].map(id => document.getElementById(id));"
        f" const began = performance.now(); {script};"
        " await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
        " return performance.now() - began; })()"
    )
    return took


def main() -> None:
    """Make the library, write the gallery, open it, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        make_library(root / "library.db", asked.photos)
        with Library(root / "library.db", read_only=True) as library:
            began = time.perf_counter()
            report = write_gallery(library, list(library.photos.all()), root / "gallery")
            took_s = time.perf_counter() - began
            data = root / "gallery" / "data"
            weights = {
                kind: sum(path.stat().st_size for path in data.glob(f"{kind}-*"))
                for kind in ("gallery", "style", "start", "list", "pack")
            }
            at_once = (
                sum(weights[kind] for kind in ("gallery", "style", "start")) + report.page.stat().st_size
            )
            packs = sorted(data.glob("pack-*"))
            total_mb, pack_kb = report.size_bytes / 1e6, packs[0].stat().st_size / 1e3
            print(f"{report.photos:,} photos written in {took_s:.1f} s, {total_mb:.1f} MB in all")
            print(
                f"loaded at once: {at_once / 1e3:.0f} kB, and {pack_kb:.0f} kB for each 64 pictures in sight"
            )
            print(f"loaded then: {weights['list'] / 1e6:.1f} MB of captions and names")
            (root / "compared").mkdir()
            compare_packs(library, root / "compared", packs)
        if PROGRAM is None:
            raise SystemExit(WHY_NOT)
        measure(report.page, root / "profile", rounds=asked.rounds)


if __name__ == "__main__":
    main()
