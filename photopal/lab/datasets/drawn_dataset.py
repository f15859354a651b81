"""Writes scenarios of the drawn world in the layout of MC-LLaVA, with masks of everyone; runs no model.

Beyond the layout there are `masks` of the test photos, photos of strangers that resemble a concept under
`lookalikes`, and `photopal.json` with what a concept is and which scenario has lookalikes among its concepts.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from photopal.errors import DatasetError
from photopal.lab.datasets.drawn_scenarios import (
    LEAST_DIFFERENCE,
    TRIES,
    difference_to,
    draw_cast,
    draw_others,
    draw_visible,
    name_of,
    nearly_same,
)
from photopal.lab.datasets.reading import LETTERS
from photopal.lab.synthetic.conversation import converse
from photopal.lab.synthetic.dialogue.multiple_choice import options_of
from photopal.lab.synthetic.dialogue.questions import SIDES
from photopal.lab.synthetic.dialogue.talk import Talk
from photopal.lab.synthetic.drawing import DrawnPhoto
from photopal.lab.synthetic.identity import Identity, Person, draw_identity, draw_lookalike
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import PARROT_ACTIVITIES, PERSON_ACTIVITIES, PET_ACTIVITIES
from photopal.lab.synthetic.scene import TOP_COLORS, Scene, Subject
from photopal.lab.synthetic.wording import describe_fully, side_words
from photopal.progress import OnProgress

Entry = dict[str, str]

ABOUT_ONE = ("activity", "clothes", "position", "beside")
MOST_TRIES = 50


@dataclass(frozen=True)
class PhotoQuestions:
    """Entries of the question files for one photo.

    Attributes:
        choice: First two about one concept each, then those about several.
        vqa: The same with free answers.
        position: Where each concept is, where its side is clear.
    """

    choice: list[Entry]
    vqa: list[Entry]
    position: list[Entry]


def ask_about_photo(talk: Talk, cast: Sequence[str], rng: random.Random, *, is_multi: bool) -> PhotoQuestions:
    """Ask about a photo that shows at least one of the cast.

    Args:
        talk: The photo and who on it has a name.
        cast: Names of the scenario.
        rng: Source of randomness.
        is_multi: Whether to ask two questions about one of them and one fewer than the cast about several,
            or one question about the only one.
    """
    named = talk.named
    subjects = named[:1]
    if is_multi:
        subjects = rng.sample(named, 2) if len(named) > 1 else named * 2
    choice = [_choose_about(name, subject, talk.scene, rng) for name, subject in subjects]
    vqa = [_talk_about(talk, name, rng) for name, _ in subjects]
    position = [entry for name, subject in named if (entry := _choose_side(name, subject, rng))]
    if is_multi:
        choice += [_choose_who(talk, cast, number, rng) for number in range(len(cast) - 1)]
        # Who is there, whether two are there, and who is furthest to the left.
        who = next(e for e in converse(_in_brackets(talk), rng, count=8) if e.kind == "who")
        entries = [{"Human": who.question, "AI": who.answer}]
        first, second = rng.sample(list(cast), 2)
        present = {name for name, _ in talk.named}
        answer = "Yes" if {first, second} <= present else "No"
        entries.append({"Human": f"Can you see <{first}> and <{second}>?", "AI": answer})
        name, _ = talk.named[0]
        entries.append({"Human": "Who is furthest to the left?", "AI": f"<{name}>."})
        vqa += entries[: len(cast) - 1]
    return PhotoQuestions(choice, vqa, position)


def ask_about_looks(name: str, look: Identity, rng: random.Random, cast: Sequence[str] = ()) -> Entry:
    """Ask without a photo what somebody looks like, or with a cast, who of them looks so."""
    if cast:
        entry = _options(f"Who is {describe_fully(look)}?", [f"<{one}>" for one in cast], f"<{name}>", rng)
    else:
        others: list[str] = []
        while len(others) < 2:
            words = describe_fully(draw_identity(rng, held_out=True, kind=look.kind))
            if words not in (*others, describe_fully(look)):
                others.append(words)
        options = [describe_fully(look), *others]
        entry = _options(f"What does <{name}> look like?", options, describe_fully(look), rng)
    return {"question": entry["Human"], "answer": entry["AI"]}


def _options(question: str, options: Sequence[str], right: str, rng: random.Random) -> Entry:
    shuffled = rng.sample(list(options), len(options))
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, shuffled, strict=False))
    return {"Human": f"{question} {listed}", "AI": LETTERS[shuffled.index(right)]}


def _choose_side(name: str, subject: Subject, rng: random.Random) -> Entry | None:
    side = side_words(subject)
    return None if side is None else _options(f"Where is <{name}>?", SIDES, side, rng)


def _choose_about(name: str, subject: Subject, scene: Scene, rng: random.Random) -> Entry:
    """Ask what one does or wears, or for the place; what others do or wear stands among the options."""
    others = [other for other in scene.subjects if other is not subject]
    kinds = ["activity", "activity", "place", "top" if subject.clothes is not None else "activity"]
    kind = rng.choice(kinds)
    if kind == "top" and subject.clothes is not None:
        right = subject.clothes.top
        worn = [other.clothes.top for other in others if other.clothes is not None]
        question, options = (
            f"Which colour is <{name}>'s top?",
            options_of(right, TOP_COLORS, worn, rng, count=3),
        )
    elif kind == "place":
        right = PLACES[scene.place]
        question = f"Where is this photo of <{name}> taken?"
        options = options_of(right, tuple(PLACES.values()), (), rng, count=3)
    else:
        right, doing = subject.activity, [other.activity for other in others]
        question = f"What is <{name}> doing?"
        options = options_of(right, _activities(subject), doing, rng, count=3)
    return _options(question, options, right, rng)


def _activities(subject: Subject) -> tuple[str, ...]:
    if isinstance(subject.identity, Person):
        return PERSON_ACTIVITIES
    if subject.identity.species == "parrot":
        return (*PARROT_ACTIVITIES, "sleeping")
    return PET_ACTIVITIES


def _choose_who(talk: Talk, cast: Sequence[str], number: int, rng: random.Random) -> Entry:
    """Ask which of the cast does something that nobody else does, or who is furthest left or right."""
    options = [f"<{name}>" for name in cast]
    doing = [subject.activity for subject in talk.scene.subjects]
    unique = [(name, s) for name, s in talk.named if doing.count(s.activity) == 1]
    if number == 0 and unique:
        name, subject = rng.choice(unique)
        return _options(f"Who is {subject.activity}?", options, f"<{name}>", rng)
    end = rng.choice(("left", "right")) if number < 2 else "left"
    name = talk.named[0 if end == "left" else -1][0]
    return _options(f"Which of them is furthest to the {end}?", options, f"<{name}>", rng)


def _in_brackets(talk: Talk) -> Talk:
    """The same with names as the layout writes them."""
    return Talk(talk.scene, tuple(None if name is None else f"<{name}>" for name in talk.names))


def _side(talk: Talk, name: str) -> str | None:
    """left, middle or right; None for somebody who is not there."""
    for other, subject in talk.named:
        if other == name:
            return "left" if subject.x < 0.36 else "right" if subject.x > 0.64 else "middle"
    return None


def _talk_about(talk: Talk, name: str, rng: random.Random) -> Entry:
    """A free question about one concept, worded as the bundled model learned them."""
    bracketed = _in_brackets(talk)
    for _ in range(MOST_TRIES):
        for exchange in converse(bracketed, rng, count=12):
            if exchange.kind in ABOUT_ONE and f"<{name}>" in exchange.question:
                return {"Human": exchange.question, "AI": exchange.answer}
    subject = dict(talk.named)[name]
    return {"Human": f"What is <{name}> doing?", "AI": f"<{name}> is {subject.activity}."}


Lookalikes = Mapping[Identity, Identity]
"""From whom somebody is to be told apart on a photo."""


@dataclass(frozen=True)
class DrawnOptions:
    """How much is written.

    Attributes:
        scenarios: Scenarios of two, three and four concepts in turn.
        lookalikes: Further ones in which the second concept looks like the first but for one thing.
        train: Training photos a concept.
        test: Test photos a concept.
        multi: Test photos of several concepts a scenario; the last one lacks somebody.
        negatives: Photos of strangers.
        siblings: Photos of strangers that resemble a concept, for each concept.
        size_px: Side of the photos.
        near_duplicates: Test photos of each concept that are drawn again with a lookalike in its place.
    """

    scenarios: int = 21
    lookalikes: int = 0
    train: int = 10
    test: int = 5
    multi: int = 5
    negatives: int = 60
    siblings: int = 2
    size_px: int = 160
    near_duplicates: int = 0


def write_drawn(
    root: Path,
    options: DrawnOptions,
    *,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> int:
    """Write a dataset; the same seed and options give the same files (with the same Pillow).

    Args:
        root: A folder that does not exist yet, or is empty.
        options: How much of what.
        seed: Who and which photos.
        on_progress: Told of every scenario.

    Returns:
        How many photos it has.

    Raises:
        DatasetError: The folder holds something, or cannot be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DatasetError(f"{root}: the folder is not empty", hint="Choose a new or an empty folder.")
    writer = _Writer(root, options)
    count = options.scenarios + options.lookalikes
    try:
        for number in range(count):
            has_lookalikes = number >= options.scenarios
            writer.scenario(
                random.Random(f"scenario {seed} {number}"), 2 + number % 3, has_lookalikes=has_lookalikes
            )
            if on_progress:
                on_progress(number + 1, count, writer.scenarios[-1])
        writer.finish(random.Random(f"strangers {seed}"))
    except OSError as error:
        raise DatasetError(f"{root}: the dataset cannot be written: {error.strerror}") from error
    return writer.photos


