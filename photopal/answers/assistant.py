"""Model, bank and library together: looks at a photo and says who is where; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from photopal.concepts import Bank
from photopal.concepts.maps import (
    contested_maps,
    find_place,
    inside_photo,
    location_maps,
    map_scores,
)
from photopal.concepts.presence import Verdict
from photopal.library import Appearance, ConceptRow
from photopal.prompts import (
    MOST_CONCEPTS,
    Mark,
    PromptConcept,
    build_prompt,
    draw_marks,
    questions,
    recognition_question,
)
from photopal.vision.placeholders import name_placeholder
from photopal.vision.protocol import ConceptRows, PhotoFeatures, VisionModel


@dataclass(frozen=True)
class Sighting:
    """What is known of one concept on one photo.

    Attributes:
        concept: Who it is.
        score: Height of the location map's peak above the concept's threshold; 0 is undecided.
        is_present: Whether it counts as seen.
        probability: The model's own p(Yes) to the recognition question; None where the map alone decided.
        point: Where it shows most, in fractions of the photo.
        box: The region around, x, y, width, height in fractions of the photo.
    """

    concept: ConceptRow
    score: float
    is_present: bool
    probability: float | None
    point: tuple[float, float]
    box: tuple[float, float, float, float]

    @property
    def mark_point(self) -> tuple[float, float]:
        """Where to mark it: below the region, for the peak is what it is known by and must not be covered."""
        x, y, width, height = self.box
        return (x + width / 2, min(0.97, y + height))

    def appearance(self) -> Appearance:
        """As the library stores it."""
        return Appearance(self.concept.id, self.score, self.is_present, self.point, self.box)


@dataclass(frozen=True, eq=False)
class View:
    """A photo as the assistant sees it.

    Attributes:
        image: Upright RGB.
        features: Of the photo without marks.
        sightings: Every concept of the bank, the present ones first, best first.
    """

    image: Image.Image
    features: PhotoFeatures
    sightings: tuple[Sighting, ...]

    @property
    def present(self) -> list[Sighting]:
        """Those who count as seen, from left to right."""
        return sorted((s for s in self.sightings if s.is_present), key=lambda s: s.point[0])

    def of(self, concept_id: int) -> Sighting | None:
        """The sighting of a concept, if the bank has it."""
        return next((s for s in self.sightings if s.concept.id == concept_id), None)


@dataclass(frozen=True, eq=False)
class Personal:
    """A personalised prompt's parts: whom it speaks of, their rows, and the photo with their marks.

    Attributes:
        concepts: By slot.
        offered: The same, as the prompt introduces them.
        rows: Their rows.
        features: Of the photo with marks, or without where nobody is marked.
        marks: What was drawn.
    """

    concepts: tuple[ConceptRow, ...]
    offered: tuple[PromptConcept, ...]
    rows: ConceptRows | None
    features: PhotoFeatures
    marks: tuple[Mark, ...]

    @property
    def names(self) -> list[str]:
        """Names by slot."""
        return [concept.name for concept in self.concepts]


class Assistant:
    """Looks at photos with a model and a bank.

    Args:
        model: The frozen model.
        bank: Rows, directions and thresholds of that model.
        concepts: Who the library knows; those without rows in the bank are passed over.
        has_marks: Whether marks are drawn for the model (MC-LLaVA, section 3.3).
    """

    def __init__(
        self, model: VisionModel, bank: Bank, concepts: Sequence[ConceptRow], *, has_marks: bool = True
    ) -> None:
        self.model = model
        self.bank = bank
        self.concepts = [concept for concept in concepts if concept.id in bank.concepts]
        self.has_marks = has_marks

    def look(self, image: Image.Image) -> View:
        """Look at an upright RGB photo: encode it once and decide who is where."""
        return self.look_at([image])[0]

    def look_at(self, images: Sequence[Image.Image]) -> list[View]:
        """Look at several photos, encoded together."""
        features = self.model.encode_photos(images)
        return [View(image, f, self._sightings(f)) for image, f in zip(images, features, strict=True)]

    def personalise(self, view: View, *, asked: Sequence[ConceptRow] = ()) -> Personal:
        """Prepare a prompt about a photo: those seen there, and those the question names, at most four.

        Those the question names come first; the present ones get marks, numbered from left to right.
        """
        present = [s for s in view.sightings if s.is_present]
        chosen = list({c.id: c for c in [*asked, *(s.concept for s in present)]}.values())[:MOST_CONCEPTS]
        chosen = [concept for concept in chosen if concept.id in self.bank.concepts]
        if not chosen:
            return Personal((), (), None, view.features, ())
        kept = {concept.id for concept in chosen}
        seen = sorted((s for s in present if s.concept.id in kept), key=lambda s: s.point[0])
        marks = {s.concept.id: Mark(n, *s.mark_point) for n, s in enumerate(seen, start=1)}
        marks = marks if self.has_marks else {}
        features = view.features
        if marks:
            features = self.model.encode_photos([draw_marks(view.image, list(marks.values()))])[0]
        offered = tuple(
            PromptConcept(self.bank.concepts[c.id].token_count, marks[c.id].number if c.id in marks else None)
            for c in chosen
        )
        rows = self.bank.rows([c.id for c in chosen], [c.name for c in chosen])
        return Personal(tuple(chosen), offered, rows, features, tuple(marks.values()))

    def recognise(self, features: PhotoFeatures, concepts: Sequence[ConceptRow]) -> list[float]:
        """The model's p(Yes) for each concept, all of them in one prompt: yes / (yes + no).

        Args:
            features: Of the photo without marks.
            concepts: At most four, all in the bank.
        """
        offered = [PromptConcept(self.bank.concepts[c.id].token_count) for c in concepts]
        rows = self.bank.rows([c.id for c in concepts], [c.name for c in concepts])
        probabilities = []
        for slot in range(len(concepts)):
            prompt = build_prompt(recognition_question(name_placeholder(slot)), offered)
            encoded = self.model.encode_prompt(prompt, features)
            scores = self.model.score_answers(encoded, features, rows, answers=(questions.YES, questions.NO))
            probabilities.append(float(torch.softmax(scores, dim=0)[0]))
        return probabilities

    def _sightings(self, features: PhotoFeatures) -> tuple[Sighting, ...]:
        """Who is there: by the maps alone, or within the abstain band by map and model to equal shares."""
        if not self.concepts:
            return ()
        ids = [concept.id for concept in self.concepts]
        maps = contested_maps(location_maps(features.patches.cpu(), self.bank.directions(ids)))[: len(ids)]
        maps = maps.masked_fill(~inside_photo(features), -1.0)
        scores = map_scores(maps).tolist()
        calibrations = [self.bank.concepts[i].calibration for i in ids]
        verdicts = [c.judge(score) for c, score in zip(calibrations, scores, strict=True)]
        margins = [score - c.threshold for c, score in zip(calibrations, scores, strict=True)]
        order = sorted(range(len(ids)), key=lambda place: -margins[place])
        unsure = [place for place in order if verdicts[place] is Verdict.UNSURE][:MOST_CONCEPTS]
        asked = (
            dict(zip(unsure, self.recognise(features, [self.concepts[p] for p in unsure]), strict=True))
            if unsure
            else {}
        )
        sightings = []
        for place in order:
            found = find_place(maps[place], features.frame)
            probability = asked.get(place)
            is_present = verdicts[place] is Verdict.PRESENT
            if probability is not None:
                is_present = calibrations[place].share(scores[place]) + probability >= 1.0
            sightings.append(
                Sighting(
                    self.concepts[place], margins[place], is_present, probability, found.point, found.box
                )
            )
        return tuple(sorted(sightings, key=lambda s: (not s.is_present, -s.score)))


def bank_path_for(folder: Path, fingerprint: str) -> Path:
    """Where the bank of a model lies: every model has its own, so that switching models loses nothing."""
    return folder / f"{fingerprint[:16]}.bank.safetensors"
