"""One ingredient changed at a time: masks, distractors, talk of looks, the order of photo and concepts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from photopal.lab.experiments.conditions import ExperimentContext, one_name_each, tune_jointly
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import Region, tuning_concepts
from photopal.lab.experiments.photo_store import PhotoStore
from photopal.lab.experiments.results import Experiment, Figures, Results, Run, Section, Table, mean_of
from photopal.lab.experiments.tables import compare, differences, rests_on
from photopal.lab.experiments.tasks import evaluate_tasks
from photopal.tuning import tune_bank
from photopal.vlm.placeholders import PLACEHOLDER_PATTERN
from photopal.vlm.protocol import ChatPrompt, EncodedPrompt, PhotoFeatures, VisionModel

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

ABLATIONS = "ablations"
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
    "masks, tuned": "unchanged",
    "boxes, tuned": "boxes for masks",
    "no masks, tuned": "no masks",
    "one name a prompt": "one name per prompt, no distractors",
    "no looks": "no questions about appearance",
}


def compute_ablations(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Learn one scenario as it is and with each change."""
    dataset, scenario = context.scenario(run)
    seed, options = run.seed, context.plan.tune(run.seed)
    banks, facts = {}, {}
    taught = {region: context.register(dataset, scenario, seed, region=region) for region in REGIONS}
    for region, words in REGIONS.items():
        photos = context.tuning_photos(dataset, taught[region], seed)
        tuned = tune_jointly(context, taught[region], photos, options)
        banks[f"{words}, registered"] = (taught[region], taught[region].registered)
        banks[f"{words}, tuned"] = (taught[region], tuned.bank)
        facts[f"{words}, tuned"] = tuned.steps
    learned = taught["mask"]
    photos = context.tuning_photos(dataset, learned, seed)
    concepts = tuning_concepts(learned.concepts)
    single = one_name_each(photos, list(concepts))
    larger = replace(options, batch_photos=max(1, round(options.batch_photos * len(single) / len(photos))))
    alone, report = context.tune(learned, single, larger)
    silent = {i: replace(concept, descriptions=()) for i, concept in concepts.items()}
    without, _ = context.tune(learned, photos, options, concepts=silent)
    banks |= {"one name a prompt": (learned, alone), "no looks": (learned, without)}
    facts["one name a prompt"] = report.steps
    conditions = {
        condition: context.evaluate(dataset, one, bank, INGREDIENT_TASKS, seed)
        for condition, (one, bank) in banks.items()
    }
    return conditions, {"steps": facts}


def summarize_ablations(results: Results, plan: Plan) -> Section:
    """Each change beside what it changes."""
    runs = list(results[ABLATIONS])
    registered = {f"{words}, registered": words for words in REGIONS.values()}
    base = "masks, tuned"
    pairs = [(base, condition) for condition in TUNED if condition != base]
    tables = (
        compare("Masks, boxes or nothing: registered only", runs, registered, INGREDIENT_FIGURES),
        compare("One ingredient changed, tuned", runs, TUNED, INGREDIENT_FIGURES),
        differences("Effect of each ingredient, paired", runs, pairs, INGREDIENT_FIGURES, TUNED),
    )
    about = (
        "A prompt with one name contains somebody who is in the photo or somebody who is not; there are "
        "twice as many such prompts, and twice as many per update. Without masks, the subject is what "
        "recurs across its photos. Questions about appearance are trained with the photo in the prompt; "
        "the authors' conversations have no photo, and the questions without photos are closest to them."
    )
    return Section("Ingredients", about, tables)


ABLATION_EXPERIMENT = Experiment(ABLATIONS, compute_ablations, summarize_ablations)


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
        # What comes before the photo changes the photo's keys and values.
        self.extends_prefixes = self.supports_prefix = self.supports_batches = False

    def __getattr__(self, name: str) -> Any:
        """Everything else, of the model."""
        return getattr(self._model, name)

    def encode_prompt(
        self,
        prompt: ChatPrompt,
        features: PhotoFeatures | None = None,
        *,
        answer: str | None = None,
        begun: str = "",
    ) -> EncodedPrompt:
        """The prompt with its concept block moved into the system message."""
        return self._model.encode_prompt(system_first(prompt), features, answer=answer, begun=begun)


def system_first(prompt: ChatPrompt) -> ChatPrompt:
    """Move the concept block that a prompt begins with into the system message."""
    block = _BLOCK.match(prompt.user)
    if block is None:
        return prompt
    return replace(prompt, user=prompt.user[block.end() :], system=block[0].strip())


def compute_order(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune and ask one scenario in either order."""
    dataset, scenario = context.scenario(run)
    seed = run.seed
    learned = context.register(dataset, scenario, seed)
    photos = context.tuning_photos(dataset, learned, seed)
    options = replace(context.plan.tune(seed), epochs=context.plan.order_epochs, variants=1)
    models: Sequence[VisionModel] = (context.model, cast("VisionModel", SystemFirst(context.model)))
    conditions: dict[str, Figures] = {}
    seconds = {}
    for order, model in zip(ORDERS, models, strict=True):
        store = context.store if model is context.model else PhotoStore(model)
        started = time.process_time()
        tuned, _ = tune_bank(model, learned.registered, tuning_concepts(learned.concepts), photos, options)
        seconds[order] = time.process_time() - started
        for how, bank in (("registered", learned.registered), ("tuned", tuned)):
            evaluator = Evaluator(store, learned, bank, seed=seed)
            conditions[f"{order}, {how}"] = evaluate_tasks(evaluator, dataset, ORDER_TASKS, seed=seed)
    return conditions, {"tuning_cpu_s": seconds}


def summarize_order(results: Results, plan: Plan) -> Section:
    """Either order, registered and tuned, and what tuning costs in each."""
    runs = list(results[ORDER])
    conditions = {
        f"{o}, {how}": f"{words}, {how}" for how in ("registered", "tuned") for o, words in ORDERS.items()
    }
    pairs = [(f"image first, {how}", f"system first, {how}") for how in ("registered", "tuned")]
    rows = tuple(
        (words, str(mean_of(runs, lambda r, o=order: r.facts["tuning_cpu_s"][o])))  # type: ignore[misc]
        for order, words in ORDERS.items()
    )
    note = f"{rests_on(runs)}. {plan.order_epochs} passes, the same questions."
    tables = (
        compare("Order of photo and concepts", runs, conditions, ORDER_FIGURES),
        differences("Photo first − concepts first, paired", runs, pairs, ORDER_FIGURES, conditions),
        Table("CPU seconds of tuning", ("order", "seconds"), rows, note),
    )
    about = (
        f"Both orders are tuned for {plan.order_epochs} passes. The bundled model was trained with the photo "
        "first, which a model of the hub need not be."
    )
    return Section("Photo first or concepts first", about, tables)


ORDER_EXPERIMENT = Experiment(ORDER, compute_order, summarize_order)
