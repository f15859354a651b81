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

from photopal.vlm.generate import Repetition
from photopal.vlm.kv_cache import preallocate
from photopal.vlm.placeholders import SLOTS
from photopal.vlm.protocol import ConceptEmbeddings, EncodedPrompt, PhotoFeatures, VisionModel, to_device
from photopal.vlm.tokenizer import strip_thought


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """A prompt that waits for its answer.

    Attributes:
        encoded: The prompt, without an answer.
        features: Its photo.
        concepts: Those whose names may be said.
        max_new_tokens: Where the answer stops at the latest.
    """

    encoded: EncodedPrompt
    features: PhotoFeatures | None
    concepts: ConceptEmbeddings | None
    max_new_tokens: int = 96


def shared_prefix_length(request: GenerationRequest, vocab_size: int) -> int:
    """How many first ids a prompt shares with others about its photo: to the end of photo and soft tokens."""
    soft = torch.nonzero(request.encoded.ids >= vocab_size + SLOTS)
    end = max(int(soft[-1]) + 1 if soft.numel() else 0, request.encoded.image_end)
    # At least one id is left over, as the answer begins from the state of a prompt's last id.
    return max(1, min(end, int(request.encoded.ids.shape[0]) - 1))


def prefix_key(request: GenerationRequest, vocab_size: int) -> tuple[int, int, bytes]:
    """Equal for prompts that share their beginning: photo, ids, and embeddings of concepts."""
    length = shared_prefix_length(request, vocab_size)
    digest = hashlib.blake2b(request.encoded.ids[:length].cpu().numpy().tobytes(), digest_size=16)
    if request.concepts is not None:
        for embeddings in (request.concepts.inputs, request.concepts.outputs):
            digest.update(embeddings.detach().cpu().numpy().tobytes())
    return length, id(request.features), digest.digest()


# Finished prompts are dropped from the batch once this share of it is left: dropping copies keys and values.
_SHRINK_AT = 0.7
# Room for so many tokens of each prompt before the keys and values are copied to larger tensors.
_ROOM_TOKENS = 16
# Whose a token is, where it is no single prompt's.
_SHARED, _PADDING = -1, -2


@dataclass(frozen=True, eq=False)
class _Segment:
    """A piece of a row: embeddings `[tokens, hidden]`, positions `[..., tokens]`, and whose they are.

    `owner` is a prompt's number in the batch, or `_SHARED` for what all prompts of the row see.
    """

    embeddings: Tensor
    positions: Tensor
    owner: int


