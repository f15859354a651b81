"""A model is downloaded from the hub: what it needs, whole, resumed, and refused in words."""

from __future__ import annotations

import json
from dataclasses import replace

import huggingface_hub
import pytest

from photopal.errors import ModelError, UsageError
from photopal.vlm import load_model
from photopal.vlm.hub import (
    cached_models,
    check_room,
    download,
    find_cached,
    plan_download,
    remove_cached,
)
from tests.fake_hub import COMMIT

ID = "someone/tiny"
COPIES = (
    "pytorch_model.bin",
    "consolidated.safetensors",
    "model.gguf",
    "onnx/model.onnx",
    "onnx/config.json",
    "trainer_state.json",
    "README.md",
)


@pytest.fixture
def tiny(hub, tiny_llava):
    """A hub with a model that has other copies of its weights beside them."""
    hub.add(ID, tiny_llava)
    hub.repositories[ID] |= dict.fromkeys(COPIES, b"never wanted")
    hub.repositories[ID]["LICENSE"] = b"Do as you like."
    hub.cards[ID] = {"license": "other", "license_name": "do-as-you-like"}
    return hub


def test_what_a_model_needs_is_downloaded_and_nothing_else(tiny, tiny_llava):
    plan = plan_download(ID)
    assert tiny.weights_asked_for() == []
    done = []
    folder = download(plan, on_progress=lambda done_bytes, total, item=None: done.append((done_bytes, total)))
    assert {path.name for path in folder.iterdir()} == {path.name for path in tiny_llava.iterdir()} | {
        "LICENSE"
    }
    assert all((folder / path.name).read_bytes() == path.read_bytes() for path in tiny_llava.iterdir())
    assert done[-1] == (plan.size_bytes, plan.size_bytes)
    assert plan.license == "do-as-you-like"
    assert find_cached(ID) == folder
    assert load_model(ID, device="cpu").name == ID


def test_a_second_download_asks_for_no_file_again(tiny):
    download(plan_download(ID))
    tiny.sent_bytes.clear()
    plan = plan_download(ID)
    assert plan.missing_bytes == 0
    download(plan)
    assert set(tiny.sent_bytes) == {"config.json"}  # by which the plan is made


def test_a_file_that_was_damaged_on_this_disk_is_downloaded_again(tiny):
    weights = download(plan_download(ID)) / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert (download(plan_download(ID)) / "model.safetensors").read_bytes() == content


def test_a_broken_connection_is_taken_up_where_it_broke(tiny):
    size_bytes = len(tiny.repositories[ID]["model.safetensors"])
    tiny.broken["model.safetensors"] = (30_000, 2)
    folder = download(plan_download(ID))
    assert (folder / "model.safetensors").read_bytes() == tiny.repositories[ID]["model.safetensors"]
    assert tiny.sent_bytes["model.safetensors"] == size_bytes
    assert "bytes=60000-" in tiny.ranges()


def test_what_arrived_stays_and_the_next_download_goes_on_from_there(tiny):
    tiny.broken["model.safetensors"] = (0, 99)
    part = plan_download(ID)
    tiny.broken["model.safetensors"] = (50_000, 1)
    # How much comes in the first piece is the system's choice.
    arrived_bytes = 0

    def interrupt_in_weights(done_bytes, total_bytes, item=None):
        nonlocal arrived_bytes
        arrived_bytes = done_bytes
        if item == "model.safetensors":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(part, on_progress=interrupt_in_weights)
    [model] = cached_models()
    assert (model.name, model.folder) == (ID, None)
    assert f"photopal model get {ID}" in model.fault
    plan = plan_download(ID)
    assert plan.missing_bytes == part.missing_bytes - arrived_bytes
    tiny.broken.clear()
    tiny.sent_bytes.clear()
    folder = download(plan)
    assert sum(tiny.sent_bytes.values()) == plan.missing_bytes
    assert 0 < tiny.sent_bytes["model.safetensors"] < len(tiny.repositories[ID]["model.safetensors"])
    assert (folder / "model.safetensors").read_bytes() == tiny.repositories[ID]["model.safetensors"]


