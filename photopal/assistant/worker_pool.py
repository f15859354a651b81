"""Spreads captioning over workers that may be lost; knows not where they are, and no library.

Every worker has two threads here. While it works on one job, the photos of the other are on their way to it,
or the library is asked what it knows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Protocol

from photopal.assistant.captioner import CaptionJob, GivenUp, Looked, Weighed, Written
from photopal.errors import PhotopalError, in_a_line
from photopal.photos.prefetch import read_photo

JOBS_PER_WORKER = 2

MOST_TRIES = 3
"""After so many lost workers a job is given up: its photos may be what they are lost by."""


class WorkerLostError(Exception):
    """A worker was lost with what it was doing."""


class Worker(Protocol):
    """One worker. Its calls wait; two threads call it at a time."""

    @property
    def name(self) -> str:
        """What it is called in messages, such as the machine it is on."""

    def start(self) -> None:
        """Load model and bank, also after it was lost.

        Raises:
            WorkerLostError: It does not start.
            PhotopalError: It cannot do the work, in words.
        """

    def look(self, job: CaptionJob) -> Looked:
        """Look at the photos of a job.

        Raises:
            WorkerLostError: It is lost.
        """

    def write(self, job: CaptionJob, weighed: Weighed) -> Written:
        """Write the captions of a job, which another worker may have looked at.

        Raises:
            WorkerLostError: It is lost.
        """

    def stop(self) -> None:
        """Let it go; calls that wait for it end with an error."""


@dataclass(eq=False)
class _Seat:
    """A worker, and how often it was started."""

    worker: Worker
    starts: int = 1
    is_lost: bool = False
    lock: Lock = field(default_factory=Lock)


class WorkerPool:
    """Has the jobs done by workers, as `CaptionWorkers`; photos travel as the bytes of their files.

    A job whose worker is lost is done by another, from where it was; the lost worker is started again.

    Args:
        workers: The workers, not started yet.
        on_notice: Told in words what happens to workers.
        on_ood_check: Told of each photo whether the model understands it.

    Attributes:
        is_closed: Whether the workers were let go.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        on_notice: Callable[[str], None],
        on_ood_check: Callable[[bool], None] = lambda is_known: None,
    ) -> None:
        self.most_jobs = JOBS_PER_WORKER * len(workers)
        self._seats = [_Seat(worker) for worker in workers]
        self._on_notice, self._on_ood_check = on_notice, on_ood_check
        self._jobs: SimpleQueue[CaptionJob | None] = SimpleQueue()
        self._done: SimpleQueue[Looked | Written | GivenUp | str | BaseException] = SimpleQueue()
        self._weighed: dict[CaptionJob, Future[Weighed]] = {}
        self._threads: list[Thread] = []
        self.is_closed = False

    def start(self) -> None:
        """Have all workers load model and bank at once; again, where the bank is another now.

        Raises:
            PhotopalError: One of them cannot do the work.
        """
        seats = [seat for seat in self._seats if not seat.is_lost]
        with ThreadPoolExecutor(len(seats), thread_name_prefix="photopal-start") as pool:
            for started in [pool.submit(seat.worker.start) for seat in seats]:
                try:
                    started.result()
                except WorkerLostError as loss:
                    raise PhotopalError(f"a worker was lost while it started: {loss}") from loss
        if not self._threads:
            self._threads = [
                Thread(target=self._serve, args=(seat,), name="photopal-worker", daemon=True)
                for seat in self._seats
                for _ in range(JOBS_PER_WORKER)
            ]
            for thread in self._threads:
                thread.start()

    def close(self) -> None:
        """Let the workers go, whatever they are doing."""
        self.is_closed = True
        for weighed in self._weighed.values():
            weighed.cancel()
        for _ in self._threads:
            self._jobs.put(None)
        for seat in self._seats:
            seat.worker.stop()

    def read(self, path: Path, /) -> bytes:
        """Read the bytes of a photo's file.

        Raises:
            PhotoError: The file cannot be opened.
        """
        return read_photo(path)

    def look(self, job: CaptionJob) -> None:
        """Have the photos of a new job looked at."""
        self._weighed[job] = Future()
        self._jobs.put(job)

    def write(self, job: CaptionJob, weighed: Weighed) -> None:
        """Have the captions of a job written, by the worker that has its photos in memory."""
        self._weighed[job].set_result(weighed)

    def wait(self) -> Looked | Written | GivenUp:
        """Wait for what is done next.

        Raises:
            PhotopalError: No worker is left.
        """
        while True:
            done = self._done.get()
            if isinstance(done, BaseException):
                raise done
            if not isinstance(done, str):
                break
            self._on_notice(done)
        if isinstance(done, Looked):
            for seen in done.photos:
                if not isinstance(seen, str):
                    self._on_ood_check(seen.sightings.is_understood)
        else:
            del self._weighed[done.job]
        return done

    def _serve(self, seat: _Seat) -> None:
        """Do jobs with one worker, one after the other, until it is lost for good."""
        while (job := self._jobs.get()) is not None and not self.is_closed:
            starts = seat.starts
            try:
                weighed = self._weighed[job]
                if not weighed.done():  # it is after a worker was lost while it wrote
                    self._done.put(seat.worker.look(job))
                known = weighed.result()
                if all(sightings is None for sightings in known):
                    self._done.put(Written(job, [""] * len(known)))
                else:
                    self._done.put(seat.worker.write(job, known))
            except WorkerLostError as loss:
                if self.is_closed:
                    return
                job.tries += 1
                if job.tries < MOST_TRIES:
                    self._jobs.put(job)
                else:
                    self._done.put(GivenUp(job, f"workers were lost {job.tries} times with it: {loss}"))
                if not self._revive(seat, starts, loss):
                    return
            except CancelledError:
                return
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
                self._done.put(error)
                return

    def _revive(self, seat: _Seat, starts: int, loss: WorkerLostError) -> bool:
        """Start a lost worker again, unless its other thread has; False where it stays lost."""
        with seat.lock:
            if seat.is_lost or seat.starts > starts:
                return not seat.is_lost
            self._done.put(f"{seat.worker.name} was lost ({loss}); others do its photos. Starting it again.")
            try:
                seat.worker.start()
                seat.starts += 1
            except (WorkerLostError, PhotopalError) as error:
                seat.is_lost = True
                if self.is_closed:
                    return False
                reason = in_a_line(error) if isinstance(error, PhotopalError) else str(error)
                self._done.put(f"{seat.worker.name} is not used any more: {reason}")
                if all(other.is_lost for other in self._seats):
                    self._done.put(
                        PhotopalError(
                            f"all workers were lost: {reason}",
                            hint="What was captioned is stored. Run the command again to go on.",
                        )
                    )
            return not seat.is_lost