class BatchDecoder:
    """Decodes the answers of a batch of rows.

    Prompts are numbered row after row. A token sees what its row shares and what is its own prompt's; so the
    keys and values of a photo are in memory and read once for all questions of a row.

    The host waits for the device once a token, to read which tokens were chosen. So what the host has to know
    of the rows is on the host as lists too, and what a token needs of its prompt is on the device, a line a
    prompt.

    Args:
        model: A model that supports batches.
        rows: At least one, each with at least one prompt; those of a row have a common beginning.
    """

    def __init__(self, model: VisionModel, rows: Sequence[Sequence[GenerationRequest]]) -> None:
        self.model = model
        self.requests = [request for row in rows for request in row]
        self.rows: list[list[int]] = []  # the prompts of each row that are still being answered
        for row in rows:
            first = sum(map(len, self.rows))
            self.rows.append(list(range(first, first + len(row))))
        self.past: Any = None
        self.owners = torch.empty(len(rows), 0, dtype=torch.long, device=model.device)  # [rows, tokens]
        self.row_owners: list[set[int]] = [set() for _ in rows]  # the same on the host, without _SHARED
        positions = torch.tensor([request.encoded.next_position for request in self.requests])
        self.positions = to_device(positions, model.device)  # [prompts], of the next token
        self.slots = max((len(r.concepts.names) for r in self.requests if r.concepts), default=0)
        shape = (len(self.requests), self.slots)
        inputs, outputs = (torch.zeros(*shape, model.hidden_size) for _ in range(2))
        bonus = torch.full(shape, -torch.inf)  # no name is likely at all in slots that a prompt does not have
        for line, request in enumerate(self.requests):
            if request.concepts is not None:
                count = len(request.concepts.names)
                inputs[line, :count] = request.concepts.inputs[:, 0].float().cpu()
                outputs[line, :count] = request.concepts.outputs.float().cpu()
                bonus[line, :count] = request.concepts.name_bonus
        self.name_inputs = to_device(inputs, model.device)  # [prompts, slots, hidden]
        self.name_outputs = to_device(outputs, model.device)  # [prompts, slots, hidden]
        self.name_bonus = to_device(bonus, model.device)  # [prompts, slots]: what the logits of names gain
        self._lay_out()

    def _lay_out(self) -> None:
        """Say where the next token of each prompt stands in its row; holds until there are fewer prompts."""
        width = max(map(len, self.rows))
        self.next_owners = to_device(
            torch.tensor([row + [_PADDING] * (width - len(row)) for row in self.rows]), self.model.device
        )  # [rows, width]
        self.next_row_owners = [{*row, *([_PADDING] if len(row) < width else [])} for row in self.rows]
        cells = [(number, column) for number, row in enumerate(self.rows) for column in range(len(row))]
        indices = to_device(torch.tensor(cells), self.model.device)  # [prompts, 2]
        self.cells = (indices[:, 0], indices[:, 1])

    def prefill(self) -> Tensor:
        """Run the prompts; returns `[prompts, vocab + slots]` logits of the first token of each answer."""
        self.past = self.model.new_past()
        if all(len(row) == 1 for row in self.rows):
            whole = [[self._segment(prompt, owner=prompt)] for [prompt] in self.rows]
            return self._logits(self._append(whole))
        keys = [prefix_key(self.requests[row[0]], self.model.vocab_size) for row in self.rows]
        # Rows share a beginning where one photo has more prompts than a row takes. It is run once, then its
        # keys and values are copied to these rows.
        firsts = {key: self.rows[number][0] for number, key in reversed(list(enumerate(keys)))}
        groups = {key: number for number, key in enumerate(firsts)}
        self.owners, self.row_owners = self.owners[: len(groups)], self.row_owners[: len(groups)]
        self._append([[self._segment(firsts[key], owner=_SHARED, end=key[0])] for key in groups])
        self._select([groups[key] for key in keys])
        tails = [
            [self._segment(prompt, owner=prompt, start=key[0]) for prompt in row]
            for row, key in zip(self.rows, keys, strict=True)
        ]
        return self._logits(self._append(tails))

    def _segment(self, prompt: int, *, owner: int, start: int = 0, end: int | None = None) -> _Segment:
        """The embeddings of a prompt's ids from `start` to `end`."""
        request = self.requests[prompt]
        encoded = request.encoded
        part = replace(encoded, ids=encoded.ids[start:end], positions=encoded.positions[..., start:end])
        if start < encoded.image_end:
            embeddings = self.model.embed_prompt(part, request.features, request.concepts)
        else:
            embeddings = self.model.embed_ids(part.ids, request.concepts)
        return _Segment(embeddings, part.positions, owner)

    def _append(self, rows: Sequence[Sequence[_Segment]]) -> Tensor:
        """Append segments to each row, padded on the left; returns `[segments, hidden]` their last states."""
        pad = torch.nn.functional.pad
        lengths = [[int(segment.embeddings.shape[0]) for segment in row] for row in rows]
        longest = max(map(sum, lengths))
        owners = torch.full((len(rows), longest), _PADDING)
        embeddings, positions, ends = [], [], []
        for number, row in enumerate(rows):
            # On the left: then all rows end alike, and the answers begin in the same column.
            end = empty = longest - sum(lengths[number])
            for segment, length in zip(row, lengths[number], strict=True):
                owners[number, end : end + length] = segment.owner
                end += length
                ends.append((number, end - 1))
            embeddings.append(pad(torch.cat([segment.embeddings for segment in row]), (0, 0, empty, 0)))
            positions.append(pad(torch.cat([segment.positions for segment in row], dim=-1), (empty, 0)))
        states = self._forward(
            torch.stack(embeddings),  # [rows, tokens, hidden]
            torch.stack(positions, dim=-2),  # [..., rows, tokens]
            to_device(owners, self.model.device),
            [set(row) - {_SHARED} for row in owners.tolist()],
        )
        last = to_device(torch.tensor(ends), self.model.device)  # [segments, 2]
        return states[last[:, 0], last[:, 1]]

    def _forward(
        self, embeddings: Tensor, positions: Tensor, owners: Tensor, row_owners: Sequence[set[int]]
    ) -> Tensor:
        """Append `[rows, tokens, hidden]` embeddings; returns their states.

        Args:
            embeddings: What to append.
            positions: `[..., rows, tokens]`.
            owners: `[rows, tokens]`, whose the tokens are, on the device.
            row_owners: The same, row by row, on the host and without `_SHARED`.
        """
        before, new = self.owners.shape[1], owners.shape[1]
        self.owners = torch.cat([self.owners, owners], dim=1)  # [rows, before + new]
        self.row_owners = [old | more for old, more in zip(self.row_owners, row_owners, strict=True)]
        mask = None
        # Where each row has one prompt and no padding, the causal mask is the model's own, and faster.
        if any(len(row) > 1 or _PADDING in row for row in self.row_owners):
            seen = self.owners[:, None, :]  # [rows, 1, before + new]
            past = torch.ones(new, before + new, dtype=torch.bool, device=owners.device).tril(diagonal=before)
            is_seen = ((seen == owners[:, :, None]) | (seen == _SHARED)) & past  # [rows, new, before + new]
            mask = torch.zeros(is_seen.shape, dtype=embeddings.dtype, device=embeddings.device)
            mask = mask.masked_fill(~is_seen, torch.finfo(embeddings.dtype).min)[:, None]
        return self.model.forward(embeddings, positions=positions, attention_mask=mask, past=self.past)

    def _select(self, rows: Sequence[int]) -> None:
        """Take these rows of the past, in this order; one may be taken several times."""
        if list(rows) == list(range(len(self.owners))):
            return
        indices = to_device(torch.tensor(rows), self.model.device)
        for layer in self.past.layers:  # [rows, heads, tokens, width]
            layer.keys, layer.values = layer.keys[indices], layer.values[indices]
        self.owners = self.owners[indices]
        self.row_owners = [self.row_owners[row] for row in rows]

    def _logits(self, hidden: Tensor) -> Tensor:
        """`[prompts, vocab + slots]` of `[prompts, hidden]` states, names with what they gain."""
        base = self.model.logits(hidden)
        if not self.slots:
            return base
        names = torch.einsum("bh,bsh->bs", hidden.float(), self.name_outputs)
        return torch.cat([base, names + self.name_bonus], dim=-1)

    def decode(self) -> list[list[int]]:
        """The ids of each answer, without their ends."""
        answers: list[list[int]] = [[] for _ in self.requests]
        is_done = [False] * len(answers)
        repetition = Repetition(self.model, [request.encoded for request in self.requests])
        logits = self.prefill()
        preallocate(self.past, _ROOM_TOKENS * max(map(len, self.rows)))
        while True:
            prompts = [prompt for row in self.rows for prompt in row]  # the prompt of each line
            # The one wait of this step.
            chosen: list[int] = repetition.penalized(logits).argmax(dim=-1).tolist()
            for id_, prompt in zip(chosen, prompts, strict=True):
                if is_done[prompt] or id_ in self.model.end_ids:
                    is_done[prompt] = True
                    continue
                answers[prompt].append(id_)
                is_done[prompt] = len(answers[prompt]) >= self.requests[prompt].max_new_tokens
            repetition.add(chosen)
            unfinished = [line for line, prompt in enumerate(prompts) if not is_done[prompt]]
            if not unfinished:
                return answers
            if len(unfinished) <= _SHRINK_AT * len(prompts):
                # Go on with these lines, and with the rows that have any; `prompts` has the prompt of each
                # line.
                remaining = {prompts[line] for line in unfinished}
                rows = [[prompt for prompt in row if prompt in remaining] for row in self.rows]
                self._select([number for number, row in enumerate(rows) if row])
                self.rows = [row for row in rows if row]
                indices = to_device(torch.tensor(unfinished), self.model.device)
                self.positions, self.name_bonus = self.positions[indices], self.name_bonus[indices]
                repetition.keep(indices)
                self.name_inputs, self.name_outputs = self.name_inputs[indices], self.name_outputs[indices]
                self._lay_out()
                chosen = [chosen[line] for line in unfinished]
            logits = self._logits(self._step(chosen))

    def _step(self, chosen: Sequence[int]) -> Tensor:
        """Append a token to each answer, given by line; returns `[prompts, hidden]` their states."""
        vocab_size = self.model.vocab_size
        ids = torch.tensor([id_ if id_ < vocab_size else 0 for id_ in chosen])
        tokens = self.model.embed_ids(ids)  # [prompts, hidden]
        for line, id_ in enumerate(chosen):
            if id_ >= vocab_size:
                slot = id_ - vocab_size
                tokens[line] = self.name_inputs[line, slot]
                # Each name is expected once; a second time costs as much as the first gained.
                self.name_bonus[line, slot] = -self.name_bonus[line, slot].abs()
        shape = self.next_owners.shape
        embeddings = tokens.new_zeros(*shape, tokens.shape[-1]).index_put(self.cells, tokens)
        axes = self.requests[0].encoded.positions.shape[:-1]  # (3,) where positions have three axes
        positions = (
            self.positions.new_zeros(shape).index_put(self.cells, self.positions).expand(*axes, *shape)
        )
        states = self._forward(embeddings, positions, self.next_owners, self.next_row_owners)
        self.positions = self.positions + 1
        return states[self.cells]


