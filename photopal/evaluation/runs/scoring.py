"""Scores given answers, such as Yes and No or letters, for many questions about one photo; knows no truth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photopal.evaluation.runs.posing import Examiner, Pose
from photopal.prompts import questions, recognition_question
from photopal.vision.generate import telling_lengths


@torch.no_grad()
def score(examiner: Examiner, pose: Pose, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Tensor]:
    """Log-probabilities of given answers.

    Args:
        examiner: Knows the model.
        pose: The photo and the concepts.
        asked: Questions, each with its possible answers.

    Returns:
        `[answers]` for each question.
    """
    model = examiner.model
    encoded = [examiner.encode(pose, text) for text, _ in asked]
    if not encoded:
        return []
    prefix = examiner.prefix(encoded[0], pose.features)
    firsts = [_first_ids(examiner, answers) for _, answers in asked]
    if prefix is None or any(first is None for first in firsts):
        return [
            model.score_answers(one, pose.features, pose.rows, answers=answers, prefix=prefix)
            for one, (_, answers) in zip(encoded, asked, strict=True)
        ]
    embedded = [model.embed_ids(one.ids[len(prefix) :], pose.rows) for one in encoded]
    hidden = torch.stack([states[-1] for states in model.forward_packed(prefix, embedded)])
    scores = torch.log_softmax(model.logits(hidden, pose.rows), dim=-1)
    return [row[first] for row, first in zip(scores, firsts, strict=True)]


def _first_ids(examiner: Examiner, answers: Sequence[str]) -> Tensor | None:
    """The first id of each answer, where that tells them apart."""
    ids = [examiner.model.answer_ids(answer) for answer in answers]
    if any(length > 1 for length in telling_lengths([one.tolist() for one in ids])):
        return None
    return torch.stack([one[0] for one in ids])


def yes_shares(examiner: Examiner, pose: Pose, asked: Sequence[Sequence[str]]) -> list[float]:
    """p(Yes) = yes / (yes + no) of the recognition question for one or several names each."""
    words = (questions.YES, questions.NO)
    told = score(examiner, pose, [(recognition_question(" and ".join(names)), words) for names in asked])
    return [float(torch.softmax(one, dim=0)[0]) for one in told]
