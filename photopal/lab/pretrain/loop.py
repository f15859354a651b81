"""Runs one stage of training, on one process or several: batches, steps, reports, checkpoints."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.utils.data import DataLoader

from photopal.files import atomic_path
from photopal.lab.pretrain.groups import PHOTOS_PER_GROUP, Group, GroupStream
from photopal.lab.pretrain.optimizers import Optimizers


def rank() -> int:
    """The number of this process, 0 when it is alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def wait_for_all() -> None:
    """Go on when every process has come this far, so that a file one of them wrote is there for all."""
    if dist.is_initialized():
        dist.barrier()


def average_gradients(parameters: Iterable[Tensor], *, share: float) -> float:
    """Average gradients over the processes, and the share of the run that is over.

    Args:
        parameters: The same ones in every process.
        share: How much of the run is over by this process's clock, 0…1.

    Returns:
        The mean share, so that all processes stop at the same step.
    """
    if not dist.is_initialized():
        return share
    held = [p for p in parameters if p.requires_grad]
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in held]
    flat = torch.cat([*(grad.flatten() for grad in grads), torch.tensor([share])])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    parts = torch.split(flat[:-1], [grad.numel() for grad in grads])
    for parameter, grad, part in zip(held, grads, parts, strict=True):
        parameter.grad = part.view_as(grad)
    return float(flat[-1])


def _enter(number: int, processes: int, port: int, work: Callable[[], None]) -> None:
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=number, world_size=processes)
    try:
        work()
    finally:
        dist.destroy_process_group()


def run_parallel(work: Callable[[], None], *, processes: int) -> None:
    """Run `work` (a picklable function) in this process, or in several that know each other.

    On a CPU several processes of one thread each train faster than one of several threads.
    """
    if processes <= 1:
        work()
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spawn(_enter, args=(processes, port, work), nprocs=processes)  # type: ignore[no-untyped-call]


REPORT_EVERY = 50
KEEP_SECONDS = 180.0
_MEMORY = 0.98


@dataclass(frozen=True)
class StageRun:
    """Settings of one stage.

    Attributes:
        seconds: Wall time it may take; the learning rate follows it.
        photos: Photos it may see, whichever comes first.
        groups_per_batch: Groups of four photos in a batch of each process.
        learning_rate: The highest one.
        weight_decay: Decoupled weight decay.
        seed: Drives everything random.
        workers: Processes that draw photos; 0 draws in between steps.
    """

    seconds: float = 1800.0
    photos: int = 10**9
    groups_per_batch: int = 6
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    seed: int = 0
    workers: int = 0


@dataclass(frozen=True)
class Stage:
    """What a stage trains.

    Attributes:
        modules: What the checkpoint keeps, by name.
        optimizers: Those of the modules' parameters.
        make: Turns drawn groups into a batch; picklable.
        loss: Gives the loss of a batch, and figures to report.
    """

    modules: dict[str, nn.Module]
    optimizers: Optimizers
    make: Callable[[list[Group]], Any]
    loss: Callable[[Any], tuple[Tensor, dict[str, float]]]


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class _Averages:
    """Running means of what is reported."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            if not math.isnan(value):
                self.values[name] = _MEMORY * self.values.get(name, value) + (1 - _MEMORY) * value

    def __str__(self) -> str:
        return " ".join(f"{name}={value:.3f}" for name, value in self.values.items())


def run_stage(run: StageRun, stage: Stage, checkpoint: Path, *, on_report: Callable[[str], None]) -> None:
    """Train in place, resuming from the checkpoint file if there is one.

    Beside the checkpoint, `<stem>.curve.jsonl` gets a line of running means with every report.
    """
    spent, photos = _resume(stage, checkpoint)
    stream = GroupStream(run.seed * 7919 + photos * 2 + rank(), run.groups_per_batch, stage.make)
    loader = DataLoader(stream, batch_size=None, num_workers=run.workers)
    averages = _Averages()
    begun, step, processes = time.monotonic() - spent, 0, _processes()
    kept, first_photos, first_spent = spent, photos, spent
    share = max(spent / run.seconds, photos / run.photos)
    for batch in loader if share < 1 else ():
        spent = time.monotonic() - begun
        share = max(spent / run.seconds, photos / run.photos)
        stage.optimizers.zero_grad()
        loss, figures = stage.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        share = average_gradients(stage.optimizers.parameters, share=share)
        stage.optimizers.step(share)
        photos, step = photos + run.groups_per_batch * PHOTOS_PER_GROUP * processes, step + 1
        averages.add(figures | {"loss": loss.item()})
        if rank() == 0 and (step % REPORT_EVERY == 0 or share >= 1):
            rate = (photos - first_photos) / max(1e-9, time.monotonic() - begun - first_spent)
            on_report(f"{spent:.0f}s photos={photos} photos/s={rate:.1f} {averages}")
            line = {"seconds": round(spent), "photos": photos} | averages.values
            with checkpoint.with_suffix(".curve.jsonl").open("a", encoding="utf-8") as curve:
                curve.write(json.dumps(line) + "\n")
        if rank() == 0 and (spent - kept >= KEEP_SECONDS or share >= 1):
            kept = spent
            _keep(stage, checkpoint, spent=spent, photos=photos)
        if share >= 1:
            return


def _resume(stage: Stage, checkpoint: Path) -> tuple[float, int]:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    if not checkpoint.exists():
        return 0.0, 0
    load_modules(checkpoint, stage.modules)
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    stage.optimizers.load_state_dict(state["optimizers"])
    return float(state["spent"]), int(state["photos"])


def load_modules(checkpoint: Path, modules: dict[str, nn.Module]) -> int:
    """Load modules as a checkpoint has them; returns how many photos they saw."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    for name, module in modules.items():
        module.load_state_dict(state["modules"][name])
    return int(state["photos"])


def _keep(stage: Stage, checkpoint: Path, *, spent: float, photos: int) -> None:
    modules = {name: module.state_dict() for name, module in stage.modules.items()}
    state = {"modules": modules, "optimizers": stage.optimizers.state_dict()}
    # An open file, as torch would put the temporary name into the checkpoint.
    with atomic_path(checkpoint) as part, part.open("wb") as file:
        torch.save(state | {"spent": spent, "photos": photos}, file)


def _processes() -> int:
    import torch.distributed as dist

    return dist.get_world_size() if dist.is_initialized() else 1
