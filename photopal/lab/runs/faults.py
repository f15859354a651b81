"""Shows that deliberate mistakes are caught: runs each beside the sound code and compares; prints nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

from photopal.errors import DatasetError
from photopal.lab.datasets.form import Dataset, Task
from photopal.lab.metrics.intervals import Interval, bootstrap, paired_bootstrap
from photopal.lab.runs.figures import pooled, scenario_values
from photopal.lab.runs.learning import FAULTS, Fault
from photopal.lab.runs.measures import MEASURES, Measure
from photopal.lab.runs.photos import remember
from photopal.lab.runs.run import EvalOptions, Evaluation, OnProgress, evaluate
from photopal.vlm.protocol import VisionModel

WATCHED: dict[Fault, tuple[tuple[str, str], ...]] = {
    "masks ignored": (
        ("places", "peak within the mask"),
        ("recognition", "AUROC of the maps"),
        ("recognition", "weighted"),
    ),
    "labels shifted": (("recognition", "weighted"), ("recognition", "AUROC of the maps")),
    "marks at random": (
        ("places", "mark at its concept"),
        ("grounding", "accuracy"),
        ("grounding", "right in all rotations"),
    ),
    "wrong rows": (("recognition", "weighted"), ("recognition", "AUROC of p(yes)")),
}
"""Which figures a mistake must show in: at least one of them; the first is the one the report claims.

Marks at random are watched where prompts have them, against the masks, and by answers, which a model that
finds concepts without marks gives as well with wrong ones.
"""


@dataclass(frozen=True)
class Caught:
    """One figure with and without a mistake.

    Attributes:
        fault: The mistake.
        task: The task.
        measure: The figure.
        sound: Without it.
        interval: Bootstrap 95 % interval of the sound figure over scenarios.
        broken: With it.
        drop: 95 % interval of the difference, the same scenarios drawn for both.
    """

    fault: Fault
    task: str
    measure: str
    sound: float
    interval: Interval
    broken: float
    drop: Interval

    @property
    def is_caught(self) -> bool:
        """Whether the figure falls below the sound one's interval, and falls in nearly all draws."""
        return self.broken < self.interval[0] and self.drop[0] > 0


def check_faults(
    model: VisionModel, dataset: Dataset, options: EvalOptions, *, on_progress: OnProgress | None = None
) -> tuple[Caught, ...]:
    """Run a dataset soundly and with each mistake.

    Args:
        model: The frozen model.
        dataset: What to run, of at least two scenarios.
        options: Settings; controls are left out.
        on_progress: Told of every run.

    Returns:
        The watched figures of each mistake.

    Raises:
        DatasetError: There are fewer than two scenarios, or a photo or mask cannot be read.
    """
    if len(dataset.scenarios[: options.scenarios]) < 2:
        raise DatasetError(f"{dataset.root}: intervals over scenarios take at least two of them")
    tasks: tuple[Task, ...] = ("recognition", "grounding")
    plain = replace(options, tasks=tasks, has_controls=False, fault=None)
    model = remember(model)
    sound = evaluate(model, dataset, plain)
    caught = []
    for number, fault in enumerate(FAULTS, start=1):
        broken = evaluate(model, dataset, replace(plain, fault=fault))
        caught += [
            _compare(fault, measure, sound, broken) for measure in MEASURES if _is_watched(fault, measure)
        ]
        if on_progress:
            on_progress(number, len(FAULTS), fault)
    return tuple(one for one in caught if not math.isnan(one.sound))


def _is_watched(fault: Fault, measure: Measure) -> bool:
    return (measure.task, measure.name) in WATCHED[fault]


def _compare(fault: Fault, measure: Measure, sound: Evaluation, broken: Evaluation) -> Caught:
    first = scenario_values(measure, sound.last, "asked")
    second = scenario_values(measure, broken.last, "asked")
    figure = partial(pooled, measure)
    return Caught(
        fault,
        measure.task,
        measure.name,
        figure(first),
        bootstrap(figure, first),
        figure(second),
        paired_bootstrap(figure, (first, second)),
    )
