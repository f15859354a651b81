"""Writes the answers of many prompts, a word of each at a time; knows no wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from photopal.vision.asked import Asked, beginning_of
from photopal.vision.protocol import VisionModel
from photopal.vision.roomy import make_room

_KEPT_WIDTH = 0.7
_ROOM_WORDS = 16
_SHARED, _PADDING = -1, -2


@dataclass(frozen=True, eq=False)
class _Part:
    """A piece of a row: embeddings `[tokens, hidden]`, positions `[..., tokens]`, and whose they are.

    `whose` is a prompt's number in the batch, or `_SHARED` for what all prompts of the row see.
    """

    embeddings: Tensor
    positions: Tensor
    whose: int


class Writer:
    """Writes the answers of a batch of rows.

    Prompts are numbered row after row. A token sees what its row shares and what is its own prompt's; so the
    keys and values of a photo are held and read once for all questions of a row.

    Args:
        model: A model that supports prefixes.
        rows: At least one, each with at least one prompt; those of a row have a common beginning.
    """

    def __init__(self, model: VisionModel, rows: Sequence[Sequence[Asked]]) -> None:
        self.model = model
        self.asked = [one for row in rows for one in row]
        self.rows: list[list[int]] = []  # the prompts of each row that are still being answered
        for row in rows:
            first = sum(map(len, self.rows))
            self.rows.append(list(range(first, first + len(row))))
        self.past: Any = None
        self.whose = torch.empty(len(rows), 0, dtype=torch.long, device=model.device)  # [rows, tokens]
        self.positions = torch.tensor([one.encoded.next_position for one in self.asked], device=model.device)
        self.slots = max((len(one.rows.names) for one in self.asked if one.rows), default=0)
        self.outputs = self._outputs()

    def _outputs(self) -> Tensor:
        """`[prompts, slots, hidden]` output rows of names, zero where a prompt has fewer."""
        outputs = torch.zeros(len(self.asked), self.slots, self.model.hidden_size)
        for place, one in enumerate(self.asked):
            if one.rows is not None:
                outputs[place, : len(one.rows.names)] = one.rows.outputs.float().cpu()
        return outputs.to(self.model.device)

    def begin(self) -> Tensor:
        """Run the prompts; returns `[prompts, vocab + slots]` logits of the first word of each answer."""
        self.past = self.model.new_past()
        everyone = list(range(len(self.asked)))
        if all(len(row) == 1 for row in self.rows):
            whole = [[self._part(self.asked[place], place, 0, None)] for [place] in self.rows]
            return self._logits(self._run(whole), everyone)
        keys = [beginning_of(self.asked[row[0]], self.model.vocab_size) for row in self.rows]
        firsts = {key: self.rows[number][0] for number, key in reversed(list(enumerate(keys)))}
        groups = {key: number for number, key in enumerate(firsts)}
        self.whose = self.whose[: len(groups)]
        self._run([[self._part(self.asked[firsts[key]], _SHARED, 0, key[0])] for key in groups])
        self._keep([groups[key] for key in keys])
        tails = [
            [self._part(self.asked[place], place, key[0], None) for place in row]
            for row, key in zip(self.rows, keys, strict=True)
        ]
        return self._logits(self._run(tails), everyone)

    def _part(self, asked: Asked, whose: int, start: int, end: int | None) -> _Part:
        """A part of a prompt."""
        encoded = asked.encoded
        part = replace(encoded, ids=encoded.ids[start:end], positions=encoded.positions[..., start:end])
        if start < encoded.image_end:
            embeddings = self.model.embed_prompt(part, asked.features, asked.rows)
        else:
            embeddings = self.model.embed_ids(part.ids, asked.rows)
        return _Part(embeddings, part.positions, whose)

    def _run(self, rows: Sequence[Sequence[_Part]]) -> Tensor:
        """Append parts to each row, padded on the left; returns `[parts, hidden]` their last states."""
        pad = torch.nn.functional.pad
        lengths = [[int(part.embeddings.shape[0]) for part in row] for row in rows]
        longest = max(map(sum, lengths))
        whose = self.whose.new_full((len(rows), longest), _PADDING)
        embeddings, positions, ends = [], [], []
        for number, row in enumerate(rows):
            end = empty = longest - sum(lengths[number])
            for part, length in zip(row, lengths[number], strict=True):
                whose[number, end : end + length] = part.whose
                end += length
                ends.append((number, end - 1))
            embeddings.append(pad(torch.cat([part.embeddings for part in row]), (0, 0, empty, 0)))
            positions.append(pad(torch.cat([part.positions for part in row], dim=-1), (empty, 0)))
        states = self._forward(torch.stack(embeddings), torch.stack(positions, dim=-2), whose)
        where = torch.tensor(ends, device=states.device)
        return states[where[:, 0], where[:, 1]]

    def _forward(self, embeddings: Tensor, positions: Tensor, whose: Tensor) -> Tensor:
        """Append `[rows, tokens, hidden]` embeddings, of whom `[rows, tokens]` says; returns their states."""
        before, new = self.whose.shape[1], whose.shape[1]
        self.whose = torch.cat([self.whose, whose], dim=1)
        held = self.whose[:, None, :]
        past = torch.ones(new, before + new, dtype=torch.bool, device=whose.device).tril(diagonal=before)
        sees = (held == whose[:, :, None]) | (held == _SHARED)
        mask = None
        if not bool((sees | ~past).all()):  # else the causal mask is the model's own
            mask = torch.zeros(sees.shape, dtype=embeddings.dtype, device=embeddings.device)
            mask = mask.masked_fill(~(sees & past), torch.finfo(embeddings.dtype).min)[:, None]
        return self.model.forward(embeddings, positions=positions, attention_mask=mask, past=self.past)

    def _keep(self, rows: Sequence[int]) -> None:
        """Keep these rows of the past, in this order; one may be taken several times."""
        if list(rows) == list(range(len(self.whose))):
            return
        places = torch.tensor(rows, device=self.model.device)
        for layer in self.past.layers:
            layer.keys, layer.values = layer.keys[places], layer.values[places]
        self.whose = self.whose[places]

    def _logits(self, hidden: Tensor, places: Sequence[int]) -> Tensor:
        """`[places, vocab + slots]` of `[places, hidden]` states of these prompts."""
        base = self.model.logits(hidden)
        if not self.slots:
            return base
        names = torch.einsum("bh,bsh->bs", hidden.float(), self.outputs[list(places)])
        for line, place in enumerate(places):
            rows = self.asked[place].rows
            names[line, len(rows.names) if rows else 0 :] = -torch.inf
        return torch.cat([base, names], dim=-1)

    def write(self) -> list[list[int]]:
        """The ids of each answer, without their ends."""
        written: list[list[int]] = [[] for _ in self.asked]
        is_done = [False] * len(written)
        logits = self.begin()
        make_room(self.past, _ROOM_WORDS * max(map(len, self.rows)))
        while True:
            places = [place for row in self.rows for place in row]
            chosen = self._choose(logits, places, written)
            for id_, place in zip(chosen, places, strict=True):
                if is_done[place] or id_ in self.model.end_ids:
                    is_done[place] = True
                    continue
                written[place].append(id_)
                is_done[place] = len(written[place]) >= self.asked[place].max_new_tokens
            going = [line for line, place in enumerate(places) if not is_done[place]]
            if not going:
                return written
            if len(going) <= _KEPT_WIDTH * len(places):
                self._shrink(is_done)
                places, chosen = [places[line] for line in going], [chosen[line] for line in going]
            logits = self._logits(self._step(dict(zip(places, chosen, strict=True))), places)

    def _choose(self, logits: Tensor, places: Sequence[int], said: Sequence[Sequence[int]]) -> list[int]:
        """The likeliest next id of each answer; names by their bonus, see `ConceptRows.name_bonus`."""
        vocab_size = self.model.vocab_size
        for line, place in enumerate(places):
            rows = self.asked[place].rows
            if rows is not None and rows.name_bonus:
                for slot in range(len(rows.names)):
                    sign = -1.0 if vocab_size + slot in said[place] else 1.0
                    logits[line, vocab_size + slot] += sign * rows.name_bonus
        chosen: list[int] = logits.argmax(dim=-1).tolist()
        return chosen

    def _shrink(self, is_done: Sequence[bool]) -> None:
        """Go on with prompts that are not answered, and rows that have any."""
        rows = [[place for place in row if not is_done[place]] for row in self.rows]
        self._keep([number for number, row in enumerate(rows) if row])
        self.rows = [row for row in rows if row]

    def _step(self, chosen: dict[int, int]) -> Tensor:
        """Append a word to each answer, given by prompt; returns `[prompts, hidden]` their states."""
        width = max(map(len, self.rows))
        whose = torch.tensor(
            [row + [_PADDING] * (width - len(row)) for row in self.rows], device=self.model.device
        )
        is_word = whose >= 0
        words = self._embed(chosen)
        embeddings = words.new_zeros(*whose.shape, words.shape[-1])
        embeddings[is_word] = words
        axes = self.asked[0].encoded.positions.shape[:-1]  # (3,) where positions have three axes
        positions = self.positions[whose.clamp(min=0)].expand(*axes, -1, -1)
        states = self._forward(embeddings, positions, whose)
        self.positions = self.positions + 1
        return states[is_word]

    def _embed(self, chosen: dict[int, int]) -> Tensor:
        """`[prompts, hidden]` of a word each."""
        ids = torch.tensor(list(chosen.values()), device=self.model.device)
        is_name = ids >= self.model.vocab_size
        words = self.model.embed_ids(ids.masked_fill(is_name, 0)).clone()
        for line, place in enumerate(chosen):
            if is_name[line]:
                words[line] = self.model.embed_ids(ids[line : line + 1], self.asked[place].rows)[0]
        return words


__all__ = ["Writer"]
