"""Brings sidecars up to date once a name has changed, if the user wants it; knows no command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session
from photopal.errors import ExitCode
from photopal.text import count

if TYPE_CHECKING:
    from photopal.library import Library

SidecarsOption = Annotated[
    bool | None,
    typer.Option(
        "--sidecars/--no-sidecars",
        help="Whether to change the sidecars that `photopal write-metadata` wrote, too; by default, asks on a"
        " terminal and changes none elsewhere.",
        show_default=False,
    ),
]
"""The option of commands after which a name is no longer right."""

UNREAD_SIDECARS_HINT = (
    "The photos were read without what these sidecars say. Save such a sidecar again in the program that"
    " wrote it, or replace it with a copy, and run `photopal index` again."
)
"""What to do about sidecars from which nothing can be read."""

_LATER = "To change what photopal wrote into them, run `photopal write-metadata --written --yes`."


def say_of_sidecars(session: Session, library: Library, name: str) -> None:
    """Tell, in a dry run, that sidecars have a name."""
    if known := library.sidecars.photos(name=name):
        session.say(
            f"The sidecars of {count(len(known))} have the name {name}."
            " With --sidecars, it is changed there, too."
        )


def change_sidecars(session: Session, library: Library, name: str, *, is_wanted: bool | None) -> None:
    """Take a name that is no longer right out of the sidecars that photopal wrote, or say how that is done.

    Args:
        session: The command's.
        library: Open for writing; the name is changed in it already.
        name: The name as it was.
        is_wanted: As of `SidecarsOption`.

    Raises:
        Exit: Some sidecars were left as they are; with code 3.
    """
    known = library.sidecars.photos(name=name)
    if not known:
        return
    have = f"The sidecars of {count(len(known))} have the name {name}."
    if is_wanted is None:
        is_wanted = session.confirm(f"{have} Change it there, too?")
        have = have if not is_wanted else ""
    if not is_wanted:
        session.say(f"{have} {_LATER}")
        return
    from photopal.assistant.sidecar_export import ExportOptions, apply_export, plan_export

    photos = [(library.photos.get(photo_id), library.paths.of(photo_id)) for photo_id in known]
    options = ExportOptions(is_short=session.settings.sidecars == "lightroom")
    with session.progress("Reading sidecars"):
        plan = plan_export(library, photos, options, only_written=known)
    plan = plan.without(apply_export(library, plan))
    for path, reason in plan.left_out:
        session.warn(f"{path}: left as it is: {reason}")
    if done := len(plan.sidecars):
        session.say(
            f"Changed {count(done, 'sidecar')}. To revert that, run `photopal undo`;"
            " run it twice for the name, too."
        )
    if plan.left_out:
        raise typer.Exit(ExitCode.PARTIAL)


def say_of_parts(session: Session, number: int) -> None:
    """Tell that what a killed run left beside the photos was removed."""
    if number:
        session.say(f"Removed {count(number, 'temporary file')} that an interrupted `write-metadata` left.")


def say_of_return(session: Session, library: Library, concept_id: int, name: str) -> None:
    """Tell how a name that is back comes into sidecars again, if photopal wrote any beside its photos."""
    if library.sidecars.is_beside(library.concepts.photo_ids(concept_id)):
        session.say(
            f"To write the name into sidecars again, run `photopal write-metadata {shlex.quote(name)} --yes`."
        )
