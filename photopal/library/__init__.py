"""The library: the index of photos, concepts and captions in one SQLite file; the only SQL of photopal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photopal.library.rows import (
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
from photopal.library.store import Library

if TYPE_CHECKING:
    from photopal.library.index import forget_gone, index_folders
    from photopal.library.index_report import IndexReport

__all__ = [
    "Appearance",
    "CaptionRow",
    "ConceptKind",
    "ConceptRow",
    "IndexReport",
    "JournalEntry",
    "Library",
    "Order",
    "PhotoRow",
    "Problem",
    "ReferencePhoto",
    "SearchHit",
    "SearchQuery",
    "forget_gone",
    "index_folders",
]


def __getattr__(name: str) -> Any:
    """Import what reads photo files when it is asked for: a search needs none of it."""
    if name in ("forget_gone", "index_folders"):
        from photopal.library import index

        return getattr(index, name)
    if name == "IndexReport":
        from photopal.library.index_report import IndexReport

        return IndexReport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
