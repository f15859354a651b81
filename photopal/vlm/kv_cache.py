"""Keys and values of prompts, shared by many continuations and with room to grow; knows no family, no words.

A prompt's beginning is run once. Each continuation sees it and its own past, and counts its positions on from
it, so one call changes nothing but the cost: 25 questions on a photo of 576 tokens take 1,886 tokens instead
of 17,150. They stand side by side in a batch where that is cheap, else one after another behind a block mask.
"""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

from photopal.vlm.protocol import PrefixCache, VisionModel, to_device

# Up to as many copied prefix tokens, and as much padding, continuations are run side by side: attention then
# costs least. Above, one packed row is cheaper, as the prefix stands in memory once.
_MOST_COPIED_TOKENS = 4096
_MOST_PADDING = 1.5

_LEAST_ROOM = 32
_log = logging.getLogger(__name__)


def run_suffixes(model: VisionModel, prefix: PrefixCache, suffixes: Sequence[Tensor]) -> list[Tensor]:
    """Run continuations of one prefix.

    Args:
        model: A model that supports prefixes.
        prefix: The common beginning; left as it is.
        suffixes: `[tokens, hidden]` each, at least one.

    Returns:
        `[tokens, hidden]` hidden states each.
    """
    lengths = [int(suffix.shape[0]) for suffix in suffixes]
    past = copy_past(prefix)
    if fits_batch(len(prefix), lengths):
        padded = torch.nn.utils.rnn.pad_sequence(
            list(suffixes), batch_first=True
        )  # [suffixes, tokens, hidden]
        positions = torch.arange(padded.shape[1], device=padded.device) + prefix.next_position
        for (
            layer
        ) in past.layers:  # keys and values: [1, heads, prefix tokens, width], expanded without a copy
            layer.keys = layer.keys.expand(len(lengths), -1, -1, -1)
            layer.values = layer.values.expand(len(lengths), -1, -1, -1)
        # Padding stands on the right, where the causal mask hides it from every token that counts.
        hidden = model.forward(padded, positions=positions.expand(len(lengths), -1), past=past)
        return [states[:length] for states, length in zip(hidden, lengths, strict=True)]
    packed = torch.cat(list(suffixes))[None]  # [1, tokens, hidden]
    positions = packed_positions(prefix.next_position, lengths)[None]  # [1, tokens]
    mask = packed_mask(len(prefix), lengths, like=packed)  # [1, 1, tokens, prefix + tokens]
    hidden = model.forward(packed, positions=positions, attention_mask=mask, past=past)
    return list(torch.split(hidden[0], lengths))


def fits_batch(prefix_tokens: int, lengths: Sequence[int]) -> bool:
    """Whether continuations are better off side by side than behind a block mask.

    Side by side, attention costs least, but the prefix is copied for each and short ones are padded.
    """
    is_small = len(lengths) * prefix_tokens <= _MOST_COPIED_TOKENS
    return is_small and len(lengths) * max(lengths) <= _MOST_PADDING * sum(lengths)


def packed_mask(
    prefix_tokens: int, lengths: Sequence[int], *, like: Tensor, is_first_shared: bool = False
) -> Tensor:
    """The additive attention mask of packed continuations.

    Args:
        prefix_tokens: Tokens of the common prefix, which all see.
        lengths: Tokens of each continuation.
        like: A tensor with the wanted device and number format.
        is_first_shared: Whether all see the first continuation too, as a block that they have in common.

    Returns:
        `[1, 1, tokens, prefix_tokens + tokens]`: 0 where a token may look, the lowest number elsewhere.
    """
    is_seen = to_device(packed_visibility(lengths, is_first_shared=is_first_shared), like.device)
    is_seen = torch.cat([is_seen.new_ones(is_seen.shape[0], prefix_tokens), is_seen], dim=1)
    # The lowest finite number, not -inf: a row of padding that sees nothing would be nan after the softmax.
    mask = torch.zeros(is_seen.shape, dtype=like.dtype, device=like.device)
    return mask.masked_fill(~is_seen, torch.finfo(like.dtype).min)[None, None]


