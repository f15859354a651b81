"""A bank keeps step with its library: new, changed, gone, back, and nothing done twice."""

from dataclasses import replace

import pytest
import torch

from photopal.concepts import Bank, load_bank, save_bank
from photopal.concepts.registration import FeatureStore, refresh_bank, register_concepts


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


def is_same(one, other):
    return torch.equal(one.inputs, other.inputs) and torch.equal(one.outputs, other.outputs)


def test_what_is_registered_is_not_registered_again(named_library, model, path):
    first = refresh_bank(named_library, model, path)
    assert set(first.registered) == {c.id for c in named_library.concepts.all()}
    stamp = path.stat().st_mtime_ns
    second = refresh_bank(named_library, model, path)
    assert (second.registered, second.found) == ((), {})
    assert second.bank.version == first.bank.version
    assert path.stat().st_mtime_ns == stamp


def test_further_photos_register_their_concept_anew_and_no_other(named_library, model, path, drawn_family):
    before = refresh_bank(named_library, model, path).bank
    anna, ben = (named_library.concepts.get(name).id for name in ("Anna", "Ben"))
    tuned = before.with_concepts([replace(before.concepts[ben], is_tuned=True)])
    save_bank(tuned, path)
    photo = named_library.photos.at(drawn_family.strangers[0])
    named_library.concepts.add_reference(anna, photo.id, box=(10, 10, 60, 60))
    after = refresh_bank(named_library, model, path)
    assert after.registered == (anna,)
    assert is_same(after.bank.concepts[ben], before.concepts[ben])
    assert after.bank.concepts[ben].is_tuned
    assert not is_same(after.bank.concepts[anna], before.concepts[anna])


def test_a_box_that_changes_registers_anew(named_library, model, path):
    refresh_bank(named_library, model, path)
    anna = named_library.concepts.get("Anna")
    photo = named_library.concepts.references(anna.id)[0].photo
    named_library.concepts.add_reference(anna.id, photo.id, box=(0, 0, 20, 20))
    assert refresh_bank(named_library, model, path).registered == (anna.id,)


def test_a_removed_concept_is_forgotten_and_comes_back_when_restored(named_library, model, path):
    before = refresh_bank(named_library, model, path).bank
    anna = named_library.concepts.get("Anna").id
    named_library.concepts.remove("Anna")
    assert anna not in refresh_bank(named_library, model, path).bank.concepts
    assert anna not in load_bank(path, fingerprint=model.fingerprint).concepts
    named_library.concepts.restore("Anna")
    after = refresh_bank(named_library, model, path).bank
    assert is_same(after.concepts[anna], before.concepts[anna])


def test_a_concept_whose_photos_are_gone_keeps_its_rows(named_library, model, path, tmp_path, drawn_family):
    copies = [tmp_path / source.name for source in drawn_family.strangers]
    for source, copy in zip(drawn_family.strangers, copies, strict=True):
        copy.write_bytes(source.read_bytes() + b" ")
    from photopal.ingest.references import add_references, list_reference_files

    added = add_references(named_library, "Cleo", list_reference_files(copies))
    before = refresh_bank(named_library, model, path).bank
    for copy in copies:
        copy.unlink()
    named_library.concepts.rename("Ben", "Benjamin")
    anna = named_library.concepts.get("Anna")
    named_library.concepts.add_reference(
        anna.id, named_library.concepts.references(anna.id)[0].photo.id, box=(0, 0, 9, 9)
    )
    after = refresh_bank(named_library, model, path)
    assert after.registered == (anna.id,)
    assert is_same(after.bank.concepts[added.concept.id], before.concepts[added.concept.id])


def test_the_bank_of_a_library_without_names_is_empty(model, path, tmp_path):
    from photopal.library import Library

    with Library(tmp_path / "empty.db") as library:
        assert refresh_bank(library, model, path).bank.concepts == {}
    assert not path.exists()


def test_the_same_seed_registers_the_same_rows(named_library, model):
    store, empty = FeatureStore(model), Bank(model.fingerprint, "")
    one, two = (register_concepts(named_library, store, empty).bank for _ in range(2))
    assert one.version == two.version


def test_a_store_keeps_no_more_than_it_may_and_encodes_each_photo_once(named_library, model, monkeypatch):
    rows = list(named_library.photos.all())[:3]
    store = FeatureStore(model, most_bytes=1)
    assert store.of(rows[0]) is store.of(rows[0])
    for row in rows:
        store.of(row)
    assert len(store._cached) == 1
