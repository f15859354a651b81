"""Captions photos by name and stores captions with who was found; knows no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.assistant.analysis import PhotoAnalysis, PhotoSightings, Sighting, from_left
from photopal.assistant.assistant import Assistant
from photopal.assistant.captioner import (
    CaptionJob,
    CaptionWorkers,
    InProcess,
    Looked,
    PhotoToCaption,
    SeenPhoto,
    Written,
    write_captions,
)
from photopal.assistant.evidence import EvidenceFinder, FindingKeys, is_found_with
from photopal.assistant.known import describe_known, weigh
from photopal.assistant.occasions import Trips, find_trips
from photopal.assistant.worker_pool import WorkerPool
from photopal.concepts import Bank
from photopal.errors import PhotoError
from photopal.faces import DETECTOR, store_faces
from photopal.library import ConceptRecord, Library, PhotoRecord
from photopal.library.models import CaptionSource, PhotoFindings
from photopal.library.originals import checked
from photopal.library.photo_vectors import VectorFile
from photopal.photos import Skipped
from photopal.photos.prefetch import read_ahead
from photopal.prompts import PROMPT_VERSION
from photopal.text import join_words, names_in, replace_all_names

_MOST_BYTES = 64 * 2**20  # of the files of a batch that travels

BATCH_S = 1.5
"""How long a batch may always take: results are stored after each, so this is what an interrupt may lose."""

LONGEST_S = 12.0
"""How long a batch may take where larger batches caption more photos per second."""

MOST_AT_ONCE = 32
_RISE = 1.1
_LARGEST_STEP = 8
_SMALL_BYTES = 100e6  # of weights; a few photos by such a model take less than a batch may on any computer
_TRY_AGAIN_AFTER = 24
_CHANGED_MEANWHILE = "changed while it was captioned; run `photopal caption` again"


class BatchSizer:
    """Finds by trial how many photos to caption together; the first batch is a single photo by default.

    Each trial is a batch twice as large, or up to eight times if that would still be quick. It becomes the
    rule if it is quick, or if it captions a tenth more photos per second; if not, the next trial comes after
    some batches.

    Attributes:
        size: Photos in the next batch.
    """

    def __init__(
        self,
        *,
        batch_s: float = BATCH_S,
        most: int = MOST_AT_ONCE,
        first: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = first
        self._batch_s, self._most, self._clock = batch_s, most, clock
        self._since_s = clock()
        self._proven, self._per_s = 0, 0.0  # the size that is the rule, and its photos per second
        self._until_trial = 0
        self._largest_step = _LARGEST_STEP

    def is_full(self, count: int) -> bool:
        """Whether a batch of this many photos should begin, large enough or waited for long enough."""
        return count >= self.size or self._clock() - self._since_s >= self._batch_s

    def wait(self) -> None:
        """Begin to wait for the photos of the next batch."""
        self._since_s = self._clock()

    def bound(self, most: int) -> None:
        """Note how many photos have room in memory together."""
        self._most = max(1, min(MOST_AT_ONCE, most))
        self.size = min(self.size, self._most)
        self._proven = min(self._proven, self._most)

    def note_failure(self, count: int) -> None:
        """Note that a batch of this many photos was too much."""
        self.size = self._proven = max(1, count // 2)
        self._until_trial, self._largest_step = _TRY_AGAIN_AFTER, 2

    def note(self, count: int, took_s: float) -> None:
        """Note how long the model took for a batch of this many photos.

        Only one of the size at hand tells anything of larger ones.
        """
        if count != self.size:
            return
        per_s = count / max(1e-9, took_s)
        if count > self._proven:
            if took_s <= self._batch_s or per_s >= _RISE * self._per_s:
                self._proven, self._per_s, self._until_trial = count, per_s, 0
            else:
                self.size, self._until_trial = self._proven, _TRY_AGAIN_AFTER
        else:
            self._per_s += 0.25 * (per_s - self._per_s)
            self._until_trial -= 1
            if took_s > LONGEST_S:  # photos or the machine have become slower
                self.size = self._proven = max(1, count // 2)
                self._per_s, self._until_trial = per_s, _TRY_AGAIN_AFTER
        if self._until_trial <= 0 and self.size / max(1e-9, self._per_s) <= LONGEST_S / 2:
            in_time = int(self._batch_s * self._per_s)
            larger = max(2 * self._proven, min(self._largest_step * self._proven, in_time))
            self.size = min(self._most, larger)


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
        return [s.concept.name for s in from_left(s for s in self.sightings if s.is_present)]


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
        skipped: Which could not be read or changed meanwhile, and why.
    """

    captioned: int
    from_facts: int
    kept: int
    skipped: tuple[Skipped, ...]


