"""The options by which several commands choose among photos."""

from __future__ import annotations

from typing import Annotated

import typer

ConceptFilter = Annotated[
    list[str] | None,
    typer.Option(help="Only photos with this person, pet or thing; can be repeated.", metavar="NAME"),
]
SinceFilter = Annotated[
    str | None, typer.Option(help="Photos from this day, month or year on.", metavar="DATE")
]
UntilFilter = Annotated[
    str | None, typer.Option(help="Photos up to and including this day, month or year.", metavar="DATE")
]
CameraFilter = Annotated[str | None, typer.Option(help="Part of the camera's name.", metavar="TEXT")]
