"""Captions: what is stored with them, and when they are made anew."""

from weakref import ref

import pytest
import torch
from PIL import Image

from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import BatchSizer, CaptionOptions, caption_photo, caption_photos
from photopal.assistant.captioner import Captioner, write_captions
from photopal.assistant.watcher import WatchCaptioner
from photopal.concepts import Bank
from photopal.concepts.registration import refresh_bank
from photopal.ingest.indexer import index_folders
from photopal.library.photo_vectors import VectorFile
from photopal.photos import open_photo
from photopal.prompts import PROMPT_VERSION
from photopal.text import names_in
from photopal.vlm import load_model


def strangers_of(library, family):
    return [library.photos.at(path) for path in family.strangers]


@pytest.mark.slow
def test_a_caption_is_stored_with_what_it_was_made_by_and_who_was_looked_for(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    made = []
    report = caption_photos(named_library, assistant, [photo], on_caption=made.append)
    stored = named_library.captions.get(photo.id)
    assert (report.captioned, report.kept, report.skipped) == (1, 0, ())
    assert stored.text == made[0].caption.text
    assert stored.model == assistant.model.fingerprint
    assert stored.bank == assistant.bank.version
    assert stored.prompt_version == PROMPT_VERSION
    assert {seen.concept_id for seen in stored.appearances} == {c.id for c in named_library.concepts.all()}


@pytest.mark.slow
def test_a_good_caption_is_kept_unless_forced(named_library, assistant, drawn_family):
    photos = strangers_of(named_library, drawn_family)
    assert caption_photos(named_library, assistant, photos).captioned == 3
    assert caption_photos(named_library, assistant, photos).kept == 3
    assert (
        caption_photos(named_library, assistant, photos, options=CaptionOptions(is_forced=True)).captioned
        == 3
    )


@pytest.mark.slow
def test_a_limit_counts_new_captions_only(named_library, assistant, drawn_family):
    photos = strangers_of(named_library, drawn_family)
    assert caption_photos(named_library, assistant, photos, options=CaptionOptions(limit=2)).captioned == 2
    last = caption_photos(named_library, assistant, photos, options=CaptionOptions(limit=2))
    assert (last.kept, last.captioned) == (2, 1)


@pytest.mark.slow
def test_a_photo_that_is_gone_is_skipped_and_the_next_one_captioned(
    named_library, assistant, drawn_family, tmp_path
):
    from photopal.ingest.indexer import index_folders

    copy = tmp_path / "copy.png"
    copy.write_bytes(drawn_family.both.read_bytes() + b" ")
    index_folders(named_library, [copy])
    gone = named_library.photos.at(copy)
    copy.unlink()
    photos = [gone, *strangers_of(named_library, drawn_family)]
    report = caption_photos(named_library, assistant, photos)
    assert report.captioned == 3
    assert [skipped.path for skipped in report.skipped] == [copy]


@pytest.mark.slow
def test_photos_that_are_too_much_for_the_memory_together_are_captioned_alone_or_skipped(
    named_library, assistant, drawn_family, monkeypatch
):
    photos = strangers_of(named_library, drawn_family)
    look, tried = Captioner.look, []

    def look_within_memory(captioner, keys, images):
        tried.append(len(images))
        if len(images) > 1 or keys == [photos[1].content_hash]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return look(captioner, keys, images)

    monkeypatch.setattr(Captioner, "look", look_within_memory)
    monkeypatch.setattr(BatchSizer, "is_full", lambda self, count: count == len(photos))
    report = caption_photos(named_library, assistant, photos)
    assert tried == [3, 1, 1, 1]
    assert report.captioned == 2
    [skipped] = report.skipped
    assert skipped.path == photos[1].path
    assert "out of memory" in skipped.reason
    assert [named_library.captions.get(photo.id) is None for photo in photos] == [False, True, False]


@pytest.mark.slow
def test_newcomers_are_indexed_captioned_and_known_until_they_change(
    named_library, model, assistant, drawn_family, tmp_path
):
    from photopal.assistant.assistant import Assistant

    path = tmp_path / "bank"
    opened = []

    def reopen():
        bank = refresh_bank(named_library, model, path).bank
        opened.append(Assistant(model, bank, named_library.concepts.all()))
        return opened[-1]

    made = []
    newcomers = WatchCaptioner(named_library, path, reopen, on_caption=made.append)
    photo, broken = tmp_path / "new.png", tmp_path / "broken.png"
    photo.write_bytes(drawn_family.both.read_bytes() + b" ")
    broken.write_bytes(b"no photo")
    assert not newcomers.has(photo)
    assert [skipped.path for skipped in newcomers.take([photo, broken])] == [broken]
    assert newcomers.has(photo)
    assert [captioned.photo.path for captioned in made] == [photo]
    photo.write_bytes(photo.read_bytes() + b" ")
    assert not newcomers.has(photo)
    named_library.concepts.remove("Ben")
    newcomers.take([photo])
    assert len(opened) == 2
    assert [concept.name for concept in opened[-1].concepts] == ["Anna"]


@pytest.mark.slow
def test_the_model_is_let_go_when_no_photo_comes_for_long_and_back_for_the_next(
    named_library, tiny_llava, drawn_family, tmp_path
):
    loaded = []

    def reopen():
        model = load_model(tiny_llava, device="cpu")
        loaded.append(ref(model))
        return Assistant(model, Bank(model.fingerprint, ""), [])

    made = []
    newcomers = WatchCaptioner(named_library, tmp_path / "bank", reopen, on_caption=made.append)
    photo = tmp_path / "new.png"
    photo.write_bytes(drawn_family.both.read_bytes() + b" ")
    newcomers.take([photo])
    newcomers.sync.catch_up()
    assert not newcomers.is_resting
    newcomers.idle_s = 0.0
    newcomers.sync.catch_up()
    assert newcomers.is_resting
    assert loaded[0]() is None
    assert newcomers.has(photo)
    with Image.open(drawn_family.both) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photo)
    newcomers.take([photo])
    assert not newcomers.is_resting
    assert (len(loaded), len(made)) == (2, 2)


