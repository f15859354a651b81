"""The program as a whole: help, errors, exit codes, streams, global options."""

import json
import os
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import photopal
from photopal.cli.app import COMMANDS, PhotopalGroup, function_of
from photopal.cli.context import Session
from photopal.cli.help import help_of, paragraphs_of
from photopal.errors import (
    BankError,
    ConceptError,
    LibraryError,
    ModelError,
    NothingFoundError,
    PhotoError,
    PhotopalError,
    SettingsError,
    UsageError,
)
from photopal.faces import DETECTOR
from photopal.ingest.indexer import index_folders
from photopal.library import Library

NAMES = [name for commands in COMMANDS.values() for name in commands]


def test_help_names_every_command(run, words):
    result = run("--help")
    assert result.exit_code == 0
    for name in NAMES:
        assert f" {name} " in words(result.stdout)


def test_no_arguments_print_the_help(run, words):
    result = run()
    assert "Usage: photopal" in words(result.output)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_with_an_example(run, words, name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"Examples: photopal {name}" in words(result.stdout)
    assert "<bool>" not in result.stdout


def test_the_help_page_says_of_each_command_what_the_command_says_of_itself():
    for commands in COMMANDS.values():
        for name, sentence in commands.items():
            assert paragraphs_of(function_of(name))[0] == sentence


def test_the_shell_completes_commands_and_their_options(run):
    def complete(line: str) -> list[str]:
        environ = {"_PHOTOPAL_COMPLETE": "complete_bash", "COMP_WORDS": line}
        return run(**environ, COMP_CWORD=str(len(line.split(" ")) - 1)).stdout.split()

    assert complete("photopal re") == [
        "review",
        "rename-concept",
        "remove-reference",
        "remove-concept",
        "restore-concept",
        "restore",
    ]
    assert complete("photopal search --p") == ["--paths"]
    assert complete("photopal eval b") == ["bundled"]
    assert "check" not in complete("photopal ")


@pytest.mark.slow
def test_help_works_with_a_broken_config_file(run, home):
    home.mkdir()
    (home / "config.toml").write_text("nonsense", encoding="utf-8")
    assert run("search", "--help").exit_code == 0
    assert run("where").exit_code == 2


def test_the_version_is_one_line(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"photopal {photopal.__version__}\n")


@pytest.mark.slow
def test_python_dash_m_runs_the_program():
    done = subprocess.run(
        [sys.executable, "-m", "photopal", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"photopal {photopal.__version__}\n"


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(run, words):
    result = run("serch")
    assert result.exit_code == 2
    assert "Did you mean 'search'?" in words(result.stderr)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PhotopalError, 1),
        (UsageError, 2),
        (ConceptError, 2),
        (SettingsError, 2),
        (partial(PhotoError, Path("roof.jpg")), 1),
        (LibraryError, 1),
        (ModelError, 1),
        (BankError, 1),
        (NothingFoundError, 4),
    ],
)
def test_an_error_becomes_words_on_stderr_and_its_exit_code(error, code):
    app = typer.Typer(cls=PhotopalGroup)

    @app.callback()
    def start() -> None:
        pass

    @app.command()
    def fail() -> None:
        raise error("the roof [bold]leaks\x1b[2J", hint="call somebody")

    result = CliRunner().invoke(app, ["fail"])
    assert result.exit_code == code
    assert result.stdout == ""
    assert "the roof [bold]leaks\\x1b[2J" in result.stderr
    assert "Hint: call somebody" in result.stderr
    assert "Traceback" not in result.output


def test_ctrl_c_ends_with_130_and_without_a_traceback():
    app = typer.Typer(cls=PhotopalGroup)

    @app.callback()
    def start() -> None:
        pass

    @app.command()
    def wait() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(app, ["wait"])
    assert result.exit_code == 130
    assert "Interrupted" in result.stderr


@pytest.fixture
def bare_photo(home, tmp_path):
    """The only photo of a library without names, searched for faces in vain."""
    (tmp_path / "photos").mkdir()
    photo = tmp_path / "photos" / "a.png"
    Image.new("RGB", (64, 48), "green").save(photo)
    with Library(home / "library.db") as library:
        index_folders(library, [photo])
        library.faces.put(library.photos.at(photo).id, [], detector=DETECTOR)
    return photo


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("search zebra", []),
        ("gallery zebra --into GALLERY", {"page": None, "photos": 0, "size_bytes": 0, "not_copied": []}),
        ("similar PHOTO", []),
        ("locate PHOTO", []),
        ("people --no-scan", {"groups": [], "total": 0, "may_show": []}),
        ("review", []),
        ("watch-status", []),
        ("who PHOTO", "names"),
        ("why PHOTO", "names"),
        ("import-names", "names"),
        ("write-metadata zebra", "sidecars"),
        ("ask 'Show me photos of zebras'", "photos"),
    ],
)
def test_where_nothing_is_found_the_answer_is_json_too(run, bare_photo, tmp_path, tiny_llava, line, answer):
    places = {"PHOTO": str(bare_photo), "GALLERY": str(tmp_path / "gallery")}
    words = [places.get(word, word) for word in shlex.split(line)]
    result = run(*words, "--json", PHOTOPAL_MODEL=str(tiny_llava))
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    if isinstance(answer, str):
        assert (told[0] if isinstance(told, list) else told)[answer] == []
    else:
        assert told == answer


