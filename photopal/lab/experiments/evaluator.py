"""Puts a question about a photo to a model as the product would, or with a part taken away; judges nothing.

A control takes something away that a true answer needs: the concepts, their own rows, or the photo. What a
model still gets right then, it does not get right by knowing the concept.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from photopal.assistant.assistant import Assistant, PhotoAnalysis
from photopal.box import Box
from photopal.concepts import Bank
from photopal.concepts.localize import inside_photo, location_maps, map_scores, suppress_rivals
from photopal.lab.experiments.learned_scenario import Fault, LearnedScenario
from photopal.lab.experiments.photo_store import PhotoStore
from photopal.library import ConceptRecord
from photopal.prompts import (
    MOST_CONCEPTS,
    Mark,
    PromptConcept,
    build_prompt,
    recognition_question,
    write_names,
)
from photopal.prompts import templates as questions
from photopal.prompts.words import describe_names
from photopal.text import names_in
from photopal.vlm.generate import distinguishing_lengths
from photopal.vlm.kv_cache import copy_past
from photopal.vlm.protocol import ConceptEmbeddings, EncodedPrompt, PhotoFeatures, PrefixCache

Control = Literal["asked", "no concept", "wrong concept", "blank image", "text only"]
CONTROLS: tuple[Control, ...] = ("no concept", "wrong concept", "blank image", "text only")
Marks = Literal["marks", "no marks", "random marks", "sentence only"]
MARKS: tuple[Marks, ...] = ("marks", "no marks", "random marks", "sentence only")
GRAY = (128, 128, 128)
PHOTOS_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class PromptSetup:
    """How questions about one photo are put.

    Attributes:
        names: Of the concepts in the prompt, by slot.
        offered: How the prompt introduces them.
        rows: Their rows.
        features: Of the photo, with marks where there are any; None for words only.
        descriptions: Name → looks of those who are spoken of in words.
    """

    names: tuple[str, ...]
    offered: tuple[PromptConcept, ...]
    rows: ConceptEmbeddings | None
    features: PhotoFeatures | None
    descriptions: Mapping[str, str] = field(default_factory=dict)


class Evaluator:
    """Puts questions about a scenario to a model with one bank.

    Args:
        store: Opens and encodes photos.
        learned: The scenario.
        bank: Registered or tuned rows of it.
        seed: Of marks at random.
        fault: A deliberate mistake; here, marks at random.
    """

    def __init__(
        self,
        store: PhotoStore,
        learned: LearnedScenario,
        bank: Bank,
        *,
        seed: int,
        fault: Fault | None = None,
    ) -> None:
        self.store, self.learned, self.bank = store, learned, bank
        self.model = store.model
        self.assistant = Assistant(store.model, bank, learned.concepts)
        self._seed = seed
        self._has_random_marks = fault == "marks at random"
        self._analyses: dict[Path, PhotoAnalysis] = {}
        self._first_ids: dict[tuple[str, ...], Tensor | None] = {}  # the same few answers every time

    @property
    def controls(self) -> tuple[Control, ...]:
        """The controls there can be: wrong rows need concepts of other scenarios."""
        return tuple(c for c in CONTROLS if c != "wrong concept" or self.learned.foreign is not None)

    def analysis(self, path: Path) -> PhotoAnalysis:
        """A photo as the assistant sees it."""
        [analysis] = self.analyses([path])
        return analysis

    def analyses(self, paths: Sequence[Path]) -> list[PhotoAnalysis]:
        """Photos as the assistant sees them, a few looked at together."""
        new = [path for path in dict.fromkeys(paths) if path not in self._analyses]
        for start in range(0, len(new), PHOTOS_AT_ONCE):
            chosen = new[start : start + PHOTOS_AT_ONCE]
            seen = self.assistant.analyze_each([self.store.image(path) for path in chosen])
            for path, analysis in zip(chosen, seen, strict=True):
                self._analyses[path] = self._astray(analysis, path) if self._has_random_marks else analysis
        return [self._analyses[path] for path in paths]

    def _astray(self, analysis: PhotoAnalysis, path: Path) -> PhotoAnalysis:
        rng = random.Random(f"{path.name} {path.parent.name} {self._seed}")
        sightings = []
        for sighting in analysis.sightings:
            x, y = rng.random(), rng.random()
            corner = (min(x, 1 - sighting.box[2]), min(y, 1 - sighting.box[3]))
            sightings.append(replace(sighting, point=(x, y), box=Box(*corner, *sighting.box[2:])))
        return replace(analysis, sightings=tuple(sightings))

    def marks(self, path: Path, names: Sequence[str]) -> dict[str, Mark]:
        """The marks that a prompt about a photo draws on it for some concepts, by name."""
        personal = self.assistant.personalize(self.analysis(path), asked=self._chosen(names))
        drawn = {mark.number: mark for mark in personal.marks}
        offered = zip(personal.names, personal.offered, strict=True)
        return {name: drawn[one.mark] for name, one in offered if name in names and one.mark is not None}

    def set_up(
        self, path: Path | None, names: Sequence[str], control: Control = "asked", *, has_marks: bool = True
    ) -> PromptSetup:
        """Prepare questions about a photo.

        All concepts of the scenario are in the prompt, as the authors have it; of more than four, those asked
        for and those seen.

        Args:
            path: The photo; None for questions without one.
            names: Whom the questions name.
            control: What to take away.
            has_marks: Whether those seen are marked, and spoken of in words where the model cannot read their
                embeddings, as for everything but recognition.
        """
        if control == "no concept":
            return PromptSetup((), (), None, self._plain(path))
        chosen = self._chosen(names)
        if path is None or control in ("blank image", "text only") or not has_marks:
            features = self._plain(path)
            if control == "blank image" and path is not None:
                blank = Image.new("RGB", self.store.image(path).size, GRAY)
                [features] = self.model.encode_photos([blank])
            features = None if control == "text only" else features
            return self._offer(chosen, features, control, in_words=has_marks)
        personal = self.assistant.personalize(self.analysis(path), asked=chosen)
        descriptions = self._describe(personal.descriptions, control)
        foreign = self._foreign(personal.concepts) if control == "wrong concept" else None
        if foreign is None:
            return PromptSetup(
                tuple(personal.names), personal.offered, personal.embeddings, personal.features, descriptions
            )
        pairs = zip(personal.offered, foreign.soft_token_counts, strict=True)
        offered = tuple(replace(one, token_count=count) for one, count in pairs)
        return PromptSetup(tuple(personal.names), offered, foreign, personal.features, descriptions)

    def _chosen(self, names: Sequence[str]) -> list[ConceptRecord]:
        asked = [concept for concept in self.learned.concepts if concept.name in names]
        rest = [concept for concept in self.learned.concepts if concept not in asked]
        if len(self.learned.concepts) > MOST_CONCEPTS:
            return asked[:MOST_CONCEPTS]
        return sorted(asked + rest, key=lambda concept: concept.id)

    def _offer(
        self,
        chosen: Sequence[ConceptRecord],
        features: PhotoFeatures | None,
        control: Control,
        *,
        in_words: bool,
    ) -> PromptSetup:
        known = {c.name: self.bank.concepts[c.id].words for c in chosen if self.bank.concepts[c.id].words}
        descriptions = self._describe(known, control) if in_words else {}
        chosen = [concept for concept in chosen if concept.name not in descriptions]
        if not chosen:
            return PromptSetup((), (), None, features, descriptions)
        rows = self.bank.embeddings([c.id for c in chosen], [c.name for c in chosen])
        if control == "wrong concept":
            rows = self._foreign(chosen) or rows
        pairs = zip(chosen, rows.soft_token_counts, strict=True)
        offered = (replace(self.bank.concepts[c.id].in_prompt(), token_count=count) for c, count in pairs)
        return PromptSetup(tuple(rows.names), tuple(offered), rows, features, descriptions)

    def _foreign(self, chosen: Sequence[ConceptRecord]) -> ConceptEmbeddings | None:
        """Rows of concepts of other scenarios, under the names asked for."""
        foreign = self.learned.foreign
        if foreign is None or not chosen:
            return None
        return foreign.embeddings([c.id for c in chosen], [c.name for c in chosen])

    def _describe(self, descriptions: Mapping[str, str], control: Control) -> Mapping[str, str]:
        """The looks of concepts, or those of concepts of other scenarios, by name."""
        foreign = self.learned.foreign
        if control != "wrong concept" or foreign is None:
            return descriptions
        ids = {concept.name: concept.id for concept in self.learned.concepts}
        return {name: foreign.concepts[ids[name]].words or words for name, words in descriptions.items()}

    def _plain(self, path: Path | None) -> PhotoFeatures | None:
        return None if path is None else self.store.features([path])[0]

    def encode(self, setup: PromptSetup, text: str) -> EncodedPrompt:
        """A question as model ids; whole names in it that are in the prompt become their identifiers."""
        text = describe_names(text, setup.descriptions)
        prompt = build_prompt(
            write_names(text, setup.names), setup.offered, has_image=setup.features is not None
        )
        return self.model.encode_prompt(prompt, setup.features)

    def named_in(self, text: str) -> list[str]:
        """The concepts a question names."""
        return names_in(text, [concept.name for concept in self.learned.concepts])

    def first_ids(self, answers: Sequence[str]) -> Tensor | None:
        """The first id of each answer, where that tells them apart; else None."""
        key = tuple(answers)
        if key not in self._first_ids:
            ids = [self.model.answer_ids(answer) for answer in answers]
            lengths = distinguishing_lengths([one.tolist() for one in ids])
            self._first_ids[key] = None if max(lengths) > 1 else torch.stack([one[0] for one in ids])
        return self._first_ids[key]

    def prefix(self, encoded: EncodedPrompt, features: PhotoFeatures | None) -> PrefixCache | None:
        """Keys and values of the photo, where the model can go on from them."""
        if self.store.prefixes is None or features is None:
            return None
        return self.store.prefixes.get(encoded, features)


class MarkedEvaluator(Evaluator):
    """Puts questions with marks where they belong, with none, at random places, or in words only."""

    def __init__(
        self, store: PhotoStore, learned: LearnedScenario, bank: Bank, *, seed: int, marks: Marks
    ) -> None:
        fault: Fault | None = "marks at random" if marks == "random marks" else None
        super().__init__(store, learned, bank, seed=seed, fault=fault)
        self._is_unmarked = marks == "sentence only"
        if marks == "no marks":
            self.assistant = Assistant(store.model, bank, learned.concepts, has_marks=False)

    def set_up(
        self, path: Path | None, names: Sequence[str], control: Control = "asked", *, has_marks: bool = True
    ) -> PromptSetup:
        """As `Evaluator.set_up`; for the sentence only, the photo itself stays without marks."""
        setup = super().set_up(path, names, control, has_marks=has_marks)
        return replace(setup, features=self._plain(path)) if self._is_unmarked else setup


def map_score(bank: Bank, concept_id: int, features: PhotoFeatures) -> float:
    """How far the map of a concept rises above its threshold, among all concepts of the bank."""
    ids = list(bank.concepts)
    maps = suppress_rivals(location_maps(features.patches, bank.directions(ids)))[: len(ids)]
    scores = map_scores(maps.masked_fill(~inside_photo(features), -1.0))
    return float(scores[ids.index(concept_id)]) - bank.concepts[concept_id].calibration.threshold


@torch.no_grad()
def score(
    evaluator: Evaluator, setup: PromptSetup, asked: Sequence[tuple[str, Sequence[str]]]
) -> list[Tensor]:
    """Log-probabilities of given answers.

    Args:
        evaluator: Knows the model.
        pose: The photo and the concepts.
        asked: Questions, each with its possible answers.

    Returns:
        `[answers]` for each question.
    """
    model = evaluator.model
    encoded = [evaluator.encode(setup, text) for text, _ in asked]
    if not encoded:
        return []
    prefix = _common_prefix(evaluator, setup, encoded)
    firsts = [evaluator.first_ids(answers) for _, answers in asked]
    if prefix is None or any(first is None for first in firsts):
        return [
            model.score_answers(one, setup.features, setup.rows, answers=answers, prefix=prefix)
            for one, (_, answers) in zip(encoded, asked, strict=True)
        ]
    embedded = [model.embed_ids(one.ids[len(prefix) :], setup.rows) for one in encoded]
    hidden = torch.stack([states[-1] for states in model.forward_packed(prefix, embedded)])
    scores = torch.log_softmax(model.logits(hidden, setup.rows), dim=-1)
    return [row[first] for row, first in zip(scores, firsts, strict=True)]


def _common_prefix(
    evaluator: Evaluator, setup: PromptSetup, encoded: Sequence[EncodedPrompt]
) -> PrefixCache | None:
    """Keys and values of what all questions begin with; None where the model cannot go on from them."""
    first = encoded[0]
    length = min(int(one.ids.shape[0]) for one in encoded) - 1
    for other in encoded[1:]:
        differs = torch.nonzero(first.ids[:length] != other.ids[:length])
        length = int(differs[0]) if differs.numel() else length
    photo = evaluator.prefix(first, setup.features)
    if photo is not None:
        # A prefix with the next ids of a prompt, up to a length; the given one stays as it is.
        start = len(photo)
        if length <= start:
            return photo
        past = copy_past(photo)
        positions = first.positions[..., start:length]
        evaluator.model.forward(
            evaluator.model.embed_ids(first.ids[start:length], setup.rows)[None],
            positions=positions.unsqueeze(-2),
            past=past,
        )
        return PrefixCache(first.ids[:length], int(positions.max()) + 1, past)
    if setup.features is None and evaluator.model.supports_prefix and length > 0:
        return evaluator.model.encode_prefix(first, None, setup.rows, length=length)
    return None


def yes_shares(evaluator: Evaluator, setup: PromptSetup, asked: Sequence[Sequence[str]]) -> list[float]:
    """p(Yes) = yes / (yes + no) of the recognition question for one or several names each."""
    words = (questions.YES, questions.NO)
    scores = score(evaluator, setup, [(recognition_question(" and ".join(names)), words) for names in asked])
    shares = [float(torch.softmax(one, dim=0)[0]) for one in scores]
    ids = {concept.name: concept.id for concept in evaluator.learned.concepts}
    return [
        evaluator.bank.yes_share([ids[name] for name in names if name in setup.names], share)
        for names, share in zip(asked, shares, strict=True)
    ]
