"""The layout of MC-LLaVA is read as the authors' code reads it, and faults are named with their file."""

from __future__ import annotations

import json

import pytest

from photopal.errors import DatasetError
from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.mc_llava import concepts_of
from photopal.lab.experiments.recognition import list_questions


def test_scenarios_concepts_and_photos_are_found(mc_llava):
    dataset = load_dataset(mc_llava)
    assert dataset.layout == "mc-llava"
    assert [scenario.names for scenario in dataset.scenarios] == [["A", "Bo"], ["Alex", "Gloria", "Marty"]]
    for scenario in dataset.scenarios:
        assert [len(c.train) + len(c.validation) for c in scenario.concepts] == [5] * len(scenario.concepts)
        assert all(len(c.validation) == 1 and len(c.test) == 2 for c in scenario.concepts)
        assert [photo.path.name for photo in scenario.multi] == ["0.png", "1.png"]
        for concept in scenario.concepts:
            place = concept.train[0].regions[concept.name]
            assert place.mask == concept.train[0].path.with_name(concept.train[0].path.stem + "_mask.png")


def test_a_name_within_another_is_not_mistaken_for_it(mc_llava):
    first, second = load_dataset(mc_llava).scenarios
    assert {photo.path.parent.name for photo in first.multi} == {"A_Bo"}
    assert {photo.path.parent.name for photo in second.multi} == {"Alex_Gloria_Marty"}
    assert not any("Alex" in question.text for question in first.questions)


def test_a_scenario_is_split_into_whole_names_even_where_a_name_has_an_underscore():
    known = {"A": "", "A_2": "", "Bo": "", "2": ""}
    assert concepts_of("A_2_Bo", known, "here") == ["A_2", "Bo"]
    assert concepts_of("A_Bo", known, "here") == ["A", "Bo"]
    with pytest.raises(DatasetError, match=r"Al_Bo.*concept_type\.json"):
        concepts_of("Al_Bo", known, "here")


def test_a_null_position_means_that_a_concept_is_absent(mc_llava):
    photos = load_dataset(mc_llava).scenarios[1].multi
    assert set(photos[0].regions) == {"Alex", "Gloria", "Marty"}
    assert photos[0].regions["Alex"].words == "left"
    assert set(photos[1].regions) == {"Alex", "Gloria"}
    assert photos[1].absent == ("Marty",)


def test_an_absent_concept_is_a_negative_here_and_a_positive_to_the_authors(mc_llava):
    dataset = load_dataset(mc_llava)
    asked = list_questions(dataset, dataset.scenarios[0], seed=0)
    about = [one for one in asked if one.photo.parent.name == "A_Bo" and one.photo.stem == "1"]
    told = {one.names: (one.is_there, one.authors_say) for one in about}
    assert told == {("A",): (True, True), ("Bo",): (False, True), ("A", "Bo"): (False, True)}


def test_the_authors_questions_are_as_many_as_in_their_code(mc_llava):
    dataset = load_dataset(mc_llava)
    for scenario, m in zip(dataset.scenarios, (2, 3), strict=True):
        asked = [one for one in list_questions(dataset, scenario, seed=0) if one.authors_say is not None]
        tests, multi = 2, 2
        assert sum(bool(one.authors_say) for one in asked) == m * tests + m * multi + multi
        assert sum(not one.authors_say for one in asked) == m * (m - 1) * tests


def test_questions_have_kinds_letters_and_bare_names(mc_llava):
    scenario = load_dataset(mc_llava).scenarios[0]
    multi = [q for q in scenario.questions if q.task == "choice" and q.kind.startswith("mi")][:3]
    assert [q.kind for q in multi] == ["mi_sq", "mi_sq", "mi_mq"]
    assert [q.text for q in multi] == ["What is A doing?", "What is Bo doing?", "Who waves?"]
    assert [q.options for q in multi] == [("waving", "reading"), ("waving", "reading"), ("A", "Bo", "both")]
    assert [q.answer for q in multi] == ["A", "B", "C"]
    vqa = next(q for q in scenario.questions if q.task == "vqa" and q.kind == "mi_mq")
    assert (vqa.text, vqa.answer) == ("Who is there?", "A and Bo.")
    grounding = next(q for q in scenario.questions if q.task == "grounding")
    assert (grounding.options, grounding.answer) == (("on the left", "on the right"), "A")


def test_vqa_json_is_about_photos_and_qa_json_is_not(mc_llava):
    scenario = load_dataset(mc_llava).scenarios[0]
    texts = [q for q in scenario.questions if q.photo is None]
    assert [q.kind for q in texts] == ["text"] * 3
    assert all(q.photo is not None for q in scenario.questions if q.task == "vqa")


