"""Tuning learns from what the user said of photos: who is there, and before all who is not."""

import random
from dataclasses import replace

import torch

from photopal.concepts.calibration import Calibration
from photopal.concepts.registration import FeatureStore, refresh_bank
from photopal.library.models import Finding, PhotoFindings
from photopal.prompts import MOST_CONCEPTS, PromptConcept
from photopal.prompts import templates as questions
from photopal.tuning.dataset import gather_photos
from photopal.tuning.examples import TuningConcept, TuningPhoto, make_example
from photopal.tuning.trainer import split_photos
from photopal.vlm.protocol import PhotoFeatures

FEATURES = PhotoFeatures(torch.zeros(1, 2), (1, 1), torch.zeros(1, 1, 2), (0.0, 0.0, 1.0, 1.0))
CONCEPTS = {i: TuningConcept(i, "person") for i in range(12)}
OFFERS = dict.fromkeys(CONCEPTS, PromptConcept(2))


def photo(key="key", *, present=(), absent=(), likely=()):
    return TuningPhoto(
        key=key,
        features=FEATURES,
        mirrored=None,
        present=frozenset(present),
        likely=frozenset(likely),
        absent=frozenset(absent),
    )


def test_whoever_the_user_has_taken_off_is_always_asked_about_and_answered_with_no():
    for seed in range(20):
        example = make_example(photo(present=[0], absent=[7]), CONCEPTS, OFFERS, random.Random(seed))
        assert {0, 7} <= set(example.slots)
        name = f"<|name:{example.slots.index(7)}|>"
        asked = [e for e in example.exchanges if name in e.prompt.user.rsplit(". ", 1)[1]]
        assert {e.answer for e in asked if e.kind == "recognition"} == {questions.NO}


def test_no_more_are_asked_about_than_a_prompt_holds():
    for seed in range(20):
        example = make_example(photo(absent=range(9)), CONCEPTS, OFFERS, random.Random(seed))
        assert len(example.slots) == MOST_CONCEPTS


def test_photos_that_names_were_taken_off_are_all_trained_on():
    photos = [photo(str(number), absent=[1]) for number in range(10)]
    photos += [photo(f"plain {number}") for number in range(10)]
    training, validation = split_photos(photos, share=0.3, rng=random.Random(0))
    assert sum(bool(p.absent) for p in training) == 10
    assert len(validation) == 3


def test_photos_of_which_the_user_spoke_are_learned_from(named_library, model, drawn_family, tmp_path):
    store = FeatureStore(model)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    one, two = (named_library.photos.at(path) for path in drawn_family.strangers[:2])
    own = named_library.concepts.references(anna)[0].photo
    named_library.corrections.put(one.id, anna, is_present=True)
    named_library.corrections.put(two.id, ben, is_present=False)
    named_library.corrections.put(own.id, ben, is_present=False)
    bank = refresh_bank(named_library, model, tmp_path / "bank", store=store).bank
    photos = {p.key: p for p in gather_photos(named_library, store, bank)}
    assert photos[one.content_hash].present == {anna}
    assert photos[one.content_hash].mirrored is not None
    assert (photos[two.content_hash].present, photos[two.content_hash].absent) == (frozenset(), {ben})
    assert (photos[own.content_hash].present, photos[own.content_hash].absent) == ({anna}, {ben})
    assert not any(p.likely & p.absent for p in photos.values())


def found(concept_id, verdict, *, decides=True):
    return Finding(
        concept_id=concept_id,
        source="face",
        verdict=verdict,
        probability=0.1,
        score=0.8,
        threshold=0.47,
        box=None,
        decides=decides,
    )


def test_whom_a_face_denies_is_a_negative_and_whom_it_may_show_is_none(named_library, model, tmp_path):
    store = FeatureStore(model)
    learned = refresh_bank(named_library, model, tmp_path / "bank", store=store).bank

    def gather(threshold):
        """Gather with maps that see everybody from a score on."""
        calibration = Calibration(threshold, threshold)
        concepts = [replace(one, calibration=calibration) for one in learned.concepts.values()]
        found = gather_photos(named_library, store, learned.with_concepts(concepts))
        return {photo.key: photo for photo in found}

    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    own = named_library.concepts.references(anna)[0].photo
    by_hash = {photo.content_hash: photo for photo in named_library.photos.all()}
    negatives = [photo.key for photo in gather(2.0).values() if not photo.present]
    denied, unsure, alike = (by_hash[key] for key in negatives[:3])
    for photo, findings in (
        (denied, (found(anna, "absent"), found(ben, "absent"))),
        (unsure, (found(anna, "unsure"),)),
        (alike, (found(ben, "looks like"),)),
        (own, (found(ben, "unsure"),)),
    ):
        named_library.findings.put(photo.id, PhotoFindings(findings=findings))
    assert not gather(2.0).keys() & {unsure.content_hash, alike.content_hash}
    photos = gather(-2.0)
    assert (photos[denied.content_hash].absent, photos[denied.content_hash].likely) == ({anna, ben}, set())
    assert photos[own.content_hash].likely == {ben}
