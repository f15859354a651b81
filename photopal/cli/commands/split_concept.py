"""`photopal split-concept`: makes a merged name one of its own again."""

from __future__ import annotations

from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import show_json
from photopal.cli.sidecars import say_of_return
from photopal.text import count


def split_concept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name that was merged into another.", metavar="NAME")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Undo a merge: make a merged name a person, pet or thing of its own again.

    It gets back everything it had when it was merged: reference photos, corrections, photos and captions.
    Anything added since stays with the other name. `photopal undo` reverts the change.

    Examples:
      photopal split-concept Oma
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        concept = library.concepts.split(name)
        references = library.concepts.references(concept.id)
        if json:
            show_json(
                session.out,
                {
                    "name": concept.name,
                    "kind": concept.kind,
                    "photos": [str(reference.photo.path) for reference in references],
                },
            )
        session.say(
            f"{concept.name} is a name of its own again, with {count(len(references), 'reference photo')}."
            " To revert, run `photopal undo`."
        )
        say_of_return(session, library, concept.id, concept.name)
