"""Packs the exchanges of an example behind one photo and one concept block; computes their loss.

The photo's keys and values depend on nothing that is trained: they are computed once and reused for every
step. The concept block follows them once for all questions, and the questions see the photo, the block and
themselves, each with positions counted on from the block. Examples about several photos run side by side.
The loss equals that of separate sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from photopal.cache import LRUCache
from photopal.prompts import templates as questions
from photopal.tuning.examples import Example
from photopal.vlm.kv_cache import common_length, copy_past, join_pasts, packed_visibility
from photopal.vlm.protocol import (
    ConceptEmbeddings,
    EncodedPrompt,
    PhotoFeatures,
    PrefixCache,
    VisionModel,
    to_device,
)

MOST_TOKENS = 1536
"""How many tokens of questions run side by side at most, which bounds the memory of a step."""


@dataclass(frozen=True, eq=False)
class PackedExample:
    """An example as ids.

    Attributes:
        example: What it was made of.
        encoded: Every exchange as a sequence of its own.
        prefix_tokens: How many first tokens, up to the end of the photo, all of them share.
        block_tokens: How many further tokens, the concept block, all of them share.
        is_recognition: For each exchange, whether it is answered by Yes or No.
        yes_no: The ids that the answers Yes and No begin with.
    """

    example: Example
    encoded: tuple[EncodedPrompt, ...]
    prefix_tokens: int
    block_tokens: int
    is_recognition: tuple[bool, ...]
    yes_no: tuple[int, int]

    @property
    def answer_tokens(self) -> int:
        """How many tokens the answers have."""
        return sum(int(e.ids.shape[0]) - e.answer_start for e in self.encoded)

    @cached_property
    def labels(self) -> Tensor:
        """`[answer tokens]` ids of all answers, on the CPU."""
        return torch.cat([e.ids[e.answer_start :] for e in self.encoded])

    @cached_property
    def layout(self) -> Layout:
        """The exchanges one after another, as they are run behind the photo."""
        shared = self.prefix_tokens + self.block_tokens
        first = self.encoded[0]
        # The last token of an answer, its end-of-turn, is learned (the authors' code never supervises it),
        # but nothing is learned from what follows it: so it is a label and no input.
        pieces = [first.ids[self.prefix_tokens : shared]] + [e.ids[shared:-1] for e in self.encoded]
        positions = [first.positions[..., self.prefix_tokens : shared]]
        # Positions as the exchanges have them alone: each counts on from the block, whatever stands between.
        positions += [e.positions[..., shared:-1] for e in self.encoded]
        lengths = [int(piece.shape[0]) for piece in pieces]
        before, start = [], self.block_tokens
        for e in self.encoded:
            end = start + int(e.ids.shape[0]) - 1 - shared
            before.append(torch.arange(start + e.answer_start - 1 - shared, end))
            start = end
        return Layout(
            ids=torch.cat(pieces),
            positions=torch.cat(positions, dim=-1),
            is_visible=packed_visibility(lengths, is_first_shared=True),
            before_answers=torch.cat(before),
        )


@dataclass(frozen=True, eq=False)
class Layout:
    """An example's exchanges one after another, behind the photo; on the CPU.

    Attributes:
        ids: `[tokens]` model ids: the concept block, then the exchanges.
        positions: `[tokens]` or `[3, tokens]`.
        is_visible: bool `[tokens, tokens]`: which of them each sees.
        before_answers: `[answer tokens]`: the index before each token of an answer.
    """

    ids: Tensor
    positions: Tensor
    is_visible: Tensor
    before_answers: Tensor


@dataclass(frozen=True, eq=False)
class ExampleLoss:
    """What a forward pass over examples gives.

    Attributes:
        total: Sum of the cross-entropy over answer tokens.
        tokens: How many answer tokens there are.
        yes_margins: For each recognition exchange with the answer Yes, by how much the logit of Yes is above
            that of No.
        no_margins: The same for those with the answer No.
    """

    total: Tensor
    tokens: int
    yes_margins: tuple[float, ...]
    no_margins: tuple[float, ...]


def pack_example(model: VisionModel, example: Example) -> PackedExample:
    """Encode the exchanges of an example and find what they share."""
    encoded = tuple(
        model.encode_prompt(exchange.prompt, example.features, answer=exchange.answer)
        for exchange in example.exchanges
    )
    # The block ends where the questions first differ, but before the last token of the shortest prompt: its
    # state is what the answer begins from, and so belongs to the question.
    shared = min(int(e.answer_start) - 1 for e in encoded)
    shared = min(shared, *(common_length(encoded[0].ids, e.ids) for e in encoded))
    prefix = encoded[0].image_end
    yes, no = (int(model.answer_ids(word)[0]) for word in (questions.YES, questions.NO))
    return PackedExample(
        example=example,
        encoded=encoded,
        prefix_tokens=prefix,
        block_tokens=max(0, shared - prefix),
        is_recognition=tuple(exchange.kind == "recognition" for exchange in example.exchanges),
        yes_no=(yes, no),
    )


class PrefixStore:
    """Caches the keys and values of photos, the least recently used ones dropped beyond a number of bytes."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 30) -> None:
        """Cache prefixes of one model."""
        self._model = model
        self._cached: LRUCache[PhotoFeatures, PrefixCache] = LRUCache(
            most_bytes, lambda prefix: sum(x.keys.nbytes + x.values.nbytes for x in prefix.past.layers)
        )

    def get(self, encoded: EncodedPrompt, features: PhotoFeatures) -> PrefixCache:
        """The prefix of a prompt up to the end of its photo."""
        prefix = self._cached.get(features)
        if prefix is None:
            prefix = self._model.encode_prefix(encoded, features)
            self._cached.put(features, prefix)
        return prefix


