"""Features kept on disk are those that were made; a broken, full or read-only folder is never in the way."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from photopal.box import WHOLE_PHOTO
from photopal.vlm import load_model
from photopal.vlm.feature_cache import FeatureCache
from photopal.vlm.protocol import PhotoFeatures

KINDS = ["tiny_llava", "tiny_smolvlm", "tiny_qwen"]


@pytest.fixture
def model(tiny_llava):
    return load_model(tiny_llava, device="cpu")


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_same(one, other):
    return (
        torch.equal(one.tokens, other.tokens)
        and one.tokens.dtype == other.tokens.dtype
        and torch.equal(one.patches, other.patches)
        and one.patches.dtype == other.patches.dtype
        and (one.token_grid, one.frame, one.image_text) == (other.token_grid, other.frame, other.image_text)
        and one.model_inputs.keys() == other.model_inputs.keys()
        and all(torch.equal(one.model_inputs[n], other.model_inputs[n]) for n in one.model_inputs)
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_features_come_back_bit_for_bit(kind, dtype, request, tools, tmp_path):
    model = load_model(request.getfixturevalue(kind), device="cpu", dtype=dtype)
    model.feature_cache = FeatureCache(tmp_path / "features", "made")
    made = model.encode_photos([tools.picture(200, 100), tools.picture(seed=2)], keys=["a", "b"])
    assert len(files_in(tmp_path)) == 2
    model.feature_cache = FeatureCache(tmp_path / "features", "made")
    model._family = replace(model._family, encode=lambda _, images: pytest.fail("encoded again"))
    again = model.encode_photos([tools.picture(8, 8), tools.picture(8, 8)], keys=["b", "a"])
    assert is_same(again[0], made[1])
    assert is_same(again[1], made[0])


def test_only_what_is_not_kept_is_encoded(model, tools, tmp_path):
    model.feature_cache = FeatureCache(tmp_path, "made")
    pictures = [tools.picture(seed=seed) for seed in range(3)]
    [kept] = model.encode_photos(pictures[1:2], keys=["1"])
    all_three = model.encode_photos(pictures, keys=["0", "1", "2"])
    assert is_same(all_three[1], kept)
    for features, picture in zip(all_three, pictures, strict=True):
        [fresh] = model.encode_photos([picture])
        torch.testing.assert_close(features.tokens, fresh.tokens)
    assert len(files_in(tmp_path)) == 3


def test_patches_that_are_the_tokens_are_stored_once(tiny_qwen, tools, tmp_path):
    [features] = load_model(tiny_qwen, device="cpu").encode_photos([tools.picture()])
    kept = FeatureCache(tmp_path, "made")
    kept.put("a", features)
    with safe_open(files_in(tmp_path)[0], framework="pt") as file:
        assert "patches" not in file.keys()  # noqa: SIM118 - no mapping
    assert is_same(kept.get("a"), features)


@pytest.mark.parametrize(("tokens", "files"), [(1024, 1), (4000, 0)])
def test_a_photo_of_a_model_of_seven_billion_takes_eight_megabytes_or_is_not_stored(tokens, files, tmp_path):
    values = torch.ones(tokens, 3584, dtype=torch.bfloat16)
    grid = (tokens // 32, 32)
    features = PhotoFeatures(
        tokens=values, token_grid=grid, patches=values.float().view(*grid, -1), frame=WHOLE_PHOTO
    )
    cache = FeatureCache(tmp_path, "made")
    cache.put("a", features)
    stored = files_in(tmp_path)
    assert len(stored) == files
    assert all(path.stat().st_size <= 8 * 2**20 for path in stored)
    cache.put(
        "b", replace(features, tokens=values[:32], token_grid=(1, 32), patches=values[:32].float()[None])
    )
    assert len(files_in(tmp_path)) == files + 1


def test_another_maker_shares_nothing(model, tools, tmp_path):
    [features] = model.encode_photos([tools.picture()])
    FeatureCache(tmp_path, "one").put("a", features)
    assert FeatureCache(tmp_path, "other").get("a") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "words"])
def test_a_broken_file_is_made_anew(damage, model, tools, tmp_path):
    kept = FeatureCache(tmp_path, "made")
    [features] = model.encode_photos([tools.picture()])
    kept.put("a", features)
    [path] = files_in(tmp_path)
    whole = path.read_bytes()
    flipped = whole[:-5] + bytes([whole[-5] ^ 64]) + whole[-4:]
    path.write_bytes({"cut": whole[:-9], "flipped": flipped, "empty": b"", "words": b"no features"}[damage])
    assert kept.get("a") is None
    model.feature_cache = kept
    [again] = model.encode_photos([tools.picture()], keys=["a"])
    assert is_same(kept.get("a"), again)


def test_the_folder_stays_below_its_bytes_and_what_is_used_stays(model, tools, tmp_path):
    [features] = model.encode_photos([tools.picture()])
    FeatureCache(tmp_path, "made").put("first", features)
    size = files_in(tmp_path)[0].stat().st_size
    kept = FeatureCache(tmp_path, "made", most_bytes=4 * size)
    for number in range(3):
        kept.put(str(number), features)
    for age, key in enumerate(["first", "0", "1", "2"]):
        [path] = [path for path in files_in(tmp_path) if path.stem == key]
        os.utime(path, (1000 + age, 1000 + age))
    assert kept.get("first") is not None
    kept.put("4", features)
    assert {path.stem for path in files_in(tmp_path)} == {"first", "2", "4"}
    assert kept.get("0") is None


def test_a_folder_that_cannot_be_written_is_not_in_the_way(model, tools, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    model.feature_cache = FeatureCache(tmp_path / "file", "made")
    [features] = model.encode_photos([tools.picture()], keys=["a"])
    assert is_same(features, model.encode_photos([tools.picture()])[0])


def test_a_disk_that_is_nearly_full_is_left_alone(model, tools, tmp_path, monkeypatch):
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**20))
    model.feature_cache = FeatureCache(tmp_path, "made")
    model.encode_photos([tools.picture()], keys=["a"])
    assert files_in(tmp_path) == []


def test_no_bytes_keep_nothing(model, tools, tmp_path):
    model.feature_cache = FeatureCache(tmp_path / "features", "made", most_bytes=0)
    model.encode_photos([tools.picture()], keys=["a"])
    assert not (tmp_path / "features").exists()
