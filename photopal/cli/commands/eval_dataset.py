"""`photopal eval dataset`, `faults` and `make`: measures a dataset in one of the papers' layouts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import MOST_SEED
from photopal.cli.loading import open_model
from photopal.cli.output import Listing, show_json, show_line, show_listing, span
from photopal.errors import UsageError
from photopal.text import count

if TYPE_CHECKING:
    from photopal.lab.datasets import Dataset
    from photopal.lab.datasets.scenario import Task
    from photopal.lab.experiments.dataset_evaluation import Row
    from photopal.lab.experiments.planted_errors import Caught

Folder = Annotated[Path, typer.Argument(help="Folder of the dataset.", metavar="DIR", show_default=False)]
Scenarios = Annotated[int | None, typer.Option(help="Use only the first N scenarios.", min=1, metavar="N")]
Seed = Annotated[int, typer.Option(help="Random seed.", min=0, max=MOST_SEED, metavar="N")]
NoTuning = Annotated[bool, typer.Option("--no-tuning", help="Register without tuning.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def dataset(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folder: Folder,
    *,
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="Task: recognition, grounding, choice, vqa or caption; all by default.", metavar="TASK"
        ),
    ] = None,
    scenarios: Scenarios = None,
    no_tuning: NoTuning = False,
    no_controls: Annotated[bool, typer.Option("--no-controls", help="Skip the controls.")] = False,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Evaluate a dataset in the layout of MC-LLaVA, Yo'LLaVA or MyVLM.

    Every scenario is registered and tuned on its training photos. Thresholds and the best tuned tokens are
    chosen on validation photos held out from these; the figures are for test photos only. The column "by"
    shows whose definition of the measure is used. Controls are shown next to each figure: no concept in the
    prompt, the tokens of another concept, a blank image, no image. Intervals are 95 % bootstrap intervals
    over scenarios.

    Examples:
      photopal eval make drawn scenes
      photopal eval dataset scenes --scenarios 5 --task recognition --task grounding
    """
    from photopal.lab.datasets import load_dataset
    from photopal.lab.experiments.dataset_evaluation import EvalOptions, evaluate, facts, tabulate
    from photopal.tuning import TuneOptions

    session = session_of(ctx)
    tasks = _tasks(task)
    found = load_dataset(folder, seed=seed)
    model, _ = open_model(session)
    options = EvalOptions(
        tasks=tasks,
        scenarios=scenarios,
        has_tuning=not no_tuning,
        has_controls=not no_controls,
        tune=TuneOptions(seed=seed),
        seed=seed,
    )
    with session.progress("Measuring") as on_progress:
        evaluation = evaluate(model, found, options, on_progress=on_progress)
    rows = tabulate(evaluation, seed=seed)
    if json:
        show_json(session.out, facts(evaluation, rows, seed=seed))
        return
    show_listing(session.out, Listing(COLUMNS, [_cells(row) for row in rows]))
    session.say(_summary(found, len(evaluation.results), evaluation.tuning_seconds, seed=seed))


