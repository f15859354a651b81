"""Captions photos by name and stores captions with who was found; knows no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from photopal.assistant.assistant import Assistant, PersonalizedPrompt, PhotoAnalysis, Sighting
from photopal.assistant.evidence import FindingKeys, is_found_with
from photopal.assistant.known import describe_known, weigh
from photopal.assistant.occasions import Trips, find_trips
from photopal.assistant.similar import store_vectors
from photopal.errors import PhotoError
from photopal.library import Library, PhotoRecord
from photopal.library.models import CaptionSource, PhotoFindings
from photopal.library.photo_vectors import VectorFile
from photopal.photos import MODEL_SIDE_PX, Skipped
from photopal.photos.prefetch import open_ahead
from photopal.prompts import CAPTION_QUESTION, PROMPT_VERSION, build_prompt
from photopal.text import join_words, names_in
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch

BATCH_S = 1.5
"""How long a batch should take: results are stored after each, so this is what an interrupt may lose."""

MOST_AT_ONCE = 32
_GROWTH = 16


class BatchSizer:
    """Measures batches and sizes the next; the first is a single photo.

    Attributes:
        size: Photos in the next batch.
    """

    def __init__(self, *, batch_s: float = BATCH_S, most: int = MOST_AT_ONCE) -> None:
        self.size = 1
        self._batch_s, self._most = batch_s, most
        self._since = time.monotonic()

    def is_full(self, count: int) -> bool:
        """Whether a batch of this many photos should begin, large enough or waited for long enough."""
        return count >= self.size or time.monotonic() - self._since >= self._batch_s

    def note(self, count: int) -> None:
        """Note that a batch of this many photos, one or more, is stored."""
        now = time.monotonic()
        took_s, self._since = max(1e-6, now - self._since), now
        fitting = int(self._batch_s * count / took_s)
        self.size = max(1, min(fitting, self._most, _GROWTH * self.size))


NAME_BONUS = 5.0
"""Those who were found are expected in the caption, each once; see `ConceptEmbeddings.name_bonus`."""


@dataclass(frozen=True)
class Caption:
    """A caption with who was found.

    Attributes:
        text: What the model says, or what is known of the photo.
        sightings: Every concept, the present ones first.
        source: Which of the two.
    """

    text: str
    sightings: tuple[Sighting, ...]
    source: CaptionSource = "model"

    @property
    def names(self) -> list[str]:
        """Names of those seen, from left to right."""
        seen = sorted((s for s in self.sightings if s.is_present), key=lambda s: s.point[0])
        return [s.concept.name for s in seen]


@dataclass(frozen=True)
class CaptionedPhoto:
    """A photo that has a caption now."""

    photo: PhotoRecord
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
        from_facts: How many of these got what is known of them, as the model does not understand them.
        kept: How many had a caption that is still good, or that the user wrote.
        skipped: Which could not be read, and why.
    """

    captioned: int
    from_facts: int
    kept: int
    skipped: tuple[Skipped, ...]


def caption_photo(
    assistant: Assistant, analysis: PhotoAnalysis, *, on_text: Callable[[str], None] | None = None
) -> Caption:
    """Caption a photo that was looked at."""
    request = _caption_request(assistant, assistant.personalize(analysis))
    text = assistant.model.generate(request.encoded, request.features, request.concepts, on_text=on_text)
    return Caption(text, analysis.sightings)


def caption_each(assistant: Assistant, analyses: Sequence[PhotoAnalysis]) -> list[Caption]:
    """Caption photos that were looked at, together; each as `caption_photo` captions it alone.

    The caption of a photo that the model does not understand is what is known of it.
    """
    prompts = assistant.personalize_each([(analysis, ()) for analysis in analyses if analysis.known is None])
    texts = iter(answer_batch(assistant.model, [_caption_request(assistant, prompt) for prompt in prompts]))
    return [
        Caption(
            next(texts) if analysis.known is None else analysis.known.text,
            analysis.sightings,
            _source(analysis),
        )
        for analysis in analyses
    ]


def _complete(caption: Caption) -> Caption:
    """Name those whom the user has put on the photo and the model has left out of its words."""
    said = [s.concept.name for s in caption.sightings if s.is_present and s.source != "model"]
    missing = [name for name in said if not names_in(caption.text, [name])]
    if not missing:
        return caption
    return replace(
        caption, text=f"{caption.text.rstrip()} Also in the photo: {join_words(missing)}.".lstrip()
    )


