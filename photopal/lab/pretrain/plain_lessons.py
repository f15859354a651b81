"""Turns drawn groups into lessons in which nobody has a name; some photos have numbered marks."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
import torch

from photopal.lab.pretrain.groups import Group
from photopal.lab.pretrain.train_vision import VisionBatch, collate
from photopal.lab.pretrain.training_examples import (
    MOST_EXCHANGES,
    LessonBatch,
    LessonMaker,
    Taken,
    mark_below,
)
from photopal.lab.synthetic.described_conversation import converse_without_names
from photopal.lab.synthetic.talking.described import HIGHEST_MARK
from photopal.prompts import Mark, draw_marks

MARKED_SHARE = 0.5
IN_ORDER_SHARE = 0.6


@dataclass(frozen=True)
class PlainLessonMaker(LessonMaker):
    """Makes batches of lessons without names, placeholders or references."""

    def __call__(self, groups: list[Group]) -> LessonBatch:
        """Make the lessons of some groups; the batch shows photos with their marks."""
        rng = _rng_of(groups, self.seed)
        marks = [draw_group_marks(group, rng, share=MARKED_SHARE) for group in groups]
        scenes = [
            (photo.scene, of)
            for g, m in zip(groups, marks, strict=True)
            for photo, of in zip(g.photos, m, strict=True)
        ]
        lessons = []
        for row, (scene, of) in enumerate(scenes):
            numbers = {index: mark.number for index, mark in of.items()}
            exchanges = converse_without_names(scene, rng, marks=numbers, count=MOST_EXCHANGES)
            lessons.append(self._pack(Taken(row, tuple(of.values())), exchanges, [], rng))
        shown = [show_marks(group, of) for group, of in zip(groups, marks, strict=True)]
        return LessonBatch(collate(shown), lessons)


@dataclass(frozen=True)
class MarkedBatch:
    """Photos, most of them with marks, without any words.

    Attributes:
        vision: The photos with what covers each patch.
        marks: The marks of each photo.
    """

    vision: VisionBatch
    marks: list[tuple[Mark, ...]]

    def to(self, device: torch.device) -> MarkedBatch:
        """The same batch on a device."""
        return MarkedBatch(self.vision.to(device), self.marks)


def make_marked_batch(groups: list[Group]) -> MarkedBatch:
    """Draw marks on nine photos of ten."""
    rng = _rng_of(groups, 0)
    marks = [draw_group_marks(group, rng, share=0.9) for group in groups]
    shown = [show_marks(group, of) for group, of in zip(groups, marks, strict=True)]
    return MarkedBatch(collate(shown), [tuple(of.values()) for group in marks for of in group])


def draw_group_marks(group: Group, rng: random.Random, *, share: float) -> list[dict[int, Mark]]:
    """Choose marks for a share of a group's photos: for each photo, index of the subject → its mark."""
    return [_marks_of(group, row, rng) if rng.random() < share else {} for row in range(len(group.photos))]


def show_marks(group: Group, marks: list[dict[int, Mark]]) -> Group:
    """The group with marks drawn on its photos."""
    photos = [
        replace(photo, image=draw_marks(photo.image, list(of.values())))
        for photo, of in zip(group.photos, marks, strict=True)
    ]
    return replace(group, photos=tuple(photos))


def _marks_of(group: Group, row: int, rng: random.Random) -> dict[int, Mark]:
    """Mark some of those who can be seen; numbers mostly begin at one, as in use, but in any order."""
    covered = {
        index: patches
        for index in range(len(group.members[row]))
        if (patches := np.flatnonzero(group.patch_owners[row] == index).tolist())
    }
    indices = [index for index in covered if rng.random() < 0.85]
    highest = len(indices) if rng.random() < IN_ORDER_SHARE else HIGHEST_MARK
    numbers = rng.sample(range(1, highest + 1), len(indices))
    return {index: mark_below(covered[index], n, rng) for index, n in zip(indices, numbers, strict=True)}


def _rng_of(groups: list[Group], seed: int) -> random.Random:
    return random.Random(hash((seed, groups[0].photos[0].scene.seed)))
