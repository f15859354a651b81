"""Chooses what tuning starts from, and how much of it there is, by how well the model understands names.

A model that was taught to read registered embeddings tells names apart before any tuning; a few updates
make them better. Most models were not. For them centroids of image tokens in a sentence before the question
are noise, and no number of updates makes them anything else (docs/plain-model.md). They do read words: so
the soft tokens begin as the words of a description, behind the name in the question, and are tuned from
there, on questions for Yes and No alone. Everything else is asked in the words themselves
(`photopal.prompts.words`): tokens tuned for Yes and No say little else, and captions with them are broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from photopal.concepts import Bank
from photopal.concepts.initialize import begin_with_words
from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.tuning.trainer import TuneOptions, TuningProgress, TuningReport, tune_bank, validate_bank
from photopal.vlm.protocol import VisionModel

Way = Literal["registered", "words"]

ENOUGH = 0.85
"""AUROC of p(yes) on held-out photos from which on registered embeddings are taken as they are.

The bundled model, which was taught names, is above 0.95, the plain one near 0.5 (docs/plain-model.md).
"""

# Found on drawn scenarios of the plain model; ten times the rate came to the same (docs/plain-model.md).
RATE_FACTOR, VARIANTS = 3.0, 8


@dataclass(frozen=True, eq=False)
class TuningStart:
    """What tuning starts from.

    Attributes:
        bank: The embeddings.
        options: Settings of the run, more thorough for those that start from words.
        way: Which embeddings they are.
        areas: The AUROC of p(yes) on held-out photos with each that was tried; nan where it has none.
    """

    bank: Bank
    options: TuneOptions
    way: Way
    areas: Mapping[Way, float]


def choose_start(
    model: VisionModel,
    bank: Bank,
    concepts: Mapping[int, TuningConcept],
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    is_in_words: bool = False,
) -> TuningStart:
    """Choose between registered embeddings and words by what the model makes of them on held-out photos.

    Args:
        model: The frozen model.
        bank: Registered embeddings.
        concepts: Everyone the prompts may speak of, by id; frozen ones stay as they are.
        photos: Those that `tune_bank` is given; it holds out the same.
        options: Settings for registered embeddings.
        is_in_words: Whether it is known already that the model cannot read registered embeddings. With a
            single concept the measurement here may not show it: a model is more for Yes where it sees
            somebody.
    """
    areas: dict[Way, float] = {"registered": validate_bank(model, bank, concepts, photos, options).area}
    described = {
        i: concept.descriptions[0]
        for i, concept in concepts.items()
        if concept.descriptions and not concept.is_frozen
    }
    is_read = math.isnan(areas["registered"]) or areas["registered"] >= ENOUGH
    if (is_read and not is_in_words) or not described:
        return TuningStart(bank, options, "registered", areas)
    worded = bank.with_concepts(
        [begin_with_words(model, bank.concepts[i], words) for i, words in described.items()]
    )
    if not any(worded.concepts[i].is_inline for i in described):
        return TuningStart(bank, options, "registered", areas)
    areas["words"] = validate_bank(model, worded, concepts, photos, options).area
    if not is_in_words and not areas["words"] > areas["registered"]:
        return TuningStart(bank, options, "registered", areas)
    return TuningStart(worded, thorough(options), "words", areas)


def tune_from_best_start(
    model: VisionModel,
    bank: Bank,
    concepts: Mapping[int, TuningConcept],
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    on_progress: Callable[[TuningProgress], None] | None = None,
) -> tuple[Bank, TuningReport]:
    """Choose what to start from, and tune it; arguments and results are those of `tune_bank`."""
    start = choose_start(model, bank, concepts, photos, options)
    return tune_bank(model, start.bank, concepts, photos, start.options, on_progress=on_progress)


def thorough(options: TuneOptions) -> TuneOptions:
    """Settings for a model that was not taught names: more and larger updates."""
    return replace(
        options,
        epochs=options.epochs if options.word_epochs is None else options.word_epochs,
        learning_rate=RATE_FACTOR * options.learning_rate,
        variants=max(options.variants, VARIANTS),
    )
