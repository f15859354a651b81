"""Compares the captions of a library with the truth of the album it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from photopal.lab.synthetic.album import Album
from photopal.library import Library
from photopal.prompts import write_names
from photopal.vlm.placeholders import name_placeholder


@dataclass(frozen=True)
class AlbumScore:
    """How the captions of an album's photos name its cast.

    Attributes:
        photos: Photos of the album.
        captioned: Those that have a caption.
        exact: Captions that name exactly those who are there.
        wrong: Captions that name somebody who is not there.
        missing: Captions that leave out somebody who is there.
    """

    photos: int
    captioned: int
    exact: int
    wrong: int
    missing: int


def score_captions(library: Library, album: Album) -> AlbumScore:
    """Count which captions name the right names, whole names only."""
    names = [concept.name for concept in album.concepts]
    captioned = exact = wrong = missing = 0
    for photo in album.photos:
        row = library.photos.at(photo.path)
        caption = library.captions.get(row.id) if row is not None else None
        if caption is None:
            continue
        told = names_in(caption.text, names)
        truth = {name for name in photo.names if name is not None}
        captioned += 1
        exact += told == truth
        wrong += bool(told - truth)
        missing += bool(truth - told)
    return AlbumScore(len(album.photos), captioned, exact, wrong, missing)


def names_in(text: str, names: list[str]) -> set[str]:
    """Which of some names a text says, whole names only."""
    written = write_names(text, names)
    return {name for slot, name in enumerate(names) if name_placeholder(slot) in written}
