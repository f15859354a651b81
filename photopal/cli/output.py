"""How results look: safe text, listings and JSON; knows nothing of libraries or models.

A listing is a table on a terminal, in which paths are never folded, so that they can be copied; where they
leave no room for the rest, that comes below them. Anywhere else it is one row a line with tabs between, so
that other programs can read it.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Controls, lone surrogates (undecodable bytes of file names) and the marks that turn the direction of text: a
# file name can hold all of them, and a terminal would obey.
_UNSAFE_ABOVE = r"\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(rf"[\x00-\x1f{_UNSAFE_ABOVE}]")
_LEAST_WIDTH = 20
_UNSAFE_IN_JSON = re.compile(rf"[{_UNSAFE_ABOVE}]")


@dataclass(frozen=True)
class Listing:
    """Rows of plain text under column names; `title` is shown on a terminal only."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    title: str | None = None
    has_header: bool = True


def safe(text: str) -> str:
    r"""Write unsafe characters as visible escapes: ESC becomes `\x1b`."""
    return _UNSAFE.sub(_escape, text)


def plain(text: str, style: str = "") -> Text:
    """Make text that no terminal and no markup parser obeys."""
    # rich is imported here and below, as help does without it.
    from rich.text import Text

    return Text(safe(text), style=style)


def show_listing(out: Console, listing: Listing) -> None:
    """Print a listing: a table on a terminal, tab-separated rows elsewhere."""
    if not out.is_terminal:
        for row in listing.rows:
            show_line(out, "\t".join(safe(cell) for cell in row))
        return
    from rich.cells import cell_len
    from rich.table import Table

    widths = [
        max([cell_len(safe(row[index])) for row in listing.rows] + [cell_len(column) * listing.has_header])
        for index, column in enumerate(listing.columns)
    ]
    with_paths = {
        index
        for row in listing.rows
        for index, cell in enumerate(row)
        if os.path.isabs(cell)  # noqa: PTH117
    }
    # What is left for the columns that may be folded, each as wide as it likes or wide enough to be read.
    rest = [min(width, _LEAST_WIDTH) for index, width in enumerate(widths) if index not in with_paths]
    least = sum(rest) + sum(widths[index] for index in with_paths) + len(widths) - 1
    if with_paths and least > out.width:
        _show_below_paths(out, listing, with_paths)
        return
    table = Table(box=None, title=listing.title, pad_edge=False, show_header=listing.has_header)
    for index, column in enumerate(listing.columns):
        is_path = index in with_paths
        table.add_column(
            column,
            style="bold" if index == 0 else "",
            overflow="fold",
            header_style="dim",
            no_wrap=is_path,
            min_width=widths[index] if is_path else None,
        )
    for row in listing.rows:
        table.add_row(*(plain(cell) for cell in row))
    out.print(table)


def _show_below_paths(out: Console, listing: Listing, with_paths: set[int]) -> None:
    """Print each row's paths on lines of their own, which only the terminal folds."""
    from rich.padding import Padding

    if listing.title:
        out.print(plain(listing.title, "italic"))
    for row in listing.rows:
        for index in sorted(with_paths):
            out.print(plain(row[index], "bold"), soft_wrap=True)
        rest = "  ".join(cell for index, cell in enumerate(row) if index not in with_paths and cell)
        if rest:
            out.print(Padding(plain(rest), (0, 0, 0, 4)))


def show_line(out: Console, line: str) -> None:
    """Print one line as it stands: no folding, no markup, tabs kept (rich would turn them into spaces)."""
    out.file.write(f"{line}\n")


def show_json(out: Console, value: Any, *, is_line: bool = False) -> None:
    """Print a value as JSON, readable on a terminal, one line elsewhere or where a line is asked for.

    Paths become text; undecodable bytes in them stay as `\\udcXX` escapes, which Python reads back. Numbers
    that are not known, or without end, become null: JSON has none.
    """
    words = json.dumps(
        _finite(value),
        ensure_ascii=False,
        allow_nan=False,
        default=str,
        indent=2 if out.is_terminal and not is_line else None,
    )
    escaped = _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", words)
    show_line(out, escaped)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def span(interval: tuple[float, float] | None) -> str:
    """An interval in a table; nothing where it is not known."""
    return "" if interval is None or math.isnan(interval[0]) else f"{interval[0]:.3f}–{interval[1]:.3f}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
