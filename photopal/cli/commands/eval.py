"""`photopal eval`: measures models on drawn photos of people and pets they never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import MOST_SEED
from photopal.cli.loading import open_model
from photopal.cli.output import Listing, show_json, show_listing, span

if TYPE_CHECKING:
    from photopal.lab.experiments.tallies import Measured


def eval_() -> None:
    """Evaluate models on photos for which the right answers are known.

    Examples:
      photopal eval bundled
      photopal eval described plain bundled
      photopal eval drawn --scenarios 20 --lookalikes
    """


def bundled(
    ctx: typer.Context,
    *,
    questions: Annotated[
        int, typer.Option(help="Minimum number of questions per line.", min=1, metavar="N")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0, max=MOST_SEED, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Evaluate the bundled model on people and pets that were not in its training.

    Measures questions without names, recognition of registered and tuned names, lookalikes, locations,
    captions, free questions in unseen wordings, time, and how often the model is fooled. Answers are judged
    by the facts of the drawn scene, in any wording. Intervals are 95 % bootstrap intervals over photos or
    families, and each line shows by how much its target is met or missed. Takes about a quarter of an hour on
    two cores, less with fewer questions.

    Examples:
      photopal eval bundled
      photopal eval bundled --questions 200 --seed 7
    """
    from photopal.lab.experiments.bundled_model import BundledOptions, measure_bundled

    session = session_of(ctx)
    model, _ = open_model(session)
    options = BundledOptions(questions=questions, seed=seed)
    with session.progress("Measuring") as on_progress:
        table = measure_bundled(model, options, on_progress=on_progress)
    if json:
        show_json(session.out, table.facts())
        return
    columns = ("measure", "figure", "95 %", "target", "", "questions", "of")
    show_listing(session.out, Listing(columns, [_line(row) for row in (*table.rows, *table.refusals)]))
    session.say(
        f"{table.model[0]} ({table.model[1][:12]}), seed {seed}, held-out identities; {options.family_count} "
        f"families registered, {options.tuned_count} tuned, {options.tuned_count} with a lookalike; "
        f"{table.wordings} free wordings; {table.threads} threads, {table.seconds:.0f} s."
    )


def described(
    ctx: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Models to compare; the configured model by default.", metavar="MODEL"),
    ] = None,
    *,
    questions: Annotated[
        int, typer.Option(help="Minimum number of questions per line.", min=1, metavar="N")
    ] = 500,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0, max=MOST_SEED, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare what models see without names, on people and pets that were not in their training.

    Measures captions, descriptions that match completely or except for one attribute, questions about a
    described person, multiple choice, and numbered marks. Answers are judged by the facts of the drawn scene.
    Intervals are 95 % bootstrap intervals over photos. All models get the same questions.

    Examples:
      photopal eval described
      photopal eval described plain bundled --questions 100 --seed 3
    """
    from photopal.config import load_settings
    from photopal.lab.experiments.unnamed_questions import measure_described
    from photopal.vlm import VisionModel, load_model

    session = session_of(ctx)
    settings = session.settings
    loaded: dict[str, VisionModel] = {
        name: load_model(
            load_settings(home=settings.home, model=name).model_name_or_path,
            device=settings.device,
            dtype=settings.dtype,
            image_tokens=settings.image_tokens,
        )
        for name in models or [settings.model]
    }
    with session.progress("Measuring") as on_progress:
        table = measure_described(loaded, questions=questions, seed=seed, on_progress=on_progress)
    if json:
        show_json(session.out, table.facts())
        return
    columns = ("measure", *(part for name in loaded for part in (name, "95 %")), "questions", "of")
    lines = [
        (
            rows[0].measure,
            *(cell for row in rows for cell in (_figure(row), span(row.interval))),
            f"{rows[0].questions:,}",
            rows[0].clusters_words,
        )
        for rows in zip(*table.rows.values(), strict=True)
    ]
    show_listing(session.out, Listing(columns, lines))
    session.say(
        f"Seed {seed}, held-out identities; "
        + ", ".join(f"{name} {fingerprint[:12]}" for name, fingerprint in table.fingerprints.items())
        + f"; {table.threads} threads, {table.seconds:.0f} s."
    )


def drawn(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    *,
    scenarios: Annotated[int, typer.Option(help="Number of families.", min=1, metavar="N")] = 5,
    concepts: Annotated[int, typer.Option(help="Number of names per family.", min=1, max=4, metavar="N")] = 3,
    photos: Annotated[int, typer.Option(help="Number of reference photos per name.", min=1, metavar="N")] = 8,
    lookalikes: Annotated[
        bool, typer.Option("--lookalikes", help="Let the second differ from the first in one attribute only.")
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Random seed of the first scenario.", min=0, max=MOST_SEED, metavar="N")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Evaluate recognition, locations and captions on drawn photos, before and after tuning.

    Every scenario has people and pets that were not in the bundled model's training, reference photos with
    masks, and test photos with some of them, with strangers and with nobody. Shows rates with counts and 95 %
    bootstrap intervals over scenarios, and the tuning time.

    Examples:
      photopal eval drawn
      photopal eval drawn --scenarios 20 --lookalikes
    """
    from photopal.lab.datasets.drawn_scenarios import FamilyOptions
    from photopal.lab.experiments.drawn_recognition import measure_families

    session = session_of(ctx)
    model, _ = open_model(session)
    options = FamilyOptions(concepts=concepts, photos=photos, has_lookalikes=lookalikes)
    with session.progress("Measuring") as on_progress:
        table = measure_families(model, options, seeds=range(seed, seed + scenarios), on_progress=on_progress)
    if json:
        show_json(session.out, table.facts())
        return
    rows = [
        (row.measure, f"{row.registered:.3f}", f"{row.tuned:.3f}", span(row.interval), row.counts)
        for row in table.rows
    ]
    show_listing(session.out, Listing(("measure", "registered", "tuned", "tuned, 95 %", "counts"), rows))
    session.say(
        f"{scenarios} scenarios from seed {seed}, {concepts} names × {photos} photos; tuning took "
        f"{table.tuning_seconds:.1f} s on average ({table.threads} threads)."
    )


COMMANDS = (bundled, described, drawn)
"""The commands of `photopal eval`."""


def _line(row: Measured) -> tuple[str, ...]:
    """A line of the bundled model's table."""
    verdict = ""
    if row.margin is not None:
        verdict = f"met by {row.margin:.3f}" if row.is_met else f"missed by {-row.margin:.3f}"
    return (
        row.measure,
        _figure(row),
        span(row.interval),
        "" if row.target is None else f"{row.target:.2f}",
        verdict,
        f"{row.questions:,}",
        row.clusters_words,
    )


def _figure(row: Measured) -> str:
    return "not asked" if row.value is None else f"{row.value:.3f}"