def group_examples(examples: Sequence[PackedExample]) -> list[list[PackedExample]]:
    """Groups of examples that run together: behind photos of as many tokens, within bounds of memory."""
    groups: list[list[PackedExample]] = []
    longest = 0
    for packed in sorted(examples, key=lambda packed: packed.prefix_tokens):
        tokens = int(packed.layout.ids.shape[0])
        longest = max(longest, tokens)
        is_alike = bool(groups) and groups[-1][0].prefix_tokens == packed.prefix_tokens
        if not is_alike or (len(groups[-1]) + 1) * longest > MOST_TOKENS:
            groups.append([])
            longest = tokens
        groups[-1].append(packed)
    return groups


def example_loss(
    model: VisionModel, packed: PackedExample, concepts: ConceptEmbeddings, store: PrefixStore | None
) -> ExampleLoss:
    """Run an example and compare with its answers; see `examples_loss`."""
    return examples_loss(model, [packed], [concepts], store)


def examples_loss(
    model: VisionModel,
    packed: Sequence[PackedExample],
    concepts: Sequence[ConceptEmbeddings],
    store: PrefixStore | None,
) -> ExampleLoss:
    """Run examples side by side and compare with their answers.

    Args:
        model: The frozen model.
        packed: The examples, one or more; with a store, behind photos of as many tokens.
        concepts: The embeddings of the slots of each, differentiable.
        store: Prefixes of photos; None runs every exchange as a sequence of its own, with its photo.
    """
    if store is None or not model.supports_prefix:
        logits = _pad_logits(
            [_run_each(model, example, own, store) for example, own in zip(packed, concepts, strict=True)]
        )
    else:
        # Logits before answer tokens only, about 10 of 700 to 3,000 positions: the head is the widest layer
        # there is.
        logits = _logits(model, _run_packed(model, packed, concepts, store), concepts)
    labels = to_device(torch.cat([example.labels for example in packed]), logits.device)  # [answer tokens]
    total = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    yes_margins, no_margins = _recognition_margins(packed, logits.detach())
    tokens = sum(example.answer_tokens for example in packed)
    return ExampleLoss(total, tokens, yes_margins, no_margins)


def _run_each(
    model: VisionModel, packed: PackedExample, concepts: ConceptEmbeddings, store: PrefixStore | None
) -> Tensor:
    """Logits `[answer tokens, vocab + slots]` before each answer token, every exchange by itself."""
    logits = []
    for e in packed.encoded:
        features, last = packed.example.features, int(e.ids.shape[0]) - e.answer_start + 1
        if store is None:
            made = model.run(e.ids, e.positions, features, concepts, last=last)
        else:
            start, past = packed.prefix_tokens, copy_past(store.get(e, features))
            made = model.run(e.ids[start:], e.positions[..., start:], None, concepts, past=past, last=last)
        logits.append(made[:-1])
    return torch.cat(logits)


