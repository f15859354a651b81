"""Each photo is searched once, whatever interrupts; what is found names people."""

from pathlib import Path

import numpy as np
import pytest

from photopal.errors import ConceptError, PhotoError
from photopal.faces import (
    DETECTOR,
    find_evidence,
    find_photos_of,
    find_reference_faces,
    learn_library,
    refuse_tie,
    scan_library,
)
from photopal.faces.people import learn_people
from photopal.ingest.indexer import index_folders
from tests.faces.made_up import PretendDetector, photo_named


def test_each_photo_is_searched_once(album, crowd):
    detector = PretendDetector({"1.png": [crowd.face("a")], "2.png": [crowd.face("a"), crowd.face("b")]})
    report = scan_library(album, detector=detector)
    assert (report.photos, report.faces, report.skipped) == (8, 3, [])
    assert sorted(detector.searched) == [f"{number}.png" for number in range(8)]
    again = scan_library(album, detector=detector)
    assert (again.photos, len(detector.searched)) == (0, 8)
    groups = album.faces.groups()
    assert sorted(group.face_count for group in groups) == [1, 2]


def test_what_was_found_before_an_interrupt_is_kept(album, crowd):
    detector = PretendDetector({f"{number}.png": [crowd.face("a")] for number in range(8)})

    def interrupt(done, total, path):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_library(album, detector=detector, on_progress=interrupt)
    assert album.faces.counts(detector=DETECTOR) == {"unscanned": 5, "scanned": 3, "faces": 3}
    assert scan_library(album, detector=detector).photos == 5
    [group] = album.faces.groups()
    assert group.face_count == 8


def test_a_file_that_is_away_is_tried_again_and_a_broken_one_is_not(album, crowd):
    away = PhotoError(Path("0.png"), "cannot be opened")
    away.__cause__ = OSError(5, "away")
    detector = PretendDetector({"0.png": away, "1.png": PhotoError(Path("1.png"), "broken")})
    report = scan_library(album, detector=detector)
    assert sorted(skipped.path.name for skipped in report.skipped) == ["0.png", "1.png"]
    assert [photo.path.name for photo in album.faces.unscanned(detector=DETECTOR)] == ["0.png"]


def test_a_file_that_another_photo_took_the_name_of_is_searched_once_it_is_indexed(album, crowd):
    one, two = photo_named(album, "1.png"), photo_named(album, "2.png")
    aside = one.path.with_name("aside")
    one.path.rename(aside)
    two.path.rename(one.path)
    aside.rename(two.path)
    broken = PhotoError(two.path, "broken")  # what it says of another file says nothing of the photo
    detector = PretendDetector({"1.png": [crowd.face("b")], "2.png": broken})
    report = scan_library(album, detector=detector)
    assert report.photos == 6
    reason = "changed since it was indexed; run `photopal index` first"
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [
        (one.path, reason),
        (two.path, reason),
    ]
    index_folders(album, [one.path.parent])
    assert scan_library(album, detector=PretendDetector({"2.png": [crowd.face("a")]})).photos == 2
    assert len(album.faces.of_photo(one.id)) == 1
    assert album.faces.of_photo(two.id) == []


def test_faces_are_not_stored_of_a_photo_that_was_indexed_as_another_picture_meanwhile(album, crowd):
    detector = PretendDetector({f"{number}.png": [crowd.face("a")] for number in range(8)})
    photo = photo_named(album, "1.png")

    def edit(done, total, path):
        if path == photo.path:
            with album.writing():
                album.connection.execute("UPDATE photos SET content_hash = 'new' WHERE id = ?", (photo.id,))

    scan_library(album, detector=detector, on_progress=edit)
    assert [photo.path.name for photo in album.faces.unscanned(detector=DETECTOR)] == ["1.png"]


def test_only_some_photos_can_be_searched(album):
    detector = PretendDetector({})
    photo = photo_named(album, "3.png")
    assert scan_library(album, detector=detector, photos=[photo]).photos == 1
    assert scan_library(album, detector=detector, photos=[photo]).photos == 0
    assert detector.searched == ["3.png"]


def test_people_are_learned_from_their_reference_photos_and_found_on_others(album, crowd):
    faces = {
        "0.png": [crowd.face("anna"), crowd.face("x", x=0.1)],
        "1.png": [crowd.face("y", x=0.7), crowd.face("anna")],
        "2.png": [crowd.face("ben")],
        "3.png": [crowd.face("ben", x=0.2), crowd.face("anna", x=0.6)],
        "4.png": [crowd.face("stranger")],
    }
    scan_library(album, detector=PretendDetector(faces))
    anna, ben = album.concepts.add("Anna"), album.concepts.add("Ben")
    album.concepts.add("Rex", kind="pet")
    for concept, names in ((anna, "01"), (ben, "2")):
        for name in names:
            album.concepts.add_reference(concept.id, photo_named(album, f"{name}.png").id)
    people = learn_library(album)
    assert [(person.concept_id, person.reference_count) for person in people] == [(anna.id, 2), (ben.id, 1)]
    found = find_evidence(album, people, photo_named(album, "3.png"))
    assert [(one.concept_id, one.verdict, round(face.face.box[0], 1)) for one, face in found] == [
        (anna.id, "present", 0.6),
        (ben.id, "present", 0.2),
    ]
    assert [one.verdict for one, _ in find_evidence(album, people, photo_named(album, "4.png"))] == [
        "absent",
        "absent",
    ]
    assert find_evidence(album, people, photo_named(album, "5.png")) == []
    near, *_ = find_photos_of(album, people)
    names = {album.photos.get(face.photo_id).path.name for face, _ in near}
    assert names == {"0.png", "1.png", "3.png"}


