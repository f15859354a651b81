"""Asks models about drawn photos without names: in plain words, by description and by mark."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import torch
from PIL import Image

from photopal.lab.experiments.question_makers import MAKERS, PLAIN, Judge, PhotoFacts, Topic, species_of
from photopal.lab.experiments.tallies import Goal, Measured, Tallies
from photopal.lab.metrics import answer_facts
from photopal.lab.synthetic.dialogue import descriptions, multiple_choice
from photopal.lab.synthetic.dialogue.talk import Talk
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import Identity, Person, draw_identity
from photopal.lab.synthetic.scene import Subject, plan_scene
from photopal.lab.synthetic.wording import caption_words, with_article
from photopal.progress import OnProgress
from photopal.prompts import Mark, build_prompt, draw_marks
from photopal.prompts.templates import CAPTION_QUESTION, CAPTION_TEMPLATES
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.protocol import PhotoFeatures, VisionModel

CASTS = ("", "p", "p", "a", "pa", "pa", "pa", "paa", "pp", "ppa")
"""Who is shown: people and animals. In most a single person, who can be asked about without a name."""

PLAIN_KINDS = ("place", "activity", "clothes", "count")
OF_CLOTHES = ("outfit", "top", "trousers", "hat")
OF_THINGS = ("missing", "found")
_PHOTOS_AT_ONCE = 16
_MOST_PLAIN_PHOTOS = 3  # for each question of a kind; some photos show nobody to ask about


def ask_plainly(
    model: VisionModel,
    tallies: Tallies,
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
    for first in range(0, _MOST_PLAIN_PHOTOS * questions, _PHOTOS_AT_ONCE):
        open_kinds = [kind for kind in PLAIN_KINDS if tallies.questions(kind) < questions]
        if not open_kinds:
            return
        photos = [draw_held_out(rng, size_px) for _ in range(_PHOTOS_AT_ONCE)]
        kinds = [*open_kinds, *(kind for kind in OF_THINGS if tallies.questions(kind) < questions)]
        _ask_about_photos(model, tallies, photos, kinds, first, rng)
        on_photos(len(photos))


def draw_held_out(rng: random.Random, size_px: int, *, casts: Sequence[str] = CASTS) -> DrawnPhoto:
    """Draw a photo of one of some casts, of identities that were never trained on."""
    cast: list[Identity] = []
    for letter in rng.choice(casts):
        identity = draw_identity(rng, held_out=True, kind="person" if letter == "p" else "pet")
        if identity not in cast:
            cast.append(identity)
    return draw_photo(plan_scene(cast, rng), size_px=size_px)


def _ask_about_photos(
    model: VisionModel,
    tallies: Tallies,
    photos: Sequence[DrawnPhoto],
    kinds: Sequence[str],
    first: int,
    rng: random.Random,
) -> None:
    requests: list[GenerationRequest] = []
    bookings: list[Callable[[str], None]] = []
    for number, (photo, features) in enumerate(
        zip(photos, model.encode_photos([photo.image for photo in photos]), strict=True), start=first
    ):
        shown = PhotoFacts(photo, (None,) * len(photo.scene.subjects))
        for kind in kinds:
            asked: set[str] = set()
            for _ in range(2):
                sort = rng.choice(OF_CLOTHES) if kind == "clothes" else kind
                topic = MAKERS[sort](shown, rng)
                words = "" if topic is None else rng.choice(PLAIN[sort]).format(**topic.gaps)
                if topic is None or words in asked:
                    continue
                asked.add(words)
                requests.append(
                    GenerationRequest(model.encode_prompt(build_prompt(words), features), features, None)
                )
                bookings.append(
                    partial(_book_plain, tallies, (kind, sort), f"photo {number:06}", topic.is_right)
                )
    for text, book in zip(answer_batch(model, requests), bookings, strict=True):
        book(text)


def _book_plain(
    tallies: Tallies, keys: tuple[str, str], cluster: str, judge: Callable[[str], bool], text: str
) -> None:
    kind, sort = keys
    is_right = judge(text)
    tallies.add(kind, cluster, is_right, 1)
    if kind in PLAIN_KINDS:
        tallies.add("plain", cluster, is_right, 1)
    if sort in OF_CLOTHES:
        tallies.add(sort, cluster, is_right, 1)


DESCRIBED_GOALS = (
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
    on_progress: OnProgress | None = None,
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
        tallies = Tallies()
        ask_plainly(model, tallies, questions=questions, seed=seed, size_px=size_px, on_photos=tell)
        ask_described(model, tallies, questions=questions, seed=seed, size_px=size_px, on_photos=tell)
        rows[name] = tuple(tallies.measure(goal, seed=seed) for goal in DESCRIBED_GOALS)
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
    tallies: Tallies,
    *,
    questions: int,
    seed: int,
    size_px: int,
    on_photos: Callable[[int], None],
) -> None:
    """Ask until every kind was asked `questions` times, once of a photo; see `ask_plainly`."""
    for first in range(0, _MOST_PHOTOS * questions, _PHOTOS_AT_ONCE):
        open_kinds = [kind for kind in POSERS if tallies.questions(kind) < questions]
        if not open_kinds:
            return
        cases = []
        for number in range(first, first + _PHOTOS_AT_ONCE):
            # Photos do not depend on what was asked before, so that all models see the same.
            rng = random.Random(f"described {seed} {number}")
            cases.append((f"photo {number:06}", draw_case(rng, size_px), rng))
        _ask_about_cases(model, tallies, cases, open_kinds)
        on_photos(len(cases))


def _ask_about_cases(
    model: VisionModel,
    tallies: Tallies,
    cases: Sequence[tuple[str, DescribedPhoto, random.Random]],
    kinds: Sequence[str],
) -> None:
    plain = model.encode_photos([case.by_looks.photo.image for _, case, _ in cases])
    marked = model.encode_photos([case.marked for _, case, _ in cases])
    requests: list[GenerationRequest] = []
    bookings: list[Callable[[str], None]] = []
    for (cluster, case, rng), *features in zip(cases, plain, marked, strict=True):
        if "caption place" in kinds:
            tallies.add("caption tokens", cluster, *count_caption_tokens(model, case, features[0]))
        for kind in POSERS:
            posed = POSERS[kind](case, random.Random(f"{kind} {rng.random()}"))
            if posed is None or kind not in kinds:
                continue
            shown = features[posed.is_of_marks]
            requests.append(
                GenerationRequest(model.encode_prompt(build_prompt(posed.words), shown), shown, None)
            )
            bookings.append(partial(_book_described, tallies, kind, cluster, posed))
    for text, book in zip(answer_batch(model, requests), bookings, strict=True):
        book(text)


@torch.no_grad()
def count_caption_tokens(
    model: VisionModel, case: DescribedPhoto, features: PhotoFeatures
) -> tuple[int, int]:
    """How many tokens of the true caption a model thinks likeliest, each given those before; and how many."""
    encoded = model.encode_prompt(build_prompt(CAPTION_QUESTION), features)
    answer = model.answer_ids(caption_words(case.by_looks.scene, [None] * len(case.subjects)))
    prefix = model.encode_prefix(encoded, features)
    asked = model.embed_prompt(encoded, features)[len(prefix) :]
    (hidden,) = model.forward_packed(prefix, [torch.cat([asked, model.embed_ids(answer[:-1])])])
    said = model.logits(hidden[-len(answer) :]).argmax(-1)
    return int((said == answer).sum()), len(answer)


def _book_described(tallies: Tallies, kind: str, cluster: str, posed: PosedQuestion, text: str) -> None:
    is_right = posed.is_right(text)
    tallies.add(kind, cluster, is_right, 1)
    if kind in ("described yes", "described near"):
        tallies.add_yes_no("described", cluster, is_yes=kind == "described yes", is_right=is_right)
    for key, judge in posed.facts:
        tallies.add(key, cluster, judge(text), 1)


@dataclass(frozen=True)
class DescribedPhoto:
    """A photo to ask about, and how everybody on it can be told.

    Attributes:
        by_looks: Those who can be seen well, told by their looks.
        by_marks: The same, told by the marks drawn on the photo.
        talk: Everybody told by looks, and somebody who is not there.
        marks: Index of a subject → the number at it.
        marked: The photo with its marks.
    """

    by_looks: PhotoFacts
    by_marks: PhotoFacts
    talk: Talk
    marks: Mapping[int, int]
    marked: Image.Image

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everybody who is there."""
        return self.by_looks.scene.subjects

    @property
    def clear(self) -> list[Subject]:
        """Those who can be seen well."""
        return [self.subjects[index] for index in self.by_looks.clear]


