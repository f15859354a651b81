"""Model, bank and library together: looks at a photo and says who is where; writes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from torch import Tensor

from photopal.assistant.analysis import PersonalizedPrompt, PhotoAnalysis, Sighting, from_left
from photopal.assistant.evidence import EvidenceFinder
from photopal.concepts import Bank
from photopal.concepts.calibration import Calibration, Verdict
from photopal.concepts.localize import (
    contested_places,
    find_regions,
    inside_photo,
    location_maps,
    map_scores,
    suppress_rivals,
)
from photopal.library import ConceptRecord
from photopal.prompts import (
    MOST_CONCEPTS,
    Mark,
    build_prompt,
    draw_marks,
    recognition_question,
)
from photopal.prompts import templates as questions
from photopal.vlm.batch_decoder import GenerationRequest, first_answer_shares
from photopal.vlm.kv_cache import common_length
from photopal.vlm.placeholders import name_placeholder
from photopal.vlm.protocol import EncodedPrompt, PhotoFeatures, PrefixCache, VisionModel

_YES_NO = (questions.YES, questions.NO)

# The more concepts there are, the likelier a stranger looks like one of them. So from `MOST_CONCEPTS` on, the
# bands rise with each doubling, by a share of their width, and the model's Yes within them counts less. Found
# with 64 drawn concepts: on photos of one of them 0.05 instead of 0.18 wrong names, 95 % of the right ones.
# Where the map alone would rather say no, the model's Yes counts less, too, as for one doubling: the map is
# the better judge of lookalikes. On the plain model's validation photos, 0.0046 of answers are wrong, not
# 0.0057.
_RISE = 0.05
_DOUBT, _MOST_DOUBT = 0.2, 0.8

# Two names for one place cannot both be right; so the surer one stays, where the other fits there as well, or
# less by no more than this share of its band. Found with 64 drawn concepts too: 0.05 wrong names, not 0.08.
_TIE = 0.06

__all__ = ["Assistant", "PersonalizedPrompt", "PhotoAnalysis", "Sighting", "bank_path_for"]


@dataclass(frozen=True, eq=False)
class _Reading:
    """What the location maps say of one photo, by the index of each concept; `unsure` by margin.

    `contests` tells who fits the place of whom, see `contested_places`.
    """

    maps: Tensor
    scores: list[float]
    calibrations: list[Calibration]
    verdicts: list[Verdict]
    margins: list[float]
    unsure: list[int]
    contests: Tensor


class Assistant:
    """Looks at photos with a model and a bank.

    Args:
        model: The frozen model.
        bank: Rows, directions and thresholds of that model.
        concepts: Who the library knows; those without rows in the bank are passed over.
        has_marks: Whether marks are drawn for the model (MC-LLaVA, section 3.3).
        finder: Finds who is on photos without the model, by faces and looks, if that is wanted.
        glance: Looks at photos as `EvidenceFinder.glance` does, where there is no finder.
        on_ood_check: Told of each photo that is looked at whether the model understands it.
    """

    def __init__(  # noqa: PLR0913 - one parameter for each thing it looks with
        self,
        model: VisionModel,
        bank: Bank,
        concepts: Sequence[ConceptRecord],
        *,
        has_marks: bool = True,
        finder: EvidenceFinder | None = None,
        glance: Callable[[Sequence[Image.Image]], list[PhotoFeatures] | None] | None = None,
        on_ood_check: Callable[[bool], None] = lambda is_known: None,
    ) -> None:
        self.model = model
        self.bank = bank
        self.concepts = [concept for concept in concepts if concept.id in bank.concepts]
        self.has_marks = has_marks
        self.finder = finder
        self._glance = glance if finder is None else finder.glance
        self._on_ood_check = on_ood_check

    def analyze(self, image: Image.Image) -> PhotoAnalysis:
        """Look at an upright RGB photo: encode it once and decide who is where."""
        return self.analyze_each([image])[0]

    def analyze_each(self, images: Sequence[Image.Image], *, keys: Sequence[str] = ()) -> list[PhotoAnalysis]:
        """Look at several photos, encoded together; those with a key may be had from what was kept."""
        return self.see(images, self.model.encode_photos(images, keys=keys))

    def see(self, images: Sequence[Image.Image], encoded: Sequence[PhotoFeatures]) -> list[PhotoAnalysis]:
        """Decide who is where on photos that are encoded already.

        The maps alone decide, or within the abstain band map and model together.
        """
        # A model of all kinds of photos needs no second opinion.
        glance = None if self.model.sees_all else self._glance
        glances: Sequence[PhotoFeatures | None] = (glance(images) if glance else None) or [None] * len(images)
        looks = [
            PhotoAnalysis(
                image=image,
                features=features,
                sightings=(),
                is_understood=self.model.is_in_distribution(features, glance),
                glance=glance,
            )
            for image, features, glance in zip(images, encoded, glances, strict=True)
        ]
        for look in looks:
            self._on_ood_check(look.is_understood)
        if not self.concepts:
            return looks
        readings = [self._read(features) for features in encoded]
        requests = []
        for features, reading in zip(encoded, readings, strict=True):
            requests += self.recognition_prompts(features, [self.concepts[n] for n in reading.unsure])
        shares = iter(first_answer_shares(self.model, requests, _YES_NO) if requests else ())
        analyses = []
        for look, reading in zip(looks, readings, strict=True):
            probabilities = {
                index: self.bank.yes_share([self.concepts[index].id], next(shares))
                for index in reading.unsure
            }
            sightings = self._sightings(look.features, reading, probabilities)
            analyses.append(replace(look, sightings=sightings))
        return analyses

    def personalize(
        self, analysis: PhotoAnalysis, *, asked: Sequence[ConceptRecord] = ()
    ) -> PersonalizedPrompt:
        """Prepare a prompt about a photo: those seen there, and those the question names; at most four slots.

        Those the question names come first; the present ones get marks, numbered from left to right. Those
        whose embeddings the model cannot read are left to words.
        """
        return self.personalize_each([(analysis, asked)])[0]

    def personalize_each(
        self, analyses: Sequence[tuple[PhotoAnalysis, Sequence[ConceptRecord]]]
    ) -> list[PersonalizedPrompt]:
        """Prepare prompts about photos as `personalize` does; photos with marks are encoded together.

        Args:
            analyses: Each a photo, with those the question names.
        """
        prepared = [(analysis, self._offer(analysis, asked)) for analysis, asked in analyses]
        missing = {
            (id(analysis), personal.marks): (analysis, personal.marks)
            for analysis, personal in prepared
            if personal.marks and personal.marks not in analysis.marked
        }
        drawn = [draw_marks(analysis.image, list(marks)) for analysis, marks in missing.values()]
        for (analysis, marks), features in zip(
            missing.values(), self.model.encode_photos(drawn), strict=True
        ):
            analysis.marked[marks] = features
        return [
            replace(personal, features=analysis.marked[personal.marks]) if personal.marks else personal
            for analysis, personal in prepared
        ]

    def _offer(self, analysis: PhotoAnalysis, asked: Sequence[ConceptRecord]) -> PersonalizedPrompt:
        """All of a personalized prompt but the features of the photo with marks."""
        present = [s for s in analysis.sightings if s.is_present]
        spoken = {c.id: c for c in [*asked, *(s.concept for s in present)] if c.id in self.bank.concepts}
        descriptions = {c.name: words for c in spoken.values() if (words := self.bank.concepts[c.id].words)}
        chosen = [c for c in spoken.values() if c.name not in descriptions][:MOST_CONCEPTS]
        if not chosen:
            return PersonalizedPrompt(
                concepts=(),
                offered=(),
                embeddings=None,
                features=analysis.features,
                marks=(),
                descriptions=descriptions,
            )
        kept = {concept.id for concept in chosen}
        seen = from_left(s for s in present if s.concept.id in kept)
        marks = {s.concept.id: Mark(n, *s.mark_point) for n, s in enumerate(seen, start=1)}
        marks = marks if self.has_marks else {}
        offered = tuple(
            self.bank.concepts[c.id].in_prompt(marks[c.id].number if c.id in marks else None) for c in chosen
        )
        return PersonalizedPrompt(
            concepts=tuple(chosen),
            offered=offered,
            embeddings=self.bank.embeddings([c.id for c in chosen], [c.name for c in chosen]),
            features=analysis.features,
            marks=tuple(marks.values()),
            descriptions=descriptions,
        )

    def prefix(
        self, analysis: PhotoAnalysis, personal: PersonalizedPrompt, encoded: EncodedPrompt
    ) -> PrefixCache | None:
        """The keys and values of what all questions to a personalized prompt begin with, computed once.

        Args:
            analysis: The photo; keeps what is computed.
            personal: The prompt's parts.
            encoded: A prompt made of them.

        Returns:
            The photo and the concept block; None where the model's family cannot share them.
        """
        if not self.model.extends_prefixes:
            return None
        key = (id(personal.features), *(concept.id for concept in personal.concepts))
        prefix = analysis.prefixes.get(key)
        if prefix is None or not prefix.is_prefix_of(encoded):
            bare = self.model.encode_prompt(build_prompt("", personal.offered), personal.features)
            length = min(common_length(bare.ids, encoded.ids), int(encoded.ids.shape[0]) - 1)
            if length < max(1, encoded.image_end):
                return None
            prefix = self.model.encode_prefix(encoded, personal.features, personal.embeddings, length=length)
            analysis.prefixes.put(key, prefix)
        return prefix

    def recognition_prompts(
        self, features: PhotoFeatures, concepts: Sequence[ConceptRecord]
    ) -> list[GenerationRequest]:
        """The recognition question for each concept, all of them in one prompt.

        Args:
            features: Of the photo without marks.
            concepts: At most four, all in the bank.
        """
        if not concepts:
            return []
        offered = [self.bank.concepts[c.id].in_prompt() for c in concepts]
        rows = self.bank.embeddings([c.id for c in concepts], [c.name for c in concepts])
        words = [recognition_question(name_placeholder(slot)) for slot in range(len(concepts))]
        prompts = [build_prompt(question, offered) for question in words]
        return [
            GenerationRequest(self.model.encode_prompt(prompt, features), features, rows)
            for prompt in prompts
        ]

    def recognize(self, features: PhotoFeatures, concepts: Sequence[ConceptRecord]) -> list[float]:
        """The model's p(Yes) for each concept, all of them in one prompt: yes / (yes + no).

        Args:
            features: Of the photo without marks.
            concepts: At most four, all in the bank.
        """
        asked = self.recognition_prompts(features, concepts)
        shares = first_answer_shares(self.model, asked, _YES_NO)
        return [self.bank.yes_share([c.id], share) for c, share in zip(concepts, shares, strict=True)]

    def _read(self, features: PhotoFeatures) -> _Reading:
        """Read the maps of every concept: scores, what they say, and whom they leave unsure."""
        ids = [concept.id for concept in self.concepts]
        fits = location_maps(features.patches, self.bank.directions(ids))
        is_outside = ~inside_photo(features)
        maps = suppress_rivals(fits)[: len(ids)].masked_fill(is_outside, -1.0)
        scores = map_scores(maps).tolist()
        rise = _RISE * _doublings(len(ids))
        calibrations = [self.bank.concepts[i].calibration.raised(rise) for i in ids]
        verdicts = [c.judge(score) for c, score in zip(calibrations, scores, strict=True)]
        margins = [score - c.threshold for c, score in zip(calibrations, scores, strict=True)]
        order = sorted(range(len(ids)), key=lambda index: -margins[index])
        unsure = [index for index in order if verdicts[index] is Verdict.UNSURE][:MOST_CONCEPTS]
        ties = [_TIE * (c.high - c.low) for c in calibrations]
        return _Reading(
            maps=maps,
            scores=scores,
            calibrations=calibrations,
            verdicts=verdicts,
            margins=margins,
            unsure=unsure,
            contests=contested_places(fits[: len(ids)].masked_fill(is_outside, -1.0), maps, ties),
        )

    def _sightings(
        self, features: PhotoFeatures, reading: _Reading, probabilities: dict[int, float]
    ) -> tuple[Sighting, ...]:
        """Every concept, the present ones first; where the model was asked, map and model decide alike."""
        sightings = []
        seen = self._seen(reading, probabilities)
        regions = find_regions(reading.maps, features.frame)
        for index, (concept, region) in enumerate(zip(self.concepts, regions, strict=True)):
            sightings.append(
                Sighting(
                    concept=concept,
                    score=reading.margins[index],
                    is_present=seen.get(index) == (),
                    probability=probabilities.get(index),
                    point=region.point,
                    box=region.box,
                    displaced_by=tuple(self.concepts[other].id for other in seen.get(index, ())),
                )
            )
        return tuple(sorted(sightings, key=lambda s: (not s.is_present, -s.score)))

    def _seen(self, reading: _Reading, probabilities: dict[int, float]) -> dict[int, tuple[int, ...]]:
        """Whom maps and model find, by index; each with those who are surer and fit its place as well."""
        doublings = _doublings(len(self.concepts))
        seen: dict[int, tuple[int, ...]] = {}
        for index in sorted(range(len(self.concepts)), key=lambda index: -reading.margins[index]):
            is_seen = reading.verdicts[index] is Verdict.PRESENT
            if index in probabilities:
                share = reading.calibrations[index].share(reading.scores[index])
                doubt = min(_MOST_DOUBT, _DOUBT * (doublings + (share < 0.5)))
                is_seen = share + probabilities[index] >= 1.0 + doubt
            if is_seen:
                present = [other for other, rivals in seen.items() if not rivals]
                seen[index] = tuple(other for other in present if reading.contests[other, index])
        return seen


def _doublings(concepts: int) -> float:
    """How many times there are twice as many concepts as a prompt holds; 0 up to that many."""
    return math.log2(max(MOST_CONCEPTS, concepts) / MOST_CONCEPTS)


def bank_path_for(folder: Path, fingerprint: str) -> Path:
    """Where the bank of a model lies: every model has its own, so that switching models loses nothing."""
    return folder / f"{fingerprint[:16]}.bank.safetensors"
