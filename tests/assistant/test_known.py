"""Photos that the model does not understand: nothing is made up, what is known is said."""

import time
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from PIL import Image

from photopal.assistant.ask import ask_each, ask_library, ask_photo
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import CaptionOptions, caption_photos, is_current, made_with
from photopal.assistant.evidence import EvidenceFinder
from photopal.assistant.known import answer_from_record, describe_known, look_at, season_at
from photopal.assistant.occasions import Trips
from photopal.concepts.registration import reference_mask
from photopal.faces import DETECTOR
from photopal.ingest.indexer import index_folders
from photopal.library import SearchQuery
from photopal.library.models import Face, Stay
from photopal.photos.dates import read_date
from photopal.photos.metadata import Fact, Metadata


def face(center, *, away=0.0, side_px=120):
    """A made-up face: those with another center are other people's, farther away the less alike."""
    vector = np.zeros(128, np.float32)
    vector[center], vector[127] = 1.0, away
    box = (0.2, 0.2, 0.1, 0.1)
    return Face(box=box, vector=vector, side_px=side_px, sharpness=1.0, yaw=0.0, score=1.0)


def reference_point(reference):
    """A point of the subject on a reference photo, in fractions of it."""
    inside = np.argwhere(reference_mask(reference))
    row, column = inside[len(inside) // 2]
    return column / reference.photo.width_px, row / reference.photo.height_px


class Blind:
    """A detector to which every photo is of a kind that the model was not made for."""

    def is_in_distribution(self, features, second=None):
        return False


@pytest.fixture
def blind_assistant(assistant, monkeypatch):
    monkeypatch.setattr(assistant.model, "ood_detector", Blind())
    return assistant


@pytest.fixture
def photo(named_library, drawn_family):
    """A photo that the library knows something of."""
    found = named_library.photos.at(drawn_family.strangers[0])
    facts = (
        Fact("position", (38.72, -9.14), "EXIF"),
        Fact("title", "The  big day", "XMP"),
        Fact("keyword", "beach", "XMP"),
        Fact("person", "Ben", "XMP"),
        Fact("person", "Zoe", "XMP"),
    )
    dates = (read_date("2019-07-03T19:30:00", "EXIF DateTimeOriginal"),)
    named_library.connection.execute("UPDATE photos SET latitude = 38.72 WHERE id = ?", (found.id,))
    named_library.facts.put(
        found.path, Metadata(dates=dates, facts=facts), sidecars="", place="Alfama, Lisbon, Portugal"
    )
    return named_library.photos.get(found.id)


SAID = (
    'in Alfama, Portugal, on a summer evening, 3 July 2019. Its file says "The big day". '
    "According to its file, Zoe is in it. Keywords: beach."
)


def test_the_caption_of_a_photo_that_the_model_cannot_see_is_what_is_known(
    named_library, blind_assistant, photo
):
    made = []
    report = caption_photos(named_library, blind_assistant, [photo], on_caption=made.append)
    stored = named_library.captions.get(photo.id)
    assert (report.captioned, report.from_facts) == (1, 1)
    assert stored.text == made[0].caption.text == f"Ben {SAID}"
    assert (stored.source, stored.appearances) == ("facts", ())
    assert caption_photos(named_library, blind_assistant, [photo]).kept == 1
    assert named_library.search.count(SearchQuery(text="beach lisbon ")) == 1


def test_such_a_caption_follows_what_the_user_says(named_library, blind_assistant, photo):
    anna, ben = (named_library.concepts.get(name) for name in ("Anna", "Ben"))
    caption_photos(named_library, blind_assistant, [photo])
    named_library.corrections.put(photo.id, anna.id, is_present=True)
    named_library.corrections.put(photo.id, ben.id, is_present=False)
    assert caption_photos(named_library, blind_assistant, [photo]).captioned == 1
    assert named_library.captions.get(photo.id).text == f"Anna {SAID}".replace("Ben and Zoe are", "Zoe is")


def test_words_of_such_a_caption_that_are_a_name_taken_off_too_leave_it_shown(
    named_library, blind_assistant, photo
):
    for name in ("Portugal", "July", "Big Day"):
        concept = named_library.concepts.add(name, kind="thing")
        named_library.corrections.put(photo.id, concept.id, is_present=False)
    assert caption_photos(named_library, blind_assistant, [photo]).captioned == 1
    assert named_library.captions.get(photo.id).text == f"Ben {SAID}"
    assert named_library.corrections.evidence(photo.id).caption == f"Ben {SAID}"
    assert caption_photos(named_library, blind_assistant, [photo]).kept == 1


def test_whom_the_file_names_by_an_earlier_name_is_named_once(named_library, photo):
    named_library.concepts.rename("Ben", "Benedict")
    facts = Metadata(facts=tuple(Fact("person", name, "XMP") for name in ("Ben", "Zoe", "Unknown")))
    text = describe_known(named_library, photo, metadata=facts)
    assert text.startswith("Benedict in Alfama")
    assert text.endswith("According to its file, Zoe is in it.")


def test_a_caption_made_up_by_an_earlier_version_is_replaced(named_library, assistant, photo, monkeypatch):
    caption_photos(named_library, assistant, [photo])
    named_library.connection.execute("UPDATE captions SET source = NULL")
    # A model that understands every photo needs no second look.
    assert is_current(named_library, photo, made_with(named_library, assistant))
    monkeypatch.setattr(assistant.model, "ood_detector", Blind())
    assert caption_photos(named_library, assistant, [photo]).from_facts == 1
    assert named_library.captions.get(photo.id).appearances == ()


def test_what_is_known_gives_way_to_a_model_that_sees_and_never_replaces_its_caption(
    named_library, assistant, photo, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(assistant.model, "ood_detector", Blind())
        caption_photos(named_library, assistant, [photo])
    monkeypatch.setattr(assistant.model, "fingerprint", "other")
    assert caption_photos(named_library, assistant, [photo]).captioned == 1
    seen = named_library.captions.get(photo.id)
    assert seen.source == "model"
    monkeypatch.setattr(assistant.model, "fingerprint", "blind")
    monkeypatch.setattr(assistant.model, "ood_detector", Blind())
    assert caption_photos(named_library, assistant, [photo], options=CaptionOptions(is_forced=True)).kept == 1
    assert named_library.captions.get(photo.id) == seen


def test_no_question_about_pixels_is_answered_by_a_model_that_cannot_see_them(
    named_library, blind_assistant, photo, monkeypatch
):
    monkeypatch.setattr(type(blind_assistant.model), "generate", None)
    named_library.corrections.put(photo.id, named_library.concepts.get("Anna").id, is_present=True)
    analysis = look_at(named_library, blind_assistant, photo.path)
    answer = ask_photo(blind_assistant, analysis, "What is Anna wearing, and where is Ben?")
    assert answer.text.startswith("Anna is in this photo. Ben is in this photo. The model")
    assert f"What is known of it: Anna and Ben {SAID}" in answer.text
    assert (answer.names, answer.is_from_model) == (("Anna", "Ben"), False)
    whole = ask_library(
        named_library, "What is Anna wearing in 2019?", open_assistant=lambda: blind_assistant
    )
    assert not whole.is_from_model
    assert whole.text.startswith("What is known of 1 photo of Anna in 2019:")


def test_nothing_is_said_of_a_photo_of_which_nothing_is_known(named_library, drawn_family):
    assert describe_known(named_library, named_library.photos.at(drawn_family.strangers[1])) == "A photo."


def test_seasons_are_told_where_there_are_any():
    july, january = date(2019, 7, 3), date(2019, 1, 3)
    assert [season_at(july, latitude) for latitude in (52.0, -33.0, 1.0, None)] == [
        "summer",
        "winter",
        None,
        None,
    ]
    assert season_at(january, -33.0) == "summer"


def ask_about(library, assistant, path, question):
    return ask_photo(assistant, look_at(library, assistant, path), question).text


def test_what_is_known_answers_who_where_when_and_how_many(named_library, blind_assistant, photo):
    anna = named_library.concepts.get("Anna")
    named_library.corrections.put(photo.id, anna.id, is_present=False)

    def ask(question):
        return ask_about(named_library, blind_assistant, photo.path, question)

    assert ask("Is Anna in it?") == "No. Anna is not in this photo."
    assert ask("Is Ben in this photo?") == "Yes. Ben is in this photo."
    assert ask("Where was it taken?") == "It was taken in Alfama, Lisbon, Portugal."
    assert ask("When was this taken?") == "It was taken on 3 July 2019 at 19:30."
    assert ask("What year is this?") == "It was taken on 3 July 2019 at 19:30."
    assert ask("In which month was this photo taken?") == "It was taken on 3 July 2019 at 19:30."
    for question in ("What year is on the sign?", "What month was the car built?", "When was the car built?"):
        assert ask(question).startswith("The model in use does not")
    assert ask("What year was Ben born?").startswith("Ben is in this photo. The model in use does not")
    assert ask("Was this taken in 2010?") == "It was taken on 3 July 2019 at 19:30."
    assert ask("How many pets are in this photo?") == "No pet that you have named was found in this photo."
    assert ask("How many people are in this photo?").startswith("1 with a name: Ben is in this photo.")
    assert ask("Which camera was used?") == "It is not known with which camera it was taken."
    assert ask("Who is in it?") == "Ben is in this photo. It was not searched for faces."
    assert ask("What is Ben holding?").startswith("Ben is in this photo. The model in use does not")


@pytest.mark.parametrize(
    "question",
    [
        "Is {} here?",
        "Is {} in this picture?",
        "Can you see {}?",
        "Does {} appear in it?",
        "Do you recognize {} in the photo?",
        "Ist {} auf dem Foto?",
    ],
)
def test_whether_somebody_is_there_is_answered_with_yes_or_no(
    named_library, blind_assistant, photo, question
):
    named_library.corrections.put(photo.id, named_library.concepts.get("Anna").id, is_present=False)
    for name, answer in (("Anna", "No. Anna is not in this photo."), ("Ben", "Yes. Ben is in this photo.")):
        asked = question.format(name)
        assert ask_about(named_library, blind_assistant, photo.path, asked) == answer


def test_several_are_there_only_if_all_are(named_library, blind_assistant, photo):
    anna = named_library.concepts.get("Anna").id
    for is_present, answer in (
        (True, "Yes. Anna is in this photo. Ben is in this photo."),
        (False, "Anna is not in this photo. Ben is in this photo."),
    ):
        named_library.corrections.put(photo.id, anna, is_present=is_present)
        for question in ("Can you see Anna and Ben?", "Are both Anna and Ben in it?"):
            assert ask_about(named_library, blind_assistant, photo.path, question) == answer


@pytest.mark.parametrize(
    "question",
    [
        "Is {} alone?",
        "Is only {} here?",
        "Is {} in Paris?",
        "Is {} here in 2021?",
        "Was this photo with {} taken in Paris?",
        "Is anyone besides {} in this photo?",
        "is anyone besides {} here?",
        "Are there more than 3 people with {}?",
        "Is {} not in this photo?",
        "Isn't {} here?",
        "Is {} here with a dog?",
        "Have {} and others been here?",
    ],
)
def test_no_other_question_is_answered_with_yes_or_no(named_library, blind_assistant, photo, question):
    named_library.corrections.put(photo.id, named_library.concepts.get("Anna").id, is_present=False)
    for name, known in (("Anna", "Anna is not in this photo."), ("Ben", "Ben is in this photo.")):
        answer = ask_about(named_library, blind_assistant, photo.path, question.format(name))
        assert answer.startswith(f"{known} The model in use does not understand camera photos")
        assert answer.endswith(f"What is known of it: Ben {SAID}")


@pytest.mark.slow
def test_a_photo_that_was_not_captioned_yet_is_compared_when_it_is_asked_about(
    named_library, blind_assistant, drawn_family, tmp_path
):
    for name, number in (("Anna", 0), ("Ben", 1)):
        for reference in named_library.concepts.references(named_library.concepts.get(name).id):
            x, y = reference_point(reference)
            shown = replace(face(number), box=(x - 0.05, y - 0.05, 0.1, 0.1))
            named_library.faces.put(reference.photo.id, [shown], detector=DETECTOR)
    finder = EvidenceFinder(named_library, detect=lambda path: [face(0, away=0.2), face(5)])
    assistant = Assistant(
        blind_assistant.model, blind_assistant.bank, blind_assistant.concepts, finder=finder
    )
    known = named_library.photos.at(drawn_family.strangers[1])
    loose = tmp_path / "loose.png"
    Image.new("RGB", (80, 60), "green").save(loose)
    for path in (known.path, loose):
        answer = ask_about(named_library, assistant, path, "How many people are in it?")
        assert answer.startswith("1 with a name: Anna is in this photo. 1 more face is in it.")
        assert ask_about(named_library, assistant, path, "Is Anna here?") == "Yes. Anna is in this photo."
        missing = ask_about(named_library, assistant, path, "Is Ben here?")
        assert missing == "Ben was not found in this photo."
    assert named_library.findings.get(known.id) is None


def test_a_birthday_and_a_trip_are_in_the_caption(named_library, photo):
    ben = named_library.concepts.get("Ben")
    named_library.concepts.set_age(ben.id, born=date(2012, 7, 3))
    home = [date(2019, 6, 20) + timedelta(days=n) for n in range(10)] + [date(2019, 7, 9)]
    stays = [Stay(day=day, place="Berlin, Germany", latitude=52.5, longitude=13.4, photos=1) for day in home]
    away = Stay(day=date(2019, 7, 3), place=photo.place, latitude=38.7, longitude=-9.1, photos=9)
    trips = Trips([*stays[:-1], away, stays[-1]])
    text = describe_known(named_library, photo, trips=trips)
    assert text.startswith(
        "Ben in Alfama, Portugal, on a summer evening on Ben's 7th birthday, 3 July 2019."
        " It is from a trip to Alfama, Portugal, on 3 July 2019."
    )
    named_library.concepts.set_age(ben.id, born=2012)
    assert "birthday" in describe_known(named_library, photo)
    named_library.concepts.set_age(ben.id, born=2011)
    assert "birthday" not in describe_known(named_library, photo)


def test_what_is_known_of_a_photo_is_not_said_of_a_file_that_was_written_over_it(
    named_library, blind_assistant, drawn_family, tmp_path
):
    path = tmp_path / "x.png"
    with Image.open(drawn_family.both) as picture:
        picture.save(path)
    index_folders(named_library, [path])
    photo = named_library.photos.at(path)
    anna = named_library.concepts.get("Anna")
    named_library.corrections.put(photo.id, anna.id, is_present=True)
    question = "Is Anna in this photo?"
    assert ask_about(named_library, blind_assistant, path, question).startswith("Yes.")
    path.write_bytes(drawn_family.strangers[1].read_bytes())
    assert not ask_about(named_library, blind_assistant, path, question).startswith("Yes.")
    other = named_library.photos.at(drawn_family.strangers[1])
    named_library.corrections.put(other.id, anna.id, is_present=False)
    assert ask_about(named_library, blind_assistant, path, question).startswith("No.")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was this taken?", "It was taken on 3 July 2019 at 19:30."),
        ("Can you tell me what year this was taken?", "It was taken on 3 July 2019 at 19:30."),
        ("What year was this taken?", "It was taken on 3 July 2019 at 19:30."),
        ("What's the date?", "It was taken on 3 July 2019 at 19:30."),
        ("What day of the week was it?", "It was taken on Wednesday, 3 July 2019 at 19:30."),
        ("Was it taken on a Sunday?", "It was taken on Wednesday, 3 July 2019 at 19:30."),
        ("Was this taken in July 2010?", "It was taken on 3 July 2019 at 19:30."),
        ("When was Ben here?", "It was taken on 3 July 2019 at 19:30."),
        ("When was Anna here?", "Anna is not in this photo. It was taken on 3 July 2019 at 19:30."),
        ("Where was this taken?", "It was taken in Alfama, Lisbon, Portugal."),
        ("Where was this photo of Ben taken?", "It was taken in Alfama, Lisbon, Portugal."),
        ("In which city was this taken?", "It was taken in Alfama, Lisbon, Portugal."),
        ("Was this taken in Paris?", "It was taken in Alfama, Lisbon, Portugal."),
        ("When and where was it?", "It was taken on 3 July 2019 at 19:30 in Alfama, Lisbon, Portugal."),
        ("What camera took this?", "It is not known with which camera it was taken."),
        ("What kind of lens was used?", "It is not known with which lens it was taken."),
        ("Who took this photo?", "It is not known who took it."),
        ("Where does this photo come from?", "It was taken in Alfama, Lisbon, Portugal."),
        ("Which camera was this taken with?", "It is not known with which camera it was taken."),
        ("Was this in New  York?", "It was taken in Alfama, Lisbon, Portugal."),
    ],
)
def test_what_only_the_record_tells_is_not_asked_of_a_model_that_sees_the_photo(
    named_library, assistant, photo, monkeypatch, question, answer
):
    monkeypatch.setattr(type(assistant.model), "generate", None)
    for name, is_present in (("Anna", False), ("Ben", True)):
        concept = named_library.concepts.get(name)
        named_library.corrections.put(photo.id, concept.id, is_present=is_present)
    analysis = look_at(named_library, assistant, photo.path)
    assert analysis.known is None
    told = ask_photo(assistant, analysis, question)
    assert (told.text, told.is_from_model) == (answer, False)
    assert ask_each(assistant, analysis, [question]) == [told]


