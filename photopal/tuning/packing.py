"""Packs the exchanges of an example behind one photo and one concept block; computes their loss.

The photo's keys and values depend on nothing that is trained: they are computed once and reused for every
step. The concept block follows them once for all questions, and the questions see the photo, the block and
themselves, each with positions counted on from the block. The loss equals that of separate sequences.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor

from photopal.prompts import questions
from photopal.tuning.examples import Example
from photopal.vision.packing import copy_past, packed_mask
from photopal.vision.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, PrefixCache, VisionModel


@dataclass(frozen=True, eq=False)
class PackedExample:
    """An example as ids.

    Attributes:
        example: What it was made of.
        encoded: Every exchange as a sequence of its own.
        prefix_tokens: How many first tokens, up to the end of the photo, all of them share.
        block_tokens: How many further tokens, the concept block, all of them share.
        is_recognition: For each exchange, whether it is answered by Yes or No.
    """

    example: Example
    encoded: tuple[EncodedPrompt, ...]
    prefix_tokens: int
    block_tokens: int
    is_recognition: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class ExampleLoss:
    """What a forward pass over an example gives.

    Attributes:
        total: Sum of the cross-entropy over answer tokens.
        tokens: How many answer tokens there are.
        yes_hits: For each recognition exchange with the answer Yes, whether Yes beats No.
        no_hits: The same for the answer No.
    """

    total: Tensor
    tokens: int
    yes_hits: tuple[bool, ...]
    no_hits: tuple[bool, ...]


def pack_example(model: VisionModel, example: Example) -> PackedExample:
    """Encode the exchanges of an example and find what they share."""
    encoded = tuple(
        model.encode_prompt(exchange.prompt, example.features, answer=exchange.answer)
        for exchange in example.exchanges
    )
    shared = min(int(e.answer_start) - 1 for e in encoded)
    first = encoded[0].ids
    for other in encoded[1:]:
        differs = torch.nonzero(first[:shared] != other.ids[:shared])
        if differs.numel():
            shared = int(differs[0])
    prefix = encoded[0].image_end
    kinds = tuple(exchange.kind == "recognition" for exchange in example.exchanges)
    return PackedExample(example, encoded, prefix, max(0, shared - prefix), kinds)


class PrefixStore:
    """Keeps the keys and values of photos, the least recently used ones dropped beyond a number of bytes."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 30) -> None:
        """Keep prefixes of one model."""
        self._model = model
        self._most_bytes = most_bytes
        self._held: OrderedDict[int, tuple[PhotoFeatures, PrefixCache, int]] = OrderedDict()
        self._bytes = 0

    def get(self, encoded: EncodedPrompt, features: PhotoFeatures) -> PrefixCache:
        """The prefix of a prompt up to the end of its photo."""
        key = id(features)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][1]
        prefix = self._model.encode_prefix(encoded, features)
        size = sum(layer.keys.nbytes + layer.values.nbytes for layer in prefix.past.layers)
        self._held[key] = (features, prefix, size)
        self._bytes += size
        while self._bytes > self._most_bytes and len(self._held) > 1:
            _, (_, _, dropped) = self._held.popitem(last=False)
            self._bytes -= dropped
        return prefix


def example_loss(
    model: VisionModel, packed: PackedExample, rows: ConceptRows, store: PrefixStore | None
) -> ExampleLoss:
    """Run an example and compare with its answers.

    Args:
        model: The frozen model.
        packed: The example.
        rows: The rows of its slots, differentiable.
        store: Prefixes of photos; None runs every exchange as a sequence of its own.
    """
    if store is None or not model.supports_prefix:
        hidden = [
            model.forward(
                model.embed_prompt(e, packed.example.features, rows)[None],
                positions=e.positions.unsqueeze(-2),
            )[0][e.answer_start - 1 : -1]
            for e in packed.encoded
        ]
    else:
        hidden = _run_packed(model, packed, rows, store)
    lengths = [h.shape[0] for h in hidden]
    logits = model.logits(torch.cat(hidden), rows)  # [answer tokens, vocab + slots]
    labels = torch.cat([e.ids[e.answer_start :] for e in packed.encoded])
    total = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    yes_id, no_id = (int(model.answer_ids(word)[0]) for word in (questions.YES, questions.NO))
    yes_hits: list[bool] = []
    no_hits: list[bool] = []
    for start, label, is_recognition in zip(
        _starts(lengths), labels[_starts(lengths)], packed.is_recognition, strict=True
    ):
        if is_recognition:
            says_yes = bool(logits[start, yes_id] > logits[start, no_id])
            (yes_hits if int(label) == yes_id else no_hits).append(says_yes == (int(label) == yes_id))
    return ExampleLoss(total, int(labels.shape[0]), tuple(yes_hits), tuple(no_hits))


def _starts(lengths: list[int]) -> list[int]:
    starts = [0]
    for length in lengths[:-1]:
        starts.append(starts[-1] + length)
    return starts


def _run_packed(
    model: VisionModel, packed: PackedExample, rows: ConceptRows, store: PrefixStore
) -> list[Tensor]:
    """Hidden states before each answer token, one `[answer tokens, hidden]` an exchange."""
    prefix = store.get(packed.encoded[0], packed.example.features)
    shared = packed.prefix_tokens + packed.block_tokens
    first = packed.encoded[0]
    pieces = [first.ids[packed.prefix_tokens : shared]] + [e.ids[shared:] for e in packed.encoded]
    positions = [first.positions[..., packed.prefix_tokens : shared]]
    positions += [e.positions[..., shared:] for e in packed.encoded]
    embeddings = model.embed_ids(torch.cat(pieces), rows)[None]
    lengths = [piece.shape[0] for piece in pieces]
    mask = packed_mask(len(prefix), lengths, like=embeddings, is_first_shared=True)
    hidden = model.forward(
        embeddings,
        positions=torch.cat(positions, dim=-1).unsqueeze(-2),
        attention_mask=mask,
        past=copy_past(prefix),
    )[0]
    answers = []
    start = packed.block_tokens
    for e in packed.encoded:
        end = start + e.ids.shape[0] - shared
        answers.append(hidden[start + e.answer_start - 1 - shared : end - 1])
        start = end
    return answers
