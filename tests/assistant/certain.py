"""An assistant that is sure of everybody."""

from dataclasses import replace

from photopal.assistant.assistant import Assistant
from photopal.concepts.calibration import Calibration


def certain(assistant: Assistant, *, present: bool) -> Assistant:
    """The same assistant, whose maps see both concepts, each in a place of its own, or nobody."""
    level = -2.0 if present else 2.0
    anna, ben = assistant.bank.concepts.values()
    concepts = [
        replace(anna, calibration=Calibration(level, level)),
        replace(ben, calibration=Calibration(level, level), direction=-anna.direction),
    ]
    return Assistant(assistant.model, assistant.bank.with_concepts(concepts), assistant.concepts)
