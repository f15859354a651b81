"""Names, captions and regions come into sidecars of every shape, and out again, and all else stays."""

import io

import pytest
from PIL import Image

from photopal.photos.metadata import read_metadata
from photopal.photos.sidecar_words import (
    NamedRegion,
    SidecarWords,
    without_photopal,
    words_by_photopal,
    write_words,
)
from photopal.photos.sidecars import SidecarFinder
from photopal.photos.turns import turned_box
from photopal.photos.xmp import Xmp
from photopal.photos.xmp_edit import XmpEditError
from tests.photos.sidecar_shapes import CHANGED_SHAPES, LIGHTROOM, dc, sidecars

WORDS = SidecarWords(
    description="Anna throws a <ball> to Rex & Zoë's dog 🐕",
    lists={
        "dc:subject": ("Anna", "Rex", "Zoë"),
        "digiKam:TagsList": ("People/Anna", "Pets/Rex"),
        "lr:hierarchicalSubject": ("People|Anna", "Pets|Rex"),
        "Iptc4xmpExt:PersonInImage": ("Anna",),
    },
    regions=(
        NamedRegion("Anna", "Face", (0.1, 0.2, 0.3, 0.4)),
        NamedRegion('Rex "the dog"', "Pet", (0.5, 0.6, 0.25, 0.125)),
    ),
    size_px=(4000, 3000),
)
NOTHING = SidecarWords(size_px=(4000, 3000))
SHAPES = dict(sidecars())


def test_there_are_fifty_shapes():
    assert len(SHAPES) >= 50


@pytest.mark.parametrize("name", SHAPES)
def test_words_come_in_and_out_of_every_shape_and_nothing_else_changes(name):
    content = SHAPES[name]
    before = Xmp([content])
    written = write_words(content, WORDS)
    after = Xmp([written])
    for listed, items in WORDS.lists.items():
        assert after.texts(listed) == [*before.texts(listed), *items]
    ours = words_by_photopal(after)
    assert ours.regions == WORDS.regions
    if before.text("dc:description") is None:
        assert after.text("dc:description") == ours.description == WORDS.description
    else:
        assert (after.texts("dc:description"), ours.description) == (before.texts("dc:description"), None)
    assert write_words(written, WORDS) == written
    # What is said anew replaces what was said before, wherever another program has put it.
    renamed = write_words(written, SidecarWords(lists={"dc:subject": ("Berta",)}, size_px=(4000, 3000)))
    assert Xmp([renamed]).texts("dc:subject") == [*before.texts("dc:subject"), "Berta"]
    assert b"Anna" not in renamed
    taken_out = write_words(written, NOTHING)
    if name in CHANGED_SHAPES:
        assert b"photopal" not in taken_out
        same = [dict(Xmp([text]).all()) for text in (content, taken_out)]
        for listed in ("dc:subject", "dc:description", "mwg-rs:Regions"):
            assert before.texts(listed) == Xmp([taken_out]).texts(listed)
            for each in same:
                each.pop(listed, None)
        assert same[0] == same[1]
    else:
        assert taken_out == content


def test_letters_that_xml_cannot_hold_are_left_out():
    odd = "A\x1c dog \x00 at\r\n the\ufffe  sea\ud800"
    words = SidecarWords(description=odd, lists={"dc:subject": (odd, "\x0b")}, size_px=(4, 3))
    xmp = Xmp([write_words(None, words)])
    assert (xmp.text("dc:description"), xmp.texts("dc:subject")) == ("A dog at the sea", ["A dog at the sea"])


