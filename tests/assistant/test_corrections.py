"""What the user said of who is on a photo counts in captions, answers and marks, whatever a model finds."""

import pytest

from photopal.assistant.analysis import corrected
from photopal.assistant.ask import ask_library, ask_photo
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photos
from photopal.assistant.watcher import WatchCaptioner
from photopal.concepts.registration import refresh_bank
from photopal.library import SearchQuery
from photopal.photos import open_photo
from tests.assistant.certain import certain


@pytest.fixture
def seer(assistant):
    """An assistant that sees everybody everywhere."""
    return certain(assistant, present=True)


@pytest.fixture
def photo(named_library, drawn_family):
    return named_library.photos.at(drawn_family.strangers[0])


def ids(library):
    return library.concepts.get("Anna").id, library.concepts.get("Ben").id


def found(library, name):
    return {hit.photo.id for hit in library.search.find(SearchQuery(concepts=(name,)))}


@pytest.mark.slow
def test_a_name_taken_off_is_in_no_caption_prompt_or_answer_and_its_caption_is_made_anew(
    named_library, seer, photo
):
    _, ben = ids(named_library)
    caption_photos(named_library, seer, [photo])
    assert photo.id in found(named_library, "Ben")
    named_library.corrections.put(photo.id, ben, is_present=False)
    made = []
    report = caption_photos(named_library, seer, [photo], on_caption=made.append)
    assert (report.captioned, report.kept) == (1, 0)
    assert made[0].caption.names == ["Anna"]
    assert photo.id not in found(named_library, "Ben")
    assert caption_photos(named_library, seer, [photo]).kept == 1
    analysis = corrected(seer.analyze(open_photo(photo.path)), named_library.corrections.words(photo.id))
    assert seer.personalize(analysis).names == ["Anna"]
    answer = ask_photo(seer, analysis, "Is Ben in this photo?")
    assert not answer.is_from_model
    assert answer.text.startswith("No. ")


@pytest.mark.slow
def test_what_the_model_found_itself_is_stored_and_counts_again_after_undo(named_library, seer, photo):
    _, ben = ids(named_library)
    named_library.corrections.put(photo.id, ben, is_present=False)
    caption_photos(named_library, seer, [photo])
    named_library.history.undo()
    assert photo.id in found(named_library, "Ben")
    assert caption_photos(named_library, seer, [photo]).captioned == 1


@pytest.mark.slow
def test_a_name_put_on_is_offered_first_and_marked_where_the_user_says(named_library, assistant, photo):
    _, ben = ids(named_library)
    blind = certain(assistant, present=False)
    caption_photos(named_library, blind, [photo])
    named_library.corrections.put(photo.id, ben, is_present=True, box=(0, 0, 40, 80))
    made = []
    assert caption_photos(named_library, blind, [photo], on_caption=made.append).captioned == 1
    assert made[0].caption.names == ["Ben"]
    assert "Ben" in named_library.captions.get(photo.id).text
    assert found(named_library, "Ben") >= {photo.id}
    analysis = corrected(blind.analyze(open_photo(photo.path)), named_library.corrections.words(photo.id))
    personal = blind.personalize(analysis)
    assert personal.names == ["Ben"]
    assert (personal.marks[0].x, personal.marks[0].y) == (0.125, 0.5)


def test_a_reference_photo_is_a_word_for_its_concept(named_library, assistant):
    anna, _ = ids(named_library)
    photo = named_library.concepts.references(anna)[0].photo
    words = named_library.corrections.words(photo.id)
    assert words[anna].source == "reference"
    analysis = corrected(assistant.analyze(open_photo(photo.path)), words)
    assert analysis.of(anna).is_present


@pytest.mark.parametrize("is_present", [True, False])
def test_the_word_survives_forced_captions_another_bank_and_another_wording(
    named_library, seer, assistant, photo, is_present, monkeypatch
):
    from photopal.assistant import caption as room

    _, ben = ids(named_library)
    named_library.corrections.put(photo.id, ben, is_present=is_present)
    for one, version in ((seer, "1"), (assistant, "1"), (seer, "2")):
        monkeypatch.setattr(room, "PROMPT_VERSION", version)
        caption_photos(named_library, one, [photo], options=room.CaptionOptions(is_forced=True))
        assert (photo.id in found(named_library, "Ben")) == is_present


@pytest.mark.slow
def test_a_question_about_the_library_looks_with_the_users_words(named_library, seer, photo):
    _, ben = ids(named_library)
    named_library.corrections.put(photo.id, ben, is_present=False)
    answer = ask_library(
        named_library, f"What is Ben doing in {photo.path.stem}?", open_assistant=lambda: seer
    )
    assert photo.id not in {cited.id for cited in answer.photos}


@pytest.mark.slow
def test_a_watch_learns_of_words_said_meanwhile_and_keeps_them(named_library, model, photo, tmp_path):
    anna, _ = ids(named_library)
    path, opened = tmp_path / "bank", []

    def reopen():
        opened.append(
            Assistant(model, refresh_bank(named_library, model, path).bank, named_library.concepts.all())
        )
        return opened[-1]

    newcomers = WatchCaptioner(named_library, path, reopen, on_caption=lambda captioned: None)
    newcomers.take([photo.path])
    assert newcomers.has(photo.path)
    named_library.corrections.put(photo.id, anna, is_present=True)
    assert not newcomers.has(photo.path)
    newcomers.take([photo.path])
    assert newcomers.has(photo.path)
    assert len(opened) == 2
    assert photo.id in found(named_library, "Anna")
