"""`photopal write-metadata`: names and captions in sidecars, for other programs, and back out of them."""

import errno
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import xml.dom.minidom

import numpy as np
import pytest
from PIL import Image

from photopal.assistant import sidecar_export
from photopal.cli.context import Session
from photopal.ingest.indexer import index_folders
from photopal.library import Appearance, Library
from photopal.photos.xmp import Xmp
from tests.photos.sidecar_shapes import LIGHTROOM, sidecars
from tests.torture.sidecars import run_kills

ORIENTATION = 274
BOX = (40, 30, 80, 60)


@pytest.fixture
def folder(tmp_path, home):
    """Photos of 320 x 240: Anna and Rex on the first, which is stored turned; a model's Ben on the second."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        levels = np.random.default_rng(number).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        exif = Image.Exif()
        picture = Image.fromarray(levels).resize((320, 240))
        if number == 0:
            exif[ORIENTATION] = 6
            picture = picture.transpose(Image.Transpose.ROTATE_90)
        picture.save(folder / f"{number}.jpg", exif=exif)
    with Library(home / "library.db") as library:
        index_folders(library, [folder])
        ids = [library.photos.at(folder / f"{number}.jpg").id for number in range(3)]
        anna, ben = library.concepts.add("Anna"), library.concepts.add("Ben")
        rex = library.concepts.add("Rex", kind="pet")
        library.corrections.put(ids[0], anna.id, is_present=True, box=BOX)
        library.concepts.add_reference(rex.id, ids[0], box=(200, 120, 100, 100))
        seen = Appearance(concept_id=ben.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)
        captions = ("Anna and Rex at the sea", "Ben reads a book", "A red car")
        for photo_id, text, found in zip(ids, captions, ([], [seen], []), strict=True):
            library.captions.put(photo_id, text, model="m", bank=None, prompt_version="1", appearances=found)
    return folder


def tree(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tree_below(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def xmp_of(path):
    return Xmp([path.read_bytes()])


def test_a_preview_writes_nothing_and_tells_what_comes(run, folder):
    before = tree(folder)
    preview = run("write-metadata")
    assert preview.stdout == (
        f"{folder}/0.jpg.xmp\tnew\tAnna, Rex\tAnna and Rex at the sea\n{folder}/2.jpg.xmp\tnew\t\tA red car\n"
    )
    assert "1 caption not written, because of names that are not confirmed" in preview.stderr
    assert "Would write 2 new sidecars. Dry run" in preview.stderr
    assert tree(folder) == before
    done = run("write-metadata", "--yes")
    assert done.stdout == preview.stdout
    assert sorted(tree(folder).keys() - before.keys()) == ["0.jpg.xmp", "2.jpg.xmp"]
    assert {name: content for name, content in tree(folder).items() if name in before} == before


def test_names_captions_and_regions_are_written_as_other_programs_expect_them(run, folder):
    run("write-metadata", "--yes")
    xmp = xmp_of(folder / "0.jpg.xmp")
    assert xmp.text("dc:description") == "Anna and Rex at the sea"
    assert xmp.texts("dc:subject") == ["Anna", "Rex"]
    assert xmp.texts("digiKam:TagsList") == ["People/Anna", "Pets/Rex"]
    assert xmp.texts("lr:hierarchicalSubject") == ["People|Anna", "Pets|Rex"]
    assert xmp.texts("Iptc4xmpExt:PersonInImage") == ["Anna"]
    [size] = xmp.structures("mwg-rs:Regions", "mwg-rs:AppliedToDimensions")
    # The image as stored, before it is turned to be upright.
    assert (size["stDim:w"], size["stDim:h"]) == ("240", "320")
    anna, rex = xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList")
    assert (anna["mwg-rs:Name"], anna["mwg-rs:Type"], rex["mwg-rs:Type"]) == ("Anna", "Face", "Pet")
    area = {side: float(anna["mwg-rs:Area"][f"stArea:{side}"]) for side in "xywh"}
    assert area == pytest.approx({"x": 0.25, "y": 0.75, "w": 0.25, "h": 0.25}, abs=1e-5)
    assert xml.dom.minidom.parse(str(folder / "0.jpg.xmp"))


@pytest.mark.parametrize("name", ["Mum/Dad", "R2|D2", "AC/DC|live"])
@pytest.mark.parametrize("kind", ["person", "pet", "thing"])
def test_a_name_with_a_mark_that_parts_levels_is_listed_and_goes_when_it_is_removed(run, folder, name, kind):
    run("add-concept", name, str(folder / "1.jpg"), "--kind", kind)
    run("who", str(folder / "2.jpg"), "--is", name)
    preview = run("write-metadata", "--json")
    done = run("write-metadata", "--yes", "--json")
    for result in (preview, done):
        listed = {each["photo"]: each["names"] for each in json.loads(result.stdout)["sidecars"]}
        assert name in listed[str(folder / "2.jpg")]
    assert xmp_of(folder / "2.jpg.xmp").texts("dc:subject") == [name]
    assert "The sidecars of 2 photos have the name" in run("remove-concept", name).stderr
    run("remove-concept", name, "--yes", "--sidecars")
    assert name not in (folder / "2.jpg.xmp").read_text(encoding="utf-8")


def test_a_sidecar_of_a_copy_that_is_turned_differently_gets_regions_of_the_same_pixels(run, folder, home):
    """Its own regions are as it is shown, which is how they stay; photopal's fit them."""
    copy, exif = folder / "copy.png", Image.Exif()
    with Image.open(folder / "1.jpg") as picture:
        picture.save(folder / "own.png")
        exif[ORIENTATION] = 6
        picture.save(copy, exif=exif)
    area = '<mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2"/>'
    copy.with_name("copy.png.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"'
        ' xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"'
        ' xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#">'
        '<mwg-rs:Regions rdf:parseType="Resource">'
        '<mwg-rs:AppliedToDimensions stDim:w="240" stDim:h="320" stDim:unit="pixel"/>'
        '<mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ben</mwg-rs:Name>'
        f"{area}</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    with Library(home / "library.db") as library:
        index_folders(library, [folder / "own.png"])
        index_folders(library, [folder])
        photo = library.photos.at(copy)
        assert photo.path == folder / "own.png"
        library.corrections.put(photo.id, library.concepts.get("Anna").id, is_present=True, box=BOX)
    assert run("write-metadata", str(copy), str(folder / "own.png"), "--yes").exit_code == 0
    areas = {
        name: {
            region["mwg-rs:Name"]: [float(region["mwg-rs:Area"][f"stArea:{side}"]) for side in "xywh"]
            for region in xmp_of(folder / f"{name}.xmp").structures("mwg-rs:Regions", "mwg-rs:RegionList")
        }
        for name in ("own.png", "copy.png")
    }
    # x + w / 2, y + h / 2 of 320 x 240, and the same turned by a quarter to the right.
    assert areas["own.png"]["Anna"] == pytest.approx([0.25, 0.25, 0.25, 0.25])
    assert areas["copy.png"]["Anna"] == pytest.approx([0.75, 0.25, 0.25, 0.25])
    assert areas["copy.png"]["Ben"] == [0.5, 0.5, 0.1, 0.2]


def test_a_sidecar_that_goes_is_removed_and_not_written(run, folder):
    run("write-metadata", str(folder / "0.jpg"), "--yes")
    preview = run("write-metadata", "--remove")
    assert "Would remove 1 sidecar. Dry run" in preview.stderr
    assert "Removed 1 sidecar. To revert" in run("write-metadata", "--remove", "--yes").stderr


def test_words_that_no_photo_has_are_named(run, folder):
    result = run("write-metadata", "no", "such.jpg")
    assert (result.exit_code, "no photo found for 'no such.jpg'" in result.stderr) == (4, True)


def test_only_confirmed_names_go_out_unless_all_are_asked_for(run, folder):
    assert run("write-metadata", str(folder / "1.jpg"), "--yes").stdout == ""
    assert not (folder / "1.jpg.xmp").exists()
    run("write-metadata", "Ben", "--all", "--yes")
    assert xmp_of(folder / "1.jpg.xmp").texts("dc:subject") == ["Ben"]
    # What was written with them is brought up to date with them, and does not make them confirmed.
    run("index", str(folder))
    assert "1.jpg" not in run("write-metadata", "--written").stdout
    assert "removed" in run("write-metadata", str(folder / "1.jpg")).stdout
    assert json.loads(run("who", str(folder / "1.jpg"), "--json").stdout)[0]["names"][0]["source"] == "model"


def test_index_does_not_take_photopals_words_for_the_files(run, folder):
    run("write-metadata", "--yes")
    run("index", str(folder))
    info = json.loads(run("info", str(folder / "0.jpg"), "--json").stdout)
    assert info["regions"] == []
    assert {fact["field"] for fact in info["facts"]} == {"orientation"}
    assert json.loads(run("import-names", "--json").stdout or "{}").get("names", []) == []
    run("who", str(folder / "0.jpg"), "--not", "Anna")
    run("index", str(folder))
    assert "Anna\tno\tyou" in run("who", str(folder / "0.jpg")).stdout
    run("write-metadata", "--written", "--yes")
    assert xmp_of(folder / "0.jpg.xmp").texts("dc:subject") == ["Rex"]


def test_what_is_in_a_sidecar_stays_and_undo_brings_it_back_byte_for_byte(run, folder):
    (folder / "0.xmp").write_bytes(LIGHTROOM.encode())
    run("index", str(folder))
    before = tree(folder)
    result = run("write-metadata", "--yes")
    assert f"{folder}/0.xmp\tchanged\tAnna, Rex" in result.stdout
    assert not (folder / "0.jpg.xmp").exists()
    xmp = xmp_of(folder / "0.xmp")
    assert xmp.texts("dc:subject") == ["sea", "Müller", "Anna", "Rex"]
    again = run("write-metadata", "--yes")
    assert (again.stdout, "3 photos needed no change" in again.stderr) == ("", True)
    after = tree(folder)
    run("undo")
    assert tree(folder) == before
    entry = json.loads(run("undo", "--list", "--json").stdout)[0]
    run("undo", str(entry["id"]))
    assert tree(folder) == after
    run("write-metadata", "--remove", "--yes")
    assert tree(folder) == before


def test_undo_refuses_where_another_program_has_written_since(run, folder):
    run("write-metadata", "--yes")
    content = (folder / "2.jpg.xmp").read_bytes().replace(b"</rdf:RDF>", b"<!-- mine --></rdf:RDF>")
    (folder / "2.jpg.xmp").write_bytes(content)
    after = tree(folder)
    refused = run("undo")
    assert refused.exit_code == 1
    assert "2.jpg.xmp: changed by another program" in refused.stderr
    assert tree(folder) == after
    run("write-metadata", str(folder / "2.jpg"), "--remove", "--yes")
    content = (folder / "2.jpg.xmp").read_bytes()
    assert (b"<!-- mine -->" in content, b"red car" in content) == (True, False)


def test_undo_follows_sidecars_that_were_moved_with_their_photos(run, folder):
    (folder / "0.xmp").write_bytes(LIGHTROOM.encode())
    # The same photo twice: each copy has a sidecar of its own.
    (folder / "copies").mkdir()
    shutil.copy2(folder / "2.jpg", folder / "copies" / "2.jpg")
    run("index", str(folder))
    before = {path.name for path in folder.iterdir()}
    run("write-metadata", "--yes")
    assert (folder / "copies" / "2.jpg.xmp").exists()
    moved = folder.rename(folder.with_name("moved"))
    (moved / "copies").rename(moved / "kept")
    (moved / "0.jpg").rename(moved / "zero.jpg")
    (moved / "0.xmp").rename(moved / "zero.xmp")
    after = tree_below(moved)
    refused = run("undo")
    assert refused.exit_code == 1
    assert "its photo is no longer there" in refused.stderr
    assert "--remove" in refused.stderr
    assert tree_below(moved) == after
    run("index", str(moved))
    assert run("undo").exit_code == 0
    assert before - {"0.jpg", "0.xmp", "copies"} == {p.name for p in moved.iterdir()} - {
        "zero.jpg", "zero.xmp", "kept",
    }  # fmt: skip
    assert (moved / "zero.xmp").read_bytes() == LIGHTROOM.encode()
    assert [path.name for path in (moved / "kept").iterdir()] == ["2.jpg"]
    entry = json.loads(run("undo", "--list", "--json").stdout)[0]
    run("undo", str(entry["id"]))
    assert tree_below(moved) == after
    assert not folder.exists()


def test_undo_leaves_a_moved_sidecar_alone_that_another_program_has_changed(run, folder):
    run("write-metadata", "--yes")
    moved = folder.rename(folder.with_name("moved"))
    run("index", str(moved))
    with (moved / "2.jpg.xmp").open("ab") as file:
        file.write(b"<!-- mine -->")
    after = tree(moved)
    refused = run("undo")
    assert (refused.exit_code, "moved/2.jpg.xmp: changed by another program" in refused.stderr) == (1, True)
    assert tree(moved) == after


def test_undo_goes_on_where_photos_are_gone_with_their_sidecars(run, folder):
    run("write-metadata", "--yes")
    for name in ("0.jpg", "0.jpg.xmp"):
        (folder / name).unlink()
    assert run("undo").exit_code == 1
    run("index", str(folder))
    assert run("undo").exit_code == 0
    assert sorted(tree(folder)) == ["1.jpg", "2.jpg"]


def test_undo_goes_on_where_a_run_was_killed_between_two_sidecars(run, folder):
    before = tree(folder)
    run("write-metadata", "--yes")
    (folder / "0.jpg.xmp").unlink()
    assert run("undo").exit_code == 0
    assert tree(folder) == before


def test_of_two_runs_at_once_one_writes_and_undo_brings_all_back(run, folder, home, monkeypatch):
    before = tree(folder)
    apply_export, entered = sidecar_export.apply_export, []

    def let_another_go_first(library, plan):
        if not entered:
            entered.append(True)
            assert run("write-metadata", "--yes").exit_code == 0
        return apply_export(library, plan)

    monkeypatch.setattr(sidecar_export, "apply_export", let_another_go_first)
    result = run("write-metadata", "--yes")
    assert result.exit_code == 3
    assert result.stderr.count("left as it is: another program has just changed it") == 2
    with Library(home / "library.db") as library:
        assert sum(entry.what == "wrote 2 sidecars" for entry in library.history.entries()) == 1
    assert run("undo").exit_code == 0
    assert tree(folder) == before


def test_nothing_is_recorded_while_another_run_writes_sidecars(run, folder, home, monkeypatch):
    before = tree(folder)
    monkeypatch.setattr("photopal.library.sidecars.WRITER_WAIT_S", 0.0)
    with Library(home / "library.db") as library, library.sidecars.writing():
        result = run("write-metadata", "--yes")
        assert result.exit_code == 1
        assert "is locked by process" in result.stderr
        library.captions.edit(library.photos.at(folder / "1.jpg").id, "Others may write")
    assert tree(folder) == before
    assert run("write-metadata", "--yes").exit_code == 0


CHANGES = {
    "remove-concept": ("Anna", "--yes"), "rename-concept": ("Anna", "Berta"),
    "merge-concepts": ("Ben", "Anna", "--yes"),
}  # fmt: skip


def test_what_a_killed_run_left_beside_photos_is_removed_and_nothing_else(run, folder):
    run("write-metadata", "--yes")
    ours, young, foreign, unwritten, folder_named_so = (
        folder / f".{name}.part"
        for name in (
            "0.jpg.xmp.0123456789abcdef", "2.jpg.xmp.0123456789abcdef", "0.jpg.xmp.download",
            "1.jpg.xmp.0123456789abcdef", "0.jpg.xmp.ffffffffffffffff",
        )
    )  # fmt: skip
    folder_named_so.mkdir()
    for command in (("write-metadata", "--yes"), ("index", str(folder))):
        for path in (ours, young, foreign, unwritten):
            path.write_bytes(b"<x:xmp")
            if path != young:
                os.utime(path, (1, 1))
        assert "emporary" not in run("write-metadata").stderr
        assert ours.exists()
        result = run(*command)
        assert "Removed 1 temporary file that an interrupted `write-metadata` left." in result.stderr
        assert not ours.exists()
        assert all(path.exists() for path in (young, foreign, unwritten, folder_named_so))


@pytest.mark.parametrize("how", CHANGES)
def test_a_name_that_goes_stays_in_the_sidecars_until_the_command_that_is_told_is_run(run, folder, how):
    run("write-metadata", "--yes")
    result = run(how, *CHANGES[how])
    assert "The sidecars of 1 photo have the name Anna." in result.stderr
    assert b"Anna" in (folder / "0.jpg.xmp").read_bytes()
    command = shlex.split(result.stderr.split("`photopal write-metadata")[1].split("`")[0])
    run("write-metadata", *command)
    content = (folder / "0.jpg.xmp").read_bytes()
    assert (b"Rex" in content, b"Anna" in content) == (True, False)
    assert (b"Berta" in content) is (how == "rename-concept")


@pytest.mark.parametrize("how", CHANGES)
def test_a_name_goes_from_the_sidecars_at_once_if_that_is_wanted_and_undo_brings_both_back(run, folder, how):
    run("write-metadata", "--yes")
    before = tree(folder)
    if "--yes" in CHANGES[how]:
        assert (
            "The sidecars of 1 photo have the name Anna. With --sidecars"
            in run(how, *CHANGES[how][:-1]).stderr
        )
    result = run(how, *CHANGES[how], "--sidecars")
    assert (result.exit_code, "Changed 1 sidecar." in result.stderr) == (0, True)
    content = (folder / "0.jpg.xmp").read_bytes()
    assert (b"Rex" in content, b"Anna" in content) == (True, False)
    assert (b"Berta" in content) is (how == "rename-concept")
    run("undo")
    assert tree(folder) == before
    run("undo")
    assert "Anna" in run("concepts").stdout
    assert "no change" in run("write-metadata", "--written").stderr


@pytest.mark.parametrize("answer", [True, False])
def test_at_a_terminal_it_is_asked_whether_the_sidecars_are_to_change_too(run, folder, monkeypatch, answer):
    run("write-metadata", "--yes")
    asked = []
    monkeypatch.setattr(Session, "confirm", lambda session, question: asked.append(question) or answer)
    run("rename-concept", "Anna", "Berta")
    run("rename-concept", "Ben", "Carl")
    assert asked == ["The sidecars of 1 photo have the name Anna. Change it there, too?"]
    assert (b"Berta" in (folder / "0.jpg.xmp").read_bytes()) is answer


def test_a_sidecar_that_cannot_be_changed_keeps_the_name_and_is_told(run, folder):
    run("write-metadata", "--yes")
    (folder / "0.jpg.xmp").unlink()
    (folder / "0.jpg.xmp").mkdir()
    result = run("rename-concept", "Anna", "Berta", "--sidecars")
    assert (result.exit_code, f"{folder}/0.jpg.xmp: left as it is" in result.stderr) == (3, True)
    assert "Berta" in run("concepts").stdout


def test_a_name_that_comes_back_is_written_again_by_the_command_that_is_told(run, folder):
    run("write-metadata", "--yes")
    run("remove-concept", "Anna", "--yes", "--no-sidecars")
    run("write-metadata", "--written", "--yes")
    result = run("restore-concept", "Anna")
    assert "run `photopal write-metadata Anna --yes`" in result.stderr
    run("write-metadata", "Anna", "--yes")
    assert xmp_of(folder / "0.jpg.xmp").texts("dc:subject") == ["Anna", "Rex"]


def test_the_setting_names_new_sidecars_as_lightroom_does_where_that_says_which_photo(run, folder):
    (folder / "2.png").write_bytes(b"")
    result = run("write-metadata", "--yes", PHOTOPAL_SIDECARS="lightroom")
    assert f"{folder}/0.xmp\tnew" in result.stdout
    assert f"{folder}/2.jpg.xmp\tnew" in result.stdout
    assert xmp_of(folder / "0.xmp").text("photoshop:SidecarForExtension") == "JPG"
    run("undo")
    assert not list(folder.glob("*.xmp"))


def test_a_sidecar_of_the_raw_file_is_left_to_it(run, folder):
    raw = LIGHTROOM.replace('xmp:Rating="3"', 'xmp:Rating="3" photoshop:SidecarForExtension="CR2"').replace(
        "xmlns:xmp=", 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp='
    )
    (folder / "0.xmp").write_text(raw, encoding="utf-8")
    run("write-metadata", str(folder / "0.jpg"), "--yes")
    assert (folder / "0.xmp").read_text(encoding="utf-8") == raw
    assert xmp_of(folder / "0.jpg.xmp").texts("dc:subject") == ["Anna", "Rex"]


def index_with(run, folder, packet):
    """Index a third photo that has XMP in it, in place of the second."""
    with Image.open(folder / "2.jpg") as picture:
        picture.save(folder / "3.jpg", xmp=packet.encode())
    (folder / "2.jpg").unlink()
    run("index", str(folder))


def test_what_stands_in_the_photo_is_not_hidden_by_a_new_sidecar(run, folder, home):
    packet = LIGHTROOM.replace("Carl", "Anna").replace(
        "<dc:subject>", "<dc:description>By hand</dc:description><dc:subject>"
    )
    index_with(run, folder, packet)
    assert run("write-metadata", str(folder / "3.jpg")).stdout == ""
    run("who", str(folder / "3.jpg"), "--is", "Rex")
    run("write-metadata", str(folder / "3.jpg"), "--yes")
    xmp = xmp_of(folder / "3.jpg.xmp")
    assert xmp.text("dc:description") is None
    assert set(xmp.texts("dc:subject")) == {"sea", "Müller", "Anna", "Rex"}
    assert set(xmp.texts("digiKam:TagsList")) == {"Places/Nice", "People/Anna", "Pets/Rex"}
    # Read and written again, it stays; without anything that is not in the photo, it goes.
    run("index", str(folder))
    assert run("write-metadata", str(folder / "3.jpg")).stdout == ""
    run("who", str(folder / "3.jpg"), "--not", "Rex")
    run("write-metadata", "--written", "--yes")
    assert not (folder / "3.jpg.xmp").exists()


def test_a_name_that_the_photo_nests_more_deeply_is_not_said_again(run, folder):
    packet = LIGHTROOM.replace("<rdf:li>Places|Nice</rdf:li>", "<rdf:li>Pets|Dogs|Rex</rdf:li>")
    index_with(run, folder, packet)
    run("who", str(folder / "3.jpg"), "--is", "Rex")
    run("write-metadata", str(folder / "3.jpg"), "--yes")
    assert xmp_of(folder / "3.jpg.xmp").texts("lr:hierarchicalSubject") == ["Pets|Dogs|Rex"]


def test_slashes_within_keywords_of_the_photo_stay_within_them(run, folder):
    packet = LIGHTROOM.replace("<rdf:li>sea</rdf:li>", "<rdf:li>Tea/Coffee</rdf:li>").replace(
        "<rdf:li>Places|Nice</rdf:li>", "<rdf:li>Topics|Food/Drink</rdf:li><rdf:li>Tea/Coffee</rdf:li>"
    )
    index_with(run, folder, packet)
    run("who", str(folder / "3.jpg"), "--is", "Rex")
    run("write-metadata", str(folder / "3.jpg"), "--yes")
    xmp = xmp_of(folder / "3.jpg.xmp")
    assert xmp.texts("dc:subject") == ["Tea/Coffee", "Müller", "Rex"]
    assert xmp.texts("lr:hierarchicalSubject") == ["Topics|Food/Drink", "Tea/Coffee", "Pets|Rex"]
    # Between the levels of digiKam's tags is a slash, so none can be within.
    assert xmp.texts("digiKam:TagsList") == ["Topics/Food-Drink", "Tea-Coffee", "Pets/Rex"]


def test_names_that_only_picasa_and_takeout_keep_are_written_for_other_programs(run, folder):
    (folder / "2.jpg.json").write_text(
        json.dumps({"photoTakenTime": {"timestamp": "1"}, "people": [{"name": "Anna"}]}), encoding="utf-8"
    )
    (folder / ".picasa.ini").write_text(
        "[1.jpg]\nfaces=rect64(400040008000c000),b1\n[Contacts2]\nb1=Ben;;\n", encoding="utf-8"
    )
    run("index", str(folder))
    run("write-metadata", "--yes")
    assert xmp_of(folder / "2.jpg.xmp").texts("Iptc4xmpExt:PersonInImage") == ["Anna"]
    xmp = xmp_of(folder / "1.jpg.xmp")
    assert xmp.text("dc:description") == "Ben reads a book"
    [region] = xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList")
    assert (region["mwg-rs:Name"], region["mwg-rs:Area"]["stArea:x"]) == ("Ben", "0.375006")


def test_unreadable_sidecars_and_unknown_photos_are_told_and_left(run, folder):
    (folder / "0.jpg.xmp").write_bytes(b"<broken")
    (folder / "1.jpg.xmp").mkdir()
    (folder / "new.jpg").write_bytes((folder / "1.jpg").read_bytes() + b"x")
    result = run("write-metadata", str(folder), "--yes")
    assert result.exit_code == 3
    assert "0.jpg.xmp: left as it is: not XMP that can be read" in result.stderr
    assert "new.jpg: not in the library" in result.stderr
    assert "1.jpg.xmp: left as it is: cannot be read: Is a directory" in result.stderr
    assert (folder / "0.jpg.xmp").read_bytes() == b"<broken"
    assert (folder / "2.jpg.xmp").exists()
    wrong = run("write-metadata", str(folder), "nowhere")
    assert (wrong.exit_code, "nowhere: does not exist" in wrong.stderr) == (2, True)
    assert run("write-metadata", "unheard").exit_code == 4
    left_out = json.loads(run("write-metadata", "--json").stdout)["left_out"]
    assert left_out[0] == {"sidecar": f"{folder}/0.jpg.xmp", "reason": "not XMP that can be read"}


def swap(folder, first, second):
    (folder / first).rename(folder / "aside")
    (folder / second).rename(folder / first)
    (folder / "aside").rename(folder / second)


@pytest.mark.parametrize("is_named", [True, False])
def test_beside_a_file_that_is_another_photo_by_now_nothing_is_written_before_it_is_indexed(
    run, folder, is_named
):
    swap(folder, "0.jpg", "1.jpg")
    words = [str(folder)] if is_named else []
    result = run("write-metadata", *words, "--yes")
    assert result.exit_code == 3
    left_out = f"0.jpg.xmp: left as it is: {folder}/0.jpg: changed since it was indexed; run `photopal index`"
    assert left_out in result.stderr
    assert sorted(path.name for path in folder.glob("*.xmp")) == ["2.jpg.xmp"]
    run("index", str(folder))
    run("write-metadata", *words, "--yes")
    assert b"Anna" in (folder / "1.jpg.xmp").read_bytes()
    swap(folder, "0.jpg", "1.jpg")
    assert run("write-metadata", *words, "--remove", "--yes").exit_code == 0
    assert not (folder / "1.jpg.xmp").exists()


def test_what_the_user_excluded_of_a_folder_is_no_unknown_photo(run, folder):
    (folder / "screen.png").write_bytes((folder / "1.jpg").read_bytes() + b"x")
    run("index", str(folder), "--exclude", "*.png")
    result = run("write-metadata", str(folder))
    assert (result.exit_code, "not in the library" in result.stderr) == (0, False)
    named = run("write-metadata", str(folder / "screen.png"))
    assert (named.exit_code, "screen.png: not in the library" in named.stderr) == (3, True)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_that_cannot_be_searched_is_told_and_the_rest_is_written(run, folder, monkeypatch):
    closed = folder / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path) == os.fspath(closed):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("write-metadata", str(folder), "--yes")
    assert result.exit_code == 3
    assert f"Skipped {closed}: cannot be opened: Permission denied" in " ".join(result.stderr.split())
    assert (folder / "0.jpg.xmp").is_file()


