"""Asks the product's assistant about a family's test photos and counts what was right; knows no goals.

Everything goes the way of the product: `Assistant.look`, `ask_view`, `caption_view`. Only the writing of the
answers waits until all are asked, so that they are written side by side: the assistant is handed a model
that records what is to be generated.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, cast

from PIL import Image

from photopal.assistant.ask import ask_view
from photopal.assistant.assistant import Assistant, View
from photopal.assistant.caption import caption_view
from photopal.concepts import Bank
from photopal.lab.datasets.drawn_scenarios import Scenario
from photopal.lab.experiments.album_captions import names_in
from photopal.lab.experiments.question_makers import (
    MAKERS,
    PLAIN,
    PhotoFacts,
    facts_of_photo,
    free_questions,
    tells_activities,
)
from photopal.lab.experiments.tallies import Tallies
from photopal.lab.metrics import answer_facts
from photopal.prompts import MOST_CONCEPTS
from photopal.prompts import templates as questions
from photopal.vlm.batch_decoder import GenerationRequest, answer_side_by_side, first_of_two
from photopal.vlm.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, VisionModel

_PHOTOS_KEPT = 512


class RecordingModel:
    """A model that notes what is to be generated instead of generating, and encodes no photo twice.

    Attributes:
        noted: Every prompt `generate` was asked for, in order.
    """

    supports_prefix = False  # nothing is computed ahead for answers that are not made here

    def __init__(self, model: VisionModel) -> None:
        self._model = model
        self._encoded: dict[bytes, PhotoFeatures] = {}
        self.requests: list[GenerationRequest] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the model's own."""
        return getattr(self._model, name)

    def encode_photos(self, images: Sequence[Image.Image], **_: Any) -> list[PhotoFeatures]:
        """Encode photos; one that was seen lately is not encoded again."""
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._encoded}
        if len(self._encoded) + len(new) > _PHOTOS_KEPT:
            self._encoded.clear()
            new = dict(zip(keys, images, strict=True))
        self._encoded.update(zip(new, self._model.encode_photos(list(new.values())), strict=True))
        return [self._encoded[key] for key in keys]

    def generate(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        rows: ConceptRows | None = None,
        *,
        max_new_tokens: int = 96,
        **_: Any,
    ) -> str:
        """Note the prompt; returns nothing yet."""
        self.requests.append(GenerationRequest(encoded, features, rows, max_new_tokens))
        return ""

    @property
    def as_model(self) -> VisionModel:
        """The same, as the assistant takes it."""
        return cast("VisionModel", self)


_PHOTOS_AT_ONCE = 16


