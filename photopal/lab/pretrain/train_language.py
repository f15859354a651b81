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
from photopal.lab.pretrain.attention import LEAN
from photopal.lab.pretrain.loop import Stage, StageRun, best_device, run_stage
from photopal.lab.pretrain.optimizers import Optimizers
from photopal.lab.pretrain.parallel import rank
from photopal.lab.pretrain.precision import autocast
from photopal.lab.pretrain.probes import OPTION_LAYER, PROBED_LAYER, Probes, probe, probe_options
from photopal.lab.pretrain.train_vision import AttributeHeads, contrast_loss, patch_features, vision_loss
from photopal.lab.pretrain.training_examples import IGNORED, MOST_NAMES, LessonBatch, LessonMaker
from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS, all_placeholders

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
    "choice": 4.0,
    "described": 3.0,
    "mark": 3.0,
}


@dataclass(frozen=True)
class LanguageParts:
    """What stage two trains.

    Attributes:
        model: The whole model; its vision tower comes from stage one.
        heads: Stage one's heads.
        probes: Heads over the decoder's hidden states.
        tokenizer: Knows the concept placeholders (`learn_placeholders`).
        tokens: How long a lesson is; see `LessonMaker`.
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


def lesson_loss(
    model: LlavaForConditionalGeneration, heads: AttributeHeads, probes: Probes, batch: LessonBatch
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
    marked_rows = [lesson.row for lesson in batch.lessons if lesson.marks]
    if marked_rows:
        shown = shown.index_copy(0, torch.tensor(marked_rows, device=tokens.device), tokens[photos:])
    rows = lesson_rows(model, batch, tokens)
    speaking, hits = speech_loss(model, probes, batch, rows, shown)
    report["matching"] = matching.item()
    return speaking + SEEING_WEIGHT * seeing + MATCHING_WEIGHT * matching, report | hits


def lesson_rows(
    model: LlavaForConditionalGeneration, batch: LessonBatch, tokens: Tensor
) -> list[list[Tensor]]:
    """Make the rows of every name of every lesson just as registration makes them."""
    generator = torch.Generator().manual_seed(batch.lessons[0].row + len(batch.lessons))
    norm = float(model.get_input_embeddings().weight.detach().norm(dim=-1).mean())
    made = []
    for lesson in batch.lessons:
        slots = []
        for pairs, count in zip(lesson.references, lesson.token_counts, strict=True):
            photos, patches = torch.tensor(pairs).T
            centroids = cluster(tokens[photos, patches], count, generator=generator, iterations=2)
            slots.append(align_embeddings(centroids, norm))
        made.append(slots)
    return made


def speech_loss(
    model: LlavaForConditionalGeneration,
    probes: Probes,
    batch: LessonBatch,
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
    return (losses * weight).sum() / weight.sum() + finding + choosing, report | found | chosen


def assemble(
    batch: LessonBatch, rows: list[list[Tensor]], shown: Tensor, embed: nn.Module
) -> tuple[Tensor, Tensor, Tensor, Tensor, list[list[str | None]]]:
    """Lay photos and concept rows over the embeddings of padded lessons, with the block mask."""
    length = max(len(lesson.ids) for lesson in batch.lessons)

    def padded(values: list[list[int]], fill: int) -> Tensor:
        filled = [line + [fill] * (length - len(line)) for line in values]
        return torch.tensor(filled, device=shown.device)

    ids = padded([lesson.ids for lesson in batch.lessons], 0)
    blocks = padded([lesson.blocks for lesson in batch.lessons], -1)
    vocabulary = cast(nn.Embedding, embed).num_embeddings
    base = embed(ids.masked_fill(ids >= vocabulary, 0))
    image_id = 2
    base = base.masked_scatter((ids == image_id).unsqueeze(-1), shown.flatten(0, 1))
    table: list[Tensor] = []
    where: list[tuple[int, int]] = []
    for number, (lesson, slots) in enumerate(zip(batch.lessons, rows, strict=True)):
        for place, id_ in enumerate(lesson.ids):
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
    labels = padded([lesson.labels for lesson in batch.lessons], IGNORED)
    kinds: list[list[str | None]] = [
        [kind if label != IGNORED else None for kind, label in zip(lesson.kinds, lesson.labels, strict=True)]
        for lesson in batch.lessons
    ]
    return base, mask, padded([lesson.positions for lesson in batch.lessons], 0), labels, kinds


def train_language(
    run: StageRun,
    parts: LanguageParts,
    checkpoint: Path,
    *,
    on_report: Callable[[str], None],
) -> None:
    """Train all parts in place, resuming from the checkpoint file if there is one."""
    torch.manual_seed(run.seed + rank())
    device = best_device()
    model, heads, probes = parts.model.to(device), parts.heads.to(device), parts.probes.to(device)
    model.set_attn_implementation(LEAN)
    tower = model.model.vision_tower
    shares = [(tower, TOWER_RATE), (heads, TOWER_RATE), (model, 1.0), (probes, 1.0)]
    optimizers = Optimizers(shares, rate=run.learning_rate, decay=run.weight_decay)
    maker = LessonMaker(parts.tokenizer, run.seed, parts.tokens)
    modules = {"model": model, "heads": heads, "probes": probes}
    stage = Stage(modules, optimizers, maker, partial(lesson_loss, model, heads, probes))
    run_stage(run, stage, checkpoint, on_report=on_report)


__all__ = ["LanguageParts", "learn_placeholders", "train_language"]
