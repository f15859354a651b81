"""What the user says of who is on a photo beats everything, for ever, and can be taken back."""

from datetime import date

import pytest

from photopal.errors import ConceptError, LibraryError
from photopal.ingest.indexer import index_folders
from photopal.library import Appearance, Library, SearchQuery


@pytest.fixture
def ben(library, make_photo):
    """Ben, by a reference photo 1 of two, and seen by a model on photos 2 and 3 with Anna."""
    anna, ben = library.concepts.add("Anna"), library.concepts.add("Ben")
    for number in (1, 2, 3, 4):
        library.photos.add(make_photo(number))
    library.concepts.add_reference(ben.id, 1)
    library.concepts.add_reference(ben.id, 4, box=(10, 20, 30, 40))
    for number in (2, 3):
        say(library, number, "Ben waves to Anna.", anna, ben)
    return ben


def say(library, photo_id, text, *concepts, corrections=""):
    everybody = library.concepts.all()
    library.captions.put(
        photo_id,
        text,
        model="m",
        bank="b",
        prompt_version="1",
        corrections=corrections,
        appearances=[
            Appearance(
                concept_id=one.id, score=0.5, is_present=one in concepts, point=(0.5, 0.5), box=(0, 0, 0.5, 1)
            )
            for one in everybody
        ],
    )


def found(library, text="", **query):
    return sorted(hit.photo.id for hit in library.search.find(SearchQuery(text=text, **query)))


def names(library, photo_id):
    hits = library.search.find(SearchQuery())
    return next(hit.names for hit in hits if hit.photo.id == photo_id)


def everything(library):
    """What search finds and shows, and what the user said."""
    words = [tuple(r) for r in library.connection.rows("SELECT * FROM photo_words ORDER BY key")]
    texts = [c.text if (c := library.captions.get(p.id)) else None for p in library.photos.all()]
    said = [library.corrections.words(p.id) for p in library.photos.all()]
    references = [[r.photo.id for r in library.concepts.references(c.id)] for c in library.concepts.all()]
    return words, texts, said, references


def test_a_name_taken_off_is_found_nowhere_and_the_others_stay(library, ben):
    library.corrections.put(2, ben.id, is_present=False)
    assert found(library, concepts=("Ben",)) == [1, 3, 4]
    assert found(library, "ben ") == [1, 3, 4]
    assert found(library, without_concepts=("Ben",)) == [2]
    assert found(library, concepts=("Anna",)) == [2, 3]
    assert names(library, 2) == ["Anna"]
    assert dict(library.search.count_by_concept(SearchQuery())) == {"Ben": 3, "Anna": 2}


def test_a_name_put_on_is_found_at_once_on_a_photo_no_model_has_seen(library, ben, make_photo):
    photo_id = library.photos.add(make_photo(9))
    library.corrections.put(photo_id, ben.id, is_present=True, box=(40, 30, 100, 60))
    assert photo_id in found(library, concepts=("Ben",))
    assert names(library, photo_id) == ["Ben"]
    [word] = library.corrections.words(photo_id).values()
    assert (word.source, word.verdict, word.box) == ("user", "yes", (0.1, 0.1, 0.25, 0.2))


@pytest.mark.parametrize("is_present", [True, False])
def test_whatever_models_say_later_the_word_stays(library, ben, is_present):
    library.corrections.put(2, ben.id, is_present=is_present)
    for concepts in ((ben,), ()):
        say(library, 2, "A photo.", *concepts)
        assert (2 in found(library, concepts=("Ben",))) == is_present


def test_a_models_caption_with_the_name_is_not_shown_and_comes_back_by_undo(library, ben):
    before = everything(library)
    library.corrections.put(2, ben.id, is_present=False)
    assert library.captions.get(2).text == ""
    assert found(library, "waves") == [3]
    assert found(library, has_caption=False) == [1, 2, 4]
    assert library.counts()["captioned"] == 1
    hits = library.search.find(SearchQuery(concepts=("Anna",)))
    assert {hit.photo.id: hit.caption for hit in hits} == {2: None, 3: "Ben waves to Anna."}
    assert library.search.count_by_caption(SearchQuery()) == [("Ben waves to Anna.", 1)]
    library.history.undo()
    assert everything(library) == before


