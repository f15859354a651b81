"""`photopal caption`: describes photos in a sentence, with the names of who is on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from weakref import ref

import typer

from photopal.cli.context import Session, session_of
from photopal.cli.inputs import choose_photos, read_paths, warn_of_offline, warn_of_skipped
from photopal.cli.loading import (
    assistant_of,
    employ_crew,
    find_faces,
    open_assistant,
    open_crew,
    open_model,
    with_faces,
)
from photopal.cli.output import safe, show_json, show_line
from photopal.errors import ExitCode, UsageError
from photopal.text import count

if TYPE_CHECKING:
    from photopal.assistant.assistant import Assistant
    from photopal.assistant.caption import CaptionedPhoto, CaptionOptions, RemoteAssistant
    from photopal.assistant.ray_workers import RayCrew
    from photopal.ingest.watch import WatchOutcome
    from photopal.library import PhotoRecord


def caption(  # noqa: PLR0913 - one parameter for each option of the command
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Photos or folders, or - to read paths from stdin.", metavar="PATH"),
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Caption photos again even if the caption is up to date.")
    ] = False,
    replace_edited: Annotated[
        bool, typer.Option("--replace-edited", help="Replace captions you wrote yourself.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Maximum number of captions.", min=1, metavar="N")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running and caption new photos as they arrive.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --watch: exit when everything is done.")] = False,
    no_faces: Annotated[
        bool, typer.Option("--no-faces", help="Do not search photos for the faces of people first.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            help="Caption on the machines of a Ray cluster; auto uses the GPUs of this one.",
            metavar="ADDRESS",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="With --ray: number of workers, by default one per GPU.", min=1, metavar="N"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per line.")] = False,
) -> None:
    """Write captions for photos, with the names of the people, pets and things in them.

    Photos that the model does not understand get what is known of them: who is there by face, looks and your
    own words, where and when they were taken, and what their files say.

    Without paths, all photos are captioned that have no caption by the current model and names. Photos that
    are not in the library yet are added to it. Captions you wrote yourself are kept unless you use
    --replace-edited. Captions are saved every few seconds, so Ctrl-C loses very few. Exits with code 3 if
    some photos could not be read.

    As soon as a person has a name, photos are searched for faces before they are captioned, each photo once,
    about one per second. With --watch, new photos are always searched.

    With --ray, several GPUs or machines share the work: each worker loads the model and is sent photos.
    Captions appear in the order in which they are done. --ray auto uses the Ray cluster that runs on this
    machine, or starts one for this run.

    Examples:
      photopal caption
      photopal caption ~/Pictures/2024 --limit 20
      photopal search Rex --paths | photopal caption - --force
      photopal caption --watch ~/Pictures/Inbox
      photopal caption --ray auto
      photopal caption --ray ray://gpu-server:10001
    """
    session = session_of(ctx)
    _check_combination(
        watch=watch, once=once, rest=(force, replace_edited, limit, json), formats=(json, jsonl)
    )
    if workers is not None and ray is None:
        raise UsageError("--workers requires --ray")
    with (
        _printing(session, is_json=json, is_jsonl=jsonl) as on_caption,
        open_crew(session, ray, workers) as crew,
    ):
        if watch:
            _caption_watched(
                session, paths or (), once=once, no_faces=no_faces, crew=crew, on_caption=on_caption
            )
        else:
            from photopal.assistant.caption import CaptionOptions

            options = CaptionOptions(force, replace_edited, limit)
            _caption(session, paths or (), options, no_faces=no_faces, crew=crew, on_caption=on_caption)


def _check_combination(*, watch: bool, once: bool, rest: Sequence[object], formats: Sequence[bool]) -> None:
    if once and not watch:
        raise UsageError("--once requires --watch")
    if watch and any(rest):
        raise UsageError("--force, --replace-edited, --limit and --json cannot be used with --watch")
    if all(formats):
        raise UsageError("--json and --jsonl cannot be used together")


def _caption(
    session: Session,
    paths: Sequence[Path],
    options: CaptionOptions,
    *,
    no_faces: bool,
    crew: RayCrew | None,
    on_caption: Callable[[CaptionedPhoto], None],
) -> None:
    with session.library_to_write() as library:
        chosen = choose_photos(session, library, read_paths(paths)) if paths else None
        from photopal.assistant.caption import caption_photos, parts_of
        from photopal.faces import photos_of_people
        from photopal.library.photo_vectors import VectorFile

        photos: Iterable[PhotoRecord] = library.photos.all() if chosen is None else chosen.photos
        assistant: Assistant | RemoteAssistant
        if crew is None:
            assistant = open_assistant(session, library)
            photos = photos if no_faces else with_faces(session, library, photos)
        else:
            parts = parts_of(open_assistant(session, library))
            if not no_faces:
                find_faces(session, library, photos=photos_of_people(library))
            assistant = employ_crew(session, library, crew, parts, no_faces=no_faces)
        report = caption_photos(
            library,
            assistant,
            photos,
            options=options,
            vectors=VectorFile(session.settings.vectors_path, assistant.model.fingerprint),
            on_caption=on_caption,
        )
    if chosen is not None:
        warn_of_offline(session, chosen.offline)
        warn_of_skipped(session, chosen.skipped)
    warn_of_skipped(session, report.skipped)
    if report.from_facts:
        session.say(
            f"The model does not understand {count(report.from_facts)}; the caption says only what is known"
            " of who, where and when."
        )
    kept = f" {count(report.kept, 'photo')} already up to date." if report.kept else ""
    session.say(f"{count(report.captioned, 'new caption')}.{kept}")
    if report.skipped or (chosen is not None and chosen.is_partial):
        raise typer.Exit(ExitCode.PARTIAL)


def _caption_watched(
    session: Session,
    folders: Sequence[Path],
    *,
    once: bool,
    no_faces: bool,
    crew: RayCrew | None,
    on_caption: Callable[[CaptionedPhoto], None],
) -> None:
    from photopal.assistant.caption import parts_of
    from photopal.assistant.watcher import WatchCaptioner
    from photopal.cli.watching import run_watch
    from photopal.faces import photos_of_people
    from photopal.ingest.watch import WatchOptions, WatchOutcome
    from photopal.library.photo_vectors import VectorFile

    model, bank_path = open_model(session)
    vectors = VectorFile(session.settings.vectors_path, model.fingerprint)
    first, model_ref = [model], ref(model)  # not the model itself, which goes when no photo comes for long
    del model
    with session.library_to_write() as library:

        def reopen() -> Assistant | RemoteAssistant:
            nonlocal model_ref
            model = first.pop() if first else model_ref() or open_model(session)[0]
            model_ref = ref(model)
            assistant = assistant_of(session, library, model=model, path=bank_path)
            if crew is None:
                return assistant
            parts = parts_of(assistant)
            del model, assistant
            return employ_crew(session, library, crew, parts, no_faces=no_faces)

        def search(photos: Collection[PhotoRecord]) -> None:
            if not no_faces:
                own = () if crew is not None else photos  # workers search what they are sent
                find_faces(session, library, photos=[*photos_of_people(library), *own])

        captioner = WatchCaptioner(
            library, bank_path, reopen, vectors=vectors, before_caption=search, on_caption=on_caption
        )

        def take(paths: Sequence[Path]) -> WatchOutcome:
            return WatchOutcome(captioner.take(paths), captioner.sync.unread_sidecars)

        options, sync = WatchOptions(once=once, globs=library.facts.globs()), captioner.sync
        run_watch(session, folders, options=options, on_photos=take, is_known=captioner.has, sync=sync)


@contextmanager
def _printing(
    session: Session, *, is_json: bool, is_jsonl: bool
) -> Iterator[Callable[[CaptionedPhoto], None]]:
    """Print captions as they are made; as one JSON list at the end, also of a run that breaks off."""
    made: list[dict[str, Any]] = []

    def show(captioned: CaptionedPhoto) -> None:
        if is_json:
            made.append(_as_json(captioned))
        elif is_jsonl:
            show_json(session.out, _as_json(captioned), is_line=True)
        else:
            cells = [safe(str(captioned.photo.path)), safe(", ".join(captioned.caption.names))]
            text = safe(captioned.caption.text)
            if session.out.is_terminal:
                path, names = cells
                show_line(session.out, f"{path}{f'  [{names}]' if names else ''}\n  {text}")
            else:
                show_line(session.out, "\t".join([*cells, text]))
        session.out.file.flush()

    try:
        yield show
    finally:
        if is_json:
            show_json(session.out, made)


def _as_json(captioned: CaptionedPhoto) -> dict[str, Any]:
    return {
        "path": str(captioned.photo.path),
        "names": captioned.caption.names,
        "caption": captioned.caption.text,
        "source": captioned.caption.source,
        "sightings": [
            {
                "name": sighting.concept.name,
                "is_present": sighting.is_present,
                "score": sighting.score,
                "point": sighting.point,
                "box": sighting.box,
            }
            for sighting in captioned.caption.sightings
        ],
    }
