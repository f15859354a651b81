"""The drawn world: seeded photos of people and pets with ground truth; knows nothing of models."""

from photopal.lab.synthetic.album import (
    Album,
    AlbumConcept,
    AlbumOptions,
    AlbumPhoto,
    AlbumReference,
    write_album,
)
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import Identity, Person, Pet, draw_identity, draw_lookalike, is_held_out
from photopal.lab.synthetic.scene import Scene, Subject, plan_scene
from photopal.lab.synthetic.wording import caption_words, describe_fully, describe_identity, side_words

__all__ = [
    "Album",
    "AlbumConcept",
    "AlbumOptions",
    "AlbumPhoto",
    "AlbumReference",
    "DrawnPhoto",
    "Identity",
    "Person",
    "Pet",
    "Scene",
    "Subject",
    "caption_words",
    "describe_fully",
    "describe_identity",
    "draw_identity",
    "draw_lookalike",
    "draw_photo",
    "is_held_out",
    "plan_scene",
    "side_words",
    "write_album",
]
