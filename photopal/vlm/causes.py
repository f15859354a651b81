"""Says why a model cannot be used and what to do about it; needs no torch, and loads nothing.

A cause is found in the model's files (`check_folder`), in its configuration (`check_config`) or in what
transformers raises while it loads the model (`explain`).
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photopal.errors import ModelError
from photopal.files import is_file
from photopal.text import join_words

SUGGESTION = (
    "Choose a vision-language chat model that transformers supports itself, "
    "such as LLaVA, SmolVLM or Qwen2.5-VL."
)

_MOST_HEADER_BYTES = 100_000_000  # safetensors takes no longer one

# File name → what its folder or repository holds where the whole model is missing.
_OTHER_KINDS = (
    ("adapter_config.json", "an adapter for another model, not a whole model"),
    ("model_index.json", "a model that makes pictures, not one that understands them"),
    ("*.gguf", "a model in GGUF format, which transformers does not run"),
)
_BROKEN_WEIGHTS = "the weight files are broken or incomplete"
_UNSAFE_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack", "*.h5")

# How transformers says that a package is missing. The first group is the package, by whatever name.
_PACKAGE_PATTERNS = (
    r"requires (?:the )?`?([\w-]+)`? (?:library|to be installed)",
    r"requires (accelerate|bitsandbytes|optimum)",
    r"[Pp]ackage `([\w-]+)` is required",
    r"Missing optional dependencies: ([\w-]+)",
    r"No module named '([\w-]+)",
    r"need to have (sentencepiece) or tiktoken installed",
    r"argument (video_processor), but a \w+ was expected",
    r"`?pip install (?:--?[\w-]+ )*'?([A-Za-z][\w-]*)",
)
# What pip calls a package that goes by another name in messages.
_PIP_NAMES = {
    "PIL": "pillow",
    "OpenCV": "opencv-python",
    "cv2": "opencv-python",
    "PyAv": "av",
    "jinja": "jinja2",
    "video_processor": "torchvision",
}

# What is raised → what that means for the user, and the way out; the first that fits counts. Words in braces
# are the groups of the pattern.
_CAUSES = (
    (
        r"contains custom code|trust_remote_code",
        "the model brings code of its own, which photopal never runs",
        SUGGESTION,
    ),
    (
        r"model type `(?P<kind>[^`]+)` but Transformers does not recognize",
        "this version of transformers does not know models of type {kind!r}",
        "If the model is very new, a later version may: pip install --upgrade transformers",
    ),
    (
        r"Unrecognized configuration class",
        "the model takes no photos",
        SUGGESTION,
    ),
    (
        r"out of memory|can't allocate memory|not enough memory|MemoryError",
        "the model does not fit into memory",
        "Close other programs, or use a smaller model or another --device.",
    ),
    (
        r"deserializing header|HeaderToo|InvalidHeader|MetadataIncompleteBuffer|incomplete metadata",
        _BROKEN_WEIGHTS,
        "Download or copy the model again.",
    ),
    (
        r"size mismatch|mismatched sizes|ignore_mismatched_sizes",
        "the weights do not fit config.json",
        "Download or copy the model again; its files may be of different versions.",
    ),
    (
        r"GPU (?:is|are) (?:needed|required)|requires a GPU|No GPU found",
        "the model is quantized in a way that only a GPU computes",
        "Use --device cuda on a machine with a GPU, or a version of the model that is not quantized.",
    ),
    (
        r"Can't load image processor|file named (?:pre)?processor_config|Unrecognized image processor",
        "preprocessor_config.json is missing or broken, so it is not known how the model takes photos",
        "Download or copy the model again, with all its JSON files.",
    ),
    (
        r"Can't load tokenizer|instantiate the backend tokenizer|Unable to load vocabulary|Tokenizer class '",
        "the files of its tokenizer are missing or broken",
        "Download or copy the model again, with all files whose names begin with 'tokenizer'.",
    ),
)


def explain(error: BaseException, name: str, *, otherwise: ModelError | None = None) -> ModelError:
    """Say why a model cannot be loaded or used.

    Args:
        error: What transformers, torch or safetensors raised.
        name: The model, for the message.
        otherwise: What to say where the cause is not known; by default the first line of the error.

    Returns:
        The error to raise from it, with the true cause and the remedy as far as they are known.
    """
    if isinstance(error, ModelError):
        return error
    text = f"{type(error).__name__}: {error}"
    for pattern, message, hint in _CAUSES:
        if match := re.search(pattern, text):
            return ModelError(f"{name}: {message.format(**match.groupdict())}", hint=hint)
    if packages := _packages_in(text):
        one = len(packages) == 1
        words = f"{name}: the model needs {'the package' if one else 'packages'} {join_words(packages)}"
        if all(map(_is_installed, packages)):
            return ModelError(
                f"{words}, in another version than the one installed",
                hint=f"pip install --upgrade {' '.join(packages)}",
            )
        return ModelError(
            f"{words}, which {'is' if one else 'are'} not installed", hint=f"pip install {' '.join(packages)}"
        )
    return otherwise or ModelError(
        f"{name}: the model cannot be loaded: {first_line(error)}", hint=SUGGESTION
    )


def _packages_in(text: str) -> list[str]:
    """The packages that a message says are missing or too old, as pip calls them."""
    for pattern in _PACKAGE_PATTERNS:
        if found := re.findall(pattern, text):
            return list(dict.fromkeys(_PIP_NAMES.get(name, name.lower()) for name in found))
    return []


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; its kind where it says nothing."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def check_config(config: Mapping[str, Any], name: str) -> None:
    """Check by its configuration that transformers can load a model as a vision-language model.

    Args:
        config: What its config.json holds.
        name: The model, for the message.

    Raises:
        ModelError: It cannot: the model is of another kind, or unknown.
    """
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    kind = config.get("model_type")
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return
    if not kind:
        raise ModelError(f"{name}: config.json names no type of model", hint=SUGGESTION)
    if kind in CONFIG_MAPPING_NAMES:
        raise ModelError(f"{name}: the model takes no photos: it is of type {kind!r}", hint=SUGGESTION)
    if "auto_map" in config:
        raise ModelError(
            f"{name}: the model brings code of its own, which photopal never runs", hint=SUGGESTION
        )
    raise ModelError(
        f"{name}: transformers {transformers.__version__} does not know models of type {kind!r}",
        hint="If the model is very new, a later version may: pip install --upgrade transformers",
    )


def check_files(names: list[str], name: str) -> None:
    """Check by the names of its files that something is a whole model with safetensors weights.

    Args:
        names: The files, without folders.
        name: The folder or repository, for the message.

    Raises:
        ModelError: It is something else, or its weights are in a format that can run code.
    """
    paths = [Path(file) for file in names]
    has_config = "config.json" in names
    has_weights = any(path.match("*.safetensors") and not path.match("adapter_*") for path in paths)
    if has_config and has_weights:
        return
    for pattern, words in _OTHER_KINDS:
        if any(path.match(pattern) for path in paths):
            raise ModelError(f"{name}: {words}", hint=SUGGESTION)
    if not has_config:
        raise ModelError(
            f"{name}: not a model for transformers: config.json is missing",
            hint="Name a folder that contains config.json and the safetensors files, or a Hugging Face id.",
        )
    is_unsafe = any(path.match(pattern) for path in paths for pattern in _UNSAFE_WEIGHTS)
    hint = "Other weight formats can run code and are not read; look for a safetensors version."
    raise ModelError(
        f"{name}: no safetensors weights",
        hint=hint if is_unsafe else "Download the model again if there should be some.",
    )


def check_folder(folder: Path) -> None:
    """Check that a folder holds a whole checkpoint.

    Args:
        folder: The folder.

    Raises:
        ModelError: The configuration, the weights or a part of them are missing.
    """
    # A link that leads nowhere, as after files of the hub's cache were deleted by hand, is no file.
    everything = sorted(folder.iterdir())
    names = [path.name for path in everything if is_file(path)]
    if "config.json" not in names:
        # The folder above the model: of a collection, or of the hub's cache, where snapshots lie below.
        below = sorted([*folder.glob("*/config.json"), *folder.glob("snapshots/*/config.json")])
        if below:
            raise ModelError(
                f"{folder}: not a model for transformers: config.json is missing",
                hint=f"Did you mean {below[0].parent}?",
            )
    index = folder / "model.safetensors.index.json"
    if index.name not in names:
        lost = [path.name for path in everything if path.is_symlink() and path.match("*.safetensors")]
        if lost and not weight_files(folder):
            raise ModelError(
                f"{folder}: the weight files are missing: {lost[0]} links to a file that is not there",
                hint="Run `photopal model get` with the model's name, or copy the model again.",
            )
        check_files(names, str(folder))
        _check_weights(folder, ["model.safetensors"])
        return
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, OSError) as error:
        raise ModelError(f"{index}: broken list of weight files", hint="Download the model again.") from error
    check_files([*names, *shards], str(folder))
    missing = sorted(shard for shard in shards if not (folder / shard).is_file())
    if missing:
        raise ModelError(
            f"{folder}: {len(missing)} of {len(shards)} weight files are missing, such as {missing[0]}",
            hint="Download the model again; an interrupted download is resumed.",
        )
    _check_weights(folder, sorted(shards))


def weight_files(folder: Path) -> list[Path]:
    """The files with weights in a folder, by name; no links that lead nowhere."""
    return sorted(path for path in folder.glob("*.safetensors") if is_file(path))


def _check_weights(folder: Path, names: list[str]) -> None:
    """Check that weight files have all the bytes that they should have.

    Raises:
        ModelError: One was cut off, or is something else.
    """
    broken = [name for name in names if is_file(folder / name) and not _is_whole(folder / name)]
    if broken:
        raise ModelError(
            f"{folder}: {_BROKEN_WEIGHTS}, such as {broken[0]}", hint="Download or copy the model again."
        )


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its header says; yes where it cannot be read at all."""
    try:
        with path.open("rb") as file:
            size_bytes = int.from_bytes(file.read(8), "little")
            if size_bytes > _MOST_HEADER_BYTES:
                return False
            header = json.loads(file.read(size_bytes))
        tensors = [facts for name, facts in header.items() if name != "__metadata__"]
        end = max((facts["data_offsets"][1] for facts in tensors), default=0)
        return bool(path.stat().st_size == 8 + size_bytes + end)
    except (ValueError, LookupError, TypeError, AttributeError):
        return False
    except OSError:  # whoever loads the model says why
        return True


def check_model(folder: Path, name: str) -> None:
    """Check that a folder holds a whole checkpoint of a model that takes photos.

    Args:
        folder: The folder.
        name: The model, for the message.

    Raises:
        ModelError: It does not.
    """
    check_folder(folder)
    check_config(read_config(folder), name)


def read_config(folder: Path) -> dict[str, Any]:
    """What the config.json of a folder holds.

    Raises:
        ModelError: It is no JSON object, or cannot be read.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{folder}: config.json is broken", hint="Download the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{folder}: config.json is broken", hint="Download the model again.")
    return config
