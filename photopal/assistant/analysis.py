"""What the model found on a photo, and a copy of the photo that shows it; writes no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from PIL import Image

from photopal.box import Box
from photopal.cache import LRUCache
from photopal.library import Appearance, ConceptRecord, Evidence
from photopal.library.models import EvidenceSource, Verdict
from photopal.prompts import Label, Mark, PromptConcept, draw_labels, draw_marks
from photopal.vlm.protocol import ConceptEmbeddings, PhotoFeatures, PrefixCache

if TYPE_CHECKING:
    from PIL import Image

_MOST_PREFIXES = 2


@dataclass(frozen=True)
class Sighting:
    """What is known of one concept on one photo.

    Attributes:
        concept: Who it is.
        score: Height of the location map's peak above the concept's threshold; 0 is undecided.
        is_present: Whether it counts as seen.
        probability: The model's own p(Yes) to the recognition question; None where the map alone decided.
        point: Where it shows most, in fractions of the photo.
        box: The region around.
        source: Whose word it is that it counts as seen, or does not.
        verdict: What to tell of it, where it is not the model's word.
        displaced_by: Ids of concepts that are seen more surely in the same place; without them it would count
            as seen.
    """

    concept: ConceptRecord
    score: float
    is_present: bool
    probability: float | None
    point: tuple[float, float]
    box: Box
    source: EvidenceSource = "model"
    verdict: Verdict | None = None
    displaced_by: tuple[int, ...] = ()

    @property
    def mark_point(self) -> tuple[float, float]:
        """Where to mark it: below the region, for the peak is what it is known by and must not be covered."""
        return (self.box.x + self.box.width / 2, min(0.97, self.box.bottom))

    def appearance(self) -> Appearance:
        """As the library stores it."""
        return Appearance(
            concept_id=self.concept.id,
            score=self.score,
            is_present=self.is_present,
            point=self.point,
            box=self.box,
            probability=self.probability,
        )


def from_left(sightings: Iterable[Sighting]) -> list[Sighting]:
    """From left to right as their marks stand, which the model is told of by their numbers."""
    return sorted(sightings, key=lambda s: s.mark_point[0])


@dataclass(frozen=True)
class KnownFacts:
    """What is known of a photo that the model does not understand.

    Attributes:
        text: All of it, in words; empty where nothing is known.
        faces: How many faces are on it; None where it was not searched for them.
    """

    text: str
    faces: int | None = None


@dataclass(frozen=True)
class TakenFacts:
    """When, where and with what a photo was taken, which no look at it can tell; None is not known.

    Attributes:
        at: In ISO 8601, as far as it is known.
        place: By its position, the nearest place first.
        camera: With which camera.
        lens: With which lens.
    """

    at: str | None = None
    place: str | None = None
    camera: str | None = None
    lens: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotoSightings:
    """What the assistant sees on a photo, without the photo: all that the library has to know.

    Attributes:
        sightings: Every concept of the bank, the present ones first, best first.
        is_understood: Whether the model understands photos like it.
        glance: The photo as the encoder of pets and things sees it at a glance, where it was asked.
        known: What is known of a photo that the model does not understand; the model must not be asked about
            it. None where it understands the photo.
    """

    sightings: tuple[Sighting, ...]
    is_understood: bool = True
    glance: PhotoFeatures | None = None
    known: KnownFacts | None = None
    taken: TakenFacts | None = None

    @property
    def present(self) -> list[Sighting]:
        """Those who count as seen, from left to right."""
        return from_left(s for s in self.sightings if s.is_present)

    def of(self, concept_id: int) -> Sighting | None:
        """The sighting of a concept, if the bank has it."""
        return next((s for s in self.sightings if s.concept.id == concept_id), None)


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotoAnalysis(PhotoSightings):
    """A photo as the assistant sees it.

    What several questions about the photo have in common is computed once, and goes with the analysis.

    Attributes:
        image: Upright RGB.
        features: Of the photo without marks.
        marked: Features of the photo with marks, by the marks.
        prefixes: The beginnings of prompts, by the photo with its marks and the concepts spoken of.
    """

    image: Image.Image
    features: PhotoFeatures
    marked: dict[tuple[Mark, ...], PhotoFeatures] = field(default_factory=dict)
    prefixes: LRUCache[tuple[int, ...], PrefixCache] = field(
        default_factory=lambda: LRUCache(_MOST_PREFIXES, lambda prefix: 1)
    )


Seen = TypeVar("Seen", bound=PhotoSightings)


@dataclass(frozen=True, eq=False)
class PersonalizedPrompt:
    """The parts of a personalized prompt: whom it speaks of, their embeddings, and the photo with marks.

    Attributes:
        concepts: By slot.
        offered: The same, as the prompt introduces them.
        embeddings: Theirs, by slot; None where the prompt speaks of nobody.
        features: Of the photo with marks, or without where nobody is marked.
        marks: What was drawn.
        descriptions: Name → looks of those whose embeddings the model cannot read. They are in no slot: the
            model is asked about the looks, and the user reads the name (`photopal.prompts.words`).
    """

    concepts: tuple[ConceptRecord, ...]
    offered: tuple[PromptConcept, ...]
    embeddings: ConceptEmbeddings | None
    features: PhotoFeatures
    marks: tuple[Mark, ...]
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names by slot."""
        return [concept.name for concept in self.concepts]


def corrected(analysis: Seen, words: Mapping[int, Evidence]) -> Seen:
    """Put what is known of a photo in the place of what the model found.

    Those who are known to be on it come first, so that a prompt offers them before all others.

    Args:
        analysis: The photo as the model sees it.
        words: What counts more than the model's word, by concept id; see `Corrections.known`.
    """
    if not words:
        return analysis
    gone = {concept_id for concept_id, word in words.items() if not word.is_present}
    sightings = [
        _replaced(sighting, gone)
        if (word := words.get(sighting.concept.id)) is None
        else _corrected(sighting, word)
        for sighting in analysis.sightings
    ]
    sightings.sort(key=lambda s: (not s.is_present, s.source == "model", -s.score))
    return replace(analysis, sightings=tuple(sightings))


def _replaced(sighting: Sighting, gone: Set[int]) -> Sighting:
    """The same, or seen after all where those in its place are known not to be there."""
    if not sighting.displaced_by or not gone >= set(sighting.displaced_by):
        return sighting
    return replace(sighting, is_present=True, displaced_by=())


def _corrected(sighting: Sighting, word: Evidence) -> Sighting:
    said = replace(
        sighting, is_present=word.is_present, source=word.source, verdict=word.verdict, displaced_by=()
    )
    if word.box is None:
        return said
    box = Box(*word.box)
    return replace(said, box=box, point=(box.x + box.width / 2, box.y + box.height / 2))


def draw_analysis(analysis: PhotoAnalysis) -> Image.Image:
    """Box, number and name of everyone who counts as seen, numbered from left to right as for the model."""
    labels, marks = [], []
    for number, sighting in enumerate(analysis.present, start=1):
        labels.append(Label(f"{number} {sighting.concept.name}", sighting.box))
        marks.append(Mark(number, *sighting.mark_point))
    return draw_marks(draw_labels(analysis.image, labels), marks)
