"""No command writes to a photo, its time or its mode, leaves a file beside it, or opens a connection."""

import hashlib
import shutil
import socket
from pathlib import Path

import pytest

from photopal.cli.app import COMMANDS

NAMES = {name for commands in COMMANDS.values() for name in commands}
# These read no photos of the user's: they draw their own, or ask this machine about itself.
WITHOUT_PHOTOS = {"demo", "eval"}


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every file and folder below a folder: kind, mode, time, contents."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_size, status.st_ino, content)
    return found


@pytest.fixture
def photos(tmp_path, drawn_family):
    """Photos of Anna, Ben and strangers, a broken file and a copy; some may not be written to."""
    folder = tmp_path / "photos"
    shutil.copytree(drawn_family.folder, folder)
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        path.chmod(0o444 if number % 2 else 0o640)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    shutil.copy(folder / "both.png", folder / "both again.png")
    (folder / "link.png").symlink_to(folder / "both.png")
    return folder


@pytest.mark.slow
def test_originals_are_the_same_after_every_command_and_none_opens_a_connection(
    run, photos, tmp_path, drawn_family, tiny_llava, monkeypatch
):
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **how: opened.append(where) or [])
    before = tree(photos)
    both, anna, backup = str(photos / "both.png"), str(photos / "Anna"), str(tmp_path / "backup.db")
    steps = [
        (3, "index", str(photos)),
        (0, "index", "--watch", "--once", str(photos)),
        (0, "problems"),
        (0, "duplicates"),
        (3, "verify", "--contents"),
        (0, "add-concept", "Anna", anna, "--mask", str(drawn_family.masks["Anna"])),
        (0, "add-concept", "Ben", str(photos / "Ben"), "--mask", str(drawn_family.masks["Ben"])),
        (0, "concepts"),
        (0, "tune", "--epochs", "1", "--tokens", "2"),
        (0, "caption"),
        (0, "caption", "--watch", "--once", str(photos)),
        (0, "edit-caption", both, "Anna and Ben at home"),
        (0, "set-date", both, "about 1974"),
        (0, "info", both),
        (0, "who", both, "--is", "Anna"),
        (None, "why", both, "--picture", str(tmp_path / "why.png")),
        (None, "people", "--sheet", str(tmp_path / "people.png")),
        (0, "gallery", "--into", str(tmp_path / "gallery")),
        (None, "review"),
        (4, "import-names", str(photos), "--yes"),
        (0, "write-metadata"),
        (None, "remove-reference", "Anna", str(photos / "Anna" / "anna0.png")),
        (None, "merge-concepts", "Anna", "Ben"),
        (None, "split-concept", "Ben"),
        (0, "search", "Anna"),
        (0, "similar", both),
        (0, "ask", "Who is on it?", both),
        (0, "locate", both, "--out", str(tmp_path / "marked.png")),
        (0, "rename-concept", "Ben", "Benjamin"),
        (0, "remove-concept", "Benjamin", "--yes"),
        (0, "restore-concept", "Benjamin"),
        (0, "undo"),
        (0, "backup", backup),
        (0, "restore", backup, "--yes"),
        (0, "status"),
        (4, "watch-status"),
        (0, "where"),
        (None, "doctor"),
        (0, "model", "list"),
    ]
    assert {words[1] for words in steps} == NAMES - WITHOUT_PHOTOS, "a command is missing here"
    for code, *words in steps:
        result = run(*words, PHOTOPAL_MODEL=str(tiny_llava))
        assert tree(photos) == before, f"{words} changed a photo"
        assert opened == [], f"{words} opened a connection"
        assert code is None or result.exit_code == code or result.exit_code == 0, (words, result.output)
        assert result.exit_code in (0, 3, 4) or code is None, (words, result.output)
    # The one command that writes into the folders of photos writes sidecars, and nothing else.
    run("write-metadata", "--yes")
    after = tree(photos)
    assert [path for path in after if path not in before and not path.endswith(".xmp")] == []
    assert any(path.endswith(".xmp") for path in after)
    files = {path: facts for path, facts in before.items() if not Path(path).is_dir()}
    assert {path: after[path] for path in files} == files