@dataclass(frozen=True)
class PosedQuestion:
    """A question with its judge.

    Attributes:
        words: The question.
        is_right: Says whether an answer is right.
        is_of_marks: Whether the photo is shown with its marks.
        facts: Further lines a right answer counts for, each with its judge.
    """

    words: str
    is_right: Judge
    is_of_marks: bool = False
    facts: tuple[tuple[str, Judge], ...] = ()


QuestionPoser = Callable[[DescribedPhoto, random.Random], PosedQuestion | None]


def draw_case(rng: random.Random, size_px: int) -> DescribedPhoto:
    """Draw a photo of held-out identities and find words for everybody on it."""
    photo = draw_held_out(rng, size_px, casts=("p", "a", "pa", "pp", "paa", "ppa", "ppaa"))
    talk = descriptions.talk_by_looks(photo.scene, rng)
    shown = PhotoFacts(photo, talk.names)
    numbers = rng.sample(range(1, len(shown.clear) + 1), len(shown.clear))
    marks = dict(zip(shown.clear, numbers, strict=True))
    names = [f"the one at mark {marks[i]}" if i in marks else None for i in range(len(photo.scene.subjects))]
    drawn = draw_marks(photo.image, [_mark(photo, index, number) for index, number in marks.items()])
    return DescribedPhoto(
        by_looks=shown, by_marks=PhotoFacts(photo, tuple(names)), talk=talk, marks=marks, marked=drawn
    )


