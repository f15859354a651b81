"""What the user says of people, pets and things is kept, and can be taken back."""

import io

import pytest
from PIL import Image

from photopal.errors import ConceptError, LibraryError
from photopal.library import Appearance, SearchQuery


def names_found(library, text):
    return [hit.photo.id for hit in library.search(SearchQuery(text=text))]


def mask_png(width_px, height_px):
    encoded = io.BytesIO()
    Image.new("L", (width_px, height_px)).save(encoded, "PNG")
    return encoded.getvalue()


def test_a_concept_is_kept(library):
    rex = library.add_concept(" Rex ", kind="pet", about="the neighbour's")
    assert (rex.name, rex.kind, rex.about) == ("Rex", "pet", "the neighbour's")
    library.add_concept("Anna")
    assert library.concept("rex") == rex
    assert [concept.name for concept in library.concepts()] == ["Anna", "Rex"]


@pytest.mark.parametrize("name", ["rené", "RENÉ", "rene\u0301", "  René  "])
def test_a_name_is_one_in_whichever_case_and_encoding(library, name):
    library.add_concept("René")
    assert library.concept(name).name == "René"
    with pytest.raises(ConceptError, match="is already in use"):
        library.add_concept(name)


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "\ud800", "x" * 81])
def test_an_unusable_name_is_refused(library, name):
    with pytest.raises(ConceptError):
        library.add_concept(name)
    assert library.concepts() == []


def test_a_kind_is_one_of_three(library):
    with pytest.raises(ConceptError, match="invalid kind 'place'") as caught:
        library.add_concept("Rome", kind="place")
    assert caught.value.hint == "Use person, pet or thing."


def test_an_unknown_name_gets_the_nearest_one_as_a_hint(library):
    with pytest.raises(ConceptError) as caught:
        library.concept("Bella")
    assert caught.value.hint == "photopal add-concept NAME PHOTO..."
    library.add_concept("Bella")
    for name, hint in (("Bela", 'Did you mean "Bella"?'), ("Zzz", "Known names: Bella.")):
        with pytest.raises(ConceptError) as caught:
            library.concept(name)
        assert caught.value.hint == hint


def test_reference_photos_keep_box_and_mask(library, make_photo):
    concept = library.add_concept("Rex", kind="pet")
    one, two = (library.add_photo(make_photo(number)) for number in (1, 2))
    mask = mask_png(400, 300)
    library.add_reference(concept.id, two, box=(10, 20, 30, 40), mask_png=mask)
    library.add_reference(concept.id, one)
    first, second = library.references(concept.id)
    assert (first.photo.id, first.box, first.mask_png) == (two, (10, 20, 30, 40), mask)
    assert (second.photo.id, second.box, second.mask_png) == (one, None, None)
    library.add_reference(concept.id, two)
    assert [(shown.photo.id, shown.box) for shown in library.references(concept.id)] == [
        (two, None),
        (one, None),
    ]
    library.remove_reference(concept.id, two)
    assert [shown.photo.id for shown in library.references(concept.id)] == [one]


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 0, 5), (390, 0, 20, 5), (0, 0, 400, 301)])
def test_a_box_outside_its_photo_is_refused(library, make_photo, box):
    concept, photo_id = library.add_concept("Rex"), library.add_photo(make_photo(1))
    with pytest.raises(ConceptError, match="400 x 300"):
        library.add_reference(concept.id, photo_id, box=box)


@pytest.mark.parametrize("mask", [b"", b"no png", mask_png(300, 400)])
def test_a_mask_that_does_not_fit_is_refused(library, make_photo, mask):
    concept, photo_id = library.add_concept("Rex"), library.add_photo(make_photo(1))
    with pytest.raises(ConceptError, match="mask"):
        library.add_reference(concept.id, photo_id, mask_png=mask)


def test_references_to_nothing_are_refused(library, make_photo):
    concept, photo_id = library.add_concept("Rex"), library.add_photo(make_photo(1))
    with pytest.raises(ConceptError):
        library.add_reference(99, photo_id)
    with pytest.raises(LibraryError):
        library.add_reference(concept.id, 99)


def test_a_reference_photo_is_found_by_name_and_follows_a_rename(library, make_photo):
    concept, photo_id = library.add_concept("Rex"), library.add_photo(make_photo(1))
    library.add_reference(concept.id, photo_id)
    assert names_found(library, "rex") == [photo_id]
    renamed = library.rename_concept("REX", "Bruno")
    assert renamed.id == concept.id
    assert names_found(library, "rex") == []
    assert names_found(library, "bruno") == [photo_id]
    assert library.rename_concept("bruno", "BRUNO").name == "BRUNO"


def test_a_name_that_is_taken_cannot_be_given_again(library):
    library.add_concept("Rex")
    library.add_concept("Bruno")
    with pytest.raises(ConceptError, match="is already in use"):
        library.rename_concept("Bruno", "rex")


def test_a_removed_concept_can_be_restored_with_all_it_had(library, make_photo):
    concept, photo_id = library.add_concept("Rex"), library.add_photo(make_photo(1))
    library.add_reference(concept.id, photo_id, box=(1, 2, 3, 4))
    seen = Appearance(concept.id, 0.9, True, (0.5, 0.5), None)
    library.save_caption(photo_id, "A dog.", model="m", bank="b", prompt_version="1", appearances=[seen])
    library.remove_concept("rex")
    assert library.concepts() == []
    assert names_found(library, "rex") == []
    assert library.caption(photo_id).appearances == ()
    assert library.counts()["references"] == 0
    assert library.restore_concept("Rex").id == concept.id
    assert names_found(library, "rex") == [photo_id]
    assert library.caption(photo_id).appearances == (seen,)
    assert library.references(concept.id)[0].box == (1, 2, 3, 4)


def test_a_removed_name_is_free(library):
    old = library.add_concept("Rex")
    library.remove_concept("Rex")
    assert library.add_concept("rex").id != old.id
    with pytest.raises(ConceptError, match="is already in use"):
        library.restore_concept("Rex")
    with pytest.raises(ConceptError, match="removed"):
        library.restore_concept("Anna")
