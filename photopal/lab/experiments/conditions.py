"""What runs are computed on, the ways to tune a scenario that are compared, and training-free baselines."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.drawn_dataset import write_drawn
from photopal.lab.datasets.scenario import Dataset, DatasetPhoto, Scenario
from photopal.lab.experiments.evaluator import Control, Evaluator, PromptSetup
from photopal.lab.experiments.learned_scenario import (
    MOST_NEGATIVES,
    LearnedScenario,
    LearningOptions,
    Region,
    learn,
    negatives_for,
    tuning_concepts,
    tuning_photos,
)
from photopal.lab.experiments.measures import RecognitionResult
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.plan import Plan
from photopal.lab.experiments.recognition import list_questions, list_validation
from photopal.lab.experiments.results import Figures, Run
from photopal.lab.experiments.tasks import evaluate_tasks, rows_of
from photopal.lab.metrics.yes_no import choose_threshold
from photopal.prompts import build_prompt, recognition_question
from photopal.prompts.words import describe_names, replace_names
from photopal.tuning import (
    TuneOptions,
    TuningConcept,
    TuningPhoto,
    TuningReport,
    TuningStart,
    choose_start,
    tune_bank,
    tune_from_best_start,
)
from photopal.vlm.protocol import EncodedPrompt, PhotoFeatures, VisionModel


def draw_scenes(plan: Plan, folder: Path, seed: int) -> Path:
    """The scenes of a seed on disk, drawn where they are not there yet."""
    root = folder / f"scenes-{seed}"
    if not root.is_dir():
        part = folder / f"scenes-{seed}.{os.getpid()}.part"
        shutil.rmtree(part, ignore_errors=True)
        write_drawn(part, plan.drawn, seed=seed)
        part.rename(root)
    return root


class ExperimentContext:
    """Model, photos and plan; every photo is encoded once and shared by all conditions of a run.

    Args:
        model: The frozen model.
        plan: How much of everything.
        folder: Where the scenes are drawn.
    """

    def __init__(self, model: VisionModel, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.store = PhotoStore(remember(model))
        self.model = self.store.model
        self._folder = folder
        self.dataset: Callable[[int], Dataset] = lru_cache(maxsize=len(plan.seeds))(self._load)

    def _load(self, seed: int) -> Dataset:
        return load_dataset(draw_scenes(self.plan, self._folder, seed), seed=seed)

    def scenario(self, run: Run) -> tuple[Dataset, Scenario]:
        """The scenario of a run, with the dataset it is of."""
        dataset = self.dataset(run.seed)
        return dataset, dataset.scenarios[run.index]

    def register(
        self,
        dataset: Dataset,
        scenario: Scenario,
        seed: int,
        *,
        region: Region = "mask",
        tokens: int = 16,
        initialization: str = "kmeans",
    ) -> LearnedScenario:
        """Register a scenario without training."""
        how = RegisterOptions(tokens=tokens, seed=seed, initialization=initialization)
        return learn(self.store, dataset, scenario, LearningOptions(None, how, region=region))

    def negatives(self, dataset: Dataset, scenario: Scenario, seed: int) -> list[DatasetPhoto]:
        """The training photos of nobody."""
        return negatives_for(dataset, scenario, seed)[:MOST_NEGATIVES]

    def negative_features(self, dataset: Dataset, scenario: Scenario, seed: int) -> list[PhotoFeatures]:
        """The same, encoded."""
        return self.store.features([photo.path for photo in self.negatives(dataset, scenario, seed)])

    def tuning_photos(self, dataset: Dataset, learned: LearnedScenario, seed: int) -> list[TuningPhoto]:
        """What tuning learns from."""
        negatives = negatives_for(dataset, learned.scenario, seed)
        return tuning_photos(self.store, learned.registered, learned.scenario.concepts, negatives)

    def tune(
        self,
        learned: LearnedScenario,
        photos: Sequence[TuningPhoto],
        options: TuneOptions,
        *,
        concepts: dict[int, TuningConcept] | None = None,
        bank: Bank | None = None,
    ) -> tuple[Bank, TuningReport]:
        """Tune concepts of a scenario, all of them by default, together, as the product does."""
        chosen = tuning_concepts(learned.concepts) if concepts is None else concepts
        registered = learned.registered if bank is None else bank
        return tune_from_best_start(self.model, registered, chosen, photos, options)

    def start(
        self, learned: LearnedScenario, photos: Sequence[TuningPhoto], options: TuneOptions
    ) -> TuningStart:
        """What the joint run of a scenario starts from, for others to start from too."""
        concepts = tuning_concepts(learned.concepts)
        return choose_start(self.model, learned.registered, concepts, photos, options)

    def evaluate(
        self,
        dataset: Dataset,
        learned: LearnedScenario,
        bank: Bank,
        tasks: Sequence[str],
        seed: int,
    ) -> Figures:
        """Run tasks with a bank of a scenario."""
        return evaluate_tasks(Evaluator(self.store, learned, bank, seed=seed), dataset, tasks, seed=seed)

    def before_and_after(
        self, dataset: Dataset, learned: LearnedScenario, tasks: Sequence[str], seed: int
    ) -> dict[str, Figures]:
        """Run tasks with the concepts as "registered", and as "tuned" jointly."""
        tuned, _ = self.tune(learned, self.tuning_photos(dataset, learned, seed), self.plan.tune(seed))
        banks = {"registered": learned.registered, "tuned": tuned}
        return {way: self.evaluate(dataset, learned, bank, tasks, seed) for way, bank in banks.items()}

    def with_bank(self, learned: LearnedScenario, bank: Bank) -> LearnedScenario:
        """What was learned, with another bank."""
        return replace(learned, tuned=bank)

    def forget(self) -> None:
        """Close the photos of a run."""
        self.store.clear()


@dataclass(frozen=True, eq=False)
class Tuned:
    """A bank, the updates each of its concepts was given, and the seconds it took."""

    bank: Bank
    steps: int
    seconds: float


def tune_jointly(
    context: ExperimentContext, learned: LearnedScenario, photos: Sequence[TuningPhoto], options: TuneOptions
) -> Tuned:
    """All concepts together, as the product does (MC-LLaVA, section 3.2)."""
    bank, report = context.tune(learned, photos, options)
    return Tuned(bank, report.steps, report.seconds)


def tune_apart(
    context: ExperimentContext,
    learned: LearnedScenario,
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    has_others: bool = True,
) -> Tuned:
    """Each concept in a run of its own, alone in its prompts; the rows are put together afterwards.

    Args:
        context: Has the model.
        learned: Registered concepts.
        photos: What the joint run learns from.
        options: Those of the joint run; each concept gets as many updates as there.
        has_others: Whether the other concepts' photos are negatives, as in the joint run; else only those of
            nobody, as Yo'LLaVA learns each concept.
    """
    # What all start from is chosen once, or a concept alone could be tuned in another way than together.
    start = context.start(learned, photos, options)
    bank, options, seconds, steps = start.bank, start.options, 0.0, 0
    concepts = tuning_concepts(learned.concepts)
    updates = -(-len(photos) // options.batch_photos)
    for concept_id in concepts:
        mine = [photo for photo in photos if has_others or photo.present <= {concept_id}]
        batch = max(1, round(len(mine) / updates))
        only = {concept_id: concepts[concept_id]}
        alone, report = tune_bank(context.model, start.bank, only, mine, replace(options, batch_photos=batch))
        bank = bank.with_concepts([alone.concepts[concept_id]])
        seconds, steps = seconds + report.seconds, max(steps, report.steps)
    return Tuned(bank, steps, seconds)


def one_name_each(photos: Sequence[TuningPhoto], concept_ids: Sequence[int]) -> list[TuningPhoto]:
    """Photos whose prompts hold one name only: of who is there, and again with one who is not.

    Twice as many photos; with twice as many a batch the updates are as many as before.
    """
    single: list[TuningPhoto] = []
    for number, photo in enumerate(photos):
        absent = [i for i in concept_ids if i not in photo.present | photo.likely]
        if photo.present:
            single.append(replace(photo, likely=frozenset(concept_ids) - photo.present))
        if absent:
            asked = absent[number % len(absent)]
            others = frozenset(concept_ids) - {asked}
            key = f"{photo.key} without"
            single.append(replace(photo, key=key, present=frozenset(), likely=others))
    return single


_BEFORE, _AFTER = recognition_question("|").split("|")
THRESHOLD_FREE = ("AUROC of p(yes)", "FPR at recall 0.9", "own threshold")
"""The figures that need no p(yes): those that take a threshold from validation photos, or none."""


class DescribingEvaluator(Evaluator):
    """Describes in words, "Is there an adult with red hair in this photo?", and uses no learned row.

    No name is in a question, as none of them means anything to the model.
    """

    def __init__(self, store: PhotoStore, learned: LearnedScenario, bank: Bank, *, seed: int) -> None:
        super().__init__(store, learned, bank, seed=seed)
        self._looks = {one.name: one.about.strip().rstrip(".") for one in learned.concepts if one.about}

    def set_up(
        self, path: Path | None, names: Sequence[str], control: Control = "asked", *, has_marks: bool = True
    ) -> PromptSetup:
        """The bare photo."""
        return PromptSetup((), (), None, self._plain(path))

    def encode(self, setup: PromptSetup, text: str) -> EncodedPrompt:
        """The question with looks in the place of names."""
        prompt = build_prompt(self.in_words(text), has_image=setup.features is not None)
        return self.model.encode_prompt(prompt, setup.features)

    def in_words(self, text: str) -> str:
        """A question that calls concepts by their looks.

        Recognition asks whether there is somebody who looks so; every other question speaks of the one who
        does.
        """
        if text.startswith(_BEFORE) and text.endswith(_AFTER):
            names = text.removeprefix(_BEFORE).removesuffix(_AFTER)
            return f"Is there {replace_names(names, self._looks)}{_AFTER}"
        return describe_names(text, self._looks)


def retrieve(store: PhotoStore, dataset: Dataset, scenario: Scenario, *, seed: int) -> Figures:
    """Recognition by the cosine of whole photos with a concept's training photos; no model is asked.

    The threshold comes from validation photos. A cosine is no p(yes), so there are no figures at p = 0.5.
    """
    known = {
        concept.name: torch.nn.functional.normalize(
            torch.stack([global_feature(f) for f in store.features([p.path for p in concept.train])]).mean(0),
            dim=0,
        )
        for concept in scenario.concepts
    }

    def likeness(path: Path, names: Sequence[str]) -> float:
        [features] = store.features([path])
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
        outcomes.append(
            RecognitionResult(
                kind=one.kind,
                is_there=one.is_there,
                authors_say=one.authors_say,
                probability=score,
                threshold=threshold,
                negative=one.negative,
            )
        )
    figures = rows_of("recognition", outcomes)
    return {figure: rows for figure, rows in figures.items() if any(one in figure for one in THRESHOLD_FREE)}


def global_feature(features: PhotoFeatures) -> Tensor:
    """One unit vector `[width]` for a whole photo."""
    patches = features.patches.flatten(0, 1)
    return torch.nn.functional.normalize(torch.nn.functional.normalize(patches, dim=-1).mean(dim=0), dim=0)
