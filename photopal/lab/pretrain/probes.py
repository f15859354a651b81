"""Asks the decoder's hidden states what they know of a photo; knows nothing of answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photopal.lab.pretrain.attributes import PHOTO_ATTRIBUTES, SUBJECT_ATTRIBUTES
from photopal.lab.pretrain.train_vision import attribute_loss
from photopal.lab.pretrain.training_examples import LessonBatch
from photopal.lab.synthetic.talking.choices import LETTERS
from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS

PROBED_LAYER = 4
"""How many of the decoder's layers are below the probes; those above can read what the probes ask for."""

OPTION_LAYER = 5
"""Likewise for what is asked of lettered options; the layer above can take the letter of the right one."""

SIDE_WEIGHT = 0.7
LOOKS_WEIGHT = 1.0
SCENE_WEIGHT = 0.3
NEIGHBOUR_WEIGHT = 1.0
OPTION_WEIGHT = 1.0
NEITHER = 2


class Probes(nn.Module):
    """Linear heads over hidden states, trained along and thrown away.

    Soft tokens stand after the photo and can look for their concept there: they are asked where it is, what
    it looks like, does and wears, and who stands beside it. The tokens of the photo itself are asked what
    covers them, and the token after it what is true of the whole photo. The last token of a lettered option
    is asked for its letter, and whether it is right. A few Yes, No, letters and words of each conversation
    teach all this too, but far slower.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.side = nn.Linear(width, 4)
        self.looks = nn.Linear(width, sum(map(len, SUBJECT_ATTRIBUTES.values())))
        self.scene = nn.Linear(width, sum(map(len, PHOTO_ATTRIBUTES.values())))
        self.neighbours = nn.ModuleList(nn.Linear(width, width + NEITHER) for _ in range(2))
        self.option = nn.Linear(width, len(LETTERS) + 1)


def probe(
    probes: Probes, batch: LessonBatch, hidden: Tensor, names: Tensor, *, vocabulary: int, image_id: int
) -> tuple[Tensor, dict[str, float]]:
    """The loss of all probes, and the shares that are right.

    Args:
        probes: The heads.
        batch: Lessons whose tokens the hidden states are of.
        hidden: Hidden states [lessons, tokens, width].
        names: Identifier rows of each lesson's names [lessons, MOST_NAMES, width], zeros for no name.
        vocabulary: The first id of the placeholders.
        image_id: The id of image tokens.
    """
    hidden = nn.functional.rms_norm(hidden.float(), hidden.shape[-1:])
    found, report = _soft_token_loss(probes, batch, hidden, names, vocabulary)
    seen = _photo_loss(probes, batch, hidden, image_id)
    return found + seen, report


def probe_options(probes: Probes, batch: LessonBatch, hidden: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Ask the last token of each option for its letter and whether it is right; hidden as in `probe`."""
    told = [(row, *option) for row, lesson in enumerate(batch.lessons) for option in lesson.options]
    if not told:
        return hidden.new_zeros(()), {}
    rows, places, letters, right = torch.tensor(told, device=hidden.device).T
    states = hidden[rows, places].float()
    logits = probes.option(nn.functional.rms_norm(states, states.shape[-1:]))
    is_right, letter = logits[:, 0], logits[:, 1:]
    loss = nn.functional.binary_cross_entropy_with_logits(is_right, right.float())
    loss = loss + nn.functional.cross_entropy(letter, letters)
    return OPTION_WEIGHT * loss, {"find-option": _share((is_right > 0) == (right > 0))}


def _photo_loss(probes: Probes, batch: LessonBatch, hidden: Tensor, image_id: int) -> Tensor:
    starts = [lesson.ids.index(image_id) for lesson in batch.lessons]
    patches = batch.vision.owners.shape[1]
    rows = torch.arange(len(starts), device=hidden.device).unsqueeze(1)
    places = torch.tensor(starts, device=hidden.device).unsqueeze(1) + torch.arange(
        patches + 1, device=hidden.device
    )
    seen = hidden[rows, places]
    photo, _ = attribute_loss(probes.scene(seen[:, -1]), batch.vision.scenes, PHOTO_ATTRIBUTES)
    mine = batch.vision.owners >= 0
    subjects = batch.vision.subjects[batch.vision.owners[mine]]
    looks, _ = attribute_loss(probes.looks(seen[:, :-1][mine]), subjects, SUBJECT_ATTRIBUTES)
    return SCENE_WEIGHT * (photo + looks)


def _soft_token_loss(
    probes: Probes, batch: LessonBatch, hidden: Tensor, names: Tensor, vocabulary: int
) -> tuple[Tensor, dict[str, float]]:
    where: list[tuple[int, int]] = []
    facts: list[tuple[int, int, int, int]] = []
    for number, lesson in enumerate(batch.lessons):
        for place, id_ in enumerate(lesson.ids):
            if id_ >= vocabulary + SLOTS:
                slot = (id_ - vocabulary - SLOTS) // SOFT_TOKENS
                where.append((number, place))
                facts.append((lesson.sides[slot], lesson.subjects[slot], *lesson.neighbours[slot]))
    if not where:
        return hidden.new_zeros(()), {}
    index = torch.tensor(where, device=hidden.device)
    sides, subjects, *nearby = torch.tensor(facts, device=hidden.device).T
    states = hidden[index[:, 0], index[:, 1]]
    logits = probes.side(states)
    loss = SIDE_WEIGHT * nn.functional.cross_entropy(logits, sides)
    report = {"find-side": _share(logits.argmax(1) == sides)}
    shown = subjects >= 0
    if not shown.any():
        return loss, report
    states, subjects, lessons = states[shown], subjects[shown], index[shown, 0]
    looks, right = attribute_loss(probes.looks(states), batch.vision.subjects[subjects], SUBJECT_ATTRIBUTES)
    loss = loss + LOOKS_WEIGHT * looks
    for name in ("activity", "top", "top_pattern", "trousers", "hat"):
        report[f"find-{name}"] = float(right[list(SUBJECT_ATTRIBUTES).index(name)])
    near = names[lessons]
    for head, target in zip(probes.neighbours, nearby, strict=True):
        logits = neighbour_logits(head(states), near)
        target = target[shown]
        loss = loss + NEIGHBOUR_WEIGHT / 2 * nn.functional.cross_entropy(logits, target)
        report["find-neighbour"] = _share(logits.argmax(1) == target)
    return loss, report


def neighbour_logits(asked: Tensor, names: Tensor) -> Tensor:
    """Score each name of the lesson, nobody and a stranger: [tokens, MOST_NAMES + 2].

    Args:
        asked: What a head made of the hidden states [tokens, width + 2].
        names: Identifier rows [tokens, MOST_NAMES, width], zeros for no name.
    """
    width = names.shape[-1]
    units = nn.functional.normalize(names, dim=-1)
    scores = (units @ asked[:, :width].unsqueeze(-1)).squeeze(-1)
    scores = scores.masked_fill(names.abs().sum(-1) == 0, -1e4)
    return torch.cat([scores, asked[:, width:]], dim=1)


def _share(right: Tensor) -> float:
    return right.float().mean().item()


__all__ = ["OPTION_LAYER", "PROBED_LAYER", "Probes", "probe", "probe_options"]
