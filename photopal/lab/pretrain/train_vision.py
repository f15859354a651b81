"""Stage one: teaches the vision tower to see, by dense attributes and identity contrast; no language."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from photopal.lab.pretrain.architecture import LEAN
from photopal.lab.pretrain.groups import (
    GRID,
    IGNORED,
    PHOTO_ATTRIBUTES,
    SIDE_PX,
    SUBJECT_ATTRIBUTES,
    Group,
    describe_photo,
    describe_subject,
)
from photopal.lab.pretrain.loop import Stage, StageRun, best_device, run_stage
from photopal.lab.pretrain.optimizers import Optimizers, autocast

TEMPERATURE = 0.07
NOBODY_COSINE = 0.35
WEIGHTS = {"activity": 5.0, "top_pattern": 2.0}


@dataclass(frozen=True)
class VisionBatch:
    """Tensors of some groups.

    Attributes:
        pixels: float [photos, 3, side, side], normalised to -1…1.
        owners: long [photos, patches]: row in `subjects`, -1 for nobody.
        things: long [photos, patches]: row in `subjects` of whose thing is there, -1 for none.
        subjects: long [subjects, attributes]: classes, IGNORED where none applies.
        identities: long [subjects]: a number for the identity, unique in the batch; -1 for strangers.
        scenes: long [photos, attributes].
    """

    pixels: Tensor
    owners: Tensor
    things: Tensor
    subjects: Tensor
    identities: Tensor
    scenes: Tensor

    def to(self, device: torch.device) -> VisionBatch:
        """The same batch on a device."""
        return VisionBatch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def to_pixels(groups: list[Group]) -> Tensor:
    """Stack the photos of groups as float [photos, 3, side, side] in -1…1."""
    arrays = [np.asarray(photo.image) for group in groups for photo in group.photos]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def collate(groups: list[Group]) -> VisionBatch:
    """Turn groups into one batch."""
    owners: list[Tensor] = []
    things: list[Tensor] = []
    subjects: list[list[int]] = []
    identities: list[int] = []
    scenes: list[list[int]] = []
    for number, group in enumerate(groups):
        for row, photo in enumerate(group.photos):
            for rows, patches in ((owners, group.patch_owners), (things, group.patch_things)):
                of = torch.from_numpy(patches[row].astype(np.int64))
                rows.append(torch.where(of >= 0, of + len(subjects), of))
            scenes.append(describe_photo(photo.scene))
            for subject, member in zip(photo.scene.subjects, group.members[row], strict=True):
                subjects.append(describe_subject(subject))
                identities.append(number * 100 + member if member >= 0 else -1)
    return VisionBatch(
        pixels=to_pixels(groups),
        owners=torch.stack(owners),
        things=torch.stack(things),
        subjects=torch.tensor(subjects),
        identities=torch.tensor(identities),
        scenes=torch.tensor(scenes),
    )


def make_vision_tower() -> CLIPVisionModel:
    """Build the vision tower of photopal-mini with random weights."""
    return CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=192,
            intermediate_size=768,
            num_hidden_layers=6,
            num_attention_heads=3,
            image_size=SIDE_PX,
            patch_size=SIDE_PX // GRID,
            hidden_act="gelu",
        )
    )


class AttributeHeads(nn.Module):
    """Linear heads over patch features, one for every attribute of a subject and of the photo.

    They are trained along and thrown away.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.subject = nn.Linear(width, sum(map(len, SUBJECT_ATTRIBUTES.values())))
        self.photo = nn.Linear(width, sum(map(len, PHOTO_ATTRIBUTES.values())))
        self.covered = nn.Linear(width, 2)


def patch_features(tower: CLIPVisionModel, pixels: Tensor) -> Tensor:
    """Give the raw patch features [photos, patches, width] that the language model sees."""
    output = tower(pixel_values=pixels, output_hidden_states=True)
    features: Tensor = output.hidden_states[-1][:, 1:]
    return features


def attribute_loss(
    logits: Tensor, targets: Tensor, classes: dict[str, tuple[str, ...]]
) -> tuple[Tensor, Tensor]:
    """Weighted mean of the cross-entropies of attributes, and the accuracy of each [attributes].

    What somebody does weighs more (`WEIGHTS`): it is often told by little in the picture.
    """
    losses, weights, accuracies = [], [], []
    parts = torch.split(logits, [len(v) for v in classes.values()], dim=-1)
    for column, (name, part) in enumerate(zip(classes, parts, strict=True)):
        known = targets[:, column] != IGNORED
        if not known.any():
            accuracies.append(torch.tensor(float("nan")))
            continue
        weights.append(WEIGHTS.get(name, 1.0))
        losses.append(weights[-1] * nn.functional.cross_entropy(part[known], targets[known, column]))
        accuracies.append((part[known].argmax(-1) == targets[known, column]).float().mean())
    return torch.stack(losses).sum() / sum(weights), torch.stack(accuracies)


def subject_means(features: Tensor, batch: VisionBatch) -> tuple[Tensor, Tensor]:
    """Mean feature of each subject's patches [subjects, width], and which subjects have any [subjects]."""
    mine = batch.owners >= 0
    owners = batch.owners[mine]
    sums = features.new_zeros(len(batch.identities), features.shape[-1]).index_add(0, owners, features[mine])
    counts = torch.bincount(owners, minlength=len(batch.identities))
    return sums / counts.clamp(min=1).unsqueeze(1), counts > 0


