"""Recognizes registered pets and things on camera photos by how they look, without a vision-language model.

A small image classifier turns a photo into cells; a concept is the mean of the cells of its subject, which
is found on the reference photos by what recurs. Whether a photo shows a concept is decided by a threshold
that is learned from the user's own photos.
"""

from photopal.instances.encoder import (
    ENCODER,
    SIDE_PX,
    SMALL_SUBJECT_SIDE_PX,
    InstanceEncoder,
    load_encoder,
)
from photopal.instances.masks import CellMatches
from photopal.instances.recognize import (
    LEAST_ALBUM,
    InstanceEvidence,
    InstanceRecognizer,
    InstanceVerdict,
    Reference,
    learn_instances,
)

__all__ = [
    "ENCODER",
    "LEAST_ALBUM",
    "SIDE_PX",
    "SMALL_SUBJECT_SIDE_PX",
    "CellMatches",
    "InstanceEncoder",
    "InstanceEvidence",
    "InstanceRecognizer",
    "InstanceVerdict",
    "Reference",
    "learn_instances",
    "load_encoder",
]