def test_photos_that_are_confirmed_are_counted_in_json(run, bare_photo):
    result = run("problems", "--confirm", str(bare_photo), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"confirmed": 0})


@pytest.mark.parametrize("line", ["info", "edit-caption", "set-date", "who", "why", "problems --confirm"])
def test_of_a_path_that_is_no_photo_of_the_library_it_is_said_what_it_is(run, bare_photo, line):
    command, *options = line.split()
    rest = {"edit-caption": ["words"], "set-date": ["1974"]}.get(command, [])
    folder = run(command, *options, str(bare_photo.parent), *rest)
    assert (folder.exit_code, folder.stdout) == (2, "")
    assert f"{bare_photo.parent}: is a folder" in folder.stderr
    nowhere = run(command, *options, str(bare_photo.parent / "b.png"), *rest)
    assert (nowhere.exit_code, nowhere.stdout) == (4, "")
    assert "b.png: not in the library\nHint: Check the path: there is no such file." in nowhere.stderr


@pytest.mark.parametrize(
    "line",
    ["tune", "demo", "eval bundled", "eval described", "eval drawn", "eval camera X", "eval dataset X",
     "eval faults X", "eval make drawn X"],
)  # fmt: skip
def test_a_seed_that_no_generator_takes_is_refused(run, words, line):
    result = run(*line.split(), "--seed", str(2**32))
    said = words(result.stderr)
    assert (result.exit_code, "Invalid value for '--seed'" in said, "4294967295" in said) == (2, True, True)


@pytest.mark.parametrize("line", ["who PHOTO --is Zoe", "why PHOTO Zoe", "locate PHOTO Zoe", "review Zoe"])
def test_a_name_is_unknown_also_where_there_are_none(run, bare_photo, tiny_llava, line):
    words = [str(bare_photo) if word == "PHOTO" else word for word in line.split()]
    result = run(*words, "--json", PHOTOPAL_MODEL=str(tiny_llava))
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'no concept named "Zoe"' in result.stderr


def test_global_options_may_follow_the_command(run, tmp_path, words):
    before = run("--home", str(tmp_path / "other"), "where")
    after = run("where", "--home", str(tmp_path / "other"), "--no-color")
    glued = run("where", f"--home={tmp_path / 'other'}")
    assert before.stdout == after.stdout == glued.stdout
    assert str(tmp_path / "other" / "library.db") in before.stdout
    assert str(tmp_path / "other" / "features") in before.stdout


def test_what_follows_two_dashes_is_no_option(run, family):
    result = run("search", "--", "--home")
    assert result.exit_code == 4
    assert "'--home'" in result.stderr


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (("write-metadata", "--yes", "-2021"), "-2021"),
        (("info", "-a b.jpg"), "'-a b.jpg'"),
        (("search", "-b"), "-b"),
    ],
)
def test_of_a_word_that_is_taken_for_an_option_it_is_said_how_to_give_it(run, words, line, word):
    result = run(*line)
    assert result.exit_code == 2
    hint = f"Hint: Put -- before words that begin with a dash: photopal {line[0]} -- {word}"
    assert words(result.stderr).endswith(hint)
    assert "Hint" not in run(line[0], "--nonsense").stderr
    assert "Hint" not in run("status", "-x").stderr  # takes no words


def test_a_file_that_cannot_be_read_is_no_wrong_line(run, family, tmp_path, monkeypatch):
    (tmp_path / "closed.jpg").touch()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK and access(path, mode))
    assert "not in the library" in run("info", str(tmp_path / "closed.jpg")).stderr


def test_a_global_option_without_its_value_is_a_usage_error(run, words):
    result = run("where", "--home")
    assert result.exit_code == 2
    assert "--home" in words(result.stderr)


def test_quiet_silences_talk_but_not_results_or_errors(run, family, home):
    assert run("concepts", "--quiet").stdout == run("concepts").stdout
    run("remove-concept", "Rex", "--yes")
    assert run("restore-concept", "Rex", "-q").stderr == ""
    assert run("search", "nothing", "-q").stderr != ""


def test_no_colour_reaches_a_pipe(run, family):
    for result in (
        run("status"),
        run("search", "beach"),
        run("search", "beach", FORCE_COLOR="", NO_COLOR="1"),
    ):
        assert "\x1b" not in result.stdout


def test_a_command_can_be_added_with_one_function():
    def greet(name: Annotated[str, typer.Argument()]) -> None:
        """Greet somebody.

        More
        words.

        Examples:
          photopal greet [name]
        """

    assert help_of(greet) == ("Greet somebody.\n\nMore words.\n\n\b\nExamples:\n  photopal greet [name]")


def test_a_session_loads_the_model_of_its_settings(tiny_llava, home):
    model = Session(home=home, model=str(tiny_llava), device="cpu").model()
    assert model.device.type == "cpu"


def test_a_command_answers_to_its_former_name_which_help_does_not_show(run, words):
    assert "Check the library" in words(run("check", "--help").stdout)
    assert " verify " in run("--help").stdout
    assert " check " not in run("--help").stdout
