"""`photopal demo`: draws a small family library and runs every command on it."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import MOST_SEED
from photopal.cli.output import plain
from photopal.errors import ExitCode, PhotopalError

if TYPE_CHECKING:
    from photopal.lab.synthetic.album import Album, AlbumPhoto

_ACCEPTED = (ExitCode.OK, ExitCode.PARTIAL, ExitCode.NOTHING_FOUND)


def demo(
    ctx: typer.Context,
    *,
    into: Annotated[
        Path | None,
        typer.Option(help="New or empty folder to use; a temporary folder by default.", metavar="FOLDER"),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Random seed; each gives another family.", min=0, max=MOST_SEED, metavar="N")
    ] = 0,
) -> None:
    """Create a small family library of drawn photos and try the main commands on it.

    The photos are drawn, with dates and places as a camera would record them. The demo uses its own home
    folder and does not touch your library. Each command is shown before its output; at the end, the captions
    are compared with what was drawn.

    Examples:
      photopal demo
      photopal demo --into family --seed 1
    """
    from photopal.lab.synthetic.album import write_album

    session = session_of(ctx)
    began = time.monotonic()
    folder = into if into is not None else Path(tempfile.mkdtemp(prefix="photopal-demo-"))
    session.say(f"Drawing a family and its photos in {folder} ...")
    album = write_album(folder, seed=seed)
    commands = list_commands(album)
    for number, words in enumerate(commands, start=1):
        _run(session, words, folder / "home", step=f"[{number}/{len(commands)}]")
    _conclude(session, album, seconds=time.monotonic() - began)


def list_commands(album: Album) -> list[list[str]]:
    """The commands of the demo, each as its words after `photopal`."""
    folder = album.folder
    first, pet = album.concepts[0].name, album.concepts[-1].name
    commands = [["index", str(album.photos_folder)]]
    for concept in album.concepts:
        words = ["add-concept", concept.name, str(folder / "references" / concept.name)]
        commands.append(
            [*words, "--kind", concept.identity.kind, "--mask", str(folder / "masks" / concept.name)]
        )
    shown = _best_photo(album, first)
    crowd = _best_photo(album, None)
    return [
        *commands,
        ["locate", str(crowd.path), "--out", str(folder / "marked.jpg")],
        ["tune"],
        ["caption"],
        ["search", f"{first} {shown.scene.place}"],
        ["search", pet, "--since", "2023", "--limit", "5"],
        ["ask", f"What is {first} doing?", str(shown.path)],
        ["ask", f"How many photos of {pet} are there?"],
        ["ask", f"When did I last see {first} with {pet}?"],
        ["status"],
    ]


def _best_photo(album: Album, name: str | None) -> AlbumPhoto:
    """The photo of somebody, or of anybody, that shows the most names."""
    photos = [photo for photo in album.photos if name is None or name in photo.names]
    return max(photos or album.photos, key=lambda photo: sum(name is not None for name in photo.names))


def _run(session: Session, words: list[str], home: Path, *, step: str) -> None:
    from photopal.cli.app import app

    session.out.print()
    session.out.print(plain(f"{step} $ {_program()} {shlex.join(words)}", "bold cyan"), soft_wrap=True)
    settings = ["--home", str(home), "--model", session.settings.model, "--device", session.settings.device]
    code = app([*settings, *words], standalone_mode=False, prog_name="photopal")
    if code == ExitCode.INTERRUPTED:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if isinstance(code, int) and code not in _ACCEPTED:
        raise PhotopalError(f"the demo failed: photopal {words[0]} exited with code {code}")


def _program() -> str:
    """How the user can start photopal: by its name, or by its path in an environment that is not active."""
    beside = Path(sys.executable).with_name("photopal")
    if shutil.which("photopal") is not None or not beside.exists():
        return "photopal"
    with suppress(ValueError):
        beside = beside.relative_to(Path.cwd())
    return shlex.quote(str(beside))


def _conclude(session: Session, album: Album, *, seconds: float) -> None:
    from photopal.lab.experiments.album_captions import draw_sheet, score_captions
    from photopal.library import Library

    home = album.folder / "home"
    with Library(home / "library.db", read_only=True) as library:
        score = score_captions(library, album)
        crowded = sorted(album.photos, key=lambda photo: -sum(name is not None for name in photo.names))
        rows = [library.photos.at(photo.path) for photo in crowded[:8]]
        draw_sheet(library, [row for row in rows if row is not None]).save(album.folder / "captions.png")
    share, program = 100 / max(1, score.captioned), _program()
    session.out.print()
    named = (
        f"Of {score.captioned} captions, {score.exact} ({share * score.exact:.0f} %) name exactly who "
        f"was drawn; {score.wrong} ({share * score.wrong:.0f} %) name somebody who is not in the photo."
    )
    lines = (
        named,
        f"The demo took {seconds:.0f} seconds. See captions.png and marked.jpg in {album.folder}.",
        "On camera photos, people are recognized by their faces, pets and things by looks, without a model:",
        f"  {program} index ~/Pictures",
        f"  {program} people --sheet people.jpg",
        f"  {program} add-concept Anna --group 3",
        f"  {program} add-concept Rex rex1.jpg rex2.jpg rex3.jpg --kind pet",
        f"  {program} caption",
        "The bundled model only understands drawn photos. For captions of camera photos, choose another:",
        f"  {program} --model FOLDER_OR_HUB_ID caption",
    )
    for line in lines:
        session.out.print(plain(line, ""), soft_wrap=True)