def test_a_tie_is_reported_and_a_box_decides_it(album, crowd):
    couple = [crowd.face("anna", x=0.1), crowd.face("ben", x=0.7)]
    scan_library(album, detector=PretendDetector({"0.png": couple, "1.png": couple}))
    anna = album.concepts.add("Anna")
    for name in ("0.png", "1.png"):
        album.concepts.add_reference(anna.id, photo_named(album, name).id)
    found = find_reference_faces(album, anna)
    assert found.is_tie
    assert found.faces == ()
    assert learn_library(album) == []
    with pytest.raises(ConceptError, match="Anna: 2 faces are on the same number"):
        refuse_tie(found)
    album.concepts.add_reference(anna.id, photo_named(album, "0.png").id, box=(20, 60, 120, 120))
    found = find_reference_faces(album, anna)
    assert [round(face.face.box[0], 1) for face in found.faces] == [0.1, 0.1]
    assert [round(face.face.box[0], 1) for face in found.others] == [0.7, 0.7]
    refuse_tie(found)


def test_a_child_of_the_library_is_a_suggestion(album, crowd):
    scan_library(album, detector=PretendDetector({f"{number}.png": [crowd.face("kid")] for number in (0, 1)}))
    kid = album.concepts.add("Kid")
    album.concepts.set_age(kid.id, is_child=True)
    album.concepts.add_reference(kid.id, photo_named(album, "0.png").id)
    people = learn_library(album)
    [(evidence, face)] = find_evidence(album, people, photo_named(album, "1.png"))
    assert (evidence.verdict, evidence.is_suggestion) == ("unsure", True)
    assert face is not None


def test_a_child_stays_one_when_it_is_merged_into_another_name(album, crowd):
    scan_library(album, detector=PretendDetector({"0.png": [crowd.face("leo")]}))
    leonard, leo = album.concepts.add("Leonard"), album.concepts.add("Leo")
    album.concepts.set_age(leo.id, born=2013)
    album.concepts.add_reference(leonard.id, photo_named(album, "0.png").id)
    assert learned(album, leonard).born is None
    album.concepts.merge("Leonard", "Leo")
    assert learned(album, leonard).born == 2013


def test_the_mean_of_more_references_is_surer(crowd):
    vectors = crowd.vectors("a", 6)
    [one] = learn_people({"a": vectors[:1]})
    [five] = learn_people({"a": vectors[:5]})
    assert np.linalg.norm(five.center - vectors[5]) < np.linalg.norm(one.center - vectors[5])


def learned(album, concept):
    [person] = [one for one in learn_library(album) if one.concept_id == concept.id]
    return person


def test_the_face_on_a_photo_that_the_user_confirmed_is_a_reference_where_it_is_clear_which(album, crowd):
    faces = {
        "0.png": [crowd.face("anna")],
        "1.png": [crowd.face("x", x=0.1), crowd.face("anna", x=0.6)],
        "2.png": [crowd.face("x"), crowd.face("y", x=0.8)],
        "3.png": [crowd.face("masked anna", x=0.1), crowd.face("y", x=0.7)],
    }
    scan_library(album, detector=PretendDetector(faces))
    anna = album.concepts.add("Anna")
    album.concepts.add_reference(anna.id, photo_named(album, "0.png").id)
    assert learned(album, anna).reference_count == 1
    album.corrections.put(photo_named(album, "1.png").id, anna.id, is_present=True)
    confirmed = find_reference_faces(album, anna)
    assert [round(face.face.box[0], 1) for face in confirmed.faces] == [0.4, 0.6]
    assert learned(album, anna).reference_count == 2
    # From behind: none of the faces on it is hers.
    album.corrections.put(photo_named(album, "2.png").id, anna.id, is_present=True)
    assert learned(album, anna).reference_count == 2
    album.corrections.put(photo_named(album, "3.png").id, anna.id, is_present=True, box=(30, 60, 80, 120))
    assert learned(album, anna).reference_count == 3


