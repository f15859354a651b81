"""Loads a checkpoint from a folder or the local hub cache; knows nothing of prompts or concepts.

Weights are read from safetensors files only, code that comes with a model is never run, and nothing is
fetched from the network.
"""

from __future__ import annotations

import inspect
import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
import transformers
from PIL import Image
from safetensors import SafetensorError
from transformers import (
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    BitsAndBytesConfig,
)
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from photopal.errors import ModelError
from photopal.files import is_folder
from photopal.text import join_words
from photopal.vlm.causes import (
    SUGGESTION,
    check_model,
    explain,
    first_line,
)
from photopal.vlm.checkpoint import Checkpoint, fingerprint_folder, is_large_half, output_layer
from photopal.vlm.families import Family, family_of, generic
from photopal.vlm.hub import find_cached
from photopal.vlm.model import LoadedModel
from photopal.vlm.ood import load_ood_detector
from photopal.vlm.verify import find_route

DEFAULT_MODEL_FOLDER = Path(__file__).resolve().parent.parent / "models" / "mini"
"""Where the bundled model is."""

_LOAD_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    ImportError,
    RuntimeError,
    AttributeError,
    MemoryError,
    SafetensorError,
)
_NUMBER_FORMATS = {"cuda": torch.bfloat16, "mps": torch.float16}
_BITS = {"int8": 8, "int4": 4}
_LONGEST_SIDE_PX, _LEAST_SIDE_PX = 2048, 64
_SOFT_TOKENS = (70, 140, 280, 560, 1120)  # all that the processor of Gemma 4 takes


def load_model(
    name_or_path: str | Path = DEFAULT_MODEL_FOLDER,
    *,
    device: str = "auto",
    dtype: str | torch.dtype = "auto",
    image_tokens: int = 0,
    routes_path: Path | None = None,
) -> LoadedModel:
    """Load a frozen vision-language model.

    Args:
        name_or_path: A folder with a HuggingFace checkpoint, or a hub id such as `llava-hf/llava-1.5-7b-hf`.
        device: `auto`, or a torch device; auto takes cuda, then mps, then cpu.
        dtype: `auto`, or a torch number format; auto takes bfloat16 on cuda where the GPU has it, else
            float16, as on mps; on cpu float32, but bfloat16 for a model of more than a gigabyte that is kept
            in 16 bits, if the processor multiplies that format: it takes half the memory. With `int8` and
            `int4`, matrices are kept in so many bits by bitsandbytes, and computed in what auto takes.
        image_tokens: As how many tokens a photo may be seen at most, by models that leave the choice; 0 for
            as many as the model takes.
        routes_path: A file that remembers how models of families without tests may be run, so that this is
            not found out every time.

    Returns:
        The model, with every weight frozen.

    Raises:
        ModelError: The model is not there, not complete, or not one photopal can use.
    """
    name, folder = _resolve(name_or_path)
    check_model(folder, name)
    chosen_device = _choose_device(device)
    bits = _BITS.get(str(dtype))
    try:
        chosen_dtype = _choose_dtype("auto" if bits else dtype, chosen_device, folder)
        if bits:
            _check_quantization(str(dtype), chosen_device)
        with _quiet():
            checkpoint, family = _load_checkpoint(folder, chosen_device, chosen_dtype, bits=bits)
        is_limited = bool(image_tokens) and limit_tokens(checkpoint, image_tokens)
        model = LoadedModel(
            checkpoint,
            family,
            name=name,
            fingerprint=fingerprint_folder(folder),
            ood_detector=load_ood_detector(folder),
        )
    except _LOAD_ERRORS as error:
        raise explain(error, name) from error
    model.variant = (f"-{image_tokens}" if is_limited else "") + (f"-{dtype}" if bits else "")
    if not family.is_proven:
        model.take_route(find_route(model, checkpoint, family, routes_path))
    return model


def _resolve(name_or_path: str | Path) -> tuple[str, Path]:
    text = str(name_or_path)
    folder = Path(name_or_path).expanduser()
    if is_folder(folder):
        return folder.resolve().name, folder
    is_path = isinstance(name_or_path, Path) or text.startswith((".", "~")) or folder.is_absolute()
    if is_path or text.count("/") != 1:
        raise ModelError(
            f"{text}: no such model folder",
            hint="Use a folder with config.json and safetensors files, or a Hugging Face id (owner/name).",
        )
    found = find_cached(text)
    if found is None:
        raise ModelError(
            f"{text}: the model is not on this computer", hint=f"photopal model get {shlex.quote(text)}"
        )
    return text, found


