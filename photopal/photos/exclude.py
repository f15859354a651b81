"""Tells which files and folders the user does not want: globs, `.photopalignore` files, `.nomedia` and trash.

Globs are written as in `.gitignore`: `Screenshots/`, `*.png`, `/2019/private`, `!keep.png`. Those of a
`.photopalignore` file are relative to its folder, those of a command to the folder that was indexed; the
deepest one that says something counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.errors import UsageError
from photopal.files import is_file, path_and_parents

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".photopalignore"
NO_MEDIA_FILE = ".nomedia"
"""Android's sign that a folder, with all below it, holds no pictures for galleries."""

# Folders that network drives, archives and systems fill with copies, thumbnails and what was thrown away.
_FOREIGN_FOLDERS = frozenset(
    {
        "@eadir", "__macosx", "$recycle.bin", "recycler", "recycled", "#recycle", "@recycle", "#snapshot",
        "@recently-snapshot", "~snapshot", "system volume information", "lost+found",
    }
)  # fmt: skip
_IGNORE_LIMIT_BYTES = 64 * 1024
_MOST_KEPT = 10_000


def is_foreign(name: str) -> bool:
    """Tell whether a folder of this name belongs to a system or is a trash; so does every hidden one."""
    return name.startswith(".") or name.casefold() in _FOREIGN_FOLDERS


class Excludes:
    """What is not wanted below some folders.

    Args:
        roots: The folders that are looked through; what is above them does not count.
        globs: Globs by the folder they are relative to, which may be above the roots.
    """

    def __init__(self, roots: Sequence[Path] = (), globs: Mapping[Path, Sequence[str]] | None = None) -> None:
        self._roots = {os.path.abspath(root) for root in roots}  # noqa: PTH100 - resolve would follow links
        self._globs = {
            os.fspath(root): compile_globs(lines) for root, lines in (globs or {}).items() if lines
        }
        self._rules: dict[str, tuple[_Rule, ...]] = {}
        self._folders: dict[str, bool] = {}

    def __contains__(self, path: Path) -> bool:
        """Whether a file, or a folder it is in below the roots, is not wanted."""
        file = os.fspath(path)
        # The root itself is wanted, because it was named.
        folders = self._up_to_root(os.path.dirname(file))[:-1]  # noqa: PTH120
        return self.has_file(file) or any(map(self._has_folder, folders))

    def has_file(self, path: str) -> bool:
        """Tell whether a file is excluded by itself; the folders it is in are not looked at."""
        return self._is_matched(path, "")

    def has_folder(self, path: str) -> bool:
        """Tell whether a folder is excluded by itself; those it is in are not looked at."""
        return self._is_matched(path, "/") or os.path.lexists(os.path.join(path, NO_MEDIA_FILE))  # noqa: PTH118

    def _has_folder(self, path: str) -> bool:
        if len(self._folders) > _MOST_KEPT:
            self._folders.clear()
        if path not in self._folders:
            self._folders[path] = is_foreign(os.path.basename(path)) or self.has_folder(path)  # noqa: PTH119
        return self._folders[path]

    def _up_to_root(self, folder: str) -> list[str]:
        """Return a folder and those above it up to the highest root; none where no root is above it."""
        folders = list(path_and_parents(folder))
        highest = max((number for number, each in enumerate(folders) if each in self._roots), default=-1)
        return folders[: highest + 1]

    def _is_matched(self, path: str, ending: str) -> bool:
        for folder, spec in self._rules_in(os.path.dirname(path)):  # noqa: PTH120
            is_excluded = _is_matching(spec, folder, path, ending)
            if is_excluded is not None:
                return is_excluded
        return False

    def _rules_in(self, folder: str) -> tuple[_Rule, ...]:
        """Return what holds for the entries of a folder, the deepest rule first."""
        if folder not in self._rules:
            if len(self._rules) > _MOST_KEPT:
                self._rules.clear()
            with_files = self._up_to_root(folder)
            rules = []
            for each in path_and_parents(folder):
                spec = _read_ignore_file(each) if each in with_files else None
                globs = self._globs.get(each)
                if globs is not None and with_files and each not in with_files:
                    # A root that was named is wanted, whatever was said of the folder above it.
                    globs = None if _is_matching(globs, each, with_files[-1], "/") else globs
                rules += [(each, found) for found in (spec, globs) if found is not None]
            self._rules[folder] = tuple(rules)
        return self._rules[folder]


_Rule = tuple[str, "GitIgnoreSpec"]


def compile_globs(lines: Sequence[str]) -> GitIgnoreSpec:
    """Read globs.

    Raises:
        UsageError: One of them is none.
    """
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(
            f"invalid glob: {error}", hint="Write globs as in .gitignore: '*.png' or 'Private/'."
        ) from error


def _is_matching(spec: GitIgnoreSpec, folder: str, path: str, ending: str) -> bool | None:
    """Tell whether globs relative to a folder exclude a path below it; None where they say nothing of it."""
    inside = path[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
    return spec.check_file(inside + ending).include


def _read_ignore_file(folder: str) -> GitIgnoreSpec | None:
    """Return what a folder's file of globs says; a file that cannot be read says nothing."""
    path = Path(folder, IGNORE_FILE)
    # A pipe would never end.
    if not is_file(path):
        return None
    try:
        with path.open("rb") as file:
            lines = file.read(_IGNORE_LIMIT_BYTES).decode("utf-8-sig", errors="replace").splitlines()
        return compile_globs(lines)
    except (OSError, UsageError):
        return None
