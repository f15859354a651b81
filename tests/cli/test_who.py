"""`photopal who` and what puts names right: remove-reference, merge-concepts and split-concept."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo
from photopal.photos.metadata import Fact, Metadata
from tests.ingest.test_identity import draw, save


def entries(run, *words):
    return {entry["name"]: entry for entry in json.loads(run("who", *words, "--json").stdout)[0]["names"]}


def test_everybody_is_listed_with_whose_word_it_is(run, family):
    assert run("who", "/p/beach.jpg").stdout == (
        "Anna\tyes\tmodel\t+0.900\t\nRex\tyes\treference photo\t\t\n"
    )
    result = run("who", "/p/lake.jpg")
    assert result.stdout == "Anna\tunknown\t\t\t\nRex\tunknown\t\t\t\n"
    assert "No model has looked at /p/lake.jpg yet" in result.stderr


def test_persons_whom_only_the_file_names_are_listed_and_told_of(run, home):
    with Library(home / "library.db") as library:
        photo = Photo(
            path=Path("/p/a.jpg"), content_hash="a" * 32, size_bytes=1, mtime_ns=1, width_px=8, height_px=8,
            format="JPEG", exif=Exif(), thumbnail=b"jpeg",
            metadata=Metadata(facts=(Fact("person", "Edna", "XMP"),)),
        )  # fmt: skip
        library.photos.add(photo)
    assert run("who", "/p/a.jpg").stdout == "Edna\tyes\tfile\t\t\n"
    assert "Its file also names Edna (1)." in run("ask", "Who is on my photos?").stdout


def test_a_person_in_the_file_is_listed_once_whatever_they_are_called_now(run, home):
    names = ("Edna", "Unknown", "Jo O’Neil", "Jo O'Neil", "Nana")
    with Library(home / "library.db") as library:
        photo = Photo(
            path=Path("/p/a.jpg"), content_hash="a" * 32, size_bytes=1, mtime_ns=1, width_px=8, height_px=8,
            format="JPEG", exif=Exif(), thumbnail=b"jpeg",
            metadata=Metadata(facts=tuple(Fact("person", name, "XMP") for name in names)),
        )  # fmt: skip
        library.photos.add(photo)
        library.concepts.add("Edna")
        library.concepts.add("Nana")
        library.concepts.remove("Nana")
    assert run("who", "/p/a.jpg").stdout == "Edna\tyes\tfile\t\t\nJo O’Neil\tyes\tfile\t\t\n"
    run("rename-concept", "Edna", "Grandma")
    assert list(entries(run, "/p/a.jpg")) == ["Grandma", "Jo O’Neil"]
    assert "Its file also names Jo" in (answer := run("ask", "Who is on my photos?").stdout)
    assert not {"Edna", "Unknown", "Nana"} & set(re.findall(r"\w+", answer))


def test_a_name_is_taken_off_and_another_put_on_in_one_change(run, family):
    result = run("who", "/p/beach.jpg", "--not", "anna", "--is", "Rex=10,12,20,30")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Anna is not in /p/beach.jpg." in result.stderr
    assert "Rex is in /p/beach.jpg." in result.stderr
    assert "The caption of /p/beach.jpg had the name and is no longer shown" in result.stderr
    assert "photopal undo" in result.stderr
    assert run("who", "/p/beach.jpg").stdout == "Rex\tyes\tyou\t\t10,12,20,30\nAnna\tno\tyou\t\t\n"
    assert run("search", "anna").exit_code == 4
    assert run("search", "throws").exit_code == 4
    assert run("search", "--concept", "Rex").stdout == "/p/beach.jpg\t2023-07-03\tRex\t\n"
    assert run("ask", "How many photos of Anna are there?").exit_code == 4
    entry = json.loads(run("undo", "--list", "--json").stdout)[0]
    assert entry["what"] == '"Rex" is and "Anna" is not in /p/beach.jpg'
    run("undo")
    assert run("search", "anna", "--paths").stdout == "/p/beach.jpg\n"
    assert run("search", "throws").exit_code == 0


def test_json_says_everything(run, family):
    told = entries(run, "/p/beach.jpg", "--not", "Anna")
    assert told["Anna"] == {
        "name": "Anna",
        "kind": "person",
        "is_present": False,
        "verdict": "no",
        "source": "user",
        "score": None,
        "probability": None,
        "box": None,
    }
    [photo] = json.loads(run("who", "/p/beach.jpg", "--json").stdout)
    assert (photo["path"], photo["caption"], photo["needs_caption"]) == ("/p/beach.jpg", None, True)


def test_unsure_models_are_said_to_be_unsure(run, family):
    with Library(family) as library:
        anna = library.concepts.get("Anna").id
        seen = Appearance(
            concept_id=anna, score=0.01, is_present=True, point=(0, 0), box=None, probability=0.55
        )
        library.captions.put(1, "x", model="m", bank=None, prompt_version="1", appearances=[seen])
    assert "Anna\tunsure\tmodel\t+0.010\t" in run("who", "/p/beach.jpg").stdout
    assert entries(run, "/p/beach.jpg")["Anna"]["is_present"]


def test_many_photos_are_corrected_in_one_change_from_stdin(run, family, home):
    from photopal.cli.app import app

    environ = {"PHOTOPAL_HOME": str(home), "PHOTOPAL_MODEL": ""}
    lines = b"/p/beach.jpg\n/p/lake.jpg\n"
    result = CliRunner().invoke(app, ["who", "-", "--is", "Anna"], input=lines, env=environ)
    assert result.exit_code == 0, result.output
    assert "Anna is in 2 photos." in result.stderr
    assert set(run("search", "--concept", "Anna", "--paths").stdout.split()) == {
        "/p/beach.jpg",
        "/p/lake.jpg",
    }
    shown = run("who", "/p/beach.jpg", "/p/lake.jpg").stdout.splitlines()
    assert shown[0] == "/p/beach.jpg:"
    assert shown[3] == "/p/lake.jpg:"
    assert json.loads(run("undo", "--json").stdout)["what"].endswith('"Anna" is in 2 photos')


def test_a_photo_that_is_named_twice_is_one(run, family):
    twice = ("/p/beach.jpg", "/p/beach.jpg")
    assert run("who", *twice).stdout == run("who", "/p/beach.jpg").stdout
    assert len(json.loads(run("who", *twice, "--json").stdout)) == 1
    said = run("who", *twice, "--is", "Rex=10,12,20,30")
    assert (said.exit_code, "Rex is in /p/beach.jpg." in said.stderr) == (0, True)
    assert json.loads(run("undo", "--json").stdout)["what"].endswith('"Rex" is in /p/beach.jpg')


def test_what_was_said_before_changes_nothing(run, family):
    run("who", "/p/beach.jpg", "--not", "Anna")
    before = run("undo", "--list").stdout
    result = run("who", "/p/beach.jpg", "--not", "Anna")
    assert (result.exit_code, run("undo", "--list").stdout) == (0, before)
    assert "nothing was changed" in result.stderr


def test_taken_off_a_reference_photo_it_is_said_to_be_none_any_more_and_the_last_stays(run, family):
    refused = run("who", "/p/beach.jpg", "--not", "Rex")
    assert refused.exit_code == 2
    assert "is the only reference photo of Rex" in refused.stderr
    assert "photopal add-concept Rex PHOTO" in refused.stderr
    with Library(family) as library:
        library.concepts.add_reference(library.concepts.get("Rex").id, 2)
    result = run("who", "/p/beach.jpg", "--not", "Rex")
    assert "/p/beach.jpg is no longer a reference photo of Rex." in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("/p/none.jpg",), 4, "not in the library"),
        (("/p/beach.jpg", "--is", "Bob"), 2, 'no concept named "Bob"'),
        (("/p/beach.jpg", "--is", "Anna=1,2,3"), 2, "invalid box"),
        (("/p/beach.jpg", "--is", "Anna=60,0,10,10"), 2, "is outside the photo"),
        (("/p/beach.jpg", "--is", "Anna=0,0,0,0"), 2, "the box 0,0,0,0 is empty"),
        (("/p/beach.jpg", "--is", "Anna=5,5,10,0"), 2, "the box 5,5,10,0 is empty"),
        (("/p/beach.jpg", "--is", "Anna", "--not", "ANNA"), 2, "given twice"),
        (("/p/beach.jpg", "/p/lake.jpg", "--is", "Anna=1,2,3,4"), 2, "single photo"),
        (("/",), 2, "is a folder"),
    ],
)
def test_what_cannot_be_said_is_refused_and_changes_nothing(run, family, words, code, said):
    before = run("undo", "--list").stdout
    result = run("who", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert run("undo", "--list").stdout == before


@pytest.mark.parametrize("named", ["a.png", "b.png", "link.png"])
def test_a_box_is_of_the_file_that_is_named_be_it_a_copy_that_is_turned_differently(
    run, home, tmp_path, named
):
    save(tmp_path / "a.png", draw(3))
    save(tmp_path / "b.png", draw(3), orientation=6)
    (tmp_path / "link.png").symlink_to("b.png")
    run("index", str(tmp_path / "a.png"), str(tmp_path / "b.png"))
    with Library(home / "library.db") as library:
        library.concepts.add("Anna")
    box = "16,12,40,30" if named == "a.png" else "78,16,30,40"
    assert run("who", str(tmp_path / named), "--is", f"Anna={box}").exit_code == 0
    with Library(home / "library.db") as library:
        [correction] = library.corrections.of_concept(1, most=9)
        assert (correction.photo.path, correction.box) == (tmp_path / "a.png", (16, 12, 40, 30))


def test_what_find_prints_with_zero_bytes_is_no_list_of_paths(run, family):
    result = run("who", "-", typed="/p/beach.jpg\0/p/lake.jpg\0")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "stdin holds a zero byte" in result.stderr


def test_a_name_with_an_equals_sign_can_be_named(run, family):
    with Library(family) as library:
        library.concepts.add("a=b")
    assert entries(run, "/p/beach.jpg", "--is", "a=b")["a=b"]["is_present"]
    assert entries(run, "/p/beach.jpg", "--is", "a=b=1,2,3,4")["a=b"]["box"] == [1, 2, 3, 4]


def test_names_in_an_edited_caption_count_and_the_word_before_stays(run, family):
    run("who", "/p/lake.jpg", "--not", "Rex")
    result = run("edit-caption", "/p/lake.jpg", "Anna's swim, Rex stayed at home")
    assert "It counts as a photo of Anna;" in result.stderr
    assert "You said that Rex is not in the photo" in result.stderr
    assert run("who", "/p/lake.jpg").stdout == "Anna\tyes\tyour caption\t\t\nRex\tno\tyou\t\t\n"
    assert "Anna (2)" in run("ask", "Who is in my photos?").stdout
    corrected = run("who", "/p/lake.jpg", "--not", "Anna")
    assert "You wrote the caption of /p/lake.jpg yourself" in corrected.stderr


def test_a_caption_may_name_who_was_taken_off_under_a_name_merged_since(run, family):
    with Library(family) as library:
        library.concepts.add("Annie")
    run("who", "/p/beach.jpg", "--not", "Annie")
    run("merge-concepts", "Annie", "Anna", "--yes")
    result = run("edit-caption", "/p/beach.jpg", "Annie at the lake")
    assert result.exit_code == 0
    assert "It counts as a photo of Annie" in result.stderr
    assert entries(run, "/p/beach.jpg")["Annie"]["is_present"]


@pytest.mark.slow
def test_a_single_reference_photo_is_removed_and_comes_back(run, family, tmp_path):
    with Library(family) as library:
        library.concepts.add_reference(library.concepts.get("Rex").id, 2)
    result = run("remove-reference", "rex", "/p/beach.jpg", "--json")
    assert json.loads(result.stdout) == {
        "name": "Rex",
        "removed": ["/p/beach.jpg"],
        "photos": ["/p/lake.jpg"],
    }
    assert "photopal undo" in result.stderr
    last = run("remove-reference", "Rex", "/p/lake.jpg")
    assert last.exit_code == 2
    assert "photopal remove-concept Rex" in last.stderr
    missing = run("remove-reference", "Rex", "/p/beach.jpg")
    assert missing.exit_code == 4
    assert "is not a reference photo of Rex" in missing.stderr
    run("undo")
    assert len(json.loads(run("concepts", "--json").stdout)[1]["photos"]) == 2


def test_a_missing_reference_photo_can_be_removed(run, family):
    from pathlib import Path

    with Library(family) as library:
        library.concepts.add_reference(library.concepts.get("Rex").id, 2)
        library.paths.mark_missing([Path("/p/lake.jpg")])
    assert run("remove-reference", "Rex", "/p/lake.jpg").exit_code == 0


@pytest.mark.slow
def test_a_merge_previews_is_done_and_split_again(run, family):
    preview = run("merge-concepts", "Rex", "anna")
    assert preview.exit_code == 0
    assert "Would merge Anna (person) into Rex (pet):" in preview.stdout
    assert "0 reference photos of Anna, 1 of Rex" in preview.stdout
    assert "1 caption with the name Anna" in preview.stdout
    assert "--yes" in preview.stderr
    assert len(run("concepts").stdout.splitlines()) == 2
    done = run("merge-concepts", "Rex", "anna", "--yes")
    assert done.exit_code == 0
    assert "photopal split-concept Anna" in done.stderr
    [rex] = json.loads(run("concepts", "--json").stdout)
    assert (rex["name"], rex["merged"]) == ("Rex", ["Anna"])
    restored = run("restore-concept", "Anna")
    assert restored.exit_code == 2
    assert "photopal split-concept Anna" in restored.stderr
    split = run("split-concept", "ANNA", "--json")
    assert json.loads(split.stdout) == {"name": "Anna", "kind": "person", "photos": []}
    assert run("search", "anna", "--paths").stdout == "/p/beach.jpg\n"
    assert run("split-concept", "Anna").exit_code == 2
    assert run("merge-concepts", "Rex", "rex").exit_code == 2
    assert json.loads(run("merge-concepts", "Rex", "Anna", "--json").stdout)["is_merged"] is False


def test_a_file_that_is_another_photo_by_now_is_not_taken_for_the_one_before(run, home, tmp_path):
    paths = [save(tmp_path / "photos" / f"{number}.jpg", draw(number)) for number in range(2)]
    first, second = map(str, paths)
    run("index", str(tmp_path / "photos"))
    run("add-concept", "Anna", first)
    run("edit-caption", first, "Anna at the sea")
    aside = tmp_path / "aside"
    paths[0].rename(aside)
    paths[1].rename(paths[0])
    for is_swapped in (False, True):
        if is_swapped:
            aside.rename(paths[1])
        for words in (
            ("who", first),
            ("who", first, "--not", "Anna"),
            ("edit-caption", first, "A dog"),
            ("set-date", first, "1974"),
            ("info", first),
            ("why", first),
        ):
            result = run(*words)
            assert result.exit_code == 1
            assert "0.jpg: changed since it was indexed; run `photopal index` first" in result.stderr
    run("index", str(tmp_path / "photos"))
    assert entries(run, second)["Anna"]["verdict"] == "yes"
    assert run("edit-caption", first, "A dog").exit_code == 0
    paths[0].unlink()  # as on a drive that is away: what is known can still be looked up
    for words in (("who", first), ("who", first, "--not", "Anna"), ("info", first), ("why", first)):
        assert run(*words).exit_code == 0
