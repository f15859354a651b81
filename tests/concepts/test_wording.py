"""Words at registration: who gets them, whose they are, and what keeps things as they were."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from photopal.box import WHOLE_PHOTO, Box
from photopal.concepts import load_bank, save_bank, wording
from photopal.concepts.initialize import begin_with_words
from photopal.concepts.registration import FeatureStore, refresh_bank
from photopal.concepts.wording import cut_out, describe_concept, put_into_words
from photopal.errors import PhotoError
from photopal.ingest.references import add_references, list_reference_files
from photopal.vlm.placeholders import SOFT_TOKENS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


@pytest.fixture
def store(model):
    return FeatureStore(model)


class Answering:
    """Answers for a model: how much it is for Yes about photos of whom it is asked about, and about others.

    Attributes:
        asked: Of how many concepts it was asked each time.
    """

    def __init__(self):
        self.own, self.others = 0.0, 0.0
        self.asked = []

    def margins(self, model, bank, asked):
        self.asked.append(len(asked))
        return [self.own], [self.others]


@pytest.fixture
def answers(model, monkeypatch):
    answering = Answering()
    monkeypatch.setattr(wording, "_yes_margins", answering.margins)
    monkeypatch.setattr(model, "generate", lambda *_, **__: "a small one. It smiles.", raising=False)
    return answering


def registered(library, store, path):
    return refresh_bank(library, store.model, path, store=store)


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
    assert answers.asked == [2, 2], "with embeddings, and with words"


def test_a_model_that_reads_embeddings_is_left_alone(named_library, store, path, answers):
    answers.own, answers.others = 3.0, -3.0
    result = registered(named_library, store, path)
    bank, after = result.bank, put_into_words(named_library, store, result, path)
    assert after.has_open_words is False
    assert all(after.concepts[i] is concept for i, concept in bank.concepts.items())
    assert len(answers.asked) == 1


def test_it_is_decided_once_and_again_for_who_comes_next(named_library, store, path, answers):
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    answers.asked.clear()
    result = registered(named_library, store, path)
    assert not result.bank.has_open_words
    assert put_into_words(named_library, store, result, path) is result.bank
    # Ben's photos change: that the model reads words is known from Anna.
    answers.own, answers.others = 3.0, -3.0
    ben = named_library.concepts.get("Ben").id
    changed = bank.with_concepts([replace(bank.concepts[ben], references_key="of before")])
    save_bank(changed, path)
    again = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert again.concepts[ben].words == "a small one"
    assert len(answers.asked) == 1, "how much it is for Yes"


def test_what_the_user_says_later_takes_the_place_of_the_models_words(named_library, store, path, answers):
    put_into_words(named_library, store, registered(named_library, store, path), path)
    ben = named_library.concepts.get("Ben")
    photos = [reference.photo.path for reference in named_library.concepts.references(ben.id)]
    add_references(named_library, "Ben", list_reference_files(photos), about="a boy in green")
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert after.concepts[ben.id].words == "a boy in green"
    saved = load_bank(path, fingerprint=store.model.fingerprint)
    assert saved.concepts[ben.id].words == "a boy in green"


def describe(library, name, about):
    """Have the user say what somebody looks like, as one step that can be undone."""
    photos = [one.photo.path for one in library.concepts.references(library.concepts.get(name).id)]
    with library.history.recording("described"):
        add_references(library, name, list_reference_files(photos), about=about)


def test_where_the_user_takes_words_back_the_models_own_come_back(named_library, store, path, answers):
    first = put_into_words(named_library, store, registered(named_library, store, path), path)
    ben = named_library.concepts.get("Ben").id
    describe(named_library, "Ben", "a boy in green")
    put_into_words(named_library, store, registered(named_library, store, path), path)
    named_library.history.undo()
    result = registered(named_library, store, path)
    after = put_into_words(named_library, store, result, path)
    assert result.bank.concepts[ben].words == "a boy in green"
    assert after.concepts[ben].words == first.concepts[ben].words == "a small one"
    assert after.version == first.version
    assert load_bank(path, fingerprint=store.model.fingerprint).version == first.version


def test_words_that_cannot_be_replaced_yet_stay_until_they_can(
    named_library, store, path, answers, monkeypatch
):
    describe(named_library, "Ben", "a boy in green")
    put_into_words(named_library, store, registered(named_library, store, path), path)
    named_library.history.undo()
    ben = named_library.concepts.get("Ben").id
    with monkeypatch.context() as patch:
        patch.setattr(wording, "describe_subject", lambda *_: ())
        away = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert away.concepts[ben].words == "a boy in green"
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert after.concepts[ben].words == "a small one"


def test_with_other_words_it_is_measured_again_how_much_the_model_is_for_yes(
    named_library, store, path, answers
):
    answers.own = answers.others = 2.0
    before = put_into_words(named_library, store, registered(named_library, store, path), path)
    answers.own = answers.others = -2.0
    describe(named_library, "Ben", "a boy in green")
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    assert after.concepts[ben].yes_bias < -0.5
    assert after.concepts[anna].yes_bias == before.concepts[anna].yes_bias > 0.5


def test_other_words_of_one_who_is_tuned_are_spoken_at_once_and_what_was_tuned_stays(
    named_library, store, path, answers
):
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    ben = named_library.concepts.get("Ben").id
    tuned = replace(bank.concepts[ben], is_tuned=True, yes_bias=0.25)
    save_bank(bank.with_concepts([tuned]), path)
    describe(named_library, "Ben", "a boy in green and yellow")
    for words in ("a boy in green and yellow", "a small one"):
        put_into_words(named_library, store, registered(named_library, store, path), path)
        saved = load_bank(path, fingerprint=store.model.fingerprint)
        after = saved.concepts[ben]
        assert (after.words, after.is_tuned, after.yes_bias) == (words, True, 0.25)
        assert torch.equal(after.inputs, tuned.inputs)
        if words != tuned.words:
            assert saved.version != bank.version, "so that captions are written anew"
            named_library.history.undo()


def test_one_for_whom_the_model_had_no_words_gets_those_of_the_user_later(
    named_library, store, path, answers, monkeypatch
):
    monkeypatch.setattr(store.model, "generate", lambda *_, **__: "", raising=False)
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    ben = named_library.concepts.get("Ben").id
    assert bank.concepts[ben].words == ""
    describe(named_library, "Ben", "a boy in green")
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert after.concepts[ben].words == "a boy in green"


def test_tuned_embeddings_show_that_they_are_read_and_stay(named_library, store, path, answers):
    result = registered(named_library, store, path)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    tuned = result.bank.with_concepts([replace(result.bank.concepts[anna], is_tuned=True)])
    after = put_into_words(named_library, store, replace(result, bank=tuned), path)
    assert not answers.asked
    assert (after.concepts[anna].words, after.concepts[ben].words) == ("", "")


def test_a_killed_command_leaves_it_to_the_next(named_library, store, path, answers, monkeypatch):
    monkeypatch.setattr(wording, "save_bank", lambda *_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        put_into_words(named_library, store, registered(named_library, store, path), path)
    monkeypatch.undo()
    answers.own = answers.others = 0.0
    monkeypatch.setattr(wording, "_yes_margins", answers.margins)
    monkeypatch.setattr(store.model, "generate", lambda *_, **__: "a small one.", raising=False)
    result = registered(named_library, store, path)
    assert result.found == {}
    after = put_into_words(named_library, store, result, path)
    assert all(concept.words for concept in after.concepts.values())


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

    result = registered(named_library, store, path)
    monkeypatch.setattr(wording, "open_photo", gone)
    after = put_into_words(named_library, store, result, path)
    ben = named_library.concepts.get("Ben").id
    assert after.concepts[ben].words == ""
    assert after.concepts[ben].token_count == result.bank.concepts[ben].token_count


def test_of_several_descriptions_the_one_is_taken_that_tells_photos_apart(
    named_library, store, path, answers, monkeypatch
):
    result = registered(named_library, store, path)
    ben = named_library.concepts.get("Ben")
    said = iter(["a bald one", "a small one", "a green one"])
    monkeypatch.setattr(store.model, "generate", lambda *_, **__: next(said), raising=False)
    clear = {"a bald one": -1.0, "a small one": 3.0, "a green one": 1.0}

    def begin(model, concept, words):
        answers.own = clear[words]
        return begin_with_words(model, concept, words)

    monkeypatch.setattr(wording, "begin_with_words", begin)
    described = describe_concept(named_library, store, result.bank, ben, result.found)
    assert described == ("a small one", "a green one", "a bald one")


def test_how_much_it_is_for_yes_is_taken_off(named_library, store, path, answers):
    answers.own = answers.others = 2.0
    bank = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert all(concept.yes_bias > 0.5 for concept in bank.concepts.values())


def test_the_model_is_asked_about_photos_of_the_concept_and_of_others(named_library, store, path):
    result = registered(named_library, store, path)
    anna = named_library.concepts.get("Anna").id
    own, others = wording._examples(named_library, store, result.bank, result.found, anna)
    mine = {id(one.reference.features) for one in result.found[anna]}
    assert {id(one) for one in own} == mine
    assert others
    assert not mine & {id(one) for one in others}
    yes, no = wording._yes_margins(store.model, result.bank, {anna: (own, others)})
    assert (len(yes), len(no)) == (len(own), len(others))
    anew = wording._yes_margins(store.model, result.bank, {anna: (own[:1], ())})
    assert anew == ([pytest.approx(yes[0], abs=1e-4)], [])


def test_a_photo_of_somebody_else_that_may_show_the_concept_too_is_left_out_where_there_are_others(
    named_library, store, path, monkeypatch
):
    result = registered(named_library, store, path)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    alike, other, *_ = (one.reference.features for one in result.found[ben])
    monkeypatch.setattr(wording, "likely_concepts", lambda _, one: {ben} if one is other else {anna, ben})
    assert [id(one) for one in wording._of_others(result.bank, result.found, anna)] == [id(other)]
    monkeypatch.setattr(wording, "likely_concepts", lambda *_: {anna})
    assert id(alike) in {id(one) for one in wording._of_others(result.bank, result.found, anna)}


@pytest.mark.parametrize("sees_all", [True, False])
def test_of_a_single_concept_it_cannot_be_told_and_no_model_of_all_photos_is_known_to_read_it(
    sees_all, named_library, store, path, monkeypatch
):
    named_library.concepts.remove("Ben")
    monkeypatch.setattr(type(store.model), "sees_all", sees_all)
    after = put_into_words(named_library, store, registered(named_library, store, path), path)
    assert [bool(concept.words) for concept in after.concepts.values()] == [sees_all]


def test_a_cut_out_lies_within_the_photo():
    image = Image.new("RGB", (100, 60))
    assert cut_out(image, Box(0.9, 0.9, 0.1, 0.1)).size == (11, 11)
    assert cut_out(image, WHOLE_PHOTO).size == (60, 60)
