"""Turns SIGINT and SIGTERM into an event that asks for an orderly end; knows nothing of what ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Set an event at the first SIGINT or SIGTERM; a second one does what it does anywhere else.

    Whoever waits for the event in the main thread asks `is_set` and sleeps: a handler that interrupts
    `Event.wait` in its own thread can lock it up. Outside the main thread no handler can be installed,
    and the event is set by nobody.

    Yields:
        The event. The handlers of before are in place again after the block.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            # A handler that was not installed by Python is None and cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            restore()
            signal.raise_signal(number)
        stop.set()

    for number in before:
        signal.signal(number, ask_to_stop)
    try:
        yield stop
    finally:
        restore()
