"""Captions: what is stored with them, and when they are made anew."""

from photopal.answers.caption import CaptionOptions, caption_photos
from photopal.answers.watched import Newcomers
from photopal.concepts.enroll import refresh_bank
from photopal.library.vectors import VectorFile
from photopal.prompts import PROMPT_VERSION


def strangers_of(library, family):
    return [library.photo_at(path) for path in family.strangers]


def test_a_caption_is_stored_with_what_it_was_made_by_and_who_was_looked_for(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    made = []
    report = caption_photos(named_library, assistant, [photo], on_caption=made.append)
    stored = named_library.caption(photo.id)
    assert (report.captioned, report.kept, report.skipped) == (1, 0, ())
    assert stored.text == made[0].caption.text
    assert stored.model == assistant.model.fingerprint
    assert stored.bank == assistant.bank.version
    assert stored.prompt_version == PROMPT_VERSION
    assert {seen.concept_id for seen in stored.appearances} == {c.id for c in named_library.concepts()}


def test_a_good_caption_is_kept_unless_forced(named_library, assistant, drawn_family):
    photos = strangers_of(named_library, drawn_family)
    assert caption_photos(named_library, assistant, photos).captioned == 3
    assert caption_photos(named_library, assistant, photos).kept == 3
    assert caption_photos(named_library, assistant, photos, options=CaptionOptions(is_forced=True)).captioned == 3


def test_a_limit_counts_new_captions_only(named_library, assistant, drawn_family):
    photos = strangers_of(named_library, drawn_family)
    assert caption_photos(named_library, assistant, photos, options=CaptionOptions(limit=2)).captioned == 2
    last = caption_photos(named_library, assistant, photos, options=CaptionOptions(limit=2))
    assert (last.kept, last.captioned) == (2, 1)


def test_a_photo_that_is_gone_is_skipped_and_the_next_one_captioned(
    named_library, assistant, drawn_family, tmp_path
):
    from photopal.library import index_folders

    copy = tmp_path / "copy.png"
    copy.write_bytes(drawn_family.both.read_bytes() + b" ")
    index_folders(named_library, [copy])
    gone = named_library.photo_at(copy)
    copy.unlink()
    photos = [gone, *strangers_of(named_library, drawn_family)]
    report = caption_photos(named_library, assistant, photos)
    assert report.captioned == 3
    assert [skipped.path for skipped in report.skipped] == [copy]


def test_newcomers_are_indexed_captioned_and_known_until_they_change(
    named_library, model, assistant, drawn_family, tmp_path
):
    from photopal.answers.assistant import Assistant

    path = tmp_path / "bank"
    opened = []

    def reopen():
        bank = refresh_bank(named_library, model, path).bank
        opened.append(Assistant(model, bank, named_library.concepts()))
        return opened[-1]

    made = []
    newcomers = Newcomers(named_library, path, reopen, on_caption=made.append)
    photo, broken = tmp_path / "new.png", tmp_path / "broken.png"
    photo.write_bytes(drawn_family.both.read_bytes() + b" ")
    broken.write_bytes(b"no photo")
    assert not newcomers.has(photo)
    assert [skipped.path for skipped in newcomers.take([photo, broken])] == [broken]
    assert newcomers.has(photo)
    assert [captioned.photo.path for captioned in made] == [photo]
    photo.write_bytes(photo.read_bytes() + b" ")
    assert not newcomers.has(photo)
    named_library.remove_concept("Ben")
    newcomers.take([photo])
    assert len(opened) == 2
    assert [concept.name for concept in opened[-1].concepts] == ["Anna"]


def test_a_caption_edited_by_hand_is_not_overwritten_but_who_appears_is_found(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    named_library.edit_caption(photo.id, "My own words.")
    for options in (None, CaptionOptions(is_forced=True)):
        report = caption_photos(named_library, assistant, [photo], options=options)
        assert (report.captioned, report.kept) == (0, 1)
        stored = named_library.caption(photo.id)
        assert (stored.text, stored.by_hand) == ("My own words.", True)
        assert len(stored.appearances) == 2
    assert stored.model == assistant.model.fingerprint


def test_an_edited_caption_is_replaced_when_asked_and_undo_brings_it_back(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    named_library.edit_caption(photo.id, "My own words.")
    options = CaptionOptions(replaces_edited=True)
    assert caption_photos(named_library, assistant, [photo], options=options).captioned == 1
    assert not named_library.caption(photo.id).by_hand
    named_library.undo()
    stored = named_library.caption(photo.id)
    assert (stored.text, stored.by_hand) == ("My own words.", True)


def test_captioned_photos_can_be_compared(named_library, assistant, drawn_family, tmp_path):
    vectors = VectorFile(tmp_path / "vectors", assistant.model.fingerprint)
    photos = strangers_of(named_library, drawn_family)
    caption_photos(named_library, assistant, photos, vectors=vectors)
    assert len(vectors) == 3
    assert all(photo.content_hash in vectors for photo in photos)
