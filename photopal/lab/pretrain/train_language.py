"""Stage two: teaches projector and decoder to speak of photos and of names made from other photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from photopal.concepts.initialize import align_embeddings, cluster
from photopal.lab.pretrain.architecture import LEAN
from photopal.lab.pretrain.groups import PHOTO_ATTRIBUTES, SUBJECT_ATTRIBUTES
from photopal.lab.pretrain.loop import Stage, StageRun, best_device, rank, run_stage
from photopal.lab.pretrain.optimizers import Optimizers, autocast
from photopal.lab.pretrain.train_vision import (
    AttributeHeads,
    attribute_loss,
    contrast_loss,
    patch_features,
    vision_loss,
)
from photopal.lab.pretrain.training_examples import (
    IGNORED,
    MOST_NAMES,
    ExampleBatch,
    ExampleMaker,
    TrainingExample,
    numbers_on_patches,
)
from photopal.lab.synthetic.dialogue.multiple_choice import LETTERS
from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS, all_placeholders

PROBED_LAYER = 4
"""How many of the decoder's layers are below the probes; those above can read what the probes ask for."""

POINTING_LAYER = 3
"""Likewise for which patches words mean; the layer above can look there, and take how somebody looks."""

OPTION_LAYER = 5
"""Likewise for what is asked of lettered options; the layer above can take the letter of the right one."""

SIDE_WEIGHT = 0.7
LOOKS_WEIGHT = 1.0
SCENE_WEIGHT = 0.3
NEIGHBOR_WEIGHT = 1.0
OPTION_WEIGHT = 1.0
POINTING_WEIGHT = 0.5
POINTER_WIDTH = 64
NEITHER = 2


class Probes(nn.Module):
    """Linear heads over hidden states, trained along and thrown away.

    Soft tokens stand after the photo and can look for their concept there: they are asked where it is, what
    it looks like, does and wears, and who stands beside it. Names in questions and answers, and words that
    stand for somebody, such as "the child with red hair" or "mark 2", are asked where that one is and how it
    looks, or that nobody is; and, a layer below, for the patches that show that one, and those that its mark
    is drawn on.
    The tokens of the photo itself are asked what covers them, and the token after it what is true of the
    whole photo. The last token of a lettered option is asked for its letter, and whether it is right. A few
    Yes, No, letters and words of each conversation teach all this too, but far slower.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.side = nn.Linear(width, 4)
        self.looks = nn.Linear(width, sum(map(len, SUBJECT_ATTRIBUTES.values())))
        self.scene = nn.Linear(width, sum(map(len, PHOTO_ATTRIBUTES.values())))
        self.neighbours = nn.ModuleList(  # spelled as in checkpoints
            nn.Linear(width, width + NEITHER) for _ in range(2)
        )
        self.option = nn.Linear(width, len(LETTERS) + 1)
        self.meant = Pointer(width)
        self.marked = Pointer(width)


class Pointer(nn.Module):
    """Scores patches by how well they match words, as one head of attention would."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, POINTER_WIDTH)
        self.key = nn.Linear(width, POINTER_WIDTH)

    def forward(self, words: Tensor, patches: Tensor) -> Tensor:
        """Score patches [words, patches, width] for hidden states [words, width]: [words, patches]."""
        query: Tensor = self.query(words) * POINTER_WIDTH**-0.5
        return torch.bmm(self.key(patches), query.unsqueeze(-1)).squeeze(-1)


def probe(
    probes: Probes, batch: ExampleBatch, hidden: Tensor, names: Tensor, *, vocabulary: int, image_id: int
) -> tuple[Tensor, dict[str, float]]:
    """The loss of all probes, and the shares that are right.

    Args:
        probes: The heads.
        batch: Training examples whose tokens the hidden states are of.
        hidden: Hidden states [examples, tokens, width].
        names: Identifier rows of each example's names [examples, MOST_NAMES, width], zeros for no name.
        vocabulary: The first id of the placeholders.
        image_id: The id of image tokens.
    """
    hidden = nn.functional.rms_norm(hidden.float(), hidden.shape[-1:])
    found, report = _soft_token_loss(probes, batch, hidden, names, vocabulary)
    meant, told = _mention_loss(probes, batch, hidden)
    seen = _photo_loss(probes, batch, hidden, image_id)
    return found + meant + seen, report | told


