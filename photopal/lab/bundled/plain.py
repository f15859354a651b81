"""Asks about photos of people without names: place, doing, clothes, counts, things; books what was right.

A question about clothes is one of four: the whole outfit (right when every garment, colour and pattern is),
the colour of the top, the colour of the trousers, or whether there is a hat.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from photopal.lab.bundled.ledger import Ledger
from photopal.lab.bundled.shown import Shown
from photopal.lab.bundled.wordings import MAKERS, PLAIN
from photopal.lab.synthetic.identity import Identity, draw_identity
from photopal.lab.synthetic.photo import DrawnPhoto, draw_photo
from photopal.lab.synthetic.scene import plan_scene
from photopal.prompts import build_prompt
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.protocol import VisionModel

CASTS = ("", "p", "p", "a", "pa", "pa", "pa", "paa", "pp", "ppa")
"""Who is shown: people and animals. In most a single person, who can be asked about without a name."""

KINDS = ("place", "activity", "clothes", "count")
OF_CLOTHES = ("outfit", "top", "trousers", "hat")
OF_THINGS = ("missing", "found")
_PHOTOS_AT_ONCE = 16
_MOST_PHOTOS = 3  # for each question of a kind; some photos show nobody to ask about


def ask_plainly(
    model: VisionModel,
    ledger: Ledger,
    *,
    questions: int,
    seed: int,
    size_px: int,
    on_photos: Callable[[int], None],
) -> None:
    """Ask until every kind was asked `questions` times, at most two questions of a kind about a photo.

    Args:
        model: Who answers, with no name in the prompt.
        ledger: Where it is booked, each photo a cluster.
        questions: How many of each kind.
        seed: Drives photos and questions.
        size_px: Side of the photos.
        on_photos: Told how many more photos were asked about.
    """
    rng = random.Random(f"plain {seed}")
    for first in range(0, _MOST_PHOTOS * questions, _PHOTOS_AT_ONCE):
        open_kinds = [kind for kind in KINDS if ledger.questions(kind) < questions]
        if not open_kinds:
            return
        photos = [draw_held_out(rng, size_px) for _ in range(_PHOTOS_AT_ONCE)]
        kinds = [*open_kinds, *(kind for kind in OF_THINGS if ledger.questions(kind) < questions)]
        _ask(model, ledger, photos, kinds, first, rng)
        on_photos(len(photos))


def draw_held_out(rng: random.Random, size_px: int, *, casts: Sequence[str] = CASTS) -> DrawnPhoto:
    """Draw a photo of one of some casts, of identities that were never trained on."""
    cast: list[Identity] = []
    for letter in rng.choice(casts):
        identity = draw_identity(rng, held_out=True, kind="person" if letter == "p" else "pet")
        if identity not in cast:
            cast.append(identity)
    return draw_photo(plan_scene(cast, rng), size_px=size_px)


def _ask(
    model: VisionModel,
    ledger: Ledger,
    photos: Sequence[DrawnPhoto],
    kinds: Sequence[str],
    first: int,
    rng: random.Random,
) -> None:
    noted: list[GenerationRequest] = []
    bookings: list[Callable[[str], None]] = []
    for number, (photo, features) in enumerate(
        zip(photos, model.encode_photos([photo.image for photo in photos]), strict=True), start=first
    ):
        shown = Shown(photo, (None,) * len(photo.scene.subjects))
        for kind in kinds:
            asked: set[str] = set()
            for _ in range(2):
                sort = rng.choice(OF_CLOTHES) if kind == "clothes" else kind
                matter = MAKERS[sort](shown, rng)
                words = "" if matter is None else rng.choice(PLAIN[sort]).format(**matter.gaps)
                if matter is None or words in asked:
                    continue
                asked.add(words)
                noted.append(
                    GenerationRequest(model.encode_prompt(build_prompt(words), features), features, None)
                )
                bookings.append(partial(_book, ledger, (kind, sort), f"photo {number:06}", matter.is_right))
    for text, book in zip(answer_batch(model, noted), bookings, strict=True):
        book(text)


def _book(
    ledger: Ledger, keys: tuple[str, str], cluster: str, judge: Callable[[str], bool], text: str
) -> None:
    kind, sort = keys
    is_right = judge(text)
    ledger.add(kind, cluster, is_right, 1)
    if kind in KINDS:
        ledger.add("plain", cluster, is_right, 1)
    if sort in OF_CLOTHES:
        ledger.add(sort, cluster, is_right, 1)
