"""`photopal eval report`: runs every experiment and writes the page of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import show_line
from photopal.config import BUNDLED_MODEL

if TYPE_CHECKING:
    from photopal.lab.experiments.runner import RunEnvironment


def report(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder for results.md and its plots; docs by default, none with --only.", metavar="DIR"
        ),
    ] = None,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Run one experiment; can be repeated. Without DIR, its tables are printed.",
            metavar="NAME",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Use tiny counts, to test that it works.")] = False,
    workers: Annotated[
        int, typer.Option(help="Number of single-threaded worker processes; 0 for none.", min=0, metavar="N")
    ] = 2,
    kept: Annotated[
        Path | None,
        typer.Option(
            help="Folder for scenes and finished results; next to the library by default.", metavar="FOLDER"
        ),
    ] = None,
    budget: Annotated[
        float,
        typer.Option(
            help="Multiply the time that experiments may take, for more scenarios or slower models.",
            min=0.01,
            metavar="FACTOR",
        ),
    ] = 1.0,
    anew: Annotated[
        bool, typer.Option("--anew", help="Delete the results of earlier runs and start again.")
    ] = False,
) -> None:
    """Run all experiments and write the results page.

    The page has the claims with their targets, then tables and plots: controls, joint against separate
    training, baselines, initialization, numbers of tokens and photos, many concepts, lookalikes, calibration,
    ablations, and adding a concept. Scenes are drawn as needed. Every finished scenario is saved, so an
    interrupted run can be resumed. The text of results/notes.md is included in the page and never
    overwritten. Plots require photopal[report]. Takes up to 37 minutes on two idle cores, or a few minutes
    with --quick. With a larger --budget, it goes on with the scenarios that were left out.

    Examples:
      photopal eval report
      photopal eval report /tmp/trial --quick
      photopal eval report --only initialization
      photopal --model plain eval report docs/plain --only claims --only joint --budget 2
    """
    from photopal.lab.experiments.runner import make_report
    from photopal.lab.experiments.tables import ReportHeading, need_plots, section_words, write_report

    session = session_of(ctx)
    if folder is None and not only:
        folder = Path("docs")
    if folder is not None:
        need_plots()
    environment, model = _environment(session, kept, workers=workers, is_quick=quick, budget=budget)
    with session.progress("Experiments") as on_progress:
        made = make_report(environment, only or (), is_anew=anew, on_progress=on_progress)
    session.say(f"{made.cpu_seconds:.0f} processor seconds in all, {made.wall_seconds:.0f} s now.")
    if folder is None:
        for section in made.sections:
            show_line(session.out, section_words(section))
        return
    parts = ["photopal"] if session.settings.model == BUNDLED_MODEL else ["photopal --model", model[0]]
    parts += ["eval report", *(["--quick"] if quick else []), *(f"--only {name}" for name in only or ())]
    parts += [] if budget == 1 else [f"--budget {budget:g}"]
    heading = ReportHeading(
        model=model,
        plan=environment.plan.name,
        seeds=environment.plan.seeds,
        counts=made.counts,
        cpu_seconds=made.cpu_seconds,
        wall_seconds=made.wall_seconds,
        command=" ".join(parts),
    )
    show_line(session.out, str(write_report(folder, heading, made.sections)))


def _environment(
    session: Session, kept: Path | None, *, workers: int, is_quick: bool, budget: float
) -> tuple[RunEnvironment, tuple[str, str]]:
    """Where runs are computed and stored, and the model's name and fingerprint."""
    from photopal.lab.experiments.plan import FULL, QUICK
    from photopal.lab.experiments.runner import RunEnvironment

    plan = (QUICK if is_quick else FULL).scaled(budget)
    settings = session.settings
    model = session.model()
    base = kept or settings.library_path.parent / "report"
    key = plan.key(
        model.fingerprint + model.variant,
        dtype=str(model.dtype).removeprefix("torch."),
        device=model.device.type,
    )
    environment = RunEnvironment(
        settings.model_name_or_path,
        settings.device,
        plan,
        base / key,
        workers,
        dtype=settings.dtype,
        image_tokens=settings.image_tokens,
    )
    return environment, (model.name, model.fingerprint)


COMMANDS = (report,)
"""The command of `photopal eval` that runs the experiments."""
