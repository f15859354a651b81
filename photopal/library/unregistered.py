"""Keeps why a model could not register some concepts, in a small file beside its bank; knows no model.

The file is only told from: whoever registers writes it anew each time, and without it nothing is lost but
the reasons that `photopal concepts` shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from photopal.files import atomic_write

_SUFFIX = ".unregistered.json"


def keep_reasons(bank: Path, model: str, reasons: Mapping[int, str]) -> None:
    """Write down why concepts are not registered; never fails.

    It takes the place of what was kept of a model of the same name, such as an earlier version of this one:
    whoever reads the reasons knows the model by its name only.

    Args:
        bank: The model's bank.
        model: Its name.
        reasons: By concept id; with none the file goes.
    """
    path = bank.with_name(bank.name.split(".", 1)[0] + _SUFFIX)
    for other in _files_of(bank.parent, model):
        if other != path:
            with suppress(OSError):
                other.unlink()
    with suppress(OSError):
        if not reasons:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = {"model": model, "concepts": {str(i): reason for i, reason in sorted(reasons.items())}}
        atomic_write(path, json.dumps(facts, ensure_ascii=True))


def reasons_kept(folder: Path, model: str) -> dict[int, str]:
    """Return why concepts were not registered when a model was last asked to, by concept id.

    Args:
        folder: Where the banks are.
        model: The model's name.
    """
    reasons: dict[int, str] = {}
    for concepts in _files_of(folder, model).values():
        with suppress(ValueError, AttributeError):
            reasons |= {int(key): str(reason) for key, reason in concepts.items()}
    return reasons


def _files_of(folder: Path, model: str) -> dict[Path, Any]:
    """The files kept of models of a name, each with what it says of concepts."""
    found = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            facts = json.loads(path.read_text(encoding="ascii"))
            if facts["model"] == model:
                found[path] = facts["concepts"]
    return found
