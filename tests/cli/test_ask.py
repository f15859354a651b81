"""`photopal ask`."""

import json

import pytest

from photopal.ingest.references import add_references, list_reference_files
from photopal.library import Library


@pytest.fixture
def ask(run, tiny_llava, home, drawn_family):
    with Library(home / "library.db") as library:
        for name, photos in drawn_family.photos.items():
            add_references(library, name, list_reference_files(photos))
    return lambda *words: run("ask", *map(str, words), PHOTOPAL_MODEL=str(tiny_llava))


def test_one_photo_gives_the_answer_alone(ask, drawn_family):
    result = ask("What colour is the sky?", drawn_family.both)
    assert result.exit_code == 0
    assert str(drawn_family.both) not in result.stdout
    assert result.stdout.strip()


@pytest.mark.parametrize("question", ["", "  ", "?!"])
def test_an_empty_question_is_refused_with_and_without_photos(ask, drawn_family, question):
    for photos in ((), (drawn_family.both,)):
        result = ask(question, *photos)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "the question is empty" in result.stderr


@pytest.mark.slow
def test_several_photos_give_a_block_each(ask, drawn_family):
    result = ask("What is this?", drawn_family.both, drawn_family.strangers[0])
    assert result.exit_code == 0
    assert f"{drawn_family.both}:\n" in result.stdout
    assert f"{drawn_family.strangers[0]}:\n" in result.stdout


@pytest.mark.slow
def test_json_has_the_answer_and_who_was_seen(ask, drawn_family):
    [answer] = json.loads(ask("Is Anna here?", drawn_family.both, "--json").stdout)
    assert answer["path"] == str(drawn_family.both)
    assert set(answer) == {"path", "answer", "names", "is_from_model"}


def test_a_folder_without_photos_has_no_answer(ask, tmp_path):
    (tmp_path / "empty").mkdir()
    result = ask("What is this?", tmp_path / "empty")
    assert (result.exit_code, result.stdout) == (4, "")
    assert f"{tmp_path / 'empty'}: no photos" in result.stderr
    result = ask("What is this?", tmp_path / "empty", "--json")
    assert (result.exit_code, result.stdout) == (4, "[]\n")


def test_what_the_user_excluded_of_a_folder_is_not_asked_about(ask, drawn_family, home, tmp_path):
    folder = tmp_path / "asked"
    folder.mkdir()
    for name in ("photo.png", "screen.png"):
        (folder / name).write_bytes(drawn_family.both.read_bytes())
    with Library(home / "library.db") as library:
        library.facts.set_globs(folder, ["screen*"])
    [answer] = json.loads(ask("What is this?", folder, "--json").stdout)
    assert answer["path"] == str(folder / "photo.png")


@pytest.mark.slow
def test_a_bad_photo_beside_a_good_one_is_3_and_alone_is_1(ask, drawn_family, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    both = ask("What is this?", drawn_family.both, broken, tmp_path / "nowhere.jpg")
    assert both.exit_code == 3
    assert "broken.jpg: not a photo" in both.stderr
    assert "nowhere.jpg: does not exist" in both.stderr
    assert ask("What is this?", broken).exit_code == 1


def test_the_library_answers_without_a_model(run, ask, drawn_family):
    result = run("ask", "How many photos of Anna are there?", PHOTOPAL_MODEL="/no/model")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 photos of Anna")
    assert str(drawn_family.photos["Anna"][0]) in result.stdout
    told = json.loads(run("ask", "How many photos of Anna are there?", "--json").stdout)
    assert (told["total"], told["is_from_model"]) == (3, False)


def test_an_unknown_name_is_code_2(ask):
    assert ask("How many photos of Annna are there?").exit_code == 2
