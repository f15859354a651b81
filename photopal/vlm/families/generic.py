"""Any model that transformers knows: asks its own processor, vision tower and counting of positions.

Nothing here is of one family. What a photo looks like to the model is what its processor says; what comes of
it is what `get_image_features` gives; where its tokens lie is measured (see `places`).
"""

from __future__ import annotations

import inspect
import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor
from transformers import ProcessorMixin
from transformers.modeling_outputs import BaseModelOutputWithPooling

from photopal.box import WHOLE_PHOTO
from photopal.errors import ModelError
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families.places import (
    Places,
    Sources,
    find_sources,
    places_by_stripes,
    places_on_grid,
)
from photopal.vlm.features import pad_to_square
from photopal.vlm.protocol import PhotoFeatures, to_device

_WORD = "A"
# Photos whose sides are in the same ratio to a fiftieth have their tokens at the same places.
_SHAPES = 50
_LEAST_SAME = 0.5
_PIXELS = "pixel_values"
_TEXT_INPUTS = ("input_ids", "attention_mask", "text_replacement_offsets")
_TYPE_INPUTS = ("mm_token_type_ids", "token_type_ids")
# How the model inputs that come from the tower's output begin: the output's name and a number follow.
_EXTRA = "vision."
_UNUSED_OUTPUTS = ("pooler_output", "last_hidden_state", "hidden_states", "attentions")
_PREPARED_AHEAD = 2
_AXES = 3  # time, height and width, of most models that have any
_processing = Lock()


class _ImageOutputs(BaseModelOutputWithPooling):  # type: ignore[misc]
    """What a tower gives; outputs that it has not given are None, by whatever name a model asks for them."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@torch.no_grad()
def encode(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    """Encode photos by `get_image_features`.

    Where the tower takes pictures, its raw patches are those of its last output; else the projected tokens
    serve for both.

    Args:
        checkpoint: The checkpoint.
        images: Upright RGB photos.

    Returns:
        One per photo; its frame is the whole photo.
    """
    features: list[PhotoFeatures] = []
    # While the device encodes a photo, the processor cuts the next ones into tiles.
    with ThreadPoolExecutor(1, thread_name_prefix="photopal-prepare") as thread:
        ahead = deque(thread.submit(prepare, checkpoint, image) for image in images[:_PREPARED_AHEAD])
        for number, image in enumerate(images, start=_PREPARED_AHEAD):
            inputs, image_text = ahead.popleft().result()
            if number < len(images):
                ahead.append(thread.submit(prepare, checkpoint, images[number]))
            features.append(_encode(checkpoint, image, inputs, image_text))
    return features


def _encode(
    checkpoint: Checkpoint, image: Image.Image, inputs: dict[str, Any], image_text: str
) -> PhotoFeatures:
    outputs = _image_outputs(checkpoint, inputs)
    tokens, raw = _pooled(outputs), outputs.last_hidden_state
    layout = _layout(checkpoint, image.size, inputs, tokens, raw)
    vectors = tokens if layout.raw is layout.tokens else _patch_vectors(raw, layout.has_cls)
    is_grid = layout.tokens.is_row_by_row
    return PhotoFeatures(
        tokens=tokens,
        token_grid=layout.tokens.grid if is_grid else (1, tokens.shape[0]),
        token_cells=None if is_grid else layout.tokens.cells_on(layout.raw.grid),
        patches=layout.raw.lay_out(vectors),
        frame=WHOLE_PHOTO,
        model_inputs={
            **{
                name: value
                for name, value in inputs.items()
                if isinstance(value, Tensor) and not name.startswith("pixel")
            },
            **_extra_inputs(outputs),
        },
        image_text=image_text,
    )


def _extra_inputs(outputs: Any) -> dict[str, Tensor]:
    """What the forward may take from the tower's output beside the tokens, on the CPU."""
    extra = {}
    for name, value in outputs.items():
        if name.endswith(_UNUSED_OUTPUTS):  # those of a second tower are called high_res_…
            continue
        if isinstance(value, Tensor):
            extra[f"{_EXTRA}{name}.tensor"] = value.cpu()
        elif isinstance(value, list | tuple):
            extra |= {} if value else {f"{_EXTRA}{name}": torch.empty(0)}
            for number, part in enumerate(value):
                if isinstance(part, Tensor):
                    extra[f"{_EXTRA}{name}.{number}"] = part.cpu()
                else:  # a tensor for each photo
                    extra[f"{_EXTRA}{name}.{number}.list"] = torch.cat(tuple(part)).cpu()
    return extra


