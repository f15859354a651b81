"""Reads the layouts of Yo'LLaVA and MyVLM, which have a folder for each concept; runs no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photopal.errors import DatasetError
from photopal.lab.datasets.mc_llava import read_negatives
from photopal.lab.datasets.reading import (
    LETTERS,
    bare_names,
    list_folders,
    list_photos,
    need_photos,
    read_json,
    read_json_if_there,
    resolve_photo,
    split_off,
    text_of,
)
from photopal.lab.datasets.scenario import (
    ConceptRegion,
    Dataset,
    DatasetConcept,
    DatasetPhoto,
    Question,
    Scenario,
)

CHOICE_QUESTIONS = "yollava-visual-qa.json"


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
    questions = _read_choice_questions(root, data)
    scenarios = []
    for folder in list_folders(data / "train"):
        name = folder.name
        photos = []
        for path in need_photos(folder):
            mask = path.with_name(f"{path.stem}_mask.png")
            photos.append(DatasetPhoto(path, {folder.name: ConceptRegion(mask if mask.is_file() else None)}))
        train, validation = split_off(photos, validation_share, f"{name} {seed}")
        test = tuple(DatasetPhoto(p, {name: ConceptRegion()}) for p in need_photos(data / "test" / name))
        hard = folder / "negative_example"
        negatives = tuple(
            DatasetPhoto(path, negative="sibling", resembles=name)
            for path in (list_photos(hard) if hard.is_dir() else [])
        )
        concept = DatasetConcept(
            name=name,
            kind="thing",
            train=train,
            validation=validation,
            test=test,
            hard_negatives=negatives,
        )
        scenarios.append(Scenario(name, (concept,), questions=tuple(questions.get(name, ()))))
    if not scenarios:
        raise DatasetError(f"{data / 'train'}: no concepts")
    return Dataset(root, "yollava", tuple(scenarios), read_negatives(root, seed))


def _read_choice_questions(root: Path, data: Path) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    path = next(
        (base / CHOICE_QUESTIONS for base in (root, data, root.parent) if (base / CHOICE_QUESTIONS).exists()),
        None,
    )
    if path is None:
        return found
    for written, entries in (read_json_if_there(path, dict) or {}).items():
        photo = resolve_photo(written, data, path)
        for entry in entries if isinstance(entries, list) else [entries]:
            found.setdefault(photo.parent.name, []).append(_choice_question(entry, photo, path))
    return found


def _choice_question(entry: Any, photo: Path, path: Path) -> Question:
    text = bare_names(text_of(entry, "question", path), [photo.parent.name])
    options = entry.get("options")
    if not isinstance(options, dict) or list(options) != list(LETTERS[: len(options)]) or not options:
        raise DatasetError(f"{path}: the options of {photo.parent.name}/{photo.name} are not A, B, …")
    answer = text_of(entry, "correct_answer", path)
    if answer not in options:
        raise DatasetError(f"{path}: the answer to {photo.parent.name}/{photo.name} is none of its options")
    words = tuple(bare_names(str(option), [photo.parent.name]) for option in options.values())
    return Question(task="choice", kind="si_sq", text=text, answer=answer, photo=photo, options=words)


NEGATIVES = "random-images"
TRAIN_PHOTOS = 5
"""How many photos of a concept its rows are made of; the authors have four."""


def load_myvlm(root: Path, *, validation_share: float, seed: int) -> Dataset:
    """Read a dataset in the layout of MyVLM; every concept is a scenario of its own.

    The layout has no test folder: five photos, chosen by the seed, are for training, the others for tests.

    Args:
        root: The folder with a folder for each concept.
        validation_share: Share of each concept's training photos to hold out.
        seed: Chooses the training photos and which of them are held out.

    Raises:
        DatasetError: A file is missing or malformed.
    """
    scenarios = [
        _scenario(folder, validation_share, seed) for folder in list_folders(root) if folder.name != NEGATIVES
    ]
    if not scenarios:
        raise DatasetError(f"{root}: no concepts")
    return Dataset(root, "myvlm", tuple(scenarios), read_negatives(root, seed))


def _scenario(folder: Path, validation_share: float, seed: int) -> Scenario:
    name = folder.name
    captions = _read_captions(folder)
    photos = [
        DatasetPhoto(path, {name: ConceptRegion()}, captions=captions.get(path.name, ()))
        for path in need_photos(folder)
    ]
    if len(photos) < 2:
        raise DatasetError(f"{folder}: one photo cannot be for training and for tests")
    share = min(0.5, TRAIN_PHOTOS / len(photos))
    test, chosen = split_off(photos, share, f"{name} training {seed}")
    if not chosen:
        test, chosen = test[1:], test[:1]
    train, validation = split_off(chosen, validation_share, f"{name} {seed}")
    concept = DatasetConcept(name=name, kind="thing", train=train, validation=validation, test=test)
    tested = {photo.path for photo in test}
    questions = tuple(q for q in _read_questions(folder) if q.photo in tested)
    return Scenario(name, (concept,), questions=questions)


def _read_captions(folder: Path) -> dict[str, tuple[str, ...]]:
    path = folder / "captions.json"
    found: dict[str, tuple[str, ...]] = {}
    for file, written in read_json(path, dict).items():
        lines = [written] if isinstance(written, str) else written
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise DatasetError(f"{path}: the captions of {file} are no texts")
        if not (folder / file).is_file():
            raise DatasetError(f"{path}: names the photo {file}, which is not there")
        found[file] = tuple(_with_name(line, folder.name) for line in lines)
    return found


def _read_questions(folder: Path) -> list[Question]:
    """Free questions of `additional_llava_vqa_data.json`: for a file a list of question and answer."""
    path = folder / "additional_llava_vqa_data.json"
    found = []
    for file, entries in (read_json_if_there(path, dict) or {}).items():
        for entry in entries if isinstance(entries, list) else [entries]:
            pair = _pair(entry)
            if pair is None:
                raise DatasetError(f"{path}: an entry of {file} is no question with an answer")
            text, answer = (_with_name(words, folder.name) for words in pair)
            found.append(Question(task="vqa", kind="si_sq", text=text, answer=answer, photo=folder / file))
    return found


def _pair(entry: Any) -> tuple[str, str] | None:
    if isinstance(entry, dict):
        entry = [entry.get("question"), entry.get("answer")]
    if isinstance(entry, list) and len(entry) == 2 and all(isinstance(words, str) for words in entry):
        return entry[0], entry[1]
    return None


def _with_name(text: str, name: str) -> str:
    return bare_names(text, [name]).replace("<concept>", name)