def test_a_caption_without_the_name_is_shown_and_one_of_a_longer_name_too(library, ben):
    library.concepts.add("Ben Miller")
    library.corrections.put(2, ben.id, is_present=False)
    for text in ("Somebody waves to Anna.", "Ben Miller waves.", "Benny waves."):
        say(library, 2, text)
        assert library.captions.get(2).text == text
    for text in ("Ben and Ben Miller wave.", "BEN waves."):
        say(library, 2, text)
        assert library.captions.get(2).text == ""


def test_a_caption_written_after_a_name_was_taken_off_means_something_else_by_the_word(library, ben):
    may = library.concepts.add("May", kind="pet")
    for concept in (ben, may):
        library.corrections.put(2, concept.id, is_present=False)
    text = 'On 5 May 2019. Its file says "Ben at the lake".'
    say(library, 2, text, corrections=library.corrections.key(2))
    assert library.captions.get(2).text == text
    assert found(library, "lake") == [2]
    library.corrections.put(2, library.concepts.get("Anna").id, is_present=False)
    say(library, 2, "Anna and Ben.", corrections=f"!{ben.id}")
    assert library.captions.get(2).text == ""


def test_a_caption_stays_hidden_when_the_concept_is_removed_or_renamed(library, ben):
    library.corrections.put(2, ben.id, is_present=False)
    library.concepts.rename("Ben", "Benjamin")
    assert library.captions.get(2).text == ""
    say(library, 2, "BEN waves.")
    assert library.captions.get(2).text == ""
    library.concepts.remove("Benjamin")
    assert library.captions.get(2).text == ""


def test_the_key_of_what_was_said_changes_with_every_word_and_comes_back_by_undo(library, ben):
    keys = [library.corrections.key(2)]
    library.corrections.put(2, ben.id, is_present=False)
    keys.append(library.corrections.key(2))
    library.corrections.put(2, ben.id, is_present=True)
    keys.append(library.corrections.key(2))
    library.corrections.put(2, ben.id, is_present=True, box=(1, 1, 10, 10))
    keys.append(library.corrections.key(2))
    assert len(set(keys)) == 4
    for key in reversed(keys[:-1]):
        library.history.undo()
        assert library.corrections.key(2) == key


def test_a_word_said_again_is_no_entry_and_keeps_its_box(library, ben):
    library.corrections.put(2, ben.id, is_present=True, box=(1, 1, 10, 10))
    entries = library.history.entries()
    library.corrections.put(2, ben.id, is_present=True)
    assert library.history.entries() == entries
    assert library.corrections.words(2)[ben.id].box is not None


def test_taken_off_a_reference_photo_it_is_no_longer_one_and_undo_brings_both_back(library, ben):
    before = everything(library)
    library.corrections.put(4, ben.id, is_present=False)
    assert [r.photo.id for r in library.concepts.references(ben.id)] == [1]
    assert 4 not in found(library, concepts=("Ben",))
    library.history.undo()
    assert everything(library) == before
    assert library.concepts.references(ben.id)[1].box == (10, 20, 30, 40)


def test_the_only_reference_photo_is_not_removed_in_either_way(library, ben):
    library.concepts.remove_reference(ben.id, 4)
    before, entries = everything(library), library.history.entries()
    with pytest.raises(ConceptError, match="is the only reference photo of Ben") as caught:
        library.concepts.remove_reference(ben.id, 1)
    assert "photopal add-concept Ben PHOTO" in caught.value.hint
    with pytest.raises(ConceptError, match="is the only reference photo of Ben"):
        library.corrections.put(1, ben.id, is_present=False)
    assert (everything(library), library.history.entries()) == (before, entries)


def test_a_reference_photo_given_later_is_the_later_word(library, ben):
    library.corrections.put(2, ben.id, is_present=False)
    library.concepts.add_reference(ben.id, 2)
    assert 2 in found(library, concepts=("Ben",))
    library.history.undo()
    assert 2 not in found(library, concepts=("Ben",))


def test_a_box_outside_the_photo_and_photos_that_are_not_there_are_refused(library, ben):
    with pytest.raises(ConceptError, match="is outside the photo"):
        library.corrections.put(2, ben.id, is_present=True, box=(390, 0, 20, 20))
    with pytest.raises(LibraryError):
        library.corrections.put(99, ben.id, is_present=True)