def prepare(checkpoint: Checkpoint, image: Image.Image) -> tuple[dict[str, Any], str]:
    """What the model's processor makes of a photo; padded to a square first where it would be cropped.

    Args:
        checkpoint: The checkpoint, with its processor.
        image: An upright RGB photo.

    Returns:
        What the forward takes beside the ids, as tensors or lists of counts, and the text that stands for the
        photo in a prompt.
    """
    processor, token = checkpoint.processor, checkpoint.image_token
    options = {}
    if type(processor).replace_image_token is not ProcessorMixin.replace_image_token:
        options["return_text_replacement_offsets"] = True
    if getattr(checkpoint.image_processor, "do_center_crop", False):
        mean = checkpoint.image_processor.image_mean or (0.5, 0.5, 0.5)
        red, green, blue = (round(value * 255) for value in mean)
        image, _ = pad_to_square(image, (red, green, blue))
    if 0 < checkpoint.longest_side_px < max(image.size):
        image = ImageOps.contain(image, (checkpoint.longest_side_px,) * 2)
    # Some write a space before a word that follows.
    word = "" if options else _WORD
    with _processing:  # a fast tokenizer fails where two threads use it at once
        try:
            made = processor(text=[token + word], images=[image], return_tensors="pt", **options)
        except ValueError:
            if not options:
                raise
            # Some, as that of HunYuan-VL, take a photo only between the tokens that the chat template writes.
            made = processor(text=[_in_template(checkpoint)], images=[image], return_tensors="pt", **options)
    inputs = {name: value for name, value in made.items() if name not in _TEXT_INPUTS + _TYPE_INPUTS}
    if offsets := made.get("text_replacement_offsets"):
        return inputs, str(offsets[0][0]["replacement"])
    ids = [id_ for id_ in made["input_ids"][0].tolist() if id_ != checkpoint.tokenizer.bos_token_id]
    return inputs, str(checkpoint.tokenizer.decode(ids, skip_special_tokens=False)).removesuffix(word)


def _in_template(checkpoint: Checkpoint) -> str:
    """A question about a photo, as the chat template writes it."""
    content = [{"type": "image"}, {"type": "text", "text": _WORD}]
    return str(
        checkpoint.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], chat_template=checkpoint.chat_template, tokenize=False
        )
    )


def _image_outputs(checkpoint: Checkpoint, inputs: dict[str, Any]) -> Any:
    """What `get_image_features` gives for the inputs that it takes."""
    model = checkpoint.model
    # The outer one may hand on what only the inner one names.
    holders: list[Any] = [model, getattr(model, "model", None)]
    gets = [holder.get_image_features for holder in holders if hasattr(holder, "get_image_features")]
    if not gets:
        raise _no_tokens(checkpoint)
    get, *inner = gets
    taken = dict(inspect.signature(get).parameters)
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
    if takes_any and inner:
        taken |= inspect.signature(inner[0]).parameters
    given = {
        name: value for name, value in inputs.items() if name in taken or (takes_any and "args" in taken)
    }
    outputs = get(**on_device(checkpoint, given), return_dict=True)
    if outputs.pooler_output is None:
        raise _no_tokens(checkpoint)
    return outputs


