"""Keeps results of cells on disk, so that an interrupted report goes on where it was; computes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from photopal.files import atomic_write
from photopal.lab.experiments.form import Cell, Result


class Keeper:
    """Results in a folder, a file each.

    Args:
        folder: Made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, cell: Cell) -> Result | None:
        """The result of a cell; None where there is none, or its file is broken."""
        try:
            told = json.loads(self._path(cell).read_text(encoding="utf-8"))
            return Result(**{**told, "cell": Cell(**told["cell"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, result: Result) -> None:
        """Keep a result; at every instant its file is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self._path(result.cell), json.dumps(asdict(result)))

    def forget(self, cell: Cell) -> None:
        """Delete the result of a cell, if there is one."""
        self._path(cell).unlink(missing_ok=True)

    def _path(self, cell: Cell) -> Path:
        return self.folder / f"{cell.key}.json"
