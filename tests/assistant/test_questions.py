"""Questions and searches about an album of known facts: no answer is wrong, few are "not understood"."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import date

import pytest
from typer.testing import CliRunner

from photopal.assistant.ask import AskOptions, ask_library
from photopal.assistant.find import SearchOptions, search_photos
from photopal.cli.app import app
from photopal.errors import PhotoError, PhotopalError
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo
from tests.assistant.questions import first_half, second_half
from tests.assistant.questions.album import ALBUM, CONCEPTS, PLACES
from tests.assistant.questions.expect import Either, Refusal, Truth
from tests.assistant.questions.judge import Reply, judge, reply_of_json

QUESTIONS = [*first_half.QUESTIONS, *second_half.QUESTIONS]
TODAY = date(2025, 1, 15)


class LookError(Exception):
    """A model would have to look at photos."""


def no_assistant():
    raise LookError


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("questions")
    with Library(folder / "library.db") as library:
        fill(library, folder)
        yield library


def fill(library, folder):
    """Put the album into a library; its photos have rows and no files."""
    ids = {
        name: library.concepts.add(name, kind=kind, about=about).id
        for name, (kind, about) in CONCEPTS.items()
    }
    for known in ALBUM:
        place, latitude, longitude = PLACES[known.place] if known.place else (None, None, None)
        exif = Exif(
            taken_at=known.taken.isoformat() if known.taken else None,
            camera=known.camera,
            latitude=latitude,
            longitude=longitude,
        )
        photo = Photo(
            path=folder / known.file,
            content_hash=f"{known.number:032x}",
            size_bytes=1000 + known.number,
            mtime_ns=known.number,
            width_px=400,
            height_px=300,
            format="JPEG",
            exif=exif,
            thumbnail=b"jpeg",
        )
        photo_id = library.photos.add(photo, place=place)
        assert photo_id == known.number
        if known.caption is None:
            continue
        found = [
            Appearance(
                concept_id=ids[name], score=0.9, is_present=name in known.names, point=(0.5, 0.5), box=None
            )
            for name in CONCEPTS
        ]
        said = "A photo." if known.by_hand else known.caption
        library.captions.put(photo_id, said, model="m", bank=None, prompt_version="1", appearances=found)
        if known.by_hand:
            library.captions.edit(photo_id, known.caption)


def reply_to(library, question):
    if question.command == "search":
        hits = search_photos(library, question.text, SearchOptions(limit=1000, today=TODAY))
        found = frozenset(hit.photo.id for hit in hits)
        return Reply("", found, len(found))
    options = AskOptions(today=TODAY, most_cited=1000)
    try:
        answer = ask_library(library, question.text, open_assistant=no_assistant, options=options)
    except (LookError, PhotoError):
        return Reply("(a model would look at photos)", is_look=True)
    except PhotopalError as error:
        return Reply(f"{error} ({error.hint})", is_refused=True)
    return Reply(answer.text, frozenset(photo.id for photo in answer.photos), answer.total)


@pytest.fixture(scope="module")
def replies(library):
    return [(question, reply_to(library, question)) for question in QUESTIONS]


def test_there_are_300_questions_and_none_twice():
    assert len(QUESTIONS) >= 300
    assert len({(question.command, question.text) for question in QUESTIONS}) == len(QUESTIONS)


def test_the_judge_knows_a_wrong_answer_from_a_right_one():
    by_text = {question.text: question for question in QUESTIONS}
    for text, said, photos, verdict in JUDGED:
        reply = Reply(said, frozenset(photos), len(photos))
        assert judge(by_text[text], reply) == verdict, (text, said)


JUDGED = [
    # question, answer, photos cited, verdict
    ("How many photos of Ben in Nara in 2020?", "There is no photo of Ben in Nara in 2020.", (), "right"),
    ("How many photos show only Ben?", "6 photos of Ben alone.", (5, 6, 11, 23, 45, 52), "right"),
    ("How many photos show only Ben?", "6 photos of Ben alone.", (5, 6, 11, 23, 45, 51), "wrong"),
    ("How many photos show only Ben?", "7 photos of Ben alone.", (5, 6, 11, 23, 45, 52), "wrong"),
    ("When did I last see Anna?", "On 24 December 2024.", (51,), "right"),
    ("When did I last see Anna?", "On December 24, 2024.", (51,), "right"),
    ("When did I last see Anna?", "From 14 July 2019 to 24 December 2024.", (1, 51), "wrong"),
    ("When did I last see Anna?", "On 24 December 2024.", (49,), "wrong"),
    ("Which year was Ben in Nara?", "In 2021.", (23,), "right"),
    ("Which year was Ben in Nara?", "In 2020 and 2021.", (23,), "wrong"),
    ("Where did Ben ski?", "In St. Moritz.", (6,), "right"),
    ("Where did Ben ski?", "In St. Moritz and in Berlin.", (6,), "wrong"),
    ("Who rides a horse?", "Mia (1).", (50,), "right"),
    ("Who rides a horse?", "Mia (1) and Anna (1).", (50,), "wrong"),
    ("Show me photos of Luna", "3 photos of Luna.", (13, 42, 49), "right"),
    ("Show me photos of Luna", "2 photos of Luna.", (13, 42), "wrong"),
    ("Show me photos of Luna", '"Luna" is not understood.', (), "not understood"),
    ("Is Ben in more photos than Anna?", "No: Ben is in 14 photos, Anna in 17.", (), "right"),
    ("Is Anna in more photos than Ben?", "Yes: 7 photos of Anna and Ben.", (2, 3, 10), "wrong"),
    ("Are there more photos in 2022 or 2023?", "In 2022: 11, against 10 in 2023.", (26,), "right"),
    ("Are there more photos in 2022 or 2023?", "In 2023: 11, against 10 in 2022.", (26,), "wrong"),
    ("Are there more photos in 2022 or 2023?", "Yes: 21 photos from 2022 to 2023.", (26,), "wrong"),
    ("Which year has the fewest photos?", "Fewest: 2019 (6).", (1,), "right"),
    ("Which year has the fewest photos?", "2019 (6) and 2021 (12). Most: 2021.", (1,), "wrong"),
    ("How old is Ben?", 'There is no photo of Ben with the word "old".', (), "right"),
    ("How old is Ben?", "Ben is 40.", (2,), "wrong"),
    ("Is Ben married to Anna?", "No: there is no photo of Ben and Anna.", (), "wrong"),
    ("Montre-moi les photos de Luna", "3 photos of Luna.", (13, 42, 49), "right"),
    ("Montre-moi les photos de Luna", "There is no photo of Luna.", (), "wrong"),
]


@pytest.mark.slow
def test_no_answer_is_wrong_and_at_most_one_of_ten_is_not_understood(replies):
    verdicts = [(question, reply, judge(question, reply)) for question, reply in replies]
    wrong = [(question, reply) for question, reply, verdict in verdicts if verdict == "wrong"]
    refused = [(question, reply) for question, reply, verdict in verdicts if verdict == "not understood"]
    sys.stdout.write(table(verdicts) + listing("wrong", wrong) + listing("not understood", refused))
    assert not wrong, listing("wrong", wrong)
    assert len(refused) <= len(verdicts) / 10, listing("not understood", refused)


def table(verdicts):
    """Count right, not understood and wrong answers by kind of question."""
    tally = Counter((kind, verdict) for question, _, verdict in verdicts for kind in (question.kind, "all"))
    rows = [f"{'kind':<26}{'right':>8}{'not understood':>16}{'wrong':>8}"]
    for kind in [*dict.fromkeys(question.kind for question, _, _ in verdicts), "all"]:
        right, refused, wrong = (tally[kind, verdict] for verdict in ("right", "not understood", "wrong"))
        rows.append(f"{kind:<26}{right:>8}{refused:>16}{wrong:>8}")
    return "\n" + "\n".join(rows) + "\n"


def listing(verdict, replies):
    """Say of each question what was answered and what would be right, a line each."""
    return "\n" + "".join(
        f"{verdict}: {question.command} {question.text!r}: {' '.join(reply.text.split())[:160]}"
        f" {shown(reply.photos)}; right is {told(question.expected)}\n"
        for question, reply in replies
    )


def told(expected):
    """What is right, in short."""
    if isinstance(expected, Either):
        return " or ".join(map(told, expected.expected))
    if isinstance(expected, Refusal):
        return "a refusal"
    if isinstance(expected, Truth):
        return "yes" if expected.is_true else "no"
    facts = {name: value for name, value in vars(expected).items() if value and name not in QUIET}
    return ", ".join(f"{name} {shown(value)}" for name, value in facts.items()) or f"{expected}"


QUIET = ("evidence", "unit", "others", "is_plain", "of")


def shown(values):
    """Values in order, or how many there are of too many."""
    if not isinstance(values, frozenset):
        return str(values)
    return f"{sorted(values)}" if len(values) < 25 else f"{len(values)} photos"


ASKED_OF_THE_COMMAND = (
    "How many photos of Zoë are there?",
    "When did I last see Anna with Rex?",
    "Where did Ben ski?",
    "Who is in the photos from Nara?",
    "Show me photos of Anna without Ben",
    "Is there a photo of Rex in Lisbon?",
    "In which city did Paris play the guitar?",
    "anna beach",
    "lisbon july 2022",
)


@pytest.mark.parametrize("text", ASKED_OF_THE_COMMAND)
def test_the_command_prints_as_json_and_in_words_what_is_judged(library, replies, text):
    [(question, reply)] = [pair for pair in replies if pair[0].text == text]
    environ = {"PHOTOPAL_HOME": str(library.path.parent), "PHOTOPAL_MODEL": "", "COLUMNS": "200"}
    printed = CliRunner().invoke(app, [question.command, text, "--json"], env=environ)
    assert reply_of_json(json.loads(printed.stdout)) == reply
    assert judge(question, reply) == "right"
    words = CliRunner().invoke(app, [question.command, text], env=environ).stdout
    assert reply.text in words
    assert {f"p{number:03d}.jpg" in words for number in reply.photos} <= {True}
