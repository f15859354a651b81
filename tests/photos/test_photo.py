"""A photo's record holds what its file holds, and the file stays as it was."""

import hashlib
import io

import pytest
from PIL import Image

from photopal.errors import PhotoError
from photopal.photos import fingerprint_file, hash_bytes_of, hash_file, record_photo


@pytest.fixture
def rotated(tmp_path):
    import pillow_heif

    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6

    def save(suffix):
        path = tmp_path / f"a.{suffix}"
        image = Image.new("RGB", (600, 400), "white")
        image.paste("black", (0, 0, 600, 200))
        image.save(path, exif=exif.tobytes())
        return path

    return save


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic", "avif"])
def test_size_and_thumbnail_are_upright(rotated, suffix):
    photo = record_photo(rotated(suffix))
    assert (photo.width_px, photo.height_px) == (400, 600)
    thumbnail = Image.open(io.BytesIO(photo.thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (171, 256))
    # Turned clockwise, what was above is to the right.
    assert thumbnail.getpixel((150, 128))[0] < 30
    assert thumbnail.getpixel((20, 128))[0] > 220
    assert not thumbnail.getexif()


@pytest.mark.parametrize(
    ("suffix", "name"),
    [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tiff", "TIFF"), ("heic", "HEIC"), ("avif", "AVIF"),
     ("gif", "GIF"), ("bmp", "BMP")],
)  # fmt: skip
def test_the_format_is_what_the_file_is(tmp_path, suffix, name):
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (8, 8)).save(path)
    assert record_photo(path).format == name
    assert record_photo(path.rename(tmp_path / "renamed.jpg")).format == name


def test_several_photos_in_one_file_are_one_jpeg(tmp_path):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert record_photo(tmp_path / "a.jpg").format == "JPEG"


def test_the_hashes_are_those_of_the_file_whichever_way_it_is_read(rotated):
    path = rotated("jpg")
    photo, print_ = record_photo(path), fingerprint_file(path)
    assert photo.content_hash == hash_file(path) == print_.content_hash
    assert (photo.picture_hash, photo.picture_bytes) == (print_.picture_hash, print_.picture_bytes)
    assert hash_bytes_of(path) == hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    assert (photo.size_bytes, photo.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_a_small_photo_has_a_thumbnail_of_its_size(tmp_path):
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert Image.open(io.BytesIO(record_photo(tmp_path / "a.png").thumbnail)).size == (20, 10)


def test_a_photo_that_is_cut_short_has_no_record(rotated):
    path = rotated("jpg")
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(PhotoError, match="cut short"):
        record_photo(path)


def test_files_that_cannot_be_opened_are_errors(tmp_path):
    for read in (record_photo, hash_file):
        with pytest.raises(PhotoError, match="cannot be opened"):
            read(tmp_path / "gone.jpg")


def test_reading_changes_nothing_and_needs_no_right_to_write(rotated):
    path = rotated("heic")
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    record_photo(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(path.parent.iterdir()) == [path]
