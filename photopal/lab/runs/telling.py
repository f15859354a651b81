"""The tasks with free answers, VQA and captions; makes no figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from photopal.assistant.caption import NAME_BONUS
from photopal.lab.datasets.form import DatasetPhoto, Kind, Question
from photopal.lab.metrics.answers import character_score, is_exact, word_f1
from photopal.lab.metrics.names import names_told, substring_recall
from photopal.lab.runs.outcomes import Answered, Captioned
from photopal.lab.runs.posing import Control, Examiner, Pose
from photopal.prompts import CAPTION_QUESTION
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch

ANSWER_TOKENS = 48
CAPTION_TOKENS = 96


def answer(examiner: Examiner, asked: Sequence[Question], control: Control) -> list[Answered]:
    """Answer free questions and compare with the true answers."""
    noted = []
    for one in asked:
        pose = examiner.pose(one.photo, examiner.named_in(one.text), control)
        noted.append(_note(examiner, pose, one.text, ANSWER_TOKENS))
    told = answer_batch(examiner.model, noted)
    return [
        Answered(
            one.kind,
            character_score(one.answer, words),
            is_exact(one.answer, words),
            word_f1(one.answer, words),
        )
        for one, words in zip(asked, told, strict=True)
    ]


def caption(
    examiner: Examiner, photos: Sequence[tuple[Kind, DatasetPhoto]], control: Control, *, has_offer: bool
) -> list[Captioned]:
    """Caption photos and look for names.

    Args:
        examiner: Knows model and bank.
        photos: Each with its kind.
        control: What to take away.
        has_offer: Whether all names of the scenario are in the prompt, as the authors have it; else those the
            product itself would offer, which are the ones it found.
    """
    known = [concept.name for concept in examiner.learned.concepts]
    noted = []
    for _, photo in photos:
        if has_offer:
            pose, bonus = examiner.pose(photo.path, known, control), 0.0
        else:
            personal = examiner.assistant.personalize(examiner.view(photo.path))
            pose = Pose(tuple(personal.names), personal.offered, personal.embeddings, personal.features)
            bonus = NAME_BONUS
        noted.append(_note(examiner, pose, CAPTION_QUESTION, CAPTION_TOKENS, bonus=bonus))
    captions = answer_batch(examiner.model, noted)
    told = []
    for (kind, photo), words in zip(photos, captions, strict=True):
        truth = [name for name in known if name in photo.places]
        names = names_told(words, truth, known)
        best = max((word_f1(known_words, words) for known_words in photo.captions), default=math.nan)
        told.append(Captioned(kind, has_offer, substring_recall(words, truth), names, best))
    return told


def _note(examiner: Examiner, pose: Pose, text: str, most: int, *, bonus: float = 0.0) -> GenerationRequest:
    rows = replace(pose.rows, name_bonus=bonus) if pose.rows is not None and bonus else pose.rows
    return GenerationRequest(examiner.encode(pose, text), pose.features, rows, most)
