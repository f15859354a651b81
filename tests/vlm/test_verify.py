"""A family without tests of its own is compared with its own forward before it is trusted."""

import pytest

from photopal.errors import ModelError
from photopal.vlm import ChatPrompt, load_model
from photopal.vlm.families import Family, qwen
from photopal.vlm.families import generic as other


def pretend(monkeypatch, family):
    monkeypatch.setattr("photopal.vlm.load.family_of", lambda config: family)


@pytest.mark.slow
def test_an_unknown_family_that_takes_plain_embeddings_works(tiny_llava, picture, llava, monkeypatch):
    family = Family("mystery", other.encode, other.positions, is_proven=False, needs_processor=True)
    pretend(monkeypatch, family)
    model = load_model(tiny_llava, device="cpu")
    features = model.encode_photos([picture])[0]
    encoded = model.encode_prompt(ChatPrompt("What is this?"), features)
    known = llava.encode_photos([picture])[0]
    expected = llava.generate(llava.encode_prompt(ChatPrompt("What is this?"), known), known)
    assert model.generate(encoded, features) == expected


def test_a_family_that_counts_positions_another_way_is_refused(tiny_qwen, monkeypatch):
    pretend(monkeypatch, Family("mystery", qwen.encode, other.positions, is_proven=False))
    with pytest.raises(ModelError, match="mystery"):
        load_model(tiny_qwen, device="cpu")


def test_a_family_that_takes_its_photo_another_way_is_refused(tiny_smolvlm, monkeypatch):
    family = Family("mystery", other.encode, other.positions, is_proven=False, needs_processor=True)
    pretend(monkeypatch, family)
    with pytest.raises(ModelError, match="mystery"):
        load_model(tiny_smolvlm, device="cpu")