def test_a_folder_under_two_names_gets_each_sidecar_once(run, folder):
    link = folder.parent / "a-link"
    link.symlink_to(folder)
    run("index", str(link))
    before = tree(folder)
    preview = run("write-metadata")
    assert preview.stdout == (
        f"{folder}/0.jpg.xmp\tnew\tAnna, Rex\tAnna and Rex at the sea\n{folder}/2.jpg.xmp\tnew\t\tA red car\n"
    )
    done = run("write-metadata", "--yes")
    assert (done.exit_code, "Wrote 2 new sidecars." in done.stderr) == (0, True)
    assert sorted(tree(folder).keys() - before.keys()) == ["0.jpg.xmp", "2.jpg.xmp"]
    assert "3 photos needed no change" in run("write-metadata").stderr
    run("undo")
    assert tree(folder) == before


@pytest.fixture
def other(run, folder, home):
    """A photo with a caption beside 2.jpg, which has a sidecar; their names differ in case only."""
    other = folder / "2.JPG"
    if other.exists():
        pytest.skip("names differ by more than case here")
    other.write_bytes((folder / "0.jpg").read_bytes() + b"x")
    (folder / "2.jpg.xmp").write_bytes(LIGHTROOM.encode())
    run("index", str(folder))
    with Library(home / "library.db") as library:
        library.captions.edit(library.photos.at(other).id, "Another one")
    return other


