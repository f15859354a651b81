"""Trains photopal-plain, the twin without names: `python -m photopal.lab.pretrain.train_plain FOLDER`.

It resumes from its checkpoint.

Stage one trains the bundled model's vision tower further, so that it reads the numbers of marks. Stage two
trains a projector and a decoder that begin at random, and the tower along with them.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn
from transformers import CLIPVisionModel, LlavaForConditionalGeneration, PreTrainedTokenizerFast

from photopal.lab.pretrain.architecture import HIDDEN, LEAN, build_model, build_processor, save_model
from photopal.lab.pretrain.groups import SUBJECT_ATTRIBUTES
from photopal.lab.pretrain.loop import (
    Stage,
    StageRun,
    best_device,
    load_modules,
    run_parallel,
    run_stage,
    wait_for_all,
)
from photopal.lab.pretrain.ood_fit import fit_ood_detector_to_folder
from photopal.lab.pretrain.optimizers import Optimizers, autocast
from photopal.lab.pretrain.train import average_with, report
from photopal.lab.pretrain.train_language import SEEING_WEIGHT, TOWER_RATE, Probes, speech_loss
from photopal.lab.pretrain.train_vision import (
    AttributeHeads,
    VisionBatch,
    attribute_loss,
    patch_features,
    vision_loss,
)
from photopal.lab.pretrain.training_examples import (
    ExampleBatch,
    MarkedBatch,
    UnnamedExampleMaker,
    make_marked_batch,
    numbers_on_patches,
)
from photopal.lab.synthetic.dialogue.descriptions import HIGHEST_MARK
from photopal.prompts import Mark
from photopal.vlm.load import DEFAULT_MODEL_FOLDER

TOWER_FILE, HEADS_FILE, PROBES_FILE, PLAIN_FILE = "tower.pt", "heads.pt", "probes.pt", "plain.pt"
TRAINING_FILE = "training.json"
ENDLESS = 1e9
GROUPS_PER_BATCH = 4
HEAD_PHOTOS = 3_000
PROBE_PHOTOS = 1_600
EXAMPLE_TOKENS = 448
"""A third of it is the photo, so that longer examples ask more about each for less than it costs."""
READING_WEIGHT = 2.0
NO_MARK_WEIGHT = 0.25
OWNING_WEIGHT = 3.0
MARKED_LOOKS_WEIGHT = 3.0


class PlainHeads(nn.Module):
    """What patches are asked: attributes of whoever covers them, the number drawn on them, and at whom.

    Whose number it is has to be found here, where every patch sees every other: in the decoder the patches
    of somebody come before those of the mark at the feet, and cannot see it. Patches of a mark in turn are
    asked for attributes of whom it is at, because often they show nothing but ground.

    They are trained along and thrown away.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.looks = AttributeHeads(width)
        self.mark = nn.Linear(width, HIGHEST_MARK + 1)
        self.own_mark = nn.Linear(width, HIGHEST_MARK + 1)
        self.marked = nn.Linear(width, sum(map(len, SUBJECT_ATTRIBUTES.values())))


def seeing_loss(
    tower: CLIPVisionModel, heads: PlainHeads, batch: MarkedBatch
) -> tuple[Tensor, dict[str, float]]:
    """The loss of stage one: what the bundled tower learned, and the numbers of marks."""
    batch = batch.to(tower.device)
    with autocast(tower.device):
        features = patch_features(tower, batch.vision.pixels)
    return head_loss(heads, features.float(), batch.vision, batch.marks, batch.marked_subjects)


