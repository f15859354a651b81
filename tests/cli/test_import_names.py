"""`photopal import-names`: the people of another program's library in one command."""

import json
import random
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from photopal.library import Library
from photopal.photos.turns import turned_box

WIDTH, HEIGHT = 320, 240
BACK = {6: 8, 8: 6}
PEOPLE = {"Anna": "Face", "Ben": "Face", "Chloë": "Face", "Dora O'Neil": "Face", "Rex": "Pet"}


def draw(path, seed):
    """Save a photo of its own, upright 320 x 240."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(levels).resize((WIDTH, HEIGHT)).save(path, quality=60)
    return path


def takeout(path, *names):
    taken = {"photoTakenTime": {"timestamp": "1500000000"}, "people": [{"name": name} for name in names]}
    path.with_name(f"{path.name}.supplemental-metadata.json").write_text(json.dumps(taken), encoding="utf-8")


def sidecar(path, *regions):
    """Write MWG regions as Lightroom does."""
    items = "".join(
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="{kind}"><mwg-rs:Area'
        f' stArea:unit="normalized" stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}"/>'
        "</rdf:Description></rdf:li>"
        for name, kind, x, y, w, h in regions
    )
    path.with_suffix(".xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"'
        ' xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><rdf:Description rdf:about="">'
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{items}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>",
        encoding="utf-8",
    )


def test_a_folder_that_lost_most_of_its_photos_is_said_to_have_and_the_rest_is_used(run, home, tmp_path):
    folder = tmp_path / "photos"
    photos = [draw(folder / f"{number}.jpg", number) for number in range(8)]
    takeout(photos[0], "Ben")
    run("index", str(folder))
    for photo in photos[2:]:
        photo.unlink()
    result = run("import-names", str(folder), str(tmp_path / "none"), "--yes")
    said = result.stderr.replace("\n", " ")
    assert f"{folder} is unavailable, or most of its photos have disappeared" in said
    assert "photopal index --accept-loss FOLDER" in said
    assert f"Skipped {folder}" not in said
    assert f"Skipped {tmp_path / 'none'}: does not exist" in said
    assert result.exit_code == 3
    with Library(home / "library.db") as library:
        assert [concept.name for concept in library.concepts.all()] == ["Ben"]
        assert library.counts()["missing"] == 0


def test_the_preview_is_what_comes_a_second_run_adds_nothing_and_undo_takes_it_back(run, home, tmp_path):
    photos = [draw(tmp_path / "photos" / f"{number}.jpg", number) for number in range(3)]
    sidecar(photos[0], ("Anna", "Face", 0.5, 0.5, 0.25, 0.5), ("Rex", "Pet", 0.2, 0.2, 0.2, 0.2))
    sidecar(photos[1], ("ANNA", "Face", 0.25, 0.5, 0.25, 0.5))
    takeout(photos[2], "Ben")
    preview = run("import-names", str(tmp_path / "photos"), "--json")
    assert preview.exit_code == 0, preview.output
    planned = json.loads(preview.stdout)
    assert {each["name"]: (each["kind"], each["photos"]) for each in planned["names"]} == {
        "Anna": ("person", 2), "Rex": ("pet", 1), "Ben": ("person", 1),
    }  # fmt: skip
    assert planned["names"][0]["references"] == [
        {"path": str(photos[0]), "box": [120, 60, 80, 120]},
        {"path": str(photos[1]), "box": [40, 60, 80, 120]},
    ]
    assert run("concepts", "--json").stdout.strip() in ("", "[]")
    done = run("import-names", "--yes")
    assert done.stdout == (
        "Anna\tperson\tnew\t2 photos\t+2 reference photos\n"
        "Ben\tperson\tnew\t1 photo\t+1 reference photo\nRex\tpet\tnew\t1 photo\t+1 reference photo\n"
    )
    assert "Added 3 new names and 4 reference photos." in done.stderr
    with Library(home / "library.db", read_only=True) as library:
        for each in planned["names"]:
            references = library.concepts.references(library.concepts.get(each["name"]).id)
            assert [{"path": str(r.photo.path), "box": r.box and [*r.box]} for r in references] == each[
                "references"
            ]
    assert set(run("search", "--concept", "Anna", "--paths").stdout.split()) == {*map(str, photos[:2])}
    again = run("import-names", str(tmp_path / "photos"), "--yes")
    assert "nothing to add" in again.stderr
    run("undo")
    assert json.loads(run("import-names", "--json").stdout) == planned


def test_files_without_names_and_an_older_reading_are_said(run, home, tmp_path):
    draw(tmp_path / "photos" / "a.jpg", 1)
    nothing = run("import-names", str(tmp_path / "photos"))
    assert nothing.exit_code == 4
    assert "no names found in the files" in nothing.stderr
    with Library(home / "library.db") as library, library.writing():
        library.connection.execute("UPDATE metadata SET version = 1")
    assert "Run `photopal index` on your folders first" in run("import-names").stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_two_hundred_files_with_names_by_exiftool_give_everybody_the_right_boxes(run, home, tmp_path):
    rng = random.Random(7)
    expected = {}
    lines = []
    for number in range(200):
        path = draw(tmp_path / "photos" / f"{number:03d}.jpg", number)
        how, orientation = ("mwg", "mp", "takeout")[number % 3], number % 8 + 1
        who = rng.sample(sorted(PEOPLE), 1 if how == "takeout" else rng.randint(1, 2))
        # A camera stores the photo turned; here only the tag says so, and the upright photo is what it makes.
        size = (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)
        boxes = {
            name: (0.05 + 0.5 * index, round(rng.uniform(0.1, 0.4), 3), 0.3, 0.4)
            for index, name in enumerate(who)
        }
        expected[str(path)] = {
            name: None if how == "takeout" else tuple(
                round(side * size[axis % 2]) for axis, side in enumerate(box)
            )
            for name, box in boxes.items()
        }  # fmt: skip
        stored = {name: turned_box(BACK.get(orientation, orientation), box) for name, box in boxes.items()}
        lines += [str(path), "-overwrite_original", f"-Orientation#={orientation}"]
        if how == "takeout":
            takeout(path, *who)
        elif how == "mwg":
            regions = ",".join(
                f"{{Area={{X={x + w / 2},Y={y + h / 2},W={w},H={h},Unit=normalized}},Name={name},"
                f"Type={PEOPLE[name]}}}"
                for name, (x, y, w, h) in stored.items()
            )
            lines.append(
                f"-RegionInfo={{AppliedToDimensions={{W={WIDTH},H={HEIGHT},Unit=pixel}},RegionList=[{regions}]}}"
            )
        else:
            regions = ",".join(
                f"{{PersonDisplayName={name},Rectangle={x}|, {y}|, {w}|, {h}}}"
                for name, (x, y, w, h) in stored.items()
            )
            lines.append(f"-RegionInfoMP={{Regions=[{regions}]}}")
        lines.append("-execute")
    (tmp_path / "args").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(["exiftool", "-q", "-charset", "utf8", "-@", str(tmp_path / "args")], check=True)
    planned = json.loads(run("import-names", str(tmp_path / "photos"), "--json").stdout)
    assert {each["name"] for each in planned["names"]} == set(PEOPLE)
    assert planned["left_out"] == []
    run("import-names", str(tmp_path / "photos"), "--yes")
    with Library(home / "library.db", read_only=True) as library:
        for concept in library.concepts.all():
            references = library.concepts.references(concept.id)
            assert len(references) == 8
            assert concept.kind == ("pet" if concept.name == "Rex" else "person")
            for reference in references:
                box = expected[str(reference.photo.path)][concept.name]
                assert reference.box is not None
                assert max(abs(a - b) for a, b in zip(reference.box, box, strict=True)) <= 1
        for photo in library.photos.all():
            shown = library.corrections.evidence(photo.id).shown
            assert set(shown.values()) == expected[str(photo.path)].keys()
    assert "nothing to add" in run("import-names", str(tmp_path / "photos"), "--yes").stderr
