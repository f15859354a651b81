"""The part of captioning that takes the photo and the model: looks at photos and writes; knows no library.

What it does depends on the photos, the model, the bank and what is known of each photo, and on nothing else.
So it may be done in this process or in others (`worker_pool`); what it says is the same.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from photopal.assistant.analysis import PersonalizedPrompt, PhotoAnalysis, PhotoSightings, Sighting
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption_in_words import Telling
from photopal.assistant.similar import pooled
from photopal.errors import is_out_of_memory
from photopal.library.models import Face
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.prompts import CAPTION_QUESTION, build_prompt
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.protocol import ConceptEmbeddings, PhotoFeatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

NAME_BONUS = 5.0
"""Those who were found are expected in the caption, each once; see `ConceptEmbeddings.name_bonus`."""

CAPTION_TOKENS = 96

_HOST_BYTES = 2 * 2**30
_PHOTOS_SHARE = 0.5  # of the free memory; activations need the rest
_WORDS_TOKENS = 320  # of a photo's prompt and caption


@dataclass(frozen=True, eq=False, kw_only=True)
class SeenPhoto:
    """What is seen on a photo.

    Attributes:
        sightings: By the model.
        vector: `[width]`, what makes photos comparable.
        cells: By the encoder of looks, if that was asked elsewhere.
        faces: On the photo, if they were looked for elsewhere.
    """

    sightings: PhotoSightings
    vector: NDArray[np.float32]
    cells: PhotoFeatures | None = None
    faces: tuple[Face, ...] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotoToCaption:
    """A photo on its way to a caption.

    Attributes:
        key: The hash of its content.
        path: Its file, for words.
        content: What the workers read of it: the bytes of the file, or the photo itself.
        has_faces_to_find: Whether its faces are to be looked for.
    """

    key: str
    path: Path
    content: Image.Image | bytes
    has_faces_to_find: bool = False


Weighed = Sequence[tuple[Sighting, ...] | None]
"""Who is on each photo once all that is known of it counts; None where nothing is to be written."""


@dataclass(eq=False)
class CaptionJob:
    """Photos that are captioned together.

    Attributes:
        photos: The photos.
        took_s: How long the model has worked on them.
        tries: How many workers were lost with them.
    """

    photos: Sequence[PhotoToCaption]
    took_s: float = 0.0
    tries: int = 0


@dataclass(frozen=True, eq=False)
class Looked:
    """The photos of a job were looked at; each is a seen photo, or says why it cannot be read.

    `most_photos` is how many such photos have room in memory together.
    """

    job: CaptionJob
    photos: Sequence[SeenPhoto | str]
    most_photos: int


@dataclass(frozen=True, eq=False)
class Written:
    """The captions of a job were written, one a photo; empty where nothing was to be written."""

    job: CaptionJob
    texts: Sequence[str]


@dataclass(frozen=True, eq=False)
class GivenUp:
    """A job was not done, as it was too much for the memory, or every worker that tried was lost."""

    job: CaptionJob
    reason: str


class CaptionWorkers(Protocol):
    """Who does the jobs.

    Attributes:
        most_jobs: How many jobs may be under way at once.
    """

    most_jobs: int

    def read(self, path: Path, /) -> Image.Image | bytes:
        """Read what the workers want of a photo.

        Raises:
            PhotoError: It cannot be read.
        """

    def look(self, job: CaptionJob) -> None:
        """Have the photos of a new job looked at."""

    def write(self, job: CaptionJob, weighed: Weighed) -> None:
        """Have the captions of a job written that was looked at."""

    def wait(self) -> Looked | Written | GivenUp:
        """Wait for what is done next, in whatever order."""


class Captioner:
    """Looks at photos and writes their captions, with a model.

    Args:
        assistant: Looks and speaks.
        most_jobs: For how many calls of `look` the photos are kept until they are written about.
    """

    def __init__(self, assistant: Assistant, *, most_jobs: int = 1) -> None:
        self.assistant, self.most_jobs = assistant, most_jobs
        self._kept: deque[dict[str, PhotoAnalysis]] = deque(maxlen=most_jobs)

    def look(self, keys: Sequence[str], images: Sequence[Image.Image]) -> list[SeenPhoto]:
        """Look at photos, encoded together.

        Args:
            keys: The hash of each photo's content.
            images: The photos, upright.
        """
        if len(self._kept) == self.most_jobs:
            self._kept.popleft()  # before others take memory
        analyses = self.assistant.analyze_each(images, keys=keys)
        self._kept.append(dict(zip(keys, analyses, strict=True)))
        return [
            SeenPhoto(
                sightings=PhotoSightings(
                    sightings=analysis.sightings,
                    is_understood=analysis.is_understood,
                    glance=None if analysis.is_understood else analysis.glance,
                ),
                vector=pooled(analysis.features),
            )
            for analysis in analyses
        ]

    def forget(self) -> None:
        """Let go of all photos, and of the memory that the device keeps for others."""
        self._kept.clear()
        if self.assistant.model.device.type == "cuda":
            torch.cuda.empty_cache()

    def knows(self, key: str) -> bool:
        """Whether a photo that was looked at is still kept."""
        return any(key in analyses for analyses in self._kept)

    def write(self, keys: Sequence[str], weighed: Weighed) -> list[str]:
        """Write captions of photos that were looked at, together.

        Args:
            keys: The photos.
            weighed: Who is on each, once all that is known counts.

        Returns:
            One a photo, empty where nothing is to be written.
        """
        by_key = {key: analysis for analyses in self._kept for key, analysis in analyses.items()}
        analyses = [
            replace(by_key[key], sightings=sightings)
            for key, sightings in zip(keys, weighed, strict=True)
            if sightings is not None
        ]
        texts = iter(write_captions(self.assistant, analyses) if analyses else ())
        return ["" if sightings is None else next(texts) for sightings in weighed]

    @property
    def most_photos(self) -> int:
        """How many photos like those looked at last have room in memory together."""
        model = self.assistant.model
        # Features twice, as those with marks come to those without; keys and values of the marked photo.
        sizes = [
            2 * a.features.nbytes + model.past_bytes_per_token * (len(a.features.tokens) + _WORDS_TOKENS)
            for analyses in self._kept
            for a in analyses.values()
        ]
        return max(1, int(_PHOTOS_SHARE * _free_bytes(model.device)) // max(sizes, default=1))


def _free_bytes(device: torch.device) -> int:
    """Memory that photos may take: of a GPU what is free, of a computer a fixed amount."""
    if device.type != "cuda":
        return _HOST_BYTES
    reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + reserved


def _expecting(personalized: PersonalizedPrompt) -> ConceptEmbeddings | None:
    concepts = personalized.embeddings
    return None if concepts is None else replace(concepts, name_bonus=NAME_BONUS)


def write_captions(assistant: Assistant, analyses: Sequence[PhotoAnalysis]) -> list[str]:
    """Write captions of photos that were looked at, together; each as it is written alone."""
    prompts = assistant.personalize_each([(analysis, ()) for analysis in analyses])
    telling = [
        Telling(
            assistant.model,
            build_prompt(CAPTION_QUESTION, personalized.offered),
            personalized.features,
            _expecting(personalized),
            _in_order(personalized.descriptions, analysis),
        )
        for personalized, analysis in zip(prompts, analyses, strict=True)
    ]
    while waiting := [one for one in telling if not one.is_done]:
        requests = [
            GenerationRequest(one.encoded, one.features, one.concepts, CAPTION_TOKENS) for one in waiting
        ]
        for one, said in zip(waiting, answer_batch(assistant.model, requests), strict=True):
            one.go_on(said)
    return [one.text for one in telling]


def _in_order(descriptions: Mapping[str, str], analysis: PhotoAnalysis) -> dict[str, str]:
    """Descriptions of those who are seen, from left to right."""
    names = [sighting.concept.name for sighting in analysis.present]
    return {name: descriptions[name] for name in names if name in descriptions}


class InProcess:
    """Does one job at a time, in this process and thread; photos come decoded.

    Args:
        assistant: Looks and speaks.
        clock: Tells seconds.
    """

    most_jobs = 1

    def __init__(self, assistant: Assistant, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._captioner = Captioner(assistant)
        self._clock = clock
        self._to_do: deque[Callable[[], Looked | Written | GivenUp]] = deque()

    def read(self, path: Path, /) -> Image.Image:
        """Decode a photo.

        Raises:
            PhotoError: It cannot be read.
        """
        return open_photo(path, max_side_px=MODEL_SIDE_PX)

    def look(self, job: CaptionJob) -> None:
        """Look at the photos of a job."""
        images = [photo.content for photo in job.photos if not isinstance(photo.content, bytes)]

        def done() -> Looked:
            seen = self._captioner.look([photo.key for photo in job.photos], images)
            return Looked(job, seen, self._captioner.most_photos)

        self._to_do.append(partial(self._do, job, done))

    def write(self, job: CaptionJob, weighed: Weighed) -> None:
        """Write the captions of a job."""
        keys = [photo.key for photo in job.photos]

        def done() -> Written:
            return Written(job, self._captioner.write(keys, weighed))

        # Before others are looked at, as only the photos of one job are kept.
        self._to_do.appendleft(partial(self._do, job, done))

    def _do(self, job: CaptionJob, work: Callable[[], Looked | Written]) -> Looked | Written | GivenUp:
        started_s = self._clock()
        try:
            done: Looked | Written | GivenUp = work()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._captioner.forget()
            done = GivenUp(job, "out of memory, even alone; a lower image_tokens or --device cpu may help")
        job.took_s += self._clock() - started_s
        return done

    def wait(self) -> Looked | Written | GivenUp:
        """Do what is next."""
        return self._to_do.popleft()()
