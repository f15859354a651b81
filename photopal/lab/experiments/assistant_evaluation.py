"""Asks the product's assistant about a family's test photos and counts what was right; knows no goals.

Everything goes the way of the product: `Assistant.analyze`, `ask_photo`, `caption_photo`. Only the writing
of the answers waits until all are asked, so that they are written side by side: the assistant is handed a
model that records what is to be generated.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, cast

from photopal.assistant.ask import ask_photo
from photopal.assistant.assistant import Assistant, PhotoAnalysis
from photopal.assistant.caption import caption_photo
from photopal.lab.datasets.drawn_scenarios import Family
from photopal.lab.experiments.evaluator import Evaluator
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
from photopal.text import names_in
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch, first_answer_shares
from photopal.vlm.protocol import ConceptEmbeddings, EncodedPrompt, PhotoFeatures, VisionModel


class RecordingModel:
    """A model that records what is to be generated instead of generating it.

    Attributes:
        requests: Every prompt `generate` was asked for, in order.
    """

    # Nothing is computed ahead for answers that are not made here.
    extends_prefixes = supports_prefix = supports_batches = False

    def __init__(self, model: VisionModel) -> None:
        self._model = model
        self.requests: list[GenerationRequest] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the model's own."""
        return getattr(self._model, name)

    def generate(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        rows: ConceptEmbeddings | None = None,
        *,
        max_new_tokens: int = 96,
        **_: Any,
    ) -> str:
        """Record the prompt; returns nothing yet."""
        self.requests.append(GenerationRequest(encoded, features, rows, max_new_tokens))
        return ""

    @property
    def as_model(self) -> VisionModel:
        """The same, as the assistant takes it."""
        return cast("VisionModel", self)


