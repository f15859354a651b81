"""Gets models from the Hugging Face hub into its cache, lists and removes those there; loads none.

`plan_download` and `download` are the only calls in photopal that open a connection.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub import errors as hub_errors
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from photopal import __version__
from photopal.errors import ModelError, UsageError
from photopal.files import atomic_write, is_file, is_folder, is_there
from photopal.progress import OnProgress
from photopal.text import join_words
from photopal.vlm.causes import check_config, check_files, check_folder, first_line, read_config

_INDEX = "model.safetensors.index.json"
_WEIGHTS = "model.safetensors"
# What transformers reads of a repository besides weights, and what the author asks to go with them.
_WANTED = re.compile(
    r"[^/\\]+\.(json|jinja|txt|model|tiktoken)|(LICENSE|NOTICE)[^/\\]*"
    r"|additional_chat_templates/[^/\\]+\.jinja"
)
_UNWANTED = re.compile(r".*\.index\.json|trainer_state\.json|.*results\.json")
_SHARD = re.compile(r"[\w.-]+\.safetensors")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_MOST_FAILURES = 5
_TIMEOUT_S = 30.0
_PIECE_BYTES = 2**20
# Room that is left on the disk for everything else.
_SPARE_BYTES = 100_000_000

# What it offers is documented, but not declared in a way that type checkers know.
_utils: Any = huggingface_hub.utils
# The hub's client passes on what its HTTP library raises; which library that is depends on its release.
_TransportError: Any = hub_errors.HfHubHTTPError.__bases__[0]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        path: Its path there.
        size_bytes: Its size.
        digest: The SHA-256 of large files, else the SHA-1 that git gives it; 64 or 40 hexadecimal digits.
    """

    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class DownloadPlan:
    """What `download` would bring.

    Attributes:
        name: The model's Hugging Face id.
        commit: The version, 40 hexadecimal digits.
        files: The files it needs.
        license: What its author calls the license, if anything.
        folder: Where it will be in the cache.
        missing_bytes: What is still to be downloaded.
        free_bytes: What is free on that disk.
    """

    name: str
    commit: str
    files: tuple[RemoteFile, ...]
    license: str | None
    folder: Path
    missing_bytes: int
    free_bytes: int

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def url(self) -> str:
        """The model's page."""
        return f"{constants.ENDPOINT}/{self.name}"


