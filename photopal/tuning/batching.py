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
from photopal.vlm.placing import placed
from photopal.vlm.prefix_sharing import join_pasts, sees_what
from photopal.vlm.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, PrefixCache, VisionModel

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
        # The last token of an answer is learned, and nothing is learned from what follows it.
        pieces = [first.ids[self.prefix_tokens : shared]] + [e.ids[shared:-1] for e in self.encoded]
        positions = [first.positions[..., self.prefix_tokens : shared]]
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
            may_look=sees_what(lengths, is_first_shared=True),
            before_answers=torch.cat(before),
        )


@dataclass(frozen=True, eq=False)
class Layout:
    """An example's exchanges one after another, behind the photo; on the CPU.

    Attributes:
        ids: `[tokens]` model ids: the concept block, then the exchanges.
        positions: `[tokens]` or `[3, tokens]`.
        may_look: bool `[tokens, tokens]`: which of them each sees.
        before_answers: `[answer tokens]`: the place before each token of an answer.
    """

    ids: Tensor
    positions: Tensor
    may_look: Tensor
    before_answers: Tensor


@dataclass(frozen=True, eq=False)
class ExampleLoss:
    """What a forward pass over examples gives.

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
    yes, no = (int(model.answer_ids(word)[0]) for word in (questions.YES, questions.NO))
    return PackedExample(
        example=example,
        encoded=encoded,
        prefix_tokens=prefix,
        block_tokens=max(0, shared - prefix),
        is_recognition=kinds,
        yes_no=(yes, no),
    )


class PrefixStore:
    """Keeps the keys and values of photos, the least recently used ones dropped beyond a number of bytes."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 30) -> None:
        """Keep prefixes of one model."""
        self._model = model
        self._cached: LRUCache[PhotoFeatures, PrefixCache] = LRUCache(most_bytes, _nbytes)

    def get(self, encoded: EncodedPrompt, features: PhotoFeatures) -> PrefixCache:
        """The prefix of a prompt up to the end of its photo."""
        prefix = self._cached.get(features)
        if prefix is None:
            prefix = self._model.encode_prefix(encoded, features)
            self._cached.put(features, prefix)
        return prefix


def _nbytes(prefix: PrefixCache) -> int:
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in prefix.past.layers)


def side_by_side(examples: Sequence[PackedExample]) -> list[list[PackedExample]]:
    """Groups of examples that run together: behind photos of as many tokens, within bounds of memory."""
    groups: list[list[PackedExample]] = []
    longest = 0
    for one in sorted(examples, key=lambda one: one.prefix_tokens):
        tokens = int(one.layout.ids.shape[0])
        longest = max(longest, tokens)
        is_alike = bool(groups) and groups[-1][0].prefix_tokens == one.prefix_tokens
        if not is_alike or (len(groups[-1]) + 1) * longest > MOST_TOKENS:
            groups.append([])
            longest = tokens
        groups[-1].append(one)
    return groups


def example_loss(
    model: VisionModel, packed: PackedExample, rows: ConceptRows, store: PrefixStore | None
) -> ExampleLoss:
    """Run an example and compare with its answers; see `examples_loss`."""
    return examples_loss(model, [packed], [rows], store)


def examples_loss(
    model: VisionModel,
    packed: Sequence[PackedExample],
    rows: Sequence[ConceptRows],
    store: PrefixStore | None,
) -> ExampleLoss:
    """Run examples side by side and compare with their answers.

    Args:
        model: The frozen model.
        packed: The examples, one or more; with a store, behind photos of as many tokens.
        rows: The rows of the slots of each, differentiable.
        store: Prefixes of photos; None runs every exchange as a sequence of its own.
    """
    if store is None or not model.supports_prefix:
        hidden = [_run_each(model, one, own) for one, own in zip(packed, rows, strict=True)]
    else:
        hidden = _run_packed(model, packed, rows, store)
    logits = _logits(model, hidden, rows)
    labels = placed(torch.cat([one.labels for one in packed]), logits.device)
    total = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    yes_hits, no_hits = _hits(packed, logits.detach())
    return ExampleLoss(total, int(labels.shape[0]), yes_hits, no_hits)


