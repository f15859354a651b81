"""Tells the subjects of a scene apart by looks, clothes, activity or numbered mark, and asks so."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from photopal.lab.synthetic.dialogue.questions import activities_of
from photopal.lab.synthetic.dialogue.talk import Exchange, Mention, Talk, ask, kind_words, yes_no
from photopal.lab.synthetic.identity import AGES, Identity, Person, Pet, draw_identity, draw_lookalike
from photopal.lab.synthetic.scene import (
    COLLARS,
    HATS,
    TOP_COLORS,
    TROUSER_COLORS,
    Scene,
    Subject,
    draw_clothes,
)
from photopal.lab.synthetic.wording import (
    describe_identity,
    hair_words,
    join_words,
    pattern_words,
    sentence,
    with_article,
)

LOOKS = ("hair", "glasses", "beard", "skin", "freckles", "coat pattern", "collar")
WORN = ("top", "trousers", "hat")
DOING = "doing"
FAR_SHARE = 0.25
AGE_SHARE = 0.15
_TRIES = 24


@dataclass(frozen=True)
class Description:
    """Words that may be true of somebody: "black dog with a red collar", "child in a red top waving".

    Attributes:
        noun: What it is.
        looks: What it has.
        worn: What it wears.
        doing: What it does, or nothing.
    """

    noun: str
    looks: tuple[str, ...] = ()
    worn: tuple[str, ...] = ()
    doing: str = ""

    @property
    def words(self) -> str:
        """The description without its article."""
        parts = [self.noun]
        parts += [f"with {join_words(self.looks)}"] if self.looks else []
        parts += [f"in {join_words(self.worn)}"] if self.worn else []
        return " ".join([*parts, self.doing] if self.doing else parts)

    def fits(self, subject: Subject) -> bool:
        """Whether all of it is true of somebody."""
        true = {phrase for phrases in facts_of(subject).values() for phrase in phrases}
        told = (self.noun, *self.looks, *self.worn, *([self.doing] if self.doing else ()))
        return true.issuperset(told)


def facts_of(subject: Subject) -> dict[str, tuple[str, ...]]:
    """What is true of somebody, by what it is about; each in several words where there are several."""
    facts = _facts_of_pet(subject, subject.identity) if isinstance(subject.identity, Pet) else {}
    if isinstance(subject.identity, Person):
        facts = _facts_of_person(subject.identity)
    clothes = subject.clothes
    if clothes is not None:
        top = with_article(f"{clothes.top} top")
        if clothes.pattern == "plain":
            facts["top"] = (top,)
        else:
            both = with_article(f"{clothes.top} {clothes.pattern} top")
            facts["top"] = (top, f"a {clothes.pattern} top", both)
        facts["trousers"] = (f"{clothes.trousers} trousers",)
        if clothes.hat != "none":
            facts["hat"] = ("a hat", f"a {clothes.hat}", with_article(f"{clothes.hat_color} {clothes.hat}"))
    return facts | {DOING: (subject.activity,)}


def _facts_of_person(person: Person) -> dict[str, tuple[str, ...]]:
    facts = {"noun": ("person", person.age), "skin": (f"{person.skin} skin",), "hair": (hair_words(person),)}
    if person.hair_style != "bald":
        facts["hair"] += (f"{person.hair_color} hair",)
    if person.glasses != "none":
        facts["glasses"] = ("glasses", f"{person.glasses} glasses")
    if person.beard != "none":
        facts["beard"] = (f"a {person.beard}",)
    if person.has_freckles:
        facts["freckles"] = ("freckles",)
    return facts


def _facts_of_pet(subject: Subject, pet: Pet) -> dict[str, tuple[str, ...]]:
    facts: dict[str, tuple[str, ...]] = {"noun": (pet.species, f"{pet.coat} {pet.species}")}
    if pet.pattern != "plain" or pet.species == "parrot":
        facts["coat pattern"] = (pattern_words(pet),)
    if subject.collar != "none":
        facts["collar"] = (f"a {subject.collar} collar",)
    return facts


def describe(
    subject: Subject,
    rng: random.Random,
    *,
    about: Collection[str] = (*LOOKS, *WORN, DOING),
    fact: tuple[str, str] | None = None,
) -> Description:
    """Describe somebody truly in a few words.

    Args:
        subject: Somebody.
        rng: Source of randomness.
        about: What may be told besides what it is.
        fact: What must be told: what it is about, and the words.
    """
    facts = facts_of(subject)
    told = {"noun": rng.choice(facts["noun"])} | ({fact[0]: fact[1]} if fact is not None else {})
    open_ = [key for key in facts if key in about and key not in told]
    count = rng.choice((0, 1, 1, 2) if fact is not None else (0, 1, 1, 2, 2, 3))
    told |= {key: rng.choice(facts[key]) for key in rng.sample(open_, min(len(open_), count))}
    return Description(
        noun=told["noun"],
        looks=tuple(told[key] for key in LOOKS if key in told),
        worn=tuple(told[key] for key in WORN if key in told),
        doing=told.get(DOING, ""),
    )


def describe_only(
    subject: Subject, subjects: Sequence[Subject], rng: random.Random, *, about: Collection[str] = LOOKS
) -> Description | None:
    """Describe somebody so that it is true of nobody else among the subjects; None where that is hard."""
    for _ in range(_TRIES):
        description = describe(subject, rng, about=about)
        if sum(description.fits(other) for other in subjects) == 1:
            return description
    return None


def describe_nobody(
    subjects: Sequence[Subject], rng: random.Random, *, about: Collection[str] = (*LOOKS, *WORN, DOING)
) -> Description | None:
    """Describe somebody who is not there: mostly one who is there but for one attribute.

    Args:
        subjects: Who is there.
        rng: Source of randomness.
        about: What may be told.
    """
    for _ in range(_TRIES):
        if not subjects or rng.random() < FAR_SHARE:
            # Somebody who might have been there.
            identity: Identity = draw_identity(rng, held_out=None)
            clothes = draw_clothes(rng) if isinstance(identity, Person) else None
            invented = Subject(
                identity, "", x=0.5, ground=0.9, height=0.5, is_mirrored=False, clothes=clothes
            )
            description = describe(
                replace(invented, activity=rng.choice(activities_of(invented))), rng, about=about
            )
        else:
            found = describe_almost(rng.choice(subjects), rng, about=about)
            if found is None:
                continue
            description = found
        if not any(description.fits(subject) for subject in subjects):
            return description
    return None


def describe_almost(
    subject: Subject, rng: random.Random, *, about: Collection[str] = (*LOOKS, *WORN, DOING)
) -> Description | None:
    """Describe somebody truly but for one attribute; None where the attribute drawn makes no difference."""
    other = _alter(subject, rng, about)
    own = facts_of(subject)
    changed = [
        (key, words)
        for key, phrases in facts_of(other).items()
        for words in phrases
        if words not in own.get(key, ()) and (key == "noun" or key in about)
    ]
    return describe(other, rng, about=about, fact=rng.choice(changed)) if changed else None


def _alter(subject: Subject, rng: random.Random, about: Collection[str]) -> Subject:
    """Change one attribute of somebody, of those that may be told."""
    ways: list[Callable[[Subject, random.Random], Subject]] = [_alter_identity] * 3
    if DOING in about:
        ways.append(_alter_activity)
    if "top" in about and subject.clothes is not None:
        ways += [_alter_clothes] * 2
    if "collar" in about and isinstance(subject.identity, Pet) and subject.identity.species != "parrot":
        ways.append(_alter_collar)
    return rng.choice(ways)(subject, rng)


def _alter_identity(subject: Subject, rng: random.Random) -> Subject:
    identity = subject.identity
    may_be_any_age = (
        isinstance(identity, Person) and identity.hair_style != "bald" and identity.beard == "none"
    )
    if isinstance(identity, Person) and may_be_any_age and rng.random() < AGE_SHARE:
        age = next(age for age in AGES if age != identity.age)
        return replace(subject, identity=replace(identity, age=age))
    return replace(subject, identity=draw_lookalike(identity, rng, held_out=None))


def _alter_activity(subject: Subject, rng: random.Random) -> Subject:
    return replace(subject, activity=rng.choice(activities_of(subject)))


def _alter_collar(subject: Subject, rng: random.Random) -> Subject:
    return replace(subject, collar=rng.choice(COLLARS))


def _alter_clothes(subject: Subject, rng: random.Random) -> Subject:
    clothes = subject.clothes
    if clothes is None:
        return subject
    changed = rng.choice(
        (
            replace(clothes, top=rng.choice(TOP_COLORS)),
            replace(clothes, pattern="dotted" if clothes.pattern == "striped" else "striped"),
            replace(clothes, trousers=rng.choice(TROUSER_COLORS)),
            replace(clothes, hat=rng.choice(HATS[1:]), hat_color=rng.choice(TOP_COLORS)),
        )
    )
    return replace(subject, clothes=changed)


HIGHEST_MARK = 9
NO_MARK_SHARE = 0.1


@dataclass(frozen=True)
class Marked:
    """A scene with numbers drawn on its photo.

    Attributes:
        scene: What is true.
        marks: Index of a subject → the number at it; not every subject has one.
    """

    scene: Scene
    marks: Mapping[int, int]

    def unused(self, rng: random.Random) -> int:
        """A number that is nowhere on the photo."""
        return rng.choice([n for n in range(1, HIGHEST_MARK + 1) if n not in self.marks.values()])

    def someone(self, rng: random.Random) -> int:
        """The index of somebody with a mark."""
        return rng.choice(sorted(self.marks))


def talk_by_looks(scene: Scene, rng: random.Random) -> Talk:
    """Speak of everybody who can be told apart by looks as "the child with red hair".

    One or two are spoken of who are not there, alike in all but one attribute to somebody who is.
    """
    subjects = scene.subjects
    told = [describe_only(subject, subjects, rng) for subject in subjects]
    names = tuple(None if one is None else f"the {one.words}" for one in told)
    strangers = [describe_nobody(subjects, rng) for _ in range(rng.choice((1, 1, 2)))]
    absent = dict.fromkeys(f"the {one.words}" for one in strangers if one is not None)
    return Talk(scene, names, tuple(absent))


def talk_by_marks(marked: Marked, rng: random.Random) -> Talk:
    """Speak of everybody who has a mark as "the one at mark 2", or "the dog at mark 2"."""
    names: list[str | None] = [None] * len(marked.scene.subjects)
    style = rng.choice(("the one at mark {}", "the {kind} at mark {}", "the one at 'Mark Number {}'"))
    for index, number in marked.marks.items():
        kind = kind_words(marked.scene.subjects[index].identity).split(" ", 1)[1]
        names[index] = style.format(number, kind=kind)
    absent = style.format(marked.unused(rng), kind="one")
    return Talk(marked.scene, tuple(names), (absent,))


def everybody(scene: Scene, rng: random.Random) -> Exchange:
    """Ask who all can be seen, told by their looks."""
    talk = Talk(scene, (None,) * len(scene.subjects))
    return ask("everybody", "everybody", talk.tell_who(talk.in_order), rng)


def described(scene: Scene, rng: random.Random) -> Exchange | None:
    """Ask whether somebody is there whom a description fits, or fits but for one attribute."""
    is_there = bool(scene.subjects) and rng.random() < 0.5
    told = describe(rng.choice(scene.subjects), rng) if is_there else describe_nobody(scene.subjects, rng)
    if told is None:
        return None
    what = with_article(told.words)
    fitting = [index for index, subject in enumerate(scene.subjects) if told.fits(subject)]
    mention = Mention(what, fitting[0] if fitting else -1) if len(fitting) <= 1 else None
    return replace(ask("described", "exists", yes_no(is_there), rng, what=what), mention=mention)


def described_at_mark(marked: Marked, rng: random.Random) -> Exchange | None:
    """Ask whether the one at a mark is as described, or as somebody else there is."""
    index = marked.someone(rng)
    number, subject = marked.marks[index], marked.scene.subjects[index]
    others = [other for other in marked.scene.subjects if other is not subject]
    if rng.random() < 0.5:
        description = describe(subject, rng)
    elif others and rng.random() < 0.6:
        description = describe(rng.choice(others), rng)
    else:
        almost = describe_almost(subject, rng)
        if almost is None:
            return None
        description = almost
    what = f"{with_article(description.words)} {_at(number, rng)}"
    is_so = description.fits(subject)
    exchange = ask("mark", "exists", yes_no(is_so), rng, what=what)
    return replace(exchange, mention=Mention(what, index if is_so else -1))


def at_mark(marked: Marked, rng: random.Random) -> Exchange:
    """Ask who is at a mark."""
    if rng.random() < NO_MARK_SHARE:
        number, index = marked.unused(rng), -1
        answer = f"There is no mark {number}."
    else:
        index = marked.someone(rng)
        number = marked.marks[index]
        answer = sentence(describe_identity(marked.scene.subjects[index].identity))
    at = _at(number, rng)
    return replace(ask("mark", "at_mark", answer, rng, at=at), mention=Mention(at, index))


def mark_of(marked: Marked, rng: random.Random) -> Exchange | None:
    """Ask which mark is at somebody described."""
    index = marked.someone(rng)
    description = describe_only(marked.scene.subjects[index], marked.scene.subjects, rng)
    if description is None:
        return None
    name = f"the {description.words}"
    exchange = ask("mark", "mark_of", f"Mark {marked.marks[index]}.", rng, name=name)
    return replace(exchange, mention=Mention(name, index))


def _at(number: int, rng: random.Random) -> str:
    return rng.choice((f"at mark {number}", f"at mark number {number}", f"at 'Mark Number {number}'"))
