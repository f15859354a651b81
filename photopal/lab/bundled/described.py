"""Asks models about people and pets by description and by mark, without names; books what was right."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import torch

from photopal.lab.bundled.described_matters import POSERS, Case, Posed, draw_case
from photopal.lab.bundled.ledger import Goal, Ledger, Measured
from photopal.lab.bundled.plain import ask_plainly
from photopal.lab.synthetic.wording import caption_words
from photopal.prompts import build_prompt
from photopal.prompts.templates import CAPTION_QUESTION
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.protocol import PhotoFeatures, VisionModel

GOALS = (
    Goal("place", "place", is_by_photo=True),
    Goal("activity", "activity", is_by_photo=True),
    Goal("clothes", "clothes", is_by_photo=True),
    Goal("count", "counts", is_by_photo=True),
    Goal("caption tokens", "captions: tokens, given those before", is_by_photo=True),
    Goal("caption place", "captions: place", is_by_photo=True),
    Goal("caption who", "captions: every kind, from left to right", is_by_photo=True),
    Goal("caption activity", "captions: every activity", is_by_photo=True),
    Goal("looks activity", "somebody described: activity", is_by_photo=True),
    Goal("looks top", "somebody described: colour of the top", is_by_photo=True),
    Goal("looks side", "somebody described: left, middle, right", is_by_photo=True),
    Goal("looks beside", "somebody described: beside whom", is_by_photo=True),
    Goal("letters", "lettered choices about somebody described", is_by_photo=True),
    Goal("described", "descriptions, Yes against one attribute apart", None, "weighted", is_by_photo=True),
    Goal("described yes", "Yes to a description that fits", is_by_photo=True),
    Goal("described near", "No to one attribute apart", is_by_photo=True),
    Goal("described far", "No to somebody else", is_by_photo=True),
    Goal("mark who", "marks: who is at mark 2", is_by_photo=True),
    Goal("mark number", "marks: which mark is at somebody", is_by_photo=True),
    Goal("marked activity", "marks: activity of the one at mark 2", is_by_photo=True),
    Goal("marked top", "marks: colour of the top of the one at mark 2", is_by_photo=True),
)
"""What is measured, in the order of the table. Nothing is promised of it, so there are no targets."""

_PHOTOS_AT_ONCE = 16
_MOST_PHOTOS = 6  # for each question of a kind; some photos show nobody to ask about


@dataclass(frozen=True)
class DescribedTable:
    """What models got right of the same questions.

    Attributes:
        rows: Name of a model → its lines.
        fingerprints: Name of a model → its fingerprint.
        questions: How many each line rests on, at least.
        seed: Which photos and questions.
        threads: Threads of torch.
        seconds: How long it all took.
    """

    rows: dict[str, tuple[Measured, ...]]
    fingerprints: dict[str, str]
    questions: int
    seed: int
    threads: int
    seconds: float

    def facts(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


def measure_described(
    models: Mapping[str, VisionModel],
    *,
    questions: int,
    seed: int = 0,
    size_px: int = 256,
    on_progress: Callable[[int, int | None, object], None] | None = None,
) -> DescribedTable:
    """Ask several models the same questions without names, on held-out identities.

    Args:
        models: Who is asked, by name.
        questions: How many of each kind.
        seed: Drives photos and questions.
        size_px: Side of the photos.
        on_progress: Told how many photos are done.
    """
    started = time.monotonic()
    done = 0

    def tell(photos: int) -> None:
        nonlocal done
        done += photos
        if on_progress:
            on_progress(done, None, None)

    rows = {}
    for name, model in models.items():
        ledger = Ledger()
        ask_plainly(model, ledger, questions=questions, seed=seed, size_px=size_px, on_photos=tell)
        ask_described(model, ledger, questions=questions, seed=seed, size_px=size_px, on_photos=tell)
        rows[name] = tuple(ledger.measure(goal, seed=seed) for goal in GOALS)
    return DescribedTable(
        rows=rows,
        fingerprints={name: model.fingerprint for name, model in models.items()},
        questions=questions,
        seed=seed,
        threads=torch.get_num_threads(),
        seconds=time.monotonic() - started,
    )


def ask_described(
    model: VisionModel,
    ledger: Ledger,
    *,
    questions: int,
    seed: int,
    size_px: int,
    on_photos: Callable[[int], None],
) -> None:
    """Ask until every kind was asked `questions` times, once of a photo; see `ask_plainly`."""
    for first in range(0, _MOST_PHOTOS * questions, _PHOTOS_AT_ONCE):
        open_kinds = [kind for kind in POSERS if ledger.questions(kind) < questions]
        if not open_kinds:
            return
        cases = []
        for number in range(first, first + _PHOTOS_AT_ONCE):
            # Photos do not depend on what was asked before, so that all models see the same.
            rng = random.Random(f"described {seed} {number}")
            cases.append((f"photo {number:06}", draw_case(rng, size_px), rng))
        _ask(model, ledger, cases, open_kinds)
        on_photos(len(cases))


def _ask(
    model: VisionModel,
    ledger: Ledger,
    cases: Sequence[tuple[str, Case, random.Random]],
    kinds: Sequence[str],
) -> None:
    plain = model.encode_photos([case.by_looks.photo.image for _, case, _ in cases])
    marked = model.encode_photos([case.marked for _, case, _ in cases])
    noted: list[GenerationRequest] = []
    bookings: list[Callable[[str], None]] = []
    for (cluster, case, rng), *features in zip(cases, plain, marked, strict=True):
        if "caption place" in kinds:
            ledger.add("caption tokens", cluster, *count_caption_tokens(model, case, features[0]))
        for kind in POSERS:
            posed = POSERS[kind](case, random.Random(f"{kind} {rng.random()}"))
            if posed is None or kind not in kinds:
                continue
            shown = features[posed.is_of_marks]
            noted.append(
                GenerationRequest(model.encode_prompt(build_prompt(posed.words), shown), shown, None)
            )
            bookings.append(partial(_book, ledger, kind, cluster, posed))
    for text, book in zip(answer_batch(model, noted), bookings, strict=True):
        book(text)


@torch.no_grad()
def count_caption_tokens(model: VisionModel, case: Case, features: PhotoFeatures) -> tuple[int, int]:
    """How many tokens of the true caption a model thinks likeliest, each given those before; and how many."""
    encoded = model.encode_prompt(build_prompt(CAPTION_QUESTION), features)
    answer = model.answer_ids(caption_words(case.by_looks.scene, [None] * len(case.subjects)))
    prefix = model.encode_prefix(encoded, features)
    asked = model.embed_prompt(encoded, features)[len(prefix) :]
    (hidden,) = model.forward_packed(prefix, [torch.cat([asked, model.embed_ids(answer[:-1])])])
    said = model.logits(hidden[-len(answer) :]).argmax(-1)
    return int((said == answer).sum()), len(answer)


def _book(ledger: Ledger, kind: str, cluster: str, posed: Posed, text: str) -> None:
    is_right = posed.is_right(text)
    ledger.add(kind, cluster, is_right, 1)
    if kind in ("described yes", "described near"):
        ledger.add_yes_no("described", cluster, is_yes=kind == "described yes", is_right=is_right)
    for key, judge in posed.facts:
        ledger.add(key, cluster, judge(text), 1)
