"""Stage one: teaches the vision tower to see, by dense attributes and identity contrast; no language."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import CLIPVisionConfig, CLIPVisionModel

from photopal.mini.attributes import (
    IGNORED,
    PHOTO_ATTRIBUTES,
    SUBJECT_ATTRIBUTES,
    describe_photo,
    describe_subject,
)
from photopal.mini.groups import Group, draw_group
from photopal.mini.parallel import average_gradients, rank

TEMPERATURE = 0.07
NOBODY_COSINE = 0.35


@dataclass(frozen=True)
class VisionRun:
    """Settings of stage one; `seconds` bounds the wall time, `photos` the photos seen."""

    seconds: float = 1800.0
    photos: int = 400_000
    groups_per_batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    seed: int = 0
    workers: int = 0


@dataclass(frozen=True)
class VisionBatch:
    """Tensors of some groups.

    Attributes:
        pixels: float [photos, 3, side, side], normalised to -1…1.
        owners: long [photos, patches]: row in `subjects`, -1 for nobody.
        subjects: long [subjects, attributes]: classes, IGNORED where none applies.
        identities: long [subjects]: a number for the identity, unique in the batch; -1 for strangers.
        scenes: long [photos, attributes].
    """

    pixels: Tensor
    owners: Tensor
    subjects: Tensor
    identities: Tensor
    scenes: Tensor


def to_pixels(groups: list[Group]) -> Tensor:
    """Stack the photos of groups as float [photos, 3, side, side] in -1…1."""
    arrays = [np.asarray(photo.image) for group in groups for photo in group.photos]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def collate(groups: list[Group]) -> VisionBatch:
    """Turn groups into one batch."""
    owners: list[Tensor] = []
    subjects: list[list[int]] = []
    identities: list[int] = []
    scenes: list[list[int]] = []
    for number, group in enumerate(groups):
        for row, photo in enumerate(group.photos):
            owner = torch.from_numpy(group.patch_owners[row].astype(np.int64))
            owners.append(torch.where(owner >= 0, owner + len(subjects), owner))
            scenes.append(describe_photo(photo.scene))
            for subject, member in zip(photo.scene.subjects, group.members[row], strict=True):
                subjects.append(describe_subject(subject))
                identities.append(number * 100 + member if member >= 0 else -1)
    return VisionBatch(
        to_pixels(groups),
        torch.stack(owners),
        torch.tensor(subjects),
        torch.tensor(identities),
        torch.tensor(scenes),
    )


class GroupStream(IterableDataset[object]):
    """Endless batches made from groups, drawn in worker processes."""

    def __init__(self, seed: int, groups_per_batch: int, make: Callable[[list[Group]], object]) -> None:
        super().__init__()
        self.seed = seed
        self.groups_per_batch = groups_per_batch
        self.make = make

    def __iter__(self) -> Iterator[object]:
        """Draw batches for ever; every worker has its own seed."""
        info = get_worker_info()
        rng = random.Random(self.seed * 1009 + (info.id if info else 0))
        while True:
            yield self.make([draw_group(rng) for _ in range(self.groups_per_batch)])


def make_vision_tower() -> CLIPVisionModel:
    """Build the vision tower of photopal-mini with random weights."""
    return CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=192,
            intermediate_size=768,
            num_hidden_layers=5,
            num_attention_heads=6,
            image_size=128,
            patch_size=16,
            hidden_act="gelu",
        )
    )


class AttributeHeads(nn.Module):
    """Linear heads that are trained along and thrown away.

    Over patch features: one for every attribute of a subject and of the photo. Over the decoder's hidden
    states of soft tokens: whether the concept is absent, on the left, in the middle or on the right.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.subject = nn.Linear(width, sum(map(len, SUBJECT_ATTRIBUTES.values())))
        self.photo = nn.Linear(width, sum(map(len, PHOTO_ATTRIBUTES.values())))
        self.covered = nn.Linear(width, 2)
        self.side = nn.Linear(width, 4)


def patch_features(tower: CLIPVisionModel, pixels: Tensor) -> Tensor:
    """Give the raw patch features [photos, patches, width] that the language model sees."""
    output = tower(pixel_values=pixels, output_hidden_states=True)
    features: Tensor = output.hidden_states[-1][:, 1:]
    return features


