"""`photopal import-names`: names people and pets as files do; a dry run without `--yes`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import choose_photos, read_paths, warn_of_offline, warn_of_skipped
from photopal.cli.output import Listing, show_json, show_listing
from photopal.errors import ExitCode, NothingFoundError
from photopal.text import count

if TYPE_CHECKING:
    from photopal.ingest.name_import import NameImport


def import_names(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Photos or folders, or - to read paths from stdin; the whole library by default.",
            metavar="PATH",
        ),
    ] = None,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Add them; without this option, no name is added.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take over the people and pets that other programs have named in your photos.

    Reads the names that digiKam, Lightroom, Picasa, Windows, Apple Photos (exported with sidecars) and Google
    Takeout wrote into the files or sidecars. Of everybody up to eight large faces, from different times,
    become reference photos with their boxes; all other photos need none, as a name in the file counts as it
    is. Spellings that differ only in case or in how accents and apostrophes are encoded are one name. Regions
    that no longer fit a photo, because it was cropped or turned since, are left out and listed.

    Without --yes, only shows what would be added; photos that are not in the library yet are added to it in
    any case. A second run adds nothing, and `photopal undo` takes all of it back.

    Examples:
      photopal import-names ~/Pictures
      photopal import-names ~/Pictures --yes
    """
    from photopal.assistant.find import explain_name
    from photopal.ingest.name_import import apply_import, plan_import

    session = session_of(ctx)
    with session.library_to_write() if paths or yes else session.library_to_read() as library:
        chosen = choose_photos(session, library, read_paths(paths)) if paths else None
        if chosen is not None:
            warn_of_offline(session, chosen.offline)
            warn_of_skipped(session, chosen.skipped)
        elif outdated := library.facts.count_outdated():
            session.warn(
                f"{count(outdated, 'file')} were read by an earlier version, which did not note all that is"
                " needed here. Run `photopal index` on your folders first."
            )
        named = library.facts.photos_with_persons()
        known = {photo.id for photo in chosen.photos} if chosen else set(named)
        plan = plan_import(library, [library.photos.get(photo_id) for photo_id in named if photo_id in known])
        if yes:
            apply_import(library, plan)
        new = [each.name for each in plan.names if each.concept_id is None]
        warnings = [words for name in new if (words := explain_name(library, name))] if yes else []
    _show(session, plan, is_json=json, is_done=yes)
    for words in warnings:
        session.warn(words)
    if not plan.names:
        raise NothingFoundError(
            "no names found in the files" if not plan.left_out else "no names that can be used",
            hint="Names must be written into the files or sidecars; see docs/from-other-programs.md.",
        )
    if chosen is not None and chosen.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


def _show(session: Session, plan: NameImport, *, is_json: bool, is_done: bool) -> None:
    if is_json:
        show_json(session.out, _as_json(plan, is_done=is_done))
    else:
        rows = [
            (
                each.name,
                each.kind,
                "new" if each.concept_id is None else "known",
                count(each.photos),
                f"+{count(len(each.references), 'reference photo')}" if each.references else "",
            )
            for each in plan.names
        ]
        show_listing(session.out, Listing(("name", "kind", "", "named on", "to learn from"), rows))
    reasons = Counter((each.name, each.reason) for each in plan.left_out)
    for (name, reason), number in reasons.items():
        session.say(f"Not used: {name}{f' on {count(number)}' if number > 1 else ''}: {reason}.")
    if not plan.names:
        return
    new = [each for each in plan.names if each.concept_id is None]
    references = sum(len(each.references) for each in plan.names)
    if not references:
        session.say("All of them are known already; nothing to add.")
        return
    what = f"{count(len(new), 'new name')} and {count(references, 'reference photo')}"
    if is_done:
        session.say(f"Added {what}. To revert, run `photopal undo`.")
        session.say("The names can be used now. `photopal caption` looks for them on all other photos, too.")
    else:
        session.say(f"Would add {what}. Dry run; no name was added. Use --yes to apply.")


def _as_json(plan: NameImport, *, is_done: bool) -> dict[str, Any]:
    return {
        "names": [
            {
                "name": each.name,
                "kind": each.kind,
                "is_new": each.concept_id is None,
                "photos": each.photos,
                "references": [
                    {"path": str(reference.photo.path), "box": reference.box} for reference in each.references
                ],
            }
            for each in plan.names
        ],
        "left_out": [
            {
                "name": each.name,
                "path": None if each.photo is None else str(each.photo.path),
                "reason": each.reason,
            }
            for each in plan.left_out
        ],
        "is_imported": is_done,
    }