def test_a_caption_edited_by_hand_is_not_overwritten_but_who_appears_is_found(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    named_library.captions.edit(photo.id, "My own words.")
    for options in (None, CaptionOptions(is_forced=True)):
        report = caption_photos(named_library, assistant, [photo], options=options)
        assert (report.captioned, report.kept) == (0, 1)
        stored = named_library.captions.get(photo.id)
        assert (stored.text, stored.by_hand) == ("My own words.", True)
        assert len(stored.appearances) == 2
    assert stored.model == assistant.model.fingerprint


@pytest.mark.slow
def test_an_edited_caption_is_replaced_when_asked_and_undo_brings_it_back(
    named_library, assistant, drawn_family
):
    photo = strangers_of(named_library, drawn_family)[0]
    named_library.captions.edit(photo.id, "My own words.")
    options = CaptionOptions(replaces_edited=True)
    assert caption_photos(named_library, assistant, [photo], options=options).captioned == 1
    assert not named_library.captions.get(photo.id).by_hand
    named_library.history.undo()
    stored = named_library.captions.get(photo.id)
    assert (stored.text, stored.by_hand) == ("My own words.", True)


def while_captions_are_written(monkeypatch, do):
    """Have something done between the model's look at the first photos and their captions."""
    write, waiting = Captioner.write, [do]

    def write_later(captioner, keys, weighed):
        if waiting:
            waiting.pop()()
        return write(captioner, keys, weighed)

    monkeypatch.setattr(Captioner, "write", write_later)


@pytest.mark.slow
def test_what_the_user_says_while_a_caption_is_written_is_in_the_next_one(
    named_library, assistant, drawn_family, monkeypatch
):
    [photo, *_] = strangers_of(named_library, drawn_family)
    anna = named_library.concepts.get("Anna")
    while_captions_are_written(
        monkeypatch, lambda: named_library.corrections.put(photo.id, anna.id, is_present=True)
    )
    assert caption_photos(named_library, assistant, [photo]).captioned == 1
    assert caption_photos(named_library, assistant, [photo]).captioned == 1
    assert "Anna" in named_library.captions.get(photo.id).text
    assert caption_photos(named_library, assistant, [photo]).kept == 1


@pytest.mark.slow
@pytest.mark.parametrize("before", [None, "My first words."])
def test_a_caption_that_the_user_writes_while_one_is_written_is_kept_and_not_told_as_a_new_one(
    named_library, assistant, drawn_family, monkeypatch, before
):
    [photo, *_] = strangers_of(named_library, drawn_family)
    if before is not None:
        named_library.captions.edit(photo.id, before)
    while_captions_are_written(monkeypatch, lambda: named_library.captions.edit(photo.id, "My own words."))
    made = []
    report = caption_photos(named_library, assistant, [photo], on_caption=made.append)
    assert (report.captioned, report.kept, made) == (0, 1, [])
    stored = named_library.captions.get(photo.id)
    assert (stored.text, stored.by_hand) == ("My own words.", True)


@pytest.mark.slow
def test_who_is_renamed_or_merged_while_a_caption_is_written_has_the_new_name_in_it(
    named_library, assistant, drawn_family, monkeypatch
):
    photos = strangers_of(named_library, drawn_family)[:2]
    concepts = named_library.concepts
    for photo in photos:
        for name in ("Anna", "Ben"):
            named_library.corrections.put(photo.id, concepts.get(name).id, is_present=True)

    def change():
        concepts.rename("Anna", "Annabel")
        concepts.rename("Ben", "Anna")

    while_captions_are_written(monkeypatch, change)
    made = []
    caption_photos(named_library, assistant, photos[:1], on_caption=made.append)
    text = named_library.captions.get(photos[0].id).text
    assert names_in(text, ["Anna", "Annabel", "Ben"]) == ["Anna", "Annabel"]
    assert made[0].caption.text == text
    assert sorted(made[0].caption.names) == ["Anna", "Annabel"]

    assistant = Assistant(assistant.model, assistant.bank, concepts.all())
    named_library.corrections.put(photos[1].id, concepts.get("Annabel").id, is_present=False)
    while_captions_are_written(monkeypatch, lambda: concepts.merge("Annabel", "Anna"))
    caption_photos(named_library, assistant, photos[1:])
    stored = named_library.connection.rows("SELECT text FROM captions WHERE photo_id = ?", (photos[1].id,))
    assert names_in(stored[0]["text"], ["Anna", "Annabel"]) == ["Annabel"]


@pytest.mark.slow
def test_a_file_that_is_another_picture_by_now_gets_no_caption_before_it_is_indexed(
    named_library, assistant, drawn_family, tmp_path
):
    path = tmp_path / "x.png"
    with Image.open(drawn_family.both) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    content = path.read_bytes()
    index_folders(named_library, [path])
    photo = named_library.photos.at(path)
    path.write_bytes(drawn_family.photos["Ben"][0].read_bytes())
    vectors = VectorFile(tmp_path / "vectors", assistant.model.fingerprint)
    report = caption_photos(named_library, assistant, [photo], vectors=vectors)
    assert report.captioned == 0
    [skipped] = report.skipped
    assert (skipped.path, skipped.reason) == (
        path,
        "changed since it was indexed; run `photopal index` first",
    )
    assert named_library.captions.get(photo.id) is None
    assert photo.content_hash not in vectors
    path.write_bytes(content)
    assert caption_photos(named_library, assistant, [photo], vectors=vectors).captioned == 1
    assert photo.content_hash in vectors


@pytest.mark.slow
def test_nothing_is_stored_of_a_photo_that_is_indexed_as_another_picture_or_loses_its_words_meanwhile(
    named_library, assistant, drawn_family, monkeypatch
):
    edited, taken_back = strangers_of(named_library, drawn_family)[:2]
    named_library.captions.edit(taken_back.id, "My own words.")

    def change():
        named_library.history.undo()
        with named_library.writing():
            named_library.connection.execute(
                "UPDATE photos SET content_hash = 'new' WHERE id = ?", (edited.id,)
            )

    while_captions_are_written(monkeypatch, change)
    report = caption_photos(named_library, assistant, [edited, taken_back])
    assert report.captioned == report.kept == 0
    assert {(skipped.path, skipped.reason) for skipped in report.skipped} == {
        (photo.path, "changed while it was captioned; run `photopal caption` again")
        for photo in (edited, taken_back)
    }
    assert named_library.captions.get(edited.id) is None
    assert named_library.captions.get(taken_back.id) is None


@pytest.mark.slow
def test_captioned_photos_can_be_compared(named_library, assistant, drawn_family, tmp_path):
    vectors = VectorFile(tmp_path / "vectors", assistant.model.fingerprint)
    photos = strangers_of(named_library, drawn_family)
    caption_photos(named_library, assistant, photos, vectors=vectors)
    assert len(vectors) == 3
    assert all(photo.content_hash in vectors for photo in photos)


@pytest.fixture(params=["tiny_llava", "tiny_smolvlm", "tiny_qwen"])
def of_a_family(request, named_library, tmp_path):
    """An assistant that counts Anna as seen, asks the model about Ben and marks them, of each family."""
    from dataclasses import replace

    from photopal.concepts.calibration import Calibration

    model = load_model(request.getfixturevalue(request.param), device="cpu")
    bank = refresh_bank(named_library, model, tmp_path / "family bank").bank
    seen = dict(zip(bank.concepts, (Calibration(-2.0, -2.0), Calibration(-2.0, 2.0)), strict=True))
    bank = bank.with_concepts([replace(c, calibration=seen[i]) for i, c in bank.concepts.items()])
    return Assistant(model, bank, named_library.concepts.all())


@pytest.mark.slow
def test_photos_captioned_together_are_captioned_as_each_alone(of_a_family, drawn_family):
    paths = [*drawn_family.strangers, drawn_family.both, *drawn_family.photos["Anna"]]
    images = [open_photo(path) for path in paths]
    alone = [caption_photo(of_a_family, of_a_family.analyze(image)) for image in images]
    together = of_a_family.analyze_each(images)
    assert write_captions(of_a_family, together) == [caption.text for caption in alone]
    assert [[s.concept.name for s in one.present] for one in together] == [one.names for one in alone]
    assert any(s.probability is not None for one in together for s in one.sightings)
    assert len({caption.text for caption in alone}) > 1


@pytest.mark.slow
def test_stored_captions_are_those_of_each_photo_alone_whatever_the_batch(
    named_library, assistant, drawn_family, monkeypatch
):
    from photopal.assistant import caption, captioner

    sizes = []
    monkeypatch.setattr(
        captioner, "write_captions", lambda a, v: sizes.append(len(v)) or write_captions(a, v)
    )
    monkeypatch.setattr(caption.BatchSizer, "is_full", lambda self, count: count == 2)
    photos = strangers_of(named_library, drawn_family)
    assert caption_photos(named_library, assistant, photos).captioned == 3
    assert sizes == [2, 1]
    for photo in photos:
        expected = caption_photo(assistant, assistant.analyze(open_photo(photo.path)))
        assert named_library.captions.get(photo.id).text == expected.text


def sizes_of(seconds, *, batches=40, **options):
    """The sizes of the first batches, given how long a batch of some size takes."""
    from photopal.assistant.caption import BatchSizer

    sizer, sizes = BatchSizer(**options), []
    for _ in range(batches):
        sizes.append(sizer.size)
        sizer.note(sizer.size, seconds(sizer.size))
    return sizes


def test_a_batch_grows_as_long_as_it_is_quick():
    assert sizes_of(lambda count: 0.01 * count, batches=5) == [1, 8, 32, 32, 32]
    assert sizes_of(lambda count: 0.5 * count, batches=5) == [1, 3, 6, 3, 3]


def test_a_batch_grows_while_photos_per_second_rise_however_slow_one_photo_is():
    # A GPU: one caption takes 1.1 s, sixteen together 2.7 s.
    sizes = sizes_of(lambda count: 1.0 + 0.1 * count)
    assert sizes[:6] == [1, 2, 4, 8, 16, 32]
    assert sizes[-1] == 32


def test_a_batch_stays_at_the_size_beyond_which_photos_per_second_do_not_rise():
    # Eight at once take no longer than one, and any more wait for their turn.
    sizes = sizes_of(lambda count: 1.6 * -(-count // 8))
    assert sizes[:6] == [1, 2, 4, 8, 16, 8]
    assert sizes.count(16) == 2  # tried again later, as photos differ
    assert sizes_of(lambda count: 5.0 * count).count(2) == 2


def test_a_batch_never_takes_long_nor_more_memory_than_there_is():
    from photopal.assistant.caption import LONGEST_S, BatchSizer

    slow = lambda count: 4.0 + 0.5 * count  # noqa: E731 - rising for ever
    assert max(slow(size) for size in sizes_of(slow)) <= LONGEST_S
    sizer = BatchSizer()
    for _ in range(9):
        sizer.bound(6)
        sizer.note(sizer.size, 0.01)
    assert sizer.size == 6
    sizer.bound(0)
    assert sizer.size == 1


def test_a_batch_that_was_too_much_is_halved_and_tried_again_only_later():
    sizer = BatchSizer()
    sizer.size = 8
    sizer.note_failure(8)
    sizes = []
    for _ in range(30):
        sizes.append(sizer.size)
        sizer.note(sizer.size, 0.1 * sizer.size)
    assert set(sizes[:20]) == {4}
    assert 8 in sizes


def test_a_batch_is_not_waited_for_when_photos_come_slowly():
    from photopal.assistant.caption import BatchSizer

    now = [0.0]
    sizer = BatchSizer(clock=lambda: now[0])
    for _ in range(5):
        sizer.note(sizer.size, 0.01)
    sizer.wait()
    assert not sizer.is_full(1)
    now[0] = 2.0
    assert sizer.is_full(1)
    sizer.wait()
    assert not sizer.is_full(1)


@pytest.mark.slow
def test_captions_from_kept_features_are_the_same_and_nothing_is_encoded_again(
    named_library, assistant, drawn_family, tmp_path, monkeypatch
):
    from photopal.vlm.families import llava
    from photopal.vlm.feature_cache import FeatureCache

    monkeypatch.setattr(assistant.model, "feature_cache", FeatureCache(tmp_path / "features", "made"))
    unmarked = Assistant(assistant.model, assistant.bank, assistant.concepts, has_marks=False)
    photos, options = strangers_of(named_library, drawn_family), CaptionOptions(is_forced=True)
    caption_photos(named_library, unmarked, photos, options=options)
    first = [named_library.captions.get(photo.id) for photo in photos]
    monkeypatch.setattr(llava, "_encode_batch", lambda *_: pytest.fail("a photo was encoded again"))
    caption_photos(named_library, unmarked, photos, options=options)
    again = [named_library.captions.get(photo.id) for photo in photos]
    assert [row.text for row in again] == [row.text for row in first]
    assert [row.appearances for row in again] == [row.appearances for row in first]