def faults(
    ctx: typer.Context,
    folder: Folder,
    *,
    scenarios: Scenarios = None,
    no_tuning: NoTuning = False,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Check that the figures drop when errors are introduced on purpose.

    Masks are ignored, labels are shifted to the next concept, marks are placed at random, and every concept
    gets the tokens of another. An error counts as detected if a figure falls below the interval of the
    correct run in nearly all bootstrap samples of scenarios.

    Examples:
      photopal eval faults scenes
    """
    from dataclasses import asdict

    from photopal.lab.datasets import load_dataset
    from photopal.lab.experiments.dataset_evaluation import EvalOptions
    from photopal.lab.experiments.planted_errors import check_faults
    from photopal.tuning import TuneOptions

    session = session_of(ctx)
    found = load_dataset(folder, seed=seed)
    model, _ = open_model(session)
    options = EvalOptions(
        scenarios=scenarios, has_tuning=not no_tuning, tune=TuneOptions(seed=seed), seed=seed
    )
    with session.progress("Introducing errors") as on_progress:
        caught = check_faults(model, found, options, on_progress=on_progress)
    if json:
        show_json(session.out, [{**asdict(fault), "is_caught": fault.is_caught} for fault in caught])
        return
    columns = ("mistake", "figure", "sound", "95 %", "with the mistake", "fall, 95 %", "caught")
    show_listing(session.out, Listing(columns, [_fault_cells(fault) for fault in caught]))


def make(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    world: Annotated[
        str,
        typer.Argument(
            help="Kind of scenarios; only 'drawn' is available.", metavar="WORLD", show_default=False
        ),
    ],
    folder: Annotated[
        Path, typer.Argument(help="New or empty folder to write to.", metavar="DIR", show_default=False)
    ],
    *,
    scenarios: Annotated[
        int, typer.Option(help="Number of scenarios, with 2, 3 and 4 concepts in turn.", min=0, metavar="N")
    ] = 21,
    lookalikes: Annotated[
        int, typer.Option(help="Number of extra scenarios with two lookalikes.", min=0, metavar="N")
    ] = 0,
    size: Annotated[
        int, typer.Option(help="Width and height of the photos in pixels.", min=64, metavar="PX")
    ] = 160,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0, max=MOST_SEED, metavar="N")] = 0,
) -> None:
    """Generate a dataset of drawn scenarios in the layout of MC-LLaVA.

    The people and pets were not in the bundled model's training. Every concept has ten training photos with
    masks and five test photos. Every scenario has five photos of several concepts with positions,
    multiple-choice and free questions, and photos of strangers and lookalikes as negatives.

    Examples:
      photopal eval make drawn scenes
      photopal eval make drawn alike --scenarios 0 --lookalikes 20 --seed 1
    """
    from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn

    session = session_of(ctx)
    if world != "drawn":
        raise UsageError(f"unknown kind of scenarios {world!r}", hint="photopal eval make drawn DIR")
    if scenarios + lookalikes == 0:
        raise UsageError("no scenarios to write", hint="Give --scenarios or --lookalikes.")
    options = DrawnOptions(scenarios=scenarios, lookalikes=lookalikes, size_px=size)
    with session.progress("Drawing") as on_progress:
        photos = write_drawn(folder, options, seed=seed, on_progress=on_progress)
    show_line(session.out, str(folder))
    session.say(f"{count(scenarios + lookalikes, 'scenario')}, {count(photos, 'photo')}.")


COMMANDS = (dataset, faults, make)
"""The commands of `photopal eval` that are about datasets."""

COLUMNS = (
    "task",
    "figure",
    "by",
    "registered",
    "tuned",
    "95 %",
    "no concept",
    "wrong concept",
    "blank image",
    "text only",
    "questions",
)


def _tasks(names: list[str] | None) -> tuple[Task, ...]:
    from photopal.lab.datasets.scenario import TASKS

    unknown = [task for task in names or () if task not in TASKS]
    if unknown:
        raise UsageError(f"{unknown[0]}: unknown task", hint=f"Tasks are {', '.join(TASKS)}.")
    return tuple(task for task in TASKS if not names or task in names)


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.3f}"


def _cells(row: Row) -> tuple[str, ...]:
    controls = ("no concept", "wrong concept", "blank image", "text only")
    return (
        row.task,
        f"{row.measure} ({row.group} scenarios)" if row.group else row.measure,
        row.definition,
        _number(row.registered),
        _number(row.tuned),
        span(row.interval),
        *(_number(row.controls.get(control)) for control in controls),
        f"{row.questions:,}",
    )


def _fault_cells(caught: Caught) -> tuple[str, ...]:
    return (
        caught.fault,
        f"{caught.task}: {caught.measure}",
        _number(caught.sound),
        span(caught.interval),
        _number(caught.broken),
        span(caught.drop),
        "yes" if caught.is_caught else "no",
    )


def _summary(found: Dataset, scenarios: int, seconds: tuple[float, ...], *, seed: int) -> str:
    words = f"{count(scenarios, 'scenario')} of {found.root.name} ({found.layout}), seed {seed}"
    if not seconds:
        return f"{words}; not tuned. Controls and intervals are of registered rows."
    mean = sum(seconds) / len(seconds)
    return f"{words}; tuning took {mean:.1f} s on average. Controls and intervals are of tuned rows."
