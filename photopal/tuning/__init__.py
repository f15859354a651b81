"""The joint run over all concepts: from reference photos and a registered bank to a tuned bank."""

from photopal.tuning.examples import TuningConcept, TuningPhoto
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
    "Validation",
    "tune_bank",
    "validate_bank",
]