def _caption_request(assistant: Assistant, personalized: PersonalizedPrompt) -> GenerationRequest:
    prompt = build_prompt(CAPTION_QUESTION, personalized.offered)
    encoded = assistant.model.encode_prompt(prompt, personalized.features)
    concepts = personalized.embeddings
    if concepts is not None:
        concepts = replace(concepts, name_bonus=NAME_BONUS)
    return GenerationRequest(encoded, personalized.features, concepts)


def caption_photos(
    library: Library,
    assistant: Assistant,
    photos: Iterable[PhotoRecord],
    *,
    options: CaptionOptions | None = None,
    vectors: VectorFile | None = None,
    on_caption: Callable[[CaptionedPhoto], None] | None = None,
) -> CaptionReport:
    """Caption photos a few at a time; each batch, of about a second, is stored before the next is begun.

    A caption is kept as it is where model, bank and wording are those it was made with, and the user has said
    nothing new of who is on the photo, unless forced. One that the user wrote stays unless the options say
    otherwise; who appears is looked for anew all the same. What the user said of a photo counts in its
    caption, whatever the model finds.

    Args:
        library: Open for writing.
        assistant: Looks and speaks.
        photos: Which to caption.
        options: The defaults when left out.
        vectors: Where to store what makes photos comparable.
        on_caption: Called with every new caption.
    """
    run = _Run(library, assistant, options or CaptionOptions(), vectors)
    batch: list[tuple[_Task, Image.Image]] = []
    with closing(open_ahead(run.tasks(photos), lambda task: task.path, max_side_px=MODEL_SIDE_PX)) as opened:
        for task, image in opened:
            if image is None:
                run.kept += 1
            elif isinstance(image, PhotoError):
                run.skipped.append(Skipped.by(task.photo.path, image))
            else:
                batch.append((task, image))
            is_enough = run.is_enough([task for task, _ in batch])
            if batch and (is_enough or run.batch_size.is_full(len(batch))):
                run.caption(batch, on_caption)
                batch = []
            if is_enough:
                break
        if batch:
            run.caption(batch, on_caption)
    return CaptionReport(
        captioned=run.captioned, from_facts=run.from_facts, kept=run.kept, skipped=tuple(run.skipped)
    )


@dataclass(frozen=True)
class _Task:
    """A photo, and what is to be done with it.

    Attributes:
        photo: The photo.
        kept_text: The caption the user wrote, which stays; who appears is looked for all the same.
        is_done: Whether its caption is good.
        is_seen_by_other: Whether it has a caption by another model, which understood the photo.
    """

    photo: PhotoRecord
    kept_text: str | None
    is_done: bool
    is_seen_by_other: bool

    @property
    def path(self) -> Path | None:
        """What to decode, if anything."""
        return None if self.is_done else self.photo.path


