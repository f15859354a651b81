"""Measures the bundled model's whole table on held-out identities, with what each line should reach."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import torch

from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photo
from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets.drawn_scenarios import Family, FamilyOptions, draw_family
from photopal.lab.experiments.assistant_evaluation import AssistantEvaluation
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import LearnedScenario, register_family, tune_family
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.tallies import Goal, Measured, Tallies
from photopal.lab.experiments.unnamed_questions import ask_plainly
from photopal.progress import OnProgress
from photopal.tuning import TuneOptions
from photopal.vlm.protocol import VisionModel

REFERENCE_PHOTOS = 5
TUNING_PHOTOS = 8
NAMES = 3


def _captions(key: str, when: str) -> tuple[Goal, ...]:
    return (
        Goal(f"{key} names", f"captions, {when}: names, F1", 0.95, "f1"),
        Goal(f"{key} exact names", f"captions, {when}: exactly the right names"),
        Goal(f"{key} place", f"captions, {when}: place right", 0.95),
        Goal(f"{key} activity", f"captions, {when}: every activity right", 0.95),
        Goal(f"{key} all", f"captions, {when}: names, place and activities right"),
    )


def _where(key: str, when: str) -> tuple[Goal, ...]:
    return (
        Goal(f"{key} side", f"where is <name>, {when}: left, middle, right", 0.95),
        Goal(f"{key} beside", f"where is <name>, {when}: beside whom", 0.95),
        Goal(f"{key} where", f"where is <name>, {when}: all", 0.95),
    )


_REGISTERED = f"registered from {REFERENCE_PHOTOS} photos"
_TUNED = "tuned"

GOALS = (
    Goal("place", "no names: place", 0.95, is_by_photo=True),
    Goal("activity", "no names: activity", 0.95, is_by_photo=True),
    Goal("clothes", "no names: clothes", 0.95, is_by_photo=True),
    Goal("outfit", "of these: the whole outfit", is_by_photo=True),
    Goal("top", "of these: colour of the top", is_by_photo=True),
    Goal("trousers", "of these: colour of the trousers", is_by_photo=True),
    Goal("hat", "of these: hat or none", is_by_photo=True),
    Goal("count", "no names: counts", 0.95, is_by_photo=True),
    Goal("plain", "no names: all four", 0.95, is_by_photo=True),
    Goal("registered", f"recognition, {_REGISTERED}: model alone", 0.90, "weighted"),
    Goal("registered assistant", f"recognition, {_REGISTERED}: assistant", 0.90, "weighted"),
    Goal("tuned", "recognition, tuned, 3 names: model alone", 0.96, "weighted"),
    Goal("tuned assistant", "recognition, tuned, 3 names: assistant", 0.96, "weighted"),
    Goal("twins tuned", "recognition, tuned, with a lookalike: model alone", 0.90, "weighted"),
    Goal("twins tuned assistant", "recognition, tuned, with a lookalike: assistant", 0.90, "weighted"),
    *_where("registered", "registered"),
    *_where("tuned", _TUNED),
    *_captions("registered", "registered"),
    *_captions("tuned", _TUNED),
    Goal("free", "free questions, registered", 0.85),
    Goal(
        key="tuning seconds",
        measure=f"seconds to tune {NAMES} names × {TUNING_PHOTOS} photos",
        target=60.0,
        figure="mean",
        is_cost=True,
    ),
    Goal(
        key="caption seconds",
        measure="seconds to caption a photo",
        target=1.0,
        figure="mean",
        is_cost=True,
        is_by_photo=True,
    ),
)
"""What the design asks for, in its order."""

REFUSALS = (
    Goal("absent", "not fooled: <name> is not in this photo"),
    Goal("twins registered sibling", "not fooled: No to a lookalike, registered: model alone"),
    Goal("twins registered assistant sibling", "not fooled: No to a lookalike, registered: assistant"),
    Goal("twins tuned sibling", "not fooled: No to a lookalike, tuned: model alone"),
    Goal("twins tuned assistant sibling", "not fooled: No to a lookalike, tuned: assistant"),
    Goal("empty", "not fooled: nobody is there"),
    Goal("strangers", "not fooled: strangers get no name"),
    Goal("missing", "not fooled: No to things that are not there", is_by_photo=True),
    Goal("found", "to compare: Yes to things that are there", is_by_photo=True),
)
"""What nobody should be fooled by. A model that always refuses is betrayed by the last line."""


_SEEDS_APART = 1000
_TUNED_SEED, _LOOKALIKES_SEED = 40, 60  # after those of the registered families
_TIMED_CAPTIONS = 20


@dataclass(frozen=True)
class BundledOptions:
    """Settings of a measurement.

    Attributes:
        questions: How many each line of the table rests on, at least.
        seed: Which photos, families and questions.
        families: Families whose names are registered and not tuned; None for what suits the questions.
        tuned: Families that are tuned, and as many again with a lookalike; None for what suits the questions.
        size_px: Side of the photos.
        tuning: Settings of tuning, apart from its seed.
    """

    questions: int = 2000
    seed: int = 0
    families: int | None = None
    tuned: int | None = None
    size_px: int = 256
    tuning: TuneOptions = field(default_factory=TuneOptions)

    @property
    def family_count(self) -> int:
        """How many families are registered."""
        return self.families or max(2, min(32, self.questions // 60))

    @property
    def tuned_count(self) -> int:
        """How many families are tuned."""
        return self.tuned or max(2, min(6, self.questions // 300))

    def seeds(self, first: int, count: int) -> list[int]:
        """Seeds of families; no two seeds of a measurement share any."""
        return [self.seed * _SEEDS_APART + first + number for number in range(count)]


@dataclass(frozen=True)
class BundledTable:
    """The table.

    Attributes:
        rows: What the design asks for, in its order.
        refusals: How often it is not fooled.
        kinds: Free questions by what they ask for.
        wordings: How many different free questions were asked.
        options: What was measured.
        model: Name and fingerprint of the model.
        threads: Threads of torch.
        seconds: How long it all took.
    """

    rows: tuple[Measured, ...]
    refusals: tuple[Measured, ...]
    kinds: tuple[Measured, ...]
    wordings: int
    options: BundledOptions
    model: tuple[str, str]
    threads: int
    seconds: float

    def facts(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


class _Progress:
    """Adds up photos."""

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self._tell, self._done, self._total = on_progress, 0, total

    def add(self, photos: int) -> None:
        """Tell of further photos."""
        self._done += photos
        if self._tell:
            self._tell(self._done, max(self._done, self._total), None)


def measure_bundled(
    model: VisionModel, options: BundledOptions, *, on_progress: OnProgress | None = None
) -> BundledTable:
    """Measure every line of the table.

    Args:
        model: The model.
        options: How much and on what.
        on_progress: Told how many photos are done.
    """
    started = time.monotonic()
    tallies = Tallies()
    tests = -(-options.questions // options.family_count)
    tuned_tests = -(-options.questions // options.tuned_count)
    lookalike_tests = -(-options.questions // (NAMES * options.tuned_count))
    named = options.family_count * tests + options.tuned_count * (tuned_tests + lookalike_tests)
    progress = _Progress(on_progress, named + int(1.6 * options.questions))
    ask_plainly(
        model,
        tallies,
        questions=options.questions,
        seed=options.seed,
        size_px=options.size_px,
        on_photos=progress.add,
    )
    wordings = _measure_registered(model, tallies, options, tests, progress)
    _measure_tuned(model, tallies, options, tuned_tests, progress)
    _measure_lookalikes(model, tallies, options, lookalike_tests, progress)
    free = [Goal(key, key) for key in sorted(tallies.keys()) if key.startswith("free ")]
    return BundledTable(
        rows=_lines(tallies, GOALS, options.seed),
        refusals=_lines(tallies, REFUSALS, options.seed),
        kinds=_lines(tallies, free, options.seed),
        wordings=wordings,
        options=options,
        model=(model.name, model.fingerprint),
        threads=torch.get_num_threads(),
        seconds=time.monotonic() - started,
    )


def _lines(tallies: Tallies, goals: Sequence[Goal], seed: int) -> tuple[Measured, ...]:
    return tuple(tallies.measure(goal, seed=seed) for goal in goals)


def _measure_registered(
    model: VisionModel, tallies: Tallies, options: BundledOptions, tests: int, progress: _Progress
) -> int:
    """Everything that registered names can be asked; returns how many free questions were used."""
    chosen = FamilyOptions(NAMES, REFERENCE_PHOTOS, tests, size_px=options.size_px, strangers=8)
    asked: Counter[str] = Counter()
    timed = 0
    for seed in options.seeds(0, options.family_count):
        family = draw_family(seed, chosen)
        store = PhotoStore(remember(model), images=family.images)
        learned = register_family(store, family, RegisterOptions(seed=seed))
        rng = random.Random(f"questions {seed}")
        evaluator = Evaluator(store, learned, learned.registered, seed=seed)
        evaluation = AssistantEvaluation(evaluator, family, tallies)
        evaluation.recognize("registered")
        _ask_where_and_caption(evaluation, "registered", rng)
        evaluation.ask_freely(asked, rng)
        evaluation.ask_plainly("absent", ["absent"], rng, most=2)
        evaluation.ask_who_where_nobody_is_known(rng)
        evaluation.finish()
        if timed < _TIMED_CAPTIONS:
            # A model that remembers no photo: encoding one is part of what captioning it takes.
            assistant = Assistant(model, learned.registered, learned.concepts)
            # Captions are timed one by one, as `photopal caption` makes them.
            most = _TIMED_CAPTIONS - timed
            for number, test in enumerate(family.tests[:most]):
                started = time.perf_counter()
                caption_photo(assistant, assistant.analyze(test.drawn.image))
                cluster = f"{family.scenario.name} {number:03}"
                tallies.add("caption seconds", cluster, time.perf_counter() - started, 1)
            timed += min(most, len(family.tests))
        progress.add(tests)
    return len(asked)


def _ask_where_and_caption(evaluation: AssistantEvaluation, key: str, rng: random.Random) -> None:
    evaluation.caption(key)
    for kind in ("side", "beside"):
        evaluation.ask_plainly(kind, [f"{key} {kind}", f"{key} where"], rng, most=2)


def _measure_tuned(
    model: VisionModel, tallies: Tallies, options: BundledOptions, tests: int, progress: _Progress
) -> None:
    chosen = FamilyOptions(NAMES, TUNING_PHOTOS, tests, size_px=options.size_px)
    for seed in options.seeds(_TUNED_SEED, options.tuned_count):
        family = draw_family(seed, chosen)
        store = PhotoStore(remember(model), images=family.images)
        learned, tuned = _learn(store, family, tallies, options, seed)
        evaluation = AssistantEvaluation(Evaluator(store, learned, tuned, seed=seed), family, tallies)
        evaluation.recognize("tuned")
        _ask_where_and_caption(evaluation, "tuned", random.Random(f"questions {seed}"))
        evaluation.finish()
        progress.add(tests)


def _measure_lookalikes(
    model: VisionModel, tallies: Tallies, options: BundledOptions, tests: int, progress: _Progress
) -> None:
    """Families whose second name looks like the first, registered and then tuned."""
    chosen = FamilyOptions(NAMES, TUNING_PHOTOS, tests, has_lookalikes=True, size_px=options.size_px)
    for seed in options.seeds(_LOOKALIKES_SEED, options.tuned_count):
        family = draw_family(seed, chosen)
        store = PhotoStore(remember(model), images=family.images)
        learned, tuned = _learn(store, family, tallies, options, seed)
        for key, bank in (("twins registered", learned.registered), ("twins tuned", tuned)):
            evaluation = AssistantEvaluation(Evaluator(store, learned, bank, seed=seed), family, tallies)
            evaluation.recognize(key, lookalikes=[(0, 1)])
            evaluation.finish()
        progress.add(tests)


def _learn(
    store: PhotoStore, family: Family, tallies: Tallies, options: BundledOptions, seed: int
) -> tuple[LearnedScenario, Bank]:
    """Register a family and tune it; what tuning took is counted."""
    learned = register_family(store, family, RegisterOptions(options.tuning.tokens, seed))
    tuned, report = tune_family(store, family, learned, replace(options.tuning, seed=seed))
    tallies.add("tuning seconds", family.scenario.name, report.seconds, 1)
    return learned, tuned
