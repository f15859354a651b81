"""How help pages are laid out: paragraphs, examples, types; knows nothing of what commands do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from rich.markup import escape
from typer.core import TyperCommand


class PhotopalCommand(TyperCommand):
    """A command whose help leaves out types that say nothing to a user."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters; flags and arguments without a type."""
        return without_types(super().get_params(ctx))


class QueryCommand(PhotopalCommand):
    """A command whose words may begin with a minus, for what is not wanted: `search rex -garden`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line; a single dash before several letters is no option but a word, with a minus sign."""
        end = args.index("--") if "--" in args else len(args)
        words = [f"−{word[1:]}" if re.match(r"-[^\W\d_-].", word) else word for word in args[:end]]
        rest = super().parse_args(ctx, words + args[end:])
        for name, value in ctx.params.items():
            if isinstance(value, list | tuple):  # which of them depends on the release of typer
                ctx.params[name] = [re.sub("^−", "-", word) for word in value]
        return rest


def without_types(params: list[Any]) -> list[Any]:
    """Blank what help would print as the type of flags (`<bool>`) and arguments (`<list[Path]>`)."""
    for param in params:
        if getattr(param, "is_bool_flag", False) or param.param_type_name == "argument":
            param.display_type_rich = lambda *, ctx: ""
    return params


def name_of(command: Callable[..., Any]) -> str:
    """What a command is called on the command line: `add_concept` is `add-concept`, `eval_` is `eval`."""
    return command.__name__.strip("_").replace("_", "-")


def help_of(command: Callable[..., Any]) -> str:
    """A command's docstring as help markup: each paragraph one line, examples indented and colored."""
    return "\n\n".join(_as_markup(paragraph) for paragraph in paragraphs_of(command))


def paragraphs_of(command: Callable[..., Any]) -> list[str]:
    """The paragraphs of a command's docstring; the one of examples keeps its lines."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return [text if text.startswith("Examples:") else " ".join(text.split()) for text in paragraphs]


def _as_markup(paragraph: str) -> str:
    if not paragraph.startswith("Examples:"):
        return escape(paragraph)
    first, *examples = paragraph.splitlines()
    # The tag stands before the blanks, or the help page would take the indentation away.
    return "\n".join([first, *(f"[cyan]  {escape(example.strip())}[/cyan]" for example in examples)])
