"""Answers many prompts side by side; knows no wording and judges nothing.

Each is answered word for word as `VisionModel.generate` answers it alone. Prompts about one photo and one
concept block share their keys and values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from photopal.vision.placeholders import SLOTS
from photopal.vision.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, VisionModel
from photopal.vision.roomy import make_room

AT_ONCE = 64
"""How many answers are generated side by side."""

MOST_TOKENS = 12_288
"""How many tokens of prompts and answers stand side by side, which bounds the memory of keys and values."""

_KEPT_WIDTH = 0.7
OnAnswers = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Asked:
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


@torch.no_grad()
def answer_side_by_side(
    model: VisionModel, asked: Sequence[Asked], *, at_once: int = AT_ONCE, on_answers: OnAnswers | None = None
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
        chosen = [asked[place] for place in batch]
        if _is_batchable(model, chosen):
            ids = _Writer(model, chosen).write()
            told = [
                model.decode(i, one.rows.names if one.rows else ()).strip()
                for i, one in zip(ids, chosen, strict=True)
            ]
        else:
            told = [
                model.generate(one.encoded, one.features, one.rows, max_new_tokens=one.max_new_tokens)
                for one in chosen
            ]
        for place, text in zip(batch, told, strict=True):
            answers[place] = text
        if on_answers:
            on_answers(len(batch))
    return answers


@torch.no_grad()
def first_of_two(
    model: VisionModel, asked: Sequence[Asked], words: tuple[str, str], *, at_once: int = AT_ONCE
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
        chosen = [asked[place] for place in batch]
        if first != second and _is_batchable(model, chosen):
            logits = _Writer(model, chosen).begin()
            told = torch.sigmoid(logits[:, first] - logits[:, second]).tolist()
        else:
            scores = [
                model.score_answers(one.encoded, one.features, one.rows, answers=words) for one in chosen
            ]
            told = [float(torch.softmax(score, dim=0)[0]) for score in scores]
        for place, share in zip(batch, told, strict=True):
            shares[place] = share
    return shares


def _is_batchable(model: VisionModel, asked: Sequence[Asked]) -> bool:
    return model.supports_prefix and len(asked) > 1


def _shared_length(asked: Asked, vocab_size: int) -> int:
    """How many first ids a prompt shares with others about its photo: to the end of its soft tokens."""
    soft = torch.nonzero(asked.encoded.ids >= vocab_size + SLOTS)
    end = int(soft[-1]) + 1 if soft.numel() else asked.encoded.image_end
    return max(1, min(end, int(asked.encoded.ids.shape[0]) - 1))


def _key(asked: Asked, vocab_size: int) -> tuple[int, int, bytes]:
    """Equal for prompts that share their beginning."""
    length = _shared_length(asked, vocab_size)
    digest = hashlib.blake2b(asked.encoded.ids[:length].cpu().numpy().tobytes(), digest_size=16)
    if asked.rows is not None:
        for rows in (asked.rows.inputs, asked.rows.outputs):
            digest.update(rows.detach().cpu().numpy().tobytes())
    return length, id(asked.features), digest.digest()


def _batches(model: VisionModel, asked: Sequence[Asked], at_once: int) -> list[list[int]]:
    """Places of prompts, those with a common beginning together, those of like length beside each other."""
    keys = [_key(one, model.vocab_size) for one in asked]
    batches: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(asked)), key=lambda place: keys[place]):
        length = int(asked[place].encoded.ids.shape[0]) + asked[place].max_new_tokens
        longest = max(longest, length)
        if not batches or len(batches[-1]) >= at_once or (len(batches[-1]) + 1) * longest > MOST_TOKENS:
            batches.append([])
            longest = length
        batches[-1].append(place)
    return batches


class _Writer:
    """Writes the answers of one batch side by side."""

    def __init__(self, model: VisionModel, asked: Sequence[Asked]) -> None:
        self.model, self.asked = model, asked
        self.slots = max((len(one.rows.names) for one in asked if one.rows), default=0)
        self.past: Any = None
        self.seen = torch.empty(0, 0, dtype=torch.bool)  # [batch, tokens], False on padding
        self.positions = torch.tensor([one.encoded.next_position for one in asked], device=model.device)
        self.outputs = self._outputs()

    def _outputs(self) -> Tensor:
        """`[batch, slots, hidden]` output rows of names, zero where a prompt has fewer."""
        rows = torch.zeros(len(self.asked), self.slots, self.model.hidden_size)
        for place, one in enumerate(self.asked):
            if one.rows is not None:
                rows[place, : len(one.rows.names)] = one.rows.outputs.float().cpu()
        return rows.to(self.model.device)

    def begin(self) -> Tensor:
        """Run the prompts; returns `[batch, vocab + slots]` logits of the first word of each answer."""
        keys = [_key(one, self.model.vocab_size) for one in self.asked]
        firsts = {key: place for place, key in reversed(list(enumerate(keys)))}
        self.past = self.model.new_past()
        if len(firsts) == len(keys):
            return self._logits(self._run([self._part(one, 0, None) for one in self.asked]))
        groups = {key: number for number, key in enumerate(firsts)}
        self._run([self._part(self.asked[firsts[key]], 0, key[0]) for key in groups])
        self._keep(torch.tensor([groups[key] for key in keys], device=self.model.device))
        tails = [self._part(one, key[0], None) for one, key in zip(self.asked, keys, strict=True)]
        return self._logits(self._run(tails))

    def _part(self, asked: Asked, start: int, end: int | None) -> tuple[Tensor, Tensor]:
        """Embeddings `[tokens, hidden]` and positions `[tokens]` or `[3, tokens]` of a part of a prompt."""
        encoded = asked.encoded
        part = replace(encoded, ids=encoded.ids[start:end], positions=encoded.positions[..., start:end])
        is_photo = start < encoded.image_end
        if is_photo:
            embeddings = self.model.embed_prompt(part, asked.features, asked.rows)
        else:
            embeddings = self.model.embed_ids(part.ids, asked.rows)
        return embeddings, part.positions

    def _run(self, parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Append parts of different length, padded on the left; returns `[batch, hidden]` last states."""
        pad = torch.nn.functional.pad
        longest = max(embeddings.shape[0] for embeddings, _ in parts)
        embeddings = torch.stack([pad(e, (0, 0, longest - e.shape[0], 0)) for e, _ in parts])
        positions = torch.stack([pad(p, (longest - p.shape[-1], 0)) for _, p in parts], dim=-2)
        is_word = torch.zeros(len(parts), longest, dtype=torch.bool, device=embeddings.device)
        for place, (own, _) in enumerate(parts):
            is_word[place, longest - own.shape[0] :] = True
        if not self.seen.numel():
            self.seen = is_word[:, :0]
        may_look = None
        if not bool(is_word.all() & self.seen.all()):  # else the causal mask is the model's own
            before = self.seen[:, None, :].expand(-1, longest, -1)
            causal = torch.ones(longest, longest, dtype=torch.bool, device=embeddings.device).tril()
            may_look = torch.cat([before, causal & is_word[:, None, :]], dim=2)[:, None]
        self.seen = torch.cat([self.seen, is_word], dim=1)
        return self._forward(embeddings, positions, may_look)

    def _forward(self, embeddings: Tensor, positions: Tensor, may_look: Tensor | None) -> Tensor:
        """`[batch, hidden]` last states of `[batch, tokens, hidden]`; all is seen where nothing is said."""
        mask = None
        if may_look is not None:
            mask = torch.zeros(may_look.shape, dtype=embeddings.dtype, device=embeddings.device)
            mask = mask.masked_fill(~may_look, torch.finfo(embeddings.dtype).min)
        hidden = self.model.forward(embeddings, positions=positions, attention_mask=mask, past=self.past)
        return hidden[:, -1]

    def _keep(self, places: Tensor) -> None:
        """Keep these sequences of the past, in this order; one may be taken several times."""
        for layer in self.past.layers:
            layer.keys, layer.values = layer.keys[places], layer.values[places]
        self.seen = self.seen[places]

    def _logits(self, hidden: Tensor) -> Tensor:
        base = self.model.logits(hidden)
        if not self.slots:
            return base
        names = torch.einsum("bh,bsh->bs", hidden.float(), self.outputs)
        for place, one in enumerate(self.asked):
            names[place, len(one.rows.names) if one.rows else 0 :] = -torch.inf
        return torch.cat([base, names], dim=-1)

    def write(self) -> list[list[int]]:
        """The ids of each answer, without their ends."""
        written: list[list[int]] = [[] for _ in self.asked]
        limits = [one.max_new_tokens for one in self.asked]
        is_done = [False] * len(written)
        places = list(range(len(written)))  # whose answer each row of the batch is
        logits = self.begin()
        make_room(self.past, max(limits))
        while True:
            chosen = self._choose(logits, [written[place] for place in places])
            for id_, place in zip(chosen, places, strict=True):
                if is_done[place] or id_ in self.model.end_ids:
                    is_done[place] = True
                    continue
                written[place].append(id_)
                is_done[place] = len(written[place]) >= limits[place]
            going = [row for row, place in enumerate(places) if not is_done[place]]
            if not going:
                return written
            if len(going) <= _KEPT_WIDTH * len(places):
                self._shrink(going)
                places, chosen = [places[row] for row in going], [chosen[row] for row in going]
            logits = self._step(chosen)

    def _choose(self, logits: Tensor, said: Sequence[Sequence[int]]) -> list[int]:
        """The likeliest next id of each answer; names by their bonus, see `ConceptRows.name_bonus`."""
        vocab_size = self.model.vocab_size
        for row, one in enumerate(self.asked):
            if one.rows is not None and one.rows.name_bonus:
                for slot in range(len(one.rows.names)):
                    sign = -1.0 if vocab_size + slot in said[row] else 1.0
                    logits[row, vocab_size + slot] += sign * one.rows.name_bonus
        chosen: list[int] = logits.argmax(dim=-1).tolist()
        return chosen

    def _shrink(self, going: Sequence[int]) -> None:
        """Go on with these rows of the batch alone."""
        places = torch.tensor(going, device=self.model.device)
        self._keep(places)
        self.asked = [self.asked[row] for row in going]
        self.outputs, self.positions = self.outputs[places], self.positions[places]

    def _step(self, chosen: Sequence[int]) -> Tensor:
        """Append one id to each answer; returns the logits of the next."""
        vocab_size = self.model.vocab_size
        ids = torch.tensor(chosen, device=self.model.device)
        embeddings = self.model.embed_ids(ids.masked_fill(ids >= vocab_size, 0)).clone()
        for row, (id_, one) in enumerate(zip(chosen, self.asked, strict=True)):
            if id_ >= vocab_size:
                embeddings[row] = self.model.embed_ids(ids[row : row + 1], one.rows)[0]
        axes = self.asked[0].encoded.positions.shape[:-1]  # (3,) where positions have three axes
        positions = self.positions[:, None].expand(*axes, -1, -1)  # [batch, 1], or with three axes before
        self.seen = torch.cat([self.seen, self.seen.new_ones(len(chosen), 1)], dim=1)
        may_look = None if bool(self.seen.all()) else self.seen[:, None, None]
        hidden = self._forward(embeddings[:, None], positions, may_look)
        self.positions = self.positions + 1
        return self._logits(hidden)
