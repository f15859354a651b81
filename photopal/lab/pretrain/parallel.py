"""Runs one training on several processes that average their gradients; knows nothing of models."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn


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
