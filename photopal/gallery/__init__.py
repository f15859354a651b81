"""A folder with a page to look at photos, opened from the disk without a server; knows no command.

`page/` has the page itself, written by hand and asking no network; `data` makes what it is told of each
photo; `folder` writes everything so that there is always the old page or the new one.
"""

from photopal.gallery.folder import GalleryReport, check_folder, write_gallery

__all__ = ["GalleryReport", "check_folder", "write_gallery"]
