"""Trains the bundled model: `python -m photopal.lab.pretrain.train FOLDER`; resumes by itself."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from photopal.lab.pretrain.architecture import (
    HIDDEN,
    build_model,
    build_processor,
    save_model,
    train_tokenizer,
)
from photopal.lab.pretrain.loop import StageRun, load_modules, rank, run_parallel, wait_for_all
from photopal.lab.pretrain.ood_fit import fit_ood_detector_to_folder
from photopal.lab.pretrain.train_language import (
    LanguageParts,
    Probes,
    learn_placeholders,
    train_language,
    train_probes,
)
from photopal.lab.pretrain.train_vision import AttributeHeads, make_vision_tower, train_vision

HEADS_FILE, PROBES_FILE = "heads.pt", "probes.pt"
LANGUAGE_FILE, TRAINING_FILE = "language.pt", "training.json"
HEAD_PHOTOS, PROBE_PHOTOS = 3_000, 2_000


@dataclass(frozen=True)
class Training:
    """Both stages of a training, and where it is kept.

    Attributes:
        folder: Gets the checkpoints while it runs and the model at the end.
        vision: Stage one.
        language: Stage two.
        start: A folder with weights that stage two starts from, without stage one.
        kept: Share of the weights it started from in those it writes, 0…1: a mean of those before and after a
            short run is often better than either (Wortsman et al. 2022).
    """

    folder: Path
    vision: StageRun
    language: StageRun
    start: Path | None = None
    kept: float = 0.0


def train_mini(training: Training) -> None:
    """Train from scratch or from weights, or go on from the checkpoints in the folder; writes the model."""
    training.folder.mkdir(parents=True, exist_ok=True)
    if training.start is None:
        tokenizer, model, heads = begin_mini(training)
        knowing = learn_placeholders(keep_tokenizer(training.folder, training.language.seed))
    else:
        tokenizer, model, heads = begin_with_weights(training, training.start)
        knowing = learn_placeholders(PreTrainedTokenizerFast.from_pretrained(training.start))
    parts = LanguageParts(model, heads, Probes(HIDDEN), knowing)
    if training.start is not None:
        probing = _first_run(training, PROBE_PHOTOS)
        train_probes(probing, parts, training.folder / PROBES_FILE, on_report=report)
    train_language(training.language, parts, training.folder / LANGUAGE_FILE, on_report=report)
    if rank() == 0:
        if training.start is not None and training.kept:
            average_with(model, training.start, share=training.kept)
        weights = training.folder / "weights"
        save_model(weights, model, build_processor(tokenizer))
        fit_ood_detector_to_folder(weights)
        (weights / TRAINING_FILE).write_text(json.dumps(settings_of(training), indent=1) + "\n")
        report(f"wrote {weights}")


@torch.no_grad()
def average_with(model: LlavaForConditionalGeneration, folder: Path, *, share: float) -> None:
    """Move a model's weights by a share, 0…1, of the way to those in a folder."""
    before = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    of_before = dict(before.named_parameters())
    # The state would have tied embeddings twice, and move them twice.
    for name, weight in model.named_parameters():
        weight.lerp_(of_before[name].to(weight.device), share)


def settings_of(training: Training) -> dict[str, Any]:
    """How weights were trained; a training that went on from weights is added to what is known of them."""
    here = {"torch": torch.__version__, "machine": platform.machine()}
    if training.start is None:
        return {"vision": asdict(training.vision), "language": asdict(training.language), **here}
    known: dict[str, Any] = json.loads((training.start / TRAINING_FILE).read_text())
    further = {"language": asdict(training.language), "kept": training.kept, **here}
    return known | {"continued": [*known.get("continued", []), further]}


def begin_mini(
    training: Training,
) -> tuple[PreTrainedTokenizerFast, LlavaForConditionalGeneration, AttributeHeads]:
    """Tokenizer, a model that can see and not yet speak, and the heads it learned to see with: stage one."""
    checkpoint = training.folder / "vision.pt"
    train_vision(training.vision, checkpoint, on_report=report)
    wait_for_all()
    tower = make_vision_tower()
    heads = AttributeHeads(tower.config.hidden_size)
    load_modules(checkpoint, {"tower": tower, "heads": heads})
    torch.manual_seed(training.language.seed)
    tokenizer = keep_tokenizer(training.folder, training.language.seed)
    return tokenizer, build_model(tokenizer, tower), heads


def begin_with_weights(
    training: Training, start: Path
) -> tuple[PreTrainedTokenizerFast, LlavaForConditionalGeneration, AttributeHeads]:
    """Tokenizer and model of a folder, and heads that have learned to read its tower.

    Heads and probes that begin at random would teach the model nonsense.
    """
    model = LlavaForConditionalGeneration.from_pretrained(start, dtype=torch.float32)
    checkpoint, tower = training.folder / HEADS_FILE, model.model.vision_tower
    train_vision(_first_run(training, HEAD_PHOTOS), checkpoint, tower=tower, on_report=report)
    wait_for_all()
    heads = AttributeHeads(tower.config.hidden_size)
    load_modules(checkpoint, {"heads": heads})
    torch.manual_seed(training.language.seed)
    return PreTrainedTokenizerFast.from_pretrained(start), model, heads


def _first_run(training: Training, photos: int) -> StageRun:
    """How what is used in training alone learns to read weights that have been trained."""
    return replace(training.language, seconds=math.inf, photos=photos, learning_rate=StageRun.learning_rate)


def keep_tokenizer(folder: Path, seed: int) -> PreTrainedTokenizerFast:
    """The tokenizer of this training, trained when it is first asked for."""
    kept = folder / "tokenizer"
    if rank() == 0 and not kept.is_dir():
        train_tokenizer(seed).save_pretrained(kept)
    wait_for_all()
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(kept)
    return tokenizer


def report(words: str) -> None:
    """Tell how far the training is."""
    typer.echo(words, err=True)


def train(  # noqa: PLR0913 - one parameter for each option of the command
    folder: Annotated[Path, typer.Argument(help="Gets checkpoints and, at the end, weights/.")],
    *,
    vision_minutes: Annotated[float, typer.Option(help="Wall time of stage one.")] = 30.0,
    language_minutes: Annotated[float, typer.Option(help="Wall time of stage two.")] = 75.0,
    processes: Annotated[int, typer.Option(help="Processes of one thread each.")] = 2,
    seed: Annotated[int, typer.Option(help="Drives everything random.")] = 0,
    rate: Annotated[float, typer.Option(help="The highest learning rate of stage two.")] = 3e-3,
    start: Annotated[
        Path | None,
        typer.Option(help="Start stage two from the weights in this folder, and leave out stage one."),
    ] = None,
    kept: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the weights of --start in those that are written.")
    ] = 0.0,
) -> None:
    """Train photopal-mini on the drawn world."""
    training = Training(
        folder,
        StageRun(seconds=60 * vision_minutes, groups_per_batch=6, seed=seed),
        StageRun(seconds=60 * language_minutes, groups_per_batch=3, learning_rate=rate, seed=seed),
        start,
        kept,
    )
    run_parallel(partial(train_mini, training), processes=processes)


if __name__ == "__main__":
    typer.run(train)