WHEN, CAMERA, WHERE = (
    "on 3 July 2019 at 19:30",
    "It is not known with which camera it was taken.",
    "in Alfama, Lisbon, Portugal",
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is it Monday?", "It was taken on Wednesday, 3 July 2019 at 19:30."),
        ("Was it the weekend?", "It was taken on Wednesday, 3 July 2019 at 19:30."),
        ("Is it March?", f"It was taken {WHEN}."),
        ("Was the picture taken in March?", f"It was taken {WHEN}."),
        ("Is this a photo from 2023?", f"It was taken {WHEN}."),
        ("Did I take this in 2022 or 2023?", f"It was taken {WHEN}."),
        ("Has this been taken in 2023?", f"It was taken {WHEN}."),
        ("Is this photo older than 2020?", f"It was taken {WHEN}."),
        ("Was this taken at the end of 2022?", f"It was taken {WHEN}."),
        ("Was this taken with a Canon R5?", CAMERA),
        ("Was it shot on an iPhone 12 Pro?", CAMERA),
        ("Was this taken with a Fairphone?", CAMERA),
        ("Was this taken with a phone?", CAMERA),
        ("Was this taken in Berlin in 2023?", f"It was taken {WHEN} {WHERE}."),
        ("Was this taken in 2023 with a Canon?", f"It was taken {WHEN}. {CAMERA}"),
    ],
)
def test_whether_it_was_then_there_or_with_that_is_answered_from_the_record(
    named_library, assistant, photo, question, answer
):
    analysis = look_at(named_library, assistant, photo.path)
    assert answer_from_record(analysis, question, ["Anna", "Ben"]) == answer


