"""However changes, undos and redos follow each other, going back leads to where it began."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photopal.errors import PhotopalError
from photopal.library import Appearance, Library, SearchQuery
from photopal.library.fts import WordIndex
from photopal.photos import Exif, Photo

NAMES = st.sampled_from(["Anna", "Rex", "anna", "Anna Maria", "Bo"])
PHOTOS = st.integers(1, 3)
STEPS = st.one_of(
    st.tuples(st.just("add"), NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("restore"), NAMES),
    st.tuples(st.just("reference"), NAMES, PHOTOS, st.booleans()),
    st.tuples(st.just("no reference"), NAMES, PHOTOS),
    st.tuples(st.just("edit"), PHOTOS, st.sampled_from(["Anna with Rex", "Bo's ball", "nobody"])),
    st.tuples(st.just("release"), PHOTOS),
    st.tuples(st.just("word"), NAMES, PHOTOS, st.booleans()),
    st.tuples(st.just("merge"), NAMES, NAMES),
    st.tuples(st.just("split"), NAMES),
    st.tuples(st.just("undo")),
    st.tuples(st.just("undo entry"), st.integers(2, 12)),
)


def undo_latest(library: Library) -> None:
    # The first entry is where the story begins.
    if any(e.undoes is None and e.undone_by is None and e.id > 1 for e in library.history.entries(99)):
        library.history.undo()


def reference(library: Library, name: str, photo_id: int, has_box: bool) -> None:
    library.concepts.add_reference(
        library.concepts.get(name).id, photo_id, box=(1, 1, 2, 2) if has_box else None
    )


ACTIONS = {
    "add": lambda library, name: library.concepts.add(name),
    "rename": lambda library, name, new: library.concepts.rename(name, new),
    "remove": lambda library, name: library.concepts.remove(name),
    "restore": lambda library, name: library.concepts.restore(name),
    "reference": reference,
    "no reference": lambda library, name, photo: library.concepts.remove_reference(
        library.concepts.get(name).id, photo
    ),
    "word": lambda library, name, photo, is_present: library.corrections.put(
        photo, library.concepts.get(name).id, is_present=is_present
    ),
    "merge": lambda library, name, other: library.concepts.merge(name, other),
    "split": lambda library, name: library.concepts.split(name),
    "edit": lambda library, photo, text: library.captions.edit(photo, text),
    "release": lambda library, photo: library.captions.release(photo),
    "undo": undo_latest,
    "undo entry": lambda library, number: library.history.undo(number),
}


def state(library: Library) -> tuple:
    concepts = [(c.id, c.name, c.kind, c.about) for c in library.concepts.all()]
    references = [
        sorted((r.photo.id, str(r.box)) for r in library.concepts.references(c[0])) for c in concepts
    ]
    captions = [library.captions.get(photo_id) for photo_id in (1, 2, 3)]
    said = [caption and (caption.text, caption.by_hand) for caption in captions]
    words = [
        tuple(row)
        for row in library.connection.rows("SELECT caption, names, facts FROM photo_words ORDER BY key")
    ]
    corrections = [library.corrections.words(photo_id) for photo_id in (1, 2, 3)]
    return concepts, references, said, words, corrections


def check(library: Library) -> None:
    before = state(library)
    with library.writing():
        WordIndex(library.connection).refresh((1, 2, 3))
    assert state(library) == before, "some words were out of date"
    library.connection.execute(
        "INSERT INTO photo_words_fts(photo_words_fts, rank) VALUES('integrity-check', 1)"
    )
    for concept in library.concepts.all():
        shown = {hit.photo.id for hit in library.search.find(SearchQuery(concepts=(concept.name,)))}
        assert {reference.photo.id for reference in library.concepts.references(concept.id)} <= shown


@pytest.mark.slow
@given(steps=st.lists(STEPS, max_size=14))
def test_undoing_everything_leads_back_to_the_beginning(steps):
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library.db") as library:
        library.connection.execute("PRAGMA synchronous = OFF")
        anna = library.concepts.add("Anna")
        for number in (1, 2, 3):
            photo = Photo(Path(f"/p/{number}.jpg"), f"{number:032x}", 1, 1, 8, 8, "JPEG", Exif(), b"")
            library.photos.add(photo)
        seen = [Appearance(concept_id=anna.id, score=0.9, is_present=True, point=(0.5, 0.5), box=None)]
        library.captions.put(
            1, "Anna and Anna Maria.", model="m", bank=None, prompt_version="1", appearances=seen
        )
        beginning = state(library)
        for step in steps:
            before = state(library)
            try:
                ACTIONS[step[0]](library, *step[1:])
            except PhotopalError:
                # What is refused changes nothing.
                assert state(library) == before
        check(library)
        while any(
            entry.undoes is None and entry.undone_by is None and entry.id > 1
            for entry in library.history.entries(99)
        ):
            library.history.undo()
        check(library)
        assert state(library) == beginning