def test_names_in_a_caption_written_by_hand_count_everywhere(library, ben):
    library.captions.edit(3, "José's party")
    jose = library.concepts.add("José")
    assert found(library, concepts=("José",)) == [3]
    assert names(library, 3) == ["Anna", "Ben", "José"]
    assert dict(library.search.count_by_concept(SearchQuery()))["José"] == 1
    assert library.corrections.words(3)[jose.id].source == "caption"
    library.concepts.remove("José")
    assert names(library, 3) == ["Anna", "Ben"]
    library.concepts.restore("José")
    library.captions.edit(3, "A party")
    assert found(library, concepts=("José",)) == []


def test_a_longer_name_that_comes_or_goes_changes_who_a_caption_names(library, ben):
    library.captions.edit(1, "Anna Maria swims")
    assert "Anna" in names(library, 1)
    library.concepts.add("Anna Maria")
    assert names(library, 1) == ["Anna Maria", "Ben"]
    library.history.undo()
    assert names(library, 1) == ["Anna", "Ben"]


def test_an_emoji_as_a_name_counts_in_a_caption_too(library, ben):
    library.captions.edit(3, "the 🐶 runs")
    library.concepts.add("🐶")
    assert found(library, concepts=("🐶",)) == [3]


def test_the_word_about_a_photo_beats_a_name_in_its_caption(library, ben):
    library.captions.edit(2, "Anna, photographed by Ben")
    library.corrections.put(2, ben.id, is_present=False)
    assert found(library, concepts=("Ben",)) == [1, 3, 4]
    assert library.captions.get(2).text == "Anna, photographed by Ben"
    library.captions.edit(2, "Anna, photographed by Ben again")
    assert 2 not in found(library, concepts=("Ben",))


def test_a_photo_that_moves_or_is_missing_for_a_while_keeps_the_word(library, ben, make_photo, tmp_path):
    library.corrections.put(2, ben.id, is_present=False)
    library.photos.add(make_photo(2, path=tmp_path / "elsewhere.jpg"))
    library.paths.mark_missing([make_photo(2).path])
    assert names(library, 2) == ["Anna"]
    library.paths.mark_missing([tmp_path / "elsewhere.jpg"])
    library.photos.add(make_photo(2))
    assert names(library, 2) == ["Anna"]


def test_models_are_unsure_where_they_were_asked_and_undecided(library, ben):
    for probability, is_present, verdict in [
        (None, True, "yes"), (0.9, True, "yes"), (0.6, True, "unsure"),
        (None, False, "no"), (0.1, False, "no"), (0.4, False, "unsure"),
    ]:  # fmt: skip
        seen = Appearance(
            concept_id=ben.id,
            score=0.0,
            is_present=is_present,
            point=(0, 0),
            box=None,
            probability=probability,
        )
        library.captions.put(2, "x", model="m", bank="b", prompt_version="1", appearances=[seen])
        [one] = library.corrections.evidence(2).concepts
        assert (one.verdict, one.source, one.probability) == (verdict, "model", probability)


def test_photos_to_learn_from_are_the_latest_of_either_kind_and_there(library, ben, make_photo):
    for number in (2, 3):
        library.corrections.put(number, ben.id, is_present=False)
    library.corrections.put(1, ben.id, is_present=True, box=(1, 2, 3, 4))
    said = library.corrections.of_concept(ben.id, most=1)
    assert [(one.photo.id, one.is_present, one.box) for one in said] == [
        (1, True, (1, 2, 3, 4)),
        (3, False, None),
    ]
    library.paths.mark_missing([make_photo(3).path])
    assert [one.photo.id for one in library.corrections.of_concept(ben.id, most=9)] == [1, 2]


