"""What keeps the quick commands quick: none of them imports what takes seconds to import."""

import os
import subprocess
import sys

import pytest

from tests.marks import slow

HEAVY = {"torch", "transformers", "numpy", "PIL", "tokenizers", "watchdog", "pydantic"}


@pytest.mark.parametrize(
    "words", ["--help", "search rex --limit 5", *slow("--version", "status", "concepts --json", "where")]
)
def test_quick_commands_import_nothing_that_takes_seconds(family, home, words):
    """That is what the half second of each rests on; how long they take is told by benchmarks/search.py."""
    # --debug leaves stderr as it is, which takes Python's list of imports.
    command = [sys.executable, "-X", "importtime", "-m", "photopal", "--debug", *words.split()]
    environ = {**os.environ, "PHOTOPAL_HOME": str(home)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "photopal" in imported
    assert not imported & HEAVY
    assert ("rich" in imported) == (words not in ("--help", "--version"))