@dataclass(frozen=True)
class _Cast:
    """The concepts of one scenario; with a sibling the second looks like the first but for one thing."""

    names: tuple[str, ...]
    looks: tuple[Identity, ...]
    has_lookalikes: bool = False

    @property
    def lookalikes(self) -> Lookalikes:
        """Whom each concept resembles within the scenario."""
        first, second = self.looks[:2]
        return {first: second, second: first} if self.has_lookalikes else {}

    def talk_of(self, photo: DrawnPhoto) -> Talk:
        """The photo with the names of those on it."""
        of = dict(zip(self.looks, self.names, strict=True))
        return Talk(photo.scene, tuple(of.get(s.identity) for s in photo.scene.subjects))


@dataclass
class _Writer:
    root: Path
    options: DrawnOptions
    scenarios: list[str] = field(default_factory=list)
    photos: int = 0
    types: dict[str, str] = field(default_factory=dict)
    trained: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    extra: dict[str, dict[str, Any]] = field(default_factory=lambda: {"concepts": {}, "groups": {}})
    used: set[Identity] = field(default_factory=set)

    def scenario(self, rng: random.Random, size: int, *, has_lookalikes: bool) -> None:
        looks = draw_cast(rng, size, self.used, has_lookalikes=has_lookalikes)
        self.used.update(looks)
        start = len(self.types)
        names = tuple(name_of(number) for number in range(start, start + size))
        cast = _Cast(names, tuple(looks), has_lookalikes)
        folder = "two_concept" if size == 2 else "three_concept"
        name = "_".join(cast.names)
        self.scenarios.append(name)
        self.extra["groups"][name] = "lookalike" if has_lookalikes else "plain"
        for member, one in enumerate(cast.names):
            self.types[one] = folder
            sibling = cast.names[1 - member] if has_lookalikes and member < 2 else None
            look = cast.looks[member]
            facts = {"kind": look.kind, "about": describe_fully(look), "sibling": sibling}
            self.extra["concepts"][one] = facts
            self._train(folder, cast, member, rng)
            self._test(folder, cast, member, rng)
            for number in range(self.options.siblings):
                other = draw_lookalike(look, rng, held_out=None)
                photo = self._draw([other], rng, {other: look})
                self._save(f"lookalikes/{one}/{number}.png", photo.image)
        self._multi(f"{folder}/multi/{name}", cast, rng)

    def finish(self, rng: random.Random) -> None:
        for number in range(self.options.negatives):
            photo = self._draw(self._strangers(rng, rng.choice((0, 1, 1, 1, 2, 2))), rng)
            self._save(f"random-images/{number}.png", photo.image)
        for folder, listed in self.trained.items():
            self._json(f"{folder}/concept/train/train.json", listed)
        self._json("scenarios.json", self.scenarios)
        self._json("concept_type.json", self.types)
        self._json("photopal.json", self.extra)

    def _strangers(self, rng: random.Random, count: int) -> list[Identity]:
        return draw_others(count, rng, avoid=self.used)

    def _draw(
        self, shown: Sequence[Identity], rng: random.Random, lookalikes: Lookalikes | None = None
    ) -> DrawnPhoto:
        """Draw until everyone can be told from its lookalike; after many tries the nearest photo."""
        wanted = [(look, other) for look, other in (lookalikes or {}).items() if look in shown]
        if not wanted:
            return draw_visible(shown, rng, size_px=self.options.size_px)
        nearest, most = None, -1.0
        for _ in range(TRIES):
            photo = draw_visible(shown, rng, size_px=self.options.size_px)
            least = min(difference_to(photo, look, other) for look, other in wanted)
            if least > most:
                nearest, most = photo, least
            if least >= LEAST_DIFFERENCE:
                break
        return nearest or photo

    def _train(self, folder: str, cast: _Cast, member: int, rng: random.Random) -> None:
        name = cast.names[member]
        for number in range(self.options.train):
            company = self._strangers(rng, int(rng.random() < 0.3))
            photo = self._draw([cast.looks[member], *company], rng, cast.lookalikes)
            path = f"{folder}/concept/train/{name}/{number}.png"
            self._save(path, photo.image)
            index = cast.talk_of(photo).names.index(name)
            self._mask(f"{folder}/concept/train/{name}/{number}_mask.png", photo, index)
            self.trained.setdefault(folder, {}).setdefault(name, []).append(f"{number}.png")

    def _test(self, folder: str, cast: _Cast, member: int, rng: random.Random) -> None:
        name = cast.names[member]
        base = f"{folder}/concept/test/{name}"
        choice, vqa = {}, {}
        for number in range(self.options.test):
            company = self._strangers(rng, int(rng.random() < 0.3))
            photo = self._draw([cast.looks[member], *company], rng, cast.lookalikes)
            path = f"{base}/{number}.png"
            talk = self._save_test(path, photo, cast)
            asked = ask_about_photo(talk, cast.names, rng, is_multi=False)
            choice[path], vqa[path] = asked.choice[0], asked.vqa[0]
            if number < self.options.near_duplicates:
                other = nearly_same(photo, cast.looks[member])
                self._save(f"near-duplicates/{name}/{number}.png", other.image)
        self._json(f"{base}/choice.json", choice)
        self._json(f"{base}/vqa.json", vqa)
        self._json(f"{base}/qa.json", [ask_about_looks(name, cast.looks[member], rng)])

    def _multi(self, base: str, cast: _Cast, rng: random.Random) -> None:
        files: dict[str, dict[str, Any]] = {"choice": {}, "vqa": {}, "vqa_position": {}, "position": {}}
        for number in range(self.options.multi):
            members = list(range(len(cast.names)))
            company: list[Identity] = []
            if number == self.options.multi - 1:
                members.remove(rng.choice(members))
                company = self._strangers(rng, 1)
            shown = [*(cast.looks[member] for member in members), *company]
            photo = self._draw(shown, rng, cast.lookalikes)
            path = f"{base}/{number}.png"
            talk = self._save_test(path, photo, cast)
            asked = ask_about_photo(talk, cast.names, rng, is_multi=True)
            files["choice"][path], files["vqa"][path] = asked.choice, asked.vqa
            files["vqa_position"][path] = asked.position
            files["position"][path] = {name: _side(talk, name) for name in cast.names}
        for file, entries in files.items():
            self._json(f"{base}/{file}.json", entries)
        pairs = zip(cast.names, cast.looks, strict=True)
        looks = [ask_about_looks(name, look, rng, cast.names) for name, look in pairs]
        self._json(f"{base}/qa.json", looks)

    def _save_test(self, path: str, photo: DrawnPhoto, cast: _Cast) -> Talk:
        self._save(path, photo.image)
        talk = cast.talk_of(photo)
        for index, name in enumerate(talk.names):
            if name is not None:
                self._mask(f"masks/{path.removesuffix('.png')}_{name}.png", photo, index)
        return talk

    def _save(self, path: str, image: Image.Image) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
        self.photos += 1

    def _mask(self, path: str, photo: DrawnPhoto, index: int) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.mask(index)).save(file)

    def _json(self, path: str, value: Any) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
