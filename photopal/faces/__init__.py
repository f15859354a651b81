"""Faces: found on camera photos, compared, named by the user's people and grouped; no torch, no SQL.

`scan_library` searches photos once and stores what it finds. `learn_library` then learns the people, and
`find_evidence` tells which of them a photo shows.
"""

from __future__ import annotations

from photopal.faces.detector import DETECTOR, FaceDetector, find_model_files, load_detector
from photopal.faces.evidence import (
    ReferenceFaces,
    find_evidence,
    find_photos_of,
    find_reference_faces,
    learn_library,
    photos_of_people,
    refuse_tie,
)
from photopal.faces.people import FaceEvidence, Person, learn_people, name_faces
from photopal.faces.scan import ScanReport, scan_library, settle_groups, store_faces

__all__ = [
    "DETECTOR",
    "FaceDetector",
    "FaceEvidence",
    "Person",
    "ReferenceFaces",
    "ScanReport",
    "find_evidence",
    "find_model_files",
    "find_photos_of",
    "find_reference_faces",
    "learn_library",
    "learn_people",
    "load_detector",
    "name_faces",
    "photos_of_people",
    "refuse_tie",
    "scan_library",
    "settle_groups",
    "store_faces",
]