def caption_photo(assistant: Assistant, analysis: PhotoAnalysis) -> Caption:
    """Caption a photo that was looked at."""
    [text] = write_captions(assistant, [analysis])
    return Caption(text, analysis.sightings)


def _complete(caption: Caption) -> Caption:
    """Name those whom the user has put on the photo and the model has left out of its words."""
    said = [s.concept.name for s in caption.sightings if s.is_present and s.source != "model"]
    missing = [name for name in said if not names_in(caption.text, [name])]
    if not missing:
        return caption
    return replace(
        caption, text=f"{caption.text.rstrip()} Also in the photo: {join_words(missing)}.".lstrip()
    )


@dataclass(frozen=True)
class ModelFacts:
    """What tells one model from another, without the model."""

    fingerprint: str
    sees_all: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class AssistantParts:
    """An assistant without its model.

    Attributes:
        model: Of the model.
        bank: The bank.
        concepts: Who the library knows, as far as the bank does.
        finder: As of `Assistant`.
    """

    model: ModelFacts
    bank: Bank
    concepts: Sequence[ConceptRecord]
    finder: EvidenceFinder | None


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteAssistant(AssistantParts):
    """An assistant whose model is with workers, in other processes or on other machines.

    Attributes:
        workers: Look at photos and write.
        finds_faces: Whether they also look for the faces on photos that were not searched for them.
    """

    workers: WorkerPool
    finds_faces: bool = False


def parts_of(assistant: Assistant) -> AssistantParts:
    """All of an assistant but its model."""
    return AssistantParts(
        model=ModelFacts(assistant.model.fingerprint, assistant.model.sees_all),
        bank=assistant.bank,
        concepts=assistant.concepts,
        finder=assistant.finder,
    )


def caption_photos(
    library: Library,
    assistant: Assistant | RemoteAssistant,
    photos: Iterable[PhotoRecord],
    *,
    options: CaptionOptions | None = None,
    vectors: VectorFile | None = None,
    on_caption: Callable[[CaptionedPhoto], None] | None = None,
) -> CaptionReport:
    """Caption photos a few at a time; each batch, of a second or a few, is stored as soon as it is done.

    A caption is kept as it is where model, bank and wording are those it was made with, and the user has said
    nothing new of who is on the photo, unless forced. One that the user wrote stays unless the options say
    otherwise; who appears is looked for anew all the same. What the user said of a photo counts in its
    caption, whatever the model finds.

    Args:
        library: Open for writing.
        assistant: Looks and speaks. Where its model is with several workers, captions come in whatever order.
        photos: Which to caption.
        options: The defaults when left out.
        vectors: Where to store what makes photos comparable.
        on_caption: Called with every new caption.
    """
    run = _Run(library, assistant, options or CaptionOptions(), vectors=vectors, on_caption=on_caption)
    batch: list[tuple[_Task, Image.Image | bytes]] = []
    with closing(read_ahead(run.tasks(photos), lambda task: task.path, run.workers.read)) as opened:
        for task, read in opened:
            content: Image.Image | bytes | PhotoError | None
            content = read if read is None else checked(task.photo, read)
            if content is None:
                run.kept += 1
            elif isinstance(content, PhotoError):
                run.skipped.append(Skipped.by(task.photo.path, content))
            else:
                batch.append((task, content))
            is_enough = run.is_enough([task for task, _ in batch])
            if batch and (is_enough or run.batch_size.is_full(len(batch)) or _is_large(batch)):
                run.begin(batch)
                batch = []
            if is_enough:
                run.finish()
                if run.is_enough(()):  # not where some could not be read after all
                    break
        if batch:
            run.begin(batch)
        run.finish()
    return CaptionReport(
        captioned=run.captioned, from_facts=run.from_facts, kept=run.kept, skipped=tuple(run.skipped)
    )


def _is_large(batch: Sequence[tuple[_Task, Image.Image | bytes]]) -> bool:
    return sum(len(content) for _, content in batch if isinstance(content, bytes)) >= _MOST_BYTES


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
        """What to read, if anything."""
        return None if self.is_done else self.photo.path


