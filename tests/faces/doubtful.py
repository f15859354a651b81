"""A library whose faces lie at growing distances from Anna's, many of them near the threshold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from photopal.faces import scan_library
from photopal.ingest.indexer import index_folders
from photopal.library import ConceptRecord, Library
from tests.faces.made_up import Crowd, PretendDetector, photo_named


def make_doubtful(library: Library, folder: Path, *, count: int = 30) -> ConceptRecord:
    """Register Anna by four photos; `count` more show somebody more and more like Ben. Returns Anna."""
    crowd = Crowd()
    folder.mkdir()
    faces = {}
    for number in range(4):
        faces[f"anna{number}.png"] = [crowd.face("anna")]
    for number, part in enumerate(np.linspace(0.25, 0.75, count)):
        vector = crowd.between("anna", "ben", part) + crowd.random.normal(0, 0.012, 128).astype(np.float32)
        faces[f"{number:02}.png"] = [replace(crowd.face("anna"), vector=vector)]
    for number, name in enumerate(faces):
        Image.new("RGB", (400, 300), (number * 7, 60, 90)).save(folder / name)
    index_folders(library, [folder])
    scan_library(library, detector=PretendDetector(faces))
    anna = library.concepts.add("Anna")
    for number in range(4):
        library.concepts.add_reference(anna.id, photo_named(library, f"anna{number}.png").id)
    return anna
