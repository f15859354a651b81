"""The tasks with lettered options, grounding and choice, and places on the maps; makes no figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from photopal.lab.datasets.form import DatasetPhoto, Question
from photopal.lab.datasets.wording import LETTERS, with_options
from photopal.lab.metrics.answers import rotations
from photopal.lab.metrics.places import is_in_mask, mask_box, overlap
from photopal.lab.runs.outcomes import Chosen, Located
from photopal.lab.runs.photos import read_mask
from photopal.lab.runs.posing import Control, Examiner
from photopal.lab.runs.scoring import score
from photopal.prompts import MARK_SHARE, Mark

IN_TEXT = "ABCD"
"""The letters tried where a question's options could not be told from its text."""


def choose(examiner: Examiner, asked: Sequence[Question], control: Control) -> list[Chosen]:
    """Answer multiple-choice questions by the likeliest letter; without a control in every rotation."""
    answered: list[Chosen] = []
    for path, several in _by_photo(asked):
        named = [name for one in several for name in examiner.named_in(with_options(one.text, one.options))]
        pose = examiner.pose(path, named, control)
        turned = [_turns(one) if control == "asked" else _turns(one)[:1] for one in several]
        posed = [(text, letters) for turns in turned for text, letters, _ in turns]
        told = iter(score(examiner, pose, posed))
        for one, turns in zip(several, turned, strict=True):
            hits = [letters[int(next(told).argmax())] == right for _, letters, right in turns]
            is_always = all(hits) if len(hits) > 1 else None
            answered.append(Chosen(one.kind, hits[0], is_always, len(one.options)))
    return answered


def _turns(question: Question) -> list[tuple[str, str, str]]:
    """Text, letters and right letter of a question in each rotation of its options."""
    options = question.options
    if not options:
        return [(f"{question.text} Answer with the letter.", IN_TEXT, question.answer)]
    letters = LETTERS[: len(options)]
    right = letters.find(question.answer)
    turns = []
    for start, turned in enumerate(rotations(options)):
        letter = letters[(right - start) % len(options)] if right >= 0 else question.answer
        turns.append((with_options(question.text, turned), letters, letter))
    return turns


def _by_photo(asked: Sequence[Question]) -> Iterator[tuple[Path | None, list[Question]]]:
    photos: dict[Path | None, list[Question]] = {}
    for one in asked:
        photos.setdefault(one.photo, []).append(one)
    yield from photos.items()


def locate(examiner: Examiner, photos: Sequence[DatasetPhoto]) -> list[Located]:
    """Compare where the maps find each concept, and where its mark is, with its mask where there is one."""
    ids = {concept.name: concept.id for concept in examiner.learned.concepts}
    located = []
    for photo in photos:
        marks = examiner.marks(photo.path, list(photo.places))
        for name, place in photo.places.items():
            sighting = examiner.view(photo.path).of(ids[name]) if name in ids else None
            if place.mask is None or sighting is None:
                continue
            mask = read_mask(place.mask, examiner.shelf.image(photo.path).size)
            box = mask_box(mask)
            inside = is_in_mask(sighting.point, mask)
            at = None if name not in marks or box is None else is_at(marks[name], box)
            shared = overlap(sighting.box, box) if box else 0.0
            located.append(Located(inside, shared, float(mask.mean()), at))
    return located


def is_at(mark: Mark, box: tuple[float, float, float, float]) -> bool:
    """Whether some of a mark lies on a box of (x, y, width, height), all as shares of the photo.

    A mark stands below its concept's region, so its middle may be just outside.
    """
    x, y, width, height = box
    reach = MARK_SHARE / 2
    return x - reach <= mark.x <= x + width + reach and y - reach <= mark.y <= y + height + reach
