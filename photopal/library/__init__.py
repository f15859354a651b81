"""The library: the index of photos, concepts and captions in one SQLite file; the only SQL of photopal."""

from __future__ import annotations

from photopal.library.library import Library
from photopal.library.models import (
    Appearance,
    CaptionRow,
    ConceptKind,
    ConceptRow,
    JournalEntry,
    Order,
    PhotoRow,
    Problem,
    ReferencePhoto,
    SearchHit,
    SearchQuery,
)

__all__ = [
    "Appearance",
    "CaptionRow",
    "ConceptKind",
    "ConceptRow",
    "JournalEntry",
    "Library",
    "Order",
    "PhotoRow",
    "Problem",
    "ReferencePhoto",
    "SearchHit",
    "SearchQuery",
]
