"""The joint run over all concepts: from reference photos and a registered bank to a tuned bank.

| module | what it does |
| --- | --- |
| `library_tuning` | tunes the names of a library, and decides whether the result is used |
| `dataset`, `examples` | which photos are asked which questions |
| `batching` | packs questions behind a photo and computes the loss |
| `start` | what tuning starts from: registered embeddings, or words for a model never taught names |
| `trainer` | epochs, learning rate, validation, choice of the best epoch |
"""

from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.tuning.start import TuningStart, choose_start, tune_from_best_start
from photopal.tuning.trainer import (
    TuneOptions,
    TuningProgress,
    TuningReport,
    Validation,
    tune_bank,
    validate_bank,
)

__all__ = [
    "TuneOptions",
    "TuningConcept",
    "TuningPhoto",
    "TuningProgress",
    "TuningReport",
    "TuningStart",
    "Validation",
    "choose_start",
    "tune_bank",
    "tune_from_best_start",
    "validate_bank",
]