def plain_loss(
    model: LlavaForConditionalGeneration, heads: PlainHeads, probes: Probes, batch: ExampleBatch
) -> tuple[Tensor, dict[str, float]]:
    """The loss of stage two: examples without names, and what stage one asks of the tower."""
    batch = batch.to(model.device)
    with autocast(model.device):
        features = patch_features(model.model.vision_tower, batch.vision.pixels)
        tokens = model.model.multi_modal_projector(features)
    nameless: list[list[Tensor]] = [[] for _ in batch.examples]
    speaking, said = speech_loss(model, probes, batch, nameless, tokens.float())
    marks = [example.marks for example in batch.examples]
    at = [example.marked_subjects for example in batch.examples]
    seeing, seen = head_loss(heads, features.float(), batch.vision, marks, at)
    reported = {
        name: seen[name] for name in ("mark", "own-mark", "marked-looks", "top", "identity") if name in seen
    }
    return speaking + SEEING_WEIGHT * seeing, said | reported


def head_loss(
    heads: PlainHeads,
    features: Tensor,
    vision: VisionBatch,
    marks: Sequence[Sequence[Mark]],
    marked_subjects: Sequence[Sequence[int]],
) -> tuple[Tensor, dict[str, float]]:
    """What patch features `[photos, patches, width]` are asked: the attributes of stage one, and marks."""
    seeing, report = vision_loss(features, heads.looks, vision)
    reading, read = mark_loss(heads.mark(features), marks)
    owning, owned = own_mark_loss(heads.own_mark(features), vision, marks, marked_subjects)
    marking, marked = marked_looks_loss(heads.marked(features), vision, marks, marked_subjects)
    loss = seeing + READING_WEIGHT * reading + OWNING_WEIGHT * owning + MARKED_LOOKS_WEIGHT * marking
    return loss, report | read | owned | marked


def mark_loss(logits: Tensor, marks: Sequence[Sequence[Mark]]) -> tuple[Tensor, dict[str, float]]:
    """Ask patches `[photos, patches, numbers]` for the number drawn on them, 0 for none."""
    target = torch.tensor([numbers_on_patches(of) for of in marks], device=logits.device).flatten()
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), target, reduction="none")
    is_marked = target > 0
    nothing = NO_MARK_WEIGHT * loss[~is_marked].mean()
    if not is_marked.any():
        return nothing, {}
    right = (logits.flatten(0, 1).argmax(1) == target)[is_marked]
    return loss[is_marked].mean() + nothing, {"mark": right.float().mean().item()}


def own_mark_loss(
    logits: Tensor,
    vision: VisionBatch,
    marks: Sequence[Sequence[Mark]],
    marked_subjects: Sequence[Sequence[int]],
) -> tuple[Tensor, dict[str, float]]:
    """Ask patches `[photos, patches, numbers]` for the number at whoever covers them, 0 for none.

    Args:
        logits: What the head made of them.
        vision: What covers each patch.
        marks: The marks of each photo.
        marked_subjects: Whom each of them is at, as rows of `vision.subjects`.
    """
    numbers = torch.zeros(len(vision.subjects), dtype=torch.long, device=logits.device)
    for of, at in zip(marks, marked_subjects, strict=True):
        for mark, subject in zip(of, at, strict=True):
            numbers[subject] = mark.number
    is_somebody = vision.owners >= 0
    if not is_somebody.any():
        return logits.sum() * 0.0, {}
    target, logits = numbers[vision.owners[is_somebody]], logits[is_somebody]
    is_marked = target > 0
    weight = torch.where(is_marked, 1.0, NO_MARK_WEIGHT)
    loss = (nn.functional.cross_entropy(logits, target, reduction="none") * weight).sum() / weight.sum()
    if not is_marked.any():
        return loss, {}
    return loss, {"own-mark": (logits.argmax(1) == target)[is_marked].float().mean().item()}