class _Run:
    """One run over photos: what was done so far, and how to do the next batch."""

    def __init__(
        self, library: Library, assistant: Assistant, options: CaptionOptions, vectors: VectorFile | None
    ) -> None:
        self.library, self.assistant, self.options, self.vectors = library, assistant, options, vectors
        self.made_with = made_with(library, assistant)
        self.batch_size = BatchSizer()
        self.captioned = self.from_facts = self.kept = 0
        self.skipped: list[Skipped] = []

    def tasks(self, photos: Iterable[PhotoRecord]) -> Iterator[_Task]:
        """What is to be done with each photo."""
        for photo in photos:
            before = self.library.captions.get(photo.id)
            by_hand = before is not None and before.by_hand
            is_forced = self.options.is_forced or (by_hand and self.options.replaces_edited)
            is_done = not is_forced and is_current(self.library, photo, self.made_with)
            stays = before is not None and by_hand and not self.options.replaces_edited
            yield _Task(
                photo=photo,
                kept_text=before.text if before is not None and stays else None,
                is_done=is_done,
                is_seen_by_other=before is not None
                and before.source == "model"
                and before.model not in ("", self.made_with.fingerprint),
            )

    def is_enough(self, tasks: Sequence[_Task]) -> bool:
        """Whether the limit is reached once these are captioned."""
        limit = self.options.limit
        return limit is not None and self.captioned + sum(w.kept_text is None for w in tasks) >= limit

    def caption(
        self,
        batch: Sequence[tuple[_Task, Image.Image]],
        on_caption: Callable[[CaptionedPhoto], None] | None,
    ) -> None:
        """Look at photos, caption and store them together."""
        hashes = [task.photo.content_hash for task, _ in batch]
        seen = self.assistant.analyze_each([image for _, image in batch], keys=hashes)
        self._find(batch, seen)
        analyses = [
            weigh(self.library, task.photo, analysis, trips=self.made_with.trips)
            for (task, _), analysis in zip(batch, seen, strict=True)
        ]
        # A caption by a model that saw the photo is better than what is known without looking.
        wanted = [
            (task, own, analysis)
            for (task, _), own, analysis in zip(batch, seen, analyses, strict=True)
            if analysis.known is None or not task.is_seen_by_other
        ]
        new = iter(caption_each(self.assistant, [v for task, _, v in wanted if task.kept_text is None]))
        captions = [
            _complete(next(new))
            if task.kept_text is None
            else Caption(task.kept_text, analysis.sightings, _source(analysis))
            for task, _, analysis in wanted
        ]
        with self.library.writing():
            for (task, own, _), caption in zip(wanted, captions, strict=True):
                self._store(task, caption, own)
        if self.vectors is not None:
            store_vectors(self.vectors, hashes, [analysis.features for analysis in analyses])
        self.batch_size.note(len(batch))
        made = [
            CaptionedPhoto(task.photo, caption)
            for (task, _, _), caption in zip(wanted, captions, strict=True)
            if task.kept_text is None
        ]
        self.captioned += len(made)
        self.from_facts += sum(one.caption.source == "facts" for one in made)
        self.kept += len(batch) - len(made)
        for one in made:
            if on_caption:
                on_caption(one)

    def _find(self, batch: Sequence[tuple[_Task, Image.Image]], seen: Sequence[PhotoAnalysis]) -> None:
        """Find who is on photos by faces and looks, and store it.

        Not on photos of the one kind that a model was made for: it knows them better.
        """
        finder, model = self.assistant.finder, self.assistant.model
        if finder is None:
            return
        separations = {i: concept.separation for i, concept in self.assistant.bank.concepts.items()}
        found = []
        for (task, _), analysis in zip(batch, seen, strict=True):
            if analysis.is_understood and not model.sees_all:
                found.append(PhotoFindings())
                continue
            found.append(finder.find(task.photo, analysis, separations=separations))
        with self.library.writing():
            for (task, _), one in zip(batch, found, strict=True):
                self.library.findings.put(task.photo.id, one)

    def _store(self, task: _Task, caption: Caption, own: PhotoAnalysis) -> None:
        """Store a caption with what the model itself found; it counts again if the user's word is undone.

        Of a photo that it does not understand, it found nothing.
        """
        if self.options.replaces_edited:
            self.library.captions.release(task.photo.id)
        self.library.captions.put(
            task.photo.id,
            caption.text,
            model=self.made_with.fingerprint,
            bank=self.made_with.version,
            prompt_version=PROMPT_VERSION,
            appearances=[s.appearance() for s in own.sightings] if caption.source == "model" else [],
            corrections=self.library.corrections.key(task.photo.id),
            source=caption.source,
        )


def _source(analysis: PhotoAnalysis) -> CaptionSource:
    return "model" if analysis.known is None else "facts"


@dataclass(frozen=True)
class MadeWith:
    """What captions are made with.

    Attributes:
        fingerprint: The model's.
        version: The bank's; None without names.
        sees_all: Whether the model was made for photos of any kind.
        keys: What faces and looks are compared with; None where they do not count.
        trips: The library's, which captions from facts tell of.
    """

    fingerprint: str
    version: str | None
    sees_all: bool
    keys: FindingKeys | None
    trips: Trips


def made_with(library: Library, assistant: Assistant) -> MadeWith:
    """Tell what an assistant makes captions of a library's photos with."""
    version = assistant.bank.version if assistant.concepts else None
    keys = None if assistant.finder is None else assistant.finder.renew()
    sees_all = assistant.model.sees_all
    return MadeWith(
        fingerprint=assistant.model.fingerprint,
        version=version,
        sees_all=sees_all,
        keys=keys,
        trips=Trips() if sees_all else find_trips(library),
    )


def is_current(library: Library, photo: PhotoRecord, made: MadeWith) -> bool:
    """Whether a caption was made with this model, bank and wording, and by the user's words of the photo.

    One from facts must say what is known by now. One of which it is not known whether the model understood
    the photo is not current, unless the model understands all photos.
    """
    caption = library.captions.get(photo.id)
    if caption is None or (caption.model, caption.bank, caption.prompt_version) != (
        made.fingerprint,
        made.version,
        PROMPT_VERSION,
    ):
        return False
    if caption.source is None and not made.sees_all:
        return False
    uses_findings = made.sees_all or caption.source == "facts"
    if uses_findings and made.keys is not None and not is_found_with(library, photo, made.keys):
        return False
    if caption.source == "facts" and not caption.by_hand:
        known = describe_known(library, photo, trips=made.trips)
        if caption.text != known:
            return False
    return caption.corrections == library.corrections.key(photo.id)
