"""Who is found on photos by faces and looks: when it is found anew, and when it beats the model."""

from dataclasses import replace

import pytest
from PIL import Image

from photopal.assistant.analysis import PhotoAnalysis, Sighting
from photopal.assistant.ask import ask_photo
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photos, is_current, made_with
from photopal.assistant.evidence import EvidenceFinder, compare_faces, finding_keys, is_found_with
from photopal.assistant.known import look_at
from photopal.box import WHOLE_PHOTO
from photopal.faces import DETECTOR
from photopal.library import SearchQuery
from tests.assistant.certain import certain
from tests.assistant.test_known import Blind, face, reference_point


@pytest.fixture
def library(named_library):
    """Anna and Ben have faces on their reference photos."""
    for number, name in enumerate(("Anna", "Ben")):
        for reference in named_library.concepts.references(named_library.concepts.get(name).id):
            x, y = reference_point(reference)
            shown = replace(face(number), box=(x - 0.05, y - 0.05, 0.1, 0.1))
            named_library.faces.put(reference.photo.id, [shown], detector=DETECTOR)
    return named_library


@pytest.fixture
def photo(library, drawn_family):
    found = library.photos.at(drawn_family.strangers[0])
    library.faces.put(found.id, [face(0, away=0.2)], detector=DETECTOR)
    return found


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (face(0, away=0.2), "present"),
        (face(0, away=0.2, side_px=37), "looks like"),
        (face(0, away=0.46), "looks like"),
        (face(0, away=0.52), "unsure"),
        (face(5), None),
    ],
)
def test_a_face_names_somebody_only_if_it_is_large_and_near_enough(library, photo, seen, verdict):
    library.faces.put(photo.id, [seen], detector=DETECTOR)
    found = EvidenceFinder(library).find(photo).findings
    anna = library.concepts.get("Anna")
    assert [(one.concept_id, one.verdict) for one in found] == ([(anna.id, verdict)] if verdict else [])


def test_a_reference_photo_is_most_like_another_one_of_the_same_person(library):
    anna = library.concepts.get("Anna")
    first, *others = (reference.photo for reference in library.concepts.references(anna.id))
    [found] = EvidenceFinder(library).find(first).findings
    assert found.reference_id in {photo.id for photo in others}


def test_what_was_found_counts_until_people_or_their_photos_change(library, photo):
    finder = EvidenceFinder(library)
    library.findings.put(photo.id, finder.find(photo))
    assert is_found_with(library, photo, finding_keys(library))
    library.corrections.put(photo.id, library.concepts.get("Anna").id, is_present=True)
    assert not is_found_with(library, photo, finding_keys(library))
    library.findings.put(photo.id, finder.find(photo))
    assert not is_found_with(library, photo, finding_keys(library))
    finder.renew()
    library.findings.put(photo.id, finder.find(photo))
    assert is_found_with(library, photo, finding_keys(library))


def test_faces_are_compared_at_once_where_no_model_saw_the_photo(library, photo):
    anna = library.concepts.get("Anna")
    compare_faces(library)
    [known] = library.corrections.evidence(photo.id).concepts
    assert (known.concept_id, known.source) == (anna.id, "face")
    library.faces.put(photo.id, [face(9)], detector=DETECTOR)
    compare_faces(library)
    assert library.corrections.evidence(photo.id).concepts == ()
    library.faces.put(photo.id, [face(0)], detector=DETECTOR)
    library.captions.put(photo.id, "x", model="m", bank=None, prompt_version="1", appearances=[])
    compare_faces(library)
    assert library.corrections.evidence(photo.id).concepts == ()


def test_a_box_takes_a_face_from_whom_it_was_found_to_be_at_once_and_undo_gives_it_back(library, photo):
    anna, ben = (library.concepts.get(name).id for name in ("Anna", "Ben"))
    compare_faces(library)
    assert library.corrections.evidence(photo.id).shown == {anna: "Anna"}
    width, height = photo.width_px, photo.height_px
    around = (round(0.15 * width), round(0.15 * height), round(0.2 * width), round(0.2 * height))
    library.corrections.put(photo.id, ben, is_present=True, box=around)
    for _ in range(2):
        assert library.corrections.evidence(photo.id).shown == {ben: "Ben"}
        assert photo.id not in {hit.photo.id for hit in library.search.find(SearchQuery(concepts=("Anna",)))}
        compare_faces(library)
    library.history.undo()
    compare_faces(library)
    assert library.corrections.evidence(photo.id).shown == {anna: "Anna"}


def looked_at(library, *names, is_understood=True):
    """A photo on which a model sees some."""
    sightings = [
        Sighting(
            concept=c,
            score=0.1,
            is_present=c.name in names,
            probability=None,
            point=(0.5, 0.5),
            box=WHOLE_PHOTO,
        )
        for c in library.concepts.all()
    ]
    image = Image.new("RGB", (8, 8))
    return PhotoAnalysis(image=image, features=None, sightings=tuple(sightings), is_understood=is_understood)


