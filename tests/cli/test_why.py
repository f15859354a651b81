"""`why` tells everything that says who is on a photo, in words and as JSON, and draws the boxes."""

import json

import numpy as np
from PIL import Image

from photopal.library.models import Finding, PhotoFindings
from photopal.photos.metadata import Metadata, Region


def test_why_names_each_source_with_its_score_threshold_and_likest_reference(
    run, named_library, drawn_family, tmp_path
):
    photo = named_library.photos.at(drawn_family.strangers[0])
    home = str(named_library.path.parent)
    anna, ben = (named_library.concepts.get(name) for name in ("Anna", "Ben"))
    reference = named_library.concepts.references(anna.id)[0].photo
    face = Finding(
        concept_id=anna.id, source="face", verdict="present", probability=0.97, score=0.31, threshold=0.47,
        box=(0.25, 0.25, 0.5, 0.5), reference_id=reference.id,
    )  # fmt: skip
    named_library.findings.put(photo.id, PhotoFindings(face_key="f", look_key="l", findings=(face,)))
    named_library.corrections.put(photo.id, ben.id, is_present=False)
    named_library.close()
    out = tmp_path / "why.png"
    told = run("why", str(photo.path), "--picture", str(out), PHOTOPAL_HOME=home)
    assert told.exit_code == 0
    assert "Anna: yes, by a face\n" in told.stdout
    assert "distance 0.310, where up to 0.470 counts, probability 0.97" in told.stdout
    assert f"most like {reference.path}" in told.stdout
    assert "Ben: no, by your word\n" in told.stdout
    with Image.open(photo.path) as before, Image.open(out) as after:
        # Left the photo, enlarged, with a box; right of it the reference photo that is most like it.
        assert after.size == (3 * before.width + 16 + 160, 3 * before.height)
        photo_part = after.convert("RGB").crop((0, 0, 480, 480))
        assert photo_part.tobytes() != before.convert("RGB").resize((480, 480)).tobytes()
        tile = after.convert("RGB").crop((488, 0, 648, 160))
    with Image.open(reference.path) as likest:
        assert np.abs(np.asarray(tile, float) - np.asarray(likest.convert("RGB"), float)).mean() < 12
    facts = json.loads(run("why", str(photo.path), "Anna", "--json", PHOTOPAL_HOME=home).stdout)
    [entry] = facts["names"]
    assert (entry["verdict"], entry["decided_by"], entry["probability"]) == ("yes", "face", 0.97)
    [source] = entry["sources"]
    assert (source["threshold"], source["most_like"]) == (0.47, str(reference.path))


def test_why_says_what_has_not_looked_yet(run, named_library, drawn_family):
    photo = named_library.photos.at(drawn_family.strangers[0])
    home = str(named_library.path.parent)
    told = run("why", str(photo.path), "Anna", PHOTOPAL_HOME=home)
    assert "Anna: not known\n  the photo was not searched for faces" in told.stdout
    assert run("why", str(photo.path), "Nobody", PHOTOPAL_HOME=home).exit_code == 2


def test_names_in_the_file_are_shown_where_its_regions_are_whether_they_are_concepts_or_not(
    run, named_library, drawn_family
):
    photo = named_library.photos.at(drawn_family.strangers[0])
    home = str(named_library.path.parent)
    named = (("anna", "Face", 0.0), ("Clara", "Face", 0.25), ("Fips", "Pet", 0.5), ("Unknown", "Face", 0))
    regions = tuple(Region(name, kind, (0.25, y, 0.25, 0.25), "XMP", (160, 160)) for name, kind, y in named)
    named_library.facts.put(photo.path, Metadata(regions=regions), sidecars="")
    named_library.close()
    told = run("why", str(photo.path), PHOTOPAL_HOME=home)
    assert "Anna: yes, by the file\n  file: yes, at 40,0,40,40\n" in told.stdout
    assert "Clara: yes, by the file\n  file: yes, at 40,40,40,40\n  only the file has the name" in told.stdout
    assert "Unknown" not in told.stdout
    told = run("why", str(photo.path), "clara", "Fips", "--json", PHOTOPAL_HOME=home)
    clara, fips = (
        [one[key] for key in ("name", "kind", "is_concept", "box")]
        for one in json.loads(told.stdout)["names"]
    )
    assert clara == ["Clara", "person", False, [40, 40, 40, 40]]
    assert fips == ["Fips", "pet", False, [40, 80, 40, 40]]


def test_a_reference_photo_without_a_box_has_the_box_that_its_face_has(run, named_library, drawn_family):
    anna = named_library.concepts.get("Anna")
    photo = named_library.photos.at(drawn_family.strangers[0])
    named_library.concepts.add_reference(anna.id, photo.id)
    face = Finding(
        concept_id=anna.id, source="face", verdict="present", probability=0.97, score=0.31, threshold=0.47,
        box=(0.25, 0.25, 0.5, 0.5), reference_id=photo.id,
    )  # fmt: skip
    named_library.findings.put(photo.id, PhotoFindings(face_key="f", findings=(face,)))
    told = run("why", str(photo.path), "Anna", "--json", PHOTOPAL_HOME=str(named_library.path.parent))
    [entry] = json.loads(told.stdout)["names"]
    assert (entry["decided_by"], entry["box"]) == ("reference", [40, 40, 80, 80])
