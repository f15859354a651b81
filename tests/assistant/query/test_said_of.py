"""Of whom a caption says something: its clauses each begin with whom they are about."""

from datetime import date
from pathlib import Path

import pytest

from photopal.assistant.ask import AskOptions, ask_library
from photopal.assistant.query.said_of import Caption
from photopal.errors import UsageError
from photopal.library import Appearance, Library
from photopal.photos import Exif, Photo

NAMES = ["Anna", "Anna Maria", "Ben", "Rex"]
CAPTIONS = {
    # who is on the photo with each
    "Anna is playing the guitar, Ben is taking a photo and Rex is playing with a ball in the snow.":
        ("Anna", "Ben", "Rex"),
    "Ben is standing and Rex is sleeping in the garden.": ("Ben", "Rex"),
    "Anna is standing and an adult with square glasses is holding a balloon in the garden.": ("Anna",),
    "Ben is waving, Anna is holding a cake and Rex is running in the kitchen.": ("Anna", "Ben", "Rex"),
    "Ben is playing the guitar at the playground.": ("Ben",),
    "Anna throws a stick to Rex.": ("Anna", "Rex"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("caption", "name", "words", "says"),
    [
        ("Anna is playing the guitar and Rex is playing with a ball.", "Anna", "play guitar", True),
        ("Anna is playing the guitar and Rex is playing with a ball.", "Rex", "play guitar", False),
        ("Anna and Ben are riding bicycles and Rex is running.", "Ben", "ride bike", True),
        ("Ben is standing and Rex is running at the lake at sunset.", "Ben", "stand lake sunset", True),
        ("Anna Maria is cutting a cake and Anna is smiling.", "Anna", "cut", False),
        # in the user's own words
        ("Anna sits by the lake in a red dress.", "Anna", "dress", True),
        ("Anna sits by the lake and plays the guitar.", "Anna", "play guitar", True),
        ("Anna throws a ball to Rex the dog.", "Anna", "throw ball", True),
        ("Rex the dog catches a red ball.", "Rex", "catch ball", True),
        # where it cannot be told
        ("Anna throws a ball to Rex the dog.", "Rex", "throw ball", None),
        ("Anna watches Ben sleep.", "Anna", "sleep", None),
        ("Anna watches Ben sleep.", "Ben", "sleep", None),
        ("Anna sits by the lake and a man plays the guitar.", "Anna", "guitar", None),
        ("Anna is sitting next to a man with glasses.", "Anna", "glasses", None),
        ("Anna is sitting. She is reading a book.", "Anna", "read", None),
        ("Anna's dog is sleeping.", "Anna", "sleep", None),
        ("A woman plays the guitar.", "Anna", "guitar", None),
        ("", "Anna", "guitar", None),
    ],
)
def test_a_caption_says_it_of_whom_its_clause_begins_with(caption, name, words, says):
    assert Caption(caption, NAMES).says_of(name, [(word,) for word in words.split()]) is says


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("said") / "library.db") as library:
        ids = {
            name: library.concepts.add(name, kind="pet" if name == "Rex" else "person").id for name in NAMES
        }
        for number, (caption, who) in enumerate(CAPTIONS.items(), start=1):
            exif = Exif(taken_at=f"2024-01-0{number}T10:00:00")
            photo = Photo(Path(f"/p/{number}.jpg"), f"{number:032x}", 1, 1, 64, 48, "JPEG", exif, b"jpeg")
            found = [
                Appearance(concept_id=ids[name], score=0.9, is_present=True, point=(0.5, 0.5), box=None)
                for name in who
            ]
            photo_id = library.photos.add(photo)
            library.captions.put(
                photo_id, caption, model="m", bank=None, prompt_version="1", appearances=found
            )
        yield library


def ask(library, question):
    def no_assistant():
        raise AssertionError("no model was needed")

    return ask_library(
        library, question, open_assistant=no_assistant, options=AskOptions(today=date(2025, 1, 15))
    )