def test_merged_concepts_are_one_and_split_they_are_two_again(library, ben, make_photo):
    benny, anna = library.concepts.add("Benny"), library.concepts.get("Anna")
    photo_id = library.photos.add(make_photo(7))
    library.concepts.add_reference(benny.id, photo_id)
    say(library, photo_id, "Benny sits with Anna.", benny, anna)
    before = everything(library)
    library.concepts.merge("ben", "benny")
    assert [concept.name for concept in library.concepts.all()] == ["Anna", "Ben"]
    assert found(library, concepts=("Ben",)) == [1, 2, 3, 4, photo_id]
    assert library.captions.get(photo_id).text == "Ben sits with Anna."
    assert [r.photo.id for r in library.concepts.references(ben.id)] == [1, 4, photo_id]
    assert library.counts()["references"] == 3
    assert library.concepts.merged_names() == {ben.id: ["Benny"]}
    after = everything(library)
    library.history.undo()
    assert everything(library) == before
    library.history.undo(library.history.entries(1)[0].id)
    assert everything(library) == after
    assert library.concepts.split("BENNY").id == benny.id
    assert everything(library) == before
    library.history.undo()
    assert everything(library) == after


def test_what_was_taken_off_while_merged_stays_off_when_split(library, ben):
    library.concepts.merge("Ben", "Anna")
    library.corrections.put(2, ben.id, is_present=False)
    assert 2 not in found(library, concepts=("Ben",))
    library.concepts.split("Anna")
    assert found(library, concepts=("Ben",)) == [1, 3, 4]
    assert found(library, concepts=("Anna",)) == [3]


def test_somebody_put_on_by_one_of_two_names_is_there_when_they_are_merged(library, ben):
    anna = library.concepts.get("Anna")
    library.corrections.put(2, ben.id, is_present=False)
    assert library.captions.get(2).text == ""
    library.concepts.merge("Ben", "Anna")
    assert 2 in found(library, concepts=("Ben",))
    assert library.corrections.evidence(2).concepts[0].concept_id == ben.id
    library.corrections.put(2, ben.id, is_present=False)
    assert 2 not in found(library, concepts=("Ben",))
    library.corrections.put(2, ben.id, is_present=True)
    assert 2 in found(library, concepts=("Ben",))
    assert anna.id not in library.corrections.words(2)


def test_captions_that_changed_since_a_merge_keep_their_words_when_split(library, ben):
    carl = library.concepts.add("Carl")
    say(library, 1, "Carl runs.", carl)
    library.captions.edit(4, "Carl sleeps")
    library.concepts.merge("Ben", "Carl")
    assert (library.captions.get(1).text, library.captions.get(4).text) == ("Ben runs.", "Ben sleeps")
    library.captions.edit(4, "Ben sleeps soundly")
    with pytest.raises(LibraryError, match="later changes"):
        library.history.undo(
            next(e.id for e in library.history.entries() if e.what == 'merged "Carl" into "Ben"')
        )
    library.concepts.split("Carl")
    assert (library.captions.get(1).text, library.captions.get(4).text) == (
        "Carl runs.",
        "Ben sleeps soundly",
    )


@pytest.mark.parametrize(
    ("since", "before", "after"),
    [
        (lambda c: c.rename("Ben", "Benjamin"), "Benjamin and Anna sleep", "Carl and Anna sleep"),
        (
            lambda c: (c.rename("Ben", "Benjamin"), c.rename("Benjamin", "Ben")),
            "Ben and Anna sleep",
            "Carl and Anna sleep",
        ),
        (lambda c: (c.add("Bob"), c.merge("Bob", "Ben")), "Bob and Anna sleep", "Carl and Anna sleep"),
        (
            lambda c: (c.add("Bob"), c.merge("Bob", "Ben"), c.rename("Bob", "Bo"), c.split("Ben")),
            "Ben and Anna sleep",
            "Carl and Anna sleep",
        ),
        (lambda c: c.rename("Anna", "Maria"), "Ben and Maria sleep", "Carl and Maria sleep"),
        (lambda c: (c.add("Eva"), c.merge("Eva", "Anna")), "Ben and Eva sleep", "Carl and Eva sleep"),
        (
            lambda c: (c.add("Eva"), c.merge("Eva", "Anna"), c.rename("Eva", "Eve"), c.split("Anna")),
            "Ben and Anna sleep",
            "Carl and Anna sleep",
        ),
    ],
)
def test_captions_get_their_words_back_when_split_also_if_names_changed_since(
    library, ben, since, before, after
):
    carl = library.concepts.add("Carl")
    library.captions.edit(4, "Carl and Anna sleep")
    library.concepts.merge("Ben", "Carl")
    since(library.concepts)
    assert library.captions.get(4).text == before
    library.concepts.split("Carl")
    assert library.captions.get(4).text == after
    assert carl.id in library.corrections.evidence(4).shown
    library.history.undo()
    assert library.captions.get(4).text == before
    library.captions.edit(4, f"{before} soundly")
    library.concepts.split("Carl")
    assert library.captions.get(4).text == f"{before} soundly"


