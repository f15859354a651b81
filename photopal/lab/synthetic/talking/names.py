"""Questions about somebody with a name: there or not, doing and wearing what, where, beside whom."""

from __future__ import annotations

import random
from collections.abc import Callable

from photopal.lab.synthetic.scene import Subject
from photopal.lab.synthetic.talking.grammars import ask
from photopal.lab.synthetic.talking.subjects import Told, clothing, doing, looking, placing
from photopal.lab.synthetic.talking.talk import Exchange, Talk, yes_no
from photopal.prompts.templates import absent_answer

ABSENT_SHARE = 0.2


def recognise(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether one or two names are in the photo."""
    present = [name for name, _ in talk.named]
    is_yes = bool(present) and (not talk.absent or rng.random() < 0.5)
    asked = [rng.choice(present if is_yes else talk.absent)]
    if rng.random() < 0.2:
        others = [name for name in present if name not in asked]
        if others:
            asked.insert(rng.randrange(2), rng.choice(others))
    return ask("recognition", "recognition", yes_no(is_yes), rng, name=" and ".join(asked))


def _about_someone(
    talk: Talk, rng: random.Random, kind: str, tell: Callable[[str, Subject], Told | None]
) -> Exchange | None:
    """Ask about a name that is there, or now and then about one that is not.

    `tell` gives the question and its answer. For a name that is not there they are told of somebody who is,
    so that the question asked gives nothing away.
    """
    if not talk.scene.subjects or not (talk.named or talk.absent):
        return None
    is_absent = bool(talk.absent) and (not talk.named or rng.random() < ABSENT_SHARE)
    if is_absent:
        name, subject = rng.choice(talk.absent), rng.choice(talk.scene.subjects)
    else:
        name, subject = rng.choice(talk.named)
    told = tell(name, subject)
    if told is None:
        return None
    if is_absent:
        answer = absent_answer(name[:1].upper() + name[1:])
        return ask("absent", told.way, answer, rng, name=name, **told.fields)
    return ask(kind, told.way, told.answer, rng, name=name, **told.fields)


def activity(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is doing or holding, or whether it does something."""
    return _about_someone(talk, rng, "activity", lambda name, subject: doing(name, subject, rng))


def clothes(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is wearing, or for one thing of it."""
    return _about_someone(talk, rng, "clothes", lambda name, subject: clothing(name, subject, rng))


def position(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is, or whether it is on one side."""
    return _about_someone(talk, rng, "position", lambda name, subject: placing(name, subject, rng))


def beside(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask who is beside a named one, or whether it is alone."""
    if rng.random() < 0.2:
        alone = Told("is_alone", yes_no(len(talk.scene.subjects) == 1))
        return _about_someone(talk, rng, "beside", lambda _, subject: alone)
    return _about_someone(
        talk, rng, "beside", lambda name, _: Told("beside", talk.tell_who(talk.beside(name)))
    )


def together(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask whether a named one is there with another."""
    present = [name for name, _ in talk.named]
    if not present or len(present) + len(talk.absent) < 2:
        return None
    name = rng.choice(present)
    others = [other for other in present if other != name]
    is_yes = bool(others) and (not talk.absent or rng.random() < 0.5)
    choices = others if is_yes else list(talk.absent)
    if not choices:
        return None
    return ask("recognition", "is_with", yes_no(is_yes), rng, name=name, other=rng.choice(choices))


def appearance(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a name stands for, in the photo or not."""
    known = talk.looks
    if not known:
        return None
    name, identity = rng.choice(known)
    told = looking(name, identity, rng)
    return None if told is None else ask("appearance", told.way, told.answer, rng, name=name, **told.fields)
