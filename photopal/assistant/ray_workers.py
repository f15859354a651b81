"""Captions on the processes and machines of a Ray cluster; knows no library.

This process reads photos and has all that is stored. A worker is a Ray actor that loads model and bank once;
Ray starts it again, on another machine if need be, when it dies.
"""

from __future__ import annotations

import os
import pickle
import platform
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import photopal
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import AssistantParts, RemoteAssistant
from photopal.assistant.captioner import (
    Captioner,
    CaptionJob,
    Looked,
    PhotoToCaption,
    SeenPhoto,
    Weighed,
    Written,
)
from photopal.assistant.worker_pool import JOBS_PER_WORKER, WorkerLostError, WorkerPool
from photopal.concepts import Bank
from photopal.errors import ModelError, PhotoError, PhotopalError, UsageError, is_out_of_memory
from photopal.files import is_folder
from photopal.library import ConceptRecord
from photopal.library.models import Face
from photopal.photos import MODEL_SIDE_PX, open_photo

_START_S = 900.0
_RETRY_S = 1.0
_CONNECT_S = 5.0
_CPUS_PER_WORKER = 4
_PACKAGE = Path(photopal.__file__).parent
_SAME = "Install the same version of photopal on every machine of the cluster."


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkerSetup:
    """What a worker is given when it starts.

    Attributes:
        model: Folder or hub id; a folder of photopal's own is relative to the package.
        device: As of `load_model`.
        dtype: As of `load_model`.
        image_tokens: As of `load_model`.
        fingerprint: The model's, which must be the same everywhere.
        bank: With the concepts' embeddings.
        concepts: Who the library knows.
        has_finder: Whether faces and looks count beside the model.
        compares_looks: Whether there are pets or things to compare photos with.
        finds_faces: Whether faces are to be looked for.
        threads: How many CPU cores it has.
    """

    model: str
    device: str
    dtype: str
    image_tokens: int
    fingerprint: str
    bank: Bank
    concepts: Sequence[ConceptRecord]
    has_finder: bool
    compares_looks: bool
    finds_faces: bool
    threads: int


@dataclass(frozen=True)
class StartReport:
    """How a worker started.

    Attributes:
        host: The machine it is on.
        problem: Why it cannot do the work; None if it can.
        hint: What to do about it.
        process: Its number there.
    """

    host: str
    problem: str | None = None
    hint: str | None = None
    process: int = field(default_factory=os.getpid)


