"""Instant registration: a concept's embeddings, direction and thresholds from its photos, with no training.

All of it is computed on the CPU in float32; the model's tokens and embeddings are brought there first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photopal.box import WHOLE_PHOTO
from photopal.concepts.bank import Bank, BankConcept
from photopal.concepts.calibration import Calibration, calibrate, with_corrections
from photopal.concepts.localize import (
    concept_direction,
    find_recurring,
    inside_photo,
    location_maps,
    map_scores,
    mask_cells,
    suppress_rivals,
)
from photopal.errors import ConceptError
from photopal.vlm.placeholders import SOFT_TOKENS
from photopal.vlm.protocol import ChatPrompt, PhotoFeatures, VisionModel


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
    # Fewer masked patches than k give fewer soft tokens; the authors' code leaves the rest uninitialized.
    k = min(k, points.shape[0])
    with torch.no_grad():
        fixed = points.detach().float()  # [points, hidden]
        centroids = fixed[_spread_seeds(fixed, k, generator)]  # [k, hidden]
        nearest = torch.cdist(fixed, centroids).argmin(dim=1)  # [points]
        for _ in range(iterations):
            centroids = _means(fixed, nearest, centroids)
            moved = torch.cdist(fixed, centroids).argmin(dim=1)
            if torch.equal(moved, nearest):
                break
            nearest = moved
    return _means(points, nearest, centroids.to(points.dtype))


def _spread_seeds(points: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Indices `[k]` of points far from each other: each drawn by its squared distance to those before."""
    first = int(torch.randint(points.shape[0], (1,), generator=generator))
    chosen = [first]
    distances = (points - points[first]).square().sum(dim=1)  # [points], to the nearest chosen one
    for _ in range(k - 1):
        weights = distances.cpu()  # where the generator is, so that a seed means the same on any device
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


def align_embeddings(centroids: Tensor, norm: float) -> Tensor:
    """Turn centroids into input embeddings: identifier first, then soft tokens (MC-LLaVA, section 3.2).

    Each centroid is scaled to the mean L2 norm of the model's own input embeddings; the identifier is the
    mean of the scaled centroids.

    Args:
        centroids: `[k, hidden]`.
        norm: The mean norm of the model's input embeddings.

    Returns:
        `[k + 1, hidden]`.
    """
    # The projector gives vectors of any length; the model was trained on words of this one.
    soft = torch.nn.functional.normalize(centroids, dim=-1) * norm  # [k, hidden]
    return torch.cat([soft.mean(dim=0, keepdim=True), soft])


SELF_SCORE_DISCOUNT = 0.1
"""Taken off the score of an only reference photo, which its own direction fits too well."""


@dataclass(frozen=True, eq=False)
class Reference:
    """One reference photo as the model sees it.

    Attributes:
        key: Hash of the photo's bytes: the same photo may serve several concepts.
        features: Of the whole photo.
        mask: bool `[height, width]` of where the subject is, or None to find it.
    """

    key: str
    features: PhotoFeatures
    mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class FoundSubject:
    """Where the subject is on a reference photo.

    Attributes:
        reference: The photo.
        cells: bool `[rows, cols]` on the grid of raw patches, on the CPU.
        token_cells: bool on the grid of projected tokens, on the CPU.
    """

    reference: Reference
    cells: Tensor
    token_cells: Tensor


@dataclass(frozen=True, eq=False)
class CorrectedPhotos:
    """Photos of which the user said whether they show a concept.

    Attributes:
        present: Those that do; with a mask where the user said where.
        absent: Those that do not.
    """

    present: Sequence[Reference] = ()
    absent: Sequence[Reference] = ()


@dataclass(frozen=True)
class RegisterOptions:
    """Settings of registration.

    Attributes:
        tokens: Soft tokens a concept, k in the paper (MC-LLaVA, section 3.2; default 16).
        seed: Drives k-means.
        initialization: kmeans, or random for comparison.
    """

    tokens: int = 16
    seed: int = 0
    initialization: str = "kmeans"