def _no_tokens(checkpoint: Checkpoint) -> ModelError:
    return ModelError(
        f"{checkpoint.folder.name}: models of type {checkpoint.config.model_type!r} do not give photos as "
        "tokens among those of the words, so what a person looks like cannot be learned from them",
        hint="Choose another model with --model; docs/models.md lists those that work.",
    )


def _pooled(outputs: Any) -> Tensor:
    """The projected tokens `[tokens, hidden]` of a photo, in the order of the prompt."""
    pooled = outputs.pooler_output
    tokens = pooled if isinstance(pooled, Tensor) else torch.cat(tuple(pooled), dim=0)
    return tokens.reshape(-1, tokens.shape[-1])


def on_device(checkpoint: Checkpoint, inputs: dict[str, Any]) -> dict[str, Any]:
    """Tensors where the weights are, numbers with a fraction in the weights' format; all else as it is."""

    def move(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return to_device(
            value.to(checkpoint.dtype) if value.is_floating_point() else value, checkpoint.device
        )

    return {name: move(value) for name, value in inputs.items()}


def forward_inputs(checkpoint: Checkpoint, features: PhotoFeatures, *, is_list: bool) -> dict[str, Any]:
    """What the model's own forward takes for a photo that was encoded before, beside the ids.

    Args:
        checkpoint: The checkpoint.
        features: The photo.
        is_list: Whether the model's tokens come as one tensor a photo.
    """
    tokens = to_device(features.tokens, checkpoint.device)
    outputs = _ImageOutputs(pooler_output=[tokens] if is_list else tokens)
    extra: dict[str, Any] = {}
    for name, value in features.model_inputs.items():
        if name.startswith(_EXTRA):
            _, output, *place = name.split(".")
            [part] = on_device(checkpoint, {name: value}).values()
            if place == ["tensor"]:
                extra[output] = part
                continue
            values = extra.setdefault(output, [])
            if place:
                values.append([part] if "list" in place else part)
    for name, value in extra.items():
        setattr(outputs, name, value)
    taken = inspect.signature(checkpoint.model.forward).parameters
    given = {name: value for name, value in features.model_inputs.items() if name in taken}
    return {**on_device(checkpoint, given), "mm_encoder_outputs": {"image": outputs}}


def type_inputs(checkpoint: Checkpoint, ids: Tensor) -> dict[str, Tensor]:
    """Which of `[tokens]` ids are of a photo, `[1, tokens]`, by the names that the model's forward takes."""
    taken = inspect.signature(checkpoint.model.forward).parameters
    is_image = (ids == checkpoint.image_token_id).int()[None]
    return {name: to_device(is_image, checkpoint.device) for name in _TYPE_INPUTS if name in taken}


@dataclass(frozen=True, eq=False)
class Layout:
    """Where tokens and raw patches of photos of one size lie.

    Attributes:
        tokens: The places of the projected tokens.
        raw: Those of the tower's patches; the same where they are not known.
        has_cls: Whether each tile of the tower's output begins with a vector of no place.
    """

    tokens: Places
    raw: Places
    has_cls: bool = False


def _layout(
    checkpoint: Checkpoint, size: tuple[int, int], inputs: dict[str, Any], tokens: Tensor, raw: Any
) -> Layout:
    """Where the tokens of a photo lie; found once for photos of a shape that are seen alike."""
    count = len(tokens)
    grid_thw = inputs.get("image_grid_thw")
    if grid_thw is not None:
        _, rows, cols = (int(side) for side in grid_thw[0])
        merge = round((rows * cols / count) ** 0.5)
        if rows // merge * (cols // merge) == count:
            places = places_on_grid(rows // merge, cols // merge)
            return Layout(places, places)
    name = max((name for name in inputs if name.startswith(_PIXELS)), key=lambda n: inputs[n].numel())
    key = (round(_SHAPES * math.log(size[0] / size[1])), inputs[name].shape, count)
    if key in checkpoint.layouts:
        known: Layout = checkpoint.layouts[key]
        return known
    sources = find_sources(size, lambda picture: prepare(checkpoint, picture)[0][name])
    places = (
        _places_of_projected(checkpoint, inputs, tokens, sources)
        or sources.places(count)
        or places_by_stripes(
            size, count, lambda picture: _pooled(_image_outputs(checkpoint, prepare(checkpoint, picture)[0]))
        )
    )
    layout = Layout(places, places)
    if sources.is_pictures and isinstance(raw, Tensor) and raw.ndim == 3:
        for has_cls in (False, True):
            if patches := sources.places(_patch_vectors(raw, has_cls).shape[0]):
                layout = Layout(places, patches, has_cls)
                break
    checkpoint.layouts[key] = layout
    return layout


def _places_of_projected(
    checkpoint: Checkpoint, inputs: dict[str, Any], tokens: Tensor, sources: Sources
) -> Places | None:
    """The places of tokens that are what the projector makes of the tiles, in another order or with others.

    What is no such vector, for instance the end of a row, lies nowhere. None where most are none.
    """
    projector = getattr(getattr(checkpoint.model, "model", None), "multi_modal_projector", None)
    if projector is None or not sources.is_pictures:
        return None
    made: list[Any] = []
    hook = projector.register_forward_hook(lambda _module, _given, output: made.append(output))
    try:
        _image_outputs(checkpoint, inputs)
    finally:
        hook.remove()
    if len(made) != 1 or not isinstance(made[0], Tensor) or made[0].shape[-1] != tokens.shape[-1]:
        return None
    projected = made[0].flatten(0, -2)
    if (places := sources.places(len(projected))) is None:
        return None
    weights = torch.linspace(1, 2, tokens.shape[-1], dtype=torch.float64)
    sums, of_tokens = ((vectors.cpu().double() * weights).sum(dim=1) for vectors in (projected, tokens))
    nearest = (of_tokens[:, None] - sums).abs().argmin(dim=1)
    is_same = (projected[nearest.to(projected.device)] == tokens).all(dim=1).cpu()
    if float(is_same.float().mean()) < _LEAST_SAME:
        return None
    centers = torch.where(is_same[:, None], places.centers[nearest], torch.nan)
    return Places(centers, places.is_fine[nearest] & is_same, places.grid)


def _patch_vectors(raw: Tensor, has_cls: bool) -> Tensor:
    """`[tiles, patches, width]` as `[patches, width]`, without each tile's first where that is no patch."""
    return raw[:, int(has_cls) :].flatten(0, 1)


def positions(checkpoint: Checkpoint, ids: Tensor, features: PhotoFeatures | None) -> Tensor:
    """The position of each token, as the model counts them.

    Args:
        checkpoint: The checkpoint.
        ids: `[tokens]` model ids.
        features: The photo, if the prompt has one.

    Returns:
        `[tokens]` int64 counted from 0; `[axes, tokens]` for models with positions on several axes, which
        count on through words and follow the grid of the photo.
    """
    counted = torch.arange(ids.shape[0], device=ids.device)
    if not (axes := count_axes(checkpoint)):
        return counted
    if features is None:
        return counted.expand(axes, -1)
    count = checkpoint.model.model.get_rope_index
    is_image = (ids == checkpoint.image_token_id).int()[None]
    known = {**features.model_inputs, **dict.fromkeys(_TYPE_INPUTS, is_image)}
    known["attention_mask"] = torch.ones_like(is_image)
    taken = inspect.signature(count).parameters
    on_axes: Tensor = count(ids[None], **{name: value for name, value in known.items() if name in taken})[0]
    return on_axes[:, 0]  # of [axes, 1, tokens]


def count_axes(checkpoint: Checkpoint) -> int:
    """On how many axes the model counts positions; 0 if it counts tokens only."""
    if not hasattr(getattr(checkpoint.model, "model", None), "get_rope_index"):
        return 0
    rope = getattr(checkpoint.config.get_text_config(), "rope_parameters", None) or {}
    return len(rope.get("mrope_section") or ()) or _AXES
