"""What one may speak of about a drawn scene, and how it may be phrased; knows no answers.

A grammar of phrasings is a text in which `[a|b]` stands for either.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.scene import Scene, Subject
from photopal.lab.synthetic.wording import describe_identity, join_words, sentence, with_article
from photopal.prompts import templates as own
from photopal.prompts.templates import NO, YES

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def phrase(grammar: str, rng: random.Random, /, **fields: str) -> str:
    """Pick one phrasing of a grammar and fill in its `{fields}`.

    Choices may stand within choices and may be empty: `"Who is [here|in this [photo|picture]]?"`.
    """
    text = grammar
    while "[" in text:
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
    return _tidy(text).format(**fields)


def pattern(grammar: str) -> re.Pattern[str]:
    """A pattern that fully matches every phrasing of a grammar, whatever its fields are, and no other."""
    text = grammar
    kept: list[str] = []
    while "[" in text:
        text = _CHOICE.sub(lambda match: _keep(match[1], kept), text)
    source = _source(text)
    for number in reversed(range(len(kept))):
        ways = "|".join(_source(way) for way in kept[number].split("|"))
        source = source.replace(f"\x00{number}\x01", f"(?:{ways})")
    return re.compile(rf"\s*{source}\s*", re.IGNORECASE)


def _keep(ways: str, kept: list[str]) -> str:
    kept.append(ways)
    return f"\x00{len(kept) - 1}\x01"


def _source(text: str) -> str:
    """Escape a piece of grammar: fields match anything, a space any or no white space."""
    parts = re.split(r"(\x00\d+\x01|\{\w+\}| +)", text)
    return "".join(
        part
        if part.startswith("\x00")
        else r".+?"
        if part.startswith("{")
        else r"\s*"
        if part.isspace()
        else re.escape(part)
        for part in parts
    )


def _tidy(text: str) -> str:
    return re.sub(r" +([?.!,])", r"\1", re.sub(r" {2,}", " ", text)).strip()


@dataclass(frozen=True)
class Mention:
    """Words of a question that stand for somebody: "the child with red hair", "mark 2", "a red top".

    Attributes:
        words: The words as they stand in the question.
        subject: The number of the scene's subject they are true of, -1 if of none.
    """

    words: str
    subject: int


@dataclass(frozen=True)
class Exchange:
    """A question and its true answer.

    Attributes:
        kind: What is asked for, such as recognition, place or activity.
        question: The question.
        answer: The answer.
        way: The way of asking, see `grammars.WAYS`.
        fields: What the question speaks of.
        mention: Whom it speaks of, where that is known; the words may be missing from a roughened question.
    """

    kind: str
    question: str
    answer: str
    way: str
    fields: dict[str, str] = field(default_factory=dict)
    mention: Mention | None = None


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
            things |= {"a hat", f"a {clothes.hat}", f"{with_article(clothes.hat_color)} {clothes.hat}"}
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


COMMON_SHARE = 0.35

COMMON: Mapping[str, tuple[str, ...]] = {
    "caption": (own.CAPTION_QUESTION,),
    "recognition": own.RECOGNITION_TEMPLATES,
    "who": own.WHO_TEMPLATES,
    "place": ("Where [was this photo taken|is this]?", "What place is this?"),
    "count": ("How many {what} are [there|in this photo]?",),
    "exists": ("Is there {what} [in this photo|]?", "Can you see {what}?"),
    "who_does": ("Who is {doing}?",),
    "activity": own.ACTIVITY_TEMPLATES,
    "clothes": ("What is {name} wearing?",),
    "top": ("What colour is [{name}'s top|the top of {name}]?",),
    "wears": ("Is {name} wearing {garment}?",),
    "position": own.POSITION_TEMPLATES,
    "beside": ("Who is [beside|next to] {name}?",),
    "appearance": own.APPEARANCE_TEMPLATES,
    "choice": ("{question} {options} Answer with the letter.",),
}
"""Way of asking → how it is worded most, photopal's own questions among them."""


def _read() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    text = Path(__file__).with_name("phrasings.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            way, grammar = line.split(": ", 1)
            found[way].append(grammar)
    return {way: tuple(grammars) for way, grammars in found.items()}


WAYS: Mapping[str, tuple[str, ...]] = _read()
"""Way of asking → its grammars; see `phrase`."""


def word(way: str, rng: random.Random, /, **fields: str) -> str:
    """Phrase a question: one time in three as it is commonly asked, else in any way there is."""
    common = COMMON.get(way, ())
    grammars = common if common and rng.random() < COMMON_SHARE else WAYS[way]
    return phrase(rng.choice(grammars), rng, **fields)


def ask(kind: str, way: str, answer: str, rng: random.Random, /, **fields: str) -> Exchange:
    """An exchange, its question phrased in one of the ways it may be."""
    return Exchange(kind=kind, question=word(way, rng, **fields), answer=answer, way=way, fields=fields)


def all_grammars() -> tuple[str, ...]:
    """Every grammar there is."""
    return tuple(grammar for ways in (COMMON, WAYS) for grammars in ways.values() for grammar in grammars)
