"""The photo before the concepts, or the concepts before it in the system message, as the authors have it.

With the concepts first nothing of the photo can be computed once for all: every question is a sequence of its
own, in tuning and in use. So both orders are tuned for fewer passes than elsewhere, and equally many.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.estimates import mean_of
from photopal.lab.experiments.exam import examine
from photopal.lab.experiments.form import Cell, Experiment, Figures, Results, Section, Table
from photopal.lab.experiments.tables import compare, differences, rests_on
from photopal.lab.runs.learning import told_concepts
from photopal.lab.runs.photos import Shelf
from photopal.lab.runs.posing import Examiner
from photopal.tuning import tune_bank
from photopal.vlm.placeholders import PLACEHOLDER_PATTERN
from photopal.vlm.protocol import ChatPrompt, EncodedPrompt, PhotoFeatures, VisionModel

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "order"
TASKS = ("recognition", "choice")
FIGURES = ("recognition: weighted", "recognition: AUROC of p(yes)", "choice: accuracy")
ORDERS = {"image first": "photo first (ours)", "system first": "concepts first, in the system message"}
_PLACEHOLDER = PLACEHOLDER_PATTERN.pattern
_BLOCK = re.compile(
    rf"^(?:{_PLACEHOLDER} is (?:{_PLACEHOLDER})+\. ?|{_PLACEHOLDER} is located at '[^']*'\. ?)+"
)


class SystemFirst:
    """A model that is told of the concepts before the photo; everything else is the model's own."""

    def __init__(self, model: VisionModel) -> None:
        self._model = model
        self.supports_prefix = False  # what comes before the photo changes the photo's keys and values

    def __getattr__(self, name: str) -> Any:
        """Everything else, of the model."""
        return getattr(self._model, name)

    def encode_prompt(
        self, prompt: ChatPrompt, features: PhotoFeatures | None = None, *, answer: str | None = None
    ) -> EncodedPrompt:
        """The prompt with its concept block moved into the system message."""
        return self._model.encode_prompt(system_first(prompt), features, answer=answer)


def system_first(prompt: ChatPrompt) -> ChatPrompt:
    """Move the concept block that a prompt begins with into the system message."""
    block = _BLOCK.match(prompt.user)
    if block is None:
        return prompt
    return replace(prompt, user=prompt.user[block.end() :], system=block[0].strip())


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune and ask one scenario in either order."""
    dataset, scenario = bench.scenario(cell)
    seed = cell.seed
    learned = bench.register(dataset, scenario, seed)
    photos = bench.lessons(dataset, learned, seed)
    options = replace(bench.plan.tune(seed), epochs=bench.plan.order_epochs, variants=1)
    models: Sequence[VisionModel] = (bench.model, cast("VisionModel", SystemFirst(bench.model)))
    arms: dict[str, Figures] = {}
    seconds = {}
    for order, model in zip(ORDERS, models, strict=True):
        shelf = bench.shelf if model is bench.model else Shelf(model)
        started = time.process_time()
        tuned, _ = tune_bank(model, learned.registered, told_concepts(learned.concepts), photos, options)
        seconds[order] = time.process_time() - started
        for how, bank in (("registered", learned.registered), ("tuned", tuned)):
            examiner = Examiner(shelf, learned, bank, seed=seed)
            arms[f"{order}, {how}"] = examine(examiner, dataset, TASKS, seed=seed)
    return arms, {"tuning_cpu_s": seconds}


def tell(results: Results, plan: Plan) -> Section:
    """Either order, registered and tuned, and what tuning costs in each."""
    cells = list(results[NAME])
    arms = {
        f"{o}, {how}": f"{words}, {how}" for how in ("registered", "tuned") for o, words in ORDERS.items()
    }
    pairs = [(f"image first, {how}", f"system first, {how}") for how in ("registered", "tuned")]
    rows = tuple(
        (words, str(mean_of(cells, lambda r, o=order: r.facts["tuning_cpu_s"][o])))  # type: ignore[misc]
        for order, words in ORDERS.items()
    )
    note = f"{rests_on(cells)}. {plan.order_epochs} passes, the same questions."
    tables = (
        compare("Order of photo and concepts", cells, arms, FIGURES),
        differences("Photo first − concepts first, paired", cells, pairs, FIGURES, arms),
        Table("Processor seconds of tuning", ("order", "seconds"), rows, note),
    )
    about = (
        f"Both orders are tuned for {plan.order_epochs} passes. The bundled model was trained with the photo "
        "first, which a model of the hub need not be."
    )
    return Section("Photo first or concepts first", about, tables)


EXPERIMENT = Experiment(NAME, run, tell)