def _load_checkpoint(
    folder: Path, device: torch.device, dtype: torch.dtype, *, bits: int | None
) -> tuple[Checkpoint, Family]:
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    quantized: dict[str, Any] = {}
    if bits:
        quantized = {
            "quantization_config": BitsAndBytesConfig(
                load_in_8bit=bits == 8,
                load_in_4bit=bits == 4,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_compute_dtype=dtype,
            ),
            "device_map": {"": device},
        }
    model, report = AutoModelForImageTextToText.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **safe, **quantized
    )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"{folder.name}: {len(missing)} tensors are missing from the weight files, such as {missing[0]}",
            hint="Download the model again.",
        )
    family = family_of(model.config)
    tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **safe)
    processor = None
    if family.needs_processor:
        processor = _load_processor(folder, model.config, tokenizer, image_processor)
        image_processor = getattr(processor, "image_processor", image_processor)
    image_token, image_token_id = _image_token(model.config, tokenizer, folder)
    model.requires_grad_(False).eval()
    is_tied = _ends_share(model)
    if not bits:
        model.to(device)
    if is_tied and not _ends_share(model):  # some kinds of devices get each layer's weights by themselves
        output_layer(model).weight = model.get_input_embeddings().weight
    checkpoint = Checkpoint(
        model=model,
        tokenizer=tokenizer,
        image_processor=image_processor,
        processor=processor,
        chat_template=_chat_template(folder, tokenizer),
        folder=folder,
        # A few have chat templates write something else than what the photo's tokens are.
        image_token=(
            getattr(processor, "image_placeholder_token", None)
            or getattr(processor, "image_token", None)
            or image_token
        ),
        image_token_id=image_token_id,
        device=device,
        dtype=dtype,
        prompt_start=_prompt_start(processor, tokenizer) if processor else "",
    )
    return checkpoint, family


def limit_tokens(checkpoint: Checkpoint, most: int) -> bool:
    """Have a photo seen as fewer tokens, by the processor's size or tiles, or else as a smaller photo.

    Where even the smallest size or number has more tokens, that is taken.

    Args:
        checkpoint: The checkpoint, whose image processor is changed.
        most: How many tokens.

    Returns:
        Whether there was anything to limit.
    """
    limits = (_limit_pixels, _limit_side, _limit_tiles, _limit_grids, _limit_parts, _limit_soft_tokens)
    return any(limit(checkpoint, most) for limit in (*limits, _limit_photos))


def _limit_pixels(checkpoint: Checkpoint, most: int) -> bool:
    """Qwen-VL: the longest edge is a number of pixels, though its name does not say so."""
    images = checkpoint.image_processor
    patch, merge = (getattr(images, name, None) for name in ("patch_size", "merge_size"))
    if not isinstance(patch, int) or not isinstance(merge, int):
        return False
    limit = most * (patch * merge) ** 2
    pixels = (images.size or {}).get("longest_edge")
    if not pixels or pixels <= limit:
        return False
    least = min(images.size.get("shortest_edge") or limit, limit)
    images.size = type(images.size)(shortest_edge=least, longest_edge=limit)
    return True


def _limit_side(checkpoint: Checkpoint, most: int) -> bool:
    """Pixtral and Mistral 3: the longest edge is a side; a square photo has the most tokens."""
    images, processor = checkpoint.image_processor, checkpoint.processor
    patch, merge = (getattr(processor, name, None) for name in ("patch_size", "spatial_merge_size"))
    if not isinstance(patch, int) or not isinstance(merge, int):
        return False
    limit = math.isqrt(most) * patch * merge
    side = (images.size or {}).get("longest_edge")
    if not side or side <= limit:
        return False
    images.size = type(images.size)(longest_edge=limit)
    return True


