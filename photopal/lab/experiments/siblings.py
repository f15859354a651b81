"""Lookalikes by the attribute in which they differ: what the model's Yes is worth, and the whole decision.

Each run draws somebody and a sibling who differs in one attribute, and test photos on which the sibling
stands in the same place, pose and clothes. The sibling is a stranger, as in most libraries, or registered
too; and the embeddings are registered, or tuned.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets.drawn_scenarios import (
    CALIBRATION_NEGATIVES,
    LEAST_DIFFERENCE,
    TRIES,
    Family,
    difference,
    draw_others,
    draw_visible,
    in_place_of,
)
from photopal.lab.datasets.scenario import ConceptRegion, DatasetConcept, DatasetPhoto, Scenario
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import LearnedScenario, register_family, tune_family
from photopal.lab.experiments.photo_store import PhotoStore
from photopal.lab.experiments.recognition import RecognitionQuestion, recognize
from photopal.lab.experiments.results import (
    Estimate,
    Experiment,
    Figures,
    Result,
    Results,
    Run,
    Section,
    Table,
    estimate,
)
from photopal.lab.experiments.tables import compare, differences, rests_on, shown
from photopal.lab.experiments.tasks import rows_of
from photopal.lab.synthetic.drawing import DrawnPhoto
from photopal.lab.synthetic.identity import Identity, draw_identity, is_held_out, list_lookalikes
from photopal.lab.synthetic.wording import describe_fully

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "siblings"
ATTRIBUTES = {
    "hair_color": "hair color",
    "hair_style": "hair style",
    "glasses": "glasses",
    "beard": "beard",
    "skin": "skin",
    "coat": "coat color",
    "second_coat": "second coat color",
    "pattern": "coat pattern",
    "ears": "ears",
}
"""What siblings may differ in, as tables call it. A pattern brings a color along for pets that had none."""

_OF_PEOPLE = 5
CONDITIONS = {
    "stranger, registered": "sibling a stranger, registered only",
    "stranger, tuned": "sibling a stranger, tuned",
    "known, registered": "sibling registered too, registered only",
    "known, tuned": "sibling registered too, tuned",
}
MODEL = "recognition: FPR at recall 0.9, sibling"
DECIDED = "recognition: FPR at recall 0.9, sibling, whole decision"
FOUND, FALSE = (
    "recognition: found by the whole decision",
    "recognition: false positives of the whole decision",
)
FIGURES = (MODEL, DECIDED, "recognition: AUROC of p(yes)", "recognition: AUROC of the maps", FOUND, FALSE)
REFERENCES = 6
TESTS = 10
STRANGERS = 16
_SIZE_PX = 256


@dataclass(frozen=True, eq=False)
class Siblings:
    """Two who differ in one attribute.

    Attributes:
        attribute: Which.
        family: Both as concepts, with reference photos, and photos of strangers.
        pairs: Test photos: of the first, and of the second in the first's place.
    """

    attribute: str
    family: Family
    pairs: tuple[tuple[Path, Path], ...]

    @property
    def first_alone(self) -> Family:
        """The family in which only the first is registered."""
        scenario = replace(self.family.scenario, concepts=self.family.scenario.concepts[:1])
        return replace(self.family, scenario=scenario, cast=self.family.cast[:1])


def differing_attribute(one: Identity, other: Identity) -> str:
    """In what two siblings differ; for two fields that change together, that which is listed later."""
    fields = [name for name in ATTRIBUTES if getattr(one, name, None) != getattr(other, name, None)]
    return "coat" if "coat" in fields else fields[-1]


def draw_siblings(seed: str, attribute: str) -> Siblings:
    """Draw two who differ in an attribute, both held out from training; the same seed, the same photos."""
    rng = random.Random(seed)
    cast = _draw_cast(rng, attribute)
    images: dict[Path, Image.Image] = {}

    def kept(name: str, photo: DrawnPhoto) -> Path:
        images[Path(name)] = photo.image
        return Path(name)

    concepts = []
    for index, (name, identity) in enumerate(zip(("Anna", "Ben"), cast, strict=True)):
        train = []
        for number in range(REFERENCES):
            photo = _shown(identity, cast, rng)
            at = next(n for n, s in enumerate(photo.scene.subjects) if s.identity == identity)
            path = kept(f"{index}-{number}", photo)
            train.append(DatasetPhoto(path, {name: ConceptRegion(photo.mask(at))}))
        concepts.append(DatasetConcept(name, identity.kind, describe_fully(identity), tuple(train)))
    pairs = []
    for number in range(TESTS):
        photo, other = _pair(cast, rng)
        pairs.append((kept(f"t-{number}", photo), kept(f"t-{number}-sibling", other)))
    strangers = [
        DatasetPhoto(
            kept(f"s-{number:02}", draw_visible(draw_others(1, rng, avoid=cast), rng, size_px=_SIZE_PX))
        )
        for number in range(STRANGERS)
    ]
    family = Family(
        scenario=Scenario(f"{attribute} {seed}", tuple(concepts), group="lookalike"),
        cast=cast,
        tests=(),
        calibration=tuple(strangers[:CALIBRATION_NEGATIVES]),
        negatives=tuple(strangers[CALIBRATION_NEGATIVES:]),
        images=images,
    )
    return Siblings(attribute, family, tuple(pairs))


def _draw_cast(rng: random.Random, attribute: str) -> tuple[Identity, Identity]:
    kind = "person" if list(ATTRIBUTES).index(attribute) < _OF_PEOPLE else "pet"
    while True:
        identity = draw_identity(rng, held_out=True, kind=kind)  # type: ignore[arg-type]
        siblings = [
            one
            for one in list_lookalikes(identity)
            if differing_attribute(identity, one) == attribute and is_held_out(one)
        ]
        if siblings:
            return identity, rng.choice(siblings)


def _shown(identity: Identity, cast: Sequence[Identity], rng: random.Random) -> DrawnPhoto:
    company = draw_others(1, rng, avoid=cast) if rng.random() < 0.3 else []
    return draw_visible([identity, *company], rng, size_px=_SIZE_PX)


def _pair(cast: Sequence[Identity], rng: random.Random) -> tuple[DrawnPhoto, DrawnPhoto]:
    """A photo of the first, and the same with the second, on which the difference can be seen."""
    best: tuple[DrawnPhoto, DrawnPhoto] | None = None
    most = -1.0
    for _ in range(TRIES):
        photo = _shown(cast[0], cast, rng)
        other = in_place_of(photo, cast[0], cast[1])
        found = difference(photo, other, cast[0])
        if found > most:
            best, most = (photo, other), found
        if most >= LEAST_DIFFERENCE:
            break
    assert best is not None
    return best


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Ask for the first on photos of either, in all four conditions."""
    attribute = attribute_of(run, context.plan)
    drawn = draw_siblings(f"siblings {run.seed} {run.index}", attribute)
    store = PhotoStore(context.model, images=drawn.family.images)
    options = context.plan.tune(run.seed)
    conditions = {}
    for name, family in (("stranger", drawn.first_alone), ("known", drawn.family)):
        learned = register_family(store, family, RegisterOptions(seed=run.seed))
        tuned, _ = tune_family(store, family, learned, options)
        for how, bank in (("registered", learned.registered), ("tuned", tuned)):
            conditions[f"{name}, {how}"] = _ask(store, learned, bank, drawn.pairs)
    return conditions, {"attribute": attribute}