def _pad_logits(logits: Sequence[Tensor]) -> Tensor:
    """`[answer tokens, columns]` one below the other; no name is likely at all in slots that one lacks."""
    width = max(part.shape[1] for part in logits)
    pad = torch.nn.functional.pad
    return torch.cat([pad(part, (0, width - part.shape[1]), value=-torch.inf) for part in logits])


def _run_packed(
    model: VisionModel,
    packed: Sequence[PackedExample],
    concepts: Sequence[ConceptEmbeddings],
    store: PrefixStore,
) -> list[Tensor]:
    """Hidden states before each answer token, `[answer tokens, hidden]` an example."""
    prefixes = [store.get(example.encoded[0], example.example.features) for example in packed]
    layouts = [example.layout for example in packed]
    longest = max(int(layout.ids.shape[0]) for layout in layouts)
    padding = [longest - int(layout.ids.shape[0]) for layout in layouts]
    pad = torch.nn.functional.pad
    # Padded on the right, where nothing that counts sees it.
    embeddings = torch.stack(
        [
            pad(model.embed_ids(layout.ids, own), (0, 0, 0, n))
            for layout, own, n in zip(layouts, concepts, padding, strict=True)
        ]
    )  # [examples, tokens, hidden]
    positions = torch.stack(
        [pad(layout.positions, (0, n)) for layout, n in zip(layouts, padding, strict=True)], dim=-2
    )  # [..., examples, tokens]
    visible = [pad(layout.is_visible, (0, n, 0, n)) for layout, n in zip(layouts, padding, strict=True)]
    # Every token sees its whole photo: [examples, 1, tokens, photo tokens + tokens].
    is_visible = pad(torch.stack(visible), (len(prefixes[0]), 0), value=True)[:, None]
    is_visible = to_device(is_visible, embeddings.device)
    mask = torch.zeros(is_visible.shape, dtype=embeddings.dtype, device=embeddings.device)
    mask.masked_fill_(~is_visible, torch.finfo(embeddings.dtype).min)
    # Joined anew for each step, as the forward pass appends to it; the stored prefixes stay as they are.
    past = join_pasts(prefixes)
    hidden = model.forward(embeddings, positions=positions, attention_mask=mask, past=past)
    before = [to_device(layout.before_answers, hidden.device) for layout in layouts]
    return [states[indices] for states, indices in zip(hidden, before, strict=True)]


def _logits(model: VisionModel, hidden: Sequence[Tensor], concepts: Sequence[ConceptEmbeddings]) -> Tensor:
    """`[answer tokens, vocab + slots]` of the hidden states of each example."""
    together = torch.cat(list(hidden))  # [answer tokens, hidden]
    if len(concepts) == 1:
        return model.logits(together, concepts[0])
    name_logits = [
        states.float() @ own.outputs.to(states.device).T  # [answer tokens of one example, its slots]
        for states, own in zip(hidden, concepts, strict=True)
    ]
    return torch.cat([model.logits(together), _pad_logits(name_logits)], dim=-1)


def _recognition_margins(
    packed: Sequence[PackedExample], logits: Tensor
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """By how much Yes is above No in each recognition exchange: those with the answer Yes, then with No."""
    starts: list[int] = []
    are_yes: list[bool] = []
    start = 0
    yes_id, no_id = packed[0].yes_no
    for example in packed:
        for e, is_recognition in zip(example.encoded, example.is_recognition, strict=True):
            if is_recognition:
                starts.append(start)
                are_yes.append(int(e.ids[e.answer_start]) == yes_id)
            start += int(e.ids.shape[0]) - e.answer_start
    # One copy to the host for all of them, as each makes it wait.
    margins = (logits[starts, yes_id] - logits[starts, no_id]).tolist() if starts else []
    asked = list(zip(margins, are_yes, strict=True))
    return tuple(m for m, is_yes in asked if is_yes), tuple(m for m, is_yes in asked if not is_yes)
