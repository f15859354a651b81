"""Keys and values with room to grow: a further word copies itself and not all before it; knows no model."""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

_LEAST_ROOM = 32
_log = logging.getLogger(__name__)


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values at the beginning of larger tensors.

    It must not be copied and then appended to twice: both would write to the same room.
    """

    keys: Tensor
    values: Tensor

    def __init__(self, layer: DynamicLayer, room: int) -> None:
        """Take over a layer's `[batch, heads, tokens, width]` keys and values, with room for more tokens."""
        super().__init__()
        # All that the layer has, whatever it is called: releases of transformers differ in its attributes.
        self.__dict__.update(vars(layer))
        self._room = max(room, _LEAST_ROOM)
        self._whole: tuple[Tensor, Tensor] | None = None
        self._held: Tensor | None = None  # the keys as they lie at the beginning of their room

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append `[batch, heads, new tokens, width]`; returns all keys and values."""
        start = int(self.keys.shape[-2])
        end = start + int(key_states.shape[-2])
        if self._whole is None or self.keys is not self._held or end > self._whole[0].shape[-2]:
            # There is no room yet, or no more, or other rows were chosen since: then these are other tensors.
            self._whole = (self._with_room(self.keys, end), self._with_room(self.values, end))
        for whole, new in zip(self._whole, (key_states, value_states), strict=True):
            whole[:, :, start:end] = new
        self.keys, self.values = (whole[:, :, :end] for whole in self._whole)
        self._held = self.keys
        return self.keys, self.values

    def _with_room(self, held: Tensor, end: int) -> Tensor:
        batch, heads, tokens, width = held.shape
        whole = torch.empty(batch, heads, end + self._room, width, dtype=held.dtype, device=held.device)
        whole[:, :, :tokens] = held
        return whole


def preallocate(past: Any, room: int) -> None:
    """Give each layer of keys and values that were just computed room for as many further tokens.

    This is only speed: where the installed transformers has other layers than expected, they stay as they
    are.
    """
    if not is_usable():
        return
    layers = getattr(past, "layers", ())
    if layers and all(type(layer) is DynamicLayer and layer.is_initialized for layer in layers):
        past.layers = [PreallocatedLayer(layer, room) for layer in layers]


@functools.cache
def is_usable() -> bool:
    """Whether layers with room do what plain layers of the installed transformers do; tried once."""
    try:
        is_equal = _is_like_plain()
    except Exception as error:  # noqa: BLE001 - whatever another release raises, plain layers serve
        _log.warning("keys and values grow by copying: %s: %s", type(error).__name__, error)
        return False
    if not is_equal:
        _log.warning("keys and values grow by copying: layers with room differ from plain ones")
    return is_equal


def _is_like_plain() -> bool:
    plain, begun = DynamicLayer(), DynamicLayer()
    first, then = torch.arange(12.0).view(1, 2, 3, 2), torch.arange(8.0).view(1, 2, 2, 2)
    plain.update(first, -first)
    begun.update(first, -first)
    roomy = PreallocatedLayer(begun, 1)
    for _ in range(_LEAST_ROOM):  # beyond the room, so that it is made anew
        states = [*plain.update(then, -then), *roomy.update(then, -then)]
        if plain.get_seq_length() != roomy.get_seq_length():
            return False
    return torch.equal(states[0], states[2]) and torch.equal(states[1], states[3])
