"""Regular expressions that are compiled when they are first needed: most questions and searches need few."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property


class LazyPattern:
    """A regular expression in which case does not matter, with the methods of a compiled one.

    Args:
        pattern: The expression.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the expression anywhere."""
        return self._compiled.search(text)

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Find the expression at a position."""
        return self._compiled.match(text, start)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Find the expression where it is the whole text."""
        return self._compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Find the expression wherever it is."""
        return self._compiled.finditer(text)

    def split(self, text: str) -> list[str]:
        """Return what stands between the expressions."""
        return self._compiled.split(text)

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Write something else wherever the expression is."""
        return self._compiled.sub(new, text)
