"""`photopal merge-concepts`: makes two names of the same person, pet or thing one."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from photopal.cli.context import session_of
from photopal.cli.output import safe, show_json, show_line
from photopal.cli.sidecars import SidecarsOption, change_sidecars, say_of_sidecars
from photopal.errors import ConceptError
from photopal.library import SearchQuery
from photopal.text import count


def merge_concepts(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name to keep.", metavar="NAME")],
    other: Annotated[
        str, typer.Argument(help="Other name of the same person, pet or thing.", metavar="OTHER")
    ],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Merge them; without this option, nothing is changed.")
    ] = False,
    sidecars: SidecarsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Merge two names of the same person, pet or thing into one.

    NAME is kept; the reference photos, corrections and photos of OTHER count as photos of NAME, and captions
    with the name OTHER are updated; with --sidecars, so are the sidecars that `photopal write-metadata`
    wrote. Without --yes, only shows what would be merged. `photopal split-concept` makes them two again at
    any time, and so does `photopal undo` as long as nothing else has changed.

    Examples:
      photopal merge-concepts Grandma Oma
      photopal merge-concepts Grandma Oma --yes
    """
    session = session_of(ctx)
    with session.library_to_write() if yes else session.library_to_read() as library:
        kept, merged = library.concepts.get(name), library.concepts.get(other)
        if kept.id == merged.id:
            raise ConceptError(f'"{kept.name}" cannot be merged with itself')
        both = (kept, merged)
        references = [len(library.concepts.references(concept.id)) for concept in both]
        photos = [library.search.count(SearchQuery(concepts=(concept.name,))) for concept in both]
        captions = len(library.captions.with_name(merged.name, library.concepts.photo_ids(merged.id)))
        if yes:
            library.concepts.merge(kept.name, merged.name)
        if json:
            show_json(
                session.out,
                {
                    "name": kept.name,
                    "merged": merged.name,
                    "references": references,
                    "photos": photos,
                    "captions": captions,
                    "is_merged": yes,
                },
            )
        elif not yes:
            known = f"{count(references[1], 'reference photo')} of {merged.name}"
            for line in (
                f"Would merge {merged.name} ({merged.kind}) into {kept.name} ({kept.kind}):",
                f"  {known}, {references[0]:,} of {kept.name}",
                f"  {count(photos[1])} of {merged.name}, {photos[0]:,} of {kept.name}",
                f"  {count(captions, 'caption')} with the name {merged.name}",
            ):
                show_line(session.out, safe(line))
        if not yes:
            say_of_sidecars(session, library, merged.name)
            session.say("Dry run; nothing was changed. Use --yes to apply.")
            return
        session.say(
            f"Merged {merged.name} into {kept.name}."
            f" To split them again, run `photopal split-concept {shlex.quote(merged.name)}`."
        )
        session.say(f"{kept.name} is learned again the next time photopal looks at photos.")
        change_sidecars(session, library, merged.name, is_wanted=sidecars)