@pytest.mark.parametrize(
    ("question", "begins", "photos"),
    [
        ("Does Rex play the guitar?", "There is 1 photo of Rex mentioning", [1]),
        ("Did Ben sleep in the garden?", "There is 1 photo of Ben mentioning", [2]),
        ("Does Anna wear glasses?", "There is 1 photo of Anna mentioning", [3]),
        ("Did Rex hold a cake?", "There is 1 photo of Rex mentioning", [4]),
        ("Did Rex throw a stick?", "There is 1 photo of Rex mentioning", [6]),
        ("Did Anna throw a stick?", "Yes, 1 photo of Anna", [6]),
        ("Did Ben play the guitar?", "Yes, 1 photo of Ben", [5]),
        ("Did Rex sleep in the garden?", "Yes, 1 photo of Rex", [2]),
        ("Did Anna and Ben play the guitar?", "There is 1 photo of Anna and Ben", [1]),
        ("Did Anna or Ben play the guitar?", "Yes, 2 photos of Anna or Ben", [1, 5]),
        ("Is Ben in the garden?", "Yes, 1 photo of Ben", [2]),
        ("Who is playing the guitar?", "Anna (1) and Ben (1) on 2 photos", [1, 5]),
        ("Who slept?", "Rex (1) on 1 photo", [2]),
        ("Which people slept?", 'There is 1 photo mentioning "slept", but no caption says it of any', [2]),
        ("Who wears glasses?", 'There is 1 photo mentioning "glasses", but no caption says it of', [3]),
        ("Who threw a stick?", "Anna (1) on 1 photo", [6]),
        ("Who played the guitar on at least 1 photo?", "2 names with at least 1 photo", [1, 5]),
        ("Who slept on at least 1 photo?", "1 name with at least 1 photo", [2]),
        ("Did Rex take a photo?", "There is 1 photo of Rex mentioning", [1]),
        ("Is Ben taking a photo?", "Yes, 1 photo of Ben", [1]),
        ("Has Anna taken a photo?", "There is 1 photo of Anna mentioning", [1]),
        ("How many people are taking pictures?", "1 person: Ben (1) on 1 photo", [1]),
        ("Did both Anna and Ben play the guitar?", "There is 1 photo of Anna and Ben", [1]),
        ("Who was in the garden?", "Anna (1), Ben (1) and Rex (1) on 2 photos", [2, 3]),
    ],
)
def test_whoever_is_said_to_do_something_is_told_and_nobody_beside_them(library, question, begins, photos):
    answer = ask(library, question)
    assert answer.text.startswith(begins), answer.text
    assert sorted(photo.id for photo in answer.photos) == photos
    assert answer.total == len(photos)


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        (
            "Who is not sleeping?",
            'Anna, Anna Maria and Ben: no caption of the photos mentioning "sleeping" says',
        ),
        ("Who isn't playing the guitar?", "Anna Maria and Rex: no caption of the photos mentioning"),
        ("Who does not play the guitar?", "Anna Maria and Rex: no caption of the photos mentioning"),
        ("Which people are not sleeping?", "Anna, Anna Maria and Ben: no caption of the photos"),
        ("Which pets are not sleeping?", "None: on photos mentioning"),
        ("Who is not taking a photo?", "Anna, Anna Maria and Rex: no caption of the photos mentioning"),
        ("Who isn't wearing a hat?", 'There are no photos mentioning "hat".'),
        ("Who was not in the garden?", "Anna Maria: on none of the photos"),
    ],
)
def test_who_does_not_do_something_are_those_of_whom_no_caption_says_it(library, question, begins):
    assert ask(library, question).text.startswith(begins), ask(library, question).text


@pytest.mark.parametrize(
    "question",
    [
        "Who is not sleeping on the last photo?",
        "Who is not on the last photo?",
        "Who is not sleeping in the photo with the cake?",
        "Who never took a photo?",
    ],
)
def test_who_is_not_doing_something_is_not_guessed_where_captions_cannot_tell(library, question):
    with pytest.raises(UsageError):
        ask(library, question)


def test_what_cannot_be_told_from_a_caption_is_said_to_be_unclear(library):
    assert ask(library, "Did Rex throw a stick?").text.endswith("but it is not clear whether of Rex.")
    assert ask(library, "Who threw a stick?").text.endswith("It is not clear whether of Rex (1).")
    assert ask(library, "Does Rex play the guitar?").text.endswith("but no caption says it of Rex.")
    how_many = ask(library, "How many people play the guitar?").text
    assert ask(library, "How many different people play the guitar?").text == how_many
    who_does_not = ask(library, "Who is not throwing a stick?").text
    assert who_does_not.startswith("Anna Maria and Ben: on none of the photos mentioning")
    assert who_does_not.endswith("It is not clear whether of Rex.")
