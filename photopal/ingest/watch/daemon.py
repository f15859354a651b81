"""Watches folders and hands over photos that come to rest in them; knows nothing of what is done with them.

What the system tells of changes is only a hint. What counts is how a file is found: it has to keep its size
and time, and to decode. Everything but the system's notices happens in the caller's thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from photopal.errors import PhotoError, PhotopalError, UsageError
from photopal.files import Stamp, is_file, stamp_of
from photopal.ingest.watch.debounce import Debouncer, MissingFiles
from photopal.ingest.watch.events import LogCapture, watchdog_silenced
from photopal.ingest.watch.folder import WatchedFolder
from photopal.ingest.watch.mounts import is_below
from photopal.ingest.watch.options import WatchOptions
from photopal.ingest.watch.outcome import WatchEvent, WatchOutcome, WatchReport
from photopal.ingest.watch.retry import Batch, OnPhotos, RetryQueue
from photopal.photos import Skipped, find_photos, open_photo
from photopal.photos.exclude import Excludes
from photopal.photos.sidecars import is_sidecar_named, photos_of_sidecar

_PAUSE_S = 0.1
_CHECK_FOLDERS_EVERY_S = 1.0
# A small picture takes a fraction of the time, and a file that is cut short is found out all the same.
_TRIAL_SIDE_PX = 64


def watch_folders(
    folders: Sequence[Path],
    *,
    options: WatchOptions,
    on_photos: OnPhotos,
    on_event: Callable[[WatchEvent], None],
    is_known: Callable[[Path], bool],
    stop: threading.Event,
) -> WatchReport:
    """Hand over the photos in folders: those there and not done yet, then each that comes or changes.

    A photo is handed over once its size and time stay the same and it decodes; again when it changes. Files
    that cannot be read are reported once each. A folder that is gone is waited for. All calls are made in
    the thread that calls this.

    Args:
        folders: What to watch, with everything below; hidden files and folders are left out.
        options: How to watch.
        on_photos: Takes the absolute paths of at most `batch_size` photos. When it raises a PhotopalError,
            they are handed over again later; any other exception ends the watch.
        on_event: Told of each thing that happens.
        is_known: Asked about each photo that is found when looking through the folders; True for one that
            is done already. A change that the system gives notice of is handed over without asking.
        stop: Ends the watch: a batch that was handed over is waited for, no other begins.

    Raises:
        UsageError: No folder is named, or one of them is a file.
    """
    if not folders:
        raise UsageError("no folder to watch")
    paths = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100 - resolve follows links
    for path in paths:
        if is_file(path):
            raise UsageError(
                f"{path}: is a file, not a folder", hint=f"Watch its folder instead: {path.parent}"
            )
    watched = [WatchedFolder(path, options=options, tell=on_event) for path in dict.fromkeys(paths)]
    with watchdog_silenced() as complaints:
        watch = _Watch(watched, options=options, on_event=on_event, is_known=is_known, stop=stop)
        try:
            watch.run(on_photos, complaints)
        finally:
            for folder in watched:
                folder.close()
    return watch.report()


class _Watch:
    """One watch: what is at rest, what is dealt with, what is wrong."""

    def __init__(
        self,
        folders: list[WatchedFolder],
        *,
        options: WatchOptions,
        on_event: Callable[[WatchEvent], None],
        is_known: Callable[[Path], bool],
        stop: threading.Event,
    ) -> None:
        self._folders, self._options, self._stop = folders, options, stop
        self._tell, self._is_known = on_event, is_known
        self._settling = Debouncer(
            settle_s=options.settle_s, empty_s=0.0 if options.once else options.empty_s
        )
        self._delivery = RetryQueue(options)
        self._missing = MissingFiles(wait_s=2 * options.settle_s)
        # What a file looked like when it was handed over, found to be known, or reported.
        self._dealt: dict[str, Stamp] = {}
        self._bad: dict[str, Skipped] = {}
        self._unreadable: set[str] = set()
        self._given_up: dict[str, Skipped] = {}
        # Why nothing can be read from a sidecar, as it was last told.
        self._unread_sidecars: dict[str, str] = {}
        self._closed_places: dict[str, Skipped] = {}
        self._handed = 0
        self._excludes = self._read_excludes()

    def run(self, on_photos: OnPhotos, complaints: LogCapture) -> None:
        """Watch until asked to stop, or, with `once`, until nothing is left to hand over."""
        check_at_s = float("-inf")
        has_looked_again = False
        while not self._stop.is_set():
            now_s = time.monotonic()
            if now_s >= check_at_s:
                has_complaint = complaints.take()
                for folder in self._folders:
                    folder.check()
                    if has_complaint:
                        folder.want_scan()
                self._tell_backlog()
                check_at_s = now_s + _CHECK_FOLDERS_EVERY_S
            self._look(now_s)
            for path, stamp in self._settling.take_settled(now_s=now_s):
                self._delivery.add(path, stamp)
            self._tell_missing(now_s)
            if self._hand_over(on_photos):
                has_looked_again = False
            elif self._options.once and not self._settling and not self._delivery:
                if has_looked_again:
                    return
                # Something may have come while the last photos were handed over.
                has_looked_again = True
                self._scan(self._folders)
            else:
                # Not Event.wait: a signal handler that sets the event while the main thread is in there
                # can lock it up.
                time.sleep(_PAUSE_S)

    def report(self) -> WatchReport:
        """Sum up."""
        problems = (*self._bad.values(), *self._closed_places.values())
        return WatchReport(
            handed=self._handed,
            skipped=[skipped for skipped in problems if os.path.lexists(skipped.path)],
            given_up=list(self._given_up.values()),
            offline=[folder.path for folder in self._folders if not folder.is_there],
            waiting=len(self._settling) + len(self._delivery),
        )

    def _look(self, now_s: float) -> None:
        """Look at files that notices told of, and through the folders whose turn it is."""
        for folder in self._folders:
            for path in folder.take_paths():
                if is_sidecar_named(path):
                    self._reconsider(path)
                elif Path(path) not in self._excludes:
                    self._notice(path, is_found=False)
        due = [folder for folder in self._folders if folder.is_scan_due(now_s=now_s)]
        if due:
            self._scan(due)

    def _scan(self, folders: list[WatchedFolder]) -> None:
        """Look through folders, and forget what is no longer in them."""
        places = [folder for folder in folders if folder.is_there]
        roots = [os.fspath(folder.path) for folder in places]
        if not self._options.once:
            # Whether a file can be opened may change without the file.
            for path in self._unreadable:
                self._dealt.pop(path, None)
        for folder in places:
            folder.begin_scan()
        found: set[str] = set()
        closed: dict[str, Skipped] = {}
        self._excludes = self._read_excludes()
        photos = find_photos(
            [folder.path for folder in places], on_skip=lambda s: _note(closed, s), excludes=self._excludes
        )
        for photo in photos:
            if self._stop.is_set():
                return
            found.add(os.fspath(photo))
            self._notice(os.fspath(photo), is_found=True)
        for folder in places:
            folder.end_scan()
        self._update_closed_places(closed, roots)
        for path in {*self._dealt, *self._bad, *self._given_up} - found:
            if _is_in(path, roots):
                self._forget(path)
        self._unreadable &= self._bad.keys()
        for folder in places:
            self._tell(WatchEvent("looked", folder.path))

    def _read_excludes(self) -> Excludes:
        """Read what is not wanted, as it is now."""
        return Excludes([folder.path for folder in self._folders], self._options.globs)

    def _reconsider(self, sidecar: str) -> None:
        """Hand over again the photos that a sidecar speaks of: what is said of them has changed."""
        self._unread_sidecars.pop(sidecar, None)
        for photo in photos_of_sidecar(Path(sidecar)):
            if photo not in self._excludes:
                self._dealt.pop(os.fspath(photo), None)
                self._notice(os.fspath(photo), is_found=False)

    def _update_closed_places(self, closed: dict[str, Skipped], roots: list[str]) -> None:
        for root in roots:
            # Whether a watched folder is there is told apart from what is in it.
            closed.pop(root, None)
        for path, skipped in closed.items():
            if self._closed_places.get(path) != skipped:
                self._tell(WatchEvent("skipped", skipped.path, reason=skipped.reason))
        elsewhere = {path: s for path, s in self._closed_places.items() if not _is_in(path, roots)}
        self._closed_places = elsewhere | closed

    def _notice(self, path: str, *, is_found: bool) -> None:
        """Take notice of a file that may be new or changed; nothing where it is dealt with already."""
        if path in self._settling or path in self._delivery:
            # It is looked at again before it is handed over.
            return
        stamp = stamp_of(path)
        if stamp is None:
            self._forget(path)
            return
        if self._dealt.get(path) == stamp:
            return
        if is_found and path not in self._dealt and path not in self._bad and self._is_done(path):
            self._dealt[path] = stamp
            return
        self._settling.add(path, stamp, now_s=time.monotonic())

    def _forget(self, path: str) -> None:
        """Forget a file that is not there; it may turn up again, here or elsewhere."""
        if path in self._dealt:
            self._missing.add(path, now_s=time.monotonic())
        for known in (self._dealt, self._bad, self._given_up):
            known.pop(path, None)

    def _tell_missing(self, now_s: float) -> None:
        roots = [os.fspath(folder.path) for folder in self._folders if folder.is_there]
        for path in self._missing.take_due(now_s=now_s):
            if _is_in(path, roots):
                self._tell(WatchEvent("missing", Path(path)))

    def _tell_backlog(self, at_hand: int = 0) -> None:
        self._tell(WatchEvent("backlog", count=len(self._settling) + len(self._delivery) + at_hand))

    def _is_done(self, path: str) -> bool:
        try:
            return self._is_known(Path(path))
        except PhotopalError:
            return False

    def _hand_over(self, on_photos: OnPhotos) -> bool:
        """Hand over the next batch if one is ready; tell whether there was one."""
        offered = self._delivery.take_batch(now_s=time.monotonic())
        stamps = {path: stamp for path, stamp in offered.stamps.items() if self._is_sound(path, stamp)}
        if not stamps:
            return bool(offered.stamps)
        batch = Batch(stamps, offered.tries)
        if self._stop.is_set():
            self._delivery.put_back(batch)
            return True
        self._tell_backlog(len(batch.stamps))
        try:
            outcome = on_photos([Path(path) for path in batch.stamps])
        except PhotopalError as error:
            self._refuse(batch, error)
            return True
        self._dealt |= batch.stamps
        for path in batch.stamps:
            self._given_up.pop(path, None)
            self._bad.pop(path, None)
        outcome = outcome or WatchOutcome()
        skipped = [one for one in outcome.skipped if os.fspath(one.path) in batch.stamps]
        for one in skipped:
            self._report_bad(one)
        for sidecar in outcome.unread_sidecars:
            self._report_sidecar(sidecar)
        taken = len(batch.stamps) - len(skipped)
        self._handed += taken
        if taken:
            self._tell(WatchEvent("handed", count=taken))
        return True

    def _is_sound(self, path: str, stamp: Stamp) -> bool:
        """Tell whether a file is as it was when it came to rest, and decodes."""
        present = stamp_of(path)
        if present is None:
            return False
        if present != stamp:
            self._settling.add(path, present, now_s=time.monotonic())
            return False
        if self._stop.is_set():
            return True
        try:
            open_photo(Path(path), max_side_px=_TRIAL_SIDE_PX)
        except PhotoError as error:
            self._dealt[path] = stamp
            if isinstance(error.__cause__, OSError) and error.__cause__.errno:
                self._unreadable.add(path)
            self._report_bad(Skipped.by(Path(path), error))
            return False
        return True

    def _refuse(self, batch: Batch, error: PhotopalError) -> None:
        count, reason, hint = len(batch.stamps), error.message, error.hint
        retry_s = self._delivery.refuse(batch, now_s=time.monotonic())
        if retry_s is not None:
            self._tell(WatchEvent("failed", count=count, reason=reason, hint=hint, retry_s=retry_s))
            return
        self._dealt |= batch.stamps
        self._given_up |= {path: Skipped(Path(path), reason) for path in batch.stamps}
        self._tell(WatchEvent("given up", count=count, reason=reason, hint=hint))

    def _report_bad(self, skipped: Skipped) -> None:
        """Report a file that is no use, once for as long as nothing about it changes."""
        path = os.fspath(skipped.path)
        self._given_up.pop(path, None)
        if self._bad.get(path) != skipped or path not in self._unreadable:
            self._tell(WatchEvent("skipped", skipped.path, reason=skipped.reason))
        self._bad[path] = skipped

    def _report_sidecar(self, sidecar: Skipped) -> None:
        """Report a sidecar from which nothing can be read; all photos of a folder may have the same one."""
        path = os.fspath(sidecar.path)
        if self._unread_sidecars.get(path) != sidecar.reason:
            self._tell(WatchEvent("sidecar", sidecar.path, reason=sidecar.reason))
        self._unread_sidecars[path] = sidecar.reason


def _note(closed: dict[str, Skipped], skipped: Skipped) -> None:
    closed[os.fspath(skipped.path)] = skipped


def _is_in(path: str, roots: list[str]) -> bool:
    return any(is_below(path, root) for root in roots)
