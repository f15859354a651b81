"""Makes questions and answers about reference photos; knows wording and who is where, no gradients."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from photopal.prompts import MOST_CONCEPTS, PromptConcept, absent_answer, build_prompt
from photopal.prompts import templates as questions
from photopal.vlm.placeholders import name_placeholder
from photopal.vlm.protocol import ChatPrompt, PhotoFeatures


@dataclass(frozen=True)
class TuningConcept:
    """What tuning must know of a concept.

    Attributes:
        concept_id: Its id.
        kind: person, pet or thing.
        descriptions: Its looks in words, as they go on after "is": from the user or the model itself.
        is_frozen: Whether its rows stay as they are.
    """

    concept_id: int
    kind: str
    descriptions: tuple[str, ...] = ()
    is_frozen: bool = False


@dataclass(frozen=True, eq=False)
class TuningPhoto:
    """A photo to learn from.

    Attributes:
        key: Hash of its bytes.
        features: As it is.
        mirrored: With left and right exchanged, or None.
        present: Ids of the concepts it is registered for.
        likely: Ids of concepts that the maps see there, registered or not: no negatives for these.
        is_held_out: Whether it is for validation in any case.
        absent: Ids of concepts that the user says are not there: asked about before all other negatives.
    """

    key: str
    features: PhotoFeatures
    mirrored: PhotoFeatures | None
    present: frozenset[int]
    likely: frozenset[int] = frozenset()
    is_held_out: bool = False
    absent: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Exchange:
    """A question with its answer; names are identifier placeholders.

    Attributes:
        kind: recognition, appearance or absent.
        prompt: The whole prompt.
        answer: What to answer.
    """

    kind: str
    prompt: ChatPrompt
    answer: str


@dataclass(frozen=True, eq=False)
class Example:
    """Exchanges about one photo that share a concept block.

    Attributes:
        photo: The photo.
        features: Of the photo or its mirror image.
        slots: Concept ids of the prompt, by slot.
        exchanges: What is asked and answered.
    """

    photo: TuningPhoto
    features: PhotoFeatures
    slots: tuple[int, ...]
    exchanges: tuple[Exchange, ...]


def make_example(
    photo: TuningPhoto,
    concepts: Mapping[int, TuningConcept],
    token_counts: Mapping[int, int],
    rng: random.Random,
    *,
    is_mirrored: bool = False,
) -> Example | None:
    """Ask about a photo: who is there, who is not, and what they look like.

    Negatives are sampled, a fixed number a photo, so that the cost grows with the photos and not with the
    square of the concepts. Those of whom the user says that they are not there come first. Concepts that the
    maps see on the photo without being registered for it are neither asked about nor offered.

    Returns:
        The example, or None where nothing can be asked.
    """
    present = sorted(photo.present & concepts.keys())
    absent = sorted(concepts.keys() - photo.present - photo.likely)
    rng.shuffle(present)
    present = present[:MOST_CONCEPTS]
    room = MOST_CONCEPTS - len(present)
    corrected = sorted(photo.absent & set(absent))
    rng.shuffle(corrected)
    distractors = corrected[:room]
    free = [concept_id for concept_id in absent if concept_id not in photo.absent]
    wanted = min(room, rng.choice((1, 2, 2, 3))) - len(distractors)
    distractors += rng.sample(free, max(0, min(len(free), wanted)))
    slots = present + distractors
    if not slots:
        return None
    rng.shuffle(slots)
    offered = [PromptConcept(token_counts[concept_id]) for concept_id in slots]
    told: list[tuple[str, str, str]] = []
    for slot, concept_id in enumerate(slots):
        is_present = concept_id in photo.present
        told += _recognition(slot, is_present, rng)
        told += _appearance(slot, concepts[concept_id], rng)
        if not is_present:
            told.append(_absence(slot, rng))
    told += _pairs(slots, photo.present, rng)
    exchanges = tuple(
        Exchange(kind, build_prompt(question, offered), answer) for kind, question, answer in told
    )
    features = photo.mirrored if is_mirrored and photo.mirrored is not None else photo.features
    return Example(photo, features, tuple(slots), exchanges)


def _recognition(slot: int, is_present: bool, rng: random.Random) -> list[tuple[str, str, str]]:
    name = name_placeholder(slot)
    asked = rng.sample(questions.RECOGNITION_TEMPLATES, 2)
    answer = questions.YES if is_present else questions.NO
    return [("recognition", template.format(name=name), answer) for template in asked]


def _pairs(slots: Sequence[int], present: frozenset[int], rng: random.Random) -> list[tuple[str, str, str]]:
    if len(slots) < 2:
        return []
    first, second = rng.sample(range(len(slots)), 2)
    names = f"{name_placeholder(first)} and {name_placeholder(second)}"
    both = slots[first] in present and slots[second] in present
    template = rng.choice(questions.RECOGNITION_TEMPLATES)
    return [("recognition", template.format(name=names), questions.YES if both else questions.NO)]


def _appearance(slot: int, concept: TuningConcept, rng: random.Random) -> list[tuple[str, str, str]]:
    if not concept.descriptions:
        return []
    name = name_placeholder(slot)
    question = rng.choice(questions.APPEARANCE_TEMPLATES).format(name=name)
    return [("appearance", question, f"{name} is {rng.choice(concept.descriptions)}.")]


def _absence(slot: int, rng: random.Random) -> tuple[str, str, str]:
    name = name_placeholder(slot)
    template = rng.choice((*questions.ACTIVITY_TEMPLATES, *questions.POSITION_TEMPLATES))
    return ("absent", template.format(name=name), absent_answer(name))
