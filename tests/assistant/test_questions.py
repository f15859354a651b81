"""Questions and searches about an album whose every fact is known: none is answered wrongly, few are refused."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date

import pytest

from photopal.assistant.ask import AskOptions, ask_library
from photopal.assistant.find import SearchOptions, search_photos
from photopal.errors import PhotoError, PhotopalError
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo
from tests.assistant.questions import first_half, second_half
from tests.assistant.questions.album import ALBUM, CONCEPTS, PLACES
from tests.assistant.questions.judge import Reply, judge

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
        name: library.add_concept(name, kind=kind, about=about).id for name, (kind, about) in CONCEPTS.items()
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
        photo_id = library.add_photo(photo, place=place)
        assert photo_id == known.number
        if known.caption is None:
            continue
        found = [Appearance(ids[name], 0.9, name in known.names, (0.5, 0.5), None) for name in CONCEPTS]
        said = "A photo." if known.by_hand else known.caption
        library.save_caption(photo_id, said, model="m", bank=None, prompt_version="1", appearances=found)
        if known.by_hand:
            library.edit_caption(photo_id, known.caption)


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


def test_no_answer_is_wrong_and_at_most_one_of_ten_is_not_understood(replies):
    verdicts = [(question, reply, judge(question, reply)) for question, reply in replies]
    wrong = [(question, reply) for question, reply, verdict in verdicts if verdict == "wrong"]
    refused = [(question, reply) for question, reply, verdict in verdicts if verdict == "not understood"]
    sys.stdout.write(table(verdicts) + listing("wrong", wrong) + listing("not understood", refused))
    assert not wrong, listing("wrong", wrong)
    assert len(refused) <= len(verdicts) / 10, listing("not understood", refused)


def table(verdicts):
    columns = ("right", "not understood", "wrong")
    tally = Counter((question.kind, verdict) for question, _, verdict in verdicts)
    lines = [f"\n{'kind':<26}{'right':>8}{'not understood':>16}{'wrong':>8}"]
    for kind in dict.fromkeys(question.kind for question, _, _ in verdicts):
        lines.append(
            f"{kind:<26}{tally[kind, 'right']:>8}{tally[kind, columns[1]]:>16}{tally[kind, 'wrong']:>8}"
        )
    right, refused, wrong = (
        sum(tally[kind, verdict] for kind, verdict in tally if verdict == column) for column in columns
    )
    return "\n".join([*lines, f"{'all':<26}{right:>8}{refused:>16}{wrong:>8}\n"])


def listing(verdict, replies):
    lines = [
        f"{verdict}: {question.command} {question.text!r}: {' '.join(reply.text.split())[:160]} "
        f"{sorted(reply.photos) if len(reply.photos) < 13 else len(reply.photos)} for {question.expected}"
        for question, reply in replies
    ]
    return "\n" + "\n".join(lines) + "\n"
