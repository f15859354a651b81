"""A way to run commands as a user does, and a small library to run them on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text
from typer.testing import CliRunner, Result

from photopal.cli.app import app
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo
from tests.fake_hub import hub  # noqa: F401 - a fixture

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """Run a command with its own home folder; the result's streams are plain text."""

    def run_command(*words: str, typed: str | None = None, **environ: str) -> Result:
        clean = {"PHOTOPAL_HOME": str(home), "PHOTOPAL_MODEL": "", "COLUMNS": "80", **environ}
        return CliRunner().invoke(app, list(words), input=typed, prog_name="photopal", env=clean)

    return run_command


@pytest.fixture
def words() -> Callable[[str], str]:
    """Take colours out of what a command printed, and fold it to one line."""
    return lambda printed: " ".join(Text.from_ansi(printed).plain.split())


def put(library: Library, path: str, **exif: str) -> int:
    """Record a photo that needs no file."""
    content_hash = f"{sum(place * ord(letter) for place, letter in enumerate(path, 1)):032x}"
    return library.photos.add(Photo(Path(path), content_hash, 1, 1, 64, 48, "JPEG", Exif(**exif), b"jpeg"))


@pytest.fixture
def family(home: Path) -> Path:
    """A library with Anna and Rex on the beach, a lake, a red car and a file with a hostile name."""
    path = home / "library.db"
    with Library(path) as library:
        beach = put(library, "/p/beach.jpg", taken_at="2023-07-03T18:22:01+02:00", camera="Canon R5")
        put(library, "/p/lake.jpg", taken_at="2024-05-01T09:00:00")
        put(library, "/p/\x1b[31m[bold]hostile\udcff.jpg")
        anna, rex = library.concepts.add("Anna"), library.concepts.add("Rex", kind="pet", about="a brown dog")
        library.concepts.add_reference(rex.id, beach)
        found = [
            Appearance(concept_id=concept.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)
            for concept in (anna, rex)
        ]
        caption = "Anna throws a [red]ball[/red] to Rex on the beach."
        library.captions.put(beach, caption, model="m", bank=None, prompt_version="1", appearances=found)
    return path
