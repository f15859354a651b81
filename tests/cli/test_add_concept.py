"""`photopal add-concept`."""

import json
import shutil

import pytest

from photopal.library import Library


@pytest.fixture
def add(run, tiny_llava):
    return lambda *words: run("add-concept", *map(str, words), PHOTOPAL_MODEL=str(tiny_llava))


def test_a_name_works_at_once_and_says_what_was_found(add, run, drawn_family, home, words):
    result = add("Anna", *drawn_family.photos["Anna"], "--kind", "pet", "--about", "small")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == [str(path) for path in drawn_family.photos["Anna"]]
    assert all(line[1].endswith(" of 64") and line[2].count(",") == 3 for line in lines)
    assert "Added Anna with 3 photos." in result.stderr
    assert "photopal tune" in result.stderr
    assert len(list((home / "banks").glob("*.bank.safetensors"))) == 1
    assert json.loads(run("status", "--json").stdout)["banks"] == 1
    assert json.loads(run("concepts", "--json").stdout)[0]["about"] == "small"


def test_what_the_user_excluded_of_a_folder_is_no_reference_photo_and_is_told(
    add, run, drawn_family, tmp_path
):
    folder = tmp_path / "anna"
    (folder / "bad").mkdir(parents=True)
    first, *rest = drawn_family.photos["Anna"]
    shutil.copy(first, folder / "bad" / first.name)
    for path in rest:
        shutil.copy(path, folder / path.name)
    run("index", str(folder), "--exclude", "bad/")
    result = add("Anna", folder)
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
        str(folder / path.name) for path in sorted(rest)
    ]
    assert "1 excluded item left out" in result.stderr


def test_a_known_name_gets_further_photos(add, drawn_family):
    first, *rest = drawn_family.photos["Anna"]
    add("Anna", first, "--box", "10,20,50,60")
    more = add("anna", *rest)
    assert "Added 2 photos to " in more.stderr
    same = add("ANNA", *rest)
    assert "already has these photos" in same.stderr
    assert same.exit_code == 0


def test_a_box_gives_the_patches_it_covers(add, drawn_family):
    added = json.loads(add("Anna", drawn_family.both, "--box", "0,0,40,80", "--json").stdout)
    assert added["photos"] == [
        {"path": str(drawn_family.both), "patches": 8, "of": 64, "box": [0, 0, 40, 80]}
    ]


@pytest.mark.parametrize(
    "options",
    [
        ("--box", "1,2,3"),
        ("--box", "1,2,3,x"),
        ("--box", "100,100,100,100"),
        ("--box", "1,1,5,5", "--box", "1,1,5,5"),
        ("--mask", "/nowhere.png"),
        ("--kind", "robot"),
        ("/nowhere.jpg",),
    ],
)
def test_what_cannot_be_used_is_code_2_and_adds_nothing(add, home, drawn_family, options):
    result = add("Anna", drawn_family.both, *options)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    if (home / "library.db").exists():
        with Library(home / "library.db") as library:
            assert library.concepts.all() == []
            assert library.counts()["photos"] == 0


@pytest.mark.parametrize("is_there", [False, True])
def test_why_a_mask_cannot_be_read_is_said_once(add, drawn_family, tmp_path, is_there):
    mask = tmp_path / "mask.png"
    if is_there:
        mask.write_bytes(b"no picture")
    told = add("Anna", drawn_family.both, "--mask", mask).stderr
    reason = "not a photo that photopal can read" if is_there else "No such file or directory"
    assert told.startswith(f"Error: {mask}: the mask cannot be read: {reason}\n")


def test_one_broken_photo_among_good_ones_adds_nothing(add, home, drawn_family, tmp_path):
    broken = tmp_path / "broken \x1b[31m.jpg"
    broken.write_bytes(b"no photo")
    result = add("Anna", drawn_family.both, broken)
    assert result.exit_code == 2
    assert "\\x1b" in result.stderr
    assert "\x1b[31m" not in result.output
    with Library(home / "library.db") as library:
        assert library.counts()["photos"] == 0


def test_without_a_model_nothing_is_added(run, home, drawn_family):
    result = run("add-concept", "Anna", str(drawn_family.both), PHOTOPAL_MODEL="/no/model")
    assert result.exit_code == 1
    assert not (home / "library.db").exists()


@pytest.mark.slow
def test_a_description_that_somebody_else_has_is_warned_of(add, drawn_family):
    first = add("Anna", *drawn_family.photos["Anna"], "--about", "a small girl")
    assert "are both described" not in first.stderr
    other = add("Ben", *drawn_family.photos["Ben"], "--about", "The small girl")
    assert 'Anna and Ben are both described as "The small girl"' in " ".join(other.stderr.split())
    better = add("Ben", *drawn_family.photos["Ben"], "--about", "a tall boy")
    assert "are both described" not in better.stderr
