"""Runs the tasks of a scenario with one bank: lettered options, locations, free answers, captions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.assistant.captioner import CAPTION_TOKENS, write_captions
from photopal.lab.datasets.reading import LETTERS, with_options
from photopal.lab.datasets.scenario import Dataset, DatasetPhoto, Kind, Question, Scenario
from photopal.lab.experiments.evaluator import Control, Evaluator, PromptSetup, score
from photopal.lab.experiments.measures import (
    MEASURES,
    AnswerResult,
    CaptionResult,
    ChoiceResult,
    LocationResult,
    Outcome,
    ToldResult,
)
from photopal.lab.experiments.photo_store import read_mask
from photopal.lab.experiments.recognition import find_threshold, list_questions, recognize
from photopal.lab.experiments.results import Figures
from photopal.lab.metrics.localization import is_in_mask, mask_box, overlap
from photopal.lab.metrics.text_scores import (
    character_score,
    count_names,
    is_exact,
    rotations,
    substring_recall,
    word_f1,
)
from photopal.prompts import CAPTION_QUESTION, MARK_SHARE, Mark
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch

if TYPE_CHECKING:
    pass

IN_TEXT = "ABCD"
"""The letters tried where a question's options could not be told from its text."""


def choose(evaluator: Evaluator, asked: Sequence[Question], control: Control) -> list[ChoiceResult]:
    """Answer multiple-choice questions by the likeliest letter; without a control in every rotation."""
    answered: list[ChoiceResult] = []
    for path, several in _by_photo(asked):
        named = [name for one in several for name in evaluator.named_in(with_options(one.text, one.options))]
        setup = evaluator.set_up(path, named, control)
        turned = [_turns(one) if control == "asked" else _turns(one)[:1] for one in several]
        posed = [(text, letters) for turns in turned for text, letters, _ in turns]
        scores = iter(score(evaluator, setup, posed))
        for one, turns in zip(several, turned, strict=True):
            hits = [letters[int(next(scores).argmax())] == right for _, letters, right in turns]
            is_always = all(hits) if len(hits) > 1 else None
            answered.append(ChoiceResult(one.kind, hits[0], is_always, len(one.options)))
    return answered


def tell(evaluator: Evaluator, asked: Sequence[Question], control: Control) -> list[ToldResult]:
    """Answer questions with options by the likeliest of these, as a sentence of its own and without letters.

    A model may know where somebody is and yet not read lettered sides.
    """
    told = []
    for path, several in _by_photo(asked):
        setup = evaluator.set_up(
            path, [name for one in several for name in evaluator.named_in(one.text)], control
        )
        several = [one for one in several if one.options]
        posed = [(one.text, [f"{o[:1].upper()}{o[1:]}." for o in one.options]) for one in several]
        for one, scores in zip(several, score(evaluator, setup, posed), strict=True):
            told.append(ToldResult(LETTERS.find(one.answer) == int(scores.argmax())))
    return told


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


def locate(evaluator: Evaluator, photos: Sequence[DatasetPhoto]) -> list[LocationResult]:
    """Compare where the maps find each concept, and where its mark is, with its mask where there is one."""
    ids = {concept.name: concept.id for concept in evaluator.learned.concepts}
    located = []
    for photo in photos:
        marks = evaluator.marks(photo.path, list(photo.regions))
        for name, region in photo.regions.items():
            sighting = evaluator.analysis(photo.path).of(ids[name]) if name in ids else None
            if region.mask is None or sighting is None:
                continue
            mask = read_mask(region.mask, evaluator.store.image(photo.path).size)
            box = mask_box(mask)
            inside = is_in_mask(sighting.point, mask)
            at = None if name not in marks or box is None else is_at(marks[name], box)
            shared = overlap(sighting.box, box) if box else 0.0
            located.append(LocationResult(inside, shared, float(mask.mean()), at))
    return located


def is_at(mark: Mark, box: tuple[float, float, float, float]) -> bool:
    """Whether some of a mark lies on a box of (x, y, width, height), all as shares of the photo.

    A mark stands below its concept's region, so its middle may be just outside.
    """
    x, y, width, height = box
    reach = MARK_SHARE / 2
    return x - reach <= mark.x <= x + width + reach and y - reach <= mark.y <= y + height + reach


ANSWER_TOKENS = 48


def answer(evaluator: Evaluator, asked: Sequence[Question], control: Control) -> list[AnswerResult]:
    """Answer free questions and compare with the true answers."""
    requests = []
    for one in asked:
        setup = evaluator.set_up(one.photo, evaluator.named_in(one.text), control)
        requests.append(_note(evaluator, setup, one.text, ANSWER_TOKENS))
    answers = answer_batch(evaluator.model, requests)
    return [
        AnswerResult(
            one.kind,
            character_score(one.answer, words),
            is_exact(one.answer, words),
            word_f1(one.answer, words),
        )
        for one, words in zip(asked, answers, strict=True)
    ]


