"""The least sure names are asked first, and every answer is kept, can be undone and teaches."""

import pytest

from photopal.assistant.evidence import finding_keys
from photopal.assistant.review import Review
from photopal.ingest.indexer import index_folders
from photopal.library.models import Finding, PhotoFindings
from tests.faces.doubtful import make_doubtful


@pytest.fixture
def anna(library, tmp_path):
    return make_doubtful(library, tmp_path / "photos")


def test_the_name_closest_to_its_threshold_is_asked_first_and_only_what_the_user_has_not_said(library, anna):
    sitting = Review(library, [anna])
    questions = sitting.questions(100)
    assert len(questions) > 12
    sureness = [abs(question.evidence.probability - 0.5) for question in questions]
    assert sureness == sorted(sureness)
    assert sureness[0] < 0.1
    assert not any(question.photo.path.name.startswith("anna") for question in questions)
    library.corrections.put(questions[0].photo.id, anna.id, is_present=False)
    assert questions[0].key not in [question.key for question in sitting.questions(100)]
    assert [question.key for question in sitting.questions(3)] == [q.key for q in questions[1:4]]


@pytest.mark.slow
def test_answers_are_corrections_that_change_the_verdicts_still_to_come(library, anna):
    sitting = Review(library, [anna])
    questions = sitting.questions(100)
    before = {question.key: question.evidence.probability for question in questions}
    for question in questions[:2]:
        sitting.answer(question, is_present=True)
    for question in questions[:2]:
        word = library.corrections.words(question.photo.id)[anna.id]
        assert (word.is_present, word.source) == (True, "user")
        assert word.box == pytest.approx(question.evidence.box, abs=0.005)
    left = {question.key: question.evidence.probability for question in sitting.questions(100)}
    changed = [key for key in left if key in before and abs(left[key] - before[key]) > 0.02]
    assert len(changed) > 3
    [effect] = sitting.effects()
    assert (effect.concept, effect.gained > 0) == (anna, True)
    # The same as `who --is` writes, one entry of the journal for each.
    said = [entry.what for entry in library.history.entries(2)]
    assert all(what.startswith('"Anna" is in ') for what in said)


@pytest.mark.slow
def test_an_answer_is_taken_back_with_what_it_taught(library, anna):
    sitting = Review(library, [anna])
    first, second, *_ = sitting.questions(100)
    before = [question.evidence.probability for question in sitting.questions(100)]
    sitting.answer(first, is_present=False)
    sitting.skip(second)
    assert sitting.undo() == first
    assert first.concept.id not in library.corrections.words(first.photo.id)
    assert sitting.undo() is None
    after = [question.evidence.probability for question in sitting.questions(100)]
    assert after == pytest.approx([before[0], *before[2:]])


@pytest.mark.slow
def test_a_pet_is_looked_at_anew_before_it_is_asked_about_once_an_answer_has_taught(library, drawn_family):
    index_folders(library, [drawn_family.photos["Anna"][0], *drawn_family.strangers[:2]])
    rex = library.concepts.add("Rex", kind="pet")
    library.concepts.add_reference(rex.id, library.photos.at(drawn_family.photos["Anna"][0]).id)
    for path in drawn_family.strangers[:2]:
        unsure = Finding(
            concept_id=rex.id, source="look", verdict="unsure", probability=0.45, score=0.1, threshold=0.2,
            box=(0.2, 0.2, 0.5, 0.5),
        )  # fmt: skip
        found = PhotoFindings(look_key="earlier", species="dog", findings=(unsure,))
        library.findings.put(library.photos.at(path).id, found)
    sitting = Review(library, [rex])
    one, other = sitting.questions(2)
    assert sitting.renewed(one) == one
    sitting.answer(one, is_present=True)
    sitting.renewed(other)
    judged = library.findings.get(other.photo.id)
    assert (judged.look_key, judged.species) == (finding_keys(library).look, "dog")
