"""`photopal write-metadata`: writes captions and names into XMP sidecars; a dry run without `--yes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import STDIN, list_photos, read_paths, warn_of_skipped
from photopal.cli.output import Listing, show_json, show_listing
from photopal.cli.sidecars import say_of_parts
from photopal.errors import ExitCode, NothingFoundError, UsageError
from photopal.files import is_there
from photopal.text import count, join_words

if TYPE_CHECKING:
    from photopal.assistant.sidecar_export import ExportPlan, PlannedSidecar
    from photopal.library import Library, PhotoRecord
    from photopal.photos import Skipped

_EVERY = 1 << 31


def write_metadata(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            help="Photos, folders, - to read paths from stdin, or words to search for; all by default.",
            metavar="PHOTO|QUERY",
        ),
    ] = None,
    *,
    all_: Annotated[
        bool,
        typer.Option(
            "--all", help="Also names that you have not confirmed but a model is sure of, and their captions."
        ),
    ] = False,
    written: Annotated[
        bool, typer.Option("--written", help="Only bring sidecars up to date that photopal wrote before.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take out what photopal wrote, and write nothing new.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Write them; without this option, nothing is changed.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write captions and names into sidecars beside your photos, for other programs.

    Photos themselves are never changed. A sidecar gets the caption, the names as keywords, tags and persons,
    and where people and pets are. What is in it already stays, byte for byte, and is not replaced: a photo
    with a description keeps it. Only names that you confirmed are written: with `who --is`, by a reference
    photo, in a caption you wrote, or in the file itself. A caption with another name stays out. With --all,
    names that a model is sure of are written too.

    An existing sidecar is used, whatever its name; a new one is called photo.jpg.xmp, or photo.xmp with the
    setting `sidecars`. photopal marks what it wrote, so that it can bring it up to date later and does not
    take it for something you entered elsewhere. `photopal undo` brings the old sidecars back, byte for byte.
    Without --yes, only shows what would be written.

    Examples:
      photopal write-metadata Anna 2024
      photopal write-metadata ~/Pictures/2024 --yes
      photopal write-metadata --written --yes
      photopal write-metadata --remove --yes
    """
    from photopal.assistant.sidecar_export import ExportOptions, apply_export, plan_export

    session = session_of(ctx)
    options = ExportOptions(all_, remove, session.settings.sidecars == "lightroom")
    with session.library_to_write() if yes else session.library_to_read() as library:
        skipped: list[Skipped] = []
        chosen, unknown = _choose(library, photos or (), on_skip=skipped.append)
        known = library.sidecars.photos() if written else None
        if known is not None:
            chosen = [(photo, paths) for photo, paths in chosen if photo.id in known]
        with session.progress("Reading sidecars"):
            plan = plan_export(library, chosen, options, only_written=known)
        failed = apply_export(library, plan) if yes and plan.sidecars else []
        plan = plan.without(failed)
        removed = library.sidecars.remove_parts(plan.parts) if yes else 0
    if json:
        show_json(session.out, _as_json(plan, is_written=yes))
    else:
        rows = [
            (str(each.change.path), _how(each), ", ".join(each.change.names), each.caption or "")
            for each in plan.sidecars
        ]
        show_listing(session.out, Listing(("sidecar", "", "names", "caption"), rows))
    for path in unknown:
        session.warn(f"{path}: not in the library")
    warn_of_skipped(session, skipped)
    for path, reason in plan.left_out:
        session.warn(f"{path}: left as it is: {reason}")
    say_of_parts(session, removed)
    _tell(session, plan, is_done=yes)
    if not chosen and not unknown and not skipped:
        what = f"no photo found for {' '.join(photos)!r}" if photos else "no photo to write about"
        raise NothingFoundError(what, hint="photopal write-metadata --help")
    if unknown or skipped or plan.left_out:
        raise typer.Exit(ExitCode.PARTIAL)


def _choose(
    library: Library, words: Sequence[str], *, on_skip: Callable[[Skipped], None]
) -> tuple[list[tuple[PhotoRecord, list[Path]]], list[Path]]:
    """Return photos with the paths beside which to write, and paths that the library does not know.

    Raises:
        UsageError: Some of the words are paths and some are not.
    """
    if not words:
        return [(photo, library.paths.of(photo.id)) for photo in library.photos.all()], []
    is_path = [word == str(STDIN) or is_there(Path(word)) for word in words]
    if not any(is_path):
        from photopal.assistant.find import SearchOptions, search_photos

        hits = search_photos(library, " ".join(words), SearchOptions(limit=_EVERY))
        return [(hit.photo, library.paths.of(hit.photo.id)) for hit in hits], []
    if not all(is_path):
        raise UsageError(
            f"{words[is_path.index(False)]}: does not exist", hint="Give either paths or words to search for."
        )
    chosen: dict[int, tuple[PhotoRecord, list[Path]]] = {}
    unknown = []
    for path in list_photos(library, read_paths([Path(word) for word in words]), on_skip=on_skip):
        photo = library.photos.at(path)
        if photo is None:
            unknown.append(path)
        else:
            chosen.setdefault(photo.id, (photo, []))[1].append(path)
    return list(chosen.values()), unknown


def _how(planned: PlannedSidecar) -> str:
    if planned.change.before is None:
        return "new"
    return "removed" if planned.change.after is None else "changed"


def _tell(session: Session, plan: ExportPlan, *, is_done: bool) -> None:
    if plan.withheld:
        session.say(
            f"{count(plan.withheld, 'caption')} not written, because of names that are not confirmed."
            " Confirm them with `photopal who --is`, or use --all."
        )
    if plan.unchanged:
        session.say(f"{count(plan.unchanged)} needed no change.")
    if not plan.sidecars:
        return
    number = {"new": 0, "changed": 0, "removed": 0}
    for each in plan.sidecars:
        number[_how(each)] += 1
    removed = number.pop("removed")
    write, remove = ("wrote", "removed") if is_done else ("write", "remove")
    acts = []
    if written := sum(number.values()):
        kinds = join_words([f"{n:,} {how}" for how, n in number.items() if n])
        acts.append(f"{write} {kinds} {'sidecar' if written == 1 else 'sidecars'}")
    if removed:
        acts.append(f"{remove} {count(removed, 'sidecar')}")
    what = join_words(acts)
    if is_done:
        session.say(f"{what.capitalize()}. To revert, run `photopal undo`.")
    else:
        session.say(f"Would {what}. Dry run; nothing was changed. Use --yes to apply.")


def _as_json(plan: ExportPlan, *, is_written: bool) -> dict[str, Any]:
    return {
        "sidecars": [
            {
                "photo": str(each.photo),
                "sidecar": str(each.change.path),
                "change": _how(each),
                "names": each.change.names,
                "caption": each.caption,
            }
            for each in plan.sidecars
        ],
        "unchanged": plan.unchanged,
        "captions_withheld": plan.withheld,
        "left_out": [{"sidecar": str(path), "reason": reason} for path, reason in plan.left_out],
        "is_written": is_written,
    }
