"""The library: the index of photos, concepts and captions in one SQLite file; the only SQL of photopal."""

from __future__ import annotations

from photopal.library.library import Library
from photopal.library.models import (
    Appearance,
    CaptionRecord,
    ConceptKind,
    ConceptRecord,
    Correction,
    Evidence,
    JournalEntry,
    Order,
    PhotoRecord,
    Problem,
    ReferencePhoto,
    SearchHit,
    SearchQuery,
)

__all__ = [
    "Appearance",
    "CaptionRecord",
    "ConceptKind",
    "ConceptRecord",
    "Correction",
    "Evidence",
    "JournalEntry",
    "Library",
    "Order",
    "PhotoRecord",
    "Problem",
    "ReferencePhoto",
    "SearchHit",
    "SearchQuery",
]
