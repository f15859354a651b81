"""What Picasa kept in a folder says whom it found where on the folder's photos."""

import pytest
from PIL import Image

from photopal.photos.metadata import Region, read_metadata
from photopal.photos.picasa import PicasaFace, read_picasa
from photopal.photos.sidecars import SidecarFinder

FILE = """\
[Picasa]
name=Holidays
[a.jpg]
faces=rect64(400040008000c000),8e62398ebda8c1a5;rect64(1000200030004000),ffffffffffffffff;
backuphash=7108
[B.JPG]
faces=rect64(8000ffffc000),00000000000000b1
rotate=rotate(1)
star=yes
[c.jpg]
star=yes
[d.jpg]
faces=rect64(zz),8e62398ebda8c1a5;rect64(8000800040004000),8e62398ebda8c1a5
[Contacts2]
8e62398ebda8c1a5=Zoë Smith;zoe@example.org;
00000000000000b1=Ben;;
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".picasa.ini").write_bytes(FILE.replace("\n", "\r\n").encode())
    return tmp_path


def test_faces_with_a_name_are_read_and_all_else_is_passed_over(folder):
    assert read_picasa(folder / ".picasa.ini") == {
        "a.jpg": (PicasaFace("Zoë Smith", (0.250004, 0.250004, 0.250004, 0.500008)),),
        "b.jpg": (PicasaFace("Ben", None),),
    }


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[", b"=", b"[a.jpg]\nfaces=rect64(1)," * 9, b"x" * 5_000_000]
)
def test_a_broken_file_names_nobody(tmp_path, content):
    (tmp_path / ".picasa.ini").write_bytes(content)
    assert read_picasa(tmp_path / ".picasa.ini") == {}
    assert read_picasa(tmp_path / "none.ini") == {}


def test_why_a_file_cannot_be_read_is_told(folder, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    faults = []
    assert read_picasa(folder / ".picasa.ini", on_fault=faults.append)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert read_picasa(folder / ".picasa.ini", on_fault=faults.append) == {}
    assert faults == ["cannot be opened: Permission denied"]


def read(path, orientation=1):
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("RGB", (40, 30)).save(path, exif=exif)
    with path.open("rb") as file:
        return read_metadata(file, path, SidecarFinder().find(path))


def test_names_count_with_their_box_only_where_the_photo_is_stored_upright(folder):
    metadata = read(folder / "a.jpg")
    assert metadata.all("person") == {"Zoë Smith": ["Picasa"]}
    assert metadata.regions == (
        Region("Zoë Smith", "Face", (0.250004, 0.250004, 0.250004, 0.500008), "Picasa"),
    )
    turned = read(folder / "A.jpg", orientation=6)
    assert (turned.names(), turned.regions) == (["Zoë Smith"], ())
    changed = read(folder / "b.jpg")
    assert (changed.names(), changed.regions) == (["Ben"], ())


@pytest.mark.parametrize(
    "line", ["filters=enhance=1;crop64=1,1c7230730aaac000;", "filters=tilt=1,0.28,0.0;", "rotate=rotate(1)"]
)
def test_the_box_of_a_photo_that_picasa_shows_cropped_or_tilted_does_not_count(tmp_path, line):
    faces = "faces=rect64(3f845bcb59418507),8e62398ebda8c1a5\n[Contacts2]\n8e62398ebda8c1a5=Zoë;;\n"
    for name, lines in (("a.jpg", line), ("b.jpg", "filters=enhance=1;bw=1;")):
        (tmp_path / ".picasa.ini").write_text(f"[{name}]\n{lines}\n{faces}", encoding="utf-8")
        [found] = read_picasa(tmp_path / ".picasa.ini")[name]
        assert (found.name, found.box is None) == ("Zoë", name == "a.jpg")


def test_only_photos_whose_faces_change_are_read_again(folder):
    names = ("a.jpg", "b.jpg", "c.jpg")
    before = [SidecarFinder().find(folder / name).stamp for name in names]
    assert before[2] == ""
    (folder / ".picasa.ini").write_text(FILE.replace("Ben", "Benjamin"), encoding="utf-8")
    after = [SidecarFinder().find(folder / name).stamp for name in names]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
