"""Answers many noted prompts together; knows no wording and judges nothing.

Each is answered word for word as `VisionModel.generate` answers it alone. Prompts about one photo and one
concept block share their keys and values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from photopal.evaluation.noting import Noted
from photopal.vision.placeholders import SLOTS
from photopal.vision.protocol import VisionModel

AT_ONCE = 64
"""How many answers are generated side by side."""

_KEPT_WIDTH = 0.7
OnAnswers = Callable[[int], None]


@torch.no_grad()
def answer_noted(
    model: VisionModel, noted: Sequence[Noted], *, at_once: int = AT_ONCE, on_answers: OnAnswers | None = None
) -> list[str]:
    """Answer prompts greedily, many at a time.

    Args:
        model: Who answers.
        noted: The prompts.
        at_once: How many side by side.
        on_answers: Told after each batch how many were answered in it.

    Returns:
        One answer a prompt, as `generate` gives it.
    """
    answers = [""] * len(noted)
    for batch in _batches(model, noted, at_once):
        chosen = [noted[place] for place in batch]
        if _is_batchable(model, chosen):
            ids = _Writer(model, chosen).write()
            told = [
                model.decode(i, n.rows.names if n.rows else ()).strip()
                for i, n in zip(ids, chosen, strict=True)
            ]
        else:
            told = [
                model.generate(n.encoded, n.features, n.rows, max_new_tokens=n.max_new_tokens) for n in chosen
            ]
        for place, text in zip(batch, told, strict=True):
            answers[place] = text
        if on_answers:
            on_answers(len(batch))
    return answers


@torch.no_grad()
def first_of_two(
    model: VisionModel, noted: Sequence[Noted], words: tuple[str, str], *, at_once: int = AT_ONCE
) -> list[float]:
    """How likely the first of two answers is beside the second, as `score_answers` gives it.

    Returns:
        One share in 0…1 a prompt.
    """
    first, second = (int(model.answer_ids(word)[0]) for word in words)
    shares = [0.0] * len(noted)
    for batch in _batches(model, noted, at_once):
        chosen = [noted[place] for place in batch]
        if first != second and _is_batchable(model, chosen):
            logits = _Writer(model, chosen).begin()
            told = torch.sigmoid(logits[:, first] - logits[:, second]).tolist()
        else:
            scores = [model.score_answers(n.encoded, n.features, n.rows, answers=words) for n in chosen]
            told = [float(torch.softmax(score, dim=0)[0]) for score in scores]
        for place, share in zip(batch, told, strict=True):
            shares[place] = share
    return shares


def _is_batchable(model: VisionModel, noted: Sequence[Noted]) -> bool:
    return model.supports_prefix and all(n.encoded.positions.ndim == 1 for n in noted)


def _shared_length(noted: Noted, vocab_size: int) -> int:
    """How many first ids a prompt shares with others about its photo: to the end of its soft tokens."""
    soft = torch.nonzero(noted.encoded.ids >= vocab_size + SLOTS)
    end = int(soft[-1]) + 1 if soft.numel() else noted.encoded.image_end
    return max(1, min(end, int(noted.encoded.ids.shape[0]) - 1))


def _key(noted: Noted, vocab_size: int) -> tuple[int, int, bytes]:
    """Equal for prompts that share their beginning."""
    length = _shared_length(noted, vocab_size)
    digest = hashlib.blake2b(noted.encoded.ids[:length].cpu().numpy().tobytes(), digest_size=16)
    if noted.rows is not None:
        for rows in (noted.rows.inputs, noted.rows.outputs):
            digest.update(rows.detach().cpu().numpy().tobytes())
    return length, id(noted.features), digest.digest()


def _batches(model: VisionModel, noted: Sequence[Noted], at_once: int) -> list[list[int]]:
    """Places of prompts, those with a common beginning together, those of like length beside each other."""
    keys = [_key(n, model.vocab_size) for n in noted]
    order = sorted(range(len(noted)), key=lambda place: keys[place])
    return [order[start : start + at_once] for start in range(0, len(order), at_once)]


class _Writer:
    """Writes the answers of one batch side by side."""

    def __init__(self, model: VisionModel, noted: Sequence[Noted]) -> None:
        self.model, self.noted = model, noted
        self.slots = max((len(n.rows.names) for n in noted if n.rows), default=0)
        self.past: Any = None
        self.seen = torch.empty(0, 0, dtype=torch.bool)  # [batch, tokens], False on padding
        self.positions = torch.tensor([n.encoded.next_position for n in noted], device=model.device)
        self.outputs = self._outputs()

    def _outputs(self) -> Tensor:
        """`[batch, slots, hidden]` output rows of names, zero where a prompt has fewer."""
        rows = torch.zeros(len(self.noted), self.slots, self.model.hidden_size)
        for place, n in enumerate(self.noted):
            if n.rows is not None:
                rows[place, : len(n.rows.names)] = n.rows.outputs.float().cpu()
        return rows.to(self.model.device)

    def begin(self) -> Tensor:
        """Run the prompts; returns `[batch, vocab + slots]` logits of the first word of each answer."""
        keys = [_key(n, self.model.vocab_size) for n in self.noted]
        firsts = {key: place for place, key in reversed(list(enumerate(keys)))}
        groups = {key: number for number, key in enumerate(firsts)}
        leaders = [self._part(self.noted[firsts[key]], 0, key[0]) for key in groups]
        self.past = self.model.new_past()
        self._run(leaders)
        chosen = torch.tensor([groups[key] for key in keys], device=self.model.device)
        self._keep(chosen)
        tails = [self._part(n, key[0], None) for n, key in zip(self.noted, keys, strict=True)]
        return self._logits(self._run(tails))

    def _part(self, noted: Noted, start: int, end: int | None) -> tuple[Tensor, Tensor]:
        """Embeddings `[tokens, hidden]` and positions `[tokens]` of a part of a prompt."""
        encoded = noted.encoded
        part = replace(encoded, ids=encoded.ids[start:end], positions=encoded.positions[start:end])
        is_photo = start < encoded.image_end
        if is_photo:
            embeddings = self.model.embed_prompt(part, noted.features, noted.rows)
        else:
            embeddings = self.model.embed_ids(part.ids, noted.rows)
        return embeddings, part.positions

    def _run(self, parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Append parts of different length, padded on the left; returns `[batch, hidden]` last states."""
        longest = max(positions.shape[0] for _, positions in parts)
        embeddings = torch.stack(
            [torch.nn.functional.pad(e, (0, 0, longest - e.shape[0], 0)) for e, _ in parts]
        )
        positions = torch.stack([torch.nn.functional.pad(p, (longest - p.shape[0], 0)) for _, p in parts])
        is_word = torch.zeros(len(parts), longest, dtype=torch.bool, device=embeddings.device)
        for place, (_, own) in enumerate(parts):
            is_word[place, longest - own.shape[0] :] = True
        if not self.seen.numel():
            self.seen = is_word[:, :0]
        before = self.seen[:, None, :].expand(-1, longest, -1)
        causal = torch.ones(longest, longest, dtype=torch.bool, device=embeddings.device).tril()
        may_look = torch.cat([before, causal & is_word[:, None, :]], dim=2)[:, None]
        mask = torch.zeros(may_look.shape, dtype=embeddings.dtype, device=embeddings.device)
        mask = mask.masked_fill(~may_look, torch.finfo(embeddings.dtype).min)
        self.seen = torch.cat([self.seen, is_word], dim=1)
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
        for place, n in enumerate(self.noted):
            names[place, len(n.rows.names) if n.rows else 0 :] = -torch.inf
        return torch.cat([base, names], dim=-1)

    def write(self) -> list[list[int]]:
        """The ids of each answer, without their ends."""
        written: list[list[int]] = [[] for _ in self.noted]
        limits = [n.max_new_tokens for n in self.noted]
        is_done = [False] * len(written)
        places = list(range(len(written)))  # whose answer each row of the batch is
        logits = self.begin()
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
        for row, n in enumerate(self.noted):
            if n.rows is not None and n.rows.name_bonus:
                for slot in range(len(n.rows.names)):
                    sign = -1.0 if vocab_size + slot in said[row] else 1.0
                    logits[row, vocab_size + slot] += sign * n.rows.name_bonus
        return [int(id_) for id_ in logits.argmax(dim=-1)]

    def _shrink(self, going: Sequence[int]) -> None:
        """Go on with these rows of the batch alone."""
        places = torch.tensor(going, device=self.model.device)
        self._keep(places)
        self.noted = [self.noted[row] for row in going]
        self.outputs, self.positions = self.outputs[places], self.positions[places]

    def _step(self, chosen: Sequence[int]) -> Tensor:
        """Append one id to each answer; returns the logits of the next."""
        vocab_size = self.model.vocab_size
        ids = torch.tensor(chosen, device=self.model.device)
        embeddings = self.model.embed_ids(ids.masked_fill(ids >= vocab_size, 0)).clone()
        for row, (id_, n) in enumerate(zip(chosen, self.noted, strict=True)):
            if id_ >= vocab_size:
                embeddings[row] = self.model.embed_ids(ids[row : row + 1], n.rows)[0]
        parts = [(embeddings[row : row + 1], self.positions[row : row + 1]) for row in range(len(chosen))]
        hidden = self._run(parts)
        self.positions = self.positions + 1
        return self._logits(hidden)
