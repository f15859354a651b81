"""`photopal tune`: trains the tokens of names on their photos, on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import MOST_SEED
from photopal.cli.loading import open_model, warn_of_unregistered
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import PhotopalError

if TYPE_CHECKING:
    from photopal.tuning import TuningProgress
    from photopal.tuning.library_tuning import TuningOutcome, TuningPlan


def tune(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names to tune; all by default.", metavar="NAME")
    ] = None,
    *,
    epochs: Annotated[
        int, typer.Option(help="Maximum number of passes over the photos.", min=1, metavar="N")
    ] = 15,
    patience: Annotated[
        int, typer.Option(help="Stop after this many passes without improvement.", min=1, metavar="N")
    ] = 4,
    lr: Annotated[float, typer.Option(help="Learning rate.", min=1e-7, max=1.0, metavar="RATE")] = 1e-3,
    tokens: Annotated[int, typer.Option(help="Number of tokens per name.", min=1, max=32, metavar="K")] = 16,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0, max=MOST_SEED, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train all names together on their reference photos, to recognize them better.

    Only the tokens learned for the names change, never the model. Some photos are held out to measure the
    result; the best tokens are saved, or nothing if tuning does not help. If you give names, only those are
    tuned. Ctrl-C stops early and keeps the best result so far. The same seed gives the same tokens.

    Most models cannot tell names apart by their photos alone. For them, tuning starts from descriptions:
    those you gave with `add-concept --about`, or the model's own.

    Examples:
      photopal tune
      photopal tune Anna Rex --epochs 30
    """
    from photopal.tuning import TuneOptions
    from photopal.tuning.library_tuning import plan_tuning, run_plan

    session = session_of(ctx)
    options = TuneOptions(epochs=epochs, patience=patience, learning_rate=lr, tokens=tokens, seed=seed)
    with session.library_to_read() as library:
        model, path = open_model(session)
        with session.progress("Looking at the photos") as on_progress:
            plan = plan_tuning(
                library, model, path, names=names or (), options=options, on_progress=on_progress
            )
        concepts = library.concepts.all()
    warn_of_unregistered(session, concepts, plan.failed, known=plan.known)
    called = [concept.name for concept in concepts if concept.id in plan.trained]
    if plan.way == "words":
        session.say(
            "This model was not made to learn names from photos alone, so tuning starts from descriptions: "
            "your own (`--about`), or the model's."
        )
    session.say(f"Tuning {', '.join(called)}; press Ctrl-C to stop and keep the best result so far.")
    outcome = run_plan(model, plan, on_progress=_table_of_epochs(session))
    _show(session, called, plan, outcome, is_json=json)
    if outcome.report.was_interrupted:
        raise KeyboardInterrupt
    if outcome.report.ran_out_of_memory:
        raise PhotopalError(
            f"memory ran out in epoch {outcome.report.epochs}, so tuning ended with the best before it",
            hint="Close other programs, or use a smaller model or another --device.",
        )


def _table_of_epochs(session: Session) -> Callable[[TuningProgress], None]:
    """Print a line for every epoch on stderr as it ends."""
    began = time.monotonic()
    session.say("epoch      loss  accuracy  seconds", style="dim")

    def tell(progress: TuningProgress) -> None:
        loss = "     –" if math.isnan(progress.loss) else f"{progress.loss:6.3f}"
        best = "  best so far" if progress.is_best else ""
        accuracy = _percent(progress.validation.accuracy)
        epoch = f"{progress.epoch:>2}/{progress.epochs:<2}"
        seconds = time.monotonic() - began
        session.say(f"{epoch}    {loss}  {accuracy:>8}  {seconds:>7.1f}{best}")

    return tell


def _show(
    session: Session, called: list[str], plan: TuningPlan, outcome: TuningOutcome, *, is_json: bool
) -> None:
    report = outcome.report
    if is_json:
        facts = asdict(outcome.report)
        facts["in_use"] = None if outcome.rival is None else asdict(outcome.rival)
        show_json(session.out, {"names": called, "start": plan.way, **facts, "is_saved": outcome.is_saved})
    else:
        rows = [
            ("names", ", ".join(called)),
            ("tuning starts from", "reference photos" if plan.way == "registered" else "descriptions"),
            ("accuracy before tuning", _percent(report.before.accuracy)),
            ("accuracy after tuning", _percent(report.after.accuracy)),
            ("questions on held-out photos", f"{report.after.questions:,}"),
            ("photos to learn from", f"{report.photos:,}"),
            ("photos held out", f"{report.validation_photos:,}"),
            ("best epoch", f"{report.best_epoch} of {report.epochs}"),
            ("seconds", f"{report.seconds:.1f}"),
            ("saved", "yes" if outcome.is_saved else "no"),
        ]
        show_listing(session.out, Listing(("what", "value"), rows, has_header=False))
    if outcome.is_saved:
        session.say(f"Saved to {plan.path}. Run `photopal caption` to update captions.")
    elif outcome.rival is not None and report.best_epoch > 0:
        session.say(f"Not saved: the current tokens are better ({_percent(outcome.rival.accuracy)}).")
    else:
        session.say(
            "Not saved: tuning did not improve the results on the held-out photos. Try adding more photos."
        )


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.1%}"
