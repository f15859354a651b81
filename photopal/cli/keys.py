"""Reads answers: single keys at a terminal, lines elsewhere; knows no question."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END = ""
"""What is read where the input ends."""

if sys.platform == "win32":
    import msvcrt

    def _forget() -> None:
        while msvcrt.kbhit():
            msvcrt.getwch()

    def _read_key() -> str:
        key = msvcrt.getwch()
        if key == "\x03":
            raise KeyboardInterrupt
        return key

    @contextmanager
    def _by_keys() -> Iterator[None]:
        yield

else:
    import termios
    import tty

    def _forget() -> None:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def _read_key() -> str:
        return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace")

    @contextmanager
    def _by_keys() -> Iterator[None]:
        """Have keys come as they are pressed and unseen; Ctrl-C interrupts as ever."""
        before = termios.tcgetattr(sys.stdin.fileno())
        tty.setcbreak(sys.stdin.fileno(), termios.TCSANOW)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)


@contextmanager
def answers() -> Iterator[Callable[[Callable[[], None]], str]]:
    """Give a call that shows a question by the call it is given, and returns the first letter of the answer.

    What is pressed before a question is shown is no answer to it, and is forgotten. `END` is returned where
    the input ends, and on Ctrl-D.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield _ask_for_line
        return
    with _by_keys():
        yield _ask_for_key


def _ask_for_line(show: Callable[[], None]) -> str:
    show()
    line = sys.stdin.readline() if sys.stdin is not None else ""
    return (line.strip()[:1].lower() or "?") if line else END


def _ask_for_key(show: Callable[[], None]) -> str:
    _forget()
    show()
    return _read_key().replace("\x04", END).lower()