def test_a_sidecar_that_two_photos_have_is_written_for_one_of_them(run, folder, other):
    result = run("write-metadata", str(folder / "2.jpg"), str(other), "--yes")
    assert result.exit_code == 3
    assert "2.jpg.xmp: left as it is: it is the sidecar of another photo, too" in result.stderr
    assert "Wrote 1 changed sidecar." in result.stderr
    assert xmp_of(folder / "2.jpg.xmp").text("dc:description") == "A red car"


def test_words_of_one_photo_do_not_go_into_the_sidecar_of_another_called_alike(run, folder, other):
    result = run("write-metadata", str(other), "--yes")
    assert result.exit_code == 3
    assert "2.jpg.xmp: left as it is: it is the sidecar of another photo, too" in result.stderr
    assert (folder / "2.jpg.xmp").read_bytes() == LIGHTROOM.encode()
    result = run("write-metadata", str(other), str(folder / "2.jpg"), "--yes")
    assert "Wrote 1 changed sidecar." in result.stderr


def test_a_sidecar_that_somebody_has_protected_is_left_as_it_is(run, folder, monkeypatch):
    sidecar = folder / "0.jpg.xmp"
    sidecar.write_bytes(LIGHTROOM.encode())
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != sidecar and real(path, mode))
    for options in ((), ("--yes",)):
        result = run("write-metadata", *options)
        assert result.exit_code == 3
        assert f"{sidecar}: left as it is: it is write-protected" in result.stderr
    assert sidecar.read_bytes() == LIGHTROOM.encode()
    assert (folder / "2.jpg.xmp").exists()