def find_subjects(references: Sequence[Reference], others: Sequence[PhotoFeatures]) -> list[FoundSubject]:
    """Find the subject on every reference photo: by its mask, or by what recurs across the photos.

    Args:
        references: All photos of one concept, at least one.
        others: Photos that do not show it; they help to find what is common to everything.

    Raises:
        ConceptError: There is no photo, or a mask is empty.
    """
    if not references:
        raise ConceptError("a concept needs at least one reference photo")
    unmasked = [reference.features for reference in references if reference.mask is None]
    recurring = iter(find_recurring(unmasked, others))
    found = []
    for reference in references:
        features = reference.features
        grid = (features.patches.shape[0], features.patches.shape[1])
        if reference.mask is not None:
            cells = mask_cells(reference.mask, grid, features.frame)
        else:
            cells = next(recurring)
        # Patches and projected tokens may lie on different grids (SmolVLM joins several patches in a token).
        if features.token_cells is not None:
            token_cells = _tokens_in(cells, features)
        elif tuple(cells.shape) == features.token_grid:
            token_cells = cells
        elif reference.mask is not None:
            token_cells = mask_cells(reference.mask, features.token_grid, features.frame)
        else:
            token_cells = mask_cells(cells.numpy(), features.token_grid, WHOLE_PHOTO)
        found.append(FoundSubject(reference, cells, token_cells))
    return found


