"""Finds the names that are least sure and takes the user's word for them, one by one; asks nobody itself.

Every answer is a correction in the journal, committed at once. It teaches: faces are compared anew, and a pet
or thing is looked at anew before it is asked about again, so that later questions know the earlier answers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from photopal.assistant.evidence import EvidenceFinder, compare_faces
from photopal.box import Box
from photopal.errors import PhotoError
from photopal.library import ConceptRecord, Evidence, Library, PhotoRecord
from photopal.library.models import Finding
from photopal.vlm.feature_cache import FeatureCache

_MOST_SURE = 0.48  # a probability of 0.02 to 0.98 is worth a question


@dataclass(frozen=True)
class ReviewQuestion:
    """Whether a photo shows a concept, with what is known of it.

    Attributes:
        photo: The photo.
        concept: The concept.
        evidence: What counts so far: a face's, a look's or a model's word.
        finding: The same of a face or look, with its threshold and the likest reference photo.
    """

    photo: PhotoRecord
    concept: ConceptRecord
    evidence: Evidence
    finding: Finding | None

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from others."""
        return self.photo.id, self.concept.id

    @property
    def sureness(self) -> float:
        """How far from the threshold, 0 to 0.5."""
        return abs((0.5 if self.evidence.probability is None else self.evidence.probability) - 0.5)


@dataclass(frozen=True)
class Effect:
    """On how many photos that were not asked about somebody is found since, and no longer found."""

    concept: ConceptRecord
    gained: int
    lost: int


class Review:
    """One sitting of questions and answers.

    Args:
        library: Open for writing.
        concepts: Whom to ask about.
        cache: Stores what the encoder of looks makes of photos.
    """

    def __init__(
        self, library: Library, concepts: Collection[ConceptRecord], *, cache: FeatureCache | None = None
    ) -> None:
        self._library = library
        self._concepts = {concept.id: concept for concept in concepts}
        self._finder = EvidenceFinder(library, cache=cache)
        self._passed: set[tuple[int, int]] = set()
        self._answers: list[tuple[ReviewQuestion, int]] = []
        self._before: dict[int, set[int]] = {}
        # How many answers about pets and things there were, and how many a photo was last judged with.
        self._taught = 0
        self._judged: dict[int, int] = {}
        if any(concept.kind == "person" for concept in concepts):
            compare_faces(library)

    @property
    def answers(self) -> list[ReviewQuestion]:
        """What was answered and not undone, in order."""
        return [question for question, _ in self._answers]

    def questions(self, limit: int) -> list[ReviewQuestion]:
        """Return the least sure names not asked about yet, those closest to their threshold first."""
        found: list[ReviewQuestion] = []
        for photo_id in self._library.findings.unsure(self._concepts, most_sure=_MOST_SURE):
            found += (one for one in self._of_photo(photo_id) if one.key not in self._passed)
            # Two people on a photo need not be equally sure; a few more make the order right.
            if len(found) >= 2 * limit:
                break
        return sorted(found, key=lambda one: one.sureness)[:limit]

    def _of_photo(self, photo_id: int) -> list[ReviewQuestion]:
        photo = self._library.photos.get(photo_id)
        findings = self._library.findings.get(photo_id)
        questions = []
        for one in self._library.corrections.evidence(photo_id).concepts:
            is_unsure = one.verdict in ("looks like", "unsure") or (
                one.probability is not None and abs(one.probability - 0.5) <= _MOST_SURE
            )
            if one.concept_id in self._concepts and not one.is_of_user and is_unsure:
                finding = next(
                    (
                        finding
                        for finding in (findings.findings if findings else ())
                        if (finding.concept_id, finding.source) == (one.concept_id, one.source)
                    ),
                    None,
                )
                questions.append(ReviewQuestion(photo, self._concepts[one.concept_id], one, finding))
        return questions

    def renewed(self, question: ReviewQuestion) -> ReviewQuestion | None:
        """Return a question as it stands after the answers so far; None where nothing is unsure any more."""
        if question.evidence.source == "look" and self._judged.get(question.photo.id, 0) < self._taught:
            self._judge_look(question.photo)
        return next((one for one in self._of_photo(question.photo.id) if one.key == question.key), None)

    def _judge_look(self, photo: PhotoRecord) -> None:
        caption = self._library.captions.get(photo.id)
        # What a model sees there counts too, and only the next caption asks it.
        if caption is not None and not caption.by_hand and caption.source == "model":
            return
        self._finder.renew()
        try:
            found = self._finder.find(photo)
        except PhotoError:
            return
        before = self._library.findings.get(photo.id)
        self._library.findings.put(photo.id, replace(found, species=before.species if before else None))
        self._judged[photo.id] = self._taught

    def skip(self, question: ReviewQuestion) -> None:
        """Do not ask again in this sitting."""
        self._passed.add(question.key)

    def answer(self, question: ReviewQuestion, *, is_present: bool) -> None:
        """Store the user's word, and learn from it.

        Raises:
            ConceptError: The photo is the concept's only reference photo and is said not to show it.
        """
        concept, photo = question.concept, question.photo
        if concept.id not in self._before:
            self._before[concept.id] = self._shown(concept)
        box = None
        if is_present and question.evidence.box is not None:
            x, y, width, height = question.evidence.box
            pixels = Box.from_edges(x, y, x + width, y + height).to_pixels(photo.width_px, photo.height_px)
            box = pixels if min(pixels[2:]) > 0 else None
        self._library.corrections.put(photo.id, concept.id, is_present=is_present, box=box)
        self._answers.append((question, self._library.history.entries(1)[0].id))
        self._passed.add(question.key)
        self._learn(concept)

    def undo(self) -> ReviewQuestion | None:
        """Take the latest answer of this sitting back, and return its question; None where there is none."""
        if not self._answers:
            return None
        question, entry = self._answers.pop()
        self._library.history.undo(entry)
        self._passed.discard(question.key)
        self._learn(question.concept)
        return question

    def _learn(self, concept: ConceptRecord) -> None:
        if concept.kind == "person":
            compare_faces(self._library)
        else:
            self._taught += 1

    def effects(self) -> list[Effect]:
        """Tell what the answers changed on other photos."""
        effects = []
        asked = {question.key for question, _ in self._answers}
        for concept_id, before in self._before.items():
            concept = self._concepts[concept_id]
            after = self._shown(concept)
            others = {photo_id for photo_id in before ^ after if (photo_id, concept_id) not in asked}
            if others:
                effects.append(Effect(concept, len(others & after), len(others & before)))
        return effects

    def _shown(self, concept: ConceptRecord) -> set[int]:
        return self._library.findings.shown(concept.id, "face" if concept.kind == "person" else "look")
