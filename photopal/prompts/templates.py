"""The questions photopal itself asks, in tuning and in use alike; knows nothing of who is asked about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from photopal.prompts.presence import asks_presence
from photopal.text import name_spans, write_over

PROMPT_VERSION = "1"
"""Changes whenever the wording below or in `build` changes; stored with every caption and bank."""

CAPTION_QUESTION = "Describe this photo."

CAPTION_TEMPLATES = (
    CAPTION_QUESTION,
    "What is happening in this photo?",
    "Write a caption for this photo.",
    "Tell me what you see.",
)

RECOGNITION_QUESTION = "Can you see {name} in this photo? Answer the question using a single word Yes or No."
"""The question of the paper's recognition task (MC-LLaVA, section 4)."""

RECOGNITION_TEMPLATES = (
    RECOGNITION_QUESTION,
    "Is {name} in this photo?",
    "Can you see {name}?",
    "Is {name} here?",
    "Does this photo show {name}?",
    "Do you recognise {name} in this photo?",
    "Would you say that {name} is in this picture?",
    "Is this a photo of {name}?",
    "Can {name} be seen in this image?",
    "Please tell me whether {name} is in the photo.",
)

WHO_TEMPLATES = ("Who is in this photo?", "Who can you see?", "Whom do you recognise?", "Who is this?")

APPEARANCE_TEMPLATES = (
    "What does {name} look like?",
    "Describe {name}.",
    "How would you describe the looks of {name}?",
)

POSITION_TEMPLATES = (
    "Where is {name} in this photo?",
    "Where is {name}?",
    "On which side is {name}?",
)

ACTIVITY_TEMPLATES = ("What is {name} doing?", "What is {name} up to?", "Tell me what {name} does here.")

YES, NO = "Yes", "No"


def recognition_question(name: str) -> str:
    """Ask the recognition task's question about a name."""
    return RECOGNITION_QUESTION.format(name=name)


def is_recognition_question(question: str, names: Sequence[str]) -> bool:
    """Whether a question asks for nothing but whether some are there.

    Args:
        question: In the user's words.
        names: All whom it names.
    """
    spans = name_spans(question, names)
    one = write_over(question, ((start, end, "{name}") for start, end, _ in spans))
    return bool(spans) and asks_presence(one)


def is_overview_question(question: str) -> bool:
    """Whether a question asks who or what all is in a photo, so that a caption answers it."""
    return _plain(question) in {_plain(template) for template in (*CAPTION_TEMPLATES, *WHO_TEMPLATES)}


def _plain(question: str) -> str:
    """A question in a form in which small differences of wording are gone: "in the picture", "here"."""
    words = re.sub(r"\b(?:photo|picture|image|photograph|shot)s?\b", "photo", question.casefold())
    words = re.sub(r"\b(?:the|this|that|these) (?=photo)", "this ", words)
    words = re.sub(r"\b(?:in|on) (?:this photo|it)\b|\bthere\b", "here", words)
    words = re.sub(r"^(?:are|can|do|does|is|would)\b", "is", words.strip())
    words = words.replace("recognize", "recognise")
    return " ".join(re.findall(r"[{}\w]+", words.partition(" answer the question")[0]))


def absent_answer(name: str) -> str:
    """Say that somebody is not in the photo."""
    return f"{name} is not in this photo."


KIND_WORDS = {"person": "person", "pet": "pet", "thing": "thing"}


def describe_question(kind: str) -> str:
    """Ask for the looks of the one subject of a photo, without a name."""
    return f"What does the {KIND_WORDS[kind]} look like?"
