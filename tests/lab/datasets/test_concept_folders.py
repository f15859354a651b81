"""Yo'LLaVA's and MyVLM's layouts come in the same form, one scenario for each concept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from photopal.errors import DatasetError
from photopal.lab.datasets import load_dataset
from photopal.lab.experiments.recognition import list_questions


def put_photos(folder: Path, count: int, *, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (16, 12), (number * 30 % 256, 80, 90)).save(folder / f"{number}{suffix}")


@pytest.fixture
def yollava(tmp_path):
    root = tmp_path / "yo"
    for name in ("bo", "mam"):
        put_photos(root / "yollava-data" / "train" / name, 5)
        put_photos(root / "yollava-data" / "test" / name, 3)
    put_photos(root / "yollava-data" / "train" / "bo" / "negative_example", 4)
    asked = {
        "question": "What is <sks> sitting on?",
        "options": {"A": "a sofa", "B": "grass"},
        "correct_answer": "B",
    }
    (root / "yollava-visual-qa.json").write_text(
        json.dumps({"./yollava-data/test/bo/1.png": asked}), encoding="utf-8"
    )
    return root


def test_yollava_has_a_scenario_for_each_concept(yollava):
    dataset = load_dataset(yollava)
    assert dataset.layout == "yollava"
    assert [scenario.names for scenario in dataset.scenarios] == [["bo"], ["mam"]]
    concept = dataset.scenarios[0].concepts[0]
    assert (len(concept.train), len(concept.validation), len(concept.test)) == (4, 1, 3)
    assert len(concept.hard_negatives) == 4
    assert not dataset.scenarios[1].concepts[0].hard_negatives


def test_yollava_questions_name_the_concept(yollava):
    [question] = load_dataset(yollava).scenarios[0].questions
    assert question.text == "What is bo sitting on?"
    assert question.options == ("a sofa", "grass")
    assert (question.answer, question.photo.name) == ("B", "1.png")


def test_yollava_without_a_test_folder_for_a_concept_says_which(yollava):
    for photo in (yollava / "yollava-data/test/mam").iterdir():
        photo.unlink()
    with pytest.raises(DatasetError, match=r"test/mam: no photos"):
        load_dataset(yollava)


def test_an_answer_that_is_no_option_is_named(yollava):
    path = yollava / "yollava-visual-qa.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"B"}', '"C"}'), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"visual-qa\.json: the answer to bo/1\.png is none"):
        load_dataset(yollava)


@pytest.fixture
def myvlm(tmp_path):
    root = tmp_path / "my"
    for name in ("my cat", "a mug"):
        put_photos(root / name, 9, suffix=".jpg")
        captions = {f"{n}.jpg": [f"<concept> on a table, number {n}"] for n in range(9)}
        (root / name / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    more = {"0.jpg": [["Where is <sks>?", "On a table."]], "1.jpg": [["What is this?", "<sks>."]]}
    (root / "a mug" / "additional_llava_vqa_data.json").write_text(json.dumps(more), encoding="utf-8")
    return root


def test_myvlm_photos_are_split_and_have_captions_with_names(myvlm):
    dataset = load_dataset(myvlm)
    assert dataset.layout == "myvlm"
    assert [scenario.name for scenario in dataset.scenarios] == ["a mug", "my cat"]
    for scenario in dataset.scenarios:
        [concept] = scenario.concepts
        parts = [*concept.train, *concept.validation, *concept.test]
        assert len({photo.path for photo in parts}) == len(parts) == 9
        assert len(concept.test) >= 4
        for photo in concept.test:
            assert photo.captions == (f"{concept.name} on a table, number {photo.path.stem}",)


def test_myvlm_questions_are_asked_about_test_photos_only(myvlm):
    for seed in range(4):
        scenario = load_dataset(myvlm, seed=seed).scenarios[0]
        tested = {photo.path for photo in scenario.concepts[0].test}
        assert all(question.photo in tested for question in scenario.questions)
        assert all("a mug" in question.text + question.answer for question in scenario.questions)


def test_a_caption_of_a_missing_photo_is_named(myvlm):
    (myvlm / "my cat" / "3.jpg").unlink()
    with pytest.raises(DatasetError, match=r"my cat/captions\.json: names the photo 3\.jpg"):
        load_dataset(myvlm)


def test_a_folder_in_no_layout_is_refused_with_what_was_looked_for(tmp_path):
    with pytest.raises(DatasetError, match=r"no dataset: neither scenarios\.json"):
        load_dataset(tmp_path)
    with pytest.raises(DatasetError, match="the folder is missing"):
        load_dataset(tmp_path / "nowhere")


def test_a_concept_that_is_alone_is_asked_for_on_the_photos_of_the_others(yollava):
    dataset = load_dataset(yollava)
    asked = list_questions(dataset, dataset.scenarios[0], seed=0)
    assert {one.names for one in asked} == {("bo",)}
    no = [one for one in asked if not one.is_there]
    assert {one.photo.parent.name for one in no} == {"mam"}
    assert [one.authors_say for one in asked] == [True] * 3 + [False] * 3
