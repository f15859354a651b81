"""Writes pages of photos for commands and opens them in the browser; knows nothing of what is on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.cli.context import Session
from photopal.text import count

if TYPE_CHECKING:
    from photopal.gallery import GalleryReport
    from photopal.library import Library, PhotoRecord


def save_page(
    session: Session,
    library: Library,
    photos: Sequence[PhotoRecord],
    folder: Path,
    *,
    title: str,
    copy: bool = False,
) -> GalleryReport:
    """Write a gallery of photos, and tell what came of it.

    Raises:
        PhotopalError: The folder is not free for a gallery or cannot be written.
    """
    from photopal.gallery import write_gallery

    with session.progress("Writing the gallery") as on_progress:
        report = write_gallery(library, photos, folder, title=title, copy=copy, on_progress=on_progress)
    for path, reason in report.not_copied[:10]:
        session.warn(f"Not copied: {path}: {reason}")
    if len(report.not_copied) > 10:
        session.warn(f"... and {count(len(report.not_copied) - 10, 'more photo')} could not be copied.")
    session.say(f"Saved a gallery of {count(report.photos)}, {report.size_bytes / 1e6:,.1f} MB.")
    return report


def open_page(session: Session, page: Path) -> None:
    """Open a page in the user's browser, or say where it is."""
    import webbrowser

    if webbrowser.open(page.absolute().as_uri()):
        session.say(f"Opened {page}.")
    else:
        session.warn(f"No browser was found; open {page} yourself.")