def plan_download(name: str) -> DownloadPlan:
    """Ask the hub what a model consists of; nothing is written.

    Args:
        name: A Hugging Face id.

    Returns:
        The plan for its newest version.

    Raises:
        UsageError: The name is no Hugging Face id.
        ModelError: The model is not there, may not be had, is of a kind that photopal cannot use, or the hub
            cannot be reached.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise UsageError(f"{name!r} is not a Hugging Face id", hint="Use owner/name, as on the model's page.")
    _check_online()
    with _in_words(name):
        info = _api().model_info(name, files_metadata=True, timeout=_TIMEOUT_S)
        listed = {file.rfilename: file for file in info.siblings or ()}
        # Folders hold copies for other programs.
        check_files([path for path in listed if "/" not in path], name)
        commit = str(info.sha)
        if not _DIGEST.fullmatch(commit):  # it becomes the name of a folder here
            raise ValueError(f"version {commit!r}")
        # Also tells whether this user may have the files, which the list of them does not.
        check_config(_read_json(name, commit, "config.json"), name)
        weights = [_WEIGHTS]
        if _WEIGHTS not in listed:
            if _INDEX not in listed:
                raise ModelError(
                    f"{name}: neither {_WEIGHTS} nor {_INDEX} is there",
                    hint="Look for a version of the model that was saved with transformers.",
                )
            shards = set(_read_json(name, commit, _INDEX)["weight_map"].values())
            weights = [_INDEX, *sorted(shard for shard in shards if _SHARD.fullmatch(shard))]
            if not shards or len(weights) <= len(shards):
                raise ModelError(f"{name}: {_INDEX} is broken", hint="Choose another model.")
    lacking = [path for path in weights if path not in listed]
    if lacking:
        raise ModelError(
            f"{name}: {len(lacking)} weight files are missing from the repository, such as {lacking[0]}",
            hint="Choose another model.",
        )
    others = [path for path in listed if _WANTED.fullmatch(path) and not _UNWANTED.fullmatch(path)]
    files = tuple(_remote_file(name, listed[path]) for path in sorted({*others, *weights}))
    folder = _repository_of(name)
    there = next(above for above in (folder, *folder.parents) if is_there(above))
    return DownloadPlan(
        name=name,
        commit=commit,
        files=files,
        license=_license_of(info),
        folder=folder,
        missing_bytes=sum(file.size_bytes - _bytes_there(folder, commit, file) for file in files),
        free_bytes=shutil.disk_usage(there).free,
    )


def check_room(plan: DownloadPlan) -> None:
    """Check that the disk has room for a model.

    Raises:
        ModelError: It has not.
    """
    if plan.missing_bytes + _SPARE_BYTES > plan.free_bytes:
        raise ModelError(
            f"{plan.folder}: not enough room: {plan.missing_bytes / 1e9:.1f} GB are needed, "
            f"{plan.free_bytes / 1e9:.1f} GB are free",
            hint="Free some space, or set HF_HUB_CACHE to a folder on a larger disk.",
        )


def download(plan: DownloadPlan, *, on_progress: OnProgress | None = None) -> Path:
    """Download a model into the hub's cache, or what is missing; every file is checked by its digest.

    What has arrived stays when it is interrupted, to the byte, and the next call goes on from there.

    Args:
        plan: What `plan_download` returned.
        on_progress: Called with bytes done, all bytes, and the file at hand.

    Returns:
        The folder with the model's files.

    Raises:
        ModelError: The connection broke for good, or what arrived is not what the hub lists.
        OSError: The disk is full or cannot be written.
    """
    (plan.folder / "blobs").mkdir(parents=True, exist_ok=True)
    lock = _lock_folder(plan.folder) / "photopal.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    done_bytes = 0
    try:
        with _utils.WeakFileLock(lock, timeout=0.1), _in_words(plan.name):
            for file in plan.files:

                def note(size_bytes: int, path: str = file.path, before_bytes: int = done_bytes) -> None:
                    if on_progress is not None:
                        on_progress(before_bytes + size_bytes, plan.size_bytes, path)

                _fetch(plan, file, note)
                done_bytes += file.size_bytes
            folder = _give_names(plan)
    except TimeoutError as error:
        raise ModelError(f"{plan.name}: another process is downloading this model") from error
    (plan.folder / "refs").mkdir(exist_ok=True)
    atomic_write(plan.folder / "refs" / "main", plan.commit)
    check_folder(folder)
    return folder


def _give_names(plan: DownloadPlan) -> Path:
    """Let the hub's library put every file, all of which are there by now, under its name."""
    has_bars = not _utils.are_progress_bars_disabled()
    _utils.disable_progress_bars()
    try:
        folder = huggingface_hub.snapshot_download(
            plan.name,
            revision=plan.commit,
            endpoint=constants.ENDPOINT,
            allow_patterns=[file.path for file in plan.files],
            library_name="photopal",
            library_version=__version__,
        )
    finally:
        if has_bars:
            _utils.enable_progress_bars()
    return Path(folder)


def _fetch(plan: DownloadPlan, file: RemoteFile, note: Callable[[int], None]) -> None:
    """Have a file among the blobs, its digest checked; what a broken connection brought is kept."""
    if any(_is_whole(path, file) for path in _places(plan.folder, plan.commit, file)):
        note(file.size_bytes)
        return
    blob = plan.folder / "blobs" / file.digest
    part = _part_of(blob)
    _receive_all(plan, file, part, note)
    if _digest_of(part, file) != file.digest:
        part.unlink()
        raise ModelError(
            f"{plan.name}: {file.path} arrived damaged: its checksum is not the one that the hub lists",
            hint=f"To download it again, run `photopal model get {plan.name}`.",
        )
    part.replace(blob)


def _is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether a file is there as the hub lists it; one that is not is removed."""
    if not path.is_file():
        return False
    if path.stat().st_size == file.size_bytes and _digest_of(path, file) == file.digest:
        return True
    path.unlink()
    return False


def _receive_all(plan: DownloadPlan, file: RemoteFile, part: Path, note: Callable[[int], None]) -> None:
    """Receive the rest of a file, however often the connection breaks, as long as something arrives."""
    part.touch()
    if part.stat().st_size > file.size_bytes:
        part.write_bytes(b"")
    failures, most_bytes = 0, part.stat().st_size
    while part.stat().st_size < file.size_bytes:
        trouble: Exception | None = None
        try:
            _receive(plan, file, part, note)
        except _TransportError as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status == 416:  # the server has less than there is here, so something is wrong with it
                part.write_bytes(b"")
            elif status is not None and status not in (408, 429) and status < 500:
                raise
            trouble = error
        size_bytes = part.stat().st_size
        # More than ever before, as some servers begin anew each time.
        failures = 0 if size_bytes > most_bytes else failures + 1
        most_bytes = max(most_bytes, size_bytes)
        if failures == _MOST_FAILURES:
            raise ModelError(
                f"{plan.name}: the connection broke while {file.path} was downloaded "
                f"({size_bytes / 1e6:,.0f} of {file.size_bytes / 1e6:,.0f} MB are here)",
                hint=f"To continue, run `photopal model get {plan.name}` again.",
            ) from trouble
        if trouble is not None:
            sleep(min(2.0**failures, 30.0))


def _receive(plan: DownloadPlan, file: RemoteFile, part: Path, note: Callable[[int], None]) -> None:
    headers = _headers()
    have_bytes = part.stat().st_size
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    url = huggingface_hub.hf_hub_url(plan.name, file.path, revision=plan.commit, endpoint=constants.ENDPOINT)
    with (
        _utils.get_session().stream(
            "GET", url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=True
        ) as response,
        part.open("ab") as out,
    ):
        _utils.hf_raise_for_status(response)
        if response.status_code != 206:  # the whole file comes, whatever was asked for
            out.truncate(0)
        # In pieces as they come: what is gathered into larger ones is lost when the connection breaks.
        for piece in response.iter_bytes():
            out.write(piece)
            note(out.tell())


def _digest_of(path: Path, file: RemoteFile) -> str:
    digest = hashlib.sha256()
    if len(file.digest) == 40:
        digest = hashlib.sha1(f"blob {file.size_bytes}\0".encode(), usedforsecurity=False)
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _part_of(blob: Path) -> Path:
    """Where a file is until it is whole; the ending is the one that the hub's own tools know."""
    return blob.with_name(f"{blob.name}.photopal.incomplete")


