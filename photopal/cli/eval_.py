"""`photopal eval`: measures registration and tuning on drawn photos of people the model never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.model import open_model
from photopal.cli.screen import Listing, show_json, show_listing
from photopal.cli.session import session_of

if TYPE_CHECKING:
    from photopal.evaluation.table import Row


def eval_(  # noqa: PLR0913 - one parameter for each option of the command
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
      photopal eval
      photopal eval --scenarios 20 --lookalikes
    """
    from photopal.evaluation.scenarios import ScenarioOptions
    from photopal.evaluation.table import measure_all

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


def _cells(row: Row) -> tuple[str, ...]:
    low, high = row.interval
    return (
        row.measure,
        f"{row.registered:.3f}",
        f"{row.tuned:.3f}",
        f"{low:.3f}–{high:.3f}",
        row.counts,
    )