def test_merges_of_captions_are_split_in_either_order(library, ben):
    library.concepts.add("Carl")
    library.captions.edit(1, "Carl runs")
    library.concepts.merge("Ben", "Carl")
    library.concepts.merge("Anna", "Ben")
    library.concepts.rename("Anna", "Maria")
    library.concepts.split("Carl")
    assert library.captions.get(1).text == "Carl runs"
    library.concepts.split("Ben")
    assert library.captions.get(1).text == "Carl runs"
    library.history.undo()
    library.history.undo()
    assert library.captions.get(1).text == "Maria runs"
    library.concepts.split("Ben")
    assert library.captions.get(1).text == "Ben runs"
    library.concepts.split("Carl")
    assert library.captions.get(1).text == "Carl runs"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Anna may be tired and will sleep", ["Anna"]),
        ("may and will at the lake, with anna", ["Anna"]),
        ("Will and May at the lake", ["Will", "May"]),
        ("Anna and May's dog, 5 May 2019", ["Anna", "May"]),
        ("Anna in May", ["Anna"]),
        ("On the 5th of May, Anna. May 2019, too", ["Anna"]),
        ("May Ling will swim", ["may ling"]),
        ("Rose among roses, a rose", ["rose"]),
    ],
)
def test_a_name_that_is_a_word_too_counts_where_it_is_written_as_a_name(library, ben, text, names):
    for name in ("Will", "May", "may ling", "rose"):
        library.concepts.add(name)
    library.captions.edit(3, text)
    known = library.corrections.evidence(3)
    by_hand = {known.names[word.concept_id] for word in known.words if word.source == "caption"}
    assert by_hand == set(names)
    assert (3 in found(library, concepts=("May",))) == ("May" in names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("teddy sits on the sofa", ["teddy"]),
        ("TEDDY AND JUNE AT THE LAKE", ["June", "teddy"]),
        ("Teddy and a rose", ["teddy"]),
        ("june and anna", ["Anna"]),
        ("June, 3 months old, with Anna", ["Anna", "June"]),
        ("Anna holds June, 80 today", ["Anna", "June"]),
        ("June, 3.5 years old", ["June"]),
        ("Anna, June, 2019", ["Anna"]),
        ("Anna, June, 5th, 2019", ["Anna"]),
        ("Anna, JUNE 2019", ["Anna"]),
        ("Sunday, 3 weeks old", ["Sunday"]),
        ("Sunday, 5 May 2019, Anna", ["Anna"]),
        ("Sunday, 5/6/2019, Anna", ["Anna"]),
        ("Sunday, 10:30, Anna", ["Anna"]),
    ],
)
def test_pets_and_things_count_in_small_letters_and_people_beside_their_age(library, ben, text, names):
    for name, kind in (("June", "person"), ("Rose", "person"), ("Sunday", "pet"), ("teddy", "thing")):
        library.concepts.add(name, kind=kind)
    library.captions.edit(3, text)
    known = library.corrections.evidence(3)
    by_hand = {known.names[word.concept_id] for word in known.words if word.source == "caption"}
    assert by_hand == set(names)


def test_a_models_caption_in_small_letters_is_not_shown_when_the_name_is_taken_off(library, ben):
    teddy, may = library.concepts.add("teddy", kind="thing"), library.concepts.add("May")
    text = "teddy sits on the sofa in May."
    say(library, 2, text, teddy, may)
    library.corrections.put(2, may.id, is_present=False)
    assert library.captions.get(2).text == text
    library.corrections.put(2, teddy.id, is_present=False)
    assert library.captions.get(2).text == ""