MOST_PROMPTS = 64
"""How many answers are generated side by side."""

MOST_TOKENS = 12_288
"""How many tokens of prompts and answers stand side by side, which bounds the memory of keys and values."""

_LEAST_IN_ROW, _MOST_IN_ROW = 8, 32
# How long an answer mostly is, where the most it may be would make rows much too short.
_USUAL_ANSWER = 16
# A batch's rows have at least this share of the prompts of its longest row; the rest would be padding.
_LEAST_FILLED = 0.5
OnAnswers = Callable[[int], None]


@torch.no_grad()
def answer_batch(
    model: VisionModel,
    requests: Sequence[GenerationRequest],
    *,
    most_prompts: int = MOST_PROMPTS,
    on_answers: OnAnswers | None = None,
) -> list[str]:
    """Answer prompts greedily, many at a time.

    Args:
        model: Who answers.
        requests: The prompts.
        most_prompts: How many side by side at most.
        on_answers: Called after each batch with how many were answered in it.

    Returns:
        One answer a prompt, as `generate` gives it.
    """
    answers = [""] * len(requests)
    for batch in _batches(model, requests, most_prompts):
        order = [index for row in batch for index in row]
        chosen = [requests[index] for index in order]
        if model.supports_batches and len(chosen) > 1:
            rows = [[requests[index] for index in row] for row in batch]
            texts = [
                strip_thought(model.decode(ids, request.concepts.names if request.concepts else ())).strip()
                for ids, request in zip(BatchDecoder(model, rows).decode(), chosen, strict=True)
            ]
        else:
            texts = [
                model.generate(r.encoded, r.features, r.concepts, max_new_tokens=r.max_new_tokens)
                for r in chosen
            ]
        for index, text in zip(order, texts, strict=True):
            answers[index] = text
        if on_answers:
            on_answers(len(order))
    return answers


