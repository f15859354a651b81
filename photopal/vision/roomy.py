"""Keys and values with room to grow: a further word copies itself and not all before it; knows no model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

_LEAST_ROOM = 32


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values at the beginning of larger tensors.

    It must not be copied and then appended to twice: both would write to the same room.
    """

    def __init__(self, layer: DynamicLayer, room: int) -> None:
        """Take over a layer's `[batch, heads, tokens, width]` keys and values, with room for more tokens."""
        super().__init__()
        self.dtype, self.device, self.is_initialized = layer.dtype, layer.device, True
        self.keys, self.values = layer.keys, layer.values
        self._room = max(room, _LEAST_ROOM)
        self._whole: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append `[batch, heads, new tokens, width]`; returns all keys and values."""
        start = int(self.keys.shape[-2])
        end = start + int(key_states.shape[-2])
        if self._whole is None or not self._fits(self._whole[0], end):
            self._whole = (self._with_room(self.keys, end), self._with_room(self.values, end))
        for whole, new in zip(self._whole, (key_states, value_states), strict=True):
            whole[:, :, start:end] = new
        self.keys, self.values = (whole[:, :, :end] for whole in self._whole)
        return self.keys, self.values

    def _fits(self, whole: Tensor, end: int) -> bool:
        """Whether what is held still lies in its room, and more fits in; other rows may have been chosen."""
        is_there = self.keys.data_ptr() == whole.data_ptr() and self.keys.shape[0] == whole.shape[0]
        return is_there and end <= whole.shape[-2]

    def _with_room(self, held: Tensor, end: int) -> Tensor:
        batch, heads, tokens, width = held.shape
        whole = torch.empty(batch, heads, end + self._room, width, dtype=held.dtype, device=held.device)
        whole[:, :, :tokens] = held
        return whole


def make_room(past: Any, room: int) -> None:
    """Give each layer of keys and values that were just computed room for as many further tokens."""
    if all(type(layer) is DynamicLayer and layer.is_initialized for layer in past.layers):
        past.layers = [RoomyLayer(layer, room) for layer in past.layers]