def _tokens_in(cells: Tensor, features: PhotoFeatures) -> Tensor:
    """Which tokens lie in bool `[rows, cols]` cells, or else the one nearest to them: bool `[1, tokens]`."""
    assert features.token_cells is not None
    places = features.token_cells
    is_in = cells.flatten()[places.clamp(min=0)] & (places >= 0)
    if not bool(is_in.any()):
        cols = cells.shape[1]
        middle = torch.nonzero(cells).float().mean(dim=0)  # row and column
        distances = (torch.stack([places // cols, places % cols], dim=1) - middle).norm(dim=1)
        is_in[int(distances.masked_fill(places < 0, torch.inf).argmin())] = True
    return is_in[None]


def register_concept(
    model: VisionModel,
    concept_id: int,
    found: Sequence[FoundSubject],
    *,
    name: str,
    references_key: str,
    options: RegisterOptions,
) -> BankConcept:
    """Make the embeddings and the direction of one concept; its thresholds come from `calibrate_concepts`.

    The centroids of the projected tokens within the masks, pooled over the photos, become the soft tokens
    (MC-LLaVA, section 3.2). Where the model ties its input and output layers the identifier's output
    embedding is its input embedding; else it is the mean output embedding of the words of the name.
    """
    # Clustered in the space of projected tokens, [points, hidden], which is that of the prompt; located in
    # that of raw patches, [cells, width], which no projector has bent towards language (MC-LLaVA, section
    # 3.3).
    tokens = torch.cat([f.reference.features.tokens.cpu()[f.token_cells.flatten()] for f in found]).float()
    patches = torch.cat([f.reference.features.patches[f.cells] for f in found])
    generator = torch.Generator().manual_seed(options.seed * 100_003 + concept_id)
    # k-means reaches 95 % of the final accuracy in 11 times fewer updates than random (docs/results.md).
    if options.initialization == "random":
        centroids = torch.randn(options.tokens, tokens.shape[1], generator=generator)
    else:
        centroids = cluster(tokens, options.tokens, generator=generator)
    inputs = align_embeddings(centroids, model.embedding_norm)
    return BankConcept(
        concept_id=concept_id,
        inputs=inputs,
        outputs=first_output_embedding(model, inputs[0], name),
        direction=concept_direction(patches),
        calibration=Calibration(1.0, 1.0),
        references_key=references_key,
    )


def begin_with_words(model: VisionModel, concept: BankConcept, words: str) -> BankConcept:
    """Give a concept the embeddings of a description, to stand behind its name in questions.

    A model that was never taught names can do nothing with centroids of image tokens, but reads words.

    Args:
        model: The frozen model.
        concept: As it was registered.
        words: What the concept looks like, such as "a black dog with a white chest".

    Returns:
        The concept with other embeddings; as it is, where the model has no token for the words.
    """
    ids = [int(i) for i in model.answer_ids(words) if int(i) not in model.end_ids][:SOFT_TOKENS]
    if not ids or not words.strip():
        return concept
    soft = model.embed_ids(torch.tensor(ids)).detach().float().cpu()  # [tokens, hidden]
    inputs = torch.cat([soft.mean(dim=0, keepdim=True), soft])
    is_tied = model.output_embeddings is model.input_embeddings
    outputs = inputs[0] / model.embedding_scale if is_tied else concept.outputs
    return replace(concept, inputs=inputs, outputs=outputs, words=words.strip())


def first_output_embedding(model: VisionModel, identifier: Tensor, name: str) -> Tensor:
    """The output embedding an identifier starts with: `[hidden]` float32."""
    if model.output_embeddings is model.input_embeddings:  # tied, but for what the input layer multiplies by
        return identifier / model.embedding_scale
    ids = model.encode_prompt(ChatPrompt(user="?", has_image=False), answer=name).ids
    name_ids = [int(i) for i in ids if int(i) not in model.end_ids]
    # The last three ids of the answer before its end: the name, or how it ends.
    return model.output_embeddings[name_ids[-3:]].detach().float().mean(dim=0).cpu()


def background_direction(found: Sequence[FoundSubject]) -> Tensor | None:
    """The direction of everything on the reference photos that is not their subject; None without any."""
    rest = []
    for subject in found:
        outside = ~subject.cells & inside_photo(subject.reference.features)  # [rows, cols]
        rest.append(subject.reference.features.patches[outside])
    patches = torch.cat(rest) if rest else torch.empty(0)  # [cells, width]
    return concept_direction(patches) if patches.shape[0] else None


def calibrate_concepts(
    bank: Bank,
    found: Mapping[int, Sequence[FoundSubject]],
    others: Sequence[PhotoFeatures],
    corrected: Mapping[int, CorrectedPhotos] | None = None,
) -> Bank:
    """Learn the presence thresholds of all concepts of a bank together.

    A concept's positives are its reference photos, each scored by the direction of the others. Its negatives
    are the other concepts' photos it is not registered for, photos of the library, and what is left of its
    own photos without the subject, so that a single concept has negatives too. Photos that the user has
    corrected are either, and weigh more; see `with_corrections`.

    Args:
        bank: Has every concept that `found` has.
        found: For each concept id its reference photos.
        others: Photos of the library that show no concept, as far as the maps can tell.
        corrected: For each concept id the photos of which the user said whether they show it.
    """
    corrected = corrected or {}
    ids = list(found)
    directions = bank.directions(ids)
    said = {i: corrected.get(i, CorrectedPhotos()) for i in ids}
    keys = {i: {f.reference.key for f in found[i]} | {r.key for r in said[i].present} for i in ids}
    calibrated = []
    for index, concept_id in enumerate(ids):
        subjects = found[concept_id]
        positives, negatives = [], []
        for number, subject in enumerate(subjects):
            left_out = directions.clone()
            rest = [f.reference.features.patches[f.cells] for n, f in enumerate(subjects) if n != number]
            if rest:
                # Scored by the direction of its other photos, as a photo always fits its own patches best.
                left_out[index] = concept_direction(torch.cat(rest))
            location_map = suppress_rivals(location_maps(subject.reference.features.patches, left_out))[index]
            positives.append(_score(location_map) - (0.0 if rest else SELF_SCORE_DISCOUNT))
            # A ring of one cell around the subject is left out too: the edges of masks are not exact.
            away = location_map.masked_fill(_grown(subject.cells), -1.0)
            if int((away > -1.0).sum()) >= 3:
                negatives.append(_score(away))
        rivals = [f.reference for i in ids if i != concept_id for f in found[i]]
        photos = [r.features for r in rivals if r.key not in keys[concept_id]] + list(others)
        for features in photos:
            maps = suppress_rivals(location_maps(features.patches, directions))  # [concepts, rows, cols]
            negatives.append(_score(maps[index]))
        shown, absent = (
            [_corrected_score(photo, directions, index) for photo in photos]
            for photos in (said[concept_id].present, said[concept_id].absent)
        )
        calibration = calibrate(
            *with_corrections(
                torch.tensor(positives),
                torch.tensor(negatives or [0.0]),
                corrected_positives=torch.tensor(shown),
                corrected_negatives=torch.tensor(absent),
            )
        )
        above, below = (
            sum(score >= calibration.threshold for score in scores) / max(1, len(scores))
            for scores in (positives, negatives)
        )
        calibrated.append(
            replace(bank.concepts[concept_id], calibration=calibration, separation=above - below)
        )
    return bank.with_concepts(calibrated)


def _corrected_score(photo: Reference, directions: Tensor, index: int) -> float:
    """The score of a concept on a corrected photo; where the user said where, of that part alone."""
    location_map = suppress_rivals(location_maps(photo.features.patches, directions))[index]
    if photo.mask is not None:
        grid = (location_map.shape[0], location_map.shape[1])
        cells = mask_cells(photo.mask, grid, photo.features.frame)
        location_map = location_map.masked_fill(~_grown(cells), -1.0)
    return _score(location_map)


def _score(location_map: Tensor) -> float:
    """The score of one `[rows, cols]` map."""
    return float(map_scores(location_map[None])[0])


def _grown(cells: Tensor) -> Tensor:
    """Bool `[rows, cols]` cells with a ring of one cell around them."""
    return torch.nn.functional.max_pool2d(cells[None].float(), 3, stride=1, padding=1)[0].bool()