class RayCaptioner:
    """A worker, in its own process; two threads call it at a time, of which one uses the model."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._model: Any = None
        self._model_key: tuple[str, str, str, int] | None = None
        self._captioner: Captioner | None = None

    def start(self, version: str, setup: bytes) -> StartReport:
        """Load model and bank; a model that is loaded already is kept.

        Args:
            version: Of photopal where the photos are.
            setup: A pickled `WorkerSetup`, which only the same version can read.
        """
        host = platform.node()
        if version != photopal.__version__:
            words = f"it has photopal {photopal.__version__}, but this computer has {version}"
            return StartReport(host, words, _SAME)
        try:
            with self._lock:
                self._load(pickle.loads(setup))
        except PhotopalError as error:
            return StartReport(host, error.message, error.hint)
        return StartReport(host)

    def _load(self, setup: WorkerSetup) -> None:
        import torch

        from photopal.faces import load_detector
        from photopal.instances import load_encoder
        from photopal.vlm import load_model

        torch.set_num_threads(setup.threads)
        key = (setup.model, setup.device, setup.dtype, setup.image_tokens)
        if self._model_key != key:
            own = _PACKAGE / setup.model
            name = own if is_folder(own) else setup.model
            self._model = load_model(
                name, device=setup.device, dtype=setup.dtype, image_tokens=setup.image_tokens
            )
            self._model_key = key
        if self._model.fingerprint != setup.fingerprint:
            self._model_key = None
            raise ModelError(
                f"{setup.model}: the model's files are not those on this computer",
                hint="Copy the model to every machine of the cluster.",
            )
        encoder = load_encoder() if setup.has_finder else None
        glance = None if encoder is None else encoder.glance
        assistant = Assistant(self._model, setup.bank, setup.concepts, glance=glance)
        self._encoder = encoder if setup.compares_looks else None
        self._detector = load_detector() if setup.finds_faces else None
        self._threads = ThreadPoolExecutor(max(1, setup.threads), thread_name_prefix="photopal-photo")
        self._captioner = Captioner(assistant, most_jobs=JOBS_PER_WORKER)

    def look(self, photos: Sequence[PhotoToCaption]) -> tuple[list[SeenPhoto | str], int, float] | None:
        """Look at photos.

        Returns:
            What is seen on each, or why it cannot be read; how many photos like them have room in memory; and
            for how many seconds the model worked. None where the worker was not started.
        """
        if self._captioner is None:
            return None
        # Photos are decoded, and faces found, on threads while the model works on those before.
        opened = list(self._threads.map(_open, photos))
        faces = [
            self._threads.submit(self._find_faces, photo) if photo.has_faces_to_find else None
            for photo in photos
        ]
        with self._lock:
            captioner = self._captioner  # it may have been started anew until the lock was free
            started_s = time.perf_counter()
            images = [image for image in opened if not isinstance(image, str)]
            keys = [p.key for p, image in zip(photos, opened, strict=True) if not isinstance(image, str)]
            looked = captioner.look(keys, images) if keys else []
            took_s = time.perf_counter() - started_s
            looked = [self._with_cells(seen, image) for seen, image in zip(looked, images, strict=True)]
            most = captioner.most_photos
        found = [None if future is None else future.result() for future in faces]
        rest = iter(looked)
        seen = [
            image if isinstance(image, str) else replace(next(rest), faces=found[number])
            for number, image in enumerate(opened)
        ]
        return seen, most, took_s

    def write(
        self, photos: Sequence[Any], keys: Sequence[str], weighed: Weighed
    ) -> tuple[list[str], float] | None:
        """Write captions of photos that were looked at, here or by a worker that was lost.

        Args:
            photos: A single reference to the photos, which are fetched only if they are not in memory.
            keys: Theirs.
            weighed: Who is on each, once all that is known counts.

        Returns:
            The captions, and for how many seconds the model worked. None where the worker was not started.
        """
        wanted = [key for key, sightings in zip(keys, weighed, strict=True) if sightings is not None]
        with self._lock:
            captioner = self._captioner
            if captioner is None:
                return None
            if not all(map(captioner.knows, wanted)):
                import ray

                self.look(ray.get(photos[0]))
            started_s = time.perf_counter()
            texts = captioner.write(keys, weighed)
            return texts, time.perf_counter() - started_s

    def _with_cells(self, seen: SeenPhoto, image: Any) -> SeenPhoto:
        if self._encoder is None or (seen.sightings.is_understood and not self._model.sees_all):
            return seen
        [cells] = self._encoder.encode([image])
        # They are as exact as half precision already.
        return replace(seen, cells=replace(cells, patches=cells.patches.half()))

    def _find_faces(self, photo: PhotoToCaption) -> tuple[Face, ...] | None:
        assert self._detector is not None
        assert isinstance(photo.content, bytes)
        try:
            return tuple(self._detector.find_in_file(photo.path, content=photo.content))
        except PhotoError:
            return None


def _open(photo: PhotoToCaption) -> Any:
    """The photo, or why it cannot be read."""
    assert isinstance(photo.content, bytes)
    try:
        return open_photo(photo.path, max_side_px=MODEL_SIDE_PX, content=photo.content)
    except PhotoError as error:
        return error.reason


class RayWorker:
    """A worker as the pool sees it: calls a Ray actor and waits.

    Args:
        ray: The module.
        options: Of the actor, see Ray.
    """

    def __init__(self, ray: Any, options: dict[str, Any]) -> None:
        self._ray = ray
        self._name = "A worker"
        self.process = 0
        self.setup = b""
        self._actor = ray.remote(RayCaptioner).options(
            max_restarts=-1,
            max_task_retries=0,  # the pool gives the photos to a worker that is there
            max_concurrency=JOBS_PER_WORKER,
            scheduling_strategy="SPREAD",
            **options,
        ).remote()  # fmt: skip
        # The bytes travel once for looking and writing.
        self._sent: WeakKeyDictionary[CaptionJob, Any] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        """The machine it is on, and its process there."""
        return self._name

    def start(self) -> None:
        """Have the actor load model and bank.

        Raises:
            WorkerLostError: It does not start.
            PhotopalError: It cannot do the work.
        """
        until_s = time.monotonic() + _START_S
        while True:
            try:
                report = self._call(self._actor.start, photopal.__version__, self.setup, timeout_s=_START_S)
                break
            except WorkerLostError as loss:
                # Ray is about to start it again.
                is_coming = isinstance(loss.__cause__, self._ray.exceptions.ActorUnavailableError)
                if not is_coming or time.monotonic() > until_s:
                    raise
                time.sleep(_RETRY_S)
        self._name, self.process = f"The worker on {report.host} (process {report.process})", report.process
        if report.problem is not None:
            raise ModelError(f"worker on {report.host}: {report.problem}", hint=report.hint)

    def look(self, job: CaptionJob) -> Looked:
        """Send the photos of a job, and wait until they are looked at."""
        self._sent[job] = self._ray.put(list(job.photos))
        photos, most, took_s = self._call(self._actor.look, self._sent[job])
        job.took_s += took_s
        return Looked(job, photos, most)

    def write(self, job: CaptionJob, weighed: Weighed) -> Written:
        """Wait for the captions of a job."""
        if job not in self._sent:
            self._sent[job] = self._ray.put(list(job.photos))
        keys = [photo.key for photo in job.photos]
        texts, took_s = self._call(self._actor.write, [self._sent[job]], keys, weighed)
        job.took_s += took_s
        return Written(job, texts)

    def stop(self) -> None:
        """Kill the actor."""
        self._ray.kill(self._actor)

    def _call(self, method: Any, *arguments: Any, timeout_s: float | None = None) -> Any:
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(method.remote(*arguments), timeout=timeout_s)
        except errors.GetTimeoutError as error:
            raise WorkerLostError(f"it did not start within {_START_S / 60:.0f} minutes") from error
        except errors.RayTaskError as error:
            if is_out_of_memory(error.cause):
                raise WorkerLostError("out of memory") from error
            raise
        except errors.ActorUnavailableError as error:
            raise WorkerLostError("it does not answer") from error
        except (errors.RayError, RuntimeError) as error:
            if "No module named" in str(error) or "failed to import" in str(error):
                raise PhotopalError("photopal is missing on a machine of the cluster", hint=_SAME) from error
            raise WorkerLostError(_first_words(error)) from error
        if answer is None:
            raise WorkerLostError("it was started anew")
        return answer


def _first_words(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


class RayCrew:
    """The workers of a run, on a cluster this process is connected to; made by `connect`.

    Args:
        ray: The module.
        count: How many workers; one for each GPU, or for each four CPU cores of a machine, when left out.
        on_notice: See `WorkerPool`.

    Attributes:
        count: How many workers.
        workers: The workers, once they are employed.
    """

    def __init__(self, ray: Any, count: int | None, *, on_notice: Callable[[str], None]) -> None:
        self._ray, self._on_notice = ray, on_notice
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self.count, self._options = share_resources(nodes, count)
        self.workers: list[RayWorker] = []
        self._pool: WorkerPool | None = None

    def employ(
        self,
        parts: AssistantParts,
        *,
        model: tuple[str, str, str],
        image_tokens: int = 0,
        finds_faces: bool = False,
        on_ood_check: Callable[[bool], None] = lambda is_known: None,
    ) -> RemoteAssistant:
        """Have workers load what an assistant has.

        Args:
            parts: The assistant, in step with the library.
            model: Its model's folder or hub id, device and number format, as of `load_model`.
            image_tokens: As how many tokens it sees a photo at most, as of `load_model`.
            finds_faces: Whether the workers look for faces too.
            on_ood_check: See `WorkerPool`.

        Raises:
            PhotopalError: A worker cannot do the work.
        """
        name = Path(model[0])
        is_own = name.is_absolute() and name.is_relative_to(_PACKAGE)
        setup = WorkerSetup(
            model=name.relative_to(_PACKAGE).as_posix() if is_own else model[0],
            device=model[1],
            dtype=model[2],
            image_tokens=image_tokens,
            fingerprint=parts.model.fingerprint,
            bank=parts.bank,
            concepts=tuple(parts.concepts),
            has_finder=parts.finder is not None,
            compares_looks=parts.finder is not None and parts.finder.compares_looks,
            finds_faces=finds_faces,
            threads=max(1, int(self._options["num_cpus"])),
        )
        if self._pool is None or self._pool.is_closed:
            self.workers = [RayWorker(self._ray, self._options) for _ in range(self.count)]
            self._pool = WorkerPool(self.workers, on_notice=self._on_notice, on_ood_check=on_ood_check)
        packed = pickle.dumps(setup)
        for worker in self.workers:
            worker.setup = packed
        self._pool.start()
        return RemoteAssistant(
            model=parts.model,
            bank=parts.bank,
            concepts=parts.concepts,
            finder=parts.finder,
            workers=self._pool,
            finds_faces=finds_faces,
        )

    def close(self) -> None:
        """Let the workers go."""
        if self._pool is not None:
            self._pool.close()


def share_resources(nodes: Sequence[dict[str, float]], count: int | None) -> tuple[int, dict[str, float]]:
    """Divide the machines of a cluster among workers.

    Args:
        nodes: The number of `CPU` and `GPU` of each machine.
        count: How many workers; None for one on each GPU or, without any, on each four CPU cores.

    Returns:
        How many workers, and what each gets.

    Raises:
        UsageError: There is not a CPU core for each.
    """
    gpus = int(sum(node.get("GPU", 0) for node in nodes))
    usable = [node for node in nodes if not gpus or node.get("GPU", 0) >= 1]
    cores = [int(node.get("CPU", 0)) for node in usable]
    if count is None:
        count = gpus or sum(-(-number // _CPUS_PER_WORKER) for number in cores)
    each = max(cores, default=0)
    while each >= 1 and sum(number // each for number in cores) < count:
        each -= 1
    if each < 1 or count < 1:
        raise UsageError(
            f"the cluster has {sum(cores)} CPU cores for {count} workers", hint="Use a smaller --workers."
        )
    share: dict[str, float] = {"num_cpus": each}
    if gpus:
        # Whole ones, or several workers on each.
        share["num_gpus"] = 1.0 if count <= gpus else 1.0 / -(-count // gpus)
    return count, share


@contextmanager
def connect(address: str, *, count: int | None = None, on_notice: Callable[[str], None]) -> Iterator[RayCrew]:
    """Connect to a Ray cluster; nothing else is connected to.

    Args:
        address: `HOST:PORT`, `ray://HOST:PORT`, or `auto`: the cluster that runs on this machine, or one that
            is started for this run alone, without Ray's dashboard and its statistics of use.
        count: How many workers; see `RayCrew`.
        on_notice: See `WorkerPool`.

    Raises:
        UsageError: Ray is not installed, or the address is none.
        PhotopalError: There is no cluster at the address, or it is of another version.
    """
    # Whatever is started from here says nothing to anybody.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise UsageError("Ray is not installed", hint='pip install "photopal[ray]"') from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    if address != "auto":
        _check_address(address)
    try:
        if address == "auto" and _is_gone(ray):
            raise ConnectionError("the cluster that ran on this machine is gone")
        if address.startswith("ray://"):
            ray.init(address=address, log_to_driver=False)
        else:
            ray.init(address=address, **quiet)
    except ConnectionError as error:
        if address != "auto":
            raise _unreachable(address, error) from error
        cores = max(os.cpu_count() or 1, count or 1)
        os.environ.setdefault("RAY_worker_niceness", "0")  # captions are what the user waits for
        ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
    except (RuntimeError, ValueError, ImportError, OSError, ray.exceptions.RayError) as error:
        raise _unreachable(address, error) from error
    try:
        crew = RayCrew(ray, count, on_notice=on_notice)
        try:
            yield crew
        finally:
            crew.close()
    finally:
        ray.shutdown()


def _is_gone(ray: Any) -> bool:
    """Whether Ray still has the address of a cluster that was killed: it would wait for it for minutes."""
    try:
        address = ray._private.utils.read_ray_address()
        if address:
            _check_address(address)
    except PhotopalError:
        return True
    except Exception:  # noqa: BLE001 - it is no documented function; without it Ray only waits
        return False
    return False


def _check_address(address: str) -> None:
    """Ray waits for minutes where nobody answers."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"invalid Ray address {address!r}", hint="Use auto, HOST:PORT or ray://HOST:PORT.")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S):
            pass
    except OSError as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: BaseException) -> PhotopalError:
    where = "on this machine" if address == "auto" else f"at {address}"
    return PhotopalError(
        f"no Ray cluster can be used {where}: {_first_words(error)}",
        hint="Start one with `ray start --head`, or use --ray auto for workers on this machine.",
    )
