"""Why a model cannot be used is said by its true cause, with the way out."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors import SafetensorError
from transformers.utils import import_utils

from photopal.errors import ModelError
from photopal.vlm.causes import check_config, check_folder, explain


@pytest.mark.parametrize(
    ("error", "packages"),
    [
        (ImportError(import_utils.TORCHVISION_IMPORT_ERROR.format("PixtralImageProcessor")), "torchvision"),
        (ImportError(import_utils.TIMM_IMPORT_ERROR.format("TimmWrapperModel")), "timm"),
        (ImportError(import_utils.SENTENCEPIECE_IMPORT_ERROR.format("A tokenizer")), "sentencepiece"),
        (ImportError(import_utils.CV2_IMPORT_ERROR.format("A processor")), "opencv-python"),
        (
            ImportError(
                "".join(
                    text.format("X")
                    for text in (import_utils.TIMM_IMPORT_ERROR, import_utils.TORCHVISION_IMPORT_ERROR)
                )
            ),
            "timm torchvision",
        ),
        (ModuleNotFoundError("No module named 'einops.layers'"), "einops"),
        (
            ImportError(
                "Package `num2words` is required to run SmolVLM processor. Install it with "
                "`pip install num2words`."
            ),
            "num2words",
        ),
        (
            ValueError(
                "Using a `device_map` or `tp_plan` requires `accelerate`. You can install it with "
                "`pip install accelerate`"
            ),
            "accelerate",
        ),
        (
            ImportError(
                "Using `bitsandbytes` 4-bit quantization requires accelerate: `pip install 'accelerate>=1.1'`"
            ),
            "accelerate",
        ),
        (
            ImportError(
                "Using `bitsandbytes` 8-bit quantization requires bitsandbytes: "
                "`pip install -U bitsandbytes>=0.46`"
            ),
            "bitsandbytes",
        ),
        (
            ImportError("Loading a GPTQ quantized model requires optimum (`pip install optimum`)"),
            "optimum",
        ),
        (
            ValueError("tiny requires `torchvision` to be installed. Please install `torchvision`."),
            "torchvision",
        ),
        (
            ValueError("None could be imported. Missing optional dependencies: torchvision. Please install"),
            "torchvision",
        ),
        (
            TypeError(
                "Received a NoneType for argument video_processor, but a BaseVideoProcessor was expected."
            ),
            "torchvision",
        ),
        (
            ValueError("You need to have sentencepiece or tiktoken installed to convert a slow tokenizer"),
            "sentencepiece",
        ),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_line_for_pip(error, packages, monkeypatch):
    monkeypatch.setattr("photopal.vlm.causes._is_installed", lambda package: False)
    explained = explain(error, "tiny")
    assert explained.hint == f"pip install {packages}"
    assert all(package in explained.message for package in packages.split())
    assert "not installed" in explained.message


def test_a_package_that_is_too_old_is_not_called_missing():
    explained = explain(ImportError("This needs a newer one: `pip install -U pillow`"), "tiny")
    assert "in another version than the one installed" in explained.message
    assert explained.hint == "pip install --upgrade pillow"


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (
            ValueError("The repository x contains custom code which must be executed to load the model."),
            "code of its own, which photopal never runs",
            "transformers supports itself",
        ),
        (
            ValueError(
                "The checkpoint you are trying to load has model type `newest` but Transformers does not "
                "recognize this architecture. You can update with `pip install --upgrade transformers`."
            ),
            "does not know models of type 'newest'",
            "pip install --upgrade transformers",
        ),
        (
            ValueError("Unrecognized configuration class <class 'LlamaConfig'> for this kind of AutoModel: "),
            "takes no photos",
            "vision-language",
        ),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
            "fit into memory",
            "smaller",
        ),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: ..."),
            "fit into memory",
            "smaller",
        ),
        (MemoryError(), "fit into memory", "smaller"),
        (
            SafetensorError("Error while deserializing header: MetadataIncompleteBuffer"),
            "weight files are broken or incomplete",
            "again",
        ),
        (
            RuntimeError("You set `ignore_mismatched_sizes` to `False`, thus raising an error."),
            "weights do not fit config.json",
            "again",
        ),
        (RuntimeError("No GPU found. A GPU is needed for quantization."), "only a GPU computes", "quantized"),
        (
            OSError("Can't load image processor for 'x'. If you were trying to load it from"),
            "preprocessor_config.json is missing",
            "again",
        ),
        (
            OSError("Can't load tokenizer for 'x'. If you were trying to load it from"),
            "tokenizer are missing",
            "tokenizer",
        ),
        (
            RuntimeError("something new\nand more of it"),
            "cannot be loaded: something new",
            "vision-language",
        ),
    ],
)
def test_what_a_library_raises_is_said_by_its_cause(error, message, hint):
    explained = explain(error, "tiny")
    assert explained.message.startswith("tiny: ")
    assert message in explained.message
    assert "\n" not in explained.message
    assert hint in explained.hint


@pytest.mark.parametrize("kind", ["llava", "qwen2_5_vl", "smolvlm", "gemma3"])
def test_a_vision_language_model_passes(kind):
    check_config({"model_type": kind}, "tiny")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["pytorch_model.bin", "config.json"], "no safetensors weights"),
        (["config.json"], "no safetensors weights"),
        (["model.gguf"], "GGUF"),
        (["adapter_config.json", "adapter_model.safetensors"], "adapter"),
        (["model_index.json"], "makes pictures"),
        (["notes.txt"], "config.json is missing"),
    ],
)
def test_a_folder_that_holds_something_else_is_said(tmp_path, files, message):
    for name in files:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=message) as caught:
        check_folder(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("below", ["llava", f"snapshots/{'0' * 40}"])
def test_the_folder_above_a_model_leads_to_it(tmp_path, below):
    (tmp_path / below).mkdir(parents=True)
    (tmp_path / below / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        check_folder(tmp_path)
    assert caught.value.hint == f"Did you mean {tmp_path / below}?"


@pytest.mark.parametrize("is_sharded", [False, True])
def test_weights_that_are_links_to_nowhere_are_missing(tmp_path, is_sharded):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / "gone")
    if is_sharded:
        index = {"weight_map": {"a": "model.safetensors"}}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ModelError, match=r"weight files are missing.*model\.safetensors") as caught:
        check_folder(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\2\0\0\0\0\0\0\0{",
        b"\2\0\0\0\0\0\0\0[]",
        b"\xff" * 8,
        b'\x3a\0\0\0\0\0\0\0{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0,8]}}half',
    ],
)
def test_weights_that_were_cut_off_are_said_without_loading_them(tmp_path, content):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="the weight files are broken or incomplete"):
        check_folder(tmp_path)


def test_a_list_of_weights_that_is_broken_is_said(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match="broken list of weight files"):
        check_folder(tmp_path)