def _logits(model: VisionModel, hidden: Sequence[Tensor], rows: Sequence[ConceptRows]) -> Tensor:
    """`[answer tokens, vocab + slots]`; no name is likely at all in slots that an example does not have."""
    together = torch.cat(list(hidden))
    if len(rows) == 1:
        return model.logits(together, rows[0])
    slots = max(len(one.names) for one in rows)
    names = []
    for states, one in zip(hidden, rows, strict=True):
        said = states.float() @ one.outputs.to(states.device).T
        names.append(torch.nn.functional.pad(said, (0, slots - said.shape[1]), value=-torch.inf))
    return torch.cat([model.logits(together), torch.cat(names)], dim=-1)


def _hits(packed: Sequence[PackedExample], logits: Tensor) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """For each recognition exchange whether it is answered rightly: those with Yes, and those with No."""
    starts: list[int] = []
    are_yes: list[bool] = []
    start = 0
    yes_id, no_id = packed[0].yes_no
    for one in packed:
        for e, is_recognition in zip(one.encoded, one.is_recognition, strict=True):
            if is_recognition:
                starts.append(start)
                are_yes.append(int(e.ids[e.answer_start]) == yes_id)
            start += int(e.ids.shape[0]) - e.answer_start
    says_yes = (logits[starts, yes_id] > logits[starts, no_id]).tolist() if starts else []
    told = list(zip(says_yes, are_yes, strict=True))
    return tuple(says for says, is_yes in told if is_yes), tuple(
        not says for says, is_yes in told if not is_yes
    )


def _run_each(model: VisionModel, packed: PackedExample, rows: ConceptRows) -> Tensor:
    """Hidden states `[answer tokens, hidden]` before each answer token, every exchange by itself."""
    hidden = []
    for e in packed.encoded:
        embeddings = model.embed_prompt(e, packed.example.features, rows)[None]
        hidden.append(
            model.forward(embeddings, positions=e.positions.unsqueeze(-2))[0][e.answer_start - 1 : -1]
        )
    return torch.cat(hidden)


def _run_packed(
    model: VisionModel, packed: Sequence[PackedExample], rows: Sequence[ConceptRows], store: PrefixStore
) -> list[Tensor]:
    """Hidden states before each answer token, `[answer tokens, hidden]` an example."""
    prefixes = [store.get(one.encoded[0], one.example.features) for one in packed]
    layouts = [one.layout for one in packed]
    longest = max(int(layout.ids.shape[0]) for layout in layouts)
    short = [longest - int(layout.ids.shape[0]) for layout in layouts]
    pad = torch.nn.functional.pad
    embeddings = torch.stack(
        [
            pad(model.embed_ids(layout.ids, own), (0, 0, 0, room))
            for layout, own, room in zip(layouts, rows, short, strict=True)
        ]
    )  # [examples, tokens, hidden]
    positions = torch.stack([pad(o.positions, (0, n)) for o, n in zip(layouts, short, strict=True)], dim=-2)
    looks = [pad(o.may_look, (0, n, 0, n)) for o, n in zip(layouts, short, strict=True)]
    may_look = placed(pad(torch.stack(looks), (len(prefixes[0]), 0), value=True)[:, None], embeddings.device)
    mask = torch.zeros(may_look.shape, dtype=embeddings.dtype, device=embeddings.device)
    mask.masked_fill_(~may_look, torch.finfo(embeddings.dtype).min)
    past = join_pasts(prefixes)
    hidden = model.forward(embeddings, positions=positions, attention_mask=mask, past=past)
    before = [placed(layout.before_answers, hidden.device) for layout in layouts]
    return [states[places] for states, places in zip(hidden, before, strict=True)]
