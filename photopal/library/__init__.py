"""The library: the index of photos, concepts and captions in one SQLite file; the only SQL of photopal."""

from photopal.library.index import index_folders
from photopal.library.index_report import IndexReport
from photopal.library.rows import (
    Appearance,
    CaptionRow,
    ConceptKind,
    ConceptRow,
    Order,
    PhotoRow,
    Problem,
    ReferencePhoto,
    SearchHit,
    SearchQuery,
)
from photopal.library.store import Library

__all__ = [
    "Appearance",
    "CaptionRow",
    "ConceptKind",
    "ConceptRow",
    "IndexReport",
    "Library",
    "Order",
    "PhotoRow",
    "Problem",
    "ReferencePhoto",
    "SearchHit",
    "SearchQuery",
    "index_folders",
]