@pytest.mark.parametrize("away", [0.2, 0.52])
@pytest.mark.parametrize(("before", "after"), [(None, "sees"), (None, "sees best"), ("sees", "sees best")])
@pytest.mark.parametrize("is_back", [False, True])
def test_what_decides_is_judged_for_the_model_in_use(library, photo, away, before, after, is_back):
    library.faces.put(photo.id, [face(0, away=away)], detector=DETECTOR)
    models = {
        None: (looked_at(library, is_understood=False), {}),
        "sees": (looked_at(library, "Anna", "Ben"), {}),
        "sees best": (looked_at(library, "Anna"), {c.id: 1.5 for c in library.concepts.all()}),
    }
    first, second = (after, before) if is_back else (before, after)
    finder = EvidenceFinder(library)
    seen, separations = models[first]
    library.findings.put(photo.id, finder.find(photo, seen, separations=separations))
    seen, separations = models[second]
    asked = finder.look_at(photo, seen, separations=separations).found
    assert asked == finder.find(photo, seen, separations=separations)


@pytest.mark.parametrize(("separation", "decides"), [(0.5, True), (None, True), (1.5, False)])
def test_the_source_that_separates_better_decides(library, photo, separation, decides):
    anna, ben = (library.concepts.get(name) for name in ("Anna", "Ben"))
    sightings = [
        Sighting(
            concept=c, score=0.1, is_present=c is ben, probability=None, point=(0.5, 0.5), box=WHOLE_PHOTO
        )
        for c in (anna, ben)
    ]
    separations = {anna.id: separation, ben.id: separation}
    seen = PhotoAnalysis(image=Image.new("RGB", (8, 8)), features=None, sightings=tuple(sightings))
    found = EvidenceFinder(library).find(photo, seen, separations=separations).findings
    verdicts = [(anna.id, "present", decides)] + ([(ben.id, "absent", True)] if decides else [])
    assert [(one.concept_id, one.verdict, one.decides) for one in found] == verdicts


@pytest.mark.slow
def test_a_caption_without_a_model_names_whom_faces_name(library, photo, assistant, monkeypatch):
    monkeypatch.setattr(assistant.model, "ood_detector", Blind())
    whole = Assistant(assistant.model, assistant.bank, assistant.concepts, finder=EvidenceFinder(library))
    caption_photos(library, whole, [photo])
    assert library.captions.get(photo.id).text == "Anna."
    assert is_current(library, photo, made_with(library, whole))
    library.faces.put(photo.id, [], detector=DETECTOR)
    library.concepts.set_age(library.concepts.get("Anna").id, is_child=True)
    assert not is_current(library, photo, made_with(library, whole))
    caption_photos(library, whole, [photo])
    assert library.captions.get(photo.id).text == "A photo."


class Seeing:
    """A detector to which every photo is of the one kind that the model was made for."""

    def is_in_distribution(self, features, second=None):
        return True


@pytest.mark.slow
@pytest.mark.parametrize("detector", [None, Seeing()])
def test_a_photo_captioned_without_a_model_is_asked_about_as_the_model_in_use_sees_it(
    library, photo, assistant, monkeypatch, detector
):
    library.faces.put(photo.id, [face(0, away=0.52)], detector=DETECTOR)
    seer = certain(assistant, present=True)
    whole = Assistant(seer.model, seer.bank, seer.concepts, finder=EvidenceFinder(library))
    with monkeypatch.context() as patch:
        patch.setattr(assistant.model, "ood_detector", Blind())
        caption_photos(library, whole, [photo])
    assert [one.verdict for one in library.findings.get(photo.id).findings] == ["unsure"]
    monkeypatch.setattr(assistant.model, "ood_detector", detector)
    seen = look_at(library, whole, photo.path)
    assert "Anna" in [s.concept.name for s in seen.present]
    assert ask_photo(whole, seen, "Is Anna here?").text != "No. Anna is not in this photo."
    made = []
    monkeypatch.setattr(assistant.model, "fingerprint", "other")
    caption_photos(library, whole, [photo], on_caption=made.append)
    captioned = {s.concept.name for s in made[0].caption.sightings if s.is_present}
    assert captioned == {s.concept.name for s in seen.present}


@pytest.mark.slow
def test_a_model_that_sees_gets_the_names_of_faces_in_its_prompt(library, photo, assistant):
    whole = Assistant(assistant.model, assistant.bank, assistant.concepts, finder=EvidenceFinder(library))
    made = []
    caption_photos(library, whole, [photo], on_caption=made.append)
    [anna] = [s for s in made[0].caption.sightings if s.concept.name == "Anna"]
    assert (anna.is_present, anna.source) == (True, "face")
    assert tuple(anna.box) == pytest.approx((0.2, 0.2, 0.1, 0.1))