@dataclass(eq=False)
class _Batch:
    """Photos that are captioned together, and what came of them so far.

    Attributes:
        tasks: One a photo of the job.
        own: What the model sees on each; None where it cannot be read.
        weighed: The same, with what is known of the photo in the place of what the model found.
        keys: What was known of each, in short; see `Corrections.key`.
        concepts: Those that the library knew then.
        vectors: What makes them comparable.
    """

    tasks: Sequence[_Task]
    own: list[PhotoSightings | None] = field(default_factory=list)
    weighed: list[PhotoSightings | None] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    concepts: Sequence[ConceptRecord] = ()
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class _Run:
    """One run over photos: what was done so far, and how to do the next batch."""

    def __init__(
        self,
        library: Library,
        assistant: Assistant | RemoteAssistant,
        options: CaptionOptions,
        *,
        vectors: VectorFile | None,
        on_caption: Callable[[CaptionedPhoto], None] | None,
    ) -> None:
        self.library, self.assistant, self.options, self.vectors = library, assistant, options, vectors
        self.on_caption = on_caption
        self.workers: CaptionWorkers
        if isinstance(assistant, RemoteAssistant):
            self.workers, self.finds_faces = assistant.workers, assistant.finds_faces
        else:
            self.workers, self.finds_faces = InProcess(assistant), False
        self.made_with = made_with(library, assistant)
        is_small = isinstance(assistant, Assistant) and assistant.model.weight_bytes < _SMALL_BYTES
        self.batch_size = BatchSizer(first=_LARGEST_STEP if is_small else 1)
        self.captioned = self.from_facts = self.kept = 0
        self.skipped: list[Skipped] = []
        self.under_way: dict[CaptionJob, _Batch] = {}

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
        """Whether the limit is reached once these and those under way are captioned."""
        waiting = [*tasks, *(task for batch in self.under_way.values() for task in batch.tasks)]
        limit = self.options.limit
        return limit is not None and self.captioned + sum(w.kept_text is None for w in waiting) >= limit

    def begin(self, batch: Sequence[tuple[_Task, Image.Image | bytes]]) -> None:
        """Begin a batch, once there is a worker for it."""
        photos = [
            PhotoToCaption(
                key=task.photo.content_hash,
                path=task.photo.path,
                content=content,
                has_faces_to_find=self.finds_faces
                and not self.library.faces.is_scanned(task.photo.id, detector=DETECTOR),
            )
            for task, content in batch
        ]
        self._start(CaptionJob(photos), _Batch([task for task, _ in batch]))
        while len(self.under_way) >= self.workers.most_jobs:
            self._go_on()
        self.batch_size.wait()

    def finish(self) -> None:
        """Wait until all that was begun is stored."""
        while self.under_way:
            self._go_on()

    def _start(self, job: CaptionJob, batch: _Batch) -> None:
        self.under_way[job] = batch
        self.workers.look(job)

    def _go_on(self) -> None:
        """Wait for what is done next, and go on with it."""
        done = self.workers.wait()
        if isinstance(done, Looked):
            self.batch_size.bound(done.most_photos)
            self._weigh(done)
            return
        batch = self.under_way.pop(done.job)
        if isinstance(done, Written):
            self.batch_size.note(len(batch.tasks), done.job.took_s)
            self._store(batch, done.texts)
        elif len(batch.tasks) > 1:
            # One photo, or all of them together, may be too much for a worker.
            self.batch_size.note_failure(len(batch.tasks))
            for task, photo in zip(batch.tasks, done.job.photos, strict=True):
                self._start(CaptionJob([photo]), _Batch([task]))
        else:
            [photo] = done.job.photos
            self.skipped.append(Skipped(photo.path, done.reason))

    def _weigh(self, looked: Looked) -> None:
        """Put what is known in the place of what the model sees, and have captions written by that."""
        batch = self.under_way[looked.job]
        batch.own, batch.weighed = [], []
        self._store_faces(batch, looked)
        photos = self._find(batch, looked)
        # Read before what is known itself: a caption is out of date by whatever is said from now on.
        batch.keys = [self.library.corrections.key(task.photo.id) for task in batch.tasks]
        batch.concepts = self.library.concepts.all()
        for task, photo, seen in zip(batch.tasks, looked.job.photos, photos, strict=True):
            if isinstance(seen, str):
                self.skipped.append(Skipped(photo.path, seen))
                batch.own.append(None)
                batch.weighed.append(None)
                continue
            known = weigh(self.library, task.photo, seen.sightings, trips=self.made_with.trips)
            batch.own.append(seen.sightings)
            # A caption by a model that saw the photo is better than what is known without looking.
            batch.weighed.append(None if known.known is not None and task.is_seen_by_other else known)
            batch.vectors[photo.key] = seen.vector
        self.workers.write(
            looked.job,
            [
                weighed.sightings
                if weighed is not None and weighed.known is None and task.kept_text is None
                else None
                for task, weighed in zip(batch.tasks, batch.weighed, strict=True)
            ],
        )

    def _store_faces(self, batch: _Batch, looked: Looked) -> None:
        store_faces(
            self.library,
            [
                (task.photo, seen.faces)
                for task, seen in zip(batch.tasks, looked.photos, strict=True)
                if not isinstance(seen, str) and seen.faces is not None
            ],
        )

    def _find(self, batch: _Batch, looked: Looked) -> list[SeenPhoto | str]:
        """Find who is on photos by faces and looks, and store it; returns the photos, or why not to go on.

        Not on photos of the one kind that a model was made for: it knows them better.
        """
        photos = list(looked.photos)
        finder = self.assistant.finder
        if finder is None:
            return photos
        separations = {i: concept.separation for i, concept in self.assistant.bank.concepts.items()}
        found: list[tuple[PhotoRecord, PhotoFindings]] = []
        for number, (task, photo) in enumerate(zip(batch.tasks, looked.job.photos, strict=True)):
            seen = photos[number]
            if isinstance(seen, str):
                continue
            findings = PhotoFindings()
            if self.made_with.sees_all or not seen.sightings.is_understood:
                if seen.cells is not None:
                    finder.take_cells(task.photo, seen.cells)
                image = None if isinstance(photo.content, bytes) else photo.content
                try:
                    findings = finder.find(task.photo, seen.sightings, image=image, separations=separations)
                except PhotoError as error:  # the file is read again for small subjects
                    photos[number] = error.reason
                    continue
            found.append((task.photo, findings))
        with self.library.writing():
            for known, findings in found:
                if self.library.photos.is_still(known):
                    self.library.findings.put(known.id, findings)
        return photos

    def _store(self, batch: _Batch, texts: Sequence[str]) -> None:
        """Store the captions of a batch, and tell of the new ones."""
        made: list[CaptionedPhoto] = []
        with self.library.writing():
            self._leave_out_changed(batch)
            for task, own, weighed, key, text in zip(
                batch.tasks, batch.own, batch.weighed, batch.keys, texts, strict=True
            ):
                if own is None or weighed is None:
                    continue
                by_hand = self._text_by_hand(task)
                source: CaptionSource = "model" if weighed.known is None else "facts"
                words = text if weighed.known is None else weighed.known.text
                caption = Caption(words, weighed.sightings, source)
                if by_hand is None:
                    known = self.assistant.concepts if source == "model" else batch.concepts
                    caption = self._with_present_names(_complete(caption), known)
                    made.append(CaptionedPhoto(task.photo, caption))
                else:
                    caption = replace(caption, text=by_hand)
                self._store_caption(task, caption, own, key=key)
        if self.vectors is not None and batch.vectors:
            self.vectors.add(list(batch.vectors), np.stack(list(batch.vectors.values())))
        self.captioned += len(made)
        self.from_facts += sum(one.caption.source == "facts" for one in made)
        self.kept += sum(own is not None for own in batch.own) - len(made)
        for one in made:
            if self.on_caption:
                self.on_caption(one)

    def _leave_out_changed(self, batch: _Batch) -> None:
        """Leave photos to the next run of which another program has changed picture or caption meanwhile."""
        for number, task in enumerate(batch.tasks):
            is_taken_back = task.kept_text is not None and self._text_by_hand(task) is None
            if batch.own[number] is not None and (
                is_taken_back or not self.library.photos.is_still(task.photo)
            ):
                batch.own[number] = None
                batch.vectors.pop(task.photo.content_hash, None)
                self.skipped.append(Skipped(task.photo.path, _CHANGED_MEANWHILE))

    def _text_by_hand(self, task: _Task) -> str | None:
        """The caption that the user has written by now, maybe only since the run began, if it stays."""
        if self.options.replaces_edited:
            return None
        caption = self.library.captions.get(task.photo.id)
        return caption.text if caption is not None and caption.by_hand else None

    def _with_present_names(self, caption: Caption, known: Sequence[ConceptRecord]) -> Caption:
        """Give everybody the name that they have by now, as renaming or merging them does in captions.

        Args:
            caption: A caption.
            known: The concepts as they were when it was written.
        """
        names = {concept.id: concept.name for concept in self.library.concepts.all()}
        if all(names.get(concept.id) == concept.name for concept in known):
            return caption
        words = {}
        for concept in known:
            present = self.library.concepts.present(concept.id) or concept
            is_merged = present.id != concept.id
            has_both = is_merged and names_in(caption.text, [c.name for c in known if c.id == present.id])
            words[concept.name] = concept.name if has_both else present.name
        sightings = [
            replace(s, concept=replace(s.concept, name=names.get(s.concept.id, s.concept.name)))
            for s in caption.sightings
        ]
        return replace(caption, text=replace_all_names(caption.text, words), sightings=tuple(sightings))

    def _store_caption(self, task: _Task, caption: Caption, own: PhotoSightings, *, key: str) -> None:
        """Store a caption with what the model itself found; it counts again if the user's word is undone.

        Of a photo that it does not understand, it found nothing. The key says what the caption knows.
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
            corrections=key,
            source=caption.source,
        )


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


def made_with(library: Library, assistant: Assistant | RemoteAssistant) -> MadeWith:
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