def _mark(photo: DrawnPhoto, index: int, number: int) -> Mark:
    """A mark at somebody's feet."""
    box = photo.box(index)
    assert box is not None, "who can be seen well has a box"
    x, y, width, height = box
    return Mark(number, (x + width / 2) / photo.image.width, (y + height) / photo.image.height - 0.02)


def _of_somebody(kind: str, *, is_of_marks: bool = False) -> QuestionPoser:
    """Ask what is asked of names, of somebody described or at a mark."""

    def pose(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
        shown = case.by_marks if is_of_marks else case.by_looks
        if not shown.named():
            return None
        topic: Topic | None = MAKERS[kind](shown, rng)
        if topic is None or topic.gaps["who"] not in _names(shown):
            return None
        return PosedQuestion(rng.choice(PLAIN[kind]).format(**topic.gaps), topic.is_right, is_of_marks)

    return pose


def _names(shown: PhotoFacts) -> tuple[str, ...]:
    return tuple(name for name in shown.names if name is not None)


def _beside(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    named = case.by_looks.named()
    if not named:
        return None
    name, _ = rng.choice(named)
    near = [case.subjects[index] for index in case.by_looks.neighbors(name)]
    kinds = sorted(_kind(subject) for subject in near)
    words = rng.choice(PLAIN["beside"]).format(name=name)
    return PosedQuestion(words, lambda text: sorted(read_kinds(text)) == kinds)


def _caption(case: DescribedPhoto, rng: random.Random) -> PosedQuestion:
    subjects = sorted(case.subjects, key=lambda subject: subject.x)
    kinds = [_kind(subject) for subject in subjects]
    doing = {subject.activity for subject in subjects}
    place = case.by_looks.scene.place
    facts: tuple[tuple[str, Judge], ...] = (
        ("caption who", lambda text: read_kinds(text) == kinds),
        ("caption activity", lambda text: answer_facts.read_activities(text) == doing),
    )
    return PosedQuestion(
        rng.choice(CAPTION_TEMPLATES), lambda text: answer_facts.read_places(text) == {place}, False, facts
    )


def _letters(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    exchange = multiple_choice.choose(case.talk, rng)
    if exchange is None or not any(name in exchange.question for name in _names(case.by_looks)):
        return None
    return PosedQuestion(
        exchange.question, lambda text: re.findall(r"\b[A-D]\b", text)[:1] == [exchange.answer]
    )


def _fits(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    if not case.clear:
        return None
    return _exists(descriptions.describe(rng.choice(case.clear), rng), rng, is_yes=True)


def _nearly_fits(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    almost = descriptions.describe_almost(rng.choice(case.clear), rng) if case.clear else None
    if almost is None or any(almost.fits(subject) for subject in case.subjects):
        return None
    return _exists(almost, rng, is_yes=False)


def _is_far(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    other = descriptions.describe_nobody((), rng)
    if other is None or any(other.fits(subject) for subject in case.subjects):
        return None
    return _exists(other, rng, is_yes=False)


def _exists(description: descriptions.Description, rng: random.Random, *, is_yes: bool) -> PosedQuestion:
    words = rng.choice(PLAIN["found"]).format(thing=with_article(description.words))
    return PosedQuestion(words, lambda text: answer_facts.read_yes_no(text) is is_yes)


def _who_at_mark(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    if not case.marks:
        return None
    index = rng.choice(sorted(case.marks))
    identity, kind = case.subjects[index].identity, _kind(case.subjects[index])
    if isinstance(identity, Person):
        colors = set() if identity.hair_style == "bald" else {identity.hair_color}
    else:
        colors = {identity.coat}

    def is_right(text: str) -> bool:
        return read_kinds(text) == [kind] and colors <= answer_facts.read_colors(text)

    words = rng.choice(("What is at mark {}?", "Who is at mark {}?")).format(case.marks[index])
    return PosedQuestion(words, is_right, is_of_marks=True)


def _number_of(case: DescribedPhoto, rng: random.Random) -> PosedQuestion | None:
    described = [index for index in sorted(case.marks) if case.by_looks.names[index] is not None]
    if not described:
        return None
    index = rng.choice(described)
    number = str(case.marks[index])
    words = f"At which mark is {case.by_looks.names[index]}?"
    return PosedQuestion(words, lambda text: re.findall(r"\d+", text) == [number], is_of_marks=True)


def _kind(subject: Subject) -> str:
    identity = subject.identity
    return identity.age if isinstance(identity, Person) else species_of(identity)


def read_kinds(text: str) -> list[str]:
    """The adults, children and kinds of pets an answer tells of, one by one in its order."""
    return re.findall(r"\b(adult|child|dog|cat|rabbit|parrot)\b", text.lower())


POSERS: dict[str, QuestionPoser] = {
    "caption place": _caption,
    "looks activity": _of_somebody("activity"),
    "looks top": _of_somebody("top"),
    "looks side": _of_somebody("side"),
    "looks beside": _beside,
    "letters": _letters,
    "described yes": _fits,
    "described near": _nearly_fits,
    "described far": _is_far,
    "mark who": _who_at_mark,
    "mark number": _number_of,
    "marked activity": _of_somebody("activity", is_of_marks=True),
    "marked top": _of_somebody("top", is_of_marks=True),
}
"""Kind of question → who poses it."""