def contrast_loss(features: Tensor, batch: VisionBatch) -> tuple[Tensor, Tensor]:
    """Identity contrast on raw patches: each patch must be nearest its owner's mean over *other* photos.

    One further class with a fixed cosine stands for nobody: background patches and owners without
    another photo belong to it. It puts all cosines on one scale, so one threshold serves everybody.
    """
    units = nn.functional.normalize(features, dim=-1)
    owners = batch.owners
    means, has_patches = subject_means(units, batch)
    means = nn.functional.normalize(means, dim=-1)
    mine = owners >= 0
    number = torch.arange(len(owners), device=owners.device).unsqueeze(1).expand_as(owners)
    photo_of = torch.full_like(batch.identities, -1)
    photo_of[owners[mine]] = number[mine]
    usable = has_patches & (batch.identities >= 0)
    prototypes, labels, photos = means[usable], batch.identities[usable], photo_of[usable]
    patch_photo = number.reshape(-1)
    patch_owner = owners.reshape(-1)
    patch_identity = torch.where(patch_owner >= 0, batch.identities[patch_owner.clamp(min=0)], -1)
    cosines = units.reshape(-1, units.shape[-1]) @ prototypes.T
    is_same_photo = patch_photo.unsqueeze(1) == photos.unsqueeze(0)
    scores = (cosines / TEMPERATURE).masked_fill(is_same_photo, -math.inf)
    nobody = scores.new_full((len(scores), 1), NOBODY_COSINE / TEMPERATURE)
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
    """The loss of raw patch features `[photos, patches, width]`, and what to report of it.

    Subjects' attributes are asked of every patch and of the mean over a subject's patches: the mean
    teaches patches to tell what they see themselves, long before attention brings it to the others.
    Patches that show somebody's thing are asked what its owner does.
    """
    mine = batch.owners >= 0
    subject, accuracy = attribute_loss(
        heads.subject(features[mine]), batch.subjects[batch.owners[mine]], SUBJECT_ATTRIBUTES
    )
    means, has_patches = subject_means(features, batch)
    whole, _ = attribute_loss(
        heads.subject(means[has_patches]), batch.subjects[has_patches], SUBJECT_ATTRIBUTES
    )
    photo, photo_accuracy = attribute_loss(heads.photo(features.mean(1)), batch.scenes, PHOTO_ATTRIBUTES)
    covered = nn.functional.cross_entropy(heads.covered(features).flatten(0, 1), mine.long().flatten())
    contrast, hits = contrast_loss(features, batch)
    held = batch.things >= 0
    doing = doing_loss(heads.subject(features[held]), batch.subjects[batch.things[held]])
    report = dict(zip(SUBJECT_ATTRIBUTES, accuracy.tolist(), strict=True))
    report |= dict(zip(PHOTO_ATTRIBUTES, photo_accuracy.tolist(), strict=True))
    report |= {"identity": hits.item(), "contrast": contrast.item(), "doing": doing.item()}
    return 2 * subject + 2 * whole + photo + 0.5 * covered + 0.5 * contrast + 0.5 * doing, report


def doing_loss(logits: Tensor, subjects: Tensor) -> Tensor:
    """Cross-entropy of what owners of things do: `logits` [patches, classes] and `subjects` of them."""
    if not len(logits):
        return logits.sum()
    sizes = [len(classes) for classes in SUBJECT_ATTRIBUTES.values()]
    column = list(SUBJECT_ATTRIBUTES).index("activity")
    return nn.functional.cross_entropy(torch.split(logits, sizes, dim=-1)[column], subjects[:, column])


def train_vision(
    run: StageRun,
    checkpoint: Path,
    *,
    tower: CLIPVisionModel | None = None,
    on_report: Callable[[str], None],
) -> None:
    """Train a vision tower with its heads, resuming from the checkpoint file if there is one.

    Args:
        run: Settings.
        checkpoint: Keeps the heads, and the tower where it is trained.
        tower: One that stays as it is, so that only the heads learn to read it; by default a new one learns.
        on_report: Told how far it is.
    """
    torch.manual_seed(run.seed)
    device = best_device()
    is_new = tower is None
    seeing = (make_vision_tower() if tower is None else tower).to(device)
    heads = AttributeHeads(seeing.config.hidden_size).to(device)
    seeing.set_attn_implementation(LEAN)
    seeing.requires_grad_(is_new)

    def loss(batch: VisionBatch) -> tuple[Tensor, dict[str, float]]:
        batch = batch.to(device)
        with autocast(device):
            features = patch_features(seeing, batch.pixels)
        return vision_loss(features.float(), heads, batch)

    modules: dict[str, nn.Module] = {"tower": seeing, "heads": heads} if is_new else {"heads": heads}
    optimizers = Optimizers(
        [(module, 1.0) for module in modules.values()], rate=run.learning_rate, decay=run.weight_decay
    )
    run_stage(run, Stage(modules, optimizers, collate, loss), checkpoint, on_report=on_report)
    seeing.requires_grad_(True)