@torch.no_grad()
def first_answer_shares(
    model: VisionModel,
    requests: Sequence[GenerationRequest],
    words: tuple[str, str],
    *,
    most_prompts: int = MOST_PROMPTS,
) -> list[float]:
    """How likely the first of two answers is beside the second, as `score_answers` gives it.

    Args:
        model: Who answers.
        requests: The prompts.
        words: The two answers.
        most_prompts: How many prompts side by side at most.

    Returns:
        One share in 0…1 a prompt.
    """
    first, second = (int(model.answer_ids(word)[0]) for word in words)
    shares = [0.0] * len(requests)
    for batch in _batches(model, requests, most_prompts):
        order = [index for row in batch for index in row]
        chosen = [requests[index] for index in order]
        if first != second and model.supports_batches and len(chosen) > 1:
            # The two differ in their first id, so one step decides, and a softmax over two is a sigmoid.
            logits = BatchDecoder(model, [[requests[index] for index in row] for row in batch]).prefill()
            batch_shares = torch.sigmoid(logits[:, first] - logits[:, second]).tolist()
        else:
            scores = [model.score_answers(r.encoded, r.features, r.concepts, answers=words) for r in chosen]
            batch_shares = [float(torch.softmax(score, dim=0)[0]) for score in scores]
        for index, share in zip(order, batch_shares, strict=True):
            shares[index] = share
    return shares


