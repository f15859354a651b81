"""`photopal eval`: measures models on drawn photos of people and pets they never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.loading import open_model
from photopal.cli.output import Listing, show_json, show_listing, span

if TYPE_CHECKING:
    from photopal.lab.bundled.ledger import Measured
    from photopal.lab.bundled.table import Row


def eval_() -> None:
    """Measure how well a model knows people, pets and photos whose truth is known.

    Examples:
      photopal eval bundled
      photopal eval described plain bundled
      photopal eval drawn --scenarios 20 --lookalikes
    """


def bundled(
    ctx: typer.Context,
    *,
    questions: Annotated[
        int, typer.Option(help="Questions behind each line, at least.", min=1, metavar="N")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Which photos, families and questions.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure everything the bundled model promises, on people and pets it never saw.

    Questions without names, recognition of registered and of tuned names, lookalikes, where somebody is,
    captions, free questions in words no training has, time, and how often it is not fooled. Answers are
    judged by the facts of the drawn scene, in whatever words. Intervals are bootstrap 95 % intervals over
    photos or families, and each line says by how much its target is met or missed. Takes about a quarter of
    an hour on two cores; fewer questions take less.

    Examples:
      photopal eval bundled
      photopal eval bundled --questions 200 --seed 7
    """
    from photopal.lab.bundled.bundled import BundledOptions, measure_bundled

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
        list[str] | None, typer.Argument(help="Models; the one of the settings by default.", metavar="MODEL")
    ] = None,
    *,
    questions: Annotated[
        int, typer.Option(help="Questions behind each line, at least.", min=1, metavar="N")
    ] = 500,
    seed: Annotated[int, typer.Option(help="Which photos and questions.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what models see without names, side by side, on people and pets they never saw.

    Captions, descriptions that fit or fit but for one attribute, questions about somebody described, lettered
    choices, and numbered marks. Answers are judged by the facts of the drawn scene. Intervals are bootstrap
    95 % intervals over photos. All models are asked the same.

    Examples:
      photopal eval described
      photopal eval described plain bundled --questions 100 --seed 3
    """
    from photopal.config import load_settings
    from photopal.lab.bundled.described import measure_described
    from photopal.vlm import VisionModel, load_model

    session = session_of(ctx)
    settings = session.settings
    loaded: dict[str, VisionModel] = {
        name: load_model(
            load_settings(home=settings.home, model=name).model_name_or_path,
            device=settings.device,
            dtype=settings.dtype,
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
    scenarios: Annotated[int, typer.Option(help="How many families.", min=1, metavar="N")] = 5,
    concepts: Annotated[int, typer.Option(help="Names in each.", min=1, max=4, metavar="N")] = 3,
    photos: Annotated[int, typer.Option(help="Reference photos a name.", min=1, metavar="N")] = 8,
    lookalikes: Annotated[
        bool, typer.Option("--lookalikes", help="The second looks like the first but for one thing.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The first scenario's seed.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure recognition, places and captions on drawn photos, before and after tuning.

    Every scenario has people and pets that were kept out of the bundled model's training, reference photos
    with masks, and test photos of some of them, of strangers and of nobody. Shown are shares with counts and
    bootstrap 95 % intervals over scenarios, and how long tuning took.

    Examples:
      photopal eval drawn
      photopal eval drawn --scenarios 20 --lookalikes
    """
    from photopal.lab.bundled.scenarios import ScenarioOptions
    from photopal.lab.bundled.table import measure_all

    session = session_of(ctx)
    model, _ = open_model(session)
    options = ScenarioOptions(concepts=concepts, photos=photos, has_lookalikes=lookalikes)
    with session.progress("Measuring") as on_progress:
        table = measure_all(model, options, seeds=range(seed, seed + scenarios), on_progress=on_progress)
    if json:
        show_json(session.out, table.facts())
        return
    rows = [_cells(row) for row in table.rows]
    show_listing(session.out, Listing(("measure", "registered", "tuned", "tuned, 95 %", "counts"), rows))
    session.say(
        f"{scenarios} scenarios from seed {seed}, {concepts} names × {photos} photos; tuning took "
        f"{table.tuning_seconds:.1f} s on average ({table.threads} threads)."
    )


EVAL = (bundled, described, drawn)
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


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.measure,
        f"{row.registered:.3f}",
        f"{row.tuned:.3f}",
        span(row.interval),
        row.counts,
    )
