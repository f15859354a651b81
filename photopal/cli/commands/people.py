"""`photopal people`: shows who is on many photos and has no name yet, and keeps their groups in order."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.loading import find_faces
from photopal.cli.output import Listing, show_json, show_line, show_listing
from photopal.cli.pictures import check_target, save_copy
from photopal.errors import ModelError, NothingFoundError, UsageError
from photopal.text import count, join_words

if TYPE_CHECKING:
    from photopal.faces.unnamed import Suggestion, UnnamedFaces, UnnamedGroup
    from photopal.library import ConceptRecord, Library

# On the sheet a wrong face is to be seen.
_ANY_DISTANCE = 10.0


def people(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="Person with a name: list photos that may show them.", metavar="NAME"),
    ] = None,
    *,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw the groups into this picture.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the picture if it exists.")] = False,
    merge: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Two groups are one person; the first number is kept.", metavar="GROUP GROUP"),
    ] = None,
    split: Annotated[
        int | None,
        typer.Option(help="A group is two people, or was merged by mistake.", metavar="GROUP"),
    ] = None,
    ignore: Annotated[
        list[int] | None,
        typer.Option(help="Stop listing this group; can be repeated.", metavar="GROUP"),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Apply --merge, --split or --ignore; without this, nothing is changed."
        ),
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also list faces seen only once and ignored groups.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Maximum number of groups.", min=1, metavar="N")] = 20,
    no_scan: Annotated[
        bool, typer.Option("--no-scan", help="Do not search further photos for faces first.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the people in your photos who have no name yet.

    Faces that look alike form a group with a number; the people on the most photos come first. With --sheet,
    you see them: one row for each group. `photopal add-concept NAME --group 3` gives a group a name. Photos
    that were not searched for faces yet are searched first, about one per second; an interrupted search
    continues next time. New photos are added to the groups, and the numbers stay.

    With NAME, lists photos that may show this person but are not certain. Confirm or deny them with
    `photopal who`, and photopal learns from it.

    A group may by mistake contain two people, and one person may have two groups. --merge, --split and
    --ignore correct them; `photopal undo` reverts that. Your photos are only read, and nothing leaves your
    computer.

    Examples:
      photopal people
      photopal people --sheet people.jpg
      photopal add-concept Anna --group 3
      photopal people --merge 3 7 --yes
      photopal people --ignore 5 --ignore 9 --yes
      photopal people Anna
    """
    session = session_of(ctx)
    changes = [change for change in (merge, split, ignore or None) if change is not None]
    if len(changes) > 1:
        raise UsageError("--merge, --split and --ignore cannot be used together")
    if (changes or name is not None) and (sheet is not None or show_all):
        raise UsageError("--sheet and --all are for listing groups; they cannot be used here")
    if changes:
        if name is not None:
            raise UsageError("a NAME cannot be used with --merge, --split or --ignore")
        with session.library_to_write() as library:
            _correct(session, library, merge=merge, split=split, ignore=ignore or (), yes=yes, json=json)
        return
    if yes:
        raise UsageError("--yes requires --merge, --split or --ignore")
    from photopal.faces import learn_library, settle_groups
    from photopal.faces.unnamed import find_unnamed

    with session.library_to_write() as library:
        if sheet is not None:
            check_target(sheet, library, is_forced=force)
        concept = None if name is None else library.concepts.get(name)
        _search(session, library, concept, no_scan=no_scan, json=json)
        settle_groups(library)
        found = find_unnamed(library, learn_library(library))
        if concept is not None:
            _show_suggestions(session, library, concept, found.suggestions.get(concept.id, ()), json=json)
            return
        usual = [group for group in found.groups if not group.is_ignored and len(group.photos) > 1]
        shown = (list(found.groups) if show_all else usual)[:limit]
        if json:
            show_json(session.out, _as_json(library, found, shown))
        else:
            _show(session, library, shown)
            _sum_up(session, library, found, usual=usual, shown=shown)
        if sheet is not None:
            _draw(session, library, shown, sheet, force=force)