def test_a_photo_whose_name_leaves_no_letter_for_a_sidecars_is_told_only_if_it_needs_one(run, folder, home):
    long = folder / f"{'x' * 251}.jpg"
    (folder / "2.jpg").rename(long)
    run("index", str(folder))
    result = run("write-metadata", str(long))
    assert result.exit_code == 3
    assert f"{long}.xmp: left as it is: the photo's name is too long for a sidecar" in result.stderr
    assert run("write-metadata", str(long), "--yes").exit_code == 3
    result = run("write-metadata", str(long), "--remove", "--yes")
    assert result.exit_code == 0
    assert "1 photo needed no change." in result.stderr


def test_a_sidecar_that_could_not_be_written_is_not_counted_as_written(run, folder, monkeypatch):
    write = sidecar_export.write_sidecar

    def fail(path, content):
        if path.name == "0.jpg.xmp":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(sidecar_export, "write_sidecar", fail)
    result = run("write-metadata", "--yes", "--json")
    assert result.exit_code == 3
    assert "Wrote 1 new sidecar." in result.stderr
    facts = json.loads(result.stdout)
    assert [each["sidecar"] for each in facts["sidecars"]] == [f"{folder}/2.jpg.xmp"]
    assert [each["sidecar"] for each in facts["left_out"]] == [f"{folder}/0.jpg.xmp"]
    [entry, *_] = json.loads(run("undo", "--list", "--json").stdout)
    assert entry["what"] == "wrote 1 sidecar"


