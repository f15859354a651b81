"""A Hugging Face hub on this machine: the routes that a download takes, and what can go wrong on them."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest

COMMIT = "c0ffee" + "0" * 34
NEEDED = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "model.safetensors",
)


class FakeHub:
    """Serves repositories from memory.

    Attributes:
        repositories: Id → path → content.
        cards: Id → what its card says.
        gated: Ids whose license must be accepted first.
        broken: Path → after how many bytes of each answer the connection breaks, and how often.
        failing: Path → with which status it is refused, and how often.
        damaged: Paths that arrive with a wrong byte.
        ignores_ranges: Whether the whole file comes, whatever was asked for.
        page: What everything is answered with instead, as by a page to log in to.
        requests: Method, path and headers of every request.
        sent_bytes: Path → how many bytes of it were sent.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.cards: dict[str, dict[str, str]] = {}
        self.gated: set[str] = set()
        self.broken: dict[str, tuple[int, int]] = {}
        self.failing: dict[str, tuple[int, int]] = {}
        self.damaged: set[str] = set()
        self.ignores_ranges = False
        self.page: bytes | None = None
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.sent_bytes: dict[str, int] = {}
        self.port = 0

    def add(self, name: str, folder: Path) -> None:
        """Add the files of a folder."""
        self.repositories[name] = {path.name: path.read_bytes() for path in folder.iterdir()}

    def weights_asked_for(self) -> list[str]:
        return [path for _, path, _ in self.requests if path.endswith((".safetensors", ".bin", ".gguf"))]

    def ranges(self) -> list[str]:
        return [headers["range"] for _, _, headers in self.requests if "range" in headers]


def is_large(path: str) -> bool:
    """Whether a file is kept apart from git, under its SHA-256."""
    return path.endswith((".safetensors", ".bin", ".gguf"))


def digest_of(path: str, content: bytes) -> str:
    if is_large(path):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serve() -> Iterator[FakeHub]:
    hub = FakeHub()

    class Handler(_Handler):
        fake = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that everything is sent to, and an empty cache."""
    with serve() as fake:
        constants: Any = huggingface_hub.constants
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        endpoint = f"http://127.0.0.1:{fake.port}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants._HF_DEFAULT_ENDPOINT, endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr("photopal.vlm.hub.sleep", lambda seconds: None)
        yield fake
        huggingface_hub.close_session()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHub

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.fake.requests.append((self.command, path, headers))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/.*)?", path):
            self._answer_api(match[1], match[2] or "")
        elif match := re.fullmatch(r"(/cdn)?/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._answer_file(match[2], match[3], is_cdn=bool(match[1]))
        else:
            self._refuse(404)

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer_api(self, name: str, rest: str) -> None:
        files = self.fake.repositories.get(name)
        if files is None:
            self._refuse(401, "RepoNotFound")
            return
        listed = []
        for path, content in files.items():
            digest = digest_of(path, content)
            entry: dict[str, Any] = {"size": len(content), "blobId": digest[:40], "oid": digest[:40]}
            if is_large(path):
                entry["lfs"] = {"sha256": digest, "oid": digest, "size": len(content), "pointerSize": 130}
            listed.append(
                {**entry, "path": path, "type": "file"}
                if rest.startswith("/tree")
                else {**entry, "rfilename": path}
            )
        info = {"id": name, "sha": COMMIT, "siblings": listed, "cardData": self.fake.cards.get(name, {})}
        self._send_json(listed if rest.startswith("/tree") else info)

    def _send_json(self, value: Any) -> None:
        content = self.fake.page or json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer_file(self, name: str, path: str, *, is_cdn: bool) -> None:
        if name in self.fake.gated:
            self._refuse(403, "GatedRepo")
            return
        content = self.fake.repositories.get(name, {}).get(path)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        if is_large(path) and not is_cdn:
            # Large files are elsewhere, on another host.
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.fake.port}/cdn{self.path}")
            self._describe(path, content)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send_file(path, content)

    def _describe(self, path: str, content: bytes) -> None:
        digest = digest_of(path, content)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{digest}"')
        if is_large(path):
            self.send_header("X-Linked-ETag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(content)))

    def _send_file(self, path: str, content: bytes) -> None:
        status, times = self.fake.failing.get(path, (0, 0))
        if times:
            self.fake.failing[path] = (status, times - 1)
            self._refuse(status)
            return
        start = 0
        if (asked := self.headers.get("Range")) and not self.fake.ignores_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self._describe(path, content)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if path in self.fake.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        rest = content[start:]
        after_bytes, times = self.fake.broken.get(path, (0, 0))
        if times:
            self.fake.broken[path] = (after_bytes, times - 1)
            rest = rest[:after_bytes]
        self.fake.sent_bytes[path] = self.fake.sent_bytes.get(path, 0) + len(rest)
        self.wfile.write(rest)
