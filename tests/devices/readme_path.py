"""The way of the README, command after command, in this process and on a model that is loaded already."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from typer.testing import CliRunner


@dataclass(frozen=True)
class Album:
    """Photos to walk with.

    Attributes:
        masked: Reference photos of Anna, for which there are masks.
        masks: The folder of these.
        unmasked: Reference photos of Ben, who has to be found on them.
        others: Further photos, of anybody.
    """

    masked: list[Path]
    masks: Path
    unmasked: list[Path]
    others: list[Path]

    @classmethod
    def of(cls, family: Any) -> Album:
        """The album of a `DrawnFamily`: Anna with masks, Ben without."""
        anna, ben = family.photos["Anna"], family.photos["Ben"]
        return cls(anna, family.masks["Anna"], ben, [family.both, *family.strangers])


class Walk:
    """The commands of the README on one model, in a library of its own.

    Args:
        model: A `LoadedModel`, on any device: every command is given this one instead of loading it.
        home: The folder for library and banks.
        album: The photos.

    Attributes:
        seconds: How long each command took so far, by its name.
        epoch_s: How long an epoch of tuning took, with the validation before the first.
    """

    def __init__(self, model: Any, home: Path, album: Album) -> None:
        self.model, self.home, self.album = model, home, album
        self.seconds: dict[str, float] = {}
        self.epoch_s = float("nan")

    def run(self, *words: str | Path) -> str:
        """Run a command; returns what it prints.

        Raises:
            AssertionError: It failed.
        """
        from photopal.cli.app import app

        started = time.monotonic()
        environ = {
            "PHOTOPAL_HOME": str(self.home),
            "PHOTOPAL_MODEL": str(self.model._checkpoint.folder),
            "COLUMNS": "80",
        }
        with _loaded_already(self.model):
            result = CliRunner().invoke(app, [str(word) for word in words], prog_name="photopal", env=environ)
        self.seconds[str(words[0])] = self.seconds.get(str(words[0]), 0.0) + time.monotonic() - started
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    def told(self, *words: str | Path) -> Any:
        """Run a command with `--json`."""
        return json.loads(self.run(*words, "--json"))

    def _captions(self, most: int) -> list[dict[str, Any]]:
        lines = self.run("caption", *self.album.others[:most], "--force", "--jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def walk(self, *, epochs: int = 1, most_captions: int = 2) -> dict[str, Any]:
        """Take every step; returns what each told, without what differs from run to run."""
        album, photo = self.album, self.album.others[0]
        taken: dict[str, Any] = {}
        self.run("index", photo.parent)
        taken["Anna"] = self.told(
            "add-concept", "Anna", *album.masked, "--mask", album.masks, "--about", "tall"
        )
        taken["Ben"] = self.told("add-concept", "Ben", *album.unmasked)
        taken["located"] = self.told("locate", photo)
        taken["untuned"] = self._captions(most_captions)
        tuned = self.told("tune", "--epochs", str(epochs), "--tokens", "4", "--lr", "0.01")
        self.epoch_s = tuned.pop("seconds") / tuned["epochs"]
        taken["tuned"] = tuned
        taken["captions"] = self._captions(most_captions)
        taken["answer"] = self.run("ask", "What is Ben doing?", photo)
        taken["count"] = self.run("ask", "How many photos of Anna are there?")
        taken["look"] = self.run("ask", "What is Anna wearing?")
        taken["similar"] = self.told("similar", photo)
        taken["undone"] = self.run("undo")
        return taken


@contextmanager
def _loaded_already(model: Any) -> Iterator[None]:
    """Give every caller of `load_model` this model; which device it is on is decided before the walk."""
    with mock.patch("photopal.vlm.load.load_model", return_value=model):
        yield


def differences(one: Any, other: Any, *, at: str = "") -> tuple[float, list[str]]:
    """Compare what two walks told.

    Returns:
        The largest difference of two numbers with a fraction, and where anything else is not the same.
    """
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other), []
    if type(one) is not type(other) or (isinstance(one, list | dict) and len(one) != len(other)):
        return 0.0, [at]
    if isinstance(one, list):
        pairs = [(f"{at}[{place}]", a, b) for place, (a, b) in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, dict):
        pairs = [(f"{at}.{key}", one[key], other.get(key)) for key in one]
    else:
        return 0.0, [] if one == other else [at]
    found = [differences(a, b, at=where) for where, a, b in pairs]
    return max((size for size, _ in found), default=0.0), [where for _, wheres in found for where in wheres]