def packed_visibility(lengths: Sequence[int], *, is_first_shared: bool = False) -> Tensor:
    """Which tokens of packed continuations see which.

    Args:
        lengths: Tokens of each continuation.
        is_first_shared: Whether all see the first continuation too, as a block that they have in common.

    Returns:
        bool `[tokens, tokens]` on the CPU: whether the one of the row sees the one of the column.
    """
    block = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))  # [tokens]
    is_seen = block[:, None] == block[None, :]
    if is_first_shared:
        is_seen |= block[None, :] == 0
    return is_seen.tril()


def packed_positions(next_position: int, lengths: Sequence[int]) -> Tensor:
    """Positions of packed continuations, each counted on from the prefix.

    Args:
        next_position: The position after the prefix.
        lengths: Tokens of each continuation.

    Returns:
        `[tokens]` int64, on the CPU.
    """
    return torch.cat([torch.arange(length) + next_position for length in lengths])


def common_length(first: Tensor, second: Tensor) -> int:
    """How many first ids two `[tokens]` prompts have in common."""
    shorter = min(first.shape[0], second.shape[0])
    differs = torch.nonzero(first[:shorter] != second[:shorter])
    return int(differs[0]) if differs.numel() else shorter


def copy_past(prefix: PrefixCache) -> Any:
    """The prefix's keys and values, to append to.

    Appending to keys and values makes new tensors, so a copy of the lists suffices and the prefix stays as it
    was. Layers of other kinds may change their tensors in place, and are copied whole.
    """
    past = copy.copy(prefix.past)
    past.layers = [
        (copy.copy if isinstance(layer, DynamicLayer) else copy.deepcopy)(layer) for layer in past.layers
    ]
    return past


def join_pasts(prefixes: Sequence[PrefixCache]) -> Any:
    """The keys and values of prefixes of one length side by side, to append to."""
    past = copy_past(prefixes[0])
    if len(prefixes) > 1:
        for index, layer in enumerate(past.layers):  # [prefixes, heads, tokens, width]
            layer.keys = torch.cat([prefix.past.layers[index].keys for prefix in prefixes])
            layer.values = torch.cat([prefix.past.layers[index].values for prefix in prefixes])
    return past


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values at the beginning of larger tensors: a further token copies only itself.

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
        self._buffers: tuple[Tensor, Tensor] | None = None  # [batch, heads, tokens + room, width] each
        self._keys_in_buffer: Tensor | None = None  # the view that `keys` was after the last update

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append `[batch, heads, new tokens, width]`; returns all keys and values."""
        start = int(self.keys.shape[-2])
        end = start + int(key_states.shape[-2])
        is_same = self.keys is self._keys_in_buffer
        if self._buffers is None or not is_same or end > self._buffers[0].shape[-2]:
            # There is no room yet, or no more, or other rows were chosen since: then these are other tensors.
            self._buffers = (self._with_room(self.keys, end), self._with_room(self.values, end))
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = new
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)
        self._keys_in_buffer = self.keys
        return self.keys, self.values

    def _with_room(self, states: Tensor, end: int) -> Tensor:
        batch, heads, tokens, width = states.shape
        buffer = torch.empty(batch, heads, end + self._room, width, dtype=states.dtype, device=states.device)
        buffer[:, :, :tokens] = states
        return buffer


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
    preallocated = PreallocatedLayer(begun, 1)
    for _ in range(_LEAST_ROOM):  # beyond the room, so that it is made anew
        states = [*plain.update(then, -then), *preallocated.update(then, -then)]
        if plain.get_seq_length() != preallocated.get_seq_length():
            return False
    return torch.equal(states[0], states[2]) and torch.equal(states[1], states[3])
