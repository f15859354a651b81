"""What decoders say about a photo is kept with this photo, and never reaches the terminal."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photopal.errors import PhotoError
from photopal.ingest.indexer import index_folders
from photopal.library import Library
from photopal.photos import open_photo, record_photo


def tiff_bytes(compression, *, mode="RGB"):
    encoded = io.BytesIO()
    levels = np.random.default_rng(0).integers(0, 255, (150, 200), dtype=np.uint8)
    Image.fromarray(levels).convert(mode).save(encoded, "TIFF", compression=compression)
    return bytearray(encoded.getvalue())


def damaged(data):
    for place in range(600, 660):
        data[place] ^= 0xA5
    return bytes(data)


@pytest.fixture
def odd(tmp_path):
    """A fax that is damaged and decoded all the same, by a libtiff that complains on stderr."""
    path = tmp_path / "odd.tif"
    path.write_bytes(damaged(tiff_bytes("group4", mode="1")))
    return path


@pytest.fixture
def broken(tmp_path):
    """A photo that libtiff gives up, and says why on stderr."""
    path = tmp_path / "broken.tif"
    path.write_bytes(damaged(tiff_bytes("tiff_adobe_deflate")))
    return path


def test_libtiff_writes_to_stderr_by_itself(odd, capfd):
    with Image.open(odd) as image:
        image.load()
    assert "Bad code word" in capfd.readouterr().err


def test_what_a_decoder_says_of_a_photo_is_its_note(odd, capfd):
    photo = record_photo(odd)
    assert photo.notes[0].startswith("Fax4Decode: ")
    assert len(photo.notes) <= 3
    assert capfd.readouterr().err == ""


def test_what_a_decoder_says_before_it_gives_up_is_in_the_error(broken, capfd):
    with pytest.raises(PhotoError, match=r"decoder error -2 \(ZIPDecode: Decoding error at scanline 0"):
        open_photo(broken)
    assert capfd.readouterr().err == ""


def test_what_pillow_warns_of_is_a_note(tmp_path):
    path = tmp_path / "warned.jpg"
    cut_short = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x12\x01"
    Image.effect_noise((300, 200), 40).save(path, exif=cut_short)
    assert record_photo(path).notes[0].startswith("Corrupt EXIF data.")


def test_threads_do_not_mix_up_who_said_what(odd, tmp_path, capfd):
    good = tmp_path / "good.tif"
    good.write_bytes(tiff_bytes("tiff_lzw"))
    plain = tmp_path / "plain.jpg"
    Image.effect_noise((300, 200), 40).save(plain)
    with ThreadPoolExecutor(8) as threads:
        photos = list(threads.map(record_photo, [good, odd, plain] * 20))
    for photo in photos:
        assert bool(photo.notes) == (photo.path == odd)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs a list of open descriptors")
def test_no_descriptor_is_left_open(odd, broken):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        record_photo(odd)
        with pytest.raises(PhotoError):
            record_photo(broken)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_note_is_listed_as_a_problem_and_is_no_failure(odd, broken, tmp_path):
    with Library(tmp_path / "library.db") as library:
        report = index_folders(library, [tmp_path])
        assert report.added == 1
        assert [skipped.path for skipped in report.skipped] == [broken]
        problems = {problem.path: problem for problem in library.paths.problems()}
        assert problems[odd].is_note
        assert problems[odd].reason.startswith("Fax4Decode: ")
        assert not problems[broken].is_note
        assert "ZIPDecode" in problems[broken].reason
        assert library.counts()["problems"] == 1
        again = index_folders(library, [tmp_path])
        assert (again.unchanged, len(again.skipped)) == (1, 1)
        assert [problem.path for problem in library.paths.problems()] == [broken, odd]


def test_a_note_goes_when_the_photo_is_good_again(odd, tmp_path):
    with Library(tmp_path / "library.db") as library:
        index_folders(library, [tmp_path])
        odd.write_bytes(tiff_bytes("group4", mode="1"))
        index_folders(library, [tmp_path])
        assert library.paths.problems() == []
