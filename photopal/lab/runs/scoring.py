"""Scores given answers, such as Yes and No or letters, for many questions about one photo; knows no truth.

The photo's keys and values are computed once a run, those of the concept block once for each way of asking
about a photo, and the questions follow them side by side. The scores are those of separate prompts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photopal.lab.runs.posing import Examiner, Pose
from photopal.prompts import recognition_question
from photopal.prompts import templates as questions
from photopal.vlm.generate import distinguishing_lengths
from photopal.vlm.kv_cache import copy_past
from photopal.vlm.protocol import ConceptEmbeddings, EncodedPrompt, PrefixCache, VisionModel


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
    prefix = _common_prefix(examiner, pose, encoded)
    firsts = [_first_ids(model, answers) for _, answers in asked]
    if prefix is None or any(first is None for first in firsts):
        return [
            model.score_answers(one, pose.features, pose.rows, answers=answers, prefix=prefix)
            for one, (_, answers) in zip(encoded, asked, strict=True)
        ]
    embedded = [model.embed_ids(one.ids[len(prefix) :], pose.rows) for one in encoded]
    hidden = torch.stack([states[-1] for states in model.forward_packed(prefix, embedded)])
    scores = torch.log_softmax(model.logits(hidden, pose.rows), dim=-1)
    return [row[first] for row, first in zip(scores, firsts, strict=True)]


def _common_prefix(examiner: Examiner, pose: Pose, encoded: Sequence[EncodedPrompt]) -> PrefixCache | None:
    """Keys and values of what all questions begin with; None where the model cannot go on from them."""
    first = encoded[0]
    length = min(int(one.ids.shape[0]) for one in encoded) - 1
    for other in encoded[1:]:
        differs = torch.nonzero(first.ids[:length] != other.ids[:length])
        length = int(differs[0]) if differs.numel() else length
    photo = examiner.prefix(first, pose.features)
    if photo is not None:
        return _go_on(examiner.model, photo, first, length, pose.rows)
    if pose.features is None and examiner.model.supports_prefix and length > 0:
        return examiner.model.encode_prefix(first, None, pose.rows, length=length)
    return None


def _go_on(
    model: VisionModel,
    prefix: PrefixCache,
    encoded: EncodedPrompt,
    length: int,
    rows: ConceptEmbeddings | None,
) -> PrefixCache:
    """A prefix with the next ids of a prompt, up to a length; the given one stays as it is."""
    start = len(prefix)
    if length <= start:
        return prefix
    past = copy_past(prefix)
    positions = encoded.positions[..., start:length]
    model.forward(
        model.embed_ids(encoded.ids[start:length], rows)[None], positions=positions.unsqueeze(-2), past=past
    )
    return PrefixCache(encoded.ids[:length], int(positions.max()) + 1, past)


def _first_ids(model: VisionModel, answers: Sequence[str]) -> Tensor | None:
    """The first id of each answer, where that tells them apart."""
    ids = [model.answer_ids(answer) for answer in answers]
    if any(length > 1 for length in distinguishing_lengths([one.tolist() for one in ids])):
        return None
    return torch.stack([one[0] for one in ids])


def yes_shares(examiner: Examiner, pose: Pose, asked: Sequence[Sequence[str]]) -> list[float]:
    """p(Yes) = yes / (yes + no) of the recognition question for one or several names each."""
    words = (questions.YES, questions.NO)
    told = score(examiner, pose, [(recognition_question(" and ".join(names)), words) for names in asked])
    return [float(torch.softmax(one, dim=0)[0]) for one in told]
