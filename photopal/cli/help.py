"""How command lines are read and help pages laid out; knows nothing of what commands do."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand

# What click raises of a line that it cannot read; typer brings click with it and does not export this.
LineError: Any = typer.BadParameter.__base__


class PhotopalCommand(TyperCommand):
    """A command whose help leaves out types that say nothing to a user."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as photopal has them."""
        return adapt(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line; where a word with a dash is taken for an option, say how to give it as a word."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except LineError as error:
            option = getattr(error, "option_name", "")
            is_unknown = hasattr(error, "possibilities") and not option.startswith("--")
            word = next((word for word in given if is_unknown and word.startswith(option)), None)
            takes_words = any(param.param_type_name == "argument" for param in self.params)
            if word is not None and takes_words:
                hint = (
                    f"Put -- before words that begin with a dash: {ctx.command_path} -- {shlex.quote(word)}"
                )
                error.message += f"\nHint: {hint}"
            raise


class QueryCommand(PhotopalCommand):
    """A command whose words may begin with a minus, for what is not wanted: `search rex -garden`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line; a dash before anything but a single letter is no option but a word, with a minus."""
        params = self.get_params(ctx)
        takes_value = {
            name for p in params if p.param_type_name == "option" and not p.is_flag for name in p.opts
        }
        end = args.index("--") if "--" in args else len(args)
        words = [
            # What follows an option is its value: a number may be negative, which the option tells of.
            word if before in takes_value else re.sub("^-(?![A-Za-z]$)(?=[^-])", "−", word)
            for before, word in zip(["", *args], args[:end], strict=False)
        ]
        rest = super().parse_args(ctx, words + args[end:])
        for param in params:
            if param.param_type_name == "argument" and ctx.params.get(param.name):
                ctx.params[param.name] = [re.sub("^−", "-", word) for word in ctx.params[param.name]]
        return rest


class _Reader:
    """Reads what the line says of one option, without typer where nothing is to be converted.

    typer converts with pydantic, and to import that takes longer than most commands need in all.
    """

    def __init__(self, of_typer: Callable[[], Any]) -> None:
        self._of_typer = of_typer

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value in the type that the command declares."""
        kind = param.type_descriptor.annotation
        [kind, *_] = get_args(kind) or [kind]
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        if all(type(item) is kind for item in values):
            return () if value is None and (param.multiple or param.nargs == -1) else value
        if kind is Path and all(type(item) is str for item in values):
            return [Path(item) for item in values] if isinstance(value, list | tuple) else Path(value)
        if kind is int and isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            number, told = int(value), param.type_descriptor.parameter_info
            if (told.min is None or told.min <= number) and (told.max is None or number <= told.max):
                return number
        return self._of_typer().coerce(value, param=param, ctx=ctx)


def adapt(params: list[Any]) -> list[Any]:
    """Read values as `_Reader` does; leave the types of flags and arguments (`<list[Path]>`) out of help."""
    for param in params:
        if getattr(param, "is_bool_flag", False) or param.param_type_name == "argument":
            param.display_type_rich = lambda *, ctx: ""
        # Whether a file can be read is for the command to say: of many, the others can.
        if hasattr(getattr(param, "type", None), "readable"):
            param.type.readable = False
        if hasattr(param, "get_runtime_param"):  # not in every release of typer
            reader = _Reader(type(param).get_runtime_param.__get__(param))
            param.get_runtime_param = lambda reader=reader: reader
    return params


def name_of(command: Callable[..., Any]) -> str:
    """What a command is called on the command line: `add_concept` is `add-concept`, `eval_` is `eval`."""
    return command.__name__.strip("_").replace("_", "-")


def help_of(command: Callable[..., Any]) -> str:
    """A command's docstring as click's formatter takes it: each paragraph one line, examples left alone."""
    return "\n\n".join(
        # A line with a backspace tells click not to fold the lines below it.
        f"\b\n{paragraph}" if paragraph.startswith("Examples:") else paragraph
        for paragraph in paragraphs_of(command)
    )


def paragraphs_of(command: Callable[..., Any]) -> list[str]:
    """The paragraphs of a command's docstring; the one of examples keeps its lines."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return [text if text.startswith("Examples:") else " ".join(text.split()) for text in paragraphs]
