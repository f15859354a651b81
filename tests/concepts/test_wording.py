"""Words at registration: who gets them, whose they are, and what keeps things as they were."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from photopal.box import WHOLE_PHOTO, Box
from photopal.concepts import Bank, load_bank, save_bank, wording
from photopal.concepts.initialize import begin_with_words
from photopal.concepts.registration import FeatureStore, refresh_bank, register_concepts
from photopal.concepts.wording import cut_out, describe_concept, put_into_words
from photopal.errors import PhotoError
from photopal.vlm.placeholders import SOFT_TOKENS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


@pytest.fixture
def store(model):
    return FeatureStore(model)


class Answering:
    """Answers for a model: one p(yes) for photos of whom it is asked about, one for as many other photos."""

    def __init__(self):
        self.own, self.others = 0.5, 0.5
        self.asked = []

    def shares(self, model, requests, words):
        self.asked.append(len(requests))
        half = len(requests) // 2
        return [self.own] * half + [self.others] * half


@pytest.fixture
def answers(model, monkeypatch):
    answering = Answering()
    monkeypatch.setattr(wording, "first_answer_shares", answering.shares)
    monkeypatch.setattr(model, "generate", lambda *_, **__: "a small one. It smiles.", raising=False)
    return answering


def registered(library, store, path):
    return refresh_bank(library, store.model, path, store=store).bank


def test_a_model_that_cannot_read_embeddings_gets_words_of_the_user_or_its_own(
    named_library, store, path, answers
):
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    anna, ben = (bank.concepts[named_library.concepts.get(name).id] for name in ("Anna", "Ben"))
    assert (anna.words, ben.words) == ("the one called Anna", "a small one")
    assert not anna.is_tuned
    assert 0 < anna.token_count <= SOFT_TOKENS
    saved = load_bank(path, fingerprint=store.model.fingerprint)
    assert [concept.words for concept in saved.concepts.values()] == [anna.words, ben.words]
    assert not saved.has_open_words
    assert answers.asked == [2 * (3 + 3)] * 2, "own photos and the other's, with embeddings and with words"


def test_a_model_that_reads_embeddings_is_left_alone(named_library, store, path, answers):
    answers.own, answers.others = 0.9, 0.1
    bank = registered(named_library, store, path)
    after = put_into_words(named_library, store, bank, path)
    assert after.has_open_words is False
    assert all(after.concepts[i] is concept for i, concept in bank.concepts.items())
    assert len(answers.asked) == 1


def test_it_is_decided_once_and_again_for_who_comes_next(named_library, store, path, answers):
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    answers.asked.clear()
    assert registered(named_library, store, path).has_open_words is False
    assert put_into_words(named_library, store, bank, path) is bank
    # Ben's photos change: that the model reads words is known from Anna.
    answers.own, answers.others = 0.9, 0.1
    ben = named_library.concepts.get("Ben").id
    changed = bank.with_concepts([replace(bank.concepts[ben], references_key="of before")])
    save_bank(changed, path)
    again = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert again.concepts[ben].words == "a small one"
    assert len(answers.asked) == 1, "how much it is for Yes"


def test_tuned_embeddings_show_that_they_are_read_and_stay(named_library, store, path, answers):
    bank = registered(named_library, store, path)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    tuned = bank.with_concepts([replace(bank.concepts[anna], is_tuned=True)])
    after = put_into_words(named_library, store, tuned, path)
    assert not answers.asked
    assert (after.concepts[anna].words, after.concepts[ben].words) == ("", "")


def test_a_killed_command_leaves_it_to_the_next(named_library, store, path, answers, monkeypatch):
    monkeypatch.setattr(wording, "save_bank", lambda *_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        put_into_words(named_library, store, registered(named_library, store, path), path)
    monkeypatch.undo()
    assert refresh_bank(named_library, store.model, path, store=store).bank.has_open_words


def test_photos_that_the_model_was_not_made_for_tell_nothing(
    named_library, store, path, answers, monkeypatch
):
    monkeypatch.setattr(store.model, "is_in_distribution", lambda *_: False, raising=False)
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert not answers.asked
    assert not any(concept.words for concept in after.concepts.values())


def test_a_photo_that_is_gone_is_not_described(named_library, store, path, answers, monkeypatch):
    def gone(*_, **__):
        raise PhotoError(Path("gone.jpg"), "gone")

    bank = registered(named_library, store, path)
    monkeypatch.setattr(wording, "open_photo", gone)
    after = put_into_words(named_library, store, bank, path)
    ben = named_library.concepts.get("Ben").id
    assert after.concepts[ben].words == ""
    assert after.concepts[ben].token_count == bank.concepts[ben].token_count


def test_of_several_descriptions_the_one_is_taken_that_tells_photos_apart(
    named_library, store, path, answers, monkeypatch
):
    bank = registered(named_library, store, path)
    ben = named_library.concepts.get("Ben")
    said = iter(["a bald one", "a small one", "a green one"])
    monkeypatch.setattr(store.model, "generate", lambda *_, **__: next(said), raising=False)
    clear = {"a bald one": 0.5, "a small one": 0.9, "a green one": 0.7}

    def begin(model, concept, words):
        answers.own = clear[words]
        return begin_with_words(model, concept, words)

    monkeypatch.setattr(wording, "begin_with_words", begin)
    found = register_concepts(named_library, store, Bank(store.model.fingerprint, "")).found
    described = describe_concept(named_library, store, bank, ben, found)
    assert described == ("a small one", "a green one", "a bald one")


def test_how_much_it_is_for_yes_is_taken_off(named_library, store, path, answers):
    answers.own = answers.others = 0.9
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert all(concept.yes_bias > 1 for concept in bank.concepts.values())


def test_a_cut_out_lies_within_the_photo():
    image = Image.new("RGB", (100, 60))
    assert cut_out(image, Box(0.9, 0.9, 0.1, 0.1)).size == (11, 11)
    assert cut_out(image, WHOLE_PHOTO).size == (60, 60)
