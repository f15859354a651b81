"""Who is seen, and what the prompt about a photo speaks of."""

from dataclasses import replace

import pytest

from photopal.assistant.analysis import corrected
from photopal.assistant.assistant import Assistant
from photopal.concepts.calibration import Calibration
from photopal.library import Evidence
from photopal.photos import open_photo
from photopal.prompts import MOST_CONCEPTS
from tests.assistant.certain import certain


def test_every_concept_is_told_of_with_a_place_on_the_photo(assistant, drawn_family):
    analysis = assistant.analyze(open_photo(drawn_family.both))
    assert {sighting.concept.name for sighting in analysis.sightings} == {"Anna", "Ben"}
    for sighting in analysis.sightings:
        x, y, width, height = sighting.box
        assert 0 <= x <= sighting.point[0] <= x + width <= 1
        assert 0 <= y <= sighting.point[1] <= y + height <= 1


def test_the_model_is_asked_only_where_the_maps_leave_it_open(assistant, drawn_family):
    image = open_photo(drawn_family.both)
    for is_present in (True, False):
        sightings = certain(assistant, present=is_present).analyze(image).sightings
        assert [sighting.probability for sighting in sightings] == [None, None]
        assert [sighting.is_present for sighting in sightings] == [is_present] * 2
    apart = certain(assistant, present=True).bank.concepts.values()
    concepts = [replace(c, calibration=Calibration(-2, 2)) for c in apart]
    unsure = Assistant(assistant.model, assistant.bank.with_concepts(concepts), assistant.concepts)
    for sighting in unsure.analyze(image).sightings:
        assert 0 <= sighting.probability <= 1
        # Where map and model agree there is no doubt.
        if (sighting.score > 0) == (sighting.probability >= 0.5):
            assert sighting.is_present == (sighting.score > 0)


def test_where_the_map_would_rather_say_no_even_a_sure_yes_is_not_enough_at_its_lower_end(
    assistant, drawn_family
):
    image = open_photo(drawn_family.both)
    anna, ben = assistant.concepts
    learned = assistant.bank.concepts[anna.id]
    before = {s.concept.name: s.score for s in assistant.analyze(image).sightings}["Anna"]
    height = before + learned.calibration.threshold
    nowhere = replace(assistant.bank.concepts[ben.id], calibration=Calibration(2.0, 2.0))
    for share, is_seen in ((0.1, False), (0.3, True), (0.6, True)):
        known = replace(learned, calibration=Calibration(height - share, height - share + 1.0))
        bank = assistant.bank.with_concepts([known, nowhere])
        sighting = Assistant(assistant.model, bank, [anna, ben]).analyze(image).of(anna.id)
        assert sighting.probability > 0.95
        assert sighting.is_present is is_seen


def test_among_many_concepts_whoever_is_seen_must_be_seen_more_clearly(assistant, drawn_family):
    image = open_photo(drawn_family.both)
    anna, ben = assistant.concepts
    score = {s.concept.name: s.score for s in assistant.analyze(image).sightings}["Anna"]
    learned = assistant.bank.concepts[anna.id]
    height = score + learned.calibration.threshold
    # As many others that are nowhere on the photo.
    nowhere = Calibration(2.0, 2.0)
    others = [
        replace(learned, concept_id=number, direction=-learned.direction, calibration=nowhere)
        for number in range(100, 100 + 16 * MOST_CONCEPTS - 2)
    ]
    rows = [replace(anna, id=other.concept_id, name=f"Name{other.concept_id}") for other in others]
    for high, is_seen_among_many in ((height - 0.001, False), (height - 0.3, True)):
        known = replace(learned, calibration=Calibration(high - 0.2, high))
        bank = assistant.bank.with_concepts(
            [known, replace(assistant.bank.concepts[ben.id], calibration=nowhere)]
        )
        few = Assistant(assistant.model, bank, [anna, ben]).analyze(image)
        many = Assistant(assistant.model, bank.with_concepts(others), [anna, ben, *rows]).analyze(image)
        assert [s.concept.name for s in few.sightings if s.is_present] == ["Anna"]
        assert [s.concept.name for s in many.sightings if s.is_present] == ["Anna"] * is_seen_among_many