def test_files_swapped_as_the_readme_has_them_are_named(mc_llava):
    folder = mc_llava / "two_concept/concept/test/A"
    (folder / "vqa.json").rename(folder / "old.json")
    (folder / "qa.json").rename(folder / "vqa.json")
    with pytest.raises(DatasetError, match=r"A/vqa\.json: an object is expected, not a list"):
        load_dataset(mc_llava)


def test_paths_of_another_machine_lead_to_the_photos_here(mc_llava):
    for scenario in load_dataset(mc_llava).scenarios:
        for question in scenario.questions:
            assert question.photo is None or question.photo.is_relative_to(mc_llava)


def test_random_photos_serve_one_purpose_each(mc_llava):
    negatives = load_dataset(mc_llava).negatives
    parts = [
        {photo.path for photo in part} for part in (negatives.train, negatives.validation, negatives.test)
    ]
    assert all(parts)
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == 10


def test_validation_photos_follow_the_seed(mc_llava):
    def held_out(seed):
        return [c.validation[0].path for s in load_dataset(mc_llava, seed=seed).scenarios for c in s.concepts]

    assert held_out(1) == held_out(1)
    assert len({tuple(held_out(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("scenarios.json", r"scenarios\.json: the file is missing"),
        ("concept_type.json", r"concept_type\.json: the file is missing"),
        ("two_concept/concept/train/A/3.png", r"A/3\.png: the photo is missing"),
        ("two_concept/concept/train/A/3_mask.png", r"A/3_mask\.png: the mask is missing"),
        ("two_concept/concept/test/A/choice.json", r"test/A/choice\.json: the file is missing"),
        ("two_concept/concept/test/A/1.png", r"choice\.json: names the photo .*1\.png, which is not there"),
        ("three_concept/multi/Alex_Gloria_Marty/position.json", r"position\.json: the file is missing"),
        ("three_concept/multi/Alex_Gloria_Marty/0.png", r"position\.json: names the photo .*0\.png"),
    ],
)
def test_a_missing_file_is_named(mc_llava, file, words):
    (mc_llava / file).unlink()
    with pytest.raises(DatasetError, match=words):
        load_dataset(mc_llava)


@pytest.mark.parametrize(
    ("file", "how", "words"),
    [
        ("scenarios.json", lambda v: {"a": 1}, r"scenarios\.json: a list is expected, not an object"),
        ("scenarios.json", lambda v: ["Alma_Bo"], r"scenarios\.json: the scenario Alma_Bo names a concept"),
        (
            "two_concept/concept/train/train.json",
            lambda v: {"A": []},
            r"train\.json: no list of photos",
        ),
        ("two_concept/concept/test/A/vqa.json", lambda v: {k: {} for k in v}, r"vqa\.json: .*'Human'"),
        (
            "two_concept/multi/A_Bo/position.json",
            lambda v: {k: {"Max": 1} for k in v},
            r"'Max' is no",
        ),
        ("two_concept/multi/A_Bo/position.json", lambda v: dict.fromkeys(v, 1), r"positions are no object"),
    ],
)
def test_a_malformed_file_is_named(mc_llava, rewrite, file, how, words):
    rewrite(mc_llava / file, how)
    with pytest.raises(DatasetError, match=words):
        load_dataset(mc_llava)


@pytest.mark.parametrize(
    "facts",
    [
        {"concepts": []},
        {"concepts": None},
        {"concepts": {"A": "x"}},
        {"concepts": {"A": {"about": 5}}},
        {"concepts": {"A": {"sibling": ["Bo"]}}},
        {"concepts": {"A": {"kind": ["pet"]}}},
        {"groups": []},
        {"groups": {"A_Bo": ["x"]}},
    ],
)
def test_a_malformed_file_of_this_projects_own_is_named(mc_llava, facts):
    (mc_llava / "photopal.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"photopal\.json: "):
        load_dataset(mc_llava)


def test_broken_json_is_named_with_its_line(mc_llava):
    (mc_llava / "scenarios.json").write_text('[\n"A_Bo",,]', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"scenarios\.json: no JSON: .* in line 2"):
        load_dataset(mc_llava)


def test_without_any_mask_a_concept_is_found_by_what_recurs(mc_llava):
    for mask in (mc_llava / "two_concept/concept/train/A").glob("*_mask.png"):
        mask.unlink()
    concept = load_dataset(mc_llava).scenarios[0].concepts[0]
    assert all(photo.regions["A"].mask is None for photo in concept.train)
