"""`photopal locate`, and the copy it draws."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image, PngImagePlugin

from photopal.ingest.references import add_references, list_reference_files
from photopal.library import Library


@pytest.fixture
def locate(run, tiny_llava, home, drawn_family):
    with Library(home / "library.db") as library:
        for name, photos in drawn_family.photos.items():
            add_references(library, name, list_reference_files(photos))
    return lambda *words: run("locate", *map(str, words), PHOTOPAL_MODEL=str(tiny_llava))


def hashes(folder):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_everybody_is_said_to_be_here_or_not(locate, drawn_family):
    result = locate(drawn_family.both)
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert {line[0] for line in lines} == {"Anna", "Ben"}
    for line in lines:
        assert line[1] in ("here", "not here")
        assert bool(line[4]) == bool(line[5]) == (line[1] == "here")
    told = json.loads(locate(drawn_family.both, "--json").stdout)
    keys = {"name", "kind", "is_present", "verdict", "score", "probability", "source", "point", "box"}
    assert keys == set(told[0])
    [only] = json.loads(locate(drawn_family.both, "ben", "--json").stdout)
    assert only["name"] == "Ben"
    assert locate(drawn_family.both, "Zoe").exit_code == 2
    x, y, width, height = told[0]["box"]
    assert x + width <= 160
    assert y + height <= 160


def test_only_photos_that_the_model_is_not_asked_about_are_said_not_to_look_drawn(
    locate, run, tiny_llava, drawn_family, monkeypatch
):
    blind = SimpleNamespace(is_in_distribution=lambda features, second=None: False)
    monkeypatch.setattr("photopal.vlm.load.load_ood_detector", lambda _: blind)
    photos = map(str, drawn_family.photos["Anna"])
    added = run("add-concept", "Cleo", *photos, PHOTOPAL_MODEL=str(tiny_llava))
    assert added.exit_code == 0
    assert "look drawn" not in added.stderr
    assert locate(drawn_family.both).stderr.count("These photos do not look drawn") == 1


def test_of_two_in_one_place_it_is_said_who_is_recognized_instead(locate, drawn_family, home, monkeypatch):
    from photopal.assistant import known

    look_at = known.look_at

    def look(library, assistant, photo):
        analysis = look_at(library, assistant, photo)
        anna, ben = sorted(analysis.sightings, key=lambda sighting: sighting.concept.name)
        there = replace(ben, is_present=True, displaced_by=())
        return replace(
            analysis,
            sightings=(there, replace(anna, is_present=False, score=0.1, displaced_by=(ben.concept.id,))),
        )

    monkeypatch.setattr(known, "look_at", look)
    anna, ben = sorted(line.split("\t") for line in locate(drawn_family.both).stdout.splitlines())
    assert (anna[1], anna[6]) == ("not here", "model, rather Ben")
    assert (ben[1], ben[6]) == ("here", "model")
    [only] = [line.split("\t") for line in locate(drawn_family.both, "Anna").stdout.splitlines()]
    assert only == anna


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_marked_copy_is_drawn_and_no_photo_changes(locate, drawn_family, tmp_path, ending):
    before = hashes(drawn_family.folder)
    out = tmp_path / f"marked.{ending}"
    result = locate(drawn_family.both, "--out", out)
    assert result.exit_code == 0, result.output
    with Image.open(out) as picture:
        assert min(picture.size) >= 480
    assert hashes(drawn_family.folder) == before
    assert [path.name for path in tmp_path.glob("*part*")] == []


def test_a_file_that_is_there_is_replaced_only_by_force(locate, drawn_family, tmp_path):
    out = tmp_path / "marked.png"
    out.write_bytes(b"mine")
    refused = locate(drawn_family.both, "--out", out)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert out.read_bytes() == b"mine"
    assert locate(drawn_family.both, "--out", out, "--force").exit_code == 0
    assert out.read_bytes() != b"mine"


def test_a_photo_is_never_written_to_whatever_its_name(locate, drawn_family, tmp_path):
    photo = tmp_path / "photo.png"
    shutil.copy(drawn_family.both, photo)
    link, copy = tmp_path / "link.png", tmp_path / "copy.png"
    os.link(photo, link)
    shutil.copy(drawn_family.photos["Anna"][0], copy)
    before = hashes(tmp_path)
    for out in (photo, link, copy, drawn_family.photos["Anna"][0]):
        result = locate(photo, "--out", out, "--force")
        assert result.exit_code == 2
        assert "never overwritten" in result.stderr
    assert {path: digest for path, digest in hashes(tmp_path).items() if path in before} == before


def test_a_photo_that_was_indexed_by_another_path_is_never_written_to(locate, run, drawn_family, tmp_path):
    """Another program wrote into it in between; the library still knows it by its picture."""
    folder, alias = tmp_path / "photos", tmp_path / "alias"
    folder.mkdir()
    photo = folder / "photo.png"
    with Image.open(drawn_family.both) as image:
        image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(photo)
    alias.symlink_to(folder)
    assert run("index", str(alias)).exit_code == 0
    with Image.open(photo) as image:
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "a cake")
        image.save(photo, pnginfo=info)
    assert run("index", str(alias)).exit_code == 0
    before = hashes(folder)
    for out in (photo, alias / "photo.png"):
        result = locate(drawn_family.both, "--out", out, "--force")
        assert result.exit_code == 2, result.output
        assert "never overwritten" in result.stderr
    assert hashes(folder) == before


@pytest.mark.parametrize("is_as_before", [True, False])
def test_a_photo_that_was_missing_and_is_back_is_never_written_to(
    locate, run, drawn_family, tmp_path, is_as_before
):
    folder = tmp_path / "photos"
    shutil.copytree(drawn_family.photos["Ben"][0].parent, folder)
    photo = folder / drawn_family.photos["Ben"][0].name
    assert run("index", str(folder)).exit_code == 0
    away = photo.rename(tmp_path / "away.png")
    assert run("index", str(folder)).exit_code == 0
    if is_as_before:
        away.rename(photo)
    else:
        with Image.open(away) as image:
            image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(photo)
    before = hashes(folder)
    result = locate(drawn_family.both, "--out", photo, "--force")
    assert result.exit_code == 2, result.output
    assert "never overwritten" in result.stderr
    assert hashes(folder) == before


def test_the_original_of_an_edited_photo_is_never_written_to(locate, run, drawn_family, tmp_path):
    folder, original = tmp_path / "photos", tmp_path / "original.png"
    folder.mkdir()
    with Image.open(drawn_family.both) as image:
        flipped = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    flipped.save(folder / "photo.png")
    assert run("index", str(folder)).exit_code == 0
    assert run("edit-caption", str(folder / "photo.png"), "A cake").exit_code == 0
    shutil.copy(folder / "photo.png", original)
    flipped.convert("L").save(folder / "photo.png")
    assert run("index", str(folder)).exit_code == 0
    before = hashes(tmp_path)
    result = locate(drawn_family.both, "--out", original, "--force")
    assert result.exit_code == 2, result.output
    assert "never overwritten" in result.stderr
    assert hashes(tmp_path)[original] == before[original]


@pytest.mark.parametrize("out", ["marked.txt", "marked", "nowhere/marked.png"])
def test_a_target_that_cannot_be_written_is_refused_at_once(locate, drawn_family, tmp_path, out):
    assert locate(drawn_family.both, "--out", tmp_path / out).exit_code == 2


def test_nobody_known_is_code_4_and_no_photo_is_code_1(run, home, drawn_family, tmp_path, tiny_llava):
    assert run("locate", str(tmp_path / "no.jpg"), PHOTOPAL_MODEL=str(tiny_llava)).exit_code == 1
    result = run("locate", str(drawn_family.both), PHOTOPAL_MODEL=str(tiny_llava))
    assert result.exit_code == 4
    assert "photopal add-concept" in result.stderr


@pytest.mark.slow
def test_what_the_user_said_of_a_photo_counts_more_than_what_the_model_sees(locate, run, home, drawn_family):
    anna, ben = (drawn_family.photos[name][0] for name in ("Anna", "Ben"))
    assert run("who", str(anna), "--is", "Ben=10,20,40,60").exit_code == 0
    lines = {line.split("\t")[0]: line.split("\t") for line in locate(anna).stdout.splitlines()}
    assert lines["Anna"][1] == "here"
    assert lines["Anna"][6] == "reference photo"
    assert (lines["Ben"][1], lines["Ben"][5], lines["Ben"][6]) == ("here", "10,20,40,60", "you")
    assert run("who", str(ben), "--not", "Ben").exit_code == 0
    lines = {line.split("\t")[0]: line.split("\t") for line in locate(ben).stdout.splitlines()}
    assert (lines["Ben"][1], lines["Ben"][6]) == ("not here", "you")