def _search(
    session: Session, library: Library, concept: ConceptRecord | None, *, no_scan: bool, json: bool
) -> None:
    """Search what was not searched, and say what is not known without.

    Raises:
        ModelError: Faces cannot be found on this machine, and none were found before.
        NothingFoundError: There are no faces; as JSON, the empty answer has been printed.
    """
    from photopal.faces import DETECTOR

    report = None if no_scan else find_faces(session, library)
    counts = library.faces.counts(detector=DETECTOR)
    if report is None and not no_scan and not counts["faces"]:
        raise ModelError("faces are off on this machine", hint="photopal doctor")
    if not counts["faces"] and not counts["unscanned"]:
        if json:
            everybody = {"groups": [], "total": 0, "may_show": []}
            show_json(session.out, {"name": concept.name, "photos": []} if concept else everybody)
        raise NothingFoundError("no faces in the photos of the library", hint="photopal index FOLDER")
    if counts["unscanned"]:
        session.say(f"{count(counts['unscanned'])} were not searched for faces.")


def _correct(  # noqa: PLR0913 - what each option says
    session: Session,
    library: Library,
    *,
    merge: tuple[int, int] | None,
    split: int | None,
    ignore: Sequence[int],
    yes: bool,
    json: bool,
) -> None:
    """Do what the user says of groups, or only say what would be done."""
    if merge is not None:
        kept, other = library.faces.groups_to_merge(*merge)
        sizes = [len(library.faces.of_group(number)) for number in (kept, other)]
        words = f"merge group {other} ({count(sizes[1], 'face')}) into group {kept} ({sizes[0]:,})"
        facts: dict[str, Any] = {"merge": [kept, other], "faces": sizes}
        if yes:
            library.faces.merge_groups(kept, other)
    elif split is not None:
        words, facts = _split(library, split, yes=yes)
    else:
        roots = library.faces.roots_of(ignore)
        sizes = [len(library.faces.of_group(number)) for number in roots]
        numbers = join_words([str(number) for number in roots])
        words = f"ignore {'group' if len(roots) == 1 else 'groups'} {numbers} ({count(sum(sizes), 'face')})"
        facts = {"ignore": roots, "faces": sizes}
        if yes:
            library.faces.ignore_groups(roots)
    if json:
        show_json(session.out, {**facts, "is_done": yes})
    elif not yes:
        show_line(session.out, f"Would {words}.")
    if yes:
        session.say(f"Done: {words}. To revert, run `photopal undo`.")
    else:
        session.say("Dry run; nothing was changed. Use --yes to apply.")


def _split(library: Library, group: int, *, yes: bool) -> tuple[str, dict[str, Any]]:
    from photopal.faces.unnamed import divide_group

    [group] = library.faces.roots_of([group])
    merged = library.faces.merged_groups(group)
    faces = library.faces.of_group(group)
    if merged:
        if yes:
            library.faces.split_group(group)
        words = f"split group {group} into the groups {join_words([str(n) for n in (group, *merged)])}"
        return words, {"split": group, "into": [group, *merged]}
    if len(faces) < 2:
        raise UsageError(f"group {group} has a single face")
    staying, leaving = divide_group(faces)
    words = f"split group {group} into {count(len(staying), 'face')} and {len(leaving):,} in a new group"
    facts: dict[str, Any] = {"split": group, "faces": [len(staying), len(leaving)]}
    if yes:
        facts["into"] = library.faces.split_group(group, leaving)
        words = f"{words}, {facts['into'][1]}"
    return words, facts


def _show(session: Session, library: Library, groups: Sequence[UnnamedGroup]) -> None:
    names = {concept.id: concept.name for concept in library.concepts.all()}
    rows = [
        (
            str(group.id),
            f"{len(group.photos):,}",
            f"{len(group.faces):,}",
            _years(library, group),
            f"may be {names[group.looks_like]}" if group.looks_like in names else "",
            "ignored" if group.is_ignored else "",
        )
        for group in groups
    ]
    show_listing(session.out, Listing(("group", "photos", "faces", "taken", "looks like", ""), rows))


def _years(library: Library, group: UnnamedGroup) -> str:
    dates = [library.photos.get(photo_id).taken_at for photo_id in group.photos]
    years = sorted(date[:4] for date in dates if date is not None)
    if not years:
        return ""
    return years[0] if years[0] == years[-1] else f"{years[0]}–{years[-1]}"


