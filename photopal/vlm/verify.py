"""Finds out how a model of a family without tests may be run, by comparing it with transformers alone.

The model's own forward always serves. The quicker ways are taken where they give the same logits for a small
picture; what was found is remembered in a file, as it takes a few passes through the model.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from torch import Tensor

import photopal
from photopal.errors import ModelError, is_out_of_memory
from photopal.files import atomic_path
from photopal.vlm.causes import explain, first_line
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families import Family, Route, generic
from photopal.vlm.kv_cache import copy_past
from photopal.vlm.model import LoadedModel
from photopal.vlm.protocol import ChatPrompt

# Of the largest logit. What a way gets wrong may be as little as a two-hundredth, as where a model adds a
# photo to the embedding of its placeholder; rounding is less in float32, and as much in 16 bits.
_TOLERANCE = 1e-3
_TOLERANCE_HALF = 0.02
_CHECKS = 2  # goes up when more is checked, so that what was found with less is not believed
_QUESTIONS = ("What is this?", "Can you see the dog in this photo?")


class _OutOfMemoryError(Exception):
    """Memory ran out while the quicker ways were tried.

    Args:
        route: What is known to serve without them.
    """

    def __init__(self, route: Route) -> None:
        super().__init__("memory ran out")
        self.route = route


def find_route(model: LoadedModel, checkpoint: Checkpoint, family: Family, path: Path | None) -> Route:
    """Find the ways in which a model may be run.

    Args:
        model: The model.
        checkpoint: The same checkpoint.
        family: The family it was taken for.
        path: A file that remembers what was found, if any.

    Raises:
        ModelError: The model does not take a photo the way photopal gives it, or would answer differently.
    """
    device = f"{checkpoint.device.type}-{str(checkpoint.dtype).removeprefix('torch.')}"
    key = f"{model.fingerprint}-{photopal.__version__}-{transformers.__version__}-{device}-{_CHECKS}"
    known = _read(path)
    with suppress(TypeError, KeyError):
        return Route(**known[key])
    try:
        route = _try_routes(model, checkpoint, family)
    except _OutOfMemoryError as error:
        return error.route  # with more memory, the next time may find more
    if path is not None:
        with suppress(OSError):  # then it is found out again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path, durable=False) as part:
                part.write_text(json.dumps({**known, key: asdict(route)}), encoding="utf-8")
    return route


def _read(path: Path | None) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


@torch.no_grad()
def _try_routes(model: LoadedModel, checkpoint: Checkpoint, family: Family) -> Route:
    picture = Image.linear_gradient("L").convert("RGB")
    if family.needs_processor:
        picture = picture.resize((320, 240))
    try:
        plain_inputs = _plain_inputs(checkpoint, family, picture)
        features = model.encode_photos([picture])[0]
        encoded = model.encode_prompt(ChatPrompt(_QUESTIONS[0]), features)
        ids = encoded.ids.to(checkpoint.device)[None]
        plain = checkpoint.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            **generic.on_device(checkpoint, plain_inputs),
            **generic.type_inputs(checkpoint, encoded.ids),
        ).logits[0]
    except Exception as error:
        refusal = ModelError(
            f"{model.name}: models of type {checkpoint.config.model_type!r} do not work with transformers "
            f"{transformers.__version__}: {first_line(error)}",
            hint="Choose another model with --model; docs/models.md lists those that work.",
        )
        raise explain(error, model.name, otherwise=refusal) from error

    def is_plain(route: Route) -> bool:
        model.take_route(route)
        return _is_close(model, lambda: model.run(encoded.ids, encoded.positions, features), plain.float())

    own = [
        Route(takes_embeddings=False, shares_prefixes=False, pools_lists=is_list) for is_list in (True, False)
    ]
    try:
        fitting = next((route for route in own if is_plain(route)), None)
    except Exception as error:
        raise explain(error, model.name) from error
    if fitting is None:
        raise ModelError(
            f"{model.name}: models of type {checkpoint.config.model_type!r} are not supported: in photopal "
            "the model would answer differently from the way it was made to",
            hint="Choose another model with --model; docs/models.md lists those that work.",
        )
    route = replace(fitting, extends_prefixes=False)
    try:
        quick = Route(pools_lists=fitting.pools_lists)
        route = replace(route, takes_embeddings=is_plain(quick))
        model.take_route(replace(quick, takes_embeddings=route.takes_embeddings))
        can_extend, can_share = model.extends_prefixes, model.supports_prefix
        route = replace(route, extends_prefixes=can_extend and _extends_prefixes(model, features))
        return replace(route, shares_prefixes=can_share and _shares_prefixes(model, features))
    except Exception as error:
        if is_out_of_memory(error):
            raise _OutOfMemoryError(route) from error
        raise


def _plain_inputs(checkpoint: Checkpoint, family: Family, picture: Image.Image) -> dict[str, Any]:
    """What the forward of transformers alone takes for a picture, beside the ids."""
    if family.needs_processor:
        taken = inspect.signature(checkpoint.model.forward).parameters
        inputs, _ = generic.prepare(checkpoint, picture)
        return {name: value for name, value in inputs.items() if name in taken or isinstance(value, Tensor)}
    made = checkpoint.image_processor([picture], return_tensors="pt", **family.image_options)
    return {name: value for name, value in made.items() if isinstance(value, Tensor)}


def _extends_prefixes(model: LoadedModel, features: Any) -> bool:
    """Whether a question gets the same logits behind what was computed of its photo as with the photo."""
    prompt = model.encode_prompt(ChatPrompt(_QUESTIONS[1]), features)
    whole = model.run(prompt.ids, prompt.positions, features)

    def extended() -> Tensor:
        prefix = model.encode_prefix(prompt, features)
        length = len(prefix)
        rest = (prompt.ids[length:], prompt.positions[..., length:])
        return torch.cat([whole[:length], model.run(*rest, past=copy_past(prefix))])

    return _is_close(model, extended, whole)


def _shares_prefixes(model: LoadedModel, features: Any) -> bool:
    """Whether questions packed behind one photo get the logits that each gets alone."""
    prompts = [model.encode_prompt(ChatPrompt(question), features) for question in _QUESTIONS]
    alone = [model.run(prompt.ids, prompt.positions, features, last=1) for prompt in prompts]

    def packed() -> Tensor:
        prefix = model.encode_prefix(prompts[0], features)
        words = [model.embed_ids(prompt.ids[len(prefix) :]) for prompt in prompts]
        return torch.cat([model.logits(states[-1:]) for states in model.forward_packed(prefix, words)])

    return _is_close(model, packed, torch.cat(alone))


def _is_close(model: LoadedModel, make: Callable[[], Tensor], expected: Tensor) -> bool:
    """Whether logits are as expected, but for rounding; no where they cannot be made at all.

    Want of memory says nothing of a way and is raised.
    """
    try:
        made = make()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False  # whatever else a model's code raises, this is no way to run it
    columns = expected.shape[-1]  # a model may have fewer than the vocabulary
    difference = (made[..., :columns] - expected).abs().max()
    tolerance = _TOLERANCE if model.dtype == torch.float32 else _TOLERANCE_HALF
    # Columns without an output row are the lowest number there is, which says nothing of the others' size.
    is_said = expected > torch.finfo(model.dtype).min
    largest = expected.where(is_said, 0).abs().max()
    return made.shape[:-1] == expected.shape[:-1] and bool(difference <= tolerance * largest)