def caption(
    evaluator: Evaluator, photos: Sequence[tuple[Kind, DatasetPhoto]], control: Control, *, has_offer: bool
) -> list[CaptionResult]:
    """Caption photos and look for names.

    Args:
        evaluator: Knows model and bank.
        photos: Each with its kind.
        control: What to take away.
        has_offer: Whether all names of the scenario are in the prompt, as the authors have it; else those the
            product itself would offer, which are the ones it found.
    """
    known = [concept.name for concept in evaluator.learned.concepts]
    if has_offer:
        # A model that is told of somebody in words does not know their name, and could not say it.
        has_words = any(concept.words for concept in evaluator.bank.concepts.values())
        setups = [evaluator.set_up(p.path, known, control, has_marks=not has_words) for _, p in photos]
        requests = [_note(evaluator, setup, CAPTION_QUESTION, CAPTION_TOKENS) for setup in setups]
        captions = answer_batch(evaluator.model, requests)
    else:
        captions = write_captions(evaluator.assistant, evaluator.analyses([p.path for _, p in photos]))
    results = []
    for (kind, photo), words in zip(photos, captions, strict=True):
        truth = [name for name in known if name in photo.regions]
        names = count_names(words, truth, known)
        best = max((word_f1(known_words, words) for known_words in photo.captions), default=math.nan)
        results.append(
            CaptionResult(
                kind=kind,
                has_offer=has_offer,
                substrings=substring_recall(words, truth),
                names=names,
                words=best,
            )
        )
    return results


def _note(evaluator: Evaluator, setup: PromptSetup, text: str, most: int) -> GenerationRequest:
    return GenerationRequest(evaluator.encode(setup, text), setup.features, setup.rows, most)


CAPTION_NEGATIVES = 4
"""Photos without any of a scenario's concepts that are captioned, too: no name is right there."""

DIGITS = 9
"""As many as a number of 32 bits has; with fewer, p(yes) near 1 would be the same for many questions."""


def evaluate_tasks(
    evaluator: Evaluator,
    dataset: Dataset,
    tasks: Sequence[str],
    *,
    seed: int,
    control: Control = "asked",
    caption_negatives: int = CAPTION_NEGATIVES,
) -> Figures:
    """Run tasks with one bank.

    Args:
        evaluator: Has the bank.
        dataset: What the scenario is of.
        tasks: recognition, places, grounding, choice, vqa or caption. Without a control captions are asked
            for twice: with all names offered, and with those that the product itself would offer. Locations
            are no answers, so nothing can be taken away from them.
        seed: Which negatives are asked for.
        control: What is taken away.
        caption_negatives: How many photos are captioned that show none of the concepts.

    Returns:
        For each figure of `MEASURES` its rows, named "task: figure".
    """
    scenario = evaluator.learned.scenario
    figures: Figures = {}
    for task in tasks:
        questions = [one for one in scenario.questions if one.task == task]
        outcomes: Sequence[Outcome]
        if task == "recognition":
            threshold = find_threshold(evaluator, dataset, scenario, control)
            asked = list_questions(dataset, scenario, seed=seed)
            outcomes = recognize(evaluator, asked, control, threshold=threshold)
        elif task == "places":
            outcomes = locate(evaluator, scenario.test_photos) if control == "asked" else []
        elif task == "caption":
            photos = [*photos_of(scenario), *negatives_of(dataset, scenario, seed, most=caption_negatives)]
            outcomes = caption(evaluator, photos, control, has_offer=True)
            if control == "asked":
                outcomes += caption(evaluator, photos, control, has_offer=False)
        elif task == "vqa":
            outcomes = answer(evaluator, questions, control)
        else:
            outcomes = choose(evaluator, questions, control)
            if task == "grounding":
                outcomes = [*outcomes, *tell(evaluator, questions, control)]
        figures |= rows_of(task, outcomes)
    return figures


def rows_of(task: str, outcomes: Sequence[Outcome]) -> Figures:
    """What the figures of a task are made of; those without a question are left out."""
    figures = {}
    for measure in MEASURES:
        if measure.task == task and len(values := measure.values(outcomes)):
            figures[measure.key] = [[float(f"{v:.{DIGITS}g}") for v in row] for row in values.tolist()]
    return figures


def negatives_of(
    dataset: Dataset, scenario: Scenario, seed: int, *, most: int = CAPTION_NEGATIVES
) -> list[tuple[Kind, DatasetPhoto]]:
    """A few test photos that show no concept at all."""
    photos = list(dataset.negatives.test)
    rng = random.Random(f"captions {scenario.name} {seed}")
    return [("si_sq", photo) for photo in rng.sample(photos, min(len(photos), most))]


def photos_of(scenario: Scenario) -> list[tuple[Kind, DatasetPhoto]]:
    """The test photos of a scenario, those of one concept first."""
    single: list[tuple[Kind, DatasetPhoto]] = [("si_sq", p) for c in scenario.concepts for p in c.test]
    return single + [("mi_sq", photo) for photo in scenario.multi]
