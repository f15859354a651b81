"""Says in words what is true of a drawn scene: who, where, doing and wearing what; asks no questions."""

from __future__ import annotations

from collections.abc import Sequence

from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.painting.places import INDOORS, PLACES
from photopal.lab.synthetic.scene import Scene, Subject

NUMBERS = ("None", "One", "Two", "Three", "Four", "Five")
LIGHT_PHRASES = {"day": "", "sunset": " at sunset", "night": " at night", "cloudy": ""}
DOING = {"standing": "standing", "sitting": "sitting", "waving": "waving"}


def join_words(words: Sequence[str]) -> str:
    """Join as a sentence does: "a", "a and b", "a, b and c"."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop; placeholders of names stay as they are."""
    return text[:1].upper() + text[1:] + "."


def with_article(words: str) -> str:
    """Put a or an before words."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def hair_words(person: Person) -> str:
    """Describe a person's hair."""
    color, style = person.hair_color, person.hair_style
    if style == "bald":
        return "a bald head"
    if style in {"short", "long", "curly"}:
        return f"{style} {color} hair"
    return with_article(f"{color} {style}")


def describe_identity(identity: Identity) -> str:
    """Describe somebody nobody has named, briefly: "a child with long red hair and round glasses"."""
    if isinstance(identity, Pet):
        coat = with_article(f"{identity.coat} {identity.species}")
        if identity.pattern == "plain" and identity.species != "parrot":
            return coat
        return f"{coat} with {pattern_words(identity)}"
    features = [hair_words(identity)]
    if identity.glasses != "none":
        features.append(f"{identity.glasses} glasses")
    if identity.beard != "none":
        features.append(f"a {identity.beard}")
    return f"{with_article(identity.age)} with {join_words(features)}"


def pattern_words(pet: Pet) -> str:
    """Describe what the second color of a coat does."""
    if pet.pattern == "plain":
        return f"{pet.second_coat} wings"
    part = {"patched": "patches", "striped": "stripes", "bibbed": "chest"}[pet.pattern]
    return f"a {pet.second_coat} {part}" if part == "chest" else f"{pet.second_coat} {part}"


def describe_fully(identity: Identity) -> str:
    """Describe somebody's looks in full, as an answer about a name goes on after "is"."""
    if isinstance(identity, Pet):
        size = "a small" if identity.size == "small" else "a big"
        words = f"{size} {identity.coat} {identity.species}"
        if identity.pattern != "plain" or identity.species == "parrot":
            words += f" with {pattern_words(identity)}"
        return words
    features = [f"{identity.skin} skin", hair_words(identity)]
    if identity.glasses != "none":
        features.append(f"{identity.glasses} glasses")
    if identity.beard != "none":
        features.append(f"a {identity.beard}")
    if identity.has_freckles:
        features.append("freckles")
    return f"{with_article(identity.age)} with {join_words(features)}"


def clothes_words(subject: Subject) -> str:
    """Say what somebody wears: "a red striped top and blue trousers"; "nothing" for a bare pet."""
    if subject.clothes is None:
        return "nothing" if subject.collar == "none" else f"a {subject.collar} collar"
    clothes = subject.clothes
    pattern = "" if clothes.pattern == "plain" else f"{clothes.pattern} "
    worn = [with_article(f"{clothes.top} {pattern}top"), f"{clothes.trousers} trousers"]
    if clothes.hat != "none":
        worn.append(with_article(f"{clothes.hat_color} {clothes.hat}"))
    return join_words(worn)


def side_words(subject: Subject) -> str | None:
    """Say on which side somebody is; None too near a border between sides to tell."""
    for border in (0.36, 0.64):
        if abs(subject.x - border) < 0.03:
            return None
    if subject.x < 0.36:
        return "on the left"
    return "on the right" if subject.x > 0.64 else "in the middle"


def setting_words(scene: Scene) -> str:
    """Say where and when: "at the beach at sunset", "in the street in the rain"."""
    light = LIGHT_PHRASES[scene.light] if scene.place not in INDOORS else ""
    return PLACES[scene.place] + (" in the rain" if scene.has_rain else light)


def caption_words(scene: Scene, names: Sequence[str | None]) -> str:
    """Caption a scene from left to right.

    Args:
        scene: What is true.
        names: For each subject its name, or None to describe it.
    """
    order = sorted(range(len(scene.subjects)), key=lambda index: scene.subjects[index].x)
    if not order:
        return sentence(f"nobody is {setting_words(scene)}")
    parts = []
    for index in order:
        subject, name = scene.subjects[index], names[index]
        who = name if name is not None else describe_identity(subject.identity)
        parts.append(f"{who} is {subject.activity}")
    return sentence(f"{join_words(parts)} {setting_words(scene)}")


def short_caption_words(scene: Scene, names: Sequence[str | None]) -> str:
    """Caption a scene briefly: "Anna and a brown dog at the beach."."""
    order = sorted(range(len(scene.subjects)), key=lambda index: scene.subjects[index].x)
    if not order:
        return sentence(f"nobody {setting_words(scene)}")
    who = [names[index] or describe_briefly(scene.subjects[index].identity) for index in order]
    return sentence(f"{join_words(who)} {setting_words(scene)}")


def full_caption_words(scene: Scene, names: Sequence[str | None]) -> str:
    """Caption a scene, then say what everybody wears."""
    order = sorted(range(len(scene.subjects)), key=lambda index: scene.subjects[index].x)
    told = [caption_words(scene, names)]
    for index in order:
        subject = scene.subjects[index]
        if subject.clothes is None and subject.collar == "none":
            continue
        who = names[index] or f"the {describe_briefly(subject.identity).split(' ', 1)[1]}"
        told.append(sentence(f"{who} is wearing {clothes_words(subject)}"))
    return " ".join(told)


def describe_briefly(identity: Identity) -> str:
    """ "a brown dog", "a child", "an adult"."""
    if isinstance(identity, Pet):
        return with_article(f"{identity.coat} {identity.species}")
    return with_article(identity.age)