def test_a_connection_that_stays_broken_is_given_up_and_nothing_is_taken_for_a_model(tiny):
    tiny.broken["model.safetensors"] = (0, 99)
    with pytest.raises(ModelError, match="the connection broke") as caught:
        download(plan_download(ID))
    assert caught.value.hint == f"To continue, run `photopal model get {ID}` again."
    assert find_cached(ID) is None
    with pytest.raises(ModelError, match="not on this computer"):
        load_model(ID)


@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_that_is_busy_for_a_while_is_asked_again(tiny, status):
    tiny.failing["model.safetensors"] = (status, 3)
    assert (download(plan_download(ID)) / "model.safetensors").is_file()
    tiny.failing["config.json"] = (status, 99)
    with pytest.raises(ModelError, match=r"too many requests|answered with status 503"):
        plan_download(ID)


def test_a_hub_that_sends_the_whole_file_again_is_put_up_with(tiny):
    tiny.ignores_ranges = True
    tiny.broken["model.safetensors"] = (30_000, 1)
    folder = download(plan_download(ID))
    assert (folder / "model.safetensors").read_bytes() == tiny.repositories[ID]["model.safetensors"]


@pytest.mark.parametrize("path", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_arrives_damaged_is_refused_and_not_kept(tiny, path):
    tiny.damaged.add(path)
    with pytest.raises(ModelError, match=f"{path} arrived damaged"):
        download(plan_download(ID))
    assert find_cached(ID) is None
    tiny.damaged.clear()
    assert (download(plan_download(ID)) / path).read_bytes() == tiny.repositories[ID][path]


def test_the_access_token_goes_to_the_hub_alone(tiny, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download(plan_download(ID))
    told = {path for _, path, headers in tiny.requests if "authorization" in headers}
    assert f"/api/models/{ID}" in told
    elsewhere = [path for _, path, _ in tiny.requests if path.startswith("/cdn/")]
    assert elsewhere
    assert not told & set(elsewhere)
    assert not any("harness" in path for _, path, _ in tiny.requests)


def test_weights_in_several_files_are_those_that_the_index_names(tiny):
    files = tiny.repositories[ID]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    files |= dict.fromkeys(shards, b"half of the weights")
    del files["model.safetensors"]
    files["model.safetensors.index.json"] = json.dumps(
        {"weight_map": {"a": shards[0], "b": shards[1]}}
    ).encode()
    wanted = {file.path for file in plan_download(ID).files}
    assert wanted >= {*shards, "model.safetensors.index.json"}
    assert not wanted & set(COPIES)
    del files[shards[1]]
    with pytest.raises(ModelError, match="1 weight files are missing from the repository"):
        plan_download(ID)


@pytest.mark.parametrize(
    "index",
    [
        {"weight_map": {"a": "../../../../outside.safetensors"}},
        {"weight_map": {"a": "..\\outside.safetensors"}},
        {"weight_map": {}},
        {"weight_map": 3},
        {},
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(tiny, index):
    files = tiny.repositories[ID]
    del files["model.safetensors"]
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    files |= dict.fromkeys(["../../../../outside.safetensors", "..\\outside.safetensors"], b"")
    with pytest.raises(ModelError, match=r"index.json is broken|something else than a hub"):
        plan_download(ID)


@pytest.mark.parametrize(
    ("config", "files", "words"),
    [
        ({"model_type": "llama"}, ["model.safetensors"], "takes no photos"),
        ({"model_type": "surprise"}, ["model.safetensors"], "does not know models of type 'surprise'"),
        ({"model_type": "surprise", "auto_map": {}}, ["model.safetensors"], "code of its own"),
        ({}, ["model.safetensors"], "names no type of model"),
        ({"model_type": "llava"}, ["consolidated.safetensors"], "neither model.safetensors nor"),
        ({"model_type": "llava"}, ["pytorch_model.bin"], "no safetensors weights"),
        ({"model_type": "llava"}, ["model.gguf"], "GGUF"),
        (None, ["adapter_config.json", "adapter_model.safetensors"], "an adapter for another model"),
        (None, ["model_index.json", "unet.safetensors"], "makes pictures"),
        (None, ["README.md"], "config.json is missing"),
    ],
)
def test_what_photopal_cannot_use_is_refused_before_any_weight_is_downloaded(hub, config, files, words):
    hub.repositories[ID] = dict.fromkeys(files, b"never asked for")
    if config is not None:
        hub.repositories[ID]["config.json"] = json.dumps(config).encode()
    with pytest.raises(ModelError, match=words) as caught:
        plan_download(ID)
    assert caught.value.hint
    assert hub.weights_asked_for() == []


def test_a_license_to_accept_first_is_said_with_its_page(tiny):
    tiny.gated.add(ID)
    with pytest.raises(ModelError, match="license must be accepted first") as caught:
        plan_download(ID)
    assert f"{huggingface_hub.constants.ENDPOINT}/{ID}" in caught.value.hint
    assert "hf auth login" in caught.value.hint


def test_a_model_that_is_not_there_is_said(hub):
    with pytest.raises(ModelError, match="no such model"):
        plan_download("someone/else")
    with pytest.raises(UsageError, match="not a Hugging Face id"):
        plan_download("../../etc")
    with pytest.raises(UsageError, match="not a Hugging Face id"):
        plan_download("a--b/c--d")


def test_a_hub_out_of_reach_is_said(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        plan_download(ID)
    assert "network" in caught.value.hint


@pytest.mark.parametrize("page", [b"<html>Welcome to our hotel</html>", b"[]", b'{"id": "x"}'])
def test_a_page_to_log_in_to_is_not_taken_for_the_hub(tiny, page):
    tiny.page = page
    with pytest.raises(ModelError, match=r"something else than a hub|config.json is missing") as caught:
        plan_download(ID)
    assert caught.value.hint


def test_a_variable_that_switches_downloads_off_is_named(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")
    with pytest.raises(ModelError, match="TRANSFORMERS_OFFLINE"):
        plan_download(ID)
    assert hub.requests == []


def test_a_disk_that_is_too_small_is_said_before(tiny):
    plan = plan_download(ID)
    check_room(plan)
    with pytest.raises(ModelError, match="not enough room"):
        check_room(replace(plan, free_bytes=plan.missing_bytes))


def test_a_checksum_that_is_a_path_is_refused(tiny, monkeypatch):
    monkeypatch.setattr("tests.fake_hub.digest_of", lambda path, content: "../../../outside")
    with pytest.raises(ModelError, match="without a size or a checksum"):
        plan_download(ID)


def test_two_downloads_of_one_model_do_not_get_into_each_others_way(tiny):
    plan = plan_download(ID)

    refused = []

    def download_again(done, total, item=None):
        if not refused:
            with pytest.raises(ModelError, match="another process"):
                download(plan)
            refused.append(item)

    download(plan, on_progress=download_again)
    assert refused
    assert find_cached(ID) is not None


def test_models_in_the_cache_are_listed_and_removed(tiny, tmp_path):
    download(plan_download(ID))
    text = tmp_path / "cache" / "models--someone--text"
    (text / "refs").mkdir(parents=True)
    (text / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    (text / "snapshots" / COMMIT).mkdir(parents=True)
    clip = {"model_type": "clip", "architectures": ["CLIPModel"], "vision_config": {}, "text_config": {}}
    (text / "snapshots" / COMMIT / "config.json").write_text(json.dumps(clip), encoding="utf-8")
    [model] = cached_models()
    assert (model.name, model.fault) == (ID, None)
    assert model.size_bytes >= plan_download(ID).size_bytes
    remove_cached(ID)
    assert cached_models() == []
    assert text.exists()
    with pytest.raises(ModelError, match="is not in"):
        remove_cached(ID)