@pytest.mark.parametrize("present", [None, LIGHTROOM])
def test_where_no_sidecar_could_be_written_the_journal_has_no_entry_and_nothing_counts_as_written(
    run, folder, home, monkeypatch, present
):
    if present:
        (folder / "0.jpg.xmp").write_text(present)
    before = tree(folder)
    with Library(home / "library.db") as library:
        entries = library.history.entries()

    def fail(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sidecar_export, "write_sidecar", fail)
        result = run("write-metadata", "--yes")
    assert result.exit_code == 3
    assert "Wrote" not in result.stderr
    assert result.stderr.count("left as it is: cannot be written: No space left on device") == 2
    with Library(home / "library.db") as library:
        assert library.history.entries() == entries
        assert library.sidecars.photos(name="Anna") == {}
    assert tree(folder) == before

    # Once there is room again, all is written, and can be undone.
    assert "Wrote" in run("write-metadata", "--yes").stderr
    run("undo")
    assert tree(folder) == before


def test_what_could_not_be_written_anew_is_known_as_it_was_written_before(run, folder, home, monkeypatch):
    run("write-metadata", "--yes")
    written = tree(folder)
    run("rename-concept", "Anna", "Grandma", "--no-sidecars")
    with monkeypatch.context() as patch:
        patch.setattr(sidecar_export, "_why_not_as_planned", Reasons())
        assert run("write-metadata", "--written", "--yes").exit_code == 3
    assert tree(folder) == written
    with Library(home / "library.db") as library:
        assert list(library.sidecars.photos(name="Anna")) == [1]
        assert next(entry.what for entry in library.history.entries()).startswith("renamed")
    run("undo")
    run("undo")
    assert tree(folder).keys() == {"0.jpg", "1.jpg", "2.jpg"}


