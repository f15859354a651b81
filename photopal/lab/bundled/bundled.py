"""Measures a model on the whole table of the bundled model, on held-out identities; knows no terminal."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

import torch

from photopal.assistant.caption import caption_view
from photopal.concepts import RegisterOptions
from photopal.lab.bundled.exam import Exam
from photopal.lab.bundled.goals import GOALS, NAMES, REFERENCE_PHOTOS, REFUSALS, TUNING_PHOTOS
from photopal.lab.bundled.ledger import Goal, Ledger, Measured
from photopal.lab.bundled.measure import register_scenario, tune_scenario
from photopal.lab.bundled.plain import ask_plainly
from photopal.lab.bundled.scenarios import ScenarioOptions, make_scenario
from photopal.tuning import TuneOptions
from photopal.vlm.protocol import VisionModel

OnProgress = Callable[[int, int | None, object], None]

_SEEDS_APART = 1000
_TUNED_SEED, _TWINS_SEED = 40, 60  # after those of the registered families
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
    ledger = Ledger()
    tests = -(-options.questions // options.family_count)
    tuned_tests = -(-options.questions // options.tuned_count)
    twin_tests = -(-options.questions // (NAMES * options.tuned_count))
    named = options.family_count * tests + options.tuned_count * (tuned_tests + twin_tests)
    progress = _Progress(on_progress, named + int(1.6 * options.questions))
    ask_plainly(
        model,
        ledger,
        questions=options.questions,
        seed=options.seed,
        size_px=options.size_px,
        on_photos=progress.add,
    )
    wordings = _measure_registered(model, ledger, options, tests, progress)
    _measure_tuned(model, ledger, options, tuned_tests, progress)
    _measure_twins(model, ledger, options, twin_tests, progress)
    free = [Goal(key, key) for key in sorted(ledger.keys()) if key.startswith("free ")]
    return BundledTable(
        rows=_lines(ledger, GOALS, options.seed),
        refusals=_lines(ledger, REFUSALS, options.seed),
        kinds=_lines(ledger, free, options.seed),
        wordings=wordings,
        options=options,
        model=(model.name, model.fingerprint),
        threads=torch.get_num_threads(),
        seconds=time.monotonic() - started,
    )


def _lines(ledger: Ledger, goals: Sequence[Goal], seed: int) -> tuple[Measured, ...]:
    return tuple(ledger.measure(goal, seed=seed) for goal in goals)


def _measure_registered(
    model: VisionModel, ledger: Ledger, options: BundledOptions, tests: int, progress: _Progress
) -> int:
    """Everything that registered names can be asked; returns how many free questions were used."""
    chosen = ScenarioOptions(NAMES, REFERENCE_PHOTOS, tests, size_px=options.size_px, strangers=8)
    asked: Counter[str] = Counter()
    timed = 0
    for seed in options.seeds(0, options.family_count):
        scenario = make_scenario(seed, chosen)
        bank = register_scenario(model, scenario, RegisterOptions(seed=seed))
        rng = random.Random(f"questions {seed}")
        exam = Exam(model, scenario, bank, ledger, cluster=f"family {seed:06}")
        exam.recognise("registered")
        _ask_where_and_caption(exam, "registered", rng)
        exam.ask_freely(asked, rng)
        exam.ask_plainly("absent", ["absent"], rng, most=2)
        exam.ask_who_where_nobody_is_known(rng)
        exam.finish()
        if timed < _TIMED_CAPTIONS:
            timed += _time_captions(exam, ledger, _TIMED_CAPTIONS - timed)
        progress.add(tests)
    return len(asked)


def _ask_where_and_caption(exam: Exam, key: str, rng: random.Random) -> None:
    exam.caption(key)
    for kind in ("side", "beside"):
        exam.ask_plainly(kind, [f"{key} {kind}", f"{key} where"], rng, most=2)


def _time_captions(exam: Exam, ledger: Ledger, most: int) -> int:
    """Time captions one by one, as `photopal caption` makes them; returns how many."""
    photos = [test.photo.image for test in exam.scenario.tests][:most]
    for number, image in enumerate(photos):
        started = time.perf_counter()
        caption_view(exam.assistant, exam.assistant.look(image))
        ledger.add("caption seconds", f"{exam.cluster} {number:03}", time.perf_counter() - started, 1)
    return len(photos)


def _measure_tuned(
    model: VisionModel, ledger: Ledger, options: BundledOptions, tests: int, progress: _Progress
) -> None:
    chosen = ScenarioOptions(NAMES, TUNING_PHOTOS, tests, size_px=options.size_px)
    for seed in options.seeds(_TUNED_SEED, options.tuned_count):
        scenario = make_scenario(seed, chosen)
        bank = register_scenario(model, scenario, RegisterOptions(options.tuning.tokens, seed))
        bank, report = tune_scenario(model, scenario, bank, _with_seed(options.tuning, seed))
        cluster = f"family {seed:06}"
        ledger.add("tuning seconds", cluster, report.seconds, 1)
        exam = Exam(model, scenario, bank, ledger, cluster=cluster)
        exam.recognise("tuned")
        _ask_where_and_caption(exam, "tuned", random.Random(f"questions {seed}"))
        exam.finish()
        progress.add(tests)


def _measure_twins(
    model: VisionModel, ledger: Ledger, options: BundledOptions, tests: int, progress: _Progress
) -> None:
    """Families whose second name looks like the first, registered and then tuned."""
    chosen = ScenarioOptions(NAMES, TUNING_PHOTOS, tests, has_lookalikes=True, size_px=options.size_px)
    for seed in options.seeds(_TWINS_SEED, options.tuned_count):
        scenario = make_scenario(seed, chosen)
        registered = register_scenario(model, scenario, RegisterOptions(options.tuning.tokens, seed))
        tuned, report = tune_scenario(model, scenario, registered, _with_seed(options.tuning, seed))
        cluster = f"family {seed:06}"
        ledger.add("tuning seconds", cluster, report.seconds, 1)
        for key, bank in (("twins registered", registered), ("twins tuned", tuned)):
            exam = Exam(model, scenario, bank, ledger, cluster=cluster)
            exam.recognise(key, siblings=[(0, 1)])
            exam.finish()
        progress.add(tests)


def _with_seed(tuning: TuneOptions, seed: int) -> TuneOptions:
    return replace(tuning, seed=seed)
