"""Whatever the user changes is written down with the change, and can be taken back and done again."""

import pytest

from photopal.errors import ConceptError, LibraryError, NothingFoundError, UsageError
from photopal.library import Appearance, Library, SearchQuery
from photopal.text import replace_name


@pytest.fixture
def rex(library, make_photo):
    """Rex, seen in photo 1 by a model that names him, and in photo 2 by the user's word."""
    concept = library.concepts.add("Rex", kind="pet")
    one, two = (library.photos.add(make_photo(number)) for number in (1, 2))
    say(library, one, "Rex runs. Rex's ball is red; T-Rex and Rexona are not Rex.", concept)
    library.concepts.add_reference(concept.id, two, box=(1, 2, 3, 4))
    return concept


def say(library, photo_id, text, *concepts):
    seen = [
        Appearance(concept_id=concept.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)
        for concept in concepts
    ]
    library.captions.put(photo_id, text, model="m", bank="b", prompt_version="1", appearances=seen)


def found(library, text="", **query):
    return sorted(hit.photo.id for hit in library.search.find(SearchQuery(text=text, **query)))


def state(library):
    """Everything the user can have said, as it counts now."""
    concepts = library.concepts.all()
    captions = [library.captions.get(photo.id) for photo in library.photos.all()]
    words = library.connection.rows("SELECT caption, names, facts FROM photo_words ORDER BY key")
    return (
        concepts,
        [sorted((r.photo.id, str(r.box)) for r in library.concepts.references(c.id)) for c in concepts],
        [(caption.text, caption.by_hand) if caption else None for caption in captions],
        [library.corrections.words(photo.id) for photo in library.photos.all()],
        [tuple(row) for row in words],
    )


CHANGES = {
    "add": lambda library: library.concepts.add("Anna"),
    "rename": lambda library: library.concepts.rename("Rex", "Bruno"),
    "another case": lambda library: library.concepts.rename("Rex", "REX"),
    "change": lambda library: library.concepts.update(1, kind="thing", about="a rock"),
    "remove": lambda library: library.concepts.remove("Rex"),
    "taken off": lambda library: library.corrections.put(1, 1, is_present=False),
    "put on": lambda library: library.corrections.put(1, 1, is_present=True, box=(1, 2, 3, 4)),
    "reference": lambda library: library.concepts.add_reference(1, 1),
    "another box": lambda library: library.concepts.add_reference(1, 2, box=(9, 9, 9, 9)),
    "no reference": lambda library: library.concepts.remove_reference(1, 2),
    "edit": lambda library: library.captions.edit(1, "Mine"),
    "first caption": lambda library: library.captions.edit(2, "Mine of Rex"),
}
# The only reference photo cannot be removed.
BEFORE = {"no reference": CHANGES["reference"]}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_an_entry_is_undone_and_done_again(library, rex, change):
    if change in BEFORE:
        BEFORE[change](library)
    before, entries = state(library), len(library.history.entries())
    CHANGES[change](library)
    after = state(library)
    assert after != before
    assert len(library.history.entries()) == entries + 1
    undone = library.history.undo()
    assert state(library) == before
    library.history.undo(undone.id)
    assert state(library) == after
    library.history.undo()
    assert state(library) == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("add", 'added "Anna"'),
        ("rename", 'renamed "Rex" to "Bruno"'),
        ("change", 'changed the description of "Rex"'),
        ("remove", 'removed "Rex"'),
        ("reference", 'added a reference photo of "Rex"'),
        ("no reference", 'removed a reference photo of "Rex"'),
        ("edit", "edited the caption of PATH"),
        ("taken off", '"Rex" is not in PATH'),
        ("put on", '"Rex" is in PATH'),
    ],
)
def test_an_entry_says_what_was_done_to_whom_and_an_undo_repeats_it(library, rex, change, what):
    if change in BEFORE:
        BEFORE[change](library)
    CHANGES[change](library)
    what = what.replace("PATH", str(library.photos.get(1).path))
    assert library.history.entries(1)[0].what == what
    undone = library.history.undo()
    assert undone.what == f"undid: {what}"
    assert library.history.undo(undone.id).what == f"redid: {what}"


def test_undo_steps_back_through_all_changes_in_turn(library, rex):
    states = [state(library)]
    changes = [CHANGES[name] for name in CHANGES if name not in ("rename", "another case", "remove")]
    for change in [*changes, CHANGES["rename"], lambda library: library.concepts.remove("Bruno")]:
        change(library)
        states.append(state(library))
    for expected in reversed(states[:-1]):
        library.history.undo()
        assert state(library) == expected


def test_a_restored_concept_is_an_entry_too(library, rex):
    library.concepts.remove("Rex")
    library.concepts.restore("Rex")
    library.history.undo()
    assert library.concepts.all() == []
    library.history.undo()
    assert [concept.name for concept in library.concepts.all()] == ["Rex"]


