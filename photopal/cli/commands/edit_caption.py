"""`photopal edit-caption`: gives a photo the caption that the user writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.inputs import photo_named
from photopal.cli.output import show_json
from photopal.text import join_words


def edit_caption(
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(help="A photo in the library.", metavar="PHOTO")],
    text: Annotated[str, typer.Argument(help="The new caption.", metavar="TEXT")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a photo's caption yourself.

    The people, pets and things named in it count as being in the photo. A name that is also a word or a
    month, such as Will or May, counts only where it is written with a capital letter and not as a date.
    A name that you registered in small letters, such as teddy, also counts in small letters.
    `photopal caption` does not replace the caption unless you use --replace-edited, and `photopal undo`
    reverts the change.

    Examples:
      photopal edit-caption beach.jpg "Rex sees the sea for the first time"
    """
    session = session_of(ctx)
    with session.library_to_write() as library:
        row = photo_named(library, photo)
        caption = library.captions.edit(row.id, text)
        words, known = library.corrections.words(row.id), library.corrections.evidence(row.id)
        concepts = library.concepts.all()
    if json:
        show_json(session.out, {"path": str(row.path), "caption": caption.text, "by_hand": caption.by_hand})
    session.say(f"Caption of {photo} updated. To revert, run `photopal undo`.")
    named = {known.roots[word.concept_id] for word in known.words if word.source == "caption"}
    # Of names that were merged, a model's word may stand where the user took one of them off.
    gone = {concept_id for concept_id, word in words.items() if not word.is_present}
    shown = [c.name for c in concepts if c.id in named and c.id not in gone]
    absent = [c.name for c in concepts if c.id in named and c.id in gone]
    if shown:
        session.say(
            f"It counts as a photo of {join_words(shown)};"
            " if somebody is not in it, use `photopal who --not`."
        )
    if absent:
        session.say(
            f"You said that {join_words(absent)} is not in the photo, and that stays so."
            " To change it, use `photopal who --is`."
        )
