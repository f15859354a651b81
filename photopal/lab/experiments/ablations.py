"""One ingredient changed at a time: masks, distractors, talk of looks, the order of photo and concepts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from photopal.lab.experiments.conditions import Bench, one_name_each, tune_jointly
from photopal.lab.experiments.evaluator import Examiner
from photopal.lab.experiments.photo_store import Shelf
from photopal.lab.experiments.registration import Region, told_concepts
from photopal.lab.experiments.results import Cell, Experiment, Figures, Results, Section, Table, mean_of
from photopal.lab.experiments.tables import compare, differences, rests_on
from photopal.lab.experiments.tasks import examine
from photopal.tuning import tune_bank
from photopal.vlm.placeholders import PLACEHOLDER_PATTERN
from photopal.vlm.protocol import ChatPrompt, EncodedPrompt, PhotoFeatures, VisionModel

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

INGREDIENTS = "ingredients"
INGREDIENT_TASKS = ("recognition", "places", "choice", "caption")
INGREDIENT_FIGURES = (
    "recognition: weighted",
    "recognition: AUROC of p(yes)",
    "places: peak within the mask",
    "choice: accuracy",
    "choice: accuracy without photos",
    "caption: F1 of names, all offered",
)
REGIONS: dict[Region, str] = {"mask": "masks", "box": "boxes", "none": "no masks"}
TUNED = {
    "masks, tuned": "as it is",
    "boxes, tuned": "boxes for masks",
    "no masks, tuned": "no masks",
    "one name a prompt": "one name a prompt, no distractors",
    "no looks": "no conversations about looks",
}


def run_ingredients(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Learn one scenario as it is and with each change."""
    dataset, scenario = bench.scenario(cell)
    seed, options = cell.seed, bench.plan.tune(cell.seed)
    banks, facts = {}, {}
    taught = {region: bench.register(dataset, scenario, seed, region=region) for region in REGIONS}
    for region, words in REGIONS.items():
        photos = bench.lessons(dataset, taught[region], seed)
        tuned = tune_jointly(bench, taught[region], photos, options)
        banks[f"{words}, registered"] = (taught[region], taught[region].registered)
        banks[f"{words}, tuned"] = (taught[region], tuned.bank)
        facts[f"{words}, tuned"] = tuned.steps
    learned = taught["mask"]
    photos = bench.lessons(dataset, learned, seed)
    told = told_concepts(learned.concepts)
    single = one_name_each(photos, list(told))
    larger = replace(options, batch_photos=max(1, round(options.batch_photos * len(single) / len(photos))))
    alone, report = bench.tune(learned, single, larger)
    silent = {i: replace(concept, descriptions=()) for i, concept in told.items()}
    without, _ = bench.tune(learned, photos, options, concepts=silent)
    banks |= {"one name a prompt": (learned, alone), "no looks": (learned, without)}
    facts["one name a prompt"] = report.steps
    arms = {
        arm: examine(Examiner(bench.shelf, one, bank, seed=seed), dataset, INGREDIENT_TASKS, seed=seed)
        for arm, (one, bank) in banks.items()
    }
    return arms, {"steps": facts}


def tell_ingredients(results: Results, plan: Plan) -> Section:
    """Each change beside what it changes."""
    cells = list(results[INGREDIENTS])
    registered = {f"{words}, registered": words for words in REGIONS.values()}
    base = "masks, tuned"
    pairs = [(base, arm) for arm in TUNED if arm != base]
    tables = (
        compare("Masks, boxes, nothing: registered only", cells, registered, INGREDIENT_FIGURES),
        compare("One ingredient changed, tuned", cells, TUNED, INGREDIENT_FIGURES),
        differences("What each ingredient gives, paired", cells, pairs, INGREDIENT_FIGURES, TUNED),
    )
    about = (
        "A prompt with one name holds the one who is there, or one who is not; such prompts are twice as "
        "many and come twice as many an update. Without masks the subject is what recurs across its photos. "
        "Talk of looks is tuned on with the photo at hand; the authors' conversations have none, which the "
        "questions without photos come nearest to."
    )
    return Section("Ingredients", about, tables)


INGREDIENT_EXPERIMENT = Experiment(INGREDIENTS, run_ingredients, tell_ingredients)


ORDER = "order"
ORDER_TASKS = ("recognition", "choice")
ORDER_FIGURES = ("recognition: weighted", "recognition: AUROC of p(yes)", "choice: accuracy")
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


def run_order(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
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
            arms[f"{order}, {how}"] = examine(examiner, dataset, ORDER_TASKS, seed=seed)
    return arms, {"tuning_cpu_s": seconds}


def tell_order(results: Results, plan: Plan) -> Section:
    """Either order, registered and tuned, and what tuning costs in each."""
    cells = list(results[ORDER])
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
        compare("Order of photo and concepts", cells, arms, ORDER_FIGURES),
        differences("Photo first − concepts first, paired", cells, pairs, ORDER_FIGURES, arms),
        Table("Processor seconds of tuning", ("order", "seconds"), rows, note),
    )
    about = (
        f"Both orders are tuned for {plan.order_epochs} passes. The bundled model was trained with the photo "
        "first, which a model of the hub need not be."
    )
    return Section("Photo first or concepts first", about, tables)


ORDER_EXPERIMENT = Experiment(ORDER, run_order, tell_order)
