"""What others would do with the same photos: words for looks, retrieval by whole photos; trains nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.lab.datasets.form import Dataset, Scenario
from photopal.lab.experiments.exam import rows_of
from photopal.lab.experiments.form import Figures
from photopal.lab.metrics.yes_no import choose_threshold
from photopal.lab.runs.learning import Learned
from photopal.lab.runs.outcomes import Recognised
from photopal.lab.runs.photos import Shelf
from photopal.lab.runs.posing import Control, Examiner, Pose
from photopal.lab.runs.recognition import list_questions, list_validation
from photopal.prompts import build_prompt, recognition_question, write_names
from photopal.vlm.placeholders import name_placeholder
from photopal.vlm.protocol import EncodedPrompt, PhotoFeatures

_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_BEFORE, _AFTER = recognition_question("|").split("|")
THRESHOLD_FREE = ("AUROC of p(yes)", "FPR at recall 0.9", "own threshold")
"""The figures that need no p(yes): those that take a threshold from validation photos, or none."""


class DescribingExaminer(Examiner):
    """Asks for looks in words, "Is there an adult with red hair in this photo?", and uses no learned row.

    No name is in a question, as none of them means anything to the model.
    """

    def __init__(self, shelf: Shelf, learned: Learned, bank: Bank, *, seed: int) -> None:
        super().__init__(shelf, learned, bank, seed=seed)
        self._looks = {one.name: one.about.strip().rstrip(".") for one in learned.concepts if one.about}

    def pose(
        self, path: Path | None, names: Sequence[str], control: Control = "asked", *, has_marks: bool = True
    ) -> Pose:
        """The bare photo."""
        return Pose((), (), None, self._plain(path))

    def encode(self, pose: Pose, text: str) -> EncodedPrompt:
        """The question with looks in the place of names."""
        prompt = build_prompt(self.in_words(text), has_image=pose.features is not None)
        return self.model.encode_prompt(prompt, pose.features)

    def in_words(self, text: str) -> str:
        """A question that calls concepts by their looks.

        Recognition asks whether there is somebody who looks so; every other question speaks of the one who
        does.
        """
        if text.startswith(_BEFORE) and text.endswith(_AFTER):
            names = text.removeprefix(_BEFORE).removesuffix(_AFTER)
            return f"Is there {_replaced(names, self._looks)}{_AFTER}"
        the = {name: f"the {_ARTICLE.sub('', looks)}" for name, looks in self._looks.items()}
        return _replaced(text, the)


def _replaced(text: str, words: Mapping[str, str]) -> str:
    """A text with other words for the whole names in it."""
    written = write_names(text, list(words))
    for slot, looks in enumerate(words.values()):
        written = written.replace(name_placeholder(slot), looks)
    return written


def retrieve(shelf: Shelf, dataset: Dataset, scenario: Scenario, *, seed: int) -> Figures:
    """Recognition by the cosine of whole photos with a concept's training photos; no model is asked.

    The threshold comes from validation photos. A cosine is no p(yes), so there are no figures at p = 0.5.
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
        outcomes.append(Recognised(one.kind, one.is_there, one.authors_say, score, threshold, one.negative))
    told = rows_of("recognition", outcomes)
    return {figure: rows for figure, rows in told.items() if any(one in figure for one in THRESHOLD_FREE)}


def global_feature(features: PhotoFeatures) -> Tensor:
    """One unit vector `[width]` for a whole photo."""
    patches = features.patches.flatten(0, 1)
    return torch.nn.functional.normalize(torch.nn.functional.normalize(patches, dim=-1).mean(dim=0), dim=0)