def probe_options(probes: Probes, batch: ExampleBatch, hidden: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Ask the last token of each option for its letter and whether it is right; hidden as in `probe`."""
    told = [(row, *option) for row, example in enumerate(batch.examples) for option in example.options]
    if not told:
        return hidden.new_zeros(()), {}
    rows, places, letters, right = torch.tensor(told, device=hidden.device).T
    states = hidden[rows, places].float()
    logits = probes.option(nn.functional.rms_norm(states, states.shape[-1:]))
    is_right, letter = logits[:, 0], logits[:, 1:]
    loss = nn.functional.binary_cross_entropy_with_logits(is_right, right.float())
    loss = loss + nn.functional.cross_entropy(letter, letters)
    return OPTION_WEIGHT * loss, {"find-option": _share((is_right > 0) == (right > 0))}


def _photo_loss(probes: Probes, batch: ExampleBatch, hidden: Tensor, image_id: int) -> Tensor:
    starts = [example.ids.index(image_id) for example in batch.examples]
    patches = batch.vision.owners.shape[1]
    rows = torch.arange(len(starts), device=hidden.device).unsqueeze(1)
    places = torch.tensor(starts, device=hidden.device).unsqueeze(1) + torch.arange(
        patches + 1, device=hidden.device
    )
    seen = hidden[rows, places]
    photo, _ = attribute_loss(probes.scene(seen[:, -1]), batch.vision.scenes, PHOTO_ATTRIBUTES)
    mine = batch.vision.owners >= 0
    subjects = batch.vision.subjects[batch.vision.owners[mine]]
    looks, _ = attribute_loss(probes.looks(seen[:, :-1][mine]), subjects, SUBJECT_ATTRIBUTES)
    return SCENE_WEIGHT * (photo + looks)


def _soft_token_loss(
    probes: Probes, batch: ExampleBatch, hidden: Tensor, names: Tensor, vocabulary: int
) -> tuple[Tensor, dict[str, float]]:
    where: list[tuple[int, int]] = []
    facts: list[tuple[int, int, int, int]] = []
    for number, example in enumerate(batch.examples):
        for place, id_ in enumerate(example.ids):
            if id_ >= vocabulary + SLOTS:
                slot = (id_ - vocabulary - SLOTS) // SOFT_TOKENS
                where.append((number, place))
                facts.append((example.sides[slot], example.subjects[slot], *example.neighbors[slot]))
    if not where:
        return hidden.new_zeros(()), {}
    index = torch.tensor(where, device=hidden.device)
    sides, subjects, *nearby = torch.tensor(facts, device=hidden.device).T
    states = hidden[index[:, 0], index[:, 1]]
    loss, report = _finding_loss(probes, batch, states, sides, subjects)
    shown = subjects >= 0
    if not shown.any():
        return loss, report
    states, near = states[shown], names[index[shown, 0]]
    for head, target in zip(probes.neighbours, nearby, strict=True):
        logits = neighbor_logits(head(states), near)
        target = target[shown]
        loss = loss + NEIGHBOR_WEIGHT / 2 * nn.functional.cross_entropy(logits, target)
        report["find-neighbour"] = _share(logits.argmax(1) == target)
    return loss, report


def _mention_loss(probes: Probes, batch: ExampleBatch, hidden: Tensor) -> tuple[Tensor, dict[str, float]]:
    told = [(row, *mention) for row, example in enumerate(batch.examples) for mention in example.mentions]
    if not told:
        return hidden.new_zeros(()), {}
    rows, places, sides, subjects = torch.tensor(told, device=hidden.device).T
    return _finding_loss(probes, batch, hidden[rows, places], sides, subjects)


def probe_pointing(
    probes: Probes, batch: ExampleBatch, hidden: Tensor, image_id: int
) -> tuple[Tensor, dict[str, float]]:
    """Ask names and words for somebody which patches show that one, and its mark; arguments as in `probe`."""
    told = [
        (row, place, example.ids.index(image_id), subject, number_of(example, subject))
        for row, example in enumerate(batch.examples)
        for place, _, subject in example.mentions
        if subject >= 0
    ]
    if not told:
        return hidden.new_zeros(()), {}
    rows, places, starts, subjects, numbers = torch.tensor(told, device=hidden.device).T
    hidden = nn.functional.rms_norm(hidden.float(), hidden.shape[-1:])
    owners = batch.vision.owners
    in_photo = starts.unsqueeze(1) + torch.arange(owners.shape[1], device=hidden.device)
    words, patches = hidden[rows, places], hidden[rows.unsqueeze(1), in_photo]
    drawn = torch.tensor([numbers_on_patches(e.marks) for e in batch.examples], device=hidden.device)
    found, meant = _pointing_loss(probes.meant(words, patches), owners[rows] == subjects.unsqueeze(1))
    at_mark = (drawn[rows] == numbers.unsqueeze(1)) & (numbers > 0).unsqueeze(1)
    read, marked = _pointing_loss(probes.marked(words, patches), at_mark)
    report = {"point": meant, "point-mark": marked}
    return found + read, {name: share for name, share in report.items() if share is not None}


def number_of(example: TrainingExample, subject: int) -> int:
    """The number drawn at somebody, 0 for none."""
    numbers = zip(example.marked_subjects, example.marks, strict=False)
    return next((mark.number for row, mark in numbers if row == subject), 0)


def _pointing_loss(scores: Tensor, right: Tensor) -> tuple[Tensor, float | None]:
    """How much attention misses the right patches: scores and bool, both [words, patches]."""
    told = right.any(1)
    if not told.any():
        return scores.sum() * 0.0, None
    scores, right = scores[told], right[told]
    held = scores.masked_fill(~right, -1e4).logsumexp(1) - scores.logsumexp(1)
    hit = right.gather(1, scores.argmax(1, keepdim=True))
    return -POINTING_WEIGHT * held.mean(), _share(hit)


def _finding_loss(
    probes: Probes, batch: ExampleBatch, states: Tensor, sides: Tensor, subjects: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Ask hidden states [tokens, width] where the one they stand for is, and what it looks like."""
    logits = probes.side(states)
    loss = SIDE_WEIGHT * nn.functional.cross_entropy(logits, sides)
    report = {"find-side": _share(logits.argmax(1) == sides)}
    shown = subjects >= 0
    if not shown.any():
        return loss, report
    targets = batch.vision.subjects[subjects[shown]]
    looks, right = attribute_loss(probes.looks(states[shown]), targets, SUBJECT_ATTRIBUTES)
    for name in ("activity", "top", "top_pattern", "trousers", "hat"):
        report[f"find-{name}"] = float(right[list(SUBJECT_ATTRIBUTES).index(name)])
    return loss + LOOKS_WEIGHT * looks, report


def neighbor_logits(asked: Tensor, names: Tensor) -> Tensor:
    """Score each name of the example, nobody and a stranger: [tokens, MOST_NAMES + 2].

    Args:
        asked: What a head made of the hidden states [tokens, width + 2].
        names: Identifier rows [tokens, MOST_NAMES, width], zeros for no name.
    """
    width = names.shape[-1]
    units = nn.functional.normalize(names, dim=-1)
    scores = (units @ asked[:, :width].unsqueeze(-1)).squeeze(-1)
    scores = scores.masked_fill(names.abs().sum(-1) == 0, -1e4)
    return torch.cat([scores, asked[:, width:]], dim=1)


def _share(right: Tensor) -> float:
    return right.float().mean().item()


SEEING_WEIGHT = 0.3
MATCHING_WEIGHT = 0.4
TOWER_RATE = 0.3
KIND_WEIGHTS = {
    "recognition": 3.0,
    "caption": 3.0,
    "exists": 3.0,
    "light": 2.0,
    "position": 2.0,
    "beside": 5.0,
    "clothes": 2.0,
    "choice": 4.0,
    "described": 3.0,
    "mark": 3.0,
    "marked": 2.0,
}


@dataclass(frozen=True)
class LanguageParts:
    """What stage two trains.

    Attributes:
        model: The whole model; its vision tower comes from stage one.
        heads: Stage one's heads.
        probes: Heads over the decoder's hidden states.
        tokenizer: Knows the concept placeholders (`learn_placeholders`).
        tokens: How long an example is; see `ExampleMaker`.
    """

    model: LlavaForConditionalGeneration
    heads: AttributeHeads
    probes: Probes
    tokenizer: PreTrainedTokenizerFast
    tokens: int = 320


def learn_placeholders(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Teach a copy of the tokenizer the concept placeholders, as the vision room does when it loads it."""
    from tokenizers import AddedToken

    tokenizer.add_tokens(
        [AddedToken(text, lstrip=True, normalized=False, special=False) for text in all_placeholders()]
    )
    return tokenizer


def examples_loss(
    model: LlavaForConditionalGeneration, heads: AttributeHeads, probes: Probes, batch: ExampleBatch
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, and for each kind of exchange the share of answer tokens that are right."""
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    batch = batch.to(model.device)
    with autocast(model.device):
        features = patch_features(tower, torch.cat([batch.vision.pixels, batch.marked]))
        tokens = projector(features)
    features, tokens = features.float(), tokens.float()
    photos = len(batch.vision.pixels)
    seeing, report = vision_loss(features[:photos], heads, batch.vision)
    matching, _ = contrast_loss(tokens[:photos], batch.vision)
    shown = tokens[:photos]
    marked_rows = [example.row for example in batch.examples if example.marks]
    if marked_rows:
        shown = shown.index_copy(0, torch.tensor(marked_rows, device=tokens.device), tokens[photos:])
    rows = example_rows(model, batch, tokens)
    speaking, hits = speech_loss(model, probes, batch, rows, shown)
    report["matching"] = matching.item()
    return speaking + SEEING_WEIGHT * seeing + MATCHING_WEIGHT * matching, report | hits


def example_rows(
    model: LlavaForConditionalGeneration, batch: ExampleBatch, tokens: Tensor
) -> list[list[Tensor]]:
    """Make the rows of every name of every example just as registration makes them."""
    generator = torch.Generator().manual_seed(batch.examples[0].row + len(batch.examples))
    norm = float(model.get_input_embeddings().weight.detach().norm(dim=-1).mean())
    made = []
    for example in batch.examples:
        slots = []
        for pairs, count in zip(example.references, example.token_counts, strict=True):
            photos, patches = torch.tensor(pairs).T
            centroids = cluster(tokens[photos, patches], count, generator=generator, iterations=2)
            slots.append(align_embeddings(centroids, norm))
        made.append(slots)
    return made


def speech_loss(
    model: LlavaForConditionalGeneration,
    probes: Probes,
    batch: ExampleBatch,
    rows: list[list[Tensor]],
    shown: Tensor,
) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of all answers, where names and recognition weigh more, and the loss of the probes."""
    embed = model.get_input_embeddings()
    vocabulary = embed.weight.shape[0]
    embeddings, mask, positions, labels, kinds = assemble(batch, rows, shown, embed)
    device = embeddings.device
    with autocast(device):
        output = model.model.language_model(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            use_cache=False,
            output_hidden_states=True,
        )
    supervised = labels != IGNORED
    hidden = output.last_hidden_state.float()[supervised]
    photo = torch.nonzero(supervised)[:, 0]
    names = embeddings.new_zeros(len(rows), MOST_NAMES, embeddings.shape[-1])
    is_name = torch.zeros(len(rows), MOST_NAMES, dtype=torch.bool, device=device)
    for row, slots in enumerate(rows):
        if slots:
            names[row, : len(slots)] = torch.stack([slot[0] for slot in slots])
            is_name[row, : len(slots)] = True
    finding, found = probe(
        probes,
        batch,
        output.hidden_states[PROBED_LAYER],
        names.detach(),
        vocabulary=vocabulary,
        image_id=model.config.image_token_index,
    )
    image_id = model.config.image_token_index
    pointing, pointed = probe_pointing(probes, batch, output.hidden_states[POINTING_LAYER], image_id)
    choosing, chosen = probe_options(probes, batch, output.hidden_states[OPTION_LAYER])
    name_logits = (names[photo] @ hidden.unsqueeze(-1)).squeeze(-1).masked_fill(~is_name[photo], -1e4)
    with autocast(device):
        word_logits = hidden @ embed.weight.T
    logits = torch.cat([word_logits.float(), name_logits], dim=1)
    target = labels[supervised]
    losses = nn.functional.cross_entropy(logits, target, reduction="none")
    kept = [kind for line in kinds for kind in line if kind is not None]
    weight = torch.tensor([KIND_WEIGHTS.get(kind, 1.0) for kind in kept], device=device)
    weight = weight + (target >= vocabulary).float()
    right = (logits.argmax(1) == target).float()
    hits: dict[str, list[float]] = defaultdict(list)
    for kind, hit in zip(kept, right.tolist(), strict=True):
        hits[f"say-{kind}"].append(hit)
    hits["say-name"] += right[target >= vocabulary].tolist()
    report = {kind: sum(values) / len(values) for kind, values in hits.items() if values}
    loss = (losses * weight).sum() / weight.sum() + finding + pointing + choosing
    return loss, report | found | pointed | chosen


def assemble(
    batch: ExampleBatch, rows: list[list[Tensor]], shown: Tensor, embed: nn.Module
) -> tuple[Tensor, Tensor, Tensor, Tensor, list[list[str | None]]]:
    """Lay photos and concept rows over the embeddings of padded examples, with the block mask."""
    length = max(len(example.ids) for example in batch.examples)

    def padded(values: list[list[int]], fill: int) -> Tensor:
        filled = [line + [fill] * (length - len(line)) for line in values]
        return torch.tensor(filled, device=shown.device)

    ids = padded([example.ids for example in batch.examples], 0)
    blocks = padded([example.blocks for example in batch.examples], -1)
    vocabulary = cast(nn.Embedding, embed).num_embeddings
    base = embed(ids.masked_fill(ids >= vocabulary, 0))
    image_id = 2
    base = base.masked_scatter((ids == image_id).unsqueeze(-1), shown.flatten(0, 1))
    table: list[Tensor] = []
    where: list[tuple[int, int]] = []
    for number, (example, slots) in enumerate(zip(batch.examples, rows, strict=True)):
        for place, id_ in enumerate(example.ids):
            offset = id_ - vocabulary
            if offset >= 0:
                slot, row = (offset, -1) if offset < SLOTS else divmod(offset - SLOTS, SOFT_TOKENS)
                table.append(slots[slot][row + 1])
                where.append((number, place))
    if table:
        index = torch.tensor(where, device=shown.device)
        base = base.index_put((index[:, 0], index[:, 1]), torch.stack(table))
    order = torch.arange(length, device=shown.device)
    causal = order[:, None] >= order[None, :]
    sees = (blocks[:, :, None] == blocks[:, None, :]) | (blocks[:, None, :] == 0)
    mask = (sees & causal).unsqueeze(1)
    labels = padded([example.labels for example in batch.examples], IGNORED)
    kinds: list[list[str | None]] = [
        [
            kind if label != IGNORED else None
            for kind, label in zip(example.kinds, example.labels, strict=True)
        ]
        for example in batch.examples
    ]
    return base, mask, padded([example.positions for example in batch.examples], 0), labels, kinds


def train_language(
    run: StageRun,
    parts: LanguageParts,
    checkpoint: Path,
    *,
    on_report: Callable[[str], None],
) -> None:
    """Train all parts in place, resuming from the checkpoint file if there is one."""
    model, heads, probes = parts.model, parts.heads, parts.probes
    shares: list[tuple[nn.Module, float]] = [
        (model.model.vision_tower, TOWER_RATE),
        (heads, TOWER_RATE),
        (model, 1.0),
        (probes, 1.0),
    ]
    kept = {"model": model, "heads": heads, "probes": probes}
    _train(run, parts, kept, shares, checkpoint, on_report)


def train_probes(
    run: StageRun,
    parts: LanguageParts,
    checkpoint: Path,
    *,
    on_report: Callable[[str], None],
) -> None:
    """Train the probes alone, so that they can read a model that has learned; resumes as `train_language`."""
    parts.model.requires_grad_(False)
    _train(run, parts, {"probes": parts.probes}, [(parts.probes, 1.0)], checkpoint, on_report)
    parts.model.requires_grad_(True)
    # The heads stand in the same loss, but nobody took a step with their gradients.
    parts.heads.zero_grad(set_to_none=True)


def _train(
    run: StageRun,
    parts: LanguageParts,
    kept: dict[str, nn.Module],
    shares: list[tuple[nn.Module, float]],
    checkpoint: Path,
    on_report: Callable[[str], None],
) -> None:
    """Train modules with their shares of the learning rate; the checkpoint has those to keep."""
    torch.manual_seed(run.seed + rank())
    device = best_device()
    model, heads, probes = parts.model.to(device), parts.heads.to(device), parts.probes.to(device)
    model.set_attn_implementation(LEAN)
    optimizers = Optimizers(shares, rate=run.learning_rate, decay=run.weight_decay)
    maker = ExampleMaker(parts.tokenizer, run.seed, parts.tokens)
    stage = Stage(kept, optimizers, maker, partial(examples_loss, model, heads, probes))
    run_stage(run, stage, checkpoint, on_report=on_report)