class AssistantEvaluation:
    """Asks about the test photos of one family with one bank; `finish` writes and counts the answers.

    Args:
        evaluator: Has the bank.
        family: Whose test photos are asked about.
        tallies: Where right answers are counted, the family being a cluster.
    """

    def __init__(self, evaluator: Evaluator, family: Family, tallies: Tallies) -> None:
        self.evaluator, self.family, self.tallies = evaluator, family, tallies
        self.cluster = family.scenario.name
        self._recording = RecordingModel(evaluator.model)
        # A model that hears words for names is asked further by what it has said: nothing can be put off.
        self._hears_words = any(concept.words for concept in evaluator.bank.concepts.values())
        model = evaluator.model if self._hears_words else self._recording.as_model
        self._writing = Assistant(model, evaluator.bank, evaluator.learned.concepts)
        self._scored: list[GenerationRequest] = []
        self._on_answer: list[Callable[[str], None]] = []
        self._on_share: list[Callable[[float], None]] = []

    @cached_property
    def analyses(self) -> list[PhotoAnalysis]:
        """Every test photo as the assistant sees it."""
        return self.evaluator.analyses([test.path for test in self.family.tests])

    @cached_property
    def facts(self) -> list[PhotoFacts]:
        """What is true of every test photo."""
        names = self.family.scenario.names
        return [facts_of_photo(test.drawn, self.family.cast, names) for test in self.family.tests]

    def recognize(self, key: str, *, lookalikes: Sequence[tuple[int, int]] = ()) -> None:
        """Ask the recognition question about everybody on every photo.

        Args:
            key: `key` counts the model's answers, `key assistant` those of the whole assistant.
            lookalikes: Indices of lookalikes in the cast. No to one where only the other is shown counts as
                `key sibling` too.
        """
        concepts = self.evaluator.learned.concepts[:MOST_CONCEPTS]
        other_of = {**dict(lookalikes), **{second: first for first, second in lookalikes}}
        for test, analysis in zip(self.family.tests, self.analyses, strict=True):
            self._scored += self.evaluator.assistant.recognition_prompts(analysis.features, concepts)
            for index, concept in enumerate(concepts):
                is_yes = index in test.present
                is_lookalike = not is_yes and other_of.get(index) in test.present
                sighting = analysis.of(concept.id)
                is_seen = sighting is not None and sighting.is_present
                self._count_recognition(f"{key} assistant", is_yes, is_seen, is_lookalike)
                self._on_share.append(partial(self._count_share, key, is_yes, is_lookalike))

    def locate(self, key: str) -> None:
        """Count as `key location` whether the peak of everybody's map is within its box."""
        concepts = self.evaluator.learned.concepts[:MOST_CONCEPTS]
        for test, analysis in zip(self.family.tests, self.analyses, strict=True):
            for index in test.present:
                if index >= len(concepts):
                    continue
                sighting, box = analysis.of(concepts[index].id), test.boxes.get(index)
                is_hit = False
                if sighting is not None and box is not None:
                    (x, y), size = sighting.point, test.drawn.image.size
                    left, top, width, height = box
                    is_hit = left <= x * size[0] <= left + width and top <= y * size[1] <= top + height
                self.tallies.add(f"{key} location", self.cluster, is_hit, 1)

    def _count_recognition(self, key: str, is_yes: bool, says_yes: bool, is_lookalike: bool) -> None:
        is_right = is_yes == says_yes
        self.tallies.add_yes_no(key, self.cluster, is_yes=is_yes, is_right=is_right)
        if is_lookalike:
            self.tallies.add(f"{key} sibling", self.cluster, is_right, 1)

    def _count_share(self, key: str, is_yes: bool, is_lookalike: bool, probability: float) -> None:
        self._count_recognition(key, is_yes, probability >= 0.5, is_lookalike)

    def caption(self, key: str) -> None:
        """Caption every photo."""
        for analysis, shown in zip(self.analyses, self.facts, strict=True):
            caption = caption_photo(self._writing, analysis)
            book = partial(self._count_caption, key, shown)
            if self._hears_words:
                book(caption.text)
            else:
                self._on_answer.append(book)

    def _count_caption(self, key: str, shown: PhotoFacts, text: str) -> None:
        named, truth = set(names_in(text, shown.everyone)), shown.present
        counts = (len(named & truth), len(named - truth), len(truth - named), 1)
        self.tallies.add(f"{key} names", self.cluster, *counts)
        has_place = answer_facts.read_places(text) == {shown.scene.place}
        has_activities = tells_activities(shown, text)
        self.tallies.add(f"{key} place", self.cluster, has_place, 1)
        if shown.scene.subjects:
            self.tallies.add(f"{key} activity", self.cluster, has_activities, 1)
        self.tallies.add(f"{key} exact names", self.cluster, named == truth, 1)
        self.tallies.add(f"{key} wrong names", self.cluster, bool(named - truth), 1)
        self.tallies.add(f"{key} all", self.cluster, named == truth and has_place and has_activities, 1)

    def ask_plainly(self, kind: str, keys: Sequence[str], rng: random.Random, *, most: int) -> None:
        """Ask up to `most` different questions of a kind about every photo, in photopal's own wording."""
        for analysis, shown in zip(self.analyses, self.facts, strict=True):
            asked: set[str] = set()
            for wording in rng.sample(PLAIN[kind], len(PLAIN[kind])):
                topic = MAKERS[kind](shown, rng) if len(asked) < most else None
                if topic is None or (words := wording.format(**topic.gaps)) in asked:
                    continue
                asked.add(words)
                self._ask(analysis, words, keys, topic.is_right)

    def ask_who_where_nobody_is_known(self, rng: random.Random) -> None:
        """Ask who is there, in all wordings, on photos of nobody and of strangers alone."""
        for analysis, shown in zip(self.analyses, self.facts, strict=True):
            topic = None if shown.present else MAKERS["who"](shown, rng)
            if topic is not None:
                for wording in PLAIN["who"]:
                    key = "strangers" if shown.scene.subjects else "empty"
                    self._ask(analysis, wording, [key], topic.is_right)

    def ask_freely(self, asked: Counter[str], rng: random.Random) -> None:
        """Ask one free question about every photo, the one that was asked least of those that fit.

        Args:
            asked: How often each wording was asked; counted on.
            rng: Source of randomness.
        """
        for analysis, shown in zip(self.analyses, self.facts, strict=True):
            pairs = free_questions()
            rng.shuffle(pairs)
            for kind, wording in sorted(pairs, key=lambda pair: asked[pair[1]]):
                topic = MAKERS[kind](shown, rng)
                if topic is not None:
                    asked[wording] += 1
                    words = wording.format(**topic.gaps)
                    self._ask(analysis, words, ["free", f"free {kind}"], topic.is_right)
                    break

    def _ask(
        self, analysis: PhotoAnalysis, words: str, keys: Sequence[str], judge: Callable[[str], bool]
    ) -> None:
        def book(text: str) -> None:
            is_right = judge(text)
            for key in keys:
                self.tallies.add(key, self.cluster, is_right, 1)

        answer = ask_photo(self._writing, analysis, words)
        if answer.is_from_model and not self._hears_words:
            self._on_answer.append(book)
        else:
            book(answer.text)

    def finish(self) -> None:
        """Write all answers and count them."""
        texts = answer_batch(self.evaluator.model, self._recording.requests)
        for text, book in zip(texts, self._on_answer, strict=True):
            book(text)
        shares = first_answer_shares(self.evaluator.model, self._scored, (questions.YES, questions.NO))
        for probability, book_share in zip(shares, self._on_share, strict=True):
            book_share(probability)
