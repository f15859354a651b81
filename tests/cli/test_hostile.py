"""Text from outside, full of what a terminal would obey, is shown and never obeyed, by whichever command."""

import re
from pathlib import Path

import pytest

from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo, Skipped

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07\r\nnew\tline \u202etxt.exe\u2066 [bold]b[/bold] [link=x]\x9b2J\x00\udcff"
)
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\udc80-\udcff]")


@pytest.fixture
def hostile(home):
    """A library in which everything that can hold text holds what nobody should obey."""
    nameable = "".join(letter for letter in HOSTILE.replace("\x00", "") if not "\ud800" <= letter <= "\udfff")
    with Library(home / "library.db") as library:
        path = Path("/p") / HOSTILE.replace("\x00", "").replace("/", "")
        exif = Exif(taken_at="2024-07-03T18:22:01", camera=nameable, lens=nameable)
        photo_id = library.photos.add(
            Photo(path, f"{1:032x}", 1, 1, 64, 48, "JPEG", exif, b"jpeg"), place=nameable
        )
        rex = library.concepts.add("[red]Rex[/red] \u202eX", about=nameable)
        seen = [Appearance(concept_id=rex.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)]
        library.captions.put(photo_id, HOSTILE, model="m", bank=None, prompt_version="1", appearances=seen)
        library.concepts.add_reference(rex.id, photo_id)
        library.paths.add_problem(Skipped(path, HOSTILE), size_bytes=None, mtime_ns=None)
        library.concepts.rename("[red]Rex[/red] \u202eX", "[red]Bo[/red] \u202eX")
        library.captions.edit(photo_id, f"mine {HOSTILE}")
        library.history.undo()
    return home


@pytest.mark.parametrize(
    "words",
    [
        ["search"],
        ["search", "--json"],
        ["search", HOSTILE],
        ["search", "--concept", HOSTILE],
        ["search", "--since", HOSTILE],
        ["status"],
        ["problems"],
        ["problems", "--json"],
        ["concepts"],
        ["concepts", "--json"],
        ["undo", "--list"],
        ["undo", "--list", "--json"],
        ["undo"],
        ["remove-concept", "[red]Bo[/red] \u202eX"],
        ["remove-concept", HOSTILE],
        ["rename-concept", "[red]Bo[/red] \u202eX", "\u2066[bold]Z"],
        ["restore", HOSTILE.replace("\x00", "")],
        ["edit-caption", HOSTILE.replace("\x00", ""), "x"],
        ["set-date", HOSTILE.replace("\x00", ""), HOSTILE],
        ["info", HOSTILE.replace("\x00", "")],
        ["ask", "Where was [red]Bo[/red] \u202eX?"],
        ["ask", "What cameras are there?"],
    ],
)
def test_hostile_text_reaches_no_terminal(run, hostile, words):
    result = run(*words)
    assert result.exit_code in (0, 1, 2, 4), result.output
    for stream in (result.stdout, result.stderr):
        assert not OBEYED.search(stream), (words, stream)
    assert not isinstance(result.exception, UnicodeError)


def test_a_row_of_hostile_text_is_one_line(run, hostile):
    for command, cells in (("search", 4), ("problems", 3)):
        lines = run(command).stdout.removesuffix("\n").split("\n")
        assert len(lines) == 1
        assert len(lines[0].split("\t")) == cells


LONG = f"{'é' * 128}.jpg"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (4, ["who", LONG]),
        (4, ["who", LONG, "--is", "Rex"]),
        (4, ["write-metadata", LONG]),
        (4, ["write-metadata", "zebra " * 80]),
        (1, ["backup", LONG]),
        (1, ["backup", f"{LONG}/backup.db"]),
        (1, ["backup", LONG, "--force"]),
        (1, ["restore", LONG]),
        (1, ["restore", LONG, "--yes"]),
        (4, ["info", LONG]),
        (4, ["why", LONG]),
        (4, ["edit-caption", LONG, "x"]),
        (4, ["set-date", LONG, "2024"]),
        (2, ["index", LONG]),
        (2, ["similar", LONG]),
        (2, ["where", "/p/beach.jpg", "--picture", f"{LONG}/out.jpg"]),
        (1, ["gallery", "--into", LONG]),
        (2, ["gallery", "--into", f"{LONG}/gallery"]),
        (2, ["add-concept", "Tom", LONG]),
        (2, ["add-concept", "Tom", "/p/beach.jpg", "--mask", LONG]),
        (1, ["model", "use", LONG]),
        (1, ["model", "remove", LONG]),
        (0, ["--model", LONG, "model", "list"]),
        (2, ["--home", f"/tmp/{LONG}", "status"]),
        (2, ["eval", "camera", LONG]),
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_no_crash(run, family, code, words):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert "unexpected error" not in result.output