def marked_looks_loss(
    logits: Tensor,
    vision: VisionBatch,
    marks: Sequence[Sequence[Mark]],
    marked_subjects: Sequence[Sequence[int]],
) -> tuple[Tensor, dict[str, float]]:
    """Ask patches `[photos, patches, classes]` with a number on them for attributes of whom it is at.

    Args:
        logits: What the head made of them, all attributes of subjects in one row.
        vision: What covers each patch.
        marks: The marks of each photo.
        marked_subjects: Whom each of them is at, as rows of `vision.subjects`.
    """
    whose = []
    for of, at in zip(marks, marked_subjects, strict=True):
        subject_at = {mark.number: subject for mark, subject in zip(of, at, strict=True)}
        whose.append([subject_at.get(number, -1) for number in numbers_on_patches(of)])
    subject = torch.tensor(whose, device=logits.device)
    is_marked = subject >= 0
    if not is_marked.any():
        return logits.sum() * 0.0, {}
    loss, accuracy = attribute_loss(
        logits[is_marked], vision.subjects[subject[is_marked]], SUBJECT_ATTRIBUTES
    )
    return loss, {"marked-looks": accuracy.nanmean().item()}


def begin_plain(seed: int) -> tuple[LlavaForConditionalGeneration, PreTrainedTokenizerFast]:
    """A model with the bundled model's tower and tokenizer, and nothing else of it."""
    bundled = LlavaForConditionalGeneration.from_pretrained(DEFAULT_MODEL_FOLDER, dtype=torch.float32)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(DEFAULT_MODEL_FOLDER)
    torch.manual_seed(seed)
    return build_model(tokenizer, bundled.model.vision_tower), tokenizer


def train_plain(tower_run: StageRun, run: StageRun, folder: Path, *, start: Path | None = None) -> None:
    """Train from the start, from the weights in another folder, or go on from the checkpoints in the folder.

    Args:
        tower_run: Settings of stage one, which is left out where training starts from weights.
        run: Settings of stage two.
        folder: Gets the checkpoints.
        start: A folder that `write_plain` wrote. Heads and probes are first fitted to these weights; the
            optimizers' memory starts anew.
    """
    model, tokenizer = begin_plain(run.seed)
    heads = PlainHeads(HIDDEN)
    device = best_device()
    if start is not None:
        trained = LlavaForConditionalGeneration.from_pretrained(start, dtype=torch.float32)
        model.load_state_dict(trained.state_dict())
    model.to(device)
    heads.to(device)
    model.set_attn_implementation(LEAN)
    tower = model.model.vision_tower
    probes = Probes(HIDDEN).to(device)
    maker = UnnamedExampleMaker(tokenizer, run.seed, EXAMPLE_TOKENS)
    if start is None:
        train_tower(tower_run, tower, heads, folder / TOWER_FILE)
    else:
        # Heads and probes that begin at random would teach the tower and the decoder nonsense.
        fit_heads(tower_run, tower, heads, folder / HEADS_FILE)
        wait_for_all()
        fit_probes(run, model, heads, probes, maker, folder / PROBES_FILE)
    wait_for_all()
    shares: list[tuple[nn.Module, float]] = [
        (tower, TOWER_RATE),
        (heads, TOWER_RATE),
        (model, 1.0),
        (probes, 1.0),
    ]
    optimizers = Optimizers(shares, rate=run.learning_rate, decay=run.weight_decay)
    modules = {"model": model, "heads": heads, "probes": probes}
    stage = Stage(modules, optimizers, maker, partial(plain_loss, model, heads, probes))
    run_stage(run, stage, folder / PLAIN_FILE, on_report=report)


def train_tower(run: StageRun, tower: CLIPVisionModel, heads: PlainHeads, checkpoint: Path) -> None:
    """Train a tower further in place until it reads marks, with its heads."""
    shares: list[tuple[nn.Module, float]] = [(tower, TOWER_RATE), (heads, 1.0)]
    optimizers = Optimizers(shares, rate=run.learning_rate, decay=run.weight_decay)
    loss = partial(seeing_loss, tower, heads)
    stage = Stage({"tower": tower, "heads": heads}, optimizers, make_marked_batch, loss)
    run_stage(run, stage, checkpoint, on_report=report)


