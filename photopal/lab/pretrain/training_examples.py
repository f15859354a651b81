"""Turns drawn groups into training examples: with names whose rows come from other photos, or without."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from photopal.lab.pretrain.architecture import END, IMAGE
from photopal.lab.pretrain.groups import GRID, Group
from photopal.lab.pretrain.train_vision import VisionBatch, collate
from photopal.lab.synthetic.conversation import converse, converse_without_names
from photopal.lab.synthetic.dialogue.descriptions import HIGHEST_MARK
from photopal.lab.synthetic.dialogue.multiple_choice import LETTERS
from photopal.lab.synthetic.dialogue.roughen import roughen
from photopal.lab.synthetic.dialogue.talk import Exchange, Talk
from photopal.lab.synthetic.drawing import DrawnPhoto
from photopal.prompts import Mark, PromptConcept, concept_block, draw_marks
from photopal.prompts.marks import MARK_SHARE
from photopal.vlm.placeholders import name_placeholder

PATCHES = GRID * GRID
MOST_NAMES = 4
NOBODY, STRANGER = MOST_NAMES, MOST_NAMES + 1
MOST_EXCHANGES = 16
ROUGH_SHARE = 0.35
IGNORED = -100


@dataclass(frozen=True)
class TrainingExample:
    """One photo with its names and conversation, packed behind one prefix.

    Attributes:
        row: The photo's number in the batch.
        ids: Model ids: prefix, then each exchange.
        positions: Position of each id; every exchange counts on from the prefix.
        blocks: 0 for the prefix, n for the n-th exchange.
        labels: The id to predict at each place, `IGNORED` outside answers.
        kinds: The kind of exchange each label belongs to.
        references: For each name the (photo, patch) pairs its rows are made of.
        token_counts: For each name its number of soft tokens.
        sides: For each name 0 when it is absent, else 1, 2 or 3 for left, middle or right.
        subjects: For each name its row in the batch's subjects, -1 when it is absent.
        neighbors: For each name who is on its left and on its right: the number of a name, or `NOBODY`,
            or `STRANGER` for somebody without a name.
        marks: Marks drawn on the photo.
        options: Of each lettered option the place of its last id, its number, and 1 if it is right, else 0.
        mentions: Of each name that stands in it, and of each question that speaks of somebody without a name,
            the place of the (last) id of those words, their side and row as in `sides` and `subjects`.
        marked_subjects: Whom each mark is at, as in `subjects`; empty where that is not asked.
    """

    row: int
    ids: list[int]
    positions: list[int]
    blocks: list[int]
    labels: list[int]
    kinds: list[str]
    references: list[list[tuple[int, int]]]
    token_counts: list[int]
    sides: list[int]
    subjects: list[int]
    neighbors: list[tuple[int, int]]
    marks: tuple[Mark, ...]
    options: list[tuple[int, int, int]]
    mentions: list[tuple[int, int, int]]
    marked_subjects: list[int]


@dataclass(frozen=True)
class ExampleBatch:
    """Groups of photos and their examples.

    Attributes:
        vision: The photos with what covers each patch.
        examples: One per photo.
        marked: float [marked photos, 3, side, side]: photos that were taken with and without marks.
    """

    vision: VisionBatch
    examples: list[TrainingExample]
    marked: Tensor = field(default_factory=lambda: torch.empty(0))

    def to(self, device: torch.device) -> ExampleBatch:
        """The same batch on a device."""
        return ExampleBatch(self.vision.to(device), self.examples, self.marked.to(device))


@dataclass(frozen=True)
class ExampleFacts:
    """What an example takes from its group besides the conversation; see `TrainingExample`.

    Attributes:
        mentioned: Side and row of each subject of the scene, for mentions.
        marked: Row of the subject that each mark is at.
    """

    row: int
    marks: tuple[Mark, ...]
    references: list[list[tuple[int, int]]] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)
    subjects: list[int] = field(default_factory=list)
    neighbors: list[tuple[int, int]] = field(default_factory=list)
    mentioned: list[tuple[int, int]] = field(default_factory=list)
    marked: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ExampleMaker:
    """Makes example batches; picklable, so that worker processes can.

    Attributes:
        tokenizer: Knows the concept placeholders, numbered from the end of its vocabulary.
        seed: Drives names, marks and questions.
        tokens: The length an example is filled up to with exchanges, so that little is padding.
    """

    tokenizer: PreTrainedTokenizerFast
    seed: int
    tokens: int = 320

    def __call__(self, groups: list[Group]) -> ExampleBatch:
        """Make the examples of some groups."""
        examples, marked, subjects = [], [], 0
        for number, group in enumerate(groups):
            rng = random.Random(hash((self.seed, group.photos[0].scene.seed)))
            for row in range(len(group.photos)):
                example = self._example(group, row, (number * len(group.photos), subjects), rng)
                examples.append(example)
                subjects += len(group.members[row])
                if example.marks:
                    marked.append(np.asarray(mark_photo(group.photos[row], example.marks)))
        return ExampleBatch(collate(groups), examples, _pixels(marked))

    def _example(
        self, group: Group, row: int, before: tuple[int, int], rng: random.Random
    ) -> TrainingExample:
        """Make a photo's example; `before` counts photos before the group and subjects before the photo."""
        first, subjects = before
        photo, members = group.photos[row], group.members[row]
        patches = member_patches(group)
        present = [m for m in members if (row, m) in patches and references_of(patches, m, row)]
        absent = [m for m in range(len(group.cast)) if m not in members and references_of(patches, m, row)]
        named = [] if rng.random() < 0.1 else [m for m in present if rng.random() < 0.85]
        others = [] if not named and rng.random() < 0.3 else absent
        count = rng.choice((0, 1, 1, 2, 2)) if named else rng.choice((1, 2))
        others = rng.sample(others, min(len(others), count))
        chosen = (named + others)[:MOST_NAMES]
        rng.shuffle(chosen)
        slots = {member: slot for slot, member in enumerate(chosen)}
        most = rng.choice((8, 16))
        references = [
            [(first + r, p) for r in _some(references_of(patches, m, row), rng) for p in patches[r, m]]
            for m in chosen
        ]
        counts = [min(most, len(pairs)) for pairs in references]
        marks: dict[int, Mark] = {}
        if rng.random() < 0.25:
            for number, member in enumerate((m for m in chosen if m in members), start=1):
                marks[member] = mark_below(patches[row, member], number, rng)
        concepts = [
            PromptConcept(c, marks[m].number if m in marks else None)
            for c, m in zip(counts, chosen, strict=True)
        ]
        names = [name_placeholder(slot) for slot in range(len(chosen))]
        talk = Talk(
            photo.scene,
            tuple(names[slots[m]] if m in slots else None for m in members),
            tuple(names[slots[m]] for m in chosen if m not in members),
            tuple(group.cast[m] for m in chosen if m not in members),
        )
        shown = {m: s.x for m, s in zip(members, photo.scene.subjects, strict=True)}
        sides = [side_of(shown[m]) if m in shown else 0 for m in chosen]
        places = [subjects + members.index(m) if m in members else -1 for m in chosen]
        known = ExampleFacts(
            row=first + row,
            marks=tuple(marks.values()),
            references=references,
            sides=sides,
            subjects=places,
            neighbors=neighbors_of(talk, names),
        )
        return self._pack(known, converse(talk, rng, count=MOST_EXCHANGES), concepts, rng)

    def _pack(
        self,
        known: ExampleFacts,
        exchanges: list[Exchange],
        concepts: list[PromptConcept],
        rng: random.Random,
    ) -> TrainingExample:
        block = concept_block(concepts)
        gap = " " if concepts else ""
        texts = [f"USER: {IMAGE * PATCHES}\n{block}"]
        texts += [f"{gap}{self._asked(exchange, rng)} ASSISTANT:" for exchange in exchanges]
        texts += [f" {exchange.answer}{END}" for exchange in exchanges]
        encoded = self.tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
        coded: list[list[int]] = encoded["input_ids"]
        spans: list[list[tuple[int, int]]] = encoded["offset_mapping"]
        prefix, questions, answers = coded[0], coded[1 : len(exchanges) + 1], coded[len(exchanges) + 1 :]
        ids, positions, blocks = list(prefix), list(range(len(prefix))), [0] * len(prefix)
        labels, kinds = [IGNORED] * len(prefix), [""] * len(prefix)
        options: list[tuple[int, int, int]] = []
        mentions: list[tuple[int, int, int]] = []
        number = 0
        told = zip(exchanges, questions, answers, strict=True)
        for place, (exchange, question, answer) in enumerate(told, start=1):
            tail = question + answer[:-1]
            if number and len(ids) + len(tail) > self.tokens:
                continue
            number += 1
            ends = option_ends(exchange, texts[place], spans[place])
            options += [(len(ids) + end, letter, is_right) for end, letter, is_right in ends]
            end = mention_end(exchange, texts[place], spans[place])
            if end is not None and exchange.mention is not None:
                facts = (
                    known.mentioned[exchange.mention.subject] if exchange.mention.subject >= 0 else (0, -1)
                )
                mentions.append((len(ids) + end, *facts))
            ids += tail
            positions += range(len(prefix), len(prefix) + len(tail))
            blocks += [number] * len(tail)
            labels += [IGNORED] * (len(question) - 1) + answer
            kinds += [exchange.kind] * len(tail)
        mentions += self._names_among(ids, known)
        counts = [concept.token_count for concept in concepts]
        return TrainingExample(
            row=known.row,
            ids=ids,
            positions=positions,
            blocks=blocks,
            labels=labels,
            kinds=kinds,
            references=known.references,
            token_counts=counts,
            sides=known.sides,
            subjects=known.subjects,
            neighbors=known.neighbors,
            marks=known.marks,
            options=options,
            mentions=mentions,
            marked_subjects=known.marked,
        )

    def _names_among(self, ids: list[int], known: ExampleFacts) -> list[tuple[int, int, int]]:
        """Each name that stands in an example, as a mention of whom it stands for."""
        if not known.sides:
            return []
        first = self.tokenizer.convert_tokens_to_ids(name_placeholder(0))
        named = [(place, id_ - first) for place, id_ in enumerate(ids) if 0 <= id_ - first < MOST_NAMES]
        return [(place, known.sides[slot], known.subjects[slot]) for place, slot in named]

    def _asked(self, exchange: Exchange, rng: random.Random) -> str:
        """The question as it stands, or one time in three as people might type it."""
        is_rough = exchange.kind != "choice" and rng.random() < ROUGH_SHARE
        return roughen(exchange.question, rng) if is_rough else exchange.question


