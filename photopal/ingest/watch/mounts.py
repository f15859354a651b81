"""Finds out which folders lie on network drives; knows the system's table of mounts, no photos.

A system gives notice only of what it writes itself. What another machine writes to a network drive can
be found in no other way than by looking.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

_TABLE = Path("/proc/mounts")
_NETWORK_KINDS = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre",
        "beegfs", "davfs", "sshfs", "virtiofs", "vboxsf", "prl_fs", "drvfs", "fuse.sshfs", "fuse.rclone",
        "fuse.glusterfs", "fuse.davfs2", "fuse.curlftpfs", "fuse.s3fs", "fuse.gvfsd-fuse",
        "fuse.vmhgfs-fuse", "fuse.smbnetfs", "fuse.gcsfuse", "fuse.google-drive-ocamlfuse", "fuse.kio-fuse",
    }
)  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A drive or share and the folder at which it is seen."""

    source: str
    folder: str
    kind: str

    @property
    def is_network(self) -> bool:
        """Whether another machine may write to it."""
        return self.kind in _NETWORK_KINDS


def read_mounts(table: Path = _TABLE) -> list[Mount]:
    """Return what is mounted, in the order of mounting; nothing where the system has no such table."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    rows = (line.split(" ") for line in lines)
    return [Mount(_unescape(row[0]), _unescape(row[1]), row[2]) for row in rows if len(row) >= 3]


def mounts_under(folder: str, mounts: list[Mount]) -> tuple[Mount, ...]:
    """Return the mount that a folder lies on, then those below the folder.

    Args:
        folder: An absolute path without links.
        mounts: In the order of mounting: a later one hides an earlier one at the same folder.
    """
    visible = {mount.folder: mount for mount in mounts}
    above = [mount for mount in visible.values() if is_below(folder, mount.folder)]
    below = sorted(mount for mount in visible.values() if is_below(mount.folder, folder))
    carrier = max(above, key=lambda mount: len(mount.folder), default=None)
    return (*(() if carrier is None else (carrier,)), *(mount for mount in below if mount != carrier))


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder's or is the folder itself."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _unescape(word: str) -> str:
    """Undo the octal escapes with which the table writes spaces, tabs, newlines and backslashes."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), word)