def _sum_up(
    session: Session,
    library: Library,
    found: UnnamedFaces,
    *,
    usual: Sequence[UnnamedGroup],
    shown: Sequence[UnnamedGroup],
) -> None:
    """Say what is not listed, and what to do next."""
    waiting = [group for group in found.groups if not group.is_ignored]
    if not waiting:
        session.say("Everybody on your photos has a name, or is ignored.")
    single = len(waiting) - len(usual)
    more, options = [], []
    if len(usual) > len(shown):
        more.append(count(len(usual) - len(shown), "more group"))
        options.append("--limit")
    if single and len(shown) <= len(usual):
        more.append(f"{count(single, 'face')} seen on a single photo")
        options.append("--all")
    if more:
        session.say(f"Not listed: {join_words(more)}. Use {join_words(options)}.")
    for concept in library.concepts.all():
        if some := found.suggestions.get(concept.id):
            photos = "1 more photo may show" if len(some) == 1 else f"{len(some):,} more photos may show"
            session.say(f"{photos} {concept.name}: run `photopal people {shlex.quote(concept.name)}`.")
    if shown:
        session.say(
            f"To name one: photopal add-concept NAME --group {shown[0].id}. "
            "To see them: photopal people --sheet people.jpg"
        )


def _show_suggestions(
    session: Session, library: Library, concept: ConceptRecord, found: Sequence[Suggestion], *, json: bool
) -> None:
    facts = [_suggestion_as_json(library, one) for one in found]
    if json:
        show_json(session.out, {"name": concept.name, "photos": facts})
    if not facts:
        raise NothingFoundError(
            f"no photo that may show {concept.name}",
            hint=None if concept.kind == "person" else "Only people are found by their faces.",
        )
    if json:
        return
    rows = [(one["path"], f"{one['probability']:.2f}", ",".join(map(str, one["box"]))) for one in facts]
    show_listing(session.out, Listing(("photo", "probability", "face"), rows))
    session.say(
        f"If it is {concept.name}: photopal who PHOTO --is {shlex.quote(concept.name)}. "
        f"If not: photopal who PHOTO --not {shlex.quote(concept.name)}"
    )


def _suggestion_as_json(library: Library, one: Suggestion) -> dict[str, Any]:
    from photopal.box import Box

    photo = library.photos.get(one.face.photo_id)
    box = Box(*one.face.face.box).to_pixels(photo.width_px, photo.height_px)
    return {"path": str(photo.path), "probability": round(one.probability, 3), "box": box}


def _as_json(library: Library, found: UnnamedFaces, shown: Sequence[UnnamedGroup]) -> dict[str, Any]:
    from photopal.box import Box

    concepts = {concept.id: concept for concept in library.concepts.all()}
    groups = []
    for group in shown:
        faces = []
        for record in library.faces.get(group.faces):
            photo = library.photos.get(record.photo_id)
            box = Box(*record.face.box).to_pixels(photo.width_px, photo.height_px)
            faces.append({"path": str(photo.path), "box": box, "taken_at": photo.taken_at})
        looks_like = concepts.get(group.looks_like or 0)
        groups.append(
            {
                "group": group.id,
                "photos": len(group.photos),
                "looks_like": None if looks_like is None else looks_like.name,
                "is_ignored": group.is_ignored,
                "faces": faces,
            }
        )
    return {
        "groups": groups,
        "total": len(found.groups),
        "may_show": [
            {"name": concepts[key].name, "photos": [_suggestion_as_json(library, one) for one in some]}
            for key, some in found.suggestions.items()
            if key in concepts
        ],
    }


def _draw(
    session: Session, library: Library, groups: Sequence[UnnamedGroup], sheet: Path, *, force: bool
) -> None:
    """Draw the sheet, of each group the clearest faces, each of another photo.

    Raises:
        NothingFoundError: There is no group to draw.
    """
    from photopal.faces.sheet import FACES_PER_ROW, SheetFace, SheetRow, draw_sheet
    from photopal.faces.unnamed import choose_references

    if not groups:
        raise NothingFoundError("no group to draw", hint="photopal people --all --sheet FILE")
    names = {concept.id: concept.name for concept in library.concepts.all()}
    rows = []
    for group in groups:
        faces = []
        for record in choose_references(
            library.faces.get(group.faces), most=FACES_PER_ROW, within=_ANY_DISTANCE
        ):
            photo = library.photos.get(record.photo_id)
            faces.append(SheetFace(photo.path, (photo.width_px, photo.height_px), record.face.box))
        notes = [count(len(group.photos)), _years(library, group)]
        if group.looks_like in names:
            notes.append(f"{names[group.looks_like]}?")
        rows.append(SheetRow(str(group.id), tuple(filter(None, notes)), tuple(faces)))
    with session.progress("Drawing faces") as on_progress:
        picture = draw_sheet(rows, on_progress=on_progress)
    save_copy(picture, sheet, is_forced=force)
    session.say(f"Saved {sheet}: {count(len(rows), 'group')}.")
