"""Answers many prompts side by side; knows no wording and judges nothing.

Each is answered word for word as `VisionModel.generate` answers it alone. Prompts about one photo and one
concept block share its keys and values: they stand one behind another in a row, each blind to the others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from photopal.vlm.kv_cache import preallocate
from photopal.vlm.placeholders import SLOTS
from photopal.vlm.placing import placed
from photopal.vlm.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, VisionModel


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """A prompt that waits for its answer.

    Attributes:
        encoded: The prompt, without an answer.
        features: Its photo.
        rows: The concepts whose names may be said.
        max_new_tokens: Where the answer stops at the latest.
    """

    encoded: EncodedPrompt
    features: PhotoFeatures | None
    rows: ConceptRows | None
    max_new_tokens: int = 96


def shared_length(asked: GenerationRequest, vocab_size: int) -> int:
    """How many first ids a prompt shares with others about its photo: to the end of photo and soft tokens."""
    soft = torch.nonzero(asked.encoded.ids >= vocab_size + SLOTS)
    end = max(int(soft[-1]) + 1 if soft.numel() else 0, asked.encoded.image_end)
    return max(1, min(end, int(asked.encoded.ids.shape[0]) - 1))


def beginning_of(asked: GenerationRequest, vocab_size: int) -> tuple[int, int, bytes]:
    """Equal for prompts that share their beginning: photo, ids, and rows of concepts."""
    length = shared_length(asked, vocab_size)
    digest = hashlib.blake2b(asked.encoded.ids[:length].cpu().numpy().tobytes(), digest_size=16)
    if asked.rows is not None:
        for rows in (asked.rows.inputs, asked.rows.outputs):
            digest.update(rows.detach().cpu().numpy().tobytes())
    return length, id(asked.features), digest.digest()


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


class BatchDecoder:
    """Writes the answers of a batch of rows.

    Prompts are numbered row after row. A token sees what its row shares and what is its own prompt's; so the
    keys and values of a photo are held and read once for all questions of a row.

    The host waits for the device once a word, to read which words were chosen. So what the host has to know
    of the rows is kept as lists too, and what a word needs of its prompt is on the device, a line a prompt.

    Args:
        model: A model that supports prefixes.
        rows: At least one, each with at least one prompt; those of a row have a common beginning.
    """

    def __init__(self, model: VisionModel, rows: Sequence[Sequence[GenerationRequest]]) -> None:
        self.model = model
        self.asked = [one for row in rows for one in row]
        self.rows: list[list[int]] = []  # the prompts of each row that are still being answered
        for row in rows:
            first = sum(map(len, self.rows))
            self.rows.append(list(range(first, first + len(row))))
        self.past: Any = None
        self.whose = torch.empty(len(rows), 0, dtype=torch.long, device=model.device)  # [rows, tokens]
        self.holds: list[set[int]] = [set() for _ in rows]  # of each row, whose tokens it has, but for shared
        positions = torch.tensor([one.encoded.next_position for one in self.asked])
        self.positions = placed(positions, model.device)  # [prompts], of the next word
        self.slots = max((len(one.rows.names) for one in self.asked if one.rows), default=0)
        self._take_names()
        self._lay_out()

    def _take_names(self) -> None:
        """Put on the device what it takes to say names and to read them, line by line."""
        shape = (len(self.asked), self.slots)
        inputs, outputs = (torch.zeros(*shape, self.model.hidden_size) for _ in range(2))
        gains = torch.full(shape, -torch.inf)  # no name is likely at all in slots that a prompt does not have
        for line, one in enumerate(self.asked):
            if one.rows is not None:
                count = len(one.rows.names)
                inputs[line, :count] = one.rows.inputs[:, 0].float().cpu()
                outputs[line, :count] = one.rows.outputs.float().cpu()
                gains[line, :count] = one.rows.name_bonus
        self.names, self.outputs = placed(inputs, self.model.device), placed(outputs, self.model.device)
        self.gains = placed(gains, self.model.device)  # what the logits of names gain

    def _lay_out(self) -> None:
        """Say where the next word of each prompt stands in its row; holds until there are fewer prompts."""
        width = max(map(len, self.rows))
        self.next_whose = placed(
            torch.tensor([row + [_PADDING] * (width - len(row)) for row in self.rows]), self.model.device
        )  # [rows, width]
        self.next_holds = [{*row, *([_PADDING] if len(row) < width else [])} for row in self.rows]
        cells = [(number, column) for number, row in enumerate(self.rows) for column in range(len(row))]
        at = placed(torch.tensor(cells), self.model.device)
        self.cells = (at[:, 0], at[:, 1])  # [prompts] each

    def begin(self) -> Tensor:
        """Run the prompts; returns `[prompts, vocab + slots]` logits of the first word of each answer."""
        self.past = self.model.new_past()
        if all(len(row) == 1 for row in self.rows):
            whole = [[self._part(self.asked[place], place, 0, None)] for [place] in self.rows]
            return self._logits(self._run(whole))
        keys = [beginning_of(self.asked[row[0]], self.model.vocab_size) for row in self.rows]
        firsts = {key: self.rows[number][0] for number, key in reversed(list(enumerate(keys)))}
        groups = {key: number for number, key in enumerate(firsts)}
        self.whose, self.holds = self.whose[: len(groups)], self.holds[: len(groups)]
        self._run([[self._part(self.asked[firsts[key]], _SHARED, 0, key[0])] for key in groups])
        self._keep([groups[key] for key in keys])
        tails = [
            [self._part(self.asked[place], place, key[0], None) for place in row]
            for row, key in zip(self.rows, keys, strict=True)
        ]
        return self._logits(self._run(tails))

    def _part(self, asked: GenerationRequest, whose: int, start: int, end: int | None) -> _Part:
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
        whose = torch.full((len(rows), longest), _PADDING)
        embeddings, positions, ends = [], [], []
        for number, row in enumerate(rows):
            end = empty = longest - sum(lengths[number])
            for part, length in zip(row, lengths[number], strict=True):
                whose[number, end : end + length] = part.whose
                end += length
                ends.append((number, end - 1))
            embeddings.append(pad(torch.cat([part.embeddings for part in row]), (0, 0, empty, 0)))
            positions.append(pad(torch.cat([part.positions for part in row], dim=-1), (empty, 0)))
        owners = [set(row) - {_SHARED} for row in whose.tolist()]
        device = self.model.device
        states = self._forward(
            torch.stack(embeddings), torch.stack(positions, dim=-2), placed(whose, device), owners
        )
        where = placed(torch.tensor(ends), device)
        return states[where[:, 0], where[:, 1]]

    def _forward(
        self, embeddings: Tensor, positions: Tensor, whose: Tensor, owners: Sequence[set[int]]
    ) -> Tensor:
        """Append `[rows, tokens, hidden]` embeddings; returns their states.

        Args:
            embeddings: What to append.
            positions: `[..., rows, tokens]`.
            whose: `[rows, tokens]`, on the device.
            owners: Whose tokens these are, row by row, but for shared ones.
        """
        before, new = self.whose.shape[1], whose.shape[1]
        self.whose = torch.cat([self.whose, whose], dim=1)
        self.holds = [held | more for held, more in zip(self.holds, owners, strict=True)]
        mask = None
        if any(len(held) > 1 or _PADDING in held for held in self.holds):
            held = self.whose[:, None, :]
            past = torch.ones(new, before + new, dtype=torch.bool, device=whose.device).tril(diagonal=before)
            sees = ((held == whose[:, :, None]) | (held == _SHARED)) & past
            mask = torch.zeros(sees.shape, dtype=embeddings.dtype, device=embeddings.device)
            mask = mask.masked_fill(~sees, torch.finfo(embeddings.dtype).min)[:, None]
        # Without one the causal mask is the model's own, and faster.
        return self.model.forward(embeddings, positions=positions, attention_mask=mask, past=self.past)

    def _keep(self, rows: Sequence[int]) -> None:
        """Keep these rows of the past, in this order; one may be taken several times."""
        if list(rows) == list(range(len(self.whose))):
            return
        places = placed(torch.tensor(rows), self.model.device)
        for layer in self.past.layers:
            layer.keys, layer.values = layer.keys[places], layer.values[places]
        self.whose = self.whose[places]
        self.holds = [self.holds[row] for row in rows]

    def _logits(self, hidden: Tensor) -> Tensor:
        """`[prompts, vocab + slots]` of `[prompts, hidden]` states, names with what they gain."""
        base = self.model.logits(hidden)
        if not self.slots:
            return base
        names = torch.einsum("bh,bsh->bs", hidden.float(), self.outputs)
        return torch.cat([base, names + self.gains], dim=-1)

    def write(self) -> list[list[int]]:
        """The ids of each answer, without their ends."""
        written: list[list[int]] = [[] for _ in self.asked]
        is_done = [False] * len(written)
        logits = self.begin()
        preallocate(self.past, _ROOM_WORDS * max(map(len, self.rows)))
        while True:
            places = [place for row in self.rows for place in row]
            chosen: list[int] = logits.argmax(dim=-1).tolist()
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
                self._shrink(going, places)
                chosen = [chosen[line] for line in going]
            logits = self._logits(self._step(chosen))

    def _shrink(self, going: Sequence[int], places: Sequence[int]) -> None:
        """Go on with these lines, and with the rows that have any; `places` are the prompts of all lines."""
        kept = {places[line] for line in going}
        rows = [[place for place in row if place in kept] for row in self.rows]
        self._keep([number for number, row in enumerate(rows) if row])
        self.rows = [row for row in rows if row]
        lines = placed(torch.tensor(going), self.model.device)
        self.positions, self.gains = self.positions[lines], self.gains[lines]
        self.names, self.outputs = self.names[lines], self.outputs[lines]
        self._lay_out()

    def _step(self, chosen: Sequence[int]) -> Tensor:
        """Append a word to each answer, given by line; returns `[prompts, hidden]` their states."""
        words = self._embed(chosen)
        shape = self.next_whose.shape
        embeddings = words.new_zeros(*shape, words.shape[-1]).index_put(self.cells, words)
        axes = self.asked[0].encoded.positions.shape[:-1]  # (3,) where positions have three axes
        positions = (
            self.positions.new_zeros(shape).index_put(self.cells, self.positions).expand(*axes, *shape)
        )
        states = self._forward(embeddings, positions, self.next_whose, self.next_holds)
        self.positions = self.positions + 1
        return states[self.cells]

    def _embed(self, chosen: Sequence[int]) -> Tensor:
        """`[prompts, hidden]` of a word each; a name that is said gains no more, but loses as much."""
        vocab_size = self.model.vocab_size
        words = self.model.embed_ids(torch.tensor([id_ if id_ < vocab_size else 0 for id_ in chosen]))
        for line, id_ in enumerate(chosen):
            if id_ >= vocab_size:
                slot = id_ - vocab_size
                words[line] = self.names[line, slot]
                self.gains[line, slot] = -self.gains[line, slot].abs()
        return words


AT_ONCE = 64
"""How many answers are generated side by side."""

MOST_TOKENS = 12_288
"""How many tokens of prompts and answers stand side by side, which bounds the memory of keys and values."""

_LEAST_IN_ROW, _MOST_IN_ROW = 8, 32
_USUAL_ANSWER = 16
_EVEN = 0.5
OnAnswers = Callable[[int], None]


@torch.no_grad()
def answer_side_by_side(
    model: VisionModel,
    asked: Sequence[GenerationRequest],
    *,
    at_once: int = AT_ONCE,
    on_answers: OnAnswers | None = None,
) -> list[str]:
    """Answer prompts greedily, many at a time.

    Args:
        model: Who answers.
        asked: The prompts.
        at_once: How many side by side at most.
        on_answers: Told after each batch how many were answered in it.

    Returns:
        One answer a prompt, as `generate` gives it.
    """
    answers = [""] * len(asked)
    for batch in _batches(model, asked, at_once):
        order = [place for row in batch for place in row]
        chosen = [asked[place] for place in order]
        if _is_batchable(model, chosen):
            ids = BatchDecoder(model, _rows(asked, batch)).write()
            told = [
                model.decode(i, one.rows.names if one.rows else ()).strip()
                for i, one in zip(ids, chosen, strict=True)
            ]
        else:
            told = [
                model.generate(one.encoded, one.features, one.rows, max_new_tokens=one.max_new_tokens)
                for one in chosen
            ]
        for place, text in zip(order, told, strict=True):
            answers[place] = text
        if on_answers:
            on_answers(len(order))
    return answers


@torch.no_grad()
def first_of_two(
    model: VisionModel, asked: Sequence[GenerationRequest], words: tuple[str, str], *, at_once: int = AT_ONCE
) -> list[float]:
    """How likely the first of two answers is beside the second, as `score_answers` gives it.

    Args:
        model: Who answers.
        asked: The prompts.
        words: The two answers.
        at_once: How many prompts side by side at most.

    Returns:
        One share in 0…1 a prompt.
    """
    first, second = (int(model.answer_ids(word)[0]) for word in words)
    shares = [0.0] * len(asked)
    for batch in _batches(model, asked, at_once):
        order = [place for row in batch for place in row]
        chosen = [asked[place] for place in order]
        if first != second and _is_batchable(model, chosen):
            logits = BatchDecoder(model, _rows(asked, batch)).begin()
            told = torch.sigmoid(logits[:, first] - logits[:, second]).tolist()
        else:
            scores = [
                model.score_answers(one.encoded, one.features, one.rows, answers=words) for one in chosen
            ]
            told = [float(torch.softmax(score, dim=0)[0]) for score in scores]
        for place, share in zip(order, told, strict=True):
            shares[place] = share
    return shares


def _is_batchable(model: VisionModel, asked: Sequence[GenerationRequest]) -> bool:
    return model.supports_prefix and len(asked) > 1


def _rows(
    asked: Sequence[GenerationRequest], batch: Sequence[Sequence[int]]
) -> list[list[GenerationRequest]]:
    return [[asked[place] for place in row] for row in batch]


def _batches(model: VisionModel, asked: Sequence[GenerationRequest], at_once: int) -> list[list[list[int]]]:
    """Batches of rows of places: a row's prompts have a common beginning, a batch's rows are of like size."""
    alike: dict[object, list[int]] = {}
    for place, one in enumerate(asked):
        alike.setdefault(beginning_of(one, model.vocab_size), []).append(place)
    rows = [row for places in alike.values() for row in _split(model, asked, places, at_once)]
    batches: list[list[list[int]]] = []
    longest = 0
    sized = [(-len(row), _tokens(model, asked, row), row) for row in rows]
    for _, tokens, row in sorted(sized, key=lambda one: one[:2]):
        longest = max(longest, tokens)
        batch = batches[-1] if batches else []
        is_full = sum(map(len, batch)) + len(row) > at_once or (len(batch) + 1) * longest > MOST_TOKENS
        if not batch or is_full or len(row) < _EVEN * len(batch[0]):
            batches.append([])
            longest = tokens
        batches[-1].append(row)
    return batches


def _tokens(model: VisionModel, asked: Sequence[GenerationRequest], row: Sequence[int]) -> int:
    """How many tokens a row has at most: what its prompts share, and the rest and the answer of each."""
    shared = shared_length(asked[row[0]], model.vocab_size)
    return shared + sum(len(asked[p].encoded.ids) - shared + asked[p].max_new_tokens for p in row)


def _split(
    model: VisionModel, asked: Sequence[GenerationRequest], places: Sequence[int], at_once: int
) -> list[list[int]]:
    """Rows of prompts with a common beginning, about as many in each.

    All that stands in a row is looked at by all, though most is masked, so a row's own words should not be
    many more than what is shared.
    """
    shared = shared_length(asked[places[0]], model.vocab_size)
    own = max(len(asked[p].encoded.ids) for p in places) - shared
    fitting = min(_MOST_IN_ROW, max(_LEAST_IN_ROW, shared // (own + _USUAL_ANSWER)))
    limit = own + max(asked[p].max_new_tokens for p in places)
    most = max(1, min(at_once, fitting, (MOST_TOKENS - shared) // limit))
    count = math.ceil(len(places) / most)
    return [list(places[number::count]) for number in range(count)]


__all__ = [
    "AT_ONCE",
    "BatchDecoder",
    "GenerationRequest",
    "OnAnswers",
    "answer_side_by_side",
    "beginning_of",
    "first_of_two",
    "shared_length",
]
