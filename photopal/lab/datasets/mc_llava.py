"""Reads a dataset in the layout of MC-LLaVA, as the authors' code reads it; runs no model.

Where their code and their README differ, the code is followed: `vqa.json` holds questions about photos,
`qa.json` those without. Where the code mistakes one name for another because it looks for "A" within
"Alex_Gloria", whole names are compared. A null in `position.json` means that the concept is not on the photo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photopal.errors import DatasetError
from photopal.lab.datasets.reading import (
    bare_names,
    letter_of,
    list_photos,
    need_photos,
    read_json,
    read_json_if_there,
    resolve_photo,
    split_off,
    take_apart,
    text_of,
)
from photopal.lab.datasets.scenario import (
    ConceptRegion,
    Dataset,
    DatasetConcept,
    DatasetPhoto,
    Kind,
    Negative,
    Negatives,
    Question,
    Scenario,
    Task,
)

SINGLE_QUESTIONS = 2
"""How many first questions about a photo of several concepts are about one of them, as the authors count."""


@dataclass(frozen=True)
class Extra:
    """What this project's own datasets say beyond the layout, in `photopal.json`.

    Attributes:
        concepts: For a name its kind, looks and sibling.
        groups: For a scenario what kind it is.
    """

    concepts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, str]


def load_mc_llava(root: Path, *, validation_share: float, seed: int) -> Dataset:
    """Read a dataset in the layout of MC-LLaVA.

    Args:
        root: The folder with `scenarios.json`.
        validation_share: Share of each concept's training photos to hold out.
        seed: Chooses which.

    Raises:
        DatasetError: A file is missing or malformed.
    """
    path = root / "concept_type.json"
    types = read_json(path, dict)
    for name, folder in types.items():
        if not isinstance(folder, str):
            raise DatasetError(f"{path}: the folder of {name} is no text")
    names = read_json(root / "scenarios.json", list)
    extra = _read_extra(root / "photopal.json")
    reader = _Reader(root=root, types=types, extra=extra, validation_share=validation_share, seed=seed)
    scenarios = tuple(reader.scenario(name) for name in names)
    return Dataset(root, "mc-llava", scenarios, read_negatives(root, seed))


def _read_extra(path: Path) -> Extra:
    """What a project's own dataset says beyond the layout; nothing where there is no such file."""
    facts = read_json_if_there(path, dict) or {}
    concepts, groups = facts.get("concepts", {}), facts.get("groups", {})
    if not isinstance(concepts, dict) or not isinstance(groups, dict):
        raise DatasetError(f"{path}: the concepts or the groups are no object")
    for name, known in concepts.items():
        if not isinstance(known, dict):
            raise DatasetError(f"{path}: what is said of {name} is no object")
        for key in ("about", "sibling"):
            if not isinstance(known.get(key), str | None):
                raise DatasetError(f"{path}: {key!r} of {name} is no text")
    for name, group in groups.items():
        if not isinstance(group, str):
            raise DatasetError(f"{path}: the group of {name} is no text")
    return Extra(concepts, groups)


def read_negatives(root: Path, seed: int) -> Negatives:
    """The photos in `random-images`: half for training, a tenth for thresholds, the others for tests."""
    folder = root / "random-images"
    photos = [DatasetPhoto(path) for path in list_photos(folder)] if folder.is_dir() else []
    train, rest = split_off(photos, 0.5, f"negatives {seed}")
    test, validation = split_off(rest, 0.2, f"validation negatives {seed}")
    return Negatives(train, validation, test)


def concepts_of(scenario: str, known: Mapping[str, str], path: Path) -> list[str]:
    """The concepts in the name of a scenario: whole names of the dataset with underscores between.

    Raises:
        DatasetError: A part of the name is no concept.
    """
    parts = scenario.split("_")
    for end in range(len(parts), 0, -1):
        first = "_".join(parts[:end])
        if first not in known:
            continue
        if end == len(parts):
            return [first]
        try:
            return [first, *concepts_of("_".join(parts[end:]), known, path)]
        except DatasetError:
            continue
    raise DatasetError(f"{path}: the scenario {scenario} names a concept that concept_type.json lacks")


