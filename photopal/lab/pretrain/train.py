"""Trains the bundled model: `python -m photopal.lab.pretrain.train FOLDER`; resumes by itself."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from transformers import PreTrainedTokenizerFast

from photopal.lab.pretrain.architecture import (
    HIDDEN,
    build_model,
    build_processor,
    save_model,
    train_tokenizer,
)
from photopal.lab.pretrain.loop import StageRun, rank, run_parallel, wait_for_all
from photopal.lab.pretrain.ood_fit import fit_ood_detector_to_folder
from photopal.lab.pretrain.train_language import LanguageParts, Probes, learn_placeholders, train_language
from photopal.lab.pretrain.train_vision import AttributeHeads, make_vision_tower, train_vision


@dataclass(frozen=True)
class Training:
    """Both stages of a training, and where it is kept.

    Attributes:
        folder: Gets the checkpoints while it runs and the model at the end.
        vision: Stage one.
        language: Stage two.
    """

    folder: Path
    vision: StageRun
    language: StageRun


def train_mini(training: Training) -> None:
    """Train from scratch, or go on from the checkpoints in the folder; writes the model at the end."""
    training.folder.mkdir(parents=True, exist_ok=True)
    vision_checkpoint = training.folder / "vision.pt"
    train_vision(training.vision, vision_checkpoint, on_report=report)
    wait_for_all()
    seen = torch.load(vision_checkpoint, weights_only=True)
    tower = make_vision_tower()
    heads = AttributeHeads(tower.config.hidden_size)
    tower.load_state_dict(seen["modules"]["tower"])
    heads.load_state_dict(seen["modules"]["heads"])
    torch.manual_seed(training.language.seed)
    tokenizer = keep_tokenizer(training.folder, training.language.seed)
    model = build_model(tokenizer, tower)
    knowing = learn_placeholders(keep_tokenizer(training.folder, training.language.seed))
    checkpoint = training.folder / "language.pt"
    parts = LanguageParts(model, heads, Probes(HIDDEN), knowing)
    train_language(training.language, parts, checkpoint, on_report=report)
    if rank() == 0:
        weights = training.folder / "weights"
        save_model(weights, model, build_processor(tokenizer))
        fit_ood_detector_to_folder(weights)
        settings = {
            "vision": asdict(training.vision),
            "language": asdict(training.language),
            "torch": torch.__version__,
            "machine": platform.machine(),
        }
        (weights / "training.json").write_text(json.dumps(settings, indent=1) + "\n")
        report(f"wrote {weights}")


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


def train(
    folder: Annotated[Path, typer.Argument(help="Gets checkpoints and, at the end, weights/.")],
    *,
    vision_minutes: Annotated[float, typer.Option(help="Wall time of stage one.")] = 30.0,
    language_minutes: Annotated[float, typer.Option(help="Wall time of stage two.")] = 75.0,
    processes: Annotated[int, typer.Option(help="Processes of one thread each.")] = 2,
    seed: Annotated[int, typer.Option(help="Drives everything random.")] = 0,
) -> None:
    """Train photopal-mini on the drawn world."""
    training = Training(
        folder,
        StageRun(seconds=60 * vision_minutes, groups_per_batch=6, seed=seed),
        StageRun(seconds=60 * language_minutes, groups_per_batch=3, seed=seed),
    )
    run_parallel(partial(train_mini, training), processes=processes)


if __name__ == "__main__":
    typer.run(train)
