"""What every command is given: settings, two screens, the library; knows nothing of any one command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from photopal.cli.crash import describe_crash, write_report
from photopal.cli.output import plain
from photopal.cli.streams import keep_log, talk_stream
from photopal.errors import NothingFoundError, PhotopalError

if TYPE_CHECKING:
    from rich.console import Console

    from photopal.config import PictureProtocol, Settings
    from photopal.library import Library
    from photopal.progress import OnProgress
    from photopal.vlm.model import LoadedModel


OOD_WARNING = (
    "These photos do not look drawn. The {model} model only understands drawn photos, so it is not asked "
    "about camera photos: photopal says only what is known of them. For captions of what they show, choose a "
    "vision-language model; see `photopal model --help`."
)


class OODCounter:
    """Says once that photos do not look drawn, when the model refused more than one in ten of those so far.

    A drawn photo may look strange to a model too, so a single one among many says little.
    """

    def __init__(self, session: Session) -> None:
        """Begin to count."""
        self._session = session
        self._seen = self._unlike = 0
        self._has_warned = False

    def add(self, is_known: bool, /) -> None:
        """Count a photo that was looked at, with whether the model understands it."""
        self._seen += 1
        self._unlike += not is_known
        if not self._has_warned and self._unlike * 10 > self._seen:
            self._has_warned = True
            self._session.warn(OOD_WARNING.format(model=self._session.settings.model))


class Session:
    """One run of the command line: results go to `out` (stdout), all other words to `talk` (stderr)."""

    def __init__(
        self,
        *,
        home: Path | None = None,
        model: str | None = None,
        device: str | None = None,
        is_quiet: bool = False,
        has_color: bool = True,
        is_debug: bool = False,
    ) -> None:
        """Take the global options as they were written; nothing is read or opened yet."""
        self._home, self._model, self._device = home, model, device
        self.is_quiet, self.is_debug = is_quiet, is_debug
        self._has_color = has_color
        self._step: str | None = None

    @cached_property
    def out(self) -> Console:
        """Where results go."""
        return self._console()

    @cached_property
    def talk(self) -> Console:
        """Where all other words go."""
        return self._console(is_stderr=True)

    def _console(self, *, is_stderr: bool = False) -> Console:
        from rich.console import Console

        # Without a file rich takes the present `sys.stdout` each time, as a test replaces it.
        file = talk_stream() if is_stderr and talk_stream() is not sys.stderr else None
        return Console(
            file=file, stderr=is_stderr, highlight=False, color_system="auto" if self._has_color else None
        )

    @cached_property
    def settings(self) -> Settings:
        """The settings, read when first asked for, so that help works with a broken config file."""
        # Imported here, as everything that `--help` does not need is.
        from photopal.config import load_settings

        return load_settings(home=self._home, model=self._model, device=self._device)

    @cached_property
    def ood_counter(self) -> OODCounter:
        """Counts the photos that the model refuses, over the whole run."""
        return OODCounter(self)

    def say(self, words: str, *, style: str = "") -> None:
        """Talk to the user on stderr; silent with `--quiet`."""
        if not self.is_quiet:
            self.warn(words, style=style)

    def warn(self, words: str, *, style: str = "yellow") -> None:
        """Tell the user something on stderr, `--quiet` or not."""
        self.talk.print(plain(words, style), soft_wrap=True)

    def confirm(self, question: str) -> bool:
        """Ask on the terminal for a yes; where nobody can be asked the answer is no."""
        if sys.stdin is None or not sys.stdin.isatty() or not self.talk.is_terminal:
            return False
        try:
            answer = self.talk.input(plain(f"{question} [y/N] "))
        except EOFError:
            return False
        return answer.strip().lower() in ("y", "yes")

    def explain(self, error: PhotopalError) -> None:
        """Put an error into words on stderr: what happened, then what to try."""
        is_fault = not isinstance(error, NothingFoundError)
        self.warn(
            f"Error: {error.message}" if is_fault else error.message, style="bold red" if is_fault else ""
        )
        for note in getattr(error, "__notes__", ()):
            self.warn(note, style="")
        if error.hint:
            self.warn(f"Hint: {error.hint}", style="")
        self._show_traceback(error)

    def explain_crash(self, error: BaseException, *, doing: str) -> None:
        """Put an unexpected exception into a paragraph on stderr, its traceback into a file."""
        doing = doing if self._step is None else f"{doing} ({self._step[0].lower()}{self._step[1:]})"
        self.warn(
            describe_crash(error, doing=doing, report=self.report(error, doing=doing)), style="bold red"
        )
        self._show_traceback(error)

    def report(self, error: BaseException, *, doing: str) -> Path | None:
        """Write an exception's traceback into a file of the home folder, or a temporary one."""
        return write_report(error, self._home_if_known(), doing=doing)

    def keep_log(self) -> None:
        """Keep what libraries wrote to stderr during this run."""
        home = self._home_if_known()
        if home is not None:
            keep_log(self.settings.log_path)

    def _home_if_known(self) -> Path | None:
        try:
            return self.settings.home
        except Exception:  # noqa: BLE001 - it is asked for while another error is explained
            return None

    def _show_traceback(self, error: BaseException) -> None:
        if self.is_debug:
            import traceback

            for line in "".join(traceback.format_exception(error)).splitlines():
                self.warn(line, style="")

    def picture_protocol(self, *, without: bool = False) -> PictureProtocol | None:
        """How small pictures are shown beside results; None where they are not wanted or cannot be.

        Args:
            without: The user wants none this time.
        """
        # Colors can be forced into a pipe, pictures cannot.
        is_plain = without or not self._has_color or not (self.out.is_terminal and self.out.file.isatty())
        return None if is_plain else self.settings.picture_protocol

    def library_to_read(self) -> Library:
        """The library, for reading only; use it in a `with`.

        Raises:
            LibraryError: There is no library yet, or it cannot be used.
        """
        from photopal.library import Library

        return Library(self.settings.library_path, read_only=True)

    def library_to_write(self) -> Library:
        """The library, made where there is none; use it in a `with`.

        Raises:
            LibraryError: The library's folder cannot be made, or the library cannot be used.
        """
        from photopal.library import Library

        return Library(self.settings.library_path)

    def model(self) -> LoadedModel:
        """The vision-language model of the settings; takes seconds, as it brings torch with it.

        Raises:
            ModelError: The model cannot be had or used.
        """
        with self.progress("Loading the model"):
            from photopal.vlm import load_model
            from photopal.vlm.feature_cache import FeatureCache

            model = load_model(
                self.settings.model_name_or_path,
                device=self.settings.device,
                dtype=self.settings.dtype,
                image_tokens=self.settings.image_tokens,
                routes_path=self.settings.features_path / "routes.json",
            )
        model.feature_cache = FeatureCache(
            self.settings.features_path,
            f"{model.fingerprint}-{str(model.dtype).removeprefix('torch.')}{model.variant}"
            f"-{model.processor_fingerprint}",
            device=model.device,
            most_bytes=self.settings.features_mb * 2**20,
        )
        return model

    @contextmanager
    def progress(self, title: str, *, in_bytes: bool = False) -> Iterator[OnProgress]:
        """Show a progress bar on stderr while the block runs; nothing when stderr is not a terminal.

        Args:
            title: What is being done.
            in_bytes: Whether bytes are counted, not items.

        Yields:
            A call to hand to what does the work.
        """
        self._step = title
        with self._bar(title, in_bytes=in_bytes) as on_progress:
            yield on_progress
        # After an error it stays, for whoever explains it.
        self._step = None

    @contextmanager
    def _bar(self, title: str, *, in_bytes: bool) -> Iterator[OnProgress]:
        if self.is_quiet or not self.talk.is_terminal:
            yield lambda done, total, item=None: None
            return
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        counter = DownloadColumn() if in_bytes else MofNCompleteColumn()
        columns = (TextColumn("{task.description}"), BarColumn(), counter, TimeRemainingColumn())
        # What libraries print on stderr while the bar is there must not be drawn around it.
        with Progress(*columns, console=self.talk, transient=True, redirect_stderr=False) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total, item=None: bar.update(task, completed=done, total=total)


def session_of(ctx: typer.Context) -> Session:
    """The session of the running command."""
    session = ctx.obj
    if not isinstance(session, Session):
        raise TypeError("a command ran without its session")
    return session
