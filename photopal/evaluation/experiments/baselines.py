"""What others would do with the same photos: words for looks, retrieval by whole photos; trains nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.evaluation.datasets.form import Dataset, Scenario
from photopal.evaluation.experiments.exam import rows_of
from photopal.evaluation.experiments.form import Figures
from photopal.evaluation.metrics.yes_no import choose_threshold
from photopal.evaluation.runs.learning import Learned
from photopal.evaluation.runs.outcomes import Recognised
from photopal.evaluation.runs.photos import Shelf
from photopal.evaluation.runs.posing import Control, Examiner, Pose
from photopal.evaluation.runs.recognition import list_questions, list_validation
from photopal.prompts import build_prompt
from photopal.vision.protocol import EncodedPrompt, PhotoFeatures

STEEPNESS = 50.0


class DescribingExaminer(Examiner):
    """Introduces everyone in words, "Anna is an adult with red hair.", and uses no learned row."""

    def __init__(self, shelf: Shelf, learned: Learned, bank: Bank, *, seed: int) -> None:
        super().__init__(shelf, learned, bank, seed=seed)
        told = [f"{concept.name} is {concept.about}." for concept in learned.concepts if concept.about]
        self._words = " ".join(told)

    def pose(
        self, path: Path | None, names: Sequence[str], control: Control = "asked", *, has_marks: bool = True
    ) -> Pose:
        """The bare photo."""
        return Pose((), (), None, self._plain(path))

    def encode(self, pose: Pose, text: str) -> EncodedPrompt:
        """The question after the descriptions."""
        prompt = build_prompt(f"{self._words} {text}", has_image=pose.features is not None)
        return self.model.encode_prompt(prompt, pose.features)


def retrieve(shelf: Shelf, dataset: Dataset, scenario: Scenario, *, seed: int) -> Figures:
    """Recognition by the cosine of whole photos with a concept's training photos; no model is asked.

    The threshold comes from validation photos. For the authors' figure, which decides at 0.5, the cosine is
    put on a scale on which the threshold is 0.5.
    """
    known = {
        concept.name: torch.nn.functional.normalize(
            torch.stack([global_feature(f) for f in shelf.features([p.path for p in concept.train])]).mean(0),
            dim=0,
        )
        for concept in scenario.concepts
    }

    def likeness(path: Path, names: Sequence[str]) -> float:
        [features] = shelf.features([path])
        whole = global_feature(features)
        return min(float(whole @ known[name]) for name in names)

    tried = [(one.is_there, likeness(one.photo, one.names)) for one in list_validation(dataset, scenario)]
    threshold = choose_threshold(
        [score for is_there, score in tried if is_there],
        [score for is_there, score in tried if not is_there],
    )
    outcomes = []
    for one in list_questions(dataset, scenario, seed=seed):
        score = likeness(one.photo, one.names)
        share = 1 / (1 + math.exp(-STEEPNESS * (score - threshold)))
        outcomes.append(Recognised(one.kind, one.is_there, one.authors_say, share, 0.5, one.negative))
    told = rows_of("recognition", outcomes)
    told.pop("recognition: ECE of p(yes)", None)  # it is no probability
    return told


def global_feature(features: PhotoFeatures) -> Tensor:
    """One unit vector `[width]` for a whole photo."""
    patches = features.patches.cpu().float().flatten(0, 1)
    return torch.nn.functional.normalize(torch.nn.functional.normalize(patches, dim=-1).mean(dim=0), dim=0)