def test_a_face_that_the_user_denied_is_never_named_again_and_undo_forgets_it(album, crowd):
    scan_library(album, detector=PretendDetector({f"{n}.png": [crowd.face("anna")] for n in range(8)}))
    anna = album.concepts.add("Anna")
    for name in ("0.png", "1.png", "2.png"):
        album.concepts.add_reference(anna.id, photo_named(album, name).id)
    before = learned(album, anna)
    photo = photo_named(album, "5.png")
    [(evidence, _)] = find_evidence(album, [before], photo)
    assert evidence.verdict == "present"
    album.corrections.put(photo.id, anna.id, is_present=False)
    person = learned(album, anna)
    assert person.threshold < evidence.distance
    [(evidence, _)] = find_evidence(album, [person], photo)
    assert evidence.verdict != "present"
    album.history.undo()
    assert learned(album, anna).threshold == before.threshold


def test_a_face_that_is_somebodys_by_a_box_is_nobody_elses(album, crowd):
    faces = {f"{number}.png": [crowd.face("anna", x=0.1)] for number in range(4)}
    faces["3.png"].append(crowd.face("anna", x=0.6))
    faces["4.png"] = [crowd.face("ben")]
    scan_library(album, detector=PretendDetector(faces))
    anna, ben = album.concepts.add("Anna"), album.concepts.add("Ben")
    for concept, name in ((anna, "0.png"), (anna, "1.png"), (ben, "4.png")):
        album.concepts.add_reference(concept.id, photo_named(album, name).id)
    alone, beside = photo_named(album, "2.png"), photo_named(album, "3.png")
    for photo in (alone, beside):
        album.corrections.put(photo.id, ben.id, is_present=True, box=(40, 90, 40, 30))

    def present(photo):
        found = find_evidence(album, people, photo)
        return {e.concept_id: round(f.face.box[0], 1) for e, f in found if e.verdict == "present"}

    people = learn_library(album)
    assert present(alone) == {ben.id: 0.1}
    assert present(beside) == {anna.id: 0.6, ben.id: 0.1}
    # A box around both has one face left that it can mean.
    album.corrections.put(beside.id, anna.id, is_present=True, box=(0, 0, 400, 300))
    assert album.corrections.evidence(beside.id).faces_in_boxes(
        [(0.1, 0.3, 0.1, 0.1), (0.6, 0.3, 0.1, 0.1)]
    ) == {
        0: ben.id,
        1: anna.id,
    }
    # Nor does such a face tell any more how Anna looks.
    album.corrections.put(photo_named(album, "0.png").id, ben.id, is_present=True, box=(40, 90, 40, 30))
    assert [face.photo_id for face in find_reference_faces(album, anna).faces] == [
        photo_named(album, "1.png").id,
        beside.id,
    ]


def test_the_only_face_in_a_wide_and_a_narrow_box_is_that_of_the_narrow_one(album, crowd):
    faces = {"0.png": [crowd.face("mom")], "1.png": [crowd.face("kid", x=0.1)], "2.png": [crowd.face("kid")]}
    scan_library(album, detector=PretendDetector(faces))
    mom, kid = album.concepts.add("Mom"), album.concepts.add("Kid")
    both = photo_named(album, "1.png")
    album.concepts.add_reference(mom.id, photo_named(album, "0.png").id)
    album.concepts.add_reference(kid.id, both.id, box=(20, 60, 100, 120))

    def present(name):
        found = find_evidence(album, learn_library(album), photo_named(album, name))
        return {evidence.concept_id for evidence, _ in found if evidence.verdict == "present"}

    assert present("2.png") == {kid.id}
    # Mom, from behind, has Kid in her arms; the user's word is stronger than the reference photo, but wider.
    album.corrections.put(both.id, mom.id, is_present=True, box=(0, 0, 400, 300))
    assert present("1.png") == present("2.png") == {kid.id}
    # Of boxes of one size it is the other way round.
    album.corrections.put(both.id, mom.id, is_present=True, box=(20, 60, 100, 120))
    assert album.corrections.evidence(both.id).faces_in_boxes([(0.1, 0.3, 0.1, 0.1)]) == {0: mom.id}


def test_photos_without_faces_in_boxes_are_compared_without_weighing_what_is_known(album, crowd, monkeypatch):
    faces = {f"{number}.png": [crowd.face("anna", x=0.1)] for number in range(4)}
    scan_library(album, detector=PretendDetector(faces))
    anna, ben = album.concepts.add("Anna"), album.concepts.add("Ben")
    no_faces, boxed = photo_named(album, "4.png"), photo_named(album, "3.png")
    for name in ("0.png", "1.png", "2.png"):
        album.concepts.add_reference(anna.id, photo_named(album, name).id)
    for photo in (no_faces, boxed):
        album.corrections.put(photo.id, ben.id, is_present=True, box=(20, 60, 100, 120))
    weighed, evidence = [], album.corrections.evidence
    monkeypatch.setattr(album.corrections, "evidence", lambda id_: weighed.append(id_) or evidence(id_))
    people = learn_library(album)
    assert set(weighed) == {boxed.id}
    weighed.clear()
    for number in range(5):
        find_evidence(album, people, photo_named(album, f"{number}.png"))
    assert weighed == [boxed.id]
    # Its only face is Ben's, so that Anna may still be there, from behind.
    found = find_evidence(album, people, boxed)
    assert anna.id not in {one.concept_id for one, _ in found}
