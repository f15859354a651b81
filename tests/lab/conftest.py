"""A dataset of two scenarios in the layout of MC-LLaVA, written by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

TRAIN, TEST = 5, 2
TYPES = {
    "A": "two_concept",
    "Bo": "two_concept",
    "Alex": "three_concept",
    "Gloria": "three_concept",
    "Marty": "three_concept",
}
SCENARIOS = ["A_Bo", "Alex_Gloria_Marty"]
THERE = "/workspace/data/MulBench"
"""Where the files were written: their paths are of another machine."""


def put_photo(path: Path, number: int, *, size: tuple[int, int] = (48, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, (20 * number % 256, 120, 200 - 15 * number % 200))
    ImageDraw.Draw(image).ellipse((8, 8, 24, 24), fill=(250 - 9 * number % 200, 60, 40))
    image.save(path)


def put_mask(path: Path, *, size: tuple[int, int] = (48, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle((8, 8, 24, 24), fill=255)
    image.save(path)


def put_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _entry(question: str, answer: str) -> dict[str, str]:
    return {"Human": question, "AI": answer}


def _put_concept(root: Path, name: str, first: int) -> None:
    base = root / TYPES[name] / "concept"
    for number in range(TRAIN):
        put_photo(base / "train" / name / f"{number}.png", first + number)
        put_mask(base / "train" / name / f"{number}_mask.png")
    choice, vqa = {}, {}
    for number in range(TEST):
        size = (32, 32) if number else (48, 32)
        put_photo(base / "test" / name / f"{number}.png", first + 5 + number, size=size)
        path = f"{THERE}/{TYPES[name]}/concept/test/{name}/{number}.png"
        choice[path] = _entry(f"What is <{name}> doing? A. waving B. reading C. sleeping", "B")
        vqa[path] = _entry(f"What is <{name}> wearing?", "A red top.")
    put_json(base / "test" / name / "choice.json", choice)
    put_json(base / "test" / name / "vqa.json", vqa)
    texts = [{"question": f"What is <{name}>? A. a person B. a dog", "answer": "A"}]
    put_json(base / "test" / name / "qa.json", texts)


def _put_multi(root: Path, scenario: str, first: int) -> None:
    names = scenario.split("_")
    base = root / TYPES[names[0]] / "multi" / scenario
    there = f"{THERE}/{TYPES[names[0]]}/multi/{scenario}"
    files: dict[str, dict[str, Any]] = {"choice": {}, "vqa": {}, "vqa_position": {}, "position": {}}
    for number in range(2):
        put_photo(base / f"{number}.png", first + number)
        path = f"{there}/{number}.png"
        one, other = names[0], names[-1]
        files["choice"][path] = [
            _entry(f"What is <{one}> doing?\nA. waving\nB. reading", "A"),
            _entry(f"What is <{other}> doing? (A) waving (B) reading", "B"),
            _entry(f"Who waves? A. <{one}> B. <{other}> C. both", "C. both"),
        ]
        files["vqa"][path] = [
            _entry(f"Where is <{one}>?", "In front."),
            _entry(f"Where is <{other}>?", "Behind."),
            _entry("Who is there?", f"<{one}> and <{other}>."),
        ]
        files["vqa_position"][path] = [_entry(f"Where is <{one}>? A. on the left B. on the right", "A")]
        files["position"][path] = dict.fromkeys(names, "left")
    files["position"][f"{there}/1.png"][names[-1]] = None
    put_photo(base / "0_som.png", 3)
    for file, entries in files.items():
        put_json(base / f"{file}.json", entries)
    put_json(base / "qa.json", [{"question": f"Who is a dog? A. <{names[0]}> B. nobody", "answer": "B"}])


@pytest.fixture
def mc_llava(tmp_path: Path) -> Path:
    """The folder of a dataset with the concept A in one scenario and Alex in the other."""
    return write_mc_llava(tmp_path / "mc")


def write_mc_llava(root: Path) -> Path:
    put_json(root / "scenarios.json", SCENARIOS)
    put_json(root / "concept_type.json", TYPES)
    for place, name in enumerate(TYPES):
        _put_concept(root, name, 10 * place)
    for kind in ("two_concept", "three_concept"):
        listed = {n: [f"{i}.png" for i in range(TRAIN)] for n, folder in TYPES.items() if folder == kind}
        put_json(root / kind / "concept" / "train" / "train.json", listed)
    for place, scenario in enumerate(SCENARIOS):
        _put_multi(root, scenario, 60 + 3 * place)
    for number in range(10):
        put_photo(root / "random-images" / f"{100 + number}.png", 70 + number)
    return root


@pytest.fixture
def rewrite() -> Callable[[Path, Callable[[Any], Any]], None]:
    """Read a JSON file, change its value and write it back."""

    def change(path: Path, how: Callable[[Any], Any]) -> None:
        value = json.loads(path.read_text(encoding="utf-8"))
        put_json(path, how(value) or value)

    return change