def test_of_two_names_for_one_place_the_surer_one_is_seen_unless_it_is_known_not_to_be_there(
    assistant, drawn_family
):
    anna, ben = assistant.concepts
    looks = assistant.bank.concepts[anna.id]
    less = replace(looks, calibration=Calibration(-2.0, -2.0))
    surer = replace(looks, concept_id=ben.id, calibration=Calibration(-3.0, -3.0))
    bank = assistant.bank.with_concepts([less, surer])
    analysis = Assistant(assistant.model, bank, [anna, ben]).analyze(open_photo(drawn_family.both))
    assert [sighting.concept.name for sighting in analysis.present] == ["Ben"]
    assert analysis.of(anna.id).displaced_by == (ben.id,)
    for is_present, names in ((True, ["Ben"]), (False, ["Anna"])):
        word = Evidence(concept_id=ben.id, is_present=is_present, source="user")
        known = corrected(analysis, {ben.id: word})
        assert [sighting.concept.name for sighting in known.present] == names


def test_those_seen_are_marked_from_left_to_right_and_the_photo_is_left_alone(assistant, drawn_family):
    image = open_photo(drawn_family.both)
    before = image.tobytes()
    seer = certain(assistant, present=True)
    anna, ben = seer.bank.concepts.values()
    # In the first, who shows most further left has the region that reaches further right.
    for direction in (ben.direction, anna.direction.roll(3)):
        beside = replace(ben, direction=direction)
        seer = Assistant(seer.model, seer.bank.with_concepts([beside]), seer.concepts)
        analysis = seer.analyze(image)
        personal = seer.personalize(analysis)
        assert [mark.number for mark in personal.marks] == [1, 2]
        assert personal.marks[0].x <= personal.marks[1].x
        where = {s.concept.id: s.mark_point[0] for s in analysis.present}
        assert list(where.values()) == [mark.x for mark in personal.marks]
    assert image.tobytes() == before
    assert personal.features is not analysis.features


def test_nobody_seen_and_nobody_asked_about_is_a_plain_prompt(assistant, drawn_family):
    blind = certain(assistant, present=False)
    analysis = blind.analyze(open_photo(drawn_family.both))
    personal = blind.personalize(analysis)
    assert (personal.concepts, personal.embeddings, personal.marks) == ((), None, ())
    assert personal.features is analysis.features


def test_those_asked_about_come_first_and_never_more_than_fit(assistant, drawn_family):
    seer = certain(assistant, present=True)
    analysis = seer.analyze(open_photo(drawn_family.both))
    ben = next(concept for concept in seer.concepts if concept.name == "Ben")
    personal = seer.personalize(analysis, asked=[ben])
    assert personal.names == ["Ben", "Anna"]
    assert len(personal.names) <= MOST_CONCEPTS


def test_without_names_an_assistant_sees_nobody(model, assistant, drawn_family):
    plain = Assistant(model, assistant.bank, [])
    assert plain.analyze(open_photo(drawn_family.both)).sightings == ()


class Strict:
    """A detector to which every photo looks strange, unless the other encoder sees it too."""

    def is_in_distribution(self, features, second=None):
        return second is not None


def test_each_photo_is_counted_once_as_it_is_decided_whether_the_model_is_asked(
    assistant, drawn_family, monkeypatch
):
    monkeypatch.setattr(assistant.model, "ood_detector", Strict())
    seer = certain(assistant, present=True)
    image, known = open_photo(drawn_family.both), []
    for glance in (lambda images: list(images), lambda images: None):
        counting = Assistant(seer.model, seer.bank, seer.concepts, glance=glance, on_ood_check=known.append)
        analysis = counting.analyze(image)
        assert known.pop() == analysis.is_understood == (glance([image]) is not None)
        assert counting.personalize(analysis).marks
        assert known == [], "nor is the copy with marks"


@pytest.mark.parametrize("kind", ["tiny_smolvlm", "tiny_qwen"])
def test_places_lie_on_the_photo_in_other_families_too(kind, request, named_library, drawn_family, tmp_path):
    from photopal.concepts.registration import refresh_bank
    from photopal.vlm import load_model

    model = load_model(request.getfixturevalue(kind), device="cpu")
    bank = refresh_bank(named_library, model, tmp_path / "bank").bank
    image = open_photo(drawn_family.both).crop((0, 30, 128, 90))
    for sighting in Assistant(model, bank, named_library.concepts.all()).analyze(image).sightings:
        assert all(0 <= part <= 1 for part in (*sighting.point, *sighting.box))
