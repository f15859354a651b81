"""Makes a concept's rows from the projected patches of its reference photos; knows no training."""

from __future__ import annotations

import torch
from torch import Tensor


def cluster(points: Tensor, k: int, *, generator: torch.Generator, iterations: int = 20) -> Tensor:
    """Find k-means centroids, seeded by k-means++ (Arthur & Vassilvitskii 2007).

    Args:
        points: `[points, hidden]`, at least one.
        k: How many centroids; fewer come back when there are fewer points.
        generator: Source of randomness, on the CPU.
        iterations: Most Lloyd steps.

    Returns:
        `[min(k, points), hidden]`; gradients flow from each centroid to the points of its cluster.

    Raises:
        ValueError: There is no point.
    """
    if points.shape[0] == 0:
        raise ValueError("no points to cluster")
    k = min(k, points.shape[0])
    with torch.no_grad():
        fixed = points.detach().float()
        centroids = fixed[_spread_seeds(fixed, k, generator)]
        nearest = torch.cdist(fixed, centroids).argmin(dim=1)
        for _ in range(iterations):
            centroids = _means(fixed, nearest, centroids)
            moved = torch.cdist(fixed, centroids).argmin(dim=1)
            if torch.equal(moved, nearest):
                break
            nearest = moved
    return _means(points, nearest, centroids.to(points.dtype))


def _spread_seeds(points: Tensor, k: int, generator: torch.Generator) -> Tensor:
    first = int(torch.randint(points.shape[0], (1,), generator=generator))
    chosen = [first]
    distances = (points - points[first]).square().sum(dim=1)
    for _ in range(k - 1):
        weights = distances.cpu()
        if float(weights.sum()) <= 0:  # fewer different points than k
            weights = torch.ones_like(weights)
        choice = int(torch.multinomial(weights, 1, generator=generator))
        chosen.append(choice)
        distances = torch.minimum(distances, (points - points[choice]).square().sum(dim=1))
    return torch.tensor(chosen, device=points.device)


def _means(points: Tensor, nearest: Tensor, fallback: Tensor) -> Tensor:
    counts = torch.bincount(nearest, minlength=len(fallback)).to(points.dtype).unsqueeze(1)
    sums = torch.zeros_like(fallback).index_add(0, nearest, points)
    return torch.where(counts > 0, sums / counts.clamp(min=1), fallback)


def align_rows(centroids: Tensor, norm: float) -> Tensor:
    """Turn centroids into input rows: identifier first, then soft tokens (MC-LLaVA, section 3.2).

    Each centroid is scaled to the mean L2 norm of the model's own input rows; the identifier is the mean of
    the scaled centroids.

    Args:
        centroids: `[k, hidden]`.
        norm: The mean norm of the model's input rows.

    Returns:
        `[k + 1, hidden]`.
    """
    soft = torch.nn.functional.normalize(centroids, dim=-1) * norm
    return torch.cat([soft.mean(dim=0, keepdim=True), soft])


def mean_row_norm(embeddings: Tensor) -> float:
    """The mean L2 norm of `[vocab, hidden]` input rows."""
    return float(embeddings.detach().float().norm(dim=-1).mean())