def test_a_caption_by_hand_names_who_was_renamed_or_merged_since_in_whichever_case(library, ben, make_photo):
    library.concepts.add("Benny")
    texts = ("ben at the lake", "BEN’S BIRTHDAY", "benny, reading")
    photo_ids = [library.photos.add(make_photo(number)) for number in (5, 6, 7)]
    for photo_id, text in zip(photo_ids, texts, strict=True):
        library.captions.edit(photo_id, text)

    def shown():
        return ["/".join(library.corrections.evidence(i).shown.values()) for i in photo_ids]

    before = everything(library)
    assert shown() == ["Ben", "Ben", "Benny"]
    library.concepts.rename("Ben", "Tom")
    assert shown() == ["Tom", "Tom", "Benny"]
    assert found(library, concepts=("Tom",)) == found(library, "tom") == [1, 2, 3, 4, *photo_ids[:2]]
    assert [library.captions.get(i).text for i in photo_ids] == list(texts)
    library.concepts.add("Ben")
    assert shown() == ["Ben", "Ben", "Benny"]
    assert found(library, concepts=("Tom",)) == [1, 2, 3, 4]
    library.concepts.remove("Ben")
    assert shown() == ["Tom", "Tom", "Benny"]
    library.concepts.merge("Benny", "Tom")
    assert shown() == ["Benny", "Benny", "Benny"]
    assert set(photo_ids) < set(found(library, concepts=("Benny",)))
    library.concepts.split("Tom")
    assert shown() == ["Tom", "Tom", "Benny"]
    library.concepts.remove("Tom")
    assert shown() == ["", "", "Benny"]
    for _ in range(6):
        library.history.undo()
    assert shown() == ["Ben", "Ben", "Benny"]
    assert everything(library) == before
    library.concepts.rename("Ben", "Tom")
    library.corrections.put(photo_ids[0], ben.id, is_present=False)
    assert shown() == ["", "Tom", "Benny"]


def test_a_caption_that_names_both_is_left_as_it_is(library, ben):
    library.concepts.merge("Ben", "Anna")
    assert library.captions.get(2).text == "Ben waves to Anna."


def test_merges_of_merged_concepts_are_split_one_by_one(library, ben):
    library.concepts.add("Carl")
    library.concepts.merge("Anna", "Ben")
    library.concepts.merge("Carl", "Anna")
    assert found(library, concepts=("Carl",)) == [1, 2, 3, 4]
    library.concepts.split("Anna")
    assert found(library, concepts=("Anna",)) == [1, 2, 3, 4]
    assert found(library, concepts=("Carl",)) == []
    library.concepts.split("Ben")
    assert found(library, concepts=("Anna",)) == [2, 3]


def test_who_is_merged_keeps_the_age_that_was_said_of_either(library, ben):
    day = date(2013, 6, 3)
    leo, carl = library.concepts.add("Leo"), library.concepts.add("Carl")
    library.concepts.set_age(leo.id, born=day)
    library.concepts.set_age(carl.id, born=2010, is_child=True)

    def age(name):
        concept = library.concepts.get(name)
        assert concept in library.concepts.all()
        return concept.born, concept.birthday, concept.is_child

    library.concepts.merge("Ben", "Leo")
    assert age("Ben") == (2013, "06-03", False)
    library.history.undo()
    assert age("Ben") == (None, None, False)
    library.concepts.merge("Leo", "Carl")
    library.concepts.merge("Ben", "Leo")
    assert age("Ben") == (2013, "06-03", True)
    library.concepts.set_age(ben.id, born=2012)
    assert age("Ben") == (2012, None, True)
    library.concepts.split("Carl")
    assert (age("Carl"), age("Ben")) == ((2010, None, True), (2012, None, False))
    library.concepts.split("Leo")
    assert age("Leo") == (2013, "06-03", False)


def test_what_cannot_be_merged_split_or_restored_is_refused_with_what_to_do(library, ben):
    with pytest.raises(ConceptError, match="cannot be merged with itself"):
        library.concepts.merge("Ben", "BEN")
    with pytest.raises(ConceptError, match='no concept named "Bob"'):
        library.concepts.merge("Ben", "Bob")
    library.concepts.merge("Ben", "Anna")
    with pytest.raises(ConceptError, match="was not removed but merged") as caught:
        library.concepts.restore("Anna")
    assert caught.value.hint == "photopal split-concept Anna"
    with pytest.raises(ConceptError, match="was merged") as caught:
        library.concepts.split("Ana")
    assert "Anna" in caught.value.hint
    library.concepts.add("Anna")
    with pytest.raises(ConceptError, match="is already in use"):
        library.concepts.split("Anna")