class Reasons:
    """Another program changes a sidecar between the plan's last check and the writing."""

    def __init__(self):
        self.asked = 0

    def __call__(self, change):
        self.asked += 1
        return None if self.asked == 1 else "another program has just changed it"


@pytest.mark.slow
def test_after_a_kill_every_sidecar_is_the_old_or_the_new_one_and_undo_brings_the_old_back(tmp_path):
    told = run_kills(tmp_path, sidecars_number=40, kills=2, seed=1)
    assert all("all undone" in words for words in told[:-1])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_back_what_was_written_into_every_shape(run, home, tmp_path):
    expected = written_shapes(run, home, tmp_path, unread=["lightroom, UTF-16", "RDF by default", "latin"])
    words = ["exiftool", "-j", "-struct", "-XMP:all", "-ext", "xmp", str(tmp_path / "photos")]
    read = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert len(read) == len(expected) >= 50
    for each in read:
        before, name = expected[each["SourceFile"]]
        as_list = {key: value if isinstance(value, list) else [value] for key, value in each.items()}
        assert as_list["Subject"][-2:] == [name, "Rex"], each["SourceFile"]
        assert as_list["TagsList"][-2:] == [f"People/{name}", "Pets/Rex"]
        assert as_list["HierarchicalSubject"][-2:] == [f"People|{name}", "Pets|Rex"]
        assert as_list["PersonInImage"][-1] == name
        assert each.get("Description", each.get("Description-de")) == (
            before.text("dc:description") or f"{name} and Rex"
        )
        regions = {region["Name"]: region for region in each["RegionInfo"]["RegionList"]}
        assert (regions[name]["Type"], regions["Rex"]["Type"]) == ("Face", "Pet")
        area = [float(regions[name]["Area"][side]) for side in "XYWH"]
        assert area == pytest.approx([0.25, 0.25, 0.25, 1 / 3], abs=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiv2") is None, reason="exiv2 is not installed")
def test_exiv2_reads_back_what_was_written_into_every_shape(run, home, tmp_path):
    expected = written_shapes(
        run,
        home,
        tmp_path,
        unread=["UTF-16", "no xmpmeta", "xapmeta", "RDF by default", "prefix of RDF", "latin"],
    )
    assert len(expected) >= 50
    for path, (before, name) in expected.items():
        read = subprocess.run(["exiv2", "-PXkt", "pr", path], capture_output=True, check=True)
        text = read.stdout.decode()
        lines = dict(line.split(None, 1) for line in text.splitlines() if len(line.split(None, 1)) == 2)
        assert lines["Xmp.dc.subject"].split(", ")[-2:] == [name, "Rex"], path
        assert lines["Xmp.digiKam.TagsList"].endswith(f"People/{name}, Pets/Rex")
        assert lines["Xmp.iptcExt.PersonInImage"].endswith(name)
        assert (before.text("dc:description") or f"{name} and Rex") in lines["Xmp.dc.description"]
        prefix = "Xmp.mwg-rs.Regions/mwg-rs:RegionList"
        named = {value: key for key, value in lines.items() if key.endswith("/mwg-rs:Name")}
        area = named[name].removesuffix("mwg-rs:Name") + "mwg-rs:Area/stArea:"
        assert named[name].startswith(prefix)
        assert [float(lines[area + side]) for side in "xywh"] == pytest.approx(
            [0.25, 0.25, 0.25, 1 / 3], abs=1e-5
        )


def written_shapes(run, home, tmp_path, *, unread=()):
    """Write names into sidecars of all shapes but those that a program cannot read by itself.

    Returns:
        What was read of each before, and the name that was written into it, by path.
    """
    (tmp_path / "photos").mkdir()
    expected = {}
    with Library(home / "library.db") as library:
        name = "Zoë"
        zoe, rex = library.concepts.add(name), library.concepts.add("Rex", kind="pet")
        for number, (shape, content) in enumerate(sidecars()):
            if any(part in shape for part in unread):
                continue
            path = tmp_path / "photos" / f"{number:02d}.jpg"
            levels = np.random.default_rng(number).integers(0, 255, (6, 8, 3), dtype=np.uint8)
            # As large as the regions in the sidecars say.
            Image.fromarray(levels).resize((80, 60)).save(path)
            sidecar = path.with_name(f"{path.name}.xmp")
            sidecar.write_bytes(content)
            expected[str(sidecar)] = (Xmp([content]), name)
        index_folders(library, [tmp_path / "photos"])
        for photo in library.photos.all():
            library.corrections.put(photo.id, zoe.id, is_present=True, box=(10, 5, 20, 20))
            library.concepts.add_reference(rex.id, photo.id, box=(40, 30, 20, 20))
            library.captions.edit(photo.id, f"{name} and Rex")
    photos = sorted((tmp_path / "photos").glob("*.jpg"))
    before = [hashlib.sha256(path.read_bytes()).digest() for path in photos]
    assert run("write-metadata", "--yes").exit_code == 0
    assert before == [hashlib.sha256(path.read_bytes()).digest() for path in photos]
    return expected
