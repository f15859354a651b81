"""`photopal eval camera`: measures what photopal knows of people, pets and things on camera photos."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import MOST_SEED
from photopal.cli.output import Listing, show_json, show_listing, span
from photopal.errors import UsageError
from photopal.files import is_folder

if TYPE_CHECKING:
    from photopal.lab.camera.faces import CameraTable, NamingRow
    from photopal.lab.camera.pets_and_things import PetRow, PetTable


def camera(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with a folder of photos of each.", metavar="DIR")],
    *,
    of: Annotated[
        Literal["people", "things"],
        typer.Option(help="What the photos show: people or things; pets count as things.", metavar="KIND"),
    ] = "people",
    references: Annotated[
        int | None,
        typer.Option(
            help="Number of reference photos of each; 5 of people and 3 of things by default.",
            min=1,
            metavar="N",
            show_default=False,
        ),
    ] = None,
    strangers: Annotated[
        int, typer.Option(help="Number of people who are not registered.", min=0, metavar="N")
    ] = 400,
    seeds: Annotated[int, typer.Option(help="Number of random draws.", min=1, metavar="N")] = 5,
    seed: Annotated[int, typer.Option(help="First random seed.", min=0, max=MOST_SEED, metavar="N")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Evaluate how people, pets and things are named on your own camera photos.

    The folder contains one folder of photos per person, such as LFW. With 10, 20 and 50 people registered,
    shows how many of their other photos get the right, a wrong or no name, and how many strangers get a name;
    then the purity of groups of 200 faces of 40 people, and time and memory per photo of 12 megapixels. No
    model is needed.

    With --of things there is one folder of photos per pet or thing. Six are registered, by photos without
    boxes; half of the others are the album that thresholds are learned with, and the other half are
    strangers. Shows how often the right and a wrong name is given, also for small subjects and for the
    stranger that looks most alike, and how often the point that is found lies in the subject's box, if
    boxes.json in DIR has it: x, y, width and height in fractions of the photo, by path.

    Examples:
      photopal eval camera lfw/images
      photopal eval camera ~/Pictures/pets --of things
      photopal eval camera ~/Pictures/by-person --references 3 --json
    """
    from photopal.lab.camera.faces import CameraOptions, measure_faces

    session = session_of(ctx)
    if not is_folder(folder):
        raise UsageError(f"{folder}: is not a folder")
    if of == "things":
        _show_things(session, folder, references or 3, range(seed, seed + seeds), json=json)
        return
    references = references or 5
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


def _show_things(session: Session, folder: Path, references: int, seeds: range, *, json: bool) -> None:
    from photopal.lab.camera.pets_and_things import PetOptions, measure_pets

    options = PetOptions(references=references, seeds=len(seeds))
    with session.progress("Encoding photos") as on_progress:
        table = measure_pets(folder, options, seed=seeds.start, on_progress=on_progress)
    if json:
        show_json(session.out, {**table.facts(), "seed": seeds.start})
        return
    lines = [_thing_line(row) for row in table.rows] + _thing_speed(table)
    show_listing(session.out, Listing(("measure", "figure", "95 %", "counts"), lines))
    session.say(
        f"{table.identities:,} pets and things, {table.photos:,} photos, {table.boxes:,} with a box; "
        f"{options.registered} registered, {references} references, seeds {seeds.start} to {seeds.stop - 1}."
    )


def _thing_line(row: PetRow) -> tuple[str, ...]:
    interval = "" if math.isnan(row.interval[0]) else span(row.interval)
    return (row.measure, f"{row.hits / row.total:.4f}", interval, f"{row.hits:,} of {row.total:,}")


def _thing_speed(table: PetTable) -> list[tuple[str, ...]]:
    speed = table.speed
    threads = f"{speed['threads']:.0f} threads"
    return [
        ("12-megapixel photo: decoding, seconds", f"{speed['decoding_s']:.2f}", "", ""),
        ("encoding at 640 px, seconds", f"{speed['encoding_640_s']:.2f}", "", threads),
        ("encoding at 960 px, seconds", f"{speed['encoding_960_s']:.2f}", "", threads),
        ("peak memory", f"{speed['memory_mb']:.0f} MB", "", ""),
    ]


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


COMMANDS = (camera,)
"""The commands of `photopal eval` for camera photos."""