def fit_heads(run: StageRun, tower: CLIPVisionModel, heads: PlainHeads, checkpoint: Path) -> None:
    """Train heads in place to read a tower that stays as it is."""
    run = replace(run, photos=min(run.photos, HEAD_PHOTOS))
    optimizers = Optimizers([(heads, 1.0)], rate=run.learning_rate, decay=run.weight_decay)
    tower.requires_grad_(False)
    stage = Stage({"heads": heads}, optimizers, make_marked_batch, partial(seeing_loss, tower, heads))
    run_stage(run, stage, checkpoint, on_report=report)
    tower.requires_grad_(True)


def fit_probes(
    run: StageRun,
    model: LlavaForConditionalGeneration,
    heads: PlainHeads,
    probes: Probes,
    maker: UnnamedExampleMaker,
    checkpoint: Path,
) -> None:
    """Train probes in place to read a model that stays as it is."""
    run = replace(run, photos=min(run.photos, PROBE_PHOTOS))
    optimizers = Optimizers([(probes, 1.0)], rate=run.learning_rate, decay=run.weight_decay)
    for module in (model, heads):
        module.requires_grad_(False)
    stage = Stage({"probes": probes}, optimizers, maker, partial(plain_loss, model, heads, probes))
    run_stage(run, stage, checkpoint, on_report=report)
    for module in (model, heads):
        module.requires_grad_(True)


def write_plain(
    checkpoint: Path, weights: Path, run: StageRun, *, start: Path | None = None, kept: float = 0.0
) -> None:
    """Write the model of a checkpoint as a folder that transformers loads, and how it was trained.

    Args:
        checkpoint: Of stage two.
        weights: The folder.
        run: Settings of stage two.
        start: The folder with the weights that training started from, if it did.
        kept: Share of those weights in the ones written, 0…1, as for the bundled model.
    """
    model, tokenizer = begin_plain(run.seed)
    photos = load_modules(checkpoint, {"model": model})
    if start is not None and kept:
        average_with(model, start, share=kept)
    save_model(weights, model, build_processor(tokenizer))
    settings: dict[str, Any] = {"plain": asdict(run), "photos": photos}
    settings |= {"torch": torch.__version__, "machine": platform.machine()}
    if start is not None:
        before = json.loads((start / TRAINING_FILE).read_text())
        settings |= {"photos": photos + before["photos"], "kept": kept, "before": before}
    (weights / TRAINING_FILE).write_text(json.dumps(settings, indent=1) + "\n")
    report(f"wrote {weights}, after {photos:,} photos")


def main(  # noqa: PLR0913 - one parameter for each option of the command
    folder: Annotated[Path, typer.Argument(help="Gets checkpoints and, at the end, weights/.")],
    *,
    tower_photos: Annotated[int, typer.Option(help="Photos of stage one.")] = 20_000,
    photos: Annotated[
        int, typer.Option(help="Photos of stage two; the rate falls in its second half.")
    ] = 60_000,
    processes: Annotated[
        int, typer.Option(help="Processes of one thread each, which share the batches.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Drives everything random.")] = 0,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 3e-3,
    start: Annotated[
        Path | None,
        typer.Option(help="Start stage two from the weights in this folder, and leave out stage one."),
    ] = None,
    kept: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the weights of --start in those that are written.")
    ] = 0.0,
    write: Annotated[
        Path | None, typer.Option(help="Train nothing, write the weights of stage two's checkpoint here.")
    ] = None,
) -> None:
    """Train photopal-plain on the drawn world, without a name."""
    groups = max(1, GROUPS_PER_BATCH // processes)
    run = StageRun(seconds=ENDLESS, photos=photos, groups_per_batch=groups, learning_rate=rate, seed=seed)
    if write is None:
        tower_run = StageRun(seconds=ENDLESS, photos=tower_photos, groups_per_batch=groups, seed=seed)
        run_parallel(partial(train_plain, tower_run, run, folder, start=start), processes=processes)
    weights = write or folder / "weights"
    write_plain(folder / PLAIN_FILE, weights, run, start=start, kept=kept)
    fit_ood_detector_to_folder(weights)


if __name__ == "__main__":
    typer.run(main)