class AssistantEvaluation:
    """Asks about the test photos of one family with one bank; `finish` writes and books the answers."""

    def __init__(
        self, model: VisionModel, scenario: Scenario, bank: Bank, tallies: Tallies, *, cluster: str
    ) -> None:
        self.model, self.scenario, self.tallies, self.cluster = model, scenario, tallies, cluster
        self._recording = RecordingModel(model)
        self.assistant = Assistant(model, bank, scenario.concepts)
        self._speaking = Assistant(self._recording.as_model, bank, scenario.concepts)
        self._scored: list[GenerationRequest] = []
        self._on_answer: list[Callable[[str], None]] = []
        self._on_share: list[Callable[[float], None]] = []

    @cached_property
    def views(self) -> list[View]:
        """Every test photo as the assistant sees it."""
        images = [test.photo.image for test in self.scenario.tests]
        starts = range(0, len(images), _PHOTOS_AT_ONCE)
        return [view for start in starts for view in self.assistant.look_at(images[start:][:_PHOTOS_AT_ONCE])]

    @cached_property
    def shown(self) -> list[PhotoFacts]:
        """What is true of every test photo."""
        names = [concept.name for concept in self.scenario.concepts]
        return [facts_of_photo(test.photo, self.scenario.cast, names) for test in self.scenario.tests]

    def recognize(self, key: str, *, siblings: Sequence[tuple[int, int]] = ()) -> None:
        """Ask the recognition question about everybody on every photo.

        Args:
            key: Books `key` by the model, `key assistant` by the whole assistant.
            siblings: Places of lookalikes in the cast. No to one where only the other is shown is booked as
                `key sibling` too.
        """
        concepts = self.scenario.concepts[:MOST_CONCEPTS]
        for test, view in zip(self.scenario.tests, self.views, strict=True):
            self._scored += self.assistant.recognition_prompts(view.features, concepts)
            for place, concept in enumerate(concepts):
                is_yes = place in test.present
                is_sibling = not is_yes and any(
                    {place, other} == set(pair) and other in test.present
                    for pair in siblings
                    for other in pair
                )
                sighting = view.of(concept.id)
                is_seen = sighting is not None and sighting.is_present
                self._book_recognition(f"{key} assistant", is_yes, is_seen, is_sibling)
                self._on_share.append(partial(self._book_share, key, is_yes, is_sibling))

    def _book_recognition(self, key: str, is_yes: bool, says_yes: bool, is_sibling: bool) -> None:
        is_right = is_yes == says_yes
        self.tallies.add_yes_no(key, self.cluster, is_yes=is_yes, is_right=is_right)
        if is_sibling:
            self.tallies.add(f"{key} sibling", self.cluster, is_right, 1)

    def _book_share(self, key: str, is_yes: bool, is_sibling: bool, probability: float) -> None:
        self._book_recognition(key, is_yes, probability >= 0.5, is_sibling)

    def caption(self, key: str) -> None:
        """Caption every photo."""
        for view, shown in zip(self.views, self.shown, strict=True):
            caption_view(self._speaking, view)
            self._on_answer.append(partial(self._book_caption, key, shown))

    def _book_caption(self, key: str, shown: PhotoFacts, text: str) -> None:
        told, truth = set(names_in(text, shown.everyone)), shown.present
        counts = (len(told & truth), len(told - truth), len(truth - told), 1)
        self.tallies.add(f"{key} names", self.cluster, *counts)
        has_place = answer_facts.read_places(text) == {shown.scene.place}
        has_activities = tells_activities(shown, text)
        self.tallies.add(f"{key} place", self.cluster, has_place, 1)
        if shown.scene.subjects:
            self.tallies.add(f"{key} activity", self.cluster, has_activities, 1)
        self.tallies.add(f"{key} exact names", self.cluster, told == truth, 1)
        self.tallies.add(f"{key} all", self.cluster, told == truth and has_place and has_activities, 1)

    def ask_plainly(self, kind: str, keys: Sequence[str], rng: random.Random, *, most: int) -> None:
        """Ask up to `most` different questions of a kind about every photo, in photopal's own wording."""
        for view, shown in zip(self.views, self.shown, strict=True):
            asked: set[str] = set()
            for wording in rng.sample(PLAIN[kind], len(PLAIN[kind])):
                topic = MAKERS[kind](shown, rng) if len(asked) < most else None
                if topic is None or (words := wording.format(**topic.gaps)) in asked:
                    continue
                asked.add(words)
                self._ask(view, words, keys, topic.is_right)

    def ask_who_where_nobody_is_known(self, rng: random.Random) -> None:
        """Ask who is there, in all wordings, on photos of nobody and of strangers alone."""
        for view, shown in zip(self.views, self.shown, strict=True):
            topic = None if shown.present else MAKERS["who"](shown, rng)
            if topic is not None:
                for wording in PLAIN["who"]:
                    key = "strangers" if shown.scene.subjects else "empty"
                    self._ask(view, wording, [key], topic.is_right)

    def ask_freely(self, asked: Counter[str], rng: random.Random) -> None:
        """Ask one free question about every photo, the one that was asked least of those that fit.

        Args:
            asked: How often each wording was asked; counted on.
            rng: Source of randomness.
        """
        for view, shown in zip(self.views, self.shown, strict=True):
            pairs = free_questions()
            rng.shuffle(pairs)
            for kind, wording in sorted(pairs, key=lambda pair: asked[pair[1]]):
                topic = MAKERS[kind](shown, rng)
                if topic is not None:
                    asked[wording] += 1
                    words = wording.format(**topic.gaps)
                    self._ask(view, words, ["free", f"free {kind}"], topic.is_right)
                    break

    def _ask(self, view: View, words: str, keys: Sequence[str], judge: Callable[[str], bool]) -> None:
        def book(text: str) -> None:
            is_right = judge(text)
            for key in keys:
                self.tallies.add(key, self.cluster, is_right, 1)

        answer = ask_view(self._speaking, view, words)
        if answer.is_from_model:
            self._on_answer.append(book)
        else:
            book(answer.text)

    def finish(self) -> None:
        """Write all answers and book them."""
        texts = answer_side_by_side(self.model, self._recording.requests)
        for text, book in zip(texts, self._on_answer, strict=True):
            book(text)
        shares = first_answer_shares(self.model, self._scored, (questions.YES, questions.NO))
        for probability, book_share in zip(shares, self._on_share, strict=True):
            book_share(probability)
