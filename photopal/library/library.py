"""The library as other rooms see it; its parts know photos, concepts, captions and search."""

from __future__ import annotations

from photopal.library.search import SearchTable


class Library(SearchTable):
    """Photos, concepts and captions in one SQLite file; open it in a `with`.

    One `Library` belongs to one thread. Every change is committed when its call returns, or
    together with others at the end of `with library.writing():`.
    """
