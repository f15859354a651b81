"""The joint run over all concepts: from reference photos and a registered bank to a tuned bank."""

from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.tuning.run import TuneOptions, TuningProgress, TuningReport, tune_bank, validate_bank

__all__ = [
    "TuneOptions",
    "TuningConcept",
    "TuningPhoto",
    "TuningProgress",
    "TuningReport",
    "tune_bank",
    "validate_bank",
]
