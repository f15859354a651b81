"""Faces alike gather, photo by photo, and two people never count as one for long."""

from collections import Counter, defaultdict

import numpy as np

from photopal.faces.groups import FaceGroups, Group


def group_all(groups, items):
    """The group of each item at the end."""
    labels = []
    for vectors in items:
        done = groups.add(vectors)
        for gone, into in done.merged:
            labels = [[into if label == gone else label for label in photo] for photo in labels]
        labels.append(done.groups)
    return labels


def test_two_hundred_faces_of_forty_people_gather_in_about_forty_groups(crowd):
    people = [who for who in range(40) for _ in range(5)]
    crowd.random.shuffle(people)
    labels = group_all(FaceGroups(), [crowd.vectors(who) for who in people])
    members = defaultdict(Counter)
    for who, [label] in zip(people, labels, strict=True):
        members[label][who] += 1
    assert sum(count.most_common(1)[0][1] for count in members.values()) == 200
    assert 40 <= len(members) <= 60


def test_a_photo_more_changes_no_group_but_its_own(crowd):
    groups = FaceGroups()
    labels = group_all(groups, [crowd.vectors(who) for who in (*"aabbcc",)])
    before = {label: groups[label].count for [label] in labels}
    done = groups.add(crowd.vectors("a"))
    assert done.groups == labels[0]
    assert {label: groups[label].count for label in before} == {
        label: count + (label == labels[0][0]) for label, count in before.items()
    }


def test_two_faces_of_one_photo_are_two_people(crowd):
    vectors = crowd.vectors("a", 2)
    first, second = FaceGroups().add(vectors).groups
    assert first != second
    groups = FaceGroups()
    groups.add(crowd.vectors("a"))
    first, second = groups.add(crowd.vectors("a", 2)).groups
    assert first != second


def test_groups_that_come_close_become_one_unless_a_photo_shows_both_or_the_user_made_one(crowd):
    center = crowd.vectors("a").astype(float)[0]

    def close(**facts):
        return [
            Group(id=1, total=3 * center, count=3),
            Group(id=2, total=2 * (center + 0.02), count=2, **facts),
        ]

    vector = [center.astype(np.float32)]
    assert FaceGroups(close(), next_id=3).add(vector).merged == [(2, 1)]
    assert FaceGroups(close(), next_id=3, share_photo=lambda one, other: True).add(vector).merged == []
    assert FaceGroups(close(is_fixed=True), next_id=3).add(vector).merged == []


def test_a_poor_face_joins_a_group_and_founds_none(crowd):
    groups = FaceGroups()
    assert groups.add(crowd.vectors("a"), qualities=[0.01]).groups == [None]
    [label] = groups.add(crowd.vectors("a"), qualities=[0.5]).groups
    assert groups.add(crowd.vectors("a"), qualities=[0.01]).groups == [label]


def test_the_last_face_that_leaves_takes_its_group_along(crowd):
    groups = FaceGroups()
    vectors = [crowd.vectors(who) for who in "abc"]
    labels = group_all(groups, vectors)
    groups.remove(labels[0][0], vectors[0][0])
    assert len(groups) == 2
    assert groups.add(crowd.vectors("c")).groups == labels[2]


def test_what_the_order_of_faces_left_apart_is_settled_once(crowd):
    vectors = crowd.vectors("a", 4)
    groups = FaceGroups(
        [
            Group(id=1, total=vectors[:2].sum(axis=0).astype(float), count=2),
            Group(id=2, total=vectors[2:].sum(axis=0).astype(float), count=2),
            Group(id=3, total=crowd.vectors("b")[0].astype(float), count=1),
        ],
        next_id=4,
    )
    assert groups.settle() == [(2, 1)]
    assert groups[1].count == 4
    assert all(group.is_settled for group in groups.all())
    assert groups.settle() == []
