"""Reads a dataset in the layout of Yo'LLaVA: a train and a test folder for each concept; runs no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photopal.errors import DatasetError
from photopal.lab.datasets.files import (
    list_folders,
    list_photos,
    need_photos,
    read_json_if_there,
    resolve_photo,
    split_off,
    text_of,
)
from photopal.lab.datasets.form import Dataset, DatasetConcept, DatasetPhoto, Place, Question, Scenario
from photopal.lab.datasets.mc_llava import split_negatives
from photopal.lab.datasets.wording import LETTERS, bare_names

QUESTIONS = "yollava-visual-qa.json"


def load_yollava(root: Path, *, validation_share: float, seed: int) -> Dataset:
    """Read a dataset in the layout of Yo'LLaVA; every concept is a scenario of its own.

    `train/<concept>/negative_example` holds photos of what resembles a concept, for training. Masks, if there
    are any, lie beside the training photos as `N_mask.png`.

    Args:
        root: The folder with `train` and `test`, or the one that has it as `yollava-data`.
        validation_share: Share of each concept's training photos to hold out.
        seed: Chooses which.

    Raises:
        DatasetError: A file is missing or malformed.
    """
    data = root if (root / "train").is_dir() else root / "yollava-data"
    questions = _read_questions(root, data)
    scenarios = []
    for folder in list_folders(data / "train"):
        name = folder.name
        train, validation = split_off(_train(folder), validation_share, f"{name} {seed}")
        test = tuple(DatasetPhoto(p, {name: Place()}) for p in need_photos(data / "test" / name))
        hard = folder / "negative_example"
        negatives = tuple(
            DatasetPhoto(path, negative="sibling", resembles=name)
            for path in (list_photos(hard) if hard.is_dir() else [])
        )
        concept = DatasetConcept(name, "thing", None, train, validation, test, negatives)
        scenarios.append(Scenario(name, (concept,), questions=tuple(questions.get(name, ()))))
    if not scenarios:
        raise DatasetError(f"{data / 'train'}: no concepts")
    strangers = root / "random-images"
    photos = [DatasetPhoto(path) for path in list_photos(strangers)] if strangers.is_dir() else []
    return Dataset(root, "yollava", tuple(scenarios), split_negatives(photos, seed))


def _train(folder: Path) -> list[DatasetPhoto]:
    photos = []
    for path in need_photos(folder):
        mask = path.with_name(f"{path.stem}_mask.png")
        photos.append(DatasetPhoto(path, {folder.name: Place(mask if mask.is_file() else None)}))
    return photos


def _read_questions(root: Path, data: Path) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    path = next((base / QUESTIONS for base in (root, data, root.parent) if (base / QUESTIONS).exists()), None)
    if path is None:
        return found
    for written, entries in (read_json_if_there(path, dict) or {}).items():
        photo = resolve_photo(written, data, path)
        for entry in entries if isinstance(entries, list) else [entries]:
            found.setdefault(photo.parent.name, []).append(_question(entry, photo, path))
    return found


def _question(entry: Any, photo: Path, path: Path) -> Question:
    text = bare_names(text_of(entry, "question", path), [photo.parent.name])
    options = entry.get("options")
    if not isinstance(options, dict) or list(options) != list(LETTERS[: len(options)]) or not options:
        raise DatasetError(f"{path}: the options of {photo.parent.name}/{photo.name} are not A, B, …")
    answer = text_of(entry, "correct_answer", path)
    if answer not in options:
        raise DatasetError(f"{path}: the answer to {photo.parent.name}/{photo.name} is none of its options")
    words = tuple(bare_names(str(option), [photo.parent.name]) for option in options.values())
    return Question("choice", "si_sq", text, answer, photo, words)
