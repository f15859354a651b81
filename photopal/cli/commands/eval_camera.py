"""`photopal eval camera`: measures what photopal knows of people on camera photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import UsageError

if TYPE_CHECKING:
    from photopal.lab.camera.faces import CameraTable, NamingRow


def camera(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with a folder of photos per person.", metavar="DIR")],
    *,
    references: Annotated[
        int, typer.Option(help="Number of reference photos per person.", min=1, metavar="N")
    ] = 5,
    strangers: Annotated[
        int, typer.Option(help="Number of people who are not registered.", min=0, metavar="N")
    ] = 400,
    seeds: Annotated[int, typer.Option(help="Number of random draws.", min=1, metavar="N")] = 5,
    seed: Annotated[int, typer.Option(help="First random seed.", min=0, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Evaluate how people are named and grouped by their faces on your own camera photos.

    The folder contains one folder of photos per person, such as LFW. With 10, 20 and 50 people registered,
    shows how many of their other photos get the right, a wrong or no name, and how many strangers get a name;
    then the purity of groups of 200 faces of 40 people, and time and memory per photo of 12 megapixels. No
    model is needed.

    Examples:
      photopal eval camera lfw/images
      photopal eval camera ~/Pictures/by-person --references 3 --json
    """
    from photopal.lab.camera.faces import CameraOptions, measure_faces

    session = session_of(ctx)
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder")
    options = CameraOptions(references=references, strangers=strangers, seeds=seeds)
    with session.progress("Finding faces") as on_progress:
        table = measure_faces(folder, options, seed=seed, on_progress=on_progress)
    if json:
        show_json(session.out, {**table.facts(), "seed": seed})
        return
    show_listing(session.out, Listing(("measure", "figure", "counts"), _rows(table)))
    session.say(
        f"{table.identities[0]:,} people, {table.identities[1]:,} with enough photos; "
        f"{table.photos[0]:,} photos, "
        f"{table.photos[1]:,} without a face; {references} references, seeds {seed} to {seed + seeds - 1}."
    )


def _rows(table: CameraTable) -> list[tuple[str, str, str]]:
    rows = [line for row in table.naming for line in _naming_lines(row)]
    groups, speed = table.groups, table.speed
    gathered = (
        f"{groups['faces']:.0f} faces of {groups['people']:.0f} people in {groups['groups']:.0f} groups, "
        f"{groups['groups_of_several']:.0f} of them of several faces"
    )
    computing = f"{speed['cpu_seconds']:.2f} of them computing; {speed['faces_per_photo']:.0f} face per photo"
    return [
        *rows,
        ("groups: purity", f"{groups['purity']:.3f}", gathered),
        ("12-megapixel photo: seconds", f"{speed['seconds']:.2f}", computing),
        ("12-megapixel photos per second", f"{speed['photos_per_s']:.2f}", "all threads"),
        ("peak memory", f"{speed['memory_mb']:.0f} MB", ""),
    ]


def _naming_lines(row: NamingRow) -> list[tuple[str, str, str]]:
    title = f"{row.registered} registered"
    return [
        (f"{title}: {what}", f"{part / max(1, total):.4f}", f"{part:,} of {total:,}")
        for what, part, total in (
            ("named right", row.right, row.tests),
            ("named wrong", row.wrong, row.tests),
            ("unsure", row.unsure, row.tests),
            ("strangers named", row.named, row.strangers),
        )
    ] + [(f"{title}: AUROC", f"{row.auroc:.4f}", "")]


CAMERA = (camera,)
"""The commands of `photopal eval` for camera photos."""