def _limit_tiles(checkpoint: Checkpoint, most: int) -> bool:
    """InternVL, Ovis2, Aya Vision, Command A Vision and PerceptionLM: equal tiles beside an overview."""
    images = checkpoint.image_processor
    name = "max_patches" if hasattr(images, "crop_to_patches") else "max_num_tiles"
    tiles, of_tile = getattr(images, name, None), _tile_tokens(checkpoint)
    if not isinstance(tiles, int) or not of_tile or (tiles + 1) * of_tile <= most:
        return False
    setattr(images, name, max(1, most // of_tile - 1))
    return True


def _tile_tokens(checkpoint: Checkpoint) -> int:
    """The number of tokens of each tile; 0 where the processor does not tell it in one of these ways."""
    images, processor = checkpoint.image_processor, checkpoint.processor
    names = ("image_seq_length", "img_size", "patch_size", "pooling_ratio")
    tokens, side, patch, pooling = (getattr(processor, name, None) for name in names)
    if isinstance(tokens, int):
        return tokens
    if not isinstance(patch, int):
        return 0
    if isinstance(side, int):  # Aya Vision
        return (side // patch) ** 2
    if isinstance(pooling, int):  # PerceptionLM
        return int(images.tile_size // patch // pooling) ** 2
    return patch**2 if hasattr(images, "crop_to_patches") else 0  # Command A Vision, whose name is odd


def _limit_grids(checkpoint: Checkpoint, most: int) -> bool:
    """LLaVA-NeXT and OneVision: a list of sizes, each of a number of tiles, beside an overview.

    Those of two tiles stay, upright and lying: with fewer, a photo is seen no better than in the overview.
    """
    images, config = checkpoint.image_processor, checkpoint.config
    sizes = getattr(images, "image_grid_pinpoints", None)
    patch = getattr(getattr(config, "vision_config", None), "patch_size", None)
    if not sizes or not isinstance(patch, int):
        return False
    tile = int(images.size.get("shortest_edge") or images.size["height"])
    side = tile // patch
    grids = [(size[0] // tile, size[1] // tile) for size in sizes]
    least = max(2, min(rows * cols for rows, cols in grids))

    def fits(rows: int, cols: int) -> bool:
        # Each row of patches ends with a token of its own; a grid and the same one turned both fit or do not.
        tokens = (rows * cols + 1) * side**2 + max(rows, cols) * side
        return rows * cols <= least or tokens <= most

    fitting = [size for size, grid in zip(sizes, grids, strict=True) if fits(*grid)]
    if len(fitting) == len(sizes):
        return False
    # The model reads from its own list how the processor cut a photo.
    images.image_grid_pinpoints = config.image_grid_pinpoints = fitting
    return True


def _limit_parts(checkpoint: Checkpoint, most: int) -> bool:
    """LFM2-VL: large photos are cut into tiles beside an overview, of which others are all."""
    images = checkpoint.image_processor
    names = ("max_image_tokens", "max_tiles", "tile_size", "encoder_patch_size", "downsample_factor")
    of_overview, tiles, tile, patch, factor = (getattr(images, name, None) for name in names)
    if not of_overview or not tiles or not tile or not patch or not factor:
        return False
    of_tile = (tile // patch // factor) ** 2
    if tiles * of_tile + of_overview <= most:
        return False
    images.max_image_tokens = min(of_overview, most)
    images.min_image_tokens = min(images.min_image_tokens, images.max_image_tokens)
    images.max_tiles = min(tiles, (most - images.max_image_tokens) // of_tile)
    if images.max_tiles < images.min_tiles:
        images.min_tiles = images.max_tiles = 1  # which means: not cut at all
    return True


def _limit_soft_tokens(checkpoint: Checkpoint, most: int) -> bool:
    """Gemma 4: one of a few numbers of tokens."""
    images = checkpoint.image_processor
    tokens = getattr(images, "max_soft_tokens", None)
    if not isinstance(tokens, int) or tokens <= most:
        return False
    chosen = max((number for number in _SOFT_TOKENS if number <= most), default=_SOFT_TOKENS[0])
    images.max_soft_tokens = chosen
    return chosen < tokens


def _limit_photos(checkpoint: Checkpoint, most: int) -> bool:
    """All others: photos are shrunk beforehand, if that brings them to so few tokens."""
    if checkpoint.processor is None:
        return False

    def count(side: int) -> int:
        pictures = (Image.new("RGB", size) for size in ((side, side), (side, side // 2)))
        texts = [generic.prepare(checkpoint, picture)[1] for picture in pictures]
        made: list[list[int]] = checkpoint.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return max(ids.count(checkpoint.image_token_id) for ids in made)

    side, chosen = _LONGEST_SIDE_PX, 0
    with suppress(Exception):  # a processor that does not take this is refused when it is tried
        least = tokens = count(side)
        while tokens > most and side > _LEAST_SIDE_PX:
            # Tokens grow with the area; where there are tiles, by leaps.
            side = round(side * min(0.9, max(0.5, math.sqrt(most / tokens))))
            tokens = count(side)
            if tokens < least:
                least, chosen = tokens, side
    checkpoint.longest_side_px = chosen
    return bool(chosen)


def _load_processor(folder: Path, config: Any, tokenizer: Any, image_processor: Any) -> Any:
    """The model's processor; without its part for videos, which mostly asks for more packages."""
    settings, _ = transformers.ProcessorMixin.get_processor_dict(folder, local_files_only=True)
    kind = getattr(transformers, str(settings.get("processor_class")), None)
    if kind is None and type(config) in PROCESSOR_MAPPING:
        kind = PROCESSOR_MAPPING[type(config)]
    if kind is None or "video_processor" not in inspect.signature(kind.__init__).parameters:
        return AutoProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=False, local_files_only=True
        )

    class ForPhotos(kind):  # type: ignore[misc, valid-type]
        """The same processor, which takes no videos."""

        def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
            return (
                type(argument)
                if argument is None or isinstance(argument, _Absent)
                else super().check_argument_for_proper_class(name, argument)
            )

    given = inspect.signature(kind.__init__).parameters
    options = {name: value for name, value in settings.items() if name in given}
    parts = {"image_processor": image_processor, "tokenizer": tokenizer}
    absent: dict[str, Any] = dict.fromkeys(kind.get_attributes())
    try:
        return ForPhotos(**absent | options | parts)
    except AttributeError:  # some read settings of their part for videos when they are made
        return ForPhotos(**absent | {"video_processor": _Absent()} | options | parts)


class _Absent:
    """A part of a processor that is not there; so are its settings."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _prompt_start(processor: Any, tokenizer: Any) -> str:
    """The token that the processor alone writes before a text, as that of Molmo2 does; empty if none."""
    with suppress(Exception):  # many take no text without a photo, and none of those writes one
        [ids] = processor(text=["A"])["input_ids"]
        if list(ids)[1:] == tokenizer("A")["input_ids"]:
            return str(tokenizer.convert_ids_to_tokens(ids[0]))
    return ""


def _ends_share(model: Any) -> bool:
    """Whether the input and the output layer are one weight."""
    output = output_layer(model)
    return output is not None and output.weight is model.get_input_embeddings().weight


def _image_token(config: Any, tokenizer: Any, folder: Path) -> tuple[str, int]:
    id_ = getattr(config, "image_token_id", None)
    id_ = getattr(config, "image_token_index", None) if id_ is None else id_
    token = None if id_ is None else tokenizer.convert_ids_to_tokens(id_)
    if id_ is None or token is None:
        raise ModelError(
            f"{folder.name}: the model has no image token",
            hint=SUGGESTION,
        )
    return str(token), int(id_)


def _chat_template(folder: Path, tokenizer: Any) -> str:
    stored = transformers.ProcessorMixin.get_processor_dict(folder, local_files_only=True)[0]
    template = stored.get("chat_template") or tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise ModelError(
            f"{folder.name}: the model has no chat template",
            hint="Base models have none: choose a version tuned for chat, often called Instruct, it or chat.",
        )
    return str(template)


def _choose_device(device: str) -> torch.device:
    if device == "auto":
        is_mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if is_mps else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(
            f"device {device!r} cannot be used: {first_line(error)}",
            hint="Use auto, cpu, cuda or mps.",
        ) from error
    return chosen


def _choose_dtype(dtype: str | torch.dtype, device: torch.device, folder: Path) -> torch.dtype:
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        is_halved = device.type == "cpu" and is_large_half(folder) and multiplies_bfloat16()
        # Older GPUs compute bfloat16 only by detours, if at all.
        if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.float16
        return torch.bfloat16 if is_halved else _NUMBER_FORMATS.get(device.type, torch.float32)
    chosen = getattr(torch, dtype, None)
    if not isinstance(chosen, torch.dtype) or not chosen.is_floating_point:
        raise ModelError(
            f"invalid dtype {dtype!r}", hint="Use one of auto, float32, bfloat16, float16, int8, int4."
        )
    return chosen


def _check_quantization(dtype: str, device: torch.device) -> None:
    missing = [name for name in ("bitsandbytes", "accelerate") if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"dtype {dtype!r} needs {join_words(missing)}, not installed here",
            hint="pip install 'photopal[quantized]'",
        )
    if device.type not in ("cuda", "cpu"):
        raise ModelError(
            f"dtype {dtype!r} cannot be used on {device.type}",
            hint="Use it on cuda or cpu.",
        )


def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions to multiply bfloat16; no where torch cannot tell."""
    tests = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(test is not None and test() for test in tests)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the HuggingFace libraries off stderr and off the network; errors are still raised.

    Every call is given `local_files_only`; this holds for those inside the libraries that do not pass it on.
    """
    logging: Any = transformers.logging
    hub: Any = huggingface_hub.utils
    constants: Any = huggingface_hub.constants
    was_offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    level, hub_level = logging.get_verbosity(), hub.logging.get_verbosity()
    has_bars, has_hub_bars = logging.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    logging.set_verbosity(logging.CRITICAL)
    hub.logging.set_verbosity_error()
    logging.disable_progress_bar()
    hub.disable_progress_bars()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was_offline
        logging.set_verbosity(level)
        hub.logging.set_verbosity(hub_level)
        if has_bars:
            logging.enable_progress_bar()
        if has_hub_bars:
            hub.enable_progress_bars()