def attribute_of(run: Run, plan: Plan) -> str:
    """In what the siblings of a run differ: each attribute in turn, over the runs of all seeds."""
    turn = (run.index - run.seed) % plan.drawn.scenarios  # as the runner counts runs of a seed
    number = plan.seeds.index(run.seed) * plan.shares[NAME].plain + turn
    return list(ATTRIBUTES)[number % len(ATTRIBUTES)]


def _ask(
    store: PhotoStore, learned: LearnedScenario, bank: Bank, pairs: Sequence[tuple[Path, Path]]
) -> Figures:
    asked = [
        RecognitionQuestion(
            photo=path,
            names=(learned.concepts[0].name,),
            kind="si_sq",
            is_there=is_there,
            authors_say=None,
            negative=None if is_there else "sibling",
        )
        for pair in pairs
        for path, is_there in zip(pair, (True, False), strict=True)
    ]
    evaluator = Evaluator(store, learned, bank, seed=0)
    answered = recognize(evaluator, asked, "asked", threshold=0.5)
    figures = rows_of("recognition", answered)
    figures[FOUND] = [[float(one.is_seen is True)] for one in answered if one.is_there]
    figures[FALSE] = [[float(one.is_seen is True)] for one in answered if not one.is_there]
    return figures


def summarize(results: Results, plan: Plan) -> Section:
    """All lookalikes together, and the figures by attribute."""
    runs = list(results[NAME])
    pairs = [("stranger, tuned", "stranger, registered"), ("known, tuned", "known, registered")]
    pairs += [("known, tuned", "stranger, tuned")]
    tables = (
        compare("All lookalikes", runs, CONDITIONS, FIGURES),
        differences("Effect of tuning and of registering the sibling", runs, pairs, FIGURES, CONDITIONS),
        _by_attribute("By attribute: false positives of the model's Yes at recall 0.9", runs, (MODEL,)),
        _by_attribute("By attribute: false positives of the whole decision at recall 0.9", runs, (DECIDED,)),
        _by_attribute("By attribute: the whole decision, found / false positives", runs, (FOUND, FALSE)),
    )
    about = (
        "Siblings differ in one attribute, and stand in the same place, pose and clothes on the test photos. "
        "The whole decision is that of the product: the location map, and within its abstain band map and "
        'model. The column "sibling" has false positives of the model\'s Yes at recall 0.9, "sibling, whole '
        'decision" those of the sum that the product decides by, at the threshold with the same recall. On '
        "drawn photos there is no evidence from faces."
    )
    of = "lookalikes in the same place"
    verdicts = tuple(
        shown(f"{words}, {of}, {CONDITIONS[condition]}", estimate(runs, condition, figure), NAME)
        for condition in ("stranger, tuned", "known, tuned")
        for figure, words in (
            (MODEL, "FPR of the model's Yes at recall 0.9"),
            (DECIDED, "… of the whole decision at recall 0.9"),
            (FALSE, "… whole decision, as the product has it: FPR"),
        )
    )
    return Section("Lookalikes by attribute", about, tables, verdicts=verdicts)


def _by_attribute(title: str, runs: Sequence[Result], figures: Sequence[str]) -> Table:
    rows = []
    for attribute, words in ATTRIBUTES.items():
        mine = [run for run in runs if run.facts["attribute"] == attribute]
        if mine:
            cells = (
                " / ".join(_number(estimate(mine, condition, figure)) for figure in figures)
                for condition in CONDITIONS
            )
            rows.append((words, str(len(mine)), *cells))
    return Table(title, ("attribute", "siblings", *CONDITIONS.values()), tuple(rows), rests_on(runs))


def _number(found: Estimate) -> str:
    return f"{found.value:.2f}"


EXPERIMENT = Experiment(NAME, compute, summarize)
