"""A family without tests of its own is compared with its own forward before its quicker ways are taken."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from photopal.errors import ModelError
from photopal.vlm import ChatPrompt, load_model, verify
from photopal.vlm.families import Family, Route, generic, idefics
from photopal.vlm.model import LoadedModel


def call_unknown(monkeypatch, **changes):
    family = Family("mystery", generic.encode, generic.positions, is_proven=False, needs_processor=True)
    monkeypatch.setattr("photopal.vlm.load.family_of", lambda config: replace(family, **changes))


def test_an_unknown_family_that_takes_plain_embeddings_takes_every_way(tiny_llava, monkeypatch):
    call_unknown(monkeypatch)
    model = load_model(tiny_llava, device="cpu")
    assert model.route == Route(takes_embeddings=True, shares_prefixes=True, pools_lists=True)
    assert model.supports_prefix
    assert model.supports_batches


def test_a_decoder_that_answers_differently_is_run_by_the_models_own_forward(
    tiny_qwen, monkeypatch, picture, loaded_qwen
):
    call_unknown(monkeypatch)
    right = LoadedModel.forward
    monkeypatch.setattr(LoadedModel, "forward", lambda *args, **kwargs: -right(*args, **kwargs))
    model = load_model(tiny_qwen, device="cpu")
    monkeypatch.setattr(LoadedModel, "forward", right)
    assert not model.route.takes_embeddings
    assert not model.supports_batches
    features = model.encode_photos([picture])[0]
    encoded = model.encode_prompt(ChatPrompt("What is this?"), features)
    known = loaded_qwen.encode_photos([picture])[0]
    asked = loaded_qwen.encode_prompt(ChatPrompt("What is this?"), known)
    assert model.generate(encoded, features) == loaded_qwen.generate(asked, known)


def test_a_family_that_counts_positions_another_way_is_refused(tiny_qwen, monkeypatch):
    call_unknown(monkeypatch, positions=lambda _, ids, __: torch.arange(len(ids)).expand(3, -1))
    with pytest.raises(ModelError, match=r"qwen2_5_vl.*answer differently"):
        load_model(tiny_qwen, device="cpu")


def test_a_family_that_takes_its_photo_another_way_is_refused(tiny_llava, monkeypatch):
    call_unknown(monkeypatch, encode=idefics.encode)
    with pytest.raises(ModelError, match="llava"):
        load_model(tiny_llava, device="cpu")


def test_what_was_found_is_remembered_for_this_model_alone(tiny_llava, tiny_smolvlm, monkeypatch, tmp_path):
    call_unknown(monkeypatch)
    path = tmp_path / "features" / "routes.json"
    first = load_model(tiny_llava, device="cpu", routes_path=path)
    tried = []
    monkeypatch.setattr(verify, "_try_routes", lambda *_: tried.append(1) or Route(shares_prefixes=False))
    assert load_model(tiny_llava, device="cpu", routes_path=path).route == first.route
    assert not tried
    load_model(tiny_smolvlm, device="cpu", routes_path=path)
    assert load_model(tiny_llava, device="cpu").route == Route(shares_prefixes=False)
    assert tried == [1, 1]
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2


def out_of_memory(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")


@pytest.mark.parametrize("name", ["forward_packed", "encode_prefix", "forward"])
def test_a_way_that_was_tried_without_memory_is_tried_again(tiny_llava, monkeypatch, tmp_path, name):
    call_unknown(monkeypatch)
    path = tmp_path / "routes.json"
    with monkeypatch.context() as patch:
        patch.setattr(LoadedModel, name, out_of_memory)
        model = load_model(tiny_llava, device="cpu", routes_path=path)
    assert not model.supports_prefix
    assert not path.exists()
    assert load_model(tiny_llava, device="cpu", routes_path=path).supports_prefix
    assert path.exists()


def test_a_model_that_memory_does_not_hold_is_not_called_unsupported(tiny_llava, monkeypatch):
    call_unknown(monkeypatch)
    monkeypatch.setattr(LoadedModel, "run", out_of_memory)
    with pytest.raises(ModelError, match="does not fit into memory"):
        load_model(tiny_llava, device="cpu")


@pytest.mark.parametrize("broken", ["", "[]", '{"x": 1}'])
def test_a_broken_memory_is_made_anew(tiny_llava, monkeypatch, tmp_path, broken):
    path = tmp_path / "routes.json"
    path.write_text(broken, encoding="utf-8")
    call_unknown(monkeypatch)
    monkeypatch.setattr(verify, "_try_routes", lambda *_: Route(pools_lists=True))
    assert load_model(tiny_llava, device="cpu", routes_path=path).route.pools_lists
    assert '"pools_lists": true' in path.read_text(encoding="utf-8")


@pytest.fixture
def loaded_qwen(tiny_qwen):
    return load_model(tiny_qwen, device="cpu")


@pytest.mark.parametrize(
    ("dtype", "share", "is_close"),
    [
        (torch.float32, 1e-4, True),
        (torch.float32, 4e-3, False),
        (torch.bfloat16, 4e-3, True),
        (torch.bfloat16, 0.1, False),
    ],
)
def test_a_way_may_differ_by_rounding_and_no_more(dtype, share, is_close):
    expected = torch.tensor([[7.0, -7.0, 1.0, torch.finfo(dtype).min]])  # the last has no output row
    made = expected + torch.tensor([[0.0, 0.0, 7.0 * share, 0.0]])
    model = SimpleNamespace(dtype=dtype)
    assert verify._is_close(model, lambda: made, expected) is is_close
