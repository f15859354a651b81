"""Puts newly registered concepts into words where the model makes nothing of registered embeddings.

Most models were never taught to read embeddings made of photos. Captions and answers by name work with them
at once nevertheless, in words (`photopal.prompts.words`), and need no tuning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from photopal.box import Box
from photopal.concepts.bank import Bank, BankConcept, save_bank
from photopal.concepts.calibration import area_under_curve, fit_yes_bias
from photopal.concepts.initialize import FoundSubject, begin_with_words
from photopal.concepts.localize import cells_extent
from photopal.concepts.registration import (
    FeatureStore,
    SyncResult,
    find_all_subjects,
    likely_concepts,
    screened_negatives,
)
from photopal.errors import PhotoError
from photopal.library import ConceptRecord, Library, ReferencePhoto
from photopal.library.originals import check_original
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.prompts import build_prompt, recognition_question
from photopal.prompts import templates as questions
from photopal.vlm.batch_decoder import GenerationRequest, first_answer_shares
from photopal.vlm.placeholders import name_placeholder
from photopal.vlm.protocol import PhotoFeatures, VisionModel

MOST_DESCRIPTIONS = 4

READABLE = 0.75
"""AUROC of p(yes) on reference photos from which on a model is taken to read registered embeddings.

Lower than what tuning asks for on more photos (`photopal.tuning.start`), as it may rest on eight answers.
The bundled model, which was taught to read them, is near 1, the plain one near 0.5 (docs/plain-model.md).
"""

MOST_ASKED, _MOST_PHOTOS = 4, 4  # concepts that are asked about, and photos for each with either answer


def put_into_words(
    library: Library,
    store: FeatureStore,
    result: SyncResult,
    path: Path,
) -> Bank:
    """Give the concepts of a bank words where that is open and the model cannot read their embeddings.

    Whether it can is known where others were tuned; else it is asked about the reference photos of several
    concepts. With a single one that cannot be told, and of models made for photos of any kind no one is known
    that can. Where a model was not made for such photos, nothing changes.

    Words of which the user says something else now, or nothing any more, change at once. What was tuned stays
    as it is, but for the words in which captions and answers speak of it.

    Args:
        library: Has the concepts and their reference photos.
        store: Encodes photos; has the model.
        result: What `refresh_bank` gave.
        path: The bank's file; gets what comes of it.

    Returns:
        The bank as it is in the file now.

    Raises:
        BankError: The bank cannot be written.
    """
    bank = result.bank
    changed = _described_otherwise(library, bank)
    if not (bank.has_open_words or changed):
        return bank
    worded = replace(bank, has_open_words=False)
    untold = []
    if bank.has_open_words and not any(one.is_tuned and not one.words for one in bank.concepts.values()):
        untold = [
            i
            for i, concept in bank.concepts.items()
            if not concept.is_tuned and not concept.words and i not in changed
        ]
    if untold or changed:
        everyone = result.found
        if not everyone:  # they were registered by a command that did not come so far
            wanted = {i: references for i in bank.concepts if (references := library.concepts.references(i))}
            everyone, _ = find_all_subjects(library, store, wanted)
        found = {i: known for i, subjects in everyone.items() if (known := _understood(store, subjects))}
        asked = [i for i in untold if i in found]
        if (
            asked
            and not _has_words(bank)
            and reads_embeddings(store.model, bank, _examples_of_others(bank, found, asked))
        ):
            asked = []
        if changed or asked:
            worded = _in_words(library, store, worded, found, [*changed, *asked])
    save_bank(worded, path)
    return worded


def _has_words(bank: Bank) -> bool:
    return any(concept.words for concept in bank.concepts.values())


def _described_otherwise(library: Library, bank: Bank) -> list[int]:
    """Ids of those in words of whose looks the user says something else now, or nothing any more.

    So are those for whom the model had no words and the user has some now.
    """
    changed = []
    for concept in library.concepts.all():
        known = bank.concepts.get(concept.id)
        if known is None or known.about == concept.looks:
            continue
        if known.words or (concept.looks and not known.is_tuned and _has_words(bank)):
            changed.append(concept.id)
    return changed


Examples = tuple[Sequence[PhotoFeatures], Sequence[PhotoFeatures]]
"""Photos that show a concept, and photos that do not."""


def _understood(store: FeatureStore, subjects: Sequence[FoundSubject]) -> list[FoundSubject]:
    """Those on photos of the kind that the model was made for: of others it says anything."""
    return [one for one in subjects if store.model.is_in_distribution(one.reference.features)]


def _examples_of_others(
    bank: Bank, found: Mapping[int, Sequence[FoundSubject]], asked: Sequence[int]
) -> dict[int, Examples]:
    """For those asked about, photos of each and of other concepts, where there are any.

    Photos of nobody would not do: whoever it is asked for, a model is more for Yes where it sees somebody.
    """
    pairs = {i: _of_others(bank, found, i) for i in asked[:MOST_ASKED]}
    return {i: (_own(found, i), others) for i, others in pairs.items() if others}


def reads_embeddings(model: VisionModel, bank: Bank, examples: Mapping[int, Examples]) -> bool:
    """Whether a model tells concepts apart by registered embeddings.

    Args:
        model: Who is asked.
        bank: Has the embeddings.
        examples: For each of some concepts, photos that show it and photos of others. Without any, only a
            model that was not made for photos of any kind is taken to read them.
    """
    area = area_under_curve(*_yes_margins(model, bank, examples))
    return not model.sees_all if math.isnan(area) else area >= READABLE


def begin_in_words(
    model: VisionModel, bank: Bank, said: Mapping[int, str], examples: Mapping[int, Examples]
) -> Bank:
    """The bank with concepts spoken of in words, and how much the model is for Yes with them.

    Args:
        model: Who reads the words.
        bank: Has the concepts.
        said: What each of them looks like, by id.
        examples: For some of them, photos that show it and photos that do not.
    """
    begun = [begin_with_words(model, bank.concepts[i], words) for i, words in said.items()]
    bank = bank.with_concepts(begun)
    worded = [one for one in begun if one.words]
    shown = {one.concept_id: examples[one.concept_id] for one in worded if one.concept_id in examples}
    bias = fit_yes_bias(*_yes_margins(model, bank, shown)) if shown else 0.0
    return bank.with_concepts([replace(concept, yes_bias=bias) for concept in worded])


def _own(found: Mapping[int, Sequence[FoundSubject]], concept_id: int) -> list[PhotoFeatures]:
    return [one.reference.features for one in found[concept_id][:_MOST_PHOTOS]]


def _of_others(
    bank: Bank, found: Mapping[int, Sequence[FoundSubject]], concept_id: int
) -> list[PhotoFeatures]:
    """Some photos of other concepts; those that may show this one too only where there are no others."""
    own = {one.reference.key for one in found[concept_id]}
    photos = {one.reference.key: one.reference.features for subjects in found.values() for one in subjects}
    others = [features for key, features in photos.items() if key not in own]
    clear = [one for one in others if concept_id not in likely_concepts(bank, one)] or others
    return clear[:: max(1, len(clear) // _MOST_PHOTOS)][:_MOST_PHOTOS]


def _examples(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    found: Mapping[int, Sequence[FoundSubject]],
    concept_id: int,
) -> Examples:
    """Some photos of a concept, and of others or, where there are too few, of nobody."""
    without = _of_others(bank, found, concept_id)
    if len(without) < _MOST_PHOTOS:
        without += screened_negatives(library, store, bank, {concept_id: list(found[concept_id])})
    return _own(found, concept_id), without[:_MOST_PHOTOS]


def _in_words(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    found: Mapping[int, Sequence[FoundSubject]],
    asked: Sequence[int],
) -> Bank:
    """The bank with words for those asked about, and how much the model is for Yes with them.

    Tuned soft tokens and their bias stay, as they no longer are the words they began as. One of which nothing
    can be said now, as its photos are away, stays as it is until something can.
    """
    told: list[BankConcept] = []
    begun: dict[int, str] = {}
    for concept in library.concepts.all():
        if concept.id in asked and (said := describe_concept(library, store, bank, concept, found)):
            known = replace(bank.concepts[concept.id], about=concept.looks)
            told.append(replace(known, words=said[0]) if known.is_tuned else known)
            if not known.is_tuned:
                begun[concept.id] = said[0]
    bank = bank.with_concepts(told)
    shown = [i for i, words in begun.items() if words and i in found][:MOST_ASKED]
    examples = {i: _examples(library, store, bank, found, i) for i in shown}
    return begin_in_words(store.model, bank, begun, examples)


def describe_concept(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    concept: ConceptRecord,
    found: Mapping[int, Sequence[FoundSubject]],
) -> tuple[str, ...]:
    """Put the looks of a concept into words: the user's own, else the model's, the best first.

    Args:
        library: Has the reference photos.
        store: Encodes them; has the model.
        bank: Has the concept.
        concept: Whom to describe.
        found: Where registration found the concepts, by id.
    """
    if concept.looks:
        return (concept.looks,)
    references = library.concepts.references(concept.id)
    said = describe_subject(store, concept.kind, references, found.get(concept.id, ()))
    if len(said) < 2:
        return said
    return sort_descriptions(
        store.model, bank, concept.id, said, _examples(library, store, bank, found, concept.id)
    )


def sort_descriptions(
    model: VisionModel, bank: Bank, concept_id: int, said: Sequence[str], examples: Examples
) -> tuple[str, ...]:
    """Sort what a model said of a concept's photos, the best first.

    Best is the description with which the model's Yes tells photos of the concept from others most clearly:
    of some photo the model says what is not so, and that does not fit the others.

    Args:
        model: Who said it.
        bank: Has the concept.
        concept_id: Who it is.
        said: The descriptions.
        examples: Photos of the concept and others.
    """

    def clearness(words: str) -> float:
        worded = begin_with_words(model, bank.concepts[concept_id], words)
        yes, no = _yes_margins(model, bank.with_concepts([worded]), {concept_id: examples})
        return sum(yes) / len(yes) - sum(no) / len(no) if yes and no else 0.0

    return tuple(sorted(dict.fromkeys(said), key=clearness, reverse=True))


@torch.no_grad()
def _yes_margins(
    model: VisionModel, bank: Bank, asked: Mapping[int, Examples]
) -> tuple[list[float], list[float]]:
    """By how much the model is for Yes, in logits, where that is right and where it is wrong."""
    question = recognition_question(name_placeholder(0))
    requests: tuple[list[GenerationRequest], list[GenerationRequest]] = [], []
    for concept_id, examples in asked.items():
        concept = bank.concepts[concept_id]
        prompt = build_prompt(question, [concept.in_prompt()])
        rows = bank.embeddings([concept_id], [str(concept_id)])
        for side, photos in zip(requests, examples, strict=True):
            side += [GenerationRequest(model.encode_prompt(prompt, one), one, rows) for one in photos]
    shares = first_answer_shares(model, [*requests[0], *requests[1]], (questions.YES, questions.NO))
    margins: list[float] = torch.logit(torch.tensor(shares, dtype=torch.float64), eps=1e-9).tolist()
    return margins[: len(requests[0])], margins[len(requests[0]) :]


def describe_subject(
    store: FeatureStore,
    kind: str,
    references: Sequence[ReferencePhoto],
    subjects: Sequence[FoundSubject],
) -> tuple[str, ...]:
    """Ask the model what a subject looks like, cut out of a few of its photos.

    Args:
        store: Has the model.
        kind: Person, pet or thing.
        references: The photos.
        subjects: Where the subject is on them.

    Returns:
        Different ones such as "a black dog".
    """
    boxes = {s.reference.key: cells_extent(s.cells, s.reference.features.frame) for s in subjects}
    words: list[str] = []
    for reference in references:
        box = boxes.get(reference.photo.content_hash)
        if box is None or len(words) >= MOST_DESCRIPTIONS:
            continue
        try:
            image = open_photo(reference.photo.path, max_side_px=MODEL_SIDE_PX)
            check_original(reference.photo)
        except PhotoError:
            continue
        if looks := say_looks(store.model, kind, image, box):
            words.append(looks)
    return tuple(dict.fromkeys(words))


def say_looks(model: VisionModel, kind: str, image: Image.Image, box: Box) -> str:
    """Ask the model what the person, pet or thing in a box looks like: "a black dog", or nothing."""
    # Cut out, so that the answer is about the subject and not about whoever stands beside it.
    features = model.encode_photos([cut_out(image, box)])[0].on_cpu()
    # Begun so, the answer is "a black dog" and no sentence such as "the pet looks like a black dog".
    question = build_prompt(questions.describe_question(kind))
    encoded = model.encode_prompt(question, features, begun="This is")
    answer = model.generate(encoded, features, max_new_tokens=48)
    return answer.partition(". ")[0].strip().rstrip(".")


def cut_out(image: Image.Image, box: Box, *, margin: float = 0.06) -> Image.Image:
    """Cut a square around a box out of a photo, with a margin."""
    width, height = image.size
    left, top, right, bottom = box.x * width, box.y * height, box.right * width, box.bottom * height
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    side = min(side, width, height)
    x = min(max(0.0, (left + right - side) / 2), width - side)
    y = min(max(0.0, (top + bottom - side) / 2), height - side)
    return image.crop((round(x), round(y), round(x + side), round(y + side)))
