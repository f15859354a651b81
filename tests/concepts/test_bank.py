"""A bank file: what is loaded is what was saved, and nothing else is taken for a bank."""

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from photopal.concepts import Bank, load_bank, save_bank
from photopal.concepts.bank import NewerBankError
from photopal.concepts.registration import FeatureStore, open_bank, register_concepts
from photopal.errors import BankError
from photopal.prompts import PromptConcept, build_prompt, recognition_question
from photopal.vlm import name_placeholder


@pytest.fixture
def bank(named_library, model) -> Bank:
    return register_concepts(named_library, FeatureStore(model), Bank(model.fingerprint, "1")).bank


def logits_of(model, bank, features):
    ids = sorted(bank.concepts)
    rows = bank.embeddings(ids, ["Anna", "Ben"])
    offered = [PromptConcept(bank.concepts[i].token_count) for i in ids]
    encoded = model.encode_prompt(
        build_prompt(recognition_question(name_placeholder(1)), offered), features, answer="Yes"
    )
    hidden = model.forward(model.embed_prompt(encoded, features, rows)[None])
    return model.logits(hidden, rows)


@torch.no_grad()
def test_a_saved_bank_gives_bit_identical_logits(bank, model, named_library, tmp_path):
    path = tmp_path / "new" / "a.bank.safetensors"
    save_bank(bank, path)
    loaded = load_bank(path, fingerprint=model.fingerprint)
    features = FeatureStore(model).of(next(named_library.photos.all()))
    assert torch.equal(logits_of(model, bank, features), logits_of(model, loaded, features))
    assert loaded.version == bank.version
    assert loaded.concepts.keys() == bank.concepts.keys()
    for concept_id, concept in bank.concepts.items():
        assert loaded.concepts[concept_id].calibration == concept.calibration
        assert torch.equal(loaded.concepts[concept_id].direction, concept.direction)
    assert [path.name for path in path.parent.iterdir()] == ["a.bank.safetensors"]


def test_words_and_biases_are_kept_and_other_banks_stay_readable_for_older_versions(bank, tmp_path):
    save_bank(bank, tmp_path / "old")
    first = next(iter(bank.concepts))
    worded = replace(bank.concepts[first], words="a black dog", about="a black dog", yes_bias=0.5)
    worded = replace(worded, held_out_key="1f")
    changed = bank.with_concepts([worded])
    save_bank(changed, tmp_path / "new")
    loaded = load_bank(tmp_path / "new", fingerprint=bank.fingerprint)
    assert {i: (one.words, one.yes_bias) for i, one in loaded.concepts.items()} == {
        i: ("a black dog" * (i == first), 0.5 * (i == first)) for i in bank.concepts
    }
    assert (loaded.concepts[first].about, loaded.concepts[first].held_out_key) == ("a black dog", "1f")
    assert changed.version != bank.version
    for name, number in (("old", 1), ("new", 2)):
        with safe_open(tmp_path / name, framework="pt") as file:
            assert json.loads(file.metadata()["bank"])["format"] == number


def test_the_share_of_yes_is_freed_of_the_mean_bias_of_those_asked_about(bank):
    first, second = bank.concepts
    biased = bank.with_concepts([replace(bank.concepts[first], yes_bias=2.0)])
    assert biased.yes_share([second], 0.6) == 0.6
    assert biased.yes_share([first], 0.5) == pytest.approx(1 / (1 + math.exp(2)))
    assert biased.yes_share([first, second], 0.5) == pytest.approx(1 / (1 + math.exp(1)))
    assert biased.yes_share([99], 0.6) == 0.6


def test_a_bank_of_another_model_is_refused(bank, tmp_path):
    save_bank(bank, tmp_path / "bank")
    with pytest.raises(BankError, match="another model"):
        load_bank(tmp_path / "bank", fingerprint="other")


@pytest.mark.parametrize("content", [b"", b"no bank", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_bank_is_an_error_and_is_made_anew(content, tmp_path):
    path = tmp_path / "bank"
    path.write_bytes(content)
    with pytest.raises(BankError):
        load_bank(path, fingerprint="f")
    assert open_bank(path, fingerprint="f").concepts == {}


def test_the_bank_of_a_newer_photopal_is_not_replaced(tmp_path):
    path = tmp_path / "bank"
    save_file({"x": torch.zeros(1)}, path, metadata={"bank": '{"format": 99, "photopal": "9.0"}'})
    with pytest.raises(NewerBankError, match=r"9\.0"):
        open_bank(path, fingerprint="f")


def test_a_bank_that_cannot_be_written_leaves_the_old_one(bank, tmp_path):
    path = tmp_path / "bank"
    path.mkdir()
    with pytest.raises(BankError, match="cannot be written"):
        save_bank(bank, path)
    assert not list(tmp_path.rglob("*.part"))


def test_the_version_changes_with_any_row(bank):
    first = min(bank.concepts)
    concept = bank.concepts[first]
    changed = torch.clone(concept.inputs)
    changed[0, 0] += 1e-3
    from dataclasses import replace

    assert bank.with_concepts([replace(concept, inputs=changed)]).version != bank.version
