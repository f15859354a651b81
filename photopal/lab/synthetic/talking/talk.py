"""What one may speak of in a talk about a drawn scene: who has a name, and who is asked about but absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.scene import Scene, Subject
from photopal.lab.synthetic.wording import describe_identity, join_words, sentence, with_article
from photopal.prompts.templates import NO, YES


@dataclass(frozen=True)
class Exchange:
    """A question and its true answer.

    Attributes:
        kind: What is asked for, such as recognition, place or activity.
        question: The question.
        answer: The answer.
        way: The way of asking, see `grammars.WAYS`.
        fields: What the question speaks of.
    """

    kind: str
    question: str
    answer: str
    way: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Talk:
    """What one may speak of: a scene, the names of its subjects, and names of others.

    Attributes:
        scene: What is true.
        names: For each subject its name, or None.
        absent: Names of identities that are not in the scene.
        absent_looks: Their identities, in the same order; none where they are not known.
    """

    scene: Scene
    names: tuple[str | None, ...]
    absent: tuple[str, ...] = ()
    absent_looks: tuple[Identity, ...] = ()

    @property
    def named(self) -> list[tuple[str, Subject]]:
        """The subjects that have a name, from left to right."""
        return [(name, subject) for name, subject in self.in_order if name is not None]

    @property
    def in_order(self) -> list[tuple[str | None, Subject]]:
        """All subjects with their names or None, from left to right."""
        pairs = zip(self.names, self.scene.subjects, strict=True)
        return sorted(pairs, key=lambda pair: pair[1].x)

    @property
    def looks(self) -> list[tuple[str, Identity]]:
        """What every name stands for, as far as known: from left to right, then the absent."""
        present = [(name, subject.identity) for name, subject in self.named]
        return present + list(zip(self.absent, self.absent_looks, strict=bool(self.absent_looks)))

    def beside(self, name: str) -> list[tuple[str | None, Subject]]:
        """The nearest on each side of a named one, from left to right; nobody for an absent name."""
        subjects = self.in_order
        at = next((n for n, (other, _) in enumerate(subjects) if other == name), None)
        return [] if at is None else [subjects[n] for n in (at - 1, at + 1) if 0 <= n < len(subjects)]

    def tell_who(self, shown: Sequence[tuple[str | None, Subject]]) -> str:
        """List some subjects by name, or by their looks: "Anna and a brown dog."; "Nobody." for none."""
        said = [name if name is not None else describe_identity(s.identity) for name, s in shown]
        return sentence(join_words(said)) if said else "Nobody."


def yes_no(is_true: bool) -> str:
    """Yes or No."""
    return YES if is_true else NO


def things_of(subject: Subject) -> set[str]:
    """What can be seen on or with somebody, each with its article: "a kite", "a red top", "glasses"."""
    things = {PROPS[subject.activity]} if subject.activity in PROPS else set()
    clothes, identity = subject.clothes, subject.identity
    if clothes is not None:
        things |= {f"{with_article(clothes.top)} top", f"{clothes.trousers} trousers"}
        if clothes.pattern != "plain":
            things.add(f"a {clothes.pattern} top")
        if clothes.hat != "none":
            things |= {"a hat", f"a {clothes.hat}", f"{with_article(clothes.hat_colour)} {clothes.hat}"}
    if isinstance(identity, Person):
        things |= {"glasses", f"{identity.glasses} glasses"} if identity.glasses != "none" else set()
        things |= {f"a {identity.beard}"} if identity.beard != "none" else set()
    elif subject.collar != "none":
        things |= {"a collar", f"a {subject.collar} collar"}
    return things


def kind_words(identity: Identity) -> str:
    """ "a dog", "a child" or "an adult"."""
    return with_article(identity.species if isinstance(identity, Pet) else identity.age)


SPECIES_WORDS = ("a dog", "a cat", "a rabbit", "a parrot")
PROPS = {
    "flying a kite": "a kite",
    "playing the guitar": "a guitar",
    "eating an ice cream": "an ice cream",
    "holding an umbrella": "an umbrella",
    "holding a balloon": "a balloon",
    "playing with a ball": "a ball",
    "reading a book": "a book",
    "riding a bicycle": "a bicycle",
    "holding a cake": "a cake",
    "taking a photo": "a camera",
}
