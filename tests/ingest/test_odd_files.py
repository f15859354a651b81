"""Every odd and every damaged file is indexed or reported with a reason, and none ends the run."""

import io
import os
import shutil
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from photopal.errors import LibraryError
from photopal.ingest.indexer import index_folders
from photopal.library.sidecar_files import read_sidecar
from photopal.photos import record_photo

SUFFIXES = ("jpg", "png", "webp", "tiff", "gif", "bmp", "heic", "avif")


def noise(size=(160, 120), seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8))


def encode(image, suffix, **options):
    if suffix == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    kinds = {"jpg": "JPEG", "heic": "HEIF"}
    encoded = io.BytesIO()
    image.save(encoded, kinds.get(suffix, suffix.upper()), **options)
    return encoded.getvalue()


def png_that_claims(width, height):
    """The header of a PNG of any size, and no pixels."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def jpeg_that_claims(width, height):
    """A JPEG whose header was made to say another size."""
    whole = bytearray(encode(noise(), "jpg"))
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def odd_photos():
    """Photos that are whole and unusual, by file name."""
    picture = noise()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    frames = [noise(seed=number) for number in range(3)]
    odd = {
        "one pixel.png": encode(picture.crop((0, 0, 1, 1)), "png"),
        "one pixel.jpg": encode(picture.crop((0, 0, 1, 1)), "jpg"),
        "wide.png": encode(picture.resize((20_000, 1)), "png"),
        "16 bit.png": encode(
            Image.fromarray((np.arange(12_000) * 5).astype(np.uint16).reshape(100, 120)), "png"
        ),
        "16 bit.tiff": encode(Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16)), "tiff"),
        "float.tiff": encode(Image.fromarray(np.full((9, 9), 0.5, dtype=np.float32)), "tiff"),
        "cmyk.jpg": encode(picture.convert("CMYK"), "jpg"),
        "cmyk.tiff": encode(picture.convert("CMYK"), "tiff"),
        "palette.png": encode(picture.quantize(16), "png"),
        "palette.gif": encode(picture.quantize(16), "gif"),
        "bits.tiff": encode(picture.convert("1"), "tiff"),
        "grey alpha.png": encode(picture.convert("LA"), "png"),
        "alpha.webp": encode(picture.convert("RGBA"), "webp"),
        "progressive.jpg": encode(picture, "jpg", progressive=True),
        "profile.jpg": encode(picture, "jpg", icc_profile=profile),
        "broken profile.jpg": encode(picture, "jpg", icc_profile=b"no profile at all"),
        "named otherwise.png": encode(noise(seed=9), "jpg"),
        "named otherwise.jpg": encode(noise(seed=10), "heic"),
        "LOUD.JPG": encode(noise(seed=11), "jpg"),
    }
    for suffix in ("gif", "png", "webp"):
        odd[f"animated.{suffix}"] = encode(frames[0], suffix, save_all=True, append_images=frames[1:])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        odd[f"turned {orientation}.jpg"] = encode(noise(seed=20 + orientation), "jpg", exif=exif)
    return odd


def damaged_photos():
    """Photos that lack a part or have some bytes changed, by file name."""
    damaged = {
        "empty.jpg": b"",
        "nearly empty.png": b"\x89",
        "text.jpg": b"not a photo",
        "film.heic": b"\0" * 999,
    }
    rng = np.random.default_rng(3)
    for suffix in SUFFIXES:
        whole = encode(noise(), suffix)
        for tenths in range(1, 10):
            damaged[f"{tenths} tenths.{suffix}"] = whole[: len(whole) * tenths // 10]
        for number in range(10):
            flipped = bytearray(whole)
            for place in rng.integers(0, len(whole), 1 + 3 * number):
                flipped[place] ^= int(rng.integers(1, 256))
            damaged[f"flipped {number}.{suffix}"] = bytes(flipped)
    return damaged


BOMBS = {
    "bomb.png": png_that_claims(30_000, 30_000),
    "bomb.jpg": jpeg_that_claims(30_000, 30_000),
    "high.png": png_that_claims(1, 2_000_000_000),
    "nothing.jpg": jpeg_that_claims(0, 0),
}


def write_all(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_every_odd_photo_is_indexed(library, tmp_path):
    files = odd_photos()
    report = index_folders(library, [write_all(tmp_path / "odd", files)])
    assert report.skipped == []
    names = {path.name for photo in library.photos.all() for path in library.paths.of(photo.id)}
    assert names == set(files)


def test_all_orientations_are_indexed_upright(library, tmp_path):
    index_folders(library, [write_all(tmp_path / "odd", odd_photos())])
    for orientation in range(1, 9):
        row = library.photos.at(tmp_path / "odd" / f"turned {orientation}.jpg")
        assert (row.width_px, row.height_px) == ((160, 120) if orientation < 5 else (120, 160))


@pytest.mark.slow
def test_every_damaged_file_is_indexed_or_reported_and_none_is_fatal(library, tmp_path):
    files = damaged_photos()
    folder = write_all(tmp_path / "damaged", files)
    report = index_folders(library, [folder])
    indexed = {path.name for photo in library.photos.all() for path in library.paths.of(photo.id)}
    reported = {problem.path.name: problem.reason for problem in library.paths.problems()}
    assert indexed | reported.keys() == set(files)
    assert not indexed & reported.keys()
    assert all(reported.values())
    assert {skipped.path.name for skipped in report.skipped} == reported.keys()
    again = index_folders(library, [folder])
    assert (again.added, again.unchanged, len(again.skipped)) == (0, len(indexed), len(reported))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "heic", "avif"])
def test_a_file_that_lacks_its_end_is_reported_and_never_half_a_photo(library, tmp_path, suffix):
    whole = encode(noise(), suffix)
    parts = {f"{tenths}.{suffix}": whole[: len(whole) * tenths // 10] for tenths in range(1, 10)}
    report = index_folders(library, [write_all(tmp_path / "parts", parts)])
    assert (report.added, len(report.skipped)) == (0, 9)


def test_a_bomb_is_refused_from_its_header_before_anything_is_decoded(library, tmp_path, monkeypatch):
    from PIL import ImageFile

    def decode(image):
        raise AssertionError(f"{image.size} was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    report = index_folders(library, [write_all(tmp_path / "bombs", BOMBS)])
    reasons = {skipped.path.name: skipped.reason for skipped in report.skipped}
    assert reasons.keys() == BOMBS.keys()
    assert reasons["bomb.png"] == reasons["bomb.jpg"] == "more than 256 million pixels"
    assert library.counts()["photos"] == 0


def test_the_still_of_a_motion_photo_is_indexed(library, tmp_path):
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(50_000)
    folder = write_all(
        tmp_path / "phone",
        {
            # Google and Samsung write the film behind the picture, Apple into a file beside it.
            "PXL_1.MP.jpg": encode(noise(seed=1), "jpg") + film,
            "IMG_2.HEIC": encode(noise(seed=2), "heic"),
            "IMG_2.MOV": film,
        },
    )
    report = index_folders(library, [folder])
    assert (report.added, report.skipped) == (2, [])
    assert library.photos.at(folder / "PXL_1.MP.jpg").width_px == 160


def test_a_file_that_grows_while_it_is_read_is_reported_and_read_the_next_time(
    library, tmp_path, monkeypatch
):
    folder = write_all(
        tmp_path / "copied", {"a.jpg": encode(noise(), "jpg"), "b.jpg": encode(noise(seed=1), "jpg")}
    )

    def append_then_record(path, **known):
        if path.name == "a.jpg":
            with path.open("ab") as file:
                file.write(b"more")
        return record_photo(path, **known)

    with monkeypatch.context() as patch:
        patch.setattr("photopal.ingest.reader.record_photo", append_then_record)
        report = index_folders(library, [folder])
    assert report.added == 1
    assert [skipped.reason for skipped in report.skipped] == ["the file is still changing"]
    assert index_folders(library, [folder]).added == 1
    assert library.paths.problems() == []


def test_an_error_that_nobody_thought_of_costs_one_file(library, tmp_path, monkeypatch):
    folder = write_all(tmp_path / "photos", {f"{n}.jpg": encode(noise(seed=n), "jpg") for n in range(3)})

    def fail_on_one(path, **known):
        if path.name == "1.jpg":
            raise RecursionError("too deep")
        return record_photo(path, **known)

    monkeypatch.setattr("photopal.ingest.reader.record_photo", fail_on_one)
    report = index_folders(library, [folder])
    assert (report.added, [skipped.path.name for skipped in report.skipped]) == (2, ["1.jpg"])
    assert report.skipped[0].reason == "cannot be read: RecursionError: too deep"


@pytest.mark.slow
def test_what_is_read_is_committed_while_another_photo_takes_its_time(library, tmp_path, monkeypatch):
    folder = write_all(tmp_path / "photos", {f"{n}.jpg": encode(noise(seed=n), "jpg") for n in range(6)})
    commits = []
    commit = library.paths.clear_problems

    def note_time(paths):
        commits.append(time.monotonic())
        return commit(paths)

    def take_time(path, **known):
        if path.name == "5.jpg":
            time.sleep(4)
        return record_photo(path, **known)

    monkeypatch.setattr(library.paths, "clear_problems", note_time)
    monkeypatch.setattr("photopal.ingest.reader.record_photo", take_time)
    started = time.monotonic()
    assert index_folders(library, [folder]).added == 6
    assert commits[0] - started < 3.5


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_hostile_names_are_indexed_as_they_are(library, tmp_path):
    names = [
        "'; DROP TABLE photos; --.jpg",
        "[red]bold.jpg",
        'a" OR 1*.jpg',
        "line\nbreak.jpg",
        "\x1b[31m.jpg",
    ]
    files = {name: encode(noise(seed=seed), "jpg") for seed, name in enumerate(names)}
    folder = write_all(tmp_path / "hostile", files)
    assert index_folders(library, [folder]).added == len(names)
    assert {photo.path.name for photo in library.photos.all()} == set(names)
    shutil.rmtree(folder)
    assert index_folders(library, [folder]).offline == [folder]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.jpg.json", ".picasa.ini", ".photopalignore"])
def test_a_pipe_that_is_called_like_a_sidecar_is_not_waited_for(library, tmp_path, save_photo, name):
    save_photo(tmp_path / "photos" / "a.jpg", 1)
    os.mkfifo(tmp_path / "photos" / name)
    waited, done = [], threading.Event()

    def end_waiting():
        while not done.wait(15):
            waited.append(name)
            (tmp_path / "photos" / name).write_bytes(b"")

    threading.Thread(target=end_waiting, daemon=True).start()
    report = index_folders(library, [tmp_path / "photos"])
    assert (report.added, report.unread_sidecars) == (1, [])
    with pytest.raises(LibraryError, match="not a file"):
        read_sidecar(tmp_path / "photos" / name)
    done.set()
    assert waited == []
