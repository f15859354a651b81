"""Who lives in the drawn world: the held-out split, lookalikes."""

import hashlib
import random
from dataclasses import fields

import numpy as np
import pytest

from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import (
    HELD_OUT_SHARE,
    Person,
    Pet,
    draw_identity,
    draw_lookalike,
    is_held_out,
    list_lookalikes,
)
from photopal.lab.synthetic.painting.people import Clothes
from photopal.lab.synthetic.scene import Scene, Subject

CLOTHES = Clothes("green", "plain", "blue", "none", "red")
VISIBLE_LEVELS, VISIBLE_PX = 20, 20
DIM_BEARD = ("dark", "brown")  # a skin and a hair color whose beard is hardly seen


def everybody(count, *, seed=0):
    rng = random.Random(seed)
    return [draw_identity(rng, held_out=None) for _ in range(count)]


def portrait(identity):
    activity = "standing" if isinstance(identity, Person) else "sitting"
    clothes = CLOTHES if isinstance(identity, Person) else None
    height = 0.75 if isinstance(identity, Person) else 0.5
    subject = Subject(identity, activity, 0.5, 0.9, height, False, clothes)
    picture = draw_photo(Scene("kitchen", "day", (subject,), seed=5)).image
    return np.asarray(picture, dtype=np.int16)


def changed(one, other):
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)}


def test_the_held_out_split_never_moves():
    """A model is trained on the others: were one to cross over, its evaluation would mean nothing."""
    people = everybody(4000)
    bits = "".join(str(int(is_held_out(identity))) for identity in people)
    assert hashlib.blake2b(bits.encode(), digest_size=8).hexdigest() == "a0e812c02d561b52"
    assert is_held_out(Person("tan", "grey", "bob", "round", "none", "broad", "child", True))
    assert bits.count("1") / len(bits) == pytest.approx(HELD_OUT_SHARE, abs=0.02)


def test_the_same_seed_draws_the_same_identities():
    assert everybody(50, seed=3) == everybody(50, seed=3)
    assert everybody(50, seed=3) != everybody(50, seed=4)


@pytest.mark.parametrize("held_out", [True, False])
def test_identities_come_from_the_asked_side_of_the_split(held_out):
    rng = random.Random(1)
    drawn = [draw_identity(rng, held_out=held_out) for _ in range(100)]
    assert {is_held_out(identity) for identity in drawn} == {held_out}


@pytest.mark.parametrize(("kind", "type_"), [("person", Person), ("pet", Pet)])
def test_a_kind_can_be_asked_for(kind, type_):
    rng = random.Random(2)
    drawn = [draw_identity(rng, kind=kind) for _ in range(50)]
    assert all(isinstance(identity, type_) and identity.kind == kind for identity in drawn)


def test_children_have_no_beards_and_are_not_bald():
    children = [who for who in everybody(2000) if isinstance(who, Person) and who.age == "child"]
    assert children
    assert all(child.beard == "none" and child.hair_style != "bald" for child in children)


def test_a_lookalike_person_differs_in_one_attribute():
    rng = random.Random(7)
    people = [who for who in everybody(300) if isinstance(who, Person)]
    seen = set()
    for person in people:
        difference = changed(person, draw_lookalike(person, rng))
        assert len(difference) == 1
        seen |= difference
    assert seen == {"hair_color", "hair_style", "glasses", "beard", "skin"}


def test_a_lookalike_pet_differs_in_its_coat_or_its_ears_only():
    rng = random.Random(8)
    pets = [who for who in everybody(600) if isinstance(who, Pet)]
    seen = set()
    for pet in pets:
        lookalike = draw_lookalike(pet, rng)
        difference = changed(pet, lookalike)
        seen.add(frozenset(difference))
        assert not difference & {"species", "size"}
        if len(difference) > 1:
            # A plain coat has no second color of its own, so it goes along with what changes.
            assert pet.pattern == "plain"
            assert difference in ({"coat", "second_coat"}, {"pattern", "second_coat"})
    assert {frozenset({name}) for name in ("coat", "second_coat", "pattern", "ears")} <= seen


@pytest.mark.slow
def test_lookalikes_can_be_told_apart_by_their_pixels():
    rng = random.Random(9)
    for identity in everybody(200, seed=9):
        lookalike = draw_lookalike(identity, rng)
        if changed(identity, lookalike) == {"beard"} and (identity.skin, identity.hair_color) == DIM_BEARD:
            continue
        difference = np.abs(portrait(identity) - portrait(lookalike)).max(axis=2)
        assert (difference > VISIBLE_LEVELS).sum() >= VISIBLE_PX, (identity, lookalike)


def test_a_lookalike_that_cannot_be_is_refused_rather_than_looked_for_without_end():
    lonely = social = 0
    for identity in everybody(60, seed=8):
        held_out = [sibling for sibling in list_lookalikes(identity) if is_held_out(sibling)]
        if held_out:
            social += 1
            assert draw_lookalike(identity, random.Random(0), held_out=True) in held_out
        else:
            lonely += 1
            with pytest.raises(LookupError, match="looks like"):
                draw_lookalike(identity, random.Random(0), held_out=True)
    assert lonely
    assert social


def test_all_lookalikes_are_listed_once_and_none_is_the_identity_itself():
    rng = random.Random(2)
    for identity in everybody(40, seed=9):
        listed = list_lookalikes(identity)
        assert len(set(listed)) == len(listed)
        assert identity not in listed
        assert all(draw_lookalike(identity, rng, held_out=None) in listed for _ in range(20))