@dataclass(frozen=True)
class _Reader:
    root: Path
    types: Mapping[str, str]
    extra: Extra
    validation_share: float
    seed: int

    def scenario(self, name: Any) -> Scenario:
        if not isinstance(name, str):
            raise DatasetError(f"{self.root / 'scenarios.json'}: a name of a scenario is no text")
        names = concepts_of(name, self.types, self.root / "scenarios.json")
        concepts = tuple(self._concept(one) for one in names)
        folder = self.root / self.types[names[0]] / "multi" / name
        multi = self._multi(folder, names)
        questions: list[Question] = []
        for one in names:
            questions += self._about(self._test_folder(one), [one])
        questions += self._about(folder, names, is_multi=True)
        lookalikes = tuple(photo for one in names for photo in self._lookalikes(one))
        group = self.extra.groups.get(name, "plain")
        return Scenario(
            name=name,
            concepts=concepts,
            multi=multi,
            lookalikes=lookalikes,
            questions=tuple(questions),
            group=group,
        )

    def _test_folder(self, name: str) -> Path:
        return self.root / self.types[name] / "concept" / "test" / name

    def _concept(self, name: str) -> DatasetConcept:
        known = self.extra.concepts.get(name, {})
        train, validation = split_off(self._train(name), self.validation_share, f"{name} {self.seed}")
        test = tuple(self._seen(DatasetPhoto(p), [name]) for p in need_photos(self._test_folder(name)))
        kind = known.get("kind", "person")
        if kind not in ("person", "pet", "thing"):
            raise DatasetError(f"{self.root / 'photopal.json'}: {name} is of the kind {kind!r}")
        return DatasetConcept(
            name=name,
            kind=kind,
            about=known.get("about"),
            train=train,
            validation=validation,
            test=test,
            sibling=known.get("sibling"),
        )

    def _train(self, name: str) -> list[DatasetPhoto]:
        base = self.root / self.types[name] / "concept" / "train"
        listed = read_json_if_there(base / "train.json", dict)
        if listed is None:
            paths = need_photos(base / name)
        else:
            paths = [base / name / str(file) for file in _list_in(listed, name, base / "train.json")]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise DatasetError(f"{missing[0]}: the photo is missing", hint=f"{base / 'train.json'} names it.")
        masks = [path.with_name(f"{path.stem}_mask.png") for path in paths]
        without = [mask for mask in masks if not mask.is_file()]
        if without and len(without) < len(masks):
            raise DatasetError(f"{without[0]}: the mask is missing, while other photos have one")
        return [
            DatasetPhoto(path, {name: ConceptRegion(mask=None if without else mask)})
            for path, mask in zip(paths, masks, strict=True)
        ]

    def _multi(self, folder: Path, names: list[str]) -> tuple[DatasetPhoto, ...]:
        paths = need_photos(folder)
        position = folder / "position.json"
        told = {
            resolve_photo(written, self.root, position): self._positions(sides, names, position)
            for written, sides in read_json(position, dict).items()
        }
        photos = []
        for path in paths:
            words = told.get(path, dict.fromkeys(names, ""))
            shown = [name for name in names if words.get(name) is not None]
            absent = tuple(name for name in names if name not in shown)
            photos.append(self._seen(DatasetPhoto(path, absent=absent), shown, words))
        return tuple(photos)

    @staticmethod
    def _positions(sides: Any, names: list[str], path: Path) -> dict[str, str | None]:
        if not isinstance(sides, dict):
            raise DatasetError(f"{path}: a photo's positions are no object")
        short = {name.split("_")[0]: name for name in names}
        positions: dict[str, str | None] = {}
        for written, side in sides.items():
            bare = written.removeprefix("<").removesuffix(">")
            name = bare if bare in names else short.get(bare)
            if name is None:
                raise DatasetError(f"{path}: {written!r} is no concept of this scenario")
            positions[name] = None if side is None else str(side)
        return positions

    def _seen(
        self, photo: DatasetPhoto, names: Sequence[str], words: Mapping[str, str | None] | None = None
    ) -> DatasetPhoto:
        folder = self.root / "masks" / photo.path.parent.relative_to(self.root)
        regions = {}
        for name in names:
            mask = folder / f"{photo.path.stem}_{name}.png"
            regions[name] = ConceptRegion(mask if mask.is_file() else None, (words or {}).get(name) or None)
        return replace(photo, regions=regions)

    def _lookalikes(self, name: str) -> list[DatasetPhoto]:
        kinds: dict[str, Negative] = {"lookalikes": "sibling", "near-duplicates": "near-duplicate"}
        folders = {self.root / folder / name: kind for folder, kind in kinds.items()}
        return [
            DatasetPhoto(path, negative=kind, resembles=name)
            for folder, kind in folders.items()
            if folder.is_dir()
            for path in list_photos(folder)
        ]

    def _about(self, folder: Path, names: list[str], *, is_multi: bool = False) -> Iterator[Question]:
        files: dict[str, Task] = {"choice.json": "choice", "vqa.json": "vqa"}
        if is_multi:
            files["vqa_position.json"] = "grounding"
        for file, task in files.items():
            yield from self._about_photos(folder / file, task, names, is_multi=is_multi)
        path = folder / "qa.json"
        for entry in read_json_if_there(path, list) or []:
            text, answer = text_of(entry, "question", path), text_of(entry, "answer", path)
            yield _question("choice", "text", (text, answer), None, names)

    def _about_photos(
        self, path: Path, task: Task, names: list[str], *, is_multi: bool
    ) -> Iterator[Question]:
        if not path.exists() and task == "grounding":
            return
        for written, entries in read_json(path, dict).items():
            photo = resolve_photo(written, self.root, path)
            for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
                text, answer = text_of(entry, "Human", path), text_of(entry, "AI", path)
                kind: Kind = "si_sq"
                if is_multi:
                    is_single = task == "grounding" or number < SINGLE_QUESTIONS
                    kind = "mi_sq" if is_single else "mi_mq"
                yield _question(task, kind, (text, answer), photo, names)


def _question(
    task: Task, kind: Kind, written: tuple[str, str], photo: Path | None, names: list[str]
) -> Question:
    text, answer = (bare_names(words, names) for words in written)
    if task == "vqa":
        return Question(task=task, kind=kind, text=text, answer=answer, photo=photo)
    parts = take_apart(text)
    letter = letter_of(answer)
    return Question(
        task=task,
        kind=kind,
        text=parts.text,
        answer=letter or answer,
        photo=photo,
        options=parts.options,
    )


def _list_in(value: dict[str, Any], key: str, path: Path) -> list[Any]:
    if not isinstance(value.get(key), list) or not value[key]:
        raise DatasetError(f"{path}: no list of photos for {key}")
    listed: list[Any] = value[key]
    return listed
