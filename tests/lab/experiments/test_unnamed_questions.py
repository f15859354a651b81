"""Questions without names are posed of held-out identities; true answers are right, others wrong."""

from __future__ import annotations

import json
import random
import re

import pytest
import torch

from photopal.lab.experiments import unnamed_questions
from photopal.lab.experiments.tallies import Tallies
from photopal.lab.experiments.unnamed_questions import (
    DESCRIBED_GOALS,
    POSERS,
    count_caption_tokens,
    draw_case,
    measure_described,
    read_kinds,
)
from photopal.lab.synthetic.identity import is_held_out
from photopal.lab.synthetic.wording import caption_words, describe_identity, side_words
from photopal.prompts import build_prompt
from photopal.prompts.templates import CAPTION_QUESTION
from photopal.vlm import load_model

pytestmark = pytest.mark.slow

SIZE_PX = 96


@pytest.fixture(scope="module")
def model(tiny_llava):
    return load_model(tiny_llava)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def table(model, told, short_answers):
    return measure_described(
        {"one": model, "same": model},
        questions=6,
        size_px=48,
        on_progress=lambda done, total, at: told.append(done),
    )


@pytest.fixture(scope="module")
def posed():
    """Triples of a case, its random source's seed and what was posed of it, by kind."""
    found = {kind: [] for kind in POSERS}
    for number in range(80):
        case = draw_case(random.Random(number), SIZE_PX)
        for kind, pose in POSERS.items():
            question = pose(case, random.Random(number))
            if question is not None:
                found[kind].append((case, question))
    return found


def test_every_line_is_measured_and_says_on_how_much(table):
    for rows in table.rows.values():
        assert [row.key for row in rows] == [goal.key for goal in DESCRIBED_GOALS]
        for row in rows:
            assert row.value is not None, row.key
            assert row.questions >= 6
            assert row.interval[0] <= row.value + 1e-9
            assert row.interval[1] >= row.value - 1e-9


def test_caption_tokens_are_those_that_the_model_would_say_next(model):
    case = draw_case(random.Random(0), SIZE_PX)
    (features,) = model.encode_photos([case.by_looks.photo.image])
    right, tokens = count_caption_tokens(model, case, features)
    answer = model.answer_ids(caption_words(case.by_looks.scene, [None] * len(case.subjects)))
    assert tokens == len(answer)
    encoded = model.encode_prompt(build_prompt(CAPTION_QUESTION), features)
    whole = torch.cat([model.embed_prompt(encoded, features), model.embed_ids(answer[:-1])])
    positions = torch.arange(len(whole))[None]
    with torch.no_grad():
        said = model.logits(model.forward(whole[None], positions=positions)[0, -tokens:]).argmax(-1)
    assert right == int((said == answer).sum())


def test_all_models_are_asked_the_same(table, told):
    assert table.rows["one"] == table.rows["same"]
    assert told == sorted(told)
    assert json.loads(json.dumps(table.facts()))["seed"] == 0


def test_photos_show_held_out_identities_only(posed):
    subjects = [subject for case, _ in posed["caption place"] for subject in case.subjects]
    assert len(subjects) > 100
    assert all(is_held_out(subject.identity) for subject in subjects)


def test_every_kind_of_question_is_posed_often(posed):
    assert min(len(of) for of in posed.values()) >= 25


def told_of(case, name):
    """The subject with a name, by looks or by mark."""
    number = re.search(r"at mark (\d)", name)
    if number:
        return case.subjects[next(i for i, n in case.marks.items() if n == int(number[1]))]
    return case.subjects[case.by_looks.names.index(name)]


def about_whom(case, words):
    names = [name for shown in (case.by_marks, case.by_looks) for name in shown.names if name is not None]
    return told_of(case, max((name for name in names if name in words), key=len))


@pytest.mark.parametrize(
    ("kind", "truth"),
    [
        ("looks activity", lambda subject: f"It is {subject.activity}."),
        ("marked activity", lambda subject: f"It is {subject.activity}."),
        ("looks top", lambda subject: f"{subject.clothes.top}."),
        ("marked top", lambda subject: f"{subject.clothes.top}."),
        ("looks side", lambda subject: side_words(subject)),
    ],
)
def test_the_truth_about_somebody_is_judged_right_and_silence_wrong(posed, kind, truth):
    for case, question in posed[kind]:
        assert question.is_right(truth(about_whom(case, question.words)))
        assert not question.is_right("")
        assert question.is_of_marks == kind.startswith("marked")


def test_who_is_at_a_mark_is_judged_by_kind_and_color(posed):
    for case, question in posed["mark who"]:
        at = int(re.search(r"\d", question.words)[0])
        index = next(index for index, number in case.marks.items() if number == at)
        for other, subject in enumerate(case.subjects):
            text = describe_identity(subject.identity)
            same = read_kinds(text) == read_kinds(describe_identity(case.subjects[index].identity))
            assert question.is_right(text) or other != index
            assert same or not question.is_right(text)


def test_the_mark_of_somebody_is_judged_by_its_number(posed):
    for case, question in posed["mark number"]:
        right = [number for number in range(1, 10) if question.is_right(f"Mark {number}.")]
        assert len(right) == 1
        subject = case.subjects[next(i for i, n in case.marks.items() if n == right[0])]
        assert subject is about_whom(case, question.words)


def test_captions_are_judged_by_place_kinds_and_activities(posed):
    for case, question in posed["caption place"]:
        text = caption_words(case.by_looks.scene, [None] * len(case.subjects))
        assert question.is_right(text)
        assert all(judge(text) for _, judge in question.facts)
        assert not question.is_right("A horse in space.")
        assert not any(judge("A horse in space.") for _, judge in question.facts)


def test_who_is_beside_somebody_is_judged_by_kinds(posed):
    for case, question in posed["looks beside"]:
        order = [case.subjects[index] for index in case.by_looks.order]
        at = order.index(about_whom(case, question.words))
        near = [order[n] for n in (at - 1, at + 1) if 0 <= n < len(order)]
        told = " and ".join(describe_identity(subject.identity) for subject in near) or "Nobody."
        assert question.is_right(told)
        assert not question.is_right(f"{told} and a parrot and a rabbit and a cat")


def test_yes_and_no_and_letters_have_one_right_answer(posed):
    for kind, answer in (("described yes", "Yes"), ("described near", "No"), ("described far", "No")):
        for _, question in posed[kind]:
            assert [question.is_right(text) for text in ("Yes", "No")] == [answer == "Yes", answer == "No"]
    for _, question in posed["letters"]:
        assert [question.is_right(letter) for letter in "ABCD"].count(True) == 1
        assert not question.is_right("")


def test_the_same_seed_asks_the_same(model, table):
    tallies = Tallies()
    unnamed_questions.ask_described(
        model, tallies, questions=6, seed=0, size_px=48, on_photos=lambda count: None
    )
    assert tallies.measure(DESCRIBED_GOALS[-1]) == table.rows["one"][-1]
