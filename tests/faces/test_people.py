"""A face gets the right name or none: of strangers, look-alikes and small children above all."""

import numpy as np
import pytest

from photopal.faces.people import default_threshold, learn_people, name_faces, probability_of


def verdicts(evidence):
    return [one.verdict for one in evidence]


def test_people_are_named_and_strangers_are_not(crowd):
    people = learn_people({who: crowd.vectors(who, 5) for who in range(10)})
    for who in range(10):
        found = name_faces(people, crowd.vectors(who))
        assert verdicts(found) == ["present" if other == who else "absent" for other in range(10)]
        assert found[who].probability > 0.8
        assert found[who].face == 0
    assert verdicts(name_faces(people, crowd.vectors("stranger"))) == ["absent"] * 10


def test_nobody_is_on_a_photo_twice_and_no_face_is_two_peoples(crowd):
    people = learn_people({"a": crowd.vectors("a", 5), "b": crowd.vectors("b", 5)})
    vectors = np.concatenate([crowd.vectors("b"), crowd.vectors("a"), crowd.vectors("a")])
    a, b = name_faces(people, vectors)
    assert (a.verdict, b.verdict, b.face) == ("present", "present", 0)
    assert a.face in (1, 2)


def test_a_face_between_two_people_is_neithers_for_sure(crowd):
    people = learn_people({"a": crowd.vectors("a", 9), "b": crowd.vectors("b", 9)})
    vector = (people[0].center + people[1].center) / 2
    found = name_faces(people, vector[None])
    assert "present" not in verdicts(found)
    assert all(one.probability <= 0.5 for one in found)


def test_a_photo_without_faces_says_nothing(crowd):
    people = learn_people({"a": crowd.vectors("a", 3)})
    assert name_faces(people, np.empty((0, 128), np.float32)) == []
    assert name_faces(people, crowd.vectors("a"), exclude={0}) == []


def test_the_more_people_there_are_the_closer_a_face_must_be():
    assert default_threshold(5, 10) > default_threshold(5, 20) > default_threshold(5, 50)
    assert default_threshold(5, 1) == default_threshold(5, 10)
    assert default_threshold(1, 5) > default_threshold(5, 5)


def test_a_sister_who_is_not_registered_lowers_the_threshold(crowd):
    own = crowd.vectors("a", 5)
    sister = crowd.between("a", "b", 0.37) + crowd.random.normal(0, 0.005, (4, 128)).astype(np.float32)
    [before] = learn_people({"a": own})
    [after] = learn_people({"a": own}, others={"a": sister})
    assert verdicts(name_faces([before], sister[:1])) == ["present"]
    assert verdicts(name_faces([after], sister[:1])) != ["present"]
    assert after.threshold < before.threshold
    assert after.false_rate == 0
    assert verdicts(name_faces([after], own[:1])) == ["present"]


def test_a_small_child_is_a_suggestion_at_most(crowd):
    references = {"kid": crowd.vectors("kid", 5)}
    [kid] = learn_people(references, born={"kid": 2015})
    vector = references["kid"][:1]
    [young] = name_faces([kid], vector, year=2018)
    assert (young.verdict, young.is_suggestion, young.face) == ("unsure", True, 0)
    [older] = name_faces([kid], vector, year=2022)
    assert (older.verdict, older.is_suggestion) == ("present", False)
    [always] = learn_people(references, children={"kid"})
    assert verdicts(name_faces([always], vector, year=2022)) == ["unsure"]
    assert verdicts(name_faces([kid], crowd.vectors("stranger"), year=2018)) == ["absent"]


def test_an_undated_photo_of_somebody_who_is_still_a_child_is_a_suggestion(crowd):
    references = {"kid": crowd.vectors("kid", 5)}
    [kid] = learn_people(references, born={"kid": 2020})
    [grown] = learn_people(references, born={"kid": 1970})
    assert verdicts(name_faces([kid], references["kid"][:1])) == ["unsure"]
    assert verdicts(name_faces([grown], references["kid"][:1])) == ["present"]


def test_probability_falls_with_the_distance():
    values = [probability_of(excess) for excess in (-0.3, -0.1, 0.0, 0.05, 0.3, 50.0)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(0.5)
    assert 0 <= values[-1] < 1e-6
