"""Optimizers, the learning-rate schedule and the number format of training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is no slower than float32: on GPUs, and on CPUs from AVX-512 on.

    Elsewhere PyTorch emulates it: on a CPU with AVX2 a matrix product takes thirty times as long.
    """
    return device.type != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def autocast(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where that is fast."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))


WARM_UP = 0.02
DECAY_FROM = 0.5
_BETAS = (0.9, 0.98)
_MOMENTUM = 0.95
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Muon as `torch.optim` has it, but in float32 where bfloat16 is slow.

    Its updates have the root mean square of AdamW's (Liu et al. 2025), so that one learning rate serves both.
    """

    def __init__(self, groups: list[dict[str, object]], *, rate: float, decay: float) -> None:
        super().__init__(groups, {"lr": rate, "weight_decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix by its orthogonalised momentum."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - _MOMENTUM)
                update = orthogonalize(parameter.grad.lerp(momentum, _MOMENTUM))
                rate = group["lr"] * 0.2 * max(parameter.shape) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-rate)


def orthogonalize(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix near one by Newton and Schulz's iteration."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    near = matrix.bfloat16() if has_fast_bfloat16(matrix.device) else matrix.float()
    near = near.T if is_tall else near
    near = near / near.norm().clamp(min=1e-7)
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_ITERATIONS):
        gram = near @ near.T
        near = torch.addmm(near, torch.addmm(gram, gram, gram, beta=b, alpha=c), near, beta=a)
    return (near.T if is_tall else near).to(matrix.dtype)


class Optimizers:
    """Muon for the matrices between hidden layers, AdamW for everything else.

    Muon (Jordan et al. 2024) orthogonalises each update; on the vision tower a batch half as large needs
    about half as many photos for the same loss as with AdamW.
    """

    def __init__(
        self,
        parts: Sequence[tuple[nn.Module, float]],
        *,
        rate: float,
        decay: float,
    ) -> None:
        """Take modules with their share of the learning rate; the first that has a parameter keeps it."""
        matrices: list[dict[str, object]] = []
        others: list[dict[str, object]] = []
        seen: set[int] = set()
        for module, share in parts:
            hidden, rest = _split(module, seen)
            matrices.append({"params": hidden, "share": share})
            others.append({"params": rest, "share": share})
        self.rate = rate
        self.parameters = [p for group in (*matrices, *others) for p in _of(group)]
        kept = [group for group in matrices if group["params"]]
        self._all: list[torch.optim.Optimizer] = [
            torch.optim.AdamW([g for g in others if g["params"]], lr=rate, betas=_BETAS, weight_decay=decay)
        ]
        if kept:
            self._all.append(Muon(kept, rate=rate, decay=decay))

    def step(self, share: float) -> None:
        """Clip the gradients to norm 1 and take one step; `share` is how much of the run is over, 0…1."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self._all:
            for group in optimizer.param_groups:
                group["lr"] = group["share"] * self.rate * schedule(share)
            optimizer.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimizer in self._all:
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, object]]:
        """What a checkpoint keeps."""
        return [optimizer.state_dict() for optimizer in self._all]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Go on where a checkpoint was made."""
        for optimizer, state in zip(self._all, states, strict=True):
            optimizer.load_state_dict(state)


def schedule(share: float) -> float:
    """Warm up over 2 % of a run, stay to its middle, then fall in a straight line to 1 %."""
    if share < WARM_UP:
        return share / WARM_UP + 0.01
    if share < DECAY_FROM:
        return 1.0
    return max(0.01, (1 - share) / (1 - DECAY_FROM))


def _of(group: dict[str, object]) -> Iterable[Tensor]:
    params = group["params"]
    assert isinstance(params, list)
    return params


def _split(module: nn.Module, seen: set[int]) -> tuple[list[Tensor], list[Tensor]]:
    """Split a module's parameters into matrices within layers and the rest, skipping those seen."""
    hidden: list[Tensor] = []
    rest: list[Tensor] = []
    for name, parameter in module.named_parameters():
        if id(parameter) in seen or not parameter.requires_grad:
            continue
        seen.add(id(parameter))
        is_hidden = parameter.ndim == 2 and ".layers." in f".{name}"
        (hidden if is_hidden else rest).append(parameter)
    return hidden, rest