def test_a_library_of_before_counts_names_in_captions_written_by_hand(tmp_path, make_photo, monkeypatch):
    from photopal.library import migrations

    path = tmp_path / "old.db"
    with monkeypatch.context() as patch:
        before = migrations._STEPS.index(migrations.keep_corrections)
        patch.setattr(migrations, "_STEPS", migrations._STEPS[:before])
        with Library(path) as old:
            old.connection.execute(
                "INSERT INTO photos (id, content_hash, path, size_bytes, width_px, height_px, format,"
                " added_at) VALUES (1, 'x', '/p/1.jpg', 1, 8, 8, 'JPEG', '2024')"
            )
            old.connection.execute("INSERT INTO paths VALUES (?, 1, 1, 1, '2024', NULL)", (b"/p/1.jpg",))
            for name in ("Ben", "Anna"):
                old.connection.execute(
                    "INSERT INTO concepts (name, folded, kind, created_at) VALUES (?, ?, 'person', '2024')",
                    (name, name.lower()),
                )
            old.connection.execute(
                "INSERT INTO captions VALUES (1, 'Anna and Ben''s boat', '', NULL, '', '2024', 1)"
            )
            old.connection.execute(
                "INSERT INTO photo_words (key, photo_id, caption, place, file, facts)"
                " VALUES (1, 1, 'Anna and Ben''s boat', NULL, '1.jpg', 'p k h c2')"
            )
    with Library(path) as library:
        assert found(library, concepts=("Ben", "Anna")) == [1]
        [row] = library.connection.rows("SELECT names, facts FROM photo_words")
        assert tuple(row) == ("Ben / Anna", "p k c1 c2")
        library.connection.execute(
            "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
        )


def test_search_and_questions_follow_what_counts_since_an_earlier_version(library, ben, tmp_path):
    from photopal.library import migrations
    from photopal.library.connection import Connection

    library.concepts.add("May")
    library.captions.edit(2, "Anna may be tired")
    say(library, 3, "Ben waves.", ben)
    library.corrections.put(3, ben.id, is_present=False)
    library.corrections.put(1, ben.id, is_present=True, box=(1, 1, 10, 10))
    before = everything(library)

    def make_old():
        step = migrations._STEPS.index(migrations.note_stale_words)
        with library.writing():
            library.connection.execute("UPDATE photo_words SET names = 'May', facts = facts || ' c3'")
            library.connection.execute("DROP TABLE stale_words")
        library.connection.execute(f"PRAGMA user_version = {step}")
        assert len(found(library, concepts=("May",))) == 4

    for read_only in (False, True):
        make_old()
        with Library(library.path, read_only=read_only) as grown:
            assert everything(grown) == before
            assert found(grown, concepts=("May",)) == []
            assert grown.connection.rows("SELECT * FROM stale_words") == []
    # What is not done when the library grows is done by the next index.
    make_old()
    Connection(library.path).close()
    assert len(found(library, concepts=("May",))) == 4
    index_folders(library, [tmp_path])
    assert everything(library) == before


def test_two_concepts_are_never_merged_into_each_other_by_undo(library, ben):
    library.concepts.merge("Ben", "Anna")
    library.concepts.split("Anna")
    split = library.history.entries(1)[0]
    library.concepts.merge("Anna", "Ben")
    with pytest.raises(LibraryError, match="later changes"):
        library.history.undo(split.id)
    assert [concept.name for concept in library.concepts.all()] == ["Anna"]
    library.history.undo()
    library.history.undo(split.id)
    assert [concept.name for concept in library.concepts.all()] == ["Ben"]


def test_the_word_beats_what_the_file_says_of_who_is_on_it(library, ben, make_photo):
    photo_id = library.photos.add(make_photo(9))
    library.connection.execute("UPDATE photos SET persons = '[\"Ben\"]' WHERE id = ?", (photo_id,))
    library.corrections.put(photo_id, library.concepts.get("Anna").id, is_present=True)
    assert photo_id in found(library, concepts=("Ben",))
    library.corrections.put(photo_id, ben.id, is_present=False)
    assert photo_id not in found(library, concepts=("Ben",))
    library.history.undo()
    assert photo_id in found(library, concepts=("Ben",))
