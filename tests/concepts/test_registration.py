"""A bank keeps step with its library: new, changed, gone, back, and nothing done twice."""

from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageOps

from photopal.concepts import Bank, load_bank, save_bank
from photopal.concepts.registration import FeatureStore, PhotosAwayError, refresh_bank, register_concepts
from photopal.errors import PhotoChangedError
from photopal.ingest.indexer import index_folders
from photopal.ingest.references import add_references, list_reference_files
from tests.ingest.test_identity import draw, save


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


@pytest.fixture
def unplugged(named_library, drawn_family, tmp_path):
    """Cleo's photos on a drive of their own, and a function that plugs it in or out."""
    drive, away = tmp_path / "drive", tmp_path / "away"
    drive.mkdir()
    copies = [drive / source.name for source in drawn_family.photos["Anna"][:3]]
    for source, copy in zip(drawn_family.photos["Anna"], copies, strict=False):
        with Image.open(source) as image:
            ImageOps.mirror(image).save(copy)
    cleo = add_references(named_library, "Cleo", list_reference_files(copies)).concept.id

    def plug(is_in):
        (away if is_in else drive).rename(drive if is_in else away)

    return cleo, plug


def add_photos(library, concept_id, paths):
    for path in paths:
        library.concepts.add_reference(concept_id, library.photos.at(path).id, box=(10, 10, 60, 60))


def test_what_is_known_stays_while_a_former_photo_is_away_and_a_new_one_counts_when_it_is_back(
    named_library, model, path, drawn_family, unplugged
):
    cleo, plug = unplugged
    known = refresh_bank(named_library, model, path).bank
    save_bank(known.with_concepts([replace(known.concepts[cleo], is_tuned=True)]), path)
    plug(False)
    add_photos(named_library, cleo, drawn_family.photos["Ben"][:1])
    during = refresh_bank(named_library, model, path, required=cleo)
    assert during.registered == ()
    assert isinstance(during.failed[cleo], PhotosAwayError)
    assert during.bank.concepts[cleo].is_tuned
    assert is_same(during.bank.concepts[cleo], known.concepts[cleo])
    plug(True)
    after = refresh_bank(named_library, model, path)
    assert (after.registered, after.failed) == ((cleo,), {})
    assert len(after.bank.concepts[cleo].made_from) == len(known.concepts[cleo].made_from) + 1
    assert refresh_bank(named_library, model, path).registered == ()


def test_a_new_concept_is_made_of_what_is_there_and_anew_once_more_is(
    named_library, model, path, drawn_family, unplugged
):
    cleo, plug = unplugged
    plug(False)
    add_photos(named_library, cleo, drawn_family.photos["Ben"][:1])
    part = refresh_bank(named_library, model, path)
    assert cleo in part.registered
    assert refresh_bank(named_library, model, path).registered == ()
    plug(True)
    whole = refresh_bank(named_library, model, path)
    assert whole.registered == (cleo,)
    assert not is_same(whole.bank.concepts[cleo], part.bank.concepts[cleo])
    assert refresh_bank(named_library, model, path).registered == ()


def test_photos_that_are_gone_for_good_hold_nothing_up(named_library, model, path, drawn_family, unplugged):
    cleo, plug = unplugged
    refresh_bank(named_library, model, path)
    references = named_library.concepts.references(cleo)
    plug(False)
    add_photos(named_library, cleo, drawn_family.photos["Ben"][:1])
    assert refresh_bank(named_library, model, path).registered == ()
    with named_library.writing():
        for reference in references:
            named_library.connection.execute(
                "UPDATE photos SET missing_since = '2026-01-01' WHERE id = ?", (reference.photo.id,)
            )
    assert refresh_bank(named_library, model, path).registered == (cleo,)


def test_as_many_new_photos_hold_nothing_up(named_library, model, path, drawn_family, unplugged):
    cleo, plug = unplugged
    known = refresh_bank(named_library, model, path).bank.concepts[cleo]
    plug(False)
    more = drawn_family.photos["Ben"] + drawn_family.photos["Anna"]
    add_photos(named_library, cleo, more[: len(known.made_from)])
    assert refresh_bank(named_library, model, path).registered == (cleo,)


def test_a_bank_of_before_does_not_tell_what_it_was_made_from(
    named_library, model, path, drawn_family, unplugged
):
    cleo, plug = unplugged
    known = refresh_bank(named_library, model, path).bank
    save_bank(known.with_concepts([replace(c, made_from=()) for c in known.concepts.values()]), path)
    assert refresh_bank(named_library, model, path).registered == ()
    plug(False)
    add_photos(named_library, cleo, drawn_family.photos["Ben"][:1])
    assert refresh_bank(named_library, model, path).registered == ()
    plug(True)
    assert refresh_bank(named_library, model, path).registered == (cleo,)


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


def test_nothing_is_learned_from_a_file_that_is_another_picture_by_now(
    library, model, path, drawn_family, tmp_path
):
    for photo in drawn_family.photos["Anna"]:
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    paths = sorted(tmp_path.glob("*.png"))
    add_references(library, "Anna", list_reference_files(paths))
    anna = library.concepts.get("Anna").id
    for file, stranger in zip(paths, drawn_family.strangers, strict=True):
        file.write_bytes(stranger.read_bytes())
    result = refresh_bank(library, model, path)
    assert (
        str(result.failed[anna]) == "its photos changed since they were indexed; run `photopal index` first"
    )
    assert anna not in result.bank.concepts
    for photo in library.photos.all():
        with pytest.raises(PhotoChangedError):
            FeatureStore(model).of(photo)
    for file, photo in zip(paths, drawn_family.photos["Anna"], strict=True):
        file.write_bytes(photo.read_bytes())  # at another time than before
    assert refresh_bank(library, model, path).registered == (anna,)


def test_where_its_photos_were_replaced_and_indexed_the_user_is_not_told_to_index_again(
    library, model, path, tmp_path
):
    reference = save(tmp_path / "anna.jpg", draw(0), taken_at="2019:05:03 12:00:00")
    add_references(library, "Anna", list_reference_files([reference]))
    anna = library.concepts.get("Anna").id
    save(reference, draw(1), taken_at="2020:05:03 12:00:00")
    index_folders(library, [reference])
    assert str(refresh_bank(library, model, path).failed[anna]) == "none of its photos can be found"
