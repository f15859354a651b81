"""Tuning a library: what is read, what is saved, and when nothing is."""

import errno
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image, ImageOps

from photopal.concepts import Bank, load_bank, save_bank
from photopal.concepts.initialize import begin_with_words
from photopal.concepts.registration import FeatureStore, refresh_bank, register_concepts
from photopal.concepts.wording import put_into_words
from photopal.errors import BankError, ConceptError, ModelError, PhotoChangedError
from photopal.ingest.indexer import index_folders
from photopal.ingest.references import add_references, list_reference_files
from photopal.tuning import TuneOptions, library_tuning
from photopal.tuning.dataset import NEGATIVES, describe_concepts, gather_photos, mirror, photos_for_newcomers
from photopal.tuning.examples import TuningConcept
from photopal.tuning.library_tuning import plan_tuning, run_plan
from photopal.tuning.start import TuningStart
from photopal.tuning.trainer import Validation, held_out_key, tune_bank

OPTIONS = TuneOptions(epochs=2, variants=1, learning_rate=2e-2, tokens=4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


def tuned(library, model, path, *names, options=OPTIONS):
    return run_plan(model, plan_tuning(library, model, path, names=names, options=options))


def test_a_plan_writes_nothing_and_a_run_writes_the_bank(named_library, model, path):
    # A model with random weights need not get better with every seed, and then nothing is written.
    for seed in range(6):
        options = replace(OPTIONS, seed=seed, epochs=6)
        plan = plan_tuning(named_library, model, path, options=options)
        assert not path.exists()
        outcome = run_plan(model, plan)
        assert outcome.is_saved == path.exists() == (outcome.report.best_epoch > 0)
        if outcome.is_saved:
            break
    bank = load_bank(path, fingerprint=model.fingerprint)
    assert all(concept.is_tuned and concept.token_count == 4 for concept in bank.concepts.values())
    assert refresh_bank(named_library, model, path).registered == ()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bank_however_often_it_is_run(named_library, model, path):
    tuned(named_library, model, path)
    first = load_bank(path, fingerprint=model.fingerprint).version
    again = tuned(named_library, model, path)
    assert again.rival == again.report.after
    assert load_bank(path, fingerprint=model.fingerprint).version == first


@pytest.mark.slow
def test_with_a_name_only_its_rows_change(named_library, model, path):
    before = refresh_bank(named_library, model, path).bank
    assert tuned(named_library, model, path, "anna").is_saved
    after = load_bank(path, fingerprint=model.fingerprint)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    assert torch.equal(after.concepts[ben].inputs, before.concepts[ben].inputs)
    assert not torch.equal(after.concepts[anna].inputs, before.concepts[anna].inputs)


def test_whoever_joins_learns_from_as_many_photos_however_large_the_bank(named_library, model, path):
    bank = refresh_bank(named_library, model, path).bank
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    photos = gather_photos(named_library, FeatureStore(model), bank, trained=[anna])
    assert all((photo.mirrored is not None) == (anna in photo.present) for photo in photos)
    own = [photo for photo in photos if anna in photo.present]
    other = next(photo for photo in photos if photo.present == {ben})
    many = [replace(other, key=f"{number:03}", likely=frozenset()) for number in range(100)]
    many[7] = replace(own[0], key="007", present=frozenset({ben}), likely=frozenset())  # looks like Anna
    concepts = {anna: TuningConcept(anna, "person"), ben: TuningConcept(ben, "person", is_frozen=True)}
    chosen = photos_for_newcomers(own + many, bank, concepts)
    assert chosen[: len(own)] == own
    assert chosen[len(own)] is many[7]
    assert NEGATIVES // 2 < len(chosen) - len(own) <= NEGATIVES
    assert photos_for_newcomers(many, bank, {anna: concepts[anna]}) == many
    unclear = [replace(photo, likely=frozenset({anna})) for photo in many]
    assert photos_for_newcomers(own + unclear, bank, concepts) == own


@pytest.mark.slow
def test_a_bank_in_use_that_does_better_stays(named_library, model, path):
    tuned(named_library, model, path, options=replace(OPTIONS, epochs=3))
    better = load_bank(path, fingerprint=model.fingerprint).version
    worse = tuned(named_library, model, path, options=replace(OPTIONS, epochs=1, learning_rate=1e-5))
    assert not worse.is_saved
    assert load_bank(path, fingerprint=model.fingerprint).version == better


def test_a_bank_in_use_that_learned_from_photos_held_out_now_is_not_compared(
    named_library, model, path, drawn_family, tmp_path, monkeypatch
):
    monkeypatch.setattr("photopal.tuning.dataset.likely_concepts", lambda *_: set())
    plan = plan_tuning(named_library, model, path, options=OPTIONS)
    trained, _ = tune_bank(model, plan.bank, plan.concepts, plan.photos, replace(OPTIONS, epochs=1))
    save_bank(trained, path)
    assert plan_tuning(named_library, model, path, options=OPTIONS).rival is not None
    added = tmp_path / "added"
    added.mkdir()
    for stranger in drawn_family.strangers:
        for turn in Image.Transpose:
            with Image.open(stranger) as image:
                image.transpose(turn).save(added / f"{stranger.stem}-{turn.name}.png")
    index_folders(named_library, [added])
    later = plan_tuning(named_library, model, path, options=OPTIONS)
    assert held_out_key(later.photos, OPTIONS) != held_out_key(plan.photos, OPTIONS)
    assert later.rival is None


def test_ctrl_c_while_the_bank_in_use_is_compared_loses_no_training(
    named_library, model, path, monkeypatch, improved
):
    order = []
    tune, validation = library_tuning.tune_bank, Validation(loss=1.0, accuracy=0.5, questions=1)
    monkeypatch.setattr(library_tuning, "tune_bank", lambda *a, **k: order.append("tuned") or tune(*a, **k))
    monkeypatch.setattr(library_tuning, "validate_bank", lambda *_: order.append("compared") or validation)
    plan = plan_tuning(named_library, model, path, options=OPTIONS)
    assert run_plan(model, replace(plan, rival=plan.bank)).rival == validation
    assert order == ["compared", "tuned"]


def test_a_bank_that_cannot_be_saved_is_said_before_tuning(named_library, model, path, monkeypatch):
    def full(tensors, path, **_):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("photopal.concepts.bank.save_file", full)
    with pytest.raises(BankError, match=r"bank\.safetensors: the bank cannot be written: No space left"):
        plan_tuning(named_library, model, path, options=OPTIONS)
    assert not list(path.parent.rglob("*bank*"))


def test_memory_that_is_short_from_the_start_is_said_as_such(named_library, model, path, monkeypatch):
    def out_of_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    plan = plan_tuning(named_library, model, path, options=OPTIONS)
    monkeypatch.setattr("photopal.tuning.trainer.examples_loss", out_of_memory)
    with pytest.raises(ModelError, match="does not fit into memory"):
        run_plan(model, plan)


@pytest.mark.slow
def test_what_another_process_added_meanwhile_stays(named_library, model, path, drawn_family):
    options = replace(OPTIONS, epochs=12, patience=12)
    plan = plan_tuning(named_library, model, path, names=["Anna"], options=options)
    concept = named_library.concepts.add("Cleo")
    photo = named_library.photos.at(drawn_family.strangers[0])
    named_library.concepts.add_reference(concept.id, photo.id)
    refresh_bank(named_library, model, path)
    assert run_plan(model, plan).is_saved
    assert concept.id in load_bank(path, fingerprint=model.fingerprint).concepts


@pytest.fixture
def improved(monkeypatch):
    """Every run does better than before, without any training."""

    def run(model, bank, concepts, *_, **__):
        made = [replace(bank.concepts[i], is_tuned=True) for i, one in concepts.items() if not one.is_frozen]
        return bank.with_concepts(made), SimpleNamespace(
            best_epoch=1, after=Validation(loss=0.0, accuracy=1.0, questions=1)
        )

    monkeypatch.setattr(library_tuning, "tune_bank", run)


def in_words(model, bank, concepts, photos, options, **_):
    trained = [i for i, one in concepts.items() if not one.is_frozen]
    worded = [begin_with_words(model, bank.concepts[i], "a tall woman") for i in trained]
    return TuningStart(bank.with_concepts(worded), options, "words", {})


def test_whoever_is_registered_on_the_way_can_be_put_into_words_later(
    named_library, model, path, monkeypatch, improved
):
    monkeypatch.setattr(library_tuning, "choose_start", in_words)
    assert tuned(named_library, model, path, "Anna").is_saved
    assert load_bank(path, fingerprint=model.fingerprint).has_open_words
    store = FeatureStore(model)
    bank = put_into_words(named_library, store, refresh_bank(named_library, model, path, store=store), path)
    ben = named_library.concepts.get("Ben").id
    assert bank.concepts[ben].words
    assert not load_bank(path, fingerprint=model.fingerprint).has_open_words


def test_where_everyone_is_tuned_no_words_are_open(named_library, model, path, improved):
    assert tuned(named_library, model, path).is_saved
    assert not load_bank(path, fingerprint=model.fingerprint).has_open_words


def test_words_that_another_process_left_open_stay_open(named_library, model, path, improved):
    plan = plan_tuning(named_library, model, path, options=OPTIONS)
    concept = named_library.concepts.add("Cleo")
    photo = next(named_library.photos.all())
    named_library.concepts.add_reference(concept.id, photo.id, box=(1, 1, 20, 20))
    refresh_bank(named_library, model, path)
    assert run_plan(model, plan).is_saved
    assert load_bank(path, fingerprint=model.fingerprint).has_open_words


def test_one_whose_earlier_photos_are_away_stays_as_it_is_known(
    named_library, model, path, drawn_family, tmp_path
):
    source = tmp_path / "drive.png"
    with Image.open(drawn_family.photos["Anna"][0]) as image:
        ImageOps.mirror(image).save(source)
    [file] = list_reference_files([source])
    cleo = add_references(named_library, "Cleo", [file]).concept.id
    [reference] = named_library.concepts.references(cleo)
    more = named_library.photos.at(drawn_family.strangers[0])
    named_library.concepts.add_reference(cleo, more.id)
    refresh_bank(named_library, model, path)
    source.unlink()
    named_library.concepts.add_reference(cleo, reference.photo.id, box=(1, 1, 9, 9))
    plan = plan_tuning(named_library, model, path, names=["Anna"], options=OPTIONS)
    assert plan.failed.keys() == {cleo}
    assert cleo in plan.known
    assert cleo not in plan.bank.concepts
    with pytest.raises(ConceptError, match="earlier photos of it cannot be found"):
        plan_tuning(named_library, model, path, names=["Cleo"], options=OPTIONS)


def test_nobody_and_unknown_names_are_errors(named_library, model, path):
    with pytest.raises(ConceptError, match='"Bob"'):
        plan_tuning(named_library, model, path, names=["Bob"], options=OPTIONS)
    for concept in named_library.concepts.all():
        named_library.concepts.remove(concept.name)
    with pytest.raises(ConceptError, match="no concepts yet"):
        plan_tuning(named_library, model, path, options=OPTIONS)


@pytest.mark.slow
def test_the_users_words_are_the_description_and_else_the_models(named_library, model):
    store = FeatureStore(model)
    result = register_concepts(named_library, store, Bank(model.fingerprint, ""))
    everyone = named_library.concepts.all()
    described = describe_concepts(named_library, store, result.bank, everyone, result.found)
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    assert described[anna].descriptions == ("the one called Anna",)
    assert len(described[ben].descriptions) <= 4
    assert all(not words.endswith(".") for words in described[ben].descriptions)


def test_reference_photos_are_learned_from_and_come_mirrored(named_library, model, path):
    store = FeatureStore(model)
    bank = refresh_bank(named_library, model, path, store=store).bank
    photos = gather_photos(named_library, store, bank)
    references = [photo for photo in photos if photo.present]
    assert len(references) == 6
    assert all(photo.mirrored is not None and not photo.likely & photo.present for photo in references)
    assert all(not photo.present and not photo.likely for photo in photos if photo not in references)
    save_bank(bank, path)


def test_a_file_that_is_another_picture_by_now_is_not_learned_from_mirrored(
    library, model, drawn_family, tmp_path
):
    path = tmp_path / "anna.png"
    path.write_bytes(drawn_family.photos["Anna"][0].read_bytes())
    index_folders(library, [path])
    photo = library.photos.at(path)
    mirror(model, photo)
    path.write_bytes(drawn_family.strangers[0].read_bytes())
    with pytest.raises(PhotoChangedError):
        mirror(model, photo)