def test_renaming_rewrites_whole_names_in_captions_and_in_search(library, rex):
    library.concepts.rename("Rex", "Bruno")
    text = library.captions.get(1).text
    assert text == "Bruno runs. Bruno's ball is red; T-Bruno and Rexona are not Bruno."
    assert found(library, "bruno ") == [1, 2]
    assert found(library, "rex ") == []
    library.history.undo()
    assert library.captions.get(1).text.startswith("Rex runs. Rex's ball")
    assert found(library, "bruno ") == []


def test_renaming_leaves_words_that_are_no_name_and_photos_of_others_alone(library, make_photo):
    rose, lily = library.concepts.add("Rose"), library.concepts.add("Lily")
    one, two = (library.photos.add(make_photo(number)) for number in (1, 2))
    say(library, one, "Rose holds a rose.", rose)
    say(library, two, "Lily waters a bed of Rose hips.", lily)
    library.concepts.rename("Rose", "Ruth")
    assert library.captions.get(one).text == "Ruth holds a rose."
    assert library.captions.get(two).text == "Lily waters a bed of Rose hips."


def test_a_longer_name_is_not_torn_apart(library, make_photo):
    anna, maria = library.concepts.add("Anna"), library.concepts.add("Anna Maria")
    photo_id = library.photos.add(make_photo(1))
    say(library, photo_id, "Anna Maria waves to Anna.", anna, maria)
    library.concepts.rename("Anna", "Hanna")
    assert library.captions.get(photo_id).text == "Anna Maria waves to Hanna."


def test_a_missing_photo_is_renamed_too_and_comes_back_with_the_new_name(library, rex, make_photo):
    library.paths.mark_missing([library.photos.get(1).path])
    library.concepts.rename("Rex", "Bruno")
    library.photos.add(make_photo(1))
    assert found(library, "bruno ") == [1, 2]
    assert library.captions.get(1).text.startswith("Bruno runs.")


def test_undoing_a_rename_also_renames_what_a_model_said_since(library, rex):
    library.concepts.rename("Rex", "Bruno")
    say(library, 1, "Bruno swims.", rex)
    say(library, 2, "Bruno sleeps.", rex)
    library.history.undo()
    assert library.captions.get(1).text == "Rex swims."
    assert library.captions.get(2).text == "Rex sleeps."
    library.history.undo(library.history.entries()[0].id)
    assert library.captions.get(2).text == "Bruno sleeps."


@pytest.mark.parametrize(
    ("text", "old", "new", "renamed"),
    [
        ("Rex", "Rex", "Bo", "Bo"),
        ("Rex, Rex.", "Rex", "Bo", "Bo, Bo."),
        ("Rexona Rex_1 aRex", "Rex", "Bo", "Rexona Rex_1 aRex"),
        ("राम रामा", "राम", "श्याम", "श्याम रामा"),
        ("the 🐶 runs", "🐶", "Bo", "the Bo runs"),
        ("C-3PO and C-3POx", "C-3PO", "R2", "R2 and C-3POx"),
        ("RexRex Rex", "Rex", "Rex Rex", "RexRex Rex Rex"),
        ("a\\1b Rex", "Rex", r"\1\g<0>", r"a\1b \1\g<0>"),
    ],
)
def test_a_name_is_replaced_where_it_stands_whole(text, old, new, renamed):
    assert replace_name(text, old, new) == renamed


def test_a_hand_written_caption_is_found_by_the_names_in_it(library, make_photo):
    library.concepts.add("Rex")
    photo_id = library.photos.add(make_photo(1))
    library.captions.edit(photo_id, "Here is Rex, asleep.")
    assert found(library, concepts=("Rex",)) == [photo_id]
    library.concepts.rename("Rex", "Bruno")
    assert library.captions.get(photo_id).text == "Here is Bruno, asleep."
    assert found(library, concepts=("Bruno",)) == [photo_id]


def test_a_model_does_not_overwrite_what_the_user_wrote(library, rex):
    library.captions.edit(1, "  My\n own \x1b[31mwords  ")
    say(library, 1, "A dog.", rex)
    caption = library.captions.get(1)
    assert (caption.text, caption.by_hand, caption.model) == ("My own [31mwords", True, "m")
    assert len(caption.appearances) == 1
    library.captions.release(1)
    say(library, 1, "A dog.", rex)
    assert (library.captions.get(1).text, library.captions.get(1).by_hand) == ("A dog.", False)


def test_a_caption_cannot_be_empty_or_endless(library, rex):
    for text in ("", " \n\x00", "x" * 5001):
        with pytest.raises(UsageError):
            library.captions.edit(1, text)
    with pytest.raises(LibraryError):
        library.captions.edit(99, "x")