def _places(folder: Path, commit: str, file: RemoteFile) -> tuple[Path, Path]:
    """Where a whole file may be: among the blobs, or where there are no links, under its name alone."""
    return folder / "blobs" / file.digest, folder / "snapshots" / commit / file.path


def _bytes_there(folder: Path, commit: str, file: RemoteFile) -> int:
    blob, named = _places(folder, commit, file)
    sizes = [path.stat().st_size for path in (blob, named, _part_of(blob)) if path.is_file()]
    return min(sizes[0], file.size_bytes) if sizes else 0


def _remote_file(name: str, sibling: RepoSibling) -> RemoteFile:
    digest = sibling.lfs.sha256 if sibling.lfs is not None else sibling.blob_id
    # It becomes the name of a file here.
    if sibling.size is None or digest is None or not _DIGEST.fullmatch(digest):
        raise ModelError(f"{name}: the hub lists {sibling.rfilename} without a size or a checksum")
    return RemoteFile(sibling.rfilename, sibling.size, digest)


def _license_of(info: ModelInfo) -> str | None:
    card = info.card_data
    if card is None or not card.get("license"):
        return None
    named = card.get("license_name") or card.get("license")
    words = join_words([str(name) for name in named]) if isinstance(named, list) else str(named)
    link = card.get("license_link")
    return f"{words} ({link})" if link and str(link).startswith("https://") else words


def _read_json(name: str, commit: str, path: str) -> dict[str, Any]:
    url = huggingface_hub.hf_hub_url(name, path, revision=commit, endpoint=constants.ENDPOINT)
    response = _utils.get_session().get(url, headers=_headers(), timeout=_TIMEOUT_S, follow_redirects=True)
    _utils.hf_raise_for_status(response)
    try:
        content = response.json()
    except ValueError as error:
        raise ModelError(f"{name}: {path} is broken", hint="Choose another model.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{name}: {path} is broken", hint="Choose another model.")
    return content


def _headers() -> dict[str, str]:
    # Compressed content would not be counted in the bytes of the file.
    headers: dict[str, str] = _utils.build_hf_headers(library_name="photopal", library_version=__version__)
    return {**headers, "Accept-Encoding": "identity"}


def _api() -> huggingface_hub.HfApi:
    return huggingface_hub.HfApi(
        endpoint=constants.ENDPOINT, library_name="photopal", library_version=__version__
    )