VISIBLE = """
Was this taken with Ben?
Was this taken with my Mum?
Was this taken in the snow?
Is it Christmas?
Is it night?
Was this taken in the evening?
What time of day is it?
What season is it?
What is the time on the clock?
What year is on the sign?
Where is Ben?
Where is Ben in this photo?
Where is the ball?
Where are they?
How many phones can you see?
Is this an iPhone?
Who is in the photo?
What is Ben doing?
When was Ben born?
When does it open?
When can we visit?
Where is this going?
Where is it stored?
Is it in English?
Was this taken in Portrait Mode?
What camera is this?
What kind of phone is that?
Which cameras are visible in this picture?
What is this made with?
Who made this?
"""


@pytest.mark.parametrize("question", VISIBLE.strip().splitlines())
def test_what_a_look_can_tell_is_asked_of_the_model(question, named_library, assistant, photo):
    analysis = look_at(named_library, assistant, photo.path)
    assert answer_from_record(analysis, question, ["Anna", "Ben"]) is None


def test_a_question_as_long_as_a_book_is_not_read_for_hours(named_library, assistant, photo):
    analysis = look_at(named_library, assistant, photo.path)
    started = time.process_time()
    for question in (f"Is this in A{' ' * 40_000},", "Is this 2019 " * 3_000, "Is it" + " in Aa" * 80 + ","):
        assert answer_from_record(analysis, question, ["Anna", "Ben"]) is None
    # A name of many pieces, too.
    for question in ("Was this taken with a " + "A-" * 22 + "!x", "Was it with my phone " + "1-" * 22 + "!x"):
        assert answer_from_record(analysis, question, ["Anna", "Ben"]) is None
    assert time.process_time() - started < 3


def test_a_model_is_asked_where_it_was_only_where_no_position_tells_it(named_library, assistant, tmp_path):
    path = tmp_path / "loose.png"
    Image.new("RGB", (80, 60), "green").save(path)
    analysis = look_at(named_library, assistant, path)

    def answer(question):
        return answer_from_record(analysis, question, ["Anna", "Ben"])

    for question in ("Where was this taken?", "What place is this?", "Is it winter?", "Was this in Paris?"):
        assert answer(question) is None
    assert answer("Was this taken in March?") == "It is not known when it was taken."
    assert answer("In which country was this taken?") == "It is not known where it was taken."
    assert answer("What weekday was it?") == "It is not known when it was taken."
    assert answer("When and where was this?") == "It is not known when and where it was taken."
