"""What faces and looks say of a photo: stored, weighed, found by name, forgotten with the picture."""

import pytest

from photopal.library import SearchQuery
from photopal.library.models import Appearance, Finding, PhotoFindings


@pytest.fixture
def photo(named_library, drawn_family):
    return named_library.photos.at(drawn_family.strangers[0])


def finding(library, name, verdict, source="face", **more):
    return Finding(
        concept_id=library.concepts.get(name).id,
        source=source,
        verdict=verdict,
        probability=0.9,
        score=0.3,
        threshold=0.47,
        box=(0.1, 0.1, 0.2, 0.2),
        **more,
    )


def test_who_is_found_by_face_or_look_is_found_by_name_until_the_user_says_otherwise(named_library, photo):
    anna, ben = (named_library.concepts.get(name) for name in ("Anna", "Ben"))
    found = PhotoFindings(
        face_key="f",
        look_key="l",
        species="dog",
        findings=(
            finding(named_library, "Anna", "present"),
            finding(named_library, "Ben", "looks like", "look", reference_id=photo.id),
        ),
    )
    named_library.findings.put(photo.id, found)
    assert named_library.findings.get(photo.id) == found
    known = named_library.corrections.evidence(photo.id)
    assert [(e.source, e.verdict, e.probability) for e in known.concepts] == [
        ("face", "yes", 0.9),
        ("look", "looks like", 0.9),
    ]
    [hit] = named_library.search.find(SearchQuery(concepts=("Anna", "Ben")))
    assert (hit.photo.id, hit.names, hit.looks_like) == (photo.id, ["Anna", "Ben"], ("Ben",))
    assert named_library.search.count(SearchQuery(looks_like=("Anna",))) == 0
    assert named_library.search.count_by_likeness(SearchQuery(concepts=("Anna",))) == [("Ben", 1)]
    named_library.corrections.put(photo.id, anna.id, is_present=False)
    named_library.corrections.put(photo.id, ben.id, is_present=True)
    hits = named_library.search.find(SearchQuery(concepts=("Ben",), without_concepts=("Anna",)))
    [hit] = [hit for hit in hits if hit.photo.id == photo.id]
    assert (hit.names, hit.looks_like) == (["Ben"], ())


@pytest.mark.parametrize("decides", [True, False])
def test_a_finding_beats_the_model_where_it_decides(named_library, photo, decides):
    ben = named_library.concepts.get("Ben")
    seen = Appearance(ben.id, 0.2, is_present=True, point=(0.5, 0.5), box=None)
    named_library.captions.put(photo.id, "Ben.", model="m", bank="b", prompt_version="1", appearances=[seen])
    absent = finding(named_library, "Ben", "absent", decides=decides)
    named_library.findings.put(photo.id, PhotoFindings(face_key="f", findings=(absent,)))
    [known] = named_library.corrections.evidence(photo.id).concepts
    assert (known.source, known.is_present) == (("face", False) if decides else ("model", True))


def test_a_renamed_concept_has_its_new_name_in_captions_made_from_findings(named_library, photo):
    named_library.findings.put(
        photo.id, PhotoFindings(findings=(finding(named_library, "Ben", "looks like", "look"),))
    )
    named_library.captions.put(
        photo.id, "What looks like Ben.", model="m", bank="b", prompt_version="1", appearances=[],
        source="facts",
    )  # fmt: skip
    named_library.concepts.rename("Ben", "Benjamin")
    assert named_library.captions.get(photo.id).text == "What looks like Benjamin."
    assert named_library.search.count(SearchQuery(concepts=("Benjamin",), looks_like=("Benjamin",))) == 1


@pytest.mark.parametrize("source", ["face", "look"])
def test_a_caption_with_a_name_that_was_not_found_is_not_shown_once_the_user_takes_it_off(
    named_library, photo, source
):
    ben = named_library.concepts.get("Ben")
    named_library.findings.put(
        photo.id, PhotoFindings(findings=(finding(named_library, "Ben", "absent", source),))
    )

    def caption(text):
        key = named_library.corrections.key(photo.id)
        named_library.captions.put(
            photo.id, text, model="m", bank=None, prompt_version="1", appearances=[], corrections=key
        )
        return key

    before = caption("Ben walks at the lake.")
    assert named_library.captions.get(photo.id).text == "Ben walks at the lake."
    named_library.corrections.put(photo.id, ben.id, is_present=False)
    assert named_library.captions.get(photo.id).text == ""
    # What is written from now on knows it.
    assert caption('The file says "Ben".') != before
    assert named_library.captions.get(photo.id).text == 'The file says "Ben".'
    # Where the user took nobody off, captions of earlier versions are not written anew.
    named_library.history.undo()
    assert named_library.corrections.key(photo.id) == before == f"-{ben.id}@0.100,0.100,0.200,0.200"