def _check_online() -> None:
    if not constants.HF_HUB_OFFLINE:
        return
    variables = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(name)]
    raise ModelError(
        f"downloads are switched off by {' and '.join(variables) or 'HF_HUB_OFFLINE'}",
        hint="Unset it to download a model.",
    )


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Say what the hub refuses in words, and tell it nothing but what it needs to know.

    Raises:
        ModelError: The hub refused, or could not be reached.
    """
    settings: Any = constants
    had_telemetry, settings.HF_HUB_DISABLE_TELEMETRY = settings.HF_HUB_DISABLE_TELEMETRY, True
    page = f"{constants.ENDPOINT}/{name}"
    try:
        yield
    except hub_errors.GatedRepoError as error:
        raise ModelError(
            f"{name}: the model's license must be accepted first",
            hint=f"Accept it at {page}, then run `hf auth login` and try again.",
        ) from error
    except hub_errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{name}: there is no such model on the hub, or it is private",
            hint="Check the name. For a private model, run `hf auth login` first.",
        ) from error
    except (hub_errors.DisabledRepoError, hub_errors.RevisionNotFoundError) as error:
        raise ModelError(f"{name}: the model has been withdrawn", hint="Choose another model.") from error
    except hub_errors.HFValidationError as error:
        raise UsageError(
            f"{name!r} is not a Hugging Face id", hint="Use owner/name, as on the model's page."
        ) from error
    except hub_errors.HfHubHTTPError as error:
        raise _http_error(name, error.response.status_code) from error
    except (_TransportError, hub_errors.LocalEntryNotFoundError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"{constants.ENDPOINT} cannot be reached: {reason}",
            hint="Check the network connection. Everything but `photopal model get` works without one.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{constants.ENDPOINT} answered with something else than a hub does: {first_line(error)}",
            hint="Is this network behind a page to log in to, or HF_ENDPOINT set to another server?",
        ) from error
    finally:
        settings.HF_HUB_DISABLE_TELEMETRY = had_telemetry


def _http_error(name: str, status: int) -> ModelError:
    if status in (401, 403):
        return ModelError(
            f"{name}: the hub refuses access with the saved token (status {status})",
            hint="Run `hf auth login` with a token that may read this model.",
        )
    if status == 429:
        return ModelError(
            f"{name}: the hub has had too many requests from here", hint="Try again in a few minutes."
        )
    return ModelError(
        f"{name}: {constants.ENDPOINT} answered with status {status}", hint="Try again in a few minutes."
    )


@dataclass(frozen=True)
class CachedModel:
    """A model in the hub's cache.

    Attributes:
        name: Its Hugging Face id.
        folder: The folder of its files; None where only a part was downloaded.
        size_bytes: What it takes on the disk.
        fault: Why it cannot be used, if it cannot.
    """

    name: str
    folder: Path | None
    size_bytes: int
    fault: str | None = None


def cache_folder() -> Path:
    """The hub's cache, which is shared with other programs; may be missing."""
    return Path(constants.HF_HUB_CACHE).expanduser()


def cached_models() -> list[CachedModel]:
    """List the vision-language models in the hub's cache, by name; those of other kinds are left out."""
    models = []
    for repository in sorted(cache_folder().glob("models--*--*")):
        name = repository.name.removeprefix("models--").replace("--", "/")
        folder = find_cached(name)
        size_bytes = _size_of(repository)
        fault = None
        if folder is None:
            # Only what photopal itself began: nothing tells what else a part would be of.
            if list(repository.glob("blobs/*.photopal.incomplete")):
                fault = f"incomplete; to continue, run `photopal model get {name}`"
                models.append(CachedModel(name, None, size_bytes, fault))
            continue
        try:
            if not takes_photos(read_config(folder)):
                continue
            check_folder(folder)
        except ModelError as error:
            fault = error.message
        models.append(CachedModel(name, folder, size_bytes, fault))
    return models


def find_cached(name: str) -> Path | None:
    """The folder of a model's files in the hub's cache; None where it is not there."""
    repository = _repository_of(name)
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = repository / "snapshots" / commit
    return folder if is_file(folder / "config.json") else None


def takes_photos(config: dict[str, Any]) -> bool:
    """Whether a configuration looks like that of a vision-language model.

    Unlike `check_config` it needs no transformers, and takes a model of an unknown type at its word.
    """
    # Encoders such as CLIP have a vision_config too, and write no text.
    architectures = [str(architecture) for architecture in config.get("architectures") or ()]
    writes_text = any(architecture.endswith("ForConditionalGeneration") for architecture in architectures)
    return "vision_config" in config and (writes_text or any(key.startswith("image_token") for key in config))


def cached_size(name: str) -> tuple[int, Path]:
    """How many bytes a model takes in the hub's cache, and where; a part that was downloaded counts too.

    Raises:
        ModelError: It is not there.
    """
    repository = _repository_of(name)
    if not is_folder(repository):
        raise ModelError(f"{name}: the model is not in {cache_folder()}", hint="photopal model list")
    return _size_of(repository), repository


def remove_cached(name: str) -> None:
    """Remove a model from the hub's cache, with what was downloaded of it in part.

    Raises:
        ModelError: It is not there.
        OSError: A file cannot be removed.
    """
    _, repository = cached_size(name)
    # What points to it goes first, so that no half of a model is taken for one.
    shutil.rmtree(repository / "refs", ignore_errors=True)
    shutil.rmtree(repository)
    shutil.rmtree(_lock_folder(repository), ignore_errors=True)


def _repository_of(name: str) -> Path:
    return cache_folder() / f"models--{name.replace('/', '--')}"


def _lock_folder(repository: Path) -> Path:
    return cache_folder() / ".locks" / repository.name


def _size_of(folder: Path) -> int:
    """What the files below a folder take, each counted once however many names it has there."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files)
