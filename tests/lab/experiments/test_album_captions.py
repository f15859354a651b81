"""Captions of an album are compared with the truth it was made from."""

from __future__ import annotations

from photopal.lab.experiments.album_captions import score_captions
from photopal.lab.synthetic.album import AlbumOptions, write_album
from photopal.library import Library
from photopal.photos import record_photo


def test_captions_of_an_album_are_compared_with_the_truth(tmp_path):
    album = write_album(tmp_path / "album", options=AlbumOptions(references=1, photos=6, size_px=64))
    named = [photo for photo in album.photos if any(photo.names)]
    with Library(tmp_path / "library.db") as library:
        for number, photo in enumerate(album.photos):
            photo_id = library.photos.add(record_photo(photo.path))
            words = photo.caption if number else "Nobody is here."
            library.captions.put(photo_id, words, model="m", bank=None, prompt_version="1", appearances=[])
        score = score_captions(library, album)
    first_is_named = album.photos[0] in named
    assert score.captioned == score.photos == 6
    assert score.exact == 6 - first_is_named
    assert score.missing == int(first_is_named)
    assert score.wrong == 0
