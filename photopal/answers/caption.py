"""Captions photos by name and stores what was said and seen; knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from photopal.answers.assistant import Assistant, Sighting, View
from photopal.answers.similar import keep_vectors
from photopal.errors import PhotoError
from photopal.library import Library, PhotoRow
from photopal.library.vectors import VectorFile
from photopal.photos import MODEL_SIDE_PX, Skipped, open_photo
from photopal.prompts import CAPTION_QUESTION, PROMPT_VERSION, build_prompt

NAME_BONUS = 5.0
"""Those who were found are expected in the caption, each once; see `ConceptRows.name_bonus`."""


@dataclass(frozen=True)
class Caption:
    """A caption with who was found.

    Attributes:
        text: What the model says.
        sightings: Every concept, the present ones first.
    """

    text: str
    sightings: tuple[Sighting, ...]

    @property
    def names(self) -> list[str]:
        """Names of those seen, from left to right."""
        seen = sorted((s for s in self.sightings if s.is_present), key=lambda s: s.point[0])
        return [s.concept.name for s in seen]


@dataclass(frozen=True)
class CaptionedPhoto:
    """A photo that has a caption now."""

    photo: PhotoRow
    caption: Caption


@dataclass(frozen=True)
class CaptionOptions:
    """Which photos get a caption anew.

    Attributes:
        is_forced: Also those whose caption is still good.
        replaces_edited: Also those whose caption the user wrote; it can be had back by undo.
        limit: The most captions to make.
    """

    is_forced: bool = False
    replaces_edited: bool = False
    limit: int | None = None


@dataclass(frozen=True)
class CaptionReport:
    """What came of captioning many photos.

    Attributes:
        captioned: How many got a caption.
        kept: How many had one that is still good, or one that the user wrote.
        skipped: Which could not be read, and why.
    """

    captioned: int
    kept: int
    skipped: tuple[Skipped, ...]


def caption_view(
    assistant: Assistant, view: View, *, on_text: Callable[[str], None] | None = None
) -> Caption:
    """Caption a photo that was looked at."""
    personal = assistant.personalise(view)
    prompt = build_prompt(CAPTION_QUESTION, personal.offered)
    encoded = assistant.model.encode_prompt(prompt, personal.features)
    rows = replace(personal.rows, name_bonus=NAME_BONUS) if personal.rows is not None else None
    text = assistant.model.generate(encoded, personal.features, rows, on_text=on_text)
    return Caption(text, view.sightings)


def caption_photos(
    library: Library,
    assistant: Assistant,
    photos: Iterable[PhotoRow],
    *,
    options: CaptionOptions | None = None,
    vectors: VectorFile | None = None,
    on_caption: Callable[[CaptionedPhoto], None] | None = None,
) -> CaptionReport:
    """Caption photos one after another; each is stored before the next is begun.

    A caption is kept as it is where model, bank and wording are those it was made with, unless forced. One
    that the user wrote stays unless the options say otherwise; who appears is looked for anew all the same.

    Args:
        library: Open for writing.
        assistant: Looks and speaks.
        photos: Whom to caption.
        options: The defaults when left out.
        vectors: Where to keep what makes photos comparable.
        on_caption: Told of every new caption.
    """
    options = options or CaptionOptions()
    version = assistant.bank.version if assistant.concepts else None
    captioned = kept = 0
    skipped: list[Skipped] = []
    for photo in photos:
        if options.limit is not None and captioned >= options.limit:
            break
        before = library.caption(photo.id)
        is_edited = before is not None and before.by_hand and not options.replaces_edited
        is_forced = options.is_forced or (before is not None and before.by_hand and options.replaces_edited)
        if not is_forced and is_current(library, assistant, photo, version):
            kept += 1
            continue
        try:
            image = open_photo(photo.path, max_side_px=MODEL_SIDE_PX)
        except PhotoError as error:
            skipped.append(Skipped(photo.path, error.message))
            continue
        view = assistant.look(image)
        if before is not None and is_edited:
            caption = Caption(before.text, view.sightings)
        else:
            caption = caption_view(assistant, view)
        _store(library, assistant, photo, caption, replaces_edited=options.replaces_edited)
        if vectors is not None:
            keep_vectors(vectors, [photo.content_hash], [view.features])
        captioned += not is_edited
        kept += is_edited
        if on_caption and not is_edited:
            on_caption(CaptionedPhoto(photo, caption))
    return CaptionReport(captioned, kept, tuple(skipped))


def _store(
    library: Library, assistant: Assistant, photo: PhotoRow, caption: Caption, *, replaces_edited: bool
) -> None:
    with library.writing():
        if replaces_edited:
            library.release_caption(photo.id)
        library.save_caption(
            photo.id,
            caption.text,
            model=assistant.model.fingerprint,
            bank=assistant.bank.version if assistant.concepts else None,
            prompt_version=PROMPT_VERSION,
            appearances=[s.appearance() for s in caption.sightings],
        )


def is_current(library: Library, assistant: Assistant, photo: PhotoRow, version: str | None) -> bool:
    """Whether a photo's caption was made with this model, this bank and this wording."""
    row = library.caption(photo.id)
    if row is None:
        return False
    made_with: Sequence[str | None] = (row.model, row.bank, row.prompt_version)
    return made_with == (assistant.model.fingerprint, version, PROMPT_VERSION)
