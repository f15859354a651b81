"""The `photopal` program: global options, commands, errors into words; knows nothing of any one command.

To add a command, write it in a file of its own and name it once in `COMMANDS`.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from photopal import __version__
from photopal.cli.commands.add_concept import add_concept
from photopal.cli.commands.ask import ask
from photopal.cli.commands.backup import backup
from photopal.cli.commands.caption import caption
from photopal.cli.commands.concepts import concepts
from photopal.cli.commands.demo import demo
from photopal.cli.commands.doctor import doctor
from photopal.cli.commands.duplicates import duplicates
from photopal.cli.commands.edit_caption import edit_caption
from photopal.cli.commands.eval import EVAL, eval_
from photopal.cli.commands.eval_camera import CAMERA
from photopal.cli.commands.eval_dataset import DATASETS
from photopal.cli.commands.eval_report import REPORT
from photopal.cli.commands.index import index
from photopal.cli.commands.info import info
from photopal.cli.commands.locate import locate
from photopal.cli.commands.merge_concepts import merge_concepts
from photopal.cli.commands.problems import problems
from photopal.cli.commands.remove_concept import remove_concept
from photopal.cli.commands.remove_reference import remove_reference
from photopal.cli.commands.rename_concept import rename_concept
from photopal.cli.commands.restore import restore
from photopal.cli.commands.restore_concept import restore_concept
from photopal.cli.commands.search import search
from photopal.cli.commands.set_date import set_date
from photopal.cli.commands.similar import similar
from photopal.cli.commands.split_concept import split_concept
from photopal.cli.commands.status import status
from photopal.cli.commands.tune import tune
from photopal.cli.commands.undo import undo
from photopal.cli.commands.verify import verify
from photopal.cli.commands.watch_status import watch_status
from photopal.cli.commands.where import where
from photopal.cli.commands.who import who
from photopal.cli.context import Session
from photopal.cli.crash import is_interrupt
from photopal.cli.help import PhotopalCommand, QueryCommand, help_of, name_of, without_types
from photopal.cli.streams import OutputError, talk_stream
from photopal.errors import ExitCode, PhotopalError

# What a disk or its owner refuses, wherever it happens: for the user to mend, not for us.
_NO_BUGS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)

# Panel of the help page → its commands, in the order in which a newcomer meets them.
COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Photos": (
        index,
        caption,
        edit_caption,
        set_date,
        search,
        similar,
        ask,
        info,
        locate,
        duplicates,
        problems,
    ),
    "People, pets and things": (
        add_concept,
        tune,
        concepts,
        who,
        rename_concept,
        merge_concepts,
        split_concept,
        remove_reference,
        remove_concept,
        restore_concept,
    ),
    "Backup and undo": (verify, undo, backup, restore),
    "Demo and evaluation": (demo, eval_),
    "This installation": (status, watch_status, where, doctor),
}

# Former names, which still work and are not shown.
ALIASES: dict[str, Callable[..., None]] = {"check": verify}

# Commands that have commands of their own.
GROUPS: dict[str, tuple[Callable[..., None], ...]] = {"eval": (*EVAL, *CAMERA, *DATASETS, *REPORT)}


# What click raises of a line that it cannot read; typer brings click with it and does not export this.
_LineError: Any = typer.BadParameter.__base__


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
        except _LineError as error:
            code = _explain_line(error)
        except OutputError as error:
            code = _explain_output(error)
        except Exception as error:  # noqa: BLE001 - what `invoke` does not see: before a command and after it
            code = _explain_crash(Session(), error, doing="photopal")
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options, also those written after the command."""
        return super().parse_args(ctx, _globals_first(args))

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters; flags without a type."""
        return without_types(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; leave with the error's exit code when it fails."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, _LineError):
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
    from typer.rich_utils import rich_format_error

    with redirect_stderr(talk_stream()):
        rich_format_error(error)
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


app = typer.Typer(
    cls=PhotopalGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"photopal {__version__}")
        raise typer.Exit


def start(  # noqa: PLR0913 - one parameter for each global option
    ctx: typer.Context,
    *,
    home: Annotated[
        Path | None,
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

    Everything runs on this machine, and your photos are never changed. Global options can be given before or
    after the command.

    Examples:
      photopal index ~/Pictures
      photopal search "Rex on the beach" --since 2024
    """
    ctx.obj = Session(
        home=home, model=model, device=device, is_quiet=quiet, has_color=not no_color, is_debug=debug
    )


def _add(command: Callable[..., None], panel: str) -> None:
    """Add a command to the program, with its own commands where it has some."""
    name = name_of(command)
    if name not in GROUPS:
        cls = QueryCommand if command is search else PhotopalCommand
        app.command(name, cls=cls, help=help_of(command), rich_help_panel=panel)(command)
        return
    group = typer.Typer(cls=PhotopalGroup, no_args_is_help=True, rich_markup_mode="rich")
    group.callback(help=help_of(command))(command)
    for inner in GROUPS[name]:
        group.command(name_of(inner), cls=PhotopalCommand, help=help_of(inner))(inner)
    app.add_typer(group, name=name, rich_help_panel=panel)


app.callback(help=help_of(start))(start)
for _panel, _commands in COMMANDS.items():
    for _command in _commands:
        _add(_command, _panel)
for _name, _command in ALIASES.items():
    app.command(_name, cls=PhotopalCommand, help=help_of(_command), hidden=True)(_command)


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
