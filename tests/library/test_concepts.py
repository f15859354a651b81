"""What the user says of people, pets and things is kept, and can be taken back."""

import io
import sqlite3
from contextlib import closing

import pytest
from PIL import Image

from photopal.errors import ConceptError, LibraryError
from photopal.library import Appearance, Library, SearchQuery


def names_found(library, text):
    return [hit.photo.id for hit in library.search.find(SearchQuery(text=text))]


def mask_png(width_px, height_px):
    encoded = io.BytesIO()
    Image.new("L", (width_px, height_px)).save(encoded, "PNG")
    return encoded.getvalue()


def test_a_concept_is_kept(library):
    rex = library.concepts.add(" Rex ", kind="pet", about="the neighbour's")
    assert (rex.name, rex.kind, rex.about) == ("Rex", "pet", "the neighbour's")
    library.concepts.add("Anna")
    assert library.concepts.get("rex") == rex
    assert [concept.name for concept in library.concepts.all()] == ["Anna", "Rex"]


@pytest.mark.parametrize("name", ["rené", "RENÉ", "rene\u0301", "  René  "])
def test_a_name_is_one_in_whichever_case_and_encoding(library, name):
    library.concepts.add("René")
    assert library.concepts.get(name).name == "René"
    with pytest.raises(ConceptError, match="is already in use"):
        library.concepts.add(name)


def test_a_name_is_one_with_whichever_apostrophe(library):
    oneil = library.concepts.add("O’Neil")
    assert library.concepts.get("O'Neil") == library.concepts.get("o‘neil") == oneil
    with pytest.raises(ConceptError, match='the name "O’Neil" is already in use'):
        library.concepts.add("O'NEIL")
    library.concepts.add("Anna")
    with pytest.raises(ConceptError, match="is already in use"):
        library.concepts.rename("Anna", "O'Neil")
    assert library.concepts.rename("O'Neil", "O'Neil").name == "O'Neil"
    library.concepts.remove("O’Neil")
    assert library.concepts.removed_names() == ["O'Neil"]
    assert library.concepts.restore("O’Neil").id == oneil.id
    library.concepts.merge("Anna", "O’Neil")
    assert library.concepts.split("O’Neil").id == oneil.id


def test_a_removed_name_does_not_come_back_beside_one_that_is_written_alike(library):
    library.concepts.add("O’Neil")
    library.concepts.remove("O’Neil")
    library.concepts.add("O'Neil")
    assert library.concepts.removed_names() == []
    with pytest.raises(ConceptError, match='"O\'Neil" is already in use'):
        library.concepts.restore("O’Neil")
    removal = library.history.entries(2)[1]
    with pytest.raises(ConceptError, match="has been used by a later change"):
        library.history.undo(removal.id)


def test_names_that_differ_in_the_apostrophe_and_were_kept_apart_stay_apart(tmp_path, make_photo):
    path = tmp_path / "library.db"
    with Library(path) as library:
        first, second = library.concepts.add("O’Neil"), library.concepts.add("Twin")
        library.concepts.add_reference(second.id, library.photos.add(make_photo(1)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE concepts SET name = 'O''Neil', folded = 'o''neil' WHERE name = 'Twin'")
    with Library(path) as library:
        concepts = library.concepts
        assert (concepts.get("O’NEIL").id, concepts.get("O'NEIL").id) == (first.id, second.id)
        assert concepts.get("O‘Neil").id in (first.id, second.id)
        concepts.update(first.id, about="tall")
        concepts.merge("O’Neil", "O'Neil")
        assert [concept.id for concept in concepts.all()] == [first.id]
        assert concepts.get("O'Neil").id == first.id
        library.history.undo()
        assert concepts.get("O'Neil").id == second.id
        assert concepts.rename("O'Neil", "Pat").id == second.id
        assert concepts.get("O'Neil").id == first.id


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "\ud800", "x" * 81])
def test_an_unusable_name_is_refused(library, name):
    with pytest.raises(ConceptError):
        library.concepts.add(name)
    assert library.concepts.all() == []


def test_a_kind_is_one_of_three(library):
    with pytest.raises(ConceptError, match="invalid kind 'place'") as caught:
        library.concepts.add("Rome", kind="place")
    assert caught.value.hint == "Use person, pet or thing."


