"""Makes questions and answers about reference photos; knows wording and who is where, no gradients."""

from __future__ import annotations

import random
from collections.abc import Mapping
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
        is_frozen: Whether its embeddings stay as they are. It is then offered beside others, as in use, and
            nothing is asked about it.
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
        absent: Ids of concepts that are not there by the word of the user, a face or a look: asked about
            before all other negatives.
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
    offers: Mapping[int, PromptConcept],
    rng: random.Random,
    *,
    is_mirrored: bool = False,
) -> Example | None:
    """Ask about a photo: who is there, who is not, and what they look like.

    Negatives are sampled, a fixed number a photo, so that the cost grows with the photos and not with the
    square of the concepts. Those of whom the user says that they are not there come first. Concepts that the
    maps see on the photo without being registered for it are neither asked about nor offered.

    Args:
        photo: What to ask about.
        concepts: Everyone, by id.
        offers: How each stands in a prompt, by id.
        rng: Chooses whom to offer, and the wording.
        is_mirrored: Whether to ask about the mirror image, if there is one.

    Returns:
        The example, or None where nothing can be asked.
    """
    slots = _choose_slots(photo, concepts, rng)
    frozen = {concept_id for concept_id in slots if concepts[concept_id].is_frozen}
    if frozen.issuperset(slots):
        return None
    offered = [offers[concept_id] for concept_id in slots]
    exchanges: list[tuple[str, str, str]] = []  # kind, question, answer
    to_ask = [(slot, concept_id) for slot, concept_id in enumerate(slots) if concept_id not in frozen]
    for slot, concept_id in to_ask:
        name = name_placeholder(slot)
        is_present = concept_id in photo.present
        for template in rng.sample(questions.RECOGNITION_TEMPLATES, 2):
            answer = questions.YES if is_present else questions.NO
            exchanges.append(("recognition", template.format(name=name), answer))
        if offers[concept_id].is_inline:
            continue  # everything else is asked in words, where the soft tokens are not used
        if descriptions := concepts[concept_id].descriptions:
            # What somebody looks like is asked wherever they are offered: it is in the soft tokens, not in
            # the photo.
            question = rng.choice(questions.APPEARANCE_TEMPLATES).format(name=name)
            exchanges.append(("appearance", question, f"{name} is {rng.choice(descriptions)}."))
        if not is_present:
            template = rng.choice((*questions.ACTIVITY_TEMPLATES, *questions.POSITION_TEMPLATES))
            exchanges.append(("absent", template.format(name=name), absent_answer(name)))
    if len(slots) >= 2:
        # About two at once, as the paper's recognition task asks; Yes only where both are there.
        first, second = rng.sample(range(len(slots)), 2)
        if {slots[first], slots[second]} <= frozen:
            first = to_ask[0][0]
        names = f"{name_placeholder(first)} and {name_placeholder(second)}"
        are_present = slots[first] in photo.present and slots[second] in photo.present
        template = rng.choice(questions.RECOGNITION_TEMPLATES)
        answer = questions.YES if are_present else questions.NO
        exchanges.append(("recognition", template.format(name=names), answer))
    return Example(
        photo=photo,
        features=photo.mirrored if is_mirrored and photo.mirrored is not None else photo.features,
        slots=tuple(slots),
        exchanges=tuple(
            Exchange(kind, build_prompt(question, offered), answer) for kind, question, answer in exchanges
        ),
    )


def _choose_slots(photo: TuningPhoto, concepts: Mapping[int, TuningConcept], rng: random.Random) -> list[int]:
    """Choose whom the prompt offers, in any order; those who learn something before those who do not."""

    def shuffled(concept_ids: set[int] | frozenset[int]) -> list[int]:
        ids = rng.sample(sorted(concept_ids), len(concept_ids))
        return sorted(ids, key=lambda concept_id: concepts[concept_id].is_frozen)

    present = shuffled(photo.present & concepts.keys())[:MOST_CONCEPTS]
    absent = concepts.keys() - photo.present - photo.likely
    # Whoever the user has taken off the photo is asked about first: there the embeddings were wrong.
    most_distractors = MOST_CONCEPTS - len(present)
    distractors = shuffled(photo.absent & absent)[:most_distractors]
    # Distractors in the prompt: in use it also holds concepts that are not on the photo. Without them the
    # precision of RAP, trained on the right concepts only, falls from 96 to 58.
    wanted = min(most_distractors, rng.choice((1, 2, 2, 3))) - len(distractors)
    distractors += shuffled(absent - photo.absent)[: max(0, wanted)]
    # Shuffled, or a concept's slot would tell whether it is there.
    return rng.sample(present + distractors, len(present) + len(distractors))