def attribute_loss(
    logits: Tensor, targets: Tensor, classes: dict[str, tuple[str, ...]]
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy over attributes, and the accuracy of each [attributes]."""
    losses, accuracies = [], []
    for column, part in enumerate(torch.split(logits, [len(v) for v in classes.values()], dim=-1)):
        known = targets[:, column] != IGNORED
        if not known.any():
            accuracies.append(torch.tensor(float("nan")))
            continue
        losses.append(nn.functional.cross_entropy(part[known], targets[known, column]))
        accuracies.append((part[known].argmax(-1) == targets[known, column]).float().mean())
    return torch.stack(losses).mean(), torch.stack(accuracies)


def contrast_loss(features: Tensor, batch: VisionBatch) -> tuple[Tensor, Tensor]:
    """Identity contrast on raw patches: each patch must be nearest its owner's mean over *other* photos.

    One further class with a fixed cosine stands for nobody: background patches and owners without
    another photo belong to it. It puts all cosines on one scale, so one threshold serves everybody.
    """
    units = nn.functional.normalize(features, dim=-1)
    owners, count = batch.owners, len(batch.identities)
    sums = torch.zeros(count, units.shape[-1])
    mine = owners >= 0
    sums = sums.index_add(0, owners[mine], units[mine])
    means = nn.functional.normalize(sums, dim=-1)
    has_patches = sums.norm(dim=-1) > 0
    photo_of = torch.full((count,), -1)
    photo_of[owners[mine]] = torch.arange(len(owners)).unsqueeze(1).expand_as(owners)[mine]
    usable = has_patches & (batch.identities >= 0)
    prototypes, labels, photos = means[usable], batch.identities[usable], photo_of[usable]
    patch_photo = torch.arange(len(owners)).unsqueeze(1).expand_as(owners).reshape(-1)
    patch_owner = owners.reshape(-1)
    patch_identity = torch.where(patch_owner >= 0, batch.identities[patch_owner.clamp(min=0)], -1)
    cosines = units.reshape(-1, units.shape[-1]) @ prototypes.T
    is_same_photo = patch_photo.unsqueeze(1) == photos.unsqueeze(0)
    scores = (cosines / TEMPERATURE).masked_fill(is_same_photo, -math.inf)
    nobody = torch.full((len(scores), 1), NOBODY_COSINE / TEMPERATURE)
    log_p = torch.cat([scores, nobody], dim=1).log_softmax(dim=1)
    is_match = (patch_identity.unsqueeze(1) == labels.unsqueeze(0)) & ~is_same_photo
    is_match &= (patch_identity >= 0).unsqueeze(1)
    has_match = is_match.any(dim=1)
    matched = log_p[:, :-1].masked_fill(~is_match, -math.inf).logsumexp(dim=1)
    loss = -torch.where(has_match, matched, log_p[:, -1])
    weight = torch.where(patch_owner >= 0, 1.0, 0.25)
    hits = is_match[has_match].gather(1, scores[has_match].argmax(1, keepdim=True)).float().mean()
    return (loss * weight).sum() / weight.sum(), hits


def vision_loss(
    features: Tensor, heads: AttributeHeads, batch: VisionBatch
) -> tuple[Tensor, dict[str, float]]:
    """The loss of raw patch features `[photos, patches, width]`, and what to report of it."""
    mine = batch.owners >= 0
    subject, accuracy = attribute_loss(
        heads.subject(features[mine]), batch.subjects[batch.owners[mine]], SUBJECT_ATTRIBUTES
    )
    photo, photo_accuracy = attribute_loss(heads.photo(features.mean(1)), batch.scenes, PHOTO_ATTRIBUTES)
    covered = nn.functional.cross_entropy(heads.covered(features).flatten(0, 1), mine.long().flatten())
    contrast, hits = contrast_loss(features, batch)
    report = dict(zip(SUBJECT_ATTRIBUTES, accuracy.tolist(), strict=True))
    report |= dict(zip(PHOTO_ATTRIBUTES, photo_accuracy.tolist(), strict=True))
    report |= {"identity": hits.item(), "contrast": contrast.item()}
    return 4 * subject + photo + 0.5 * covered + 0.5 * contrast, report


def learning_rate_at(share: float, peak: float) -> float:
    """Warm up over 2 % of the run, then fall along a cosine to a tenth of a per cent of the peak."""
    if share < 0.02:
        return peak * (share / 0.02 + 0.01)
    return peak * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def train_vision(run: VisionRun, checkpoint: Path, *, on_report: Callable[[str], None]) -> CLIPVisionModel:
    """Train the vision tower, resuming from the checkpoint file if there is one."""
    torch.manual_seed(run.seed)
    tower = make_vision_tower()
    heads = AttributeHeads(tower.config.hidden_size)
    parameters = [*tower.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=run.learning_rate, weight_decay=run.weight_decay)
    spent, photos = 0.0, 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        tower.load_state_dict(state["tower"])
        heads.load_state_dict(state["heads"])
        optimizer.load_state_dict(state["optimizer"])
        spent, photos = state["spent"], state["photos"]
    stream = GroupStream(run.seed + photos + 7 * rank(), run.groups_per_batch, collate)
    loader = DataLoader(stream, batch_size=None, num_workers=run.workers)
    averages: dict[str, float] = {}
    start, step = time.monotonic() - spent, 0
    for batch in loader:
        spent = time.monotonic() - start
        share = max(spent / run.seconds, photos / run.photos)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(share, run.learning_rate)
        with torch.autocast("cpu", torch.bfloat16):
            features = patch_features(tower, batch.pixels)
        loss, report = vision_loss(features.float(), heads, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        share = average_gradients(parameters, share=share)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        photos, step = photos + len(batch.pixels), step + 1
        report["loss"] = loss.item()
        for name, value in report.items():
            if not math.isnan(value):
                averages[name] = 0.98 * averages.get(name, value) + 0.02 * value
        if rank() == 0 and (step % 100 == 0 or share >= 1):
            words = " ".join(f"{name}={value:.3f}" for name, value in averages.items())
            on_report(f"{spent:.0f}s photos={photos} {words}")
        if rank() == 0 and (step % 200 == 0 or share >= 1):
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            state = {"tower": tower.state_dict(), "heads": heads.state_dict(), "spent": spent}
            state |= {"optimizer": optimizer.state_dict(), "photos": photos}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)
        if share >= 1:
            break
    return tower
