"""What the user says of photos moves the thresholds: towards it, within bounds, and learned anew at once."""

import random
from dataclasses import replace

import pytest
import torch
from PIL import Image

from photopal.assistant.assistant import Assistant
from photopal.concepts import Bank, RegisterOptions, load_bank
from photopal.concepts.calibration import calibrate, with_corrections
from photopal.concepts.initialize import (
    CorrectedPhotos,
    Reference,
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.concepts.registration import FeatureStore, corrections_key, refresh_bank, sample_negatives
from photopal.config import bundled_model_path
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity, draw_lookalike
from photopal.lab.synthetic.scene import plan_scene
from photopal.library import ConceptRecord
from photopal.vlm import load_model

POSITIVES, NEGATIVES = torch.tensor([0.6, 0.7, 0.8, 0.9]), torch.tensor([0.0, 0.1, 0.2, 0.3])
NONE = torch.tensor([])


def threshold(*, shown=(), absent=()):
    scores = with_corrections(
        POSITIVES,
        NEGATIVES,
        corrected_positives=torch.tensor(shown),
        corrected_negatives=torch.tensor(absent),
    )
    return calibrate(*scores).threshold


def test_a_photo_without_the_concept_raises_the_threshold_and_one_with_it_lowers_it():
    usual = threshold()
    assert threshold(absent=(0.5,)) > usual
    assert threshold(shown=(0.45,)) < usual
    assert threshold(shown=(0.45,)) > 0.3


def test_without_words_the_scores_are_as_they_were():
    same = with_corrections(POSITIVES, NEGATIVES, corrected_positives=NONE, corrected_negatives=NONE)
    assert torch.equal(same[0], POSITIVES)
    assert torch.equal(same[1], NEGATIVES)


def test_one_word_never_costs_a_concept_its_recognition():
    most = threshold(absent=(5.0,))
    assert (most < POSITIVES).float().mean() >= 0.5
    assert threshold(shown=(-5.0,)) == threshold()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


def stranger(library, family, number=0):
    return library.photos.at(family.strangers[number])


@pytest.mark.parametrize("is_present", [True, False])
def test_a_word_is_learned_from_at_the_next_look_and_no_rows_change(
    named_library, model, path, drawn_family, is_present
):
    before = refresh_bank(named_library, model, path).bank
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    photo = stranger(named_library, drawn_family)
    named_library.corrections.put(photo.id, anna, is_present=is_present, box=None)
    result = refresh_bank(named_library, model, path)
    after = result.bank
    assert result.registered == ()
    assert after.version == before.version
    said = named_library.corrections.of_concept(anna, most=9)
    assert after.concepts[anna].corrections_key == corrections_key(said) != ""
    assert after.concepts[ben].corrections_key == ""
    assert load_bank(path, fingerprint=model.fingerprint).concepts[anna].corrections_key != ""
    stamp = path.stat().st_mtime_ns
    assert refresh_bank(named_library, model, path).found == {}
    assert path.stat().st_mtime_ns == stamp


def test_a_word_that_is_undone_is_unlearned(named_library, model, path, drawn_family):
    before = refresh_bank(named_library, model, path).bank
    anna = named_library.concepts.get("Anna").id
    own = named_library.concepts.references(named_library.concepts.get("Ben").id)[0].photo
    named_library.corrections.put(own.id, anna, is_present=True)
    taught = refresh_bank(named_library, model, path).bank
    assert taught.concepts[anna].calibration != before.concepts[anna].calibration
    named_library.history.undo()
    after = refresh_bank(named_library, model, path).bank
    assert after.concepts[anna].calibration == before.concepts[anna].calibration
    assert after.concepts[anna].corrections_key == ""


def test_photos_that_show_somebody_by_the_users_word_are_no_negatives(named_library, model, drawn_family):
    store = FeatureStore(model)
    anna = named_library.concepts.get("Anna").id
    avoid = {
        r.photo.content_hash
        for c in named_library.concepts.all()
        for r in named_library.concepts.references(c.id)
    }
    assert len(sample_negatives(named_library, store, avoid=avoid)) == 3
    named_library.corrections.put(stranger(named_library, drawn_family, 0).id, anna, is_present=True)
    named_library.captions.edit(stranger(named_library, drawn_family, 1).id, "Ben and a friend")
    left = sample_negatives(named_library, store, avoid=avoid)
    assert [row.path for row, _ in left] == [drawn_family.strangers[2]]


def test_a_photo_that_is_no_negative_any_more_is_replaced_by_one_and_the_others_stay(named_library, model):
    store = FeatureStore(model)
    order = [row.content_hash for row, _ in sample_negatives(named_library, store, avoid=set(), count=99)]
    assert len(order) > 5
    left = sample_negatives(named_library, store, avoid={order[1]}, count=4)
    assert [row.content_hash for row, _ in left] == [order[0], *order[2:5]]


def test_a_corrected_photo_that_is_gone_stops_nothing(
    named_library, model, path, drawn_family, save_photo, tmp_path
):
    from photopal.ingest.indexer import index_folders

    photo = save_photo(tmp_path / "gone.jpg", 5)
    index_folders(named_library, [photo])
    anna = named_library.concepts.get("Anna").id
    named_library.corrections.put(named_library.photos.at(photo).id, anna, is_present=False)
    photo.unlink()
    assert anna in refresh_bank(named_library, model, path).registered


def test_a_removed_reference_photo_registers_its_concept_anew(named_library, model, path):
    refresh_bank(named_library, model, path)
    anna = named_library.concepts.get("Anna")
    named_library.concepts.remove_reference(anna.id, named_library.concepts.references(anna.id)[0].photo.id)
    assert refresh_bank(named_library, model, path).registered == (anna.id,)


def test_merged_concepts_are_registered_from_the_photos_of_both_and_split_ones_from_their_own(
    named_library, model, path
):
    before = refresh_bank(named_library, model, path).bank
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    named_library.concepts.merge("Anna", "Ben")
    merged = refresh_bank(named_library, model, path)
    assert merged.registered == (anna,)
    assert set(merged.bank.concepts) == {anna}
    assert len(merged.found[anna]) == 6
    named_library.concepts.split("Ben")
    after = refresh_bank(named_library, model, path)
    assert set(after.registered) == {anna, ben}
    assert torch.equal(after.bank.concepts[ben].inputs, before.concepts[ben].inputs)


@pytest.mark.slow
def test_one_word_about_a_lookalike_keeps_the_name_off_most_of_its_other_photos():
    """Anna has a double whom nobody registered; the user takes Anna's name off one of the double's photos."""
    model = load_model(bundled_model_path(), device="cpu")
    people = [
        ConceptRecord(id=i, name=name, kind="person", about=None, created_at="2024")
        for i, name in ((1, "Anna"), (2, "Ben"))
    ]
    anna_named, double_named = {"before": 0, "after": 0}, {"before": 0, "after": 0}
    for seed in (3, 4, 5):
        rng = random.Random(seed)
        identities = {1: draw_identity(rng), 2: draw_identity(rng)}
        double = draw_lookalike(identities[1], rng, held_out=None)
        found = {}
        for i, identity in identities.items():
            drawn = [draw_photo(plan_scene([identity], rng)) for _ in range(4)]
            features = model.encode_photos([photo.image for photo in drawn])
            references = [
                Reference(f"{i}-{n}", one, photo.mask(0))
                for n, (photo, one) in enumerate(zip(drawn, features, strict=True))
            ]
            found[i] = find_subjects(references, [])
        bank = Bank(model.fingerprint, "").with_concepts(
            [
                register_concept(
                    model, p.id, found[p.id], name=p.name, references_key="", options=RegisterOptions()
                )
                for p in people
            ]
        )
        background = background_direction([subject for subjects in found.values() for subject in subjects])
        bank = replace(bank, background=background)
        strangers, own, doubles = (
            model.encode_photos(
                [draw_photo(plan_scene(cast, rng, bystanders=not cast)).image for _ in range(number)]
            )
            for number, cast in ((8, []), (10, [identities[1]]), (10, [double]))
        )
        plain = calibrate_concepts(bank, found, strangers)
        wrong = [n for n, is_named in enumerate(is_anna_named(model, plain, people, doubles)) if is_named]
        taught = plain
        if wrong:
            corrected = {1: CorrectedPhotos(absent=[Reference("double", doubles.pop(wrong[0]))])}
            taught = calibrate_concepts(bank, found, strangers, corrected)
        for when, one in (("before", plain), ("after", taught)):
            anna_named[when] += sum(is_anna_named(model, one, people, own))
            double_named[when] += sum(is_anna_named(model, one, people, doubles))
    assert double_named["before"] >= 8
    assert double_named["after"] <= double_named["before"] / 2
    assert anna_named["after"] >= 0.85 * anna_named["before"]


def is_anna_named(model, bank, people, photos):
    # Who is there depends on what was encoded alone, not on the picture that goes with it.
    views = Assistant(model, bank, people).see([Image.new("RGB", (1, 1))] * len(photos), photos)
    return [any(s.concept.id == 1 for s in view.present) for view in views]
