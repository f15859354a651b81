"""What is asked about a photo: the truth, and nothing where the truth is not known."""

import random
from dataclasses import replace

import torch

from photopal.prompts import MOST_CONCEPTS, PromptConcept
from photopal.tuning.examples import TuningConcept, TuningPhoto, make_example
from photopal.vlm.protocol import PhotoFeatures

FEATURES = PhotoFeatures(torch.zeros(4, 2), (2, 2), torch.zeros(2, 2, 2), (0.0, 0.0, 1.0, 1.0))
CONCEPTS = {i: TuningConcept(i, "pet", ("small and brown",)) for i in range(1, 9)}
OFFERS = dict.fromkeys(CONCEPTS, PromptConcept(2))


def photo_of(*present: int, likely: tuple[int, ...] = ()) -> TuningPhoto:
    return TuningPhoto("key", FEATURES, None, frozenset(present), frozenset(likely))


def examples_of(photo: TuningPhoto, number: int = 40):
    made = [make_example(photo, CONCEPTS, OFFERS, random.Random(seed)) for seed in range(number)]
    return [example for example in made if example is not None]


def test_yes_is_the_answer_for_those_there_and_no_for_the_others():
    for example in examples_of(photo_of(1, 2)):
        for exchange in example.exchanges:
            block, question = exchange.prompt.user.rsplit(". ", 1)
            assert block
            asked = [slot for slot in range(MOST_CONCEPTS) if f"<|name:{slot}|>" in question]
            if exchange.kind == "recognition":
                is_there = all(example.slots[slot] in (1, 2) for slot in asked)
                assert exchange.answer == ("Yes" if is_there else "No")
            if exchange.kind == "absent":
                assert all(example.slots[slot] not in (1, 2) for slot in asked)


def test_a_photo_is_no_negative_of_whom_it_is_registered_for_or_likely_shows():
    for example in examples_of(photo_of(1, likely=(2, 3))):
        assert 1 in example.slots
        assert not {2, 3} & set(example.slots)


def test_a_prompt_never_speaks_of_more_than_it_may():
    for example in examples_of(photo_of(1, 2, 3, 4, 5, 6)):
        assert len(example.slots) == MOST_CONCEPTS
        assert len(set(example.slots)) == MOST_CONCEPTS


def test_a_photo_of_nobody_asks_about_absent_ones_only():
    for example in examples_of(photo_of()):
        assert {exchange.answer for exchange in example.exchanges if exchange.kind == "recognition"} == {"No"}


def test_nothing_can_be_asked_where_everybody_is_only_likely():
    assert make_example(photo_of(likely=tuple(CONCEPTS)), CONCEPTS, OFFERS, random.Random(0)) is None


def test_every_concept_of_a_prompt_is_described_and_asked_about():
    for example in examples_of(photo_of(1)):
        kinds = [exchange.kind for exchange in example.exchanges]
        assert kinds.count("appearance") == len(example.slots)
        assert kinds.count("recognition") >= 2 * len(example.slots)


def test_nothing_is_asked_of_those_whose_embeddings_are_frozen_and_always_of_whoever_joins():
    concepts = {i: replace(one, is_frozen=i != 8) for i, one in CONCEPTS.items()}
    for photo in (photo_of(8), photo_of(1), photo_of(1, 2, 3), photo_of()):
        for seed in range(20):
            example = make_example(photo, concepts, OFFERS, random.Random(seed))
            slot = example.slots.index(8)
            for exchange in example.exchanges:
                assert f"<|name:{slot}|>" in exchange.prompt.user.rsplit(". ", 1)[1]
    # Four who are there fill a prompt, and of the newcomer nothing may be said on a photo that may show it.
    for photo in (photo_of(1, 2, 3, 4), photo_of(1, likely=(8,))):
        assert make_example(photo, concepts, OFFERS, random.Random(0)) is None


def test_of_inline_concepts_only_recognition_is_asked():
    inline = dict.fromkeys(CONCEPTS, PromptConcept(2, is_inline=True))
    for seed in range(20):
        example = make_example(photo_of(1, 2), CONCEPTS, inline, random.Random(seed))
        assert {exchange.kind for exchange in example.exchanges} == {"recognition"}