def _batches(
    model: VisionModel, requests: Sequence[GenerationRequest], most_prompts: int
) -> list[list[list[int]]]:
    """Batches of rows of indices: the prompts of a row have a common beginning, the rows like sizes."""
    groups: dict[object, list[int]] = {}
    for index, request in enumerate(requests):
        groups.setdefault(prefix_key(request, model.vocab_size), []).append(index)
    rows = [row for group in groups.values() for row in _split(model, requests, group, most_prompts)]
    sized = []
    for row in rows:
        shared = shared_prefix_length(requests[row[0]], model.vocab_size)
        own = sum(len(requests[i].encoded.ids) - shared + requests[i].max_new_tokens for i in row)
        sized.append((-len(row), shared + own, row))
    batches: list[list[list[int]]] = []
    longest = 0
    for _, tokens, row in sorted(sized, key=lambda entry: entry[:2]):
        longest = max(longest, tokens)
        batch = batches[-1] if batches else []
        is_full = sum(map(len, batch)) + len(row) > most_prompts or (len(batch) + 1) * longest > MOST_TOKENS
        if not batch or is_full or len(row) < _LEAST_FILLED * len(batch[0]):
            batches.append([])
            longest = tokens
        batches[-1].append(row)
    return batches


def _split(
    model: VisionModel, requests: Sequence[GenerationRequest], group: Sequence[int], most_prompts: int
) -> list[list[int]]:
    """Rows of prompts with a common beginning, about as many in each.

    All that stands in a row is looked at by all, though most is masked, so a row's own tokens should not be
    many more than what is shared.
    """
    shared = shared_prefix_length(requests[group[0]], model.vocab_size)
    own = max(len(requests[i].encoded.ids) for i in group) - shared
    fitting = min(_MOST_IN_ROW, max(_LEAST_IN_ROW, shared // (own + _USUAL_ANSWER)))
    limit = own + max(requests[i].max_new_tokens for i in group)
    most = max(1, min(most_prompts, fitting, (MOST_TOKENS - shared) // limit))
    count = math.ceil(len(group) / most)
    return [list(group[number::count]) for number in range(count)]
