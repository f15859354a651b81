"""Writes docs/commands.md from the commands themselves; knows nothing of what commands do.

`python -m photopal.cli.reference docs/commands.md` writes the page; with `--check` it only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from photopal.cli.app import COMMANDS, app
from photopal.cli.help import paragraphs_of

_HEADING = """# Commands

This page is generated from the help texts by `python -m photopal.cli.reference docs/commands.md`.

Results go to stdout, everything else to stderr. Lists are tables on a terminal and tab-separated
lines otherwise. With `--json` they are JSON, also where nothing is found; after an error, such as
a photo that is not in the library, stdout is empty. Exit codes:

| code | meaning |
| --- | --- |
| 0 | success |
| 1 | error; the message is on stderr |
| 2 | invalid command line, name, date or configuration |
| 3 | partial success: some files could not be processed |
| 4 | nothing found |
| 130 | interrupted with Ctrl-C |
"""


def reference() -> str:
    """The whole page as Markdown."""
    group: Any = typer.main.get_command(app)
    parts = [_HEADING, "## Global options\n", *_body(group)]
    for panel, names in COMMANDS.items():
        parts.append(f"## {panel}\n")
        for name in names:
            command = group.commands[name]
            parts += [f"### {name}\n", *_body(command)]
            for inner, its in getattr(command, "commands", {}).items():
                parts += [f"#### {name} {inner}\n", *_body(its)]
    return "\n".join(parts).rstrip() + "\n"


def _body(command: Any) -> list[str]:
    parts = []
    for paragraph in paragraphs_of(command.callback):
        if paragraph.startswith("Examples:"):
            lines = [line.strip() for line in paragraph.splitlines()[1:]]
            parts.append("\n".join(["```console", *(f"$ {line}" for line in lines), "```\n"]))
        else:
            parts.append(f"{paragraph}\n")
    shown = [p for p in command.params if p.name not in _ALSO_EVERYWHERE and not getattr(p, "hidden", False)]
    rows = [_row(parameter) for parameter in shown]
    if rows:
        parts.append("\n".join(["| option | meaning |", "| --- | --- |", *rows]) + "\n")
    return parts


_ALSO_EVERYWHERE = ("help", "install_completion", "show_completion")


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        words = f"{parameter.metavar}{'…' if parameter.nargs != 1 else ''}"
    else:
        is_flag = parameter.is_bool_flag
        both = [", ".join(opts) for opts in (parameter.opts, parameter.secondary_opts) if opts]
        words = " / ".join(both) + ("" if is_flag else f" {parameter.metavar}")
    default = parameter.default
    # None, False and an empty list mean that the option is simply left out.
    note = f" Default: {default}." if default else ""
    return f"| `{words}` | {parameter.help}{note} |"


def _main(arguments: list[str]) -> int:
    is_check = "--check" in arguments
    [page] = [Path(argument) for argument in arguments if not argument.startswith("--")]
    if not is_check:
        page.write_text(reference(), encoding="utf-8")
        return 0
    if page.read_text(encoding="utf-8") == reference():
        return 0
    sys.stderr.write(f"{page} is out of date; run: python -m photopal.cli.reference {page}\n")
    return 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
