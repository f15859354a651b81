"""Words and marks: everything that the model is asked and shown; knows no torch and no library."""

from photopal.prompts.build import (
    MOST_CONCEPTS,
    PromptConcept,
    build_prompt,
    concept_block,
    write_names,
)
from photopal.prompts.marks import MARK_SHARE, Label, Mark, draw_labels, draw_marks
from photopal.prompts.templates import (
    CAPTION_QUESTION,
    PROMPT_VERSION,
    RECOGNITION_TEMPLATES,
    absent_answer,
    recognition_question,
)

__all__ = [
    "CAPTION_QUESTION",
    "MARK_SHARE",
    "MOST_CONCEPTS",
    "PROMPT_VERSION",
    "RECOGNITION_TEMPLATES",
    "Label",
    "Mark",
    "PromptConcept",
    "absent_answer",
    "build_prompt",
    "concept_block",
    "draw_labels",
    "draw_marks",
    "recognition_question",
    "write_names",
]