def test_an_unknown_name_gets_the_nearest_one_as_a_hint(library):
    with pytest.raises(ConceptError) as caught:
        library.concepts.get("Bella")
    assert caught.value.hint == "photopal add-concept NAME PHOTO..."
    library.concepts.add("Bella")
    for name, hint in (("Bela", 'Did you mean "Bella"?'), ("Zzz", "Known names: Bella.")):
        with pytest.raises(ConceptError) as caught:
            library.concepts.get(name)
        assert caught.value.hint == hint


def test_reference_photos_keep_box_and_mask(library, make_photo):
    concept = library.concepts.add("Rex", kind="pet")
    one, two = (library.photos.add(make_photo(number)) for number in (1, 2))
    mask = mask_png(400, 300)
    library.concepts.add_reference(concept.id, two, box=(10, 20, 30, 40), mask_png=mask)
    library.concepts.add_reference(concept.id, one)
    first, second = library.concepts.references(concept.id)
    assert (first.photo.id, first.box, first.mask_png) == (two, (10, 20, 30, 40), mask)
    assert (second.photo.id, second.box, second.mask_png) == (one, None, None)
    library.concepts.add_reference(concept.id, two)
    assert [(shown.photo.id, shown.box) for shown in library.concepts.references(concept.id)] == [
        (two, None),
        (one, None),
    ]
    library.concepts.remove_reference(concept.id, two)
    assert [shown.photo.id for shown in library.concepts.references(concept.id)] == [one]


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 0, 5), (390, 0, 20, 5), (0, 0, 400, 301)])
def test_a_box_outside_its_photo_is_refused(library, make_photo, box):
    concept, photo_id = library.concepts.add("Rex"), library.photos.add(make_photo(1))
    with pytest.raises(ConceptError, match="400 x 300"):
        library.concepts.add_reference(concept.id, photo_id, box=box)


@pytest.mark.parametrize("mask", [b"", b"no png", mask_png(300, 400)])
def test_a_mask_that_does_not_fit_is_refused(library, make_photo, mask):
    concept, photo_id = library.concepts.add("Rex"), library.photos.add(make_photo(1))
    with pytest.raises(ConceptError, match="mask"):
        library.concepts.add_reference(concept.id, photo_id, mask_png=mask)


def test_references_to_nothing_are_refused(library, make_photo):
    concept, photo_id = library.concepts.add("Rex"), library.photos.add(make_photo(1))
    with pytest.raises(ConceptError):
        library.concepts.add_reference(99, photo_id)
    with pytest.raises(LibraryError):
        library.concepts.add_reference(concept.id, 99)


def test_a_reference_photo_is_found_by_name_and_follows_a_rename(library, make_photo):
    concept, photo_id = library.concepts.add("Rex"), library.photos.add(make_photo(1))
    library.concepts.add_reference(concept.id, photo_id)
    assert names_found(library, "rex") == [photo_id]
    renamed = library.concepts.rename("REX", "Bruno")
    assert renamed.id == concept.id
    assert names_found(library, "rex") == []
    assert names_found(library, "bruno") == [photo_id]
    assert library.concepts.rename("bruno", "BRUNO").name == "BRUNO"


def test_a_name_that_is_taken_cannot_be_given_again(library):
    library.concepts.add("Rex")
    library.concepts.add("Bruno")
    with pytest.raises(ConceptError, match="is already in use"):
        library.concepts.rename("Bruno", "rex")


def test_a_removed_concept_can_be_restored_with_all_it_had(library, make_photo):
    concept, photo_id = library.concepts.add("Rex"), library.photos.add(make_photo(1))
    library.concepts.add_reference(concept.id, photo_id, box=(1, 2, 3, 4))
    seen = Appearance(concept_id=concept.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)
    library.captions.put(photo_id, "A dog.", model="m", bank="b", prompt_version="1", appearances=[seen])
    library.concepts.remove("rex")
    assert library.concepts.all() == []
    assert names_found(library, "rex") == []
    assert library.captions.get(photo_id).appearances == ()
    assert library.counts()["references"] == 0
    assert library.concepts.restore("Rex").id == concept.id
    assert names_found(library, "rex") == [photo_id]
    assert library.captions.get(photo_id).appearances == (seen,)
    assert library.concepts.references(concept.id)[0].box == (1, 2, 3, 4)


def test_a_removed_name_is_free(library):
    old = library.concepts.add("Rex")
    library.concepts.remove("Rex")
    assert library.concepts.add("rex").id != old.id
    with pytest.raises(ConceptError, match="is already in use"):
        library.concepts.restore("Rex")
    with pytest.raises(ConceptError, match="removed"):
        library.concepts.restore("Anna")
