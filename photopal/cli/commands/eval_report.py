"""`photopal eval report`: runs every experiment and writes the page of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.output import show_line

if TYPE_CHECKING:
    from photopal.lab.experiments.runner import Place


def report(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where results.md and its plots go.", metavar="DIR")] = Path(
        "docs"
    ),
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="One experiment; its tables are printed, no page is written.", metavar="NAME"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny counts, to see that it works.")] = False,
    workers: Annotated[
        int, typer.Option(help="Processes of one thread each; 0 for none.", min=0, metavar="N")
    ] = 2,
    kept: Annotated[
        Path | None,
        typer.Option(help="Where scenes and finished results are kept; beside the library by default."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Use no results kept from an earlier run; they are deleted.")
    ] = False,
) -> None:
    """Run every experiment on the method and write a page of what came of it.

    Claims with their targets, then tables and plots: controls, joint against separate, baselines, where
    rows start, numbers of tokens and photos, many concepts, lookalikes, calibration, ingredients, one
    concept more. Scenes are drawn for it. Every finished scenario is kept, so an interrupted run goes on
    where it was. The text in results/notes.md is put into the page and stays yours. Plots need
    photopal[report]. The whole takes just under an hour on two idle cores, --quick a few minutes.

    Examples:
      photopal eval report
      photopal eval report /tmp/trial --quick
      photopal eval report --only starting
    """
    from photopal.lab.experiments.plots import need_plots
    from photopal.lab.experiments.report import make_report
    from photopal.lab.experiments.write import Heading, section_words, write_report

    session = session_of(ctx)
    if not only:
        need_plots()
    place, model = _place(session, kept, workers=workers, is_quick=quick)
    with session.progress("Experiments") as on_progress:
        made = make_report(place, only or (), is_anew=anew, on_progress=on_progress)
    session.say(f"{made.cpu_seconds:.0f} processor seconds in all, {made.wall_seconds:.0f} s now.")
    if only:
        for section in made.sections:
            show_line(session.out, section_words(section))
        return
    command = "photopal eval report --quick" if quick else "photopal eval report"
    heading = Heading(
        model, place.plan.name, place.plan.seeds, made.counts, made.cpu_seconds, made.wall_seconds, command
    )
    show_line(session.out, str(write_report(folder, heading, made.sections)))


def _place(
    session: Session, kept: Path | None, *, workers: int, is_quick: bool
) -> tuple[Place, tuple[str, str]]:
    """Where cells are computed and kept, and the model's name and fingerprint."""
    from photopal.lab.experiments.plan import FULL, QUICK
    from photopal.lab.experiments.runner import Place

    plan = QUICK if is_quick else FULL
    settings = session.settings
    model = session.model()
    base = kept or settings.library_path.parent / "report"
    key = plan.key(model.fingerprint, dtype=str(model.dtype).removeprefix("torch."), device=model.device.type)
    place = Place(
        settings.model_name_or_path, settings.device, plan, base / key, workers, dtype=settings.dtype
    )
    return place, (model.name, model.fingerprint)


REPORT = (report,)
"""The command of `photopal eval` that runs the experiments."""
