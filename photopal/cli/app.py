"""The `photopal` program: global options, commands, errors into words; knows nothing of any one command.

To add a command, write it as a function in a file of its own, both of the command's name, and enter it once
in `COMMANDS`. The file is imported when the command is called or its help is asked for; `--help` and the
completion of names need none.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections import UserDict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from photopal import __version__
from photopal.cli.context import Session
from photopal.cli.crash import is_interrupt
from photopal.cli.help import LineError, PhotopalCommand, QueryCommand, adapt, help_of, name_of, paragraphs_of
from photopal.cli.streams import OutputError, talk_stream
from photopal.errors import ExitCode, PhotopalError

# What a disk or its owner refuses, wherever it happens: for the user to mend, not for us.
_NO_BUGS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)

# Panel of the help page → its commands, in the order in which a newcomer meets them, each with the first
# sentence of its help.
COMMANDS: dict[str, dict[str, str]] = {
    "Photos": {
        "index": "Add folders of photos to the library.",
        "caption": "Write captions for photos, with the names of the people, pets and things in them.",
        "edit-caption": "Write a photo's caption yourself.",
        "set-date": "Set when a photo was taken, as exactly as you know it.",
        "search": "Find photos by words, names, dates and camera.",
        "gallery": "Write a page to look at your photos, with names, captions, search and filters.",
        "similar": "List the photos most similar to a given photo.",
        "ask": "Answer a question about photos, or about the whole library.",
        "info": "Show what is known about a photo, and where each fact comes from.",
        "locate": "Show who is in a photo, and where.",
        "write-metadata": "Write captions and names into sidecars beside your photos, for other programs.",
        "duplicates": "List duplicate, near-duplicate and burst photos.",
        "problems": "List files that could not be read, with the reason.",
    },
    "People, pets and things": {
        "add-concept": "Give a name to a person, pet or thing, using a few photos of them.",
        "people": "Show the people in your photos who have no name yet.",
        "import-names": "Take over the people and pets that other programs have named in your photos.",
        "tune": "Train all names together on their reference photos, to recognize them better.",
        "concepts": "List the people, pets and things that have a name.",
        "who": "Show who is in a photo, or correct it.",
        "review": "Confirm or deny the names that photopal is least sure of, one by one.",
        "why": "Explain why somebody is, or is not, said to be in a photo.",
        "rename-concept": "Rename a person, pet or thing.",
        "merge-concepts": "Merge two names of the same person, pet or thing into one.",
        "split-concept": "Undo a merge: make a merged name a person, pet or thing of its own again.",
        "remove-reference": "Remove single reference photos of a person, pet or thing.",
        "remove-concept": "Remove a person, pet or thing.",
        "restore-concept": "Restore a removed person, pet or thing.",
    },
    "Backup and undo": {
        "verify": "Check the library for damage and missing files.",
        "undo": "Undo the latest change to names, reference photos, corrections, captions or dates.",
        "backup": "Back up the library to a single file.",
        "restore": "Replace the library with a backup.",
    },
    "Demo and evaluation": {
        "demo": "Create a small family library of drawn photos and try the main commands on it.",
        "eval": "Evaluate models on photos for which the right answers are known.",
    },
    "This installation": {
        "model": "Download, list, choose and remove vision-language models.",
        "status": "Show what the library contains.",
        "watch-status": "Show the progress of running watches.",
        "where": "Show all paths and settings in use, and where each comes from.",
        "doctor": "Check that everything photopal needs is installed and working.",
    },
}

# Former names, which still work and are not shown.
ALIASES = {"check": "verify"}

# Commands that have commands of their own, with the modules whose `COMMANDS` these are.
GROUPS = {"eval": ("eval", "eval_camera", "eval_dataset", "eval_report"), "model": ("model",)}


class PhotopalGroup(TyperGroup):
    """Takes global options anywhere on the line and turns whatever goes wrong into words and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the whole program and exit; with `standalone_mode=False` return the exit code of a command."""
        is_whole = extra.get("standalone_mode", True)
        extra["standalone_mode"] = False
        if not is_whole:
            return super().main(*args, **extra)
        try:
            code = super().main(*args, **extra)
            if sys.stdout is not None:
                sys.stdout.flush()
        except LineError as error:
            code = _explain_line(error)
        except OutputError as error:
            code = _explain_output(error)
        except Exception as error:  # noqa: BLE001 - what `invoke` does not see: before a command and after it
            code = _explain_crash(Session(), error, doing="photopal")
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options, also those written after the command; nothing at all asks for help."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit(ExitCode.USAGE)
        return super().parse_args(ctx, _globals_first(args))

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as photopal has them."""
        return adapt(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; leave with the error's exit code when it fails."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, LineError):
            raise
        except PhotopalError as error:
            (ctx.obj or Session()).explain(error)
            raise typer.Exit(error.exit_code) from error
        except (Exception, KeyboardInterrupt) as error:
            session = ctx.obj or Session()
            if isinstance(error, OSError) and error.errno in _NO_BUGS:
                file = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
                session.explain(PhotopalError(f"{file}{error.strerror}"))
                raise typer.Exit(PhotopalError.exit_code) from error
            if is_interrupt(error):
                session.say("Interrupted. Finished work is saved.")
                raise typer.Exit(ExitCode.INTERRUPTED) from error
            doing = f"{ctx.command_path} {ctx.invoked_subcommand or ''}".strip()
            raise typer.Exit(_explain_crash(session, error, doing=doing)) from error
        finally:
            if ctx.parent is None and ctx.obj is not None:
                ctx.obj.keep_log()


def _explain_line(error: Any) -> int:
    # How pydantic, with which typer reads values, begins its messages.
    message = error.message.removeprefix("Value error, ")
    error.message = re.sub(r"^Input should be\b", "must be", message)
    error.show(file=talk_stream())
    code: int = error.exit_code
    return code


def _explain_output(error: OutputError) -> int:
    if error.is_closed:
        return ExitCode.OK
    Session().warn(f"Error: {error}", style="bold red")
    return ExitCode.ERROR


def _explain_crash(session: Session, error: BaseException, *, doing: str) -> int:
    session.explain_crash(error, doing=doing)
    return ExitCode.ERROR


def function_of(name: str) -> Callable[..., None]:
    """Import the function of a command; a name that Python has taken ends in `_`."""
    word = name.replace("-", "_")
    module = import_module(f"photopal.cli.commands.{word}")
    function: Callable[..., None] = getattr(module, word, None) or getattr(module, f"{word}_")
    return function


class _Commands(UserDict[str, Any]):
    """The program's commands by name; each is made when it is first asked for."""

    def __init__(self) -> None:
        names = [name for commands in COMMANDS.values() for name in commands]
        super().__init__(dict.fromkeys([*names, *ALIASES]))

    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            self.data[name] = _make(name)
        return self.data[name]


def _make(name: str) -> Any:
    """Import a command and make what click runs of it, with its own commands where it has some."""
    real = ALIASES.get(name, name)
    function = function_of(real)
    program = typer.Typer(add_completion=False, rich_markup_mode=None)
    if real in GROUPS:
        program.callback(cls=PhotopalGroup, help=help_of(function))(function)
        for module in GROUPS[real]:
            for inner in import_module(f"photopal.cli.commands.{module}").COMMANDS:
                first, *_ = paragraphs_of(inner)
                program.command(name_of(inner), cls=PhotopalCommand, help=help_of(inner), short_help=first)(
                    inner
                )
    else:
        cls = QueryCommand if real in ("search", "gallery") else PhotopalCommand
        program.command(name, cls=cls, help=help_of(function), hidden=name in ALIASES)(function)
    return typer.main.get_command(program)


class Program(PhotopalGroup):
    """Knows its commands by name and imports one only when it is called or its help is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help page."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by panel."""
        width = max(len(name) for commands in COMMANDS.values() for name in commands)
        for panel, commands in COMMANDS.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), words) for name, words in commands.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete the name of a command or of a global option."""
        for commands in COMMANDS.values():
            for name, words in commands.items():
                self.commands[name] = PhotopalCommand(name, short_help=words)
        return super().shell_complete(ctx, incomplete)


app = typer.Typer(
    cls=Program,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"photopal {__version__}")
        raise typer.Exit


def start(  # noqa: PLR0913 - one parameter for each global option
    ctx: typer.Context,
    *,
    home: Annotated[
        str | None,
        typer.Option(help="Home folder with the library, banks and config file.", metavar="FOLDER"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model to use: 'bundled', a folder or a Hugging Face id.", metavar="MODEL"),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Device to use: auto, cpu, mps, cuda or cuda:N.", metavar="DEVICE")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only results and errors.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Disable colored output.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks and the output of libraries.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Caption, search and ask about your photos, using the names of your people, pets and things.

    Everything runs on this machine, unless --ray lets others help, and your photos are never changed. Global
    options can be given before or after the command.

    Examples:
      photopal index ~/Pictures
      photopal search "Rex on the beach" --since 2024
    """
    ctx.obj = Session(
        home=None if home is None else Path(home),
        model=model,
        device=device,
        is_quiet=quiet,
        has_color=not no_color,
        is_debug=debug,
    )


app.callback(help=help_of(start))(start)


def _globals_first(args: list[str]) -> list[str]:
    """Move global options in front of the command: `search x --home y` means `--home y search x`."""
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word in ("--home", "--model", "--device"):
            value = next(remaining, None)
            # Without its value it stays behind, or it would take the command's name for one.
            if value is None:
                rest.append(word)
            else:
                first += [word, value]
        elif word in ("--quiet", "-q", "--no-color", "--debug") or word.startswith(
            ("--home=", "--model=", "--device=")
        ):
            first.append(word)
        else:
            rest.append(word)
    return first + rest