def test_what_others_said_is_not_said_again_and_stays_when_photopal_goes():
    words = SidecarWords(
        description="Sea",
        lists={"dc:subject": ("sea", "Anna")},
        regions=(NamedRegion("Carl", "Face", (0.7, 0.2, 0.1, 0.2)),),
        size_px=(4000, 3000),
    )
    written = write_words(LIGHTROOM.encode(), words)
    xmp = Xmp([written])
    assert xmp.texts("dc:subject") == ["sea", "Müller", "Anna"]
    assert len(xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList")) == 1
    assert words_by_photopal(xmp).lists["dc:subject"] == ("Anna",)
    assert without_photopal(xmp).texts("dc:subject") == ["sea", "Müller"]
    assert write_words(written, NOTHING) == LIGHTROOM.encode()


def test_a_name_that_others_nest_more_deeply_is_not_said_again():
    nested = {
        "digiKam:TagsList": ("People/Family/Lena", "Places/Rex"),
        "lr:hierarchicalSubject": ("People|Family|Lena", "Places|Rex"),
    }
    content = write_words(None, SidecarWords(lists=nested, size_px=(4, 3))).replace(b"photopal", b"another")
    said = {
        "digiKam:TagsList": ("People/Lena", "Pets/Rex"),
        "lr:hierarchicalSubject": ("People|Lena", "Pets|Rex"),
    }
    written = write_words(content, SidecarWords(lists=said, size_px=(4, 3)))
    ours = words_by_photopal(Xmp([written]))
    assert ours.lists["digiKam:TagsList"] == ("Pets/Rex",)
    assert ours.lists["lr:hierarchicalSubject"] == ("Pets|Rex",)


def test_a_description_that_was_changed_by_somebody_else_is_theirs():
    written = write_words(LIGHTROOM.encode(), SidecarWords(description="A dog", size_px=(4000, 3000)))
    edited = written.replace(b'"x-default">A dog', b'"x-default">My dog')
    assert without_photopal(Xmp([edited])).text("dc:description") == "My dog"
    again = write_words(edited, SidecarWords(description="A cat", size_px=(4000, 3000)))
    assert Xmp([again]).text("dc:description") == "My dog"
    assert b"A dog" not in again
    assert b"A cat" not in again


@pytest.mark.parametrize("blanks", ["", "\n      "])
def test_descriptions_that_others_add_in_other_languages_stay_and_are_read(blanks):
    ours, german = '<rdf:li xml:lang="x-default">{}</rdf:li>', '<rdf:li xml:lang="de-DE">Am See</rdf:li>'
    first = write_words(None, SidecarWords(description="At the lake", size_px=(4, 3))).decode()
    item = ours.format("At the lake")
    assert item in first
    translated = first.replace(item, f"{blanks}{item}{blanks}{german}")
    assert without_photopal(Xmp([translated.encode()])).texts("dc:description") == ["Am See"]
    # A new caption takes the place of the old one, the first, and no caption leaves the other alone.
    changed = write_words(translated.encode(), SidecarWords(description="A swim", size_px=(4, 3))).decode()
    assert f"{blanks}{ours.format('A swim')}{blanks}{german}" in changed
    assert "lake" not in changed
    gone = write_words(translated.encode(), NOTHING).decode()
    assert f"{german}" in gone
    assert "lake" not in gone
    # What a program says in its language as for all of them is no description of its own.
    repeated = first.replace(item, item + item.replace("x-default", "en-US"))
    assert without_photopal(Xmp([repeated.encode()])).text("dc:description") is None
    assert write_words(repeated.encode(), NOTHING) is None


def test_regions_of_a_photo_that_was_cropped_since_are_not_mixed_with_new_ones():
    words = SidecarWords(regions=WORDS.regions, size_px=(3000, 3000))
    assert write_words(LIGHTROOM.encode(), words) == LIGHTROOM.encode()


def test_regions_are_added_as_those_of_others_lie():
    words = SidecarWords(regions=WORDS.regions, size_px=(3000, 4000), orientation=6)
    regions = words_by_photopal(Xmp([write_words(LIGHTROOM.encode(), words)])).regions
    assert [each.box for each in regions] == [
        pytest.approx(turned_box(6, each.box), abs=1e-6) for each in WORDS.regions
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"not xml",
        b"<a/>",
        LIGHTROOM.encode("utf-16-le")[:-1],
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"\xff\xfe\x00\x00<\x00\x00\x00",
        b"<?xml version='1.0'?><a>\xff</a>",
        b'<?xml version="1.0" encoding="x-nothing"?><a/>',
        dc('<dc:subject rdf:parseType="Resource"><dc:x>1</dc:x></dc:subject>').encode(),
        LIGHTROOM.encode() + b" " * (4 * 1024 * 1024),
    ],
)
def test_what_cannot_be_edited_is_refused(content):
    with pytest.raises(XmpEditError):
        write_words(content, WORDS)


def test_a_new_sidecar_goes_with_its_last_word_and_another_programs_never_does():
    assert write_words(None, NOTHING) is None
    for extension in (None, "jpg"):
        new = write_words(None, WORDS, extension=extension)
        assert Xmp([new]).text("photoshop:SidecarForExtension") == (extension and "JPG")
        assert write_words(new, NOTHING) is None
    assert write_words(SHAPES["no description"], NOTHING) == SHAPES["no description"]
    assert write_words(write_words(SHAPES["no description"], WORDS), NOTHING) == SHAPES["no description"]


def test_what_photopal_wrote_is_not_read_as_what_the_file_says(tmp_path):
    photo = tmp_path / "a.jpg"
    Image.new("RGB", (40, 30)).save(photo)
    (tmp_path / "a.jpg.xmp").write_bytes(write_words(LIGHTROOM.encode(), WORDS))
    metadata = read_metadata(io.BytesIO(photo.read_bytes()), photo, SidecarFinder().find(photo))
    assert metadata.names() == ["Carl"]
    assert list(metadata.all("keyword")) == ["sea", "Müller"]
    assert list(metadata.all("hierarchy")) == ["Places/Nice"]
    assert metadata.value("description") is None