def option_ends(exchange: Exchange, text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Of each lettered option of a question the number of its last token, its number, and 1 if it is right.

    Args:
        exchange: The question and its answer.
        text: What was tokenized; it holds the options as they stand.
        spans: From which to which character of it each token reaches.
    """
    listed = exchange.fields.get("options", "")
    if exchange.kind != "choice" or listed not in text:
        return []
    first = text.index(listed)
    starts = [found.start() for found in re.finditer(r"[A-D]\. ", listed)]
    ends = [*(start - 1 for start in starts[1:]), len(listed)]
    last = [max(n for n, (begin, _) in enumerate(spans) if begin < first + end) for end in ends]
    right = LETTERS.index(exchange.answer)
    return [(token, letter, int(letter == right)) for letter, token in enumerate(last)]


def mention_end(exchange: Exchange, text: str, spans: list[tuple[int, int]]) -> int | None:
    """The number of the last token of whom a question speaks of; None where that cannot be told.

    Args:
        exchange: The question and its answer.
        text: What was tokenized; if the question was roughened, the words may not stand in it.
        spans: From which to which character of it each token reaches.
    """
    if exchange.mention is None or exchange.mention.words not in text:
        return None
    end = text.index(exchange.mention.words) + len(exchange.mention.words)
    return max(n for n, (begin, _) in enumerate(spans) if begin < end)


def side_of(x: float) -> int:
    """1, 2 or 3 for the left, middle or right third, of x 0…1."""
    return 1 + min(2, int(3 * x))


def member_patches(group: Group) -> dict[tuple[int, int], list[int]]:
    """Say which patches of which photo each member of the cast covers: (photo, member) to patches."""
    patches: dict[tuple[int, int], list[int]] = {}
    for row, members in enumerate(group.members):
        for subject, member in enumerate(members):
            covered = np.flatnonzero(group.patch_owners[row] == subject).tolist()
            if member >= 0 and covered:
                patches[row, member] = covered
    return patches


def references_of(patches: dict[tuple[int, int], list[int]], member: int, row: int) -> list[int]:
    """Say which other photos show enough of a member to serve as reference photos."""
    return [r for (r, m), covered in patches.items() if m == member and r != row and len(covered) >= 2]


def neighbors_of(talk: Talk, names: list[str]) -> list[tuple[int, int]]:
    """Say who is on the left and on the right of each name; nobody is beside one that is absent."""
    order = [name for name, _ in talk.in_order]

    def number(place: int) -> int:
        if not 0 <= place < len(order):
            return NOBODY
        name = order[place]
        return STRANGER if name is None else names.index(name)

    return [
        (number(order.index(name) - 1), number(order.index(name) + 1)) if name in order else (NOBODY, NOBODY)
        for name in names
    ]


def mark_below(covered: list[int], number: int, rng: random.Random) -> Mark:
    """Mark somebody at the foot of the patches it covers, about where photopal does in use."""
    columns, lines = [patch % GRID for patch in covered], [patch // GRID for patch in covered]
    x = (min(columns) + max(columns) + 1) / 2 / GRID + rng.uniform(-0.04, 0.04)
    y = (max(lines) + 1) / GRID + rng.uniform(-0.05, 0.03)
    return Mark(number, min(0.97, max(0.03, x)), min(0.97, y))


def numbers_on_patches(marks: Sequence[Mark]) -> list[int]:
    """The number on each patch: on those whose center is on a mark, or nearly so; 0 on the others."""
    numbers = [0] * GRID**2
    radius = MARK_SHARE / 2
    for mark in marks:
        x, y = (min(max(at, radius), 1 - radius) * GRID - 0.5 for at in (mark.x, mark.y))
        for patch in range(GRID**2):
            if abs(patch % GRID - x) < 0.7 and abs(patch // GRID - y) < 0.7:
                numbers[patch] = mark.number
    return numbers


def _some(rows: list[int], rng: random.Random) -> list[int]:
    return rng.sample(rows, rng.randint(1, len(rows)))


def _pixels(images: list[np.ndarray]) -> Tensor:
    if not images:
        return torch.empty(0)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


MARKED_SHARE = 0.65
IN_ORDER_SHARE = 0.35
MARKED_FACTORS = (1, 2, 3, 4, 4)
RESAMPLING = Image.Resampling.BICUBIC


@dataclass(frozen=True)
class UnnamedExampleMaker(ExampleMaker):
    """Makes batches of examples without names, placeholders or references."""

    def __call__(self, groups: list[Group]) -> ExampleBatch:
        """Make the examples of some groups; the batch shows photos with their marks."""
        rng = _rng_of(groups, self.seed)
        marks = [draw_group_marks(group, rng, share=MARKED_SHARE) for group in groups]
        scenes = [
            (photo.scene, of)
            for g, m in zip(groups, marks, strict=True)
            for photo, of in zip(g.photos, m, strict=True)
        ]
        examples, subjects = [], 0
        for row, (scene, of) in enumerate(scenes):
            numbers = {index: mark.number for index, mark in of.items()}
            exchanges = converse_without_names(scene, rng, marks=numbers, count=MOST_EXCHANGES)
            mentioned = [(side_of(s.x), subjects + n) for n, s in enumerate(scene.subjects)]
            at = [subjects + index for index in of]
            subjects += len(scene.subjects)
            facts = ExampleFacts(row, tuple(of.values()), mentioned=mentioned, marked=at)
            examples.append(self._pack(facts, exchanges, [], rng))
        shown = [show_marks(group, of) for group, of in zip(groups, marks, strict=True)]
        return ExampleBatch(collate(shown), examples)


@dataclass(frozen=True)
class MarkedBatch:
    """Photos, most of them with marks, without any words.

    Attributes:
        vision: The photos with what covers each patch.
        marks: The marks of each photo.
        marked_subjects: Whom each of them is at, as rows of the batch's subjects.
    """

    vision: VisionBatch
    marks: list[tuple[Mark, ...]]
    marked_subjects: list[list[int]]

    def to(self, device: torch.device) -> MarkedBatch:
        """The same batch on a device."""
        return MarkedBatch(self.vision.to(device), self.marks, self.marked_subjects)


def make_marked_batch(groups: list[Group]) -> MarkedBatch:
    """Draw marks on nine photos of ten."""
    rng = _rng_of(groups, 0)
    marks = [draw_group_marks(group, rng, share=0.9) for group in groups]
    shown = [show_marks(group, of) for group, of in zip(groups, marks, strict=True)]
    subjects = [len(photo.scene.subjects) for group in groups for photo in group.photos]
    firsts = accumulate(subjects, initial=0)
    drawn = [of for group in marks for of in group]
    at = [[first + index for index in of] for first, of in zip(firsts, drawn, strict=False)]
    return MarkedBatch(collate(shown), [tuple(of.values()) for of in drawn], at)


def draw_group_marks(group: Group, rng: random.Random, *, share: float) -> list[dict[int, Mark]]:
    """Choose marks for a share of a group's photos: for each photo, index of the subject → its mark."""
    return [_marks_of(group, row, rng) if rng.random() < share else {} for row in range(len(group.photos))]


def show_marks(group: Group, marks: list[dict[int, Mark]]) -> Group:
    """The group with marks drawn on its photos."""
    photos = [
        replace(photo, image=mark_photo(photo, list(of.values()))) if of else photo
        for photo, of in zip(group.photos, marks, strict=True)
    ]
    return replace(group, photos=tuple(photos))


def mark_photo(photo: DrawnPhoto, marks: Sequence[Mark]) -> Image.Image:
    """Draw marks on a photo of one of several sizes, and shrink it as the processor does.

    In use marks are drawn on photos of any size, and a digit that was shrunk looks different from one that
    was drawn small.
    """
    side = photo.image.width
    factor = random.Random(photo.scene.seed).choice(MARKED_FACTORS)
    if factor == 1:
        return draw_marks(photo.image, marks)
    large = draw_marks(photo.image.resize((factor * side, factor * side), RESAMPLING), marks)
    return large.resize((side, side), RESAMPLING)


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
