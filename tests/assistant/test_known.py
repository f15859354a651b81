"""Photos that the model does not understand: nothing is made up, what is known is said."""

import pytest

from photopal.assistant.ask import ask_library, ask_photo
from photopal.assistant.caption import CaptionOptions, caption_photos, is_current, made_with
from photopal.assistant.known import describe_known, season_at, weigh
from photopal.library import SearchQuery
from photopal.photos import open_photo
from photopal.photos.dates import read_date
from photopal.photos.metadata import Fact, Metadata


class Blind:
    """A detector to which every photo is of a kind that the model was not made for."""

    def is_in_distribution(self, features):
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


def test_a_caption_made_up_by_an_earlier_version_is_replaced(named_library, assistant, photo, monkeypatch):
    caption_photos(named_library, assistant, [photo])
    named_library.connection.execute("UPDATE captions SET source = NULL")
    # A model that understands every photo needs no second look.
    assert is_current(named_library, photo, made_with(assistant))
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
    analysis = weigh(named_library, photo, blind_assistant, blind_assistant.analyze(open_photo(photo.path)))
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
    from datetime import date

    july, january = date(2019, 7, 3), date(2019, 1, 3)
    assert [season_at(july, latitude) for latitude in (52.0, -33.0, 1.0, None)] == [
        "summer",
        "winter",
        None,
        None,
    ]
    assert season_at(january, -33.0) == "summer"