def test_a_command_of_several_changes_is_one_entry(library, make_photo):
    photo_id = library.photos.add(make_photo(1))
    with library.history.recording("added Anna"):
        concept = library.concepts.add("Anna")
        library.concepts.add_reference(concept.id, photo_id)
    assert [entry.what for entry in library.history.entries()] == ["added Anna"]
    library.history.undo()
    assert library.concepts.all() == []
    assert found(library, "anna") == []


def test_a_change_that_fails_or_changes_nothing_leaves_no_entry(library, rex):
    entries = library.history.entries()
    with pytest.raises(ConceptError):
        library.concepts.rename("Rex", "")
    with pytest.raises(KeyError), library.history.recording("broken"):  # noqa: PT012
        library.concepts.add("Anna")
        raise KeyError
    library.concepts.remove_reference(rex.id, 1)
    library.concepts.update(rex.id)
    assert library.history.entries() == entries
    assert [concept.name for concept in library.concepts.all()] == ["Rex"]


def test_what_models_and_indexing_do_is_no_entry(library, rex, make_photo):
    entries = library.history.entries()
    say(library, 1, "A dog.", rex)
    library.photos.add(make_photo(3))
    library.paths.mark_missing([library.photos.get(1).path])
    assert library.history.entries() == entries


def test_an_older_entry_can_be_undone_where_nothing_depends_on_it(library, rex):
    library.captions.edit(1, "Mine")
    edit = library.history.entries()[0]
    library.concepts.add("Anna")
    library.history.undo(edit.id)
    assert library.captions.get(1).text.startswith("Rex runs.")
    assert [concept.name for concept in library.concepts.all()] == ["Anna", "Rex"]


def test_what_was_changed_again_since_is_not_undone_blindly(library, rex):
    library.captions.edit(1, "first")
    first = library.history.entries()[0]
    library.captions.edit(1, "second")
    second = library.history.entries()[0]
    with pytest.raises(LibraryError, match="cannot be undone: there are later changes") as caught:
        library.history.undo(first.id)
    assert f"entry {second.id}" in caught.value.hint
    assert library.captions.get(1).text == "second"
    assert library.history.entries()[0] == second


def test_what_was_removed_and_restored_since_is_not_undone_before_that(library, rex):
    library.concepts.rename("Rex", "Max")
    renamed = library.history.entries(1)[0].id
    library.concepts.remove("Max")
    library.concepts.restore("Max")
    with pytest.raises(LibraryError) as raised:
        library.history.undo(renamed)
    assert f"First undo entry {renamed + 2}" in raised.value.hint
    for _ in range(3):
        library.history.undo()
    assert [concept.name for concept in library.concepts.all()] == ["Rex"]


def test_a_name_that_is_taken_meanwhile_is_not_taken_twice(library, rex):
    library.concepts.remove("Rex")
    removal = library.history.entries()[0]
    library.concepts.add("rex")
    with pytest.raises(ConceptError, match="has been used by a later change"):
        library.history.undo(removal.id)
    assert [concept.name for concept in library.concepts.all()] == ["rex"]


def test_there_may_be_nothing_to_undo(library):
    with pytest.raises(NothingFoundError):
        library.history.undo()
    for number in (0, 7, -1, 1 << 70):
        with pytest.raises(UsageError):
            library.history.undo(number)


def test_an_entry_is_undone_once(library):
    library.concepts.add("Anna")
    made = library.history.undo()
    with pytest.raises(UsageError, match="was already undone by entry") as caught:
        library.history.undo(made.undoes)
    assert str(made.id) in caught.value.hint


def test_the_journal_tells_what_was_done_and_survives_closing(library, rex, tmp_path):
    library.concepts.rename("Rex", "Bruno")
    library.history.undo()
    with Library(tmp_path / "library.db", read_only=True) as reader:
        entries = reader.history.entries()
    assert entries[0].what == 'undid: renamed "Rex" to "Bruno"'
    assert entries[1].undone_by == entries[0].id
    assert entries[0].undoes == entries[1].id


def test_a_moved_photo_keeps_caption_names_references_and_what_the_user_wrote(
    library, rex, make_photo, tmp_path
):
    library.captions.edit(2, "Rex on the sofa")
    before = state(library)[:3]
    for number in (1, 2):
        moved = make_photo(number, path=tmp_path / "elsewhere" / f"renamed{number}.jpg")
        assert library.photos.add(moved) == number
        library.paths.mark_missing([make_photo(number).path])
        assert library.photos.get(number).path == moved.path
    assert state(library)[:3] == before
    assert found(library, concepts=("Rex",)) == found(library, "renamed") == [1, 2]
    library.history.undo()
    assert library.captions.get(2) is None
