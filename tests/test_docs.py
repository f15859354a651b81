"""The pages say what is so: commands exist, links lead somewhere, the command page is up to date."""

import re
from pathlib import Path

import pytest

from photopal.cli.app import COMMANDS
from photopal.cli.reference import reference

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND_NAMES = {name for commands in COMMANDS.values() for name in commands}
GLOBAL_OPTION = re.compile(r"--(?:home|model|device)[ =]\S+|--quiet|-q|--no-color")
SETUP_LINE = re.compile(r"^python3 -m venv .*$", re.MULTILINE)


def code_blocks(page: Path) -> str:
    return "\n".join(re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_pages_exists(page):
    for line in code_blocks(page).splitlines():
        for words in re.findall(r"(?:^|bin/|\$ |; )photopal (.*)", line):
            first = GLOBAL_OPTION.sub("", words).split()[0]
            assert first in COMMAND_NAMES or first.startswith("--"), f"{page.name}: photopal {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_command_page_is_what_the_commands_say():
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m photopal.cli.reference docs/commands.md"


def test_every_option_of_the_command_page_names_its_value_and_its_opposite():
    page = reference()
    assert "None`" not in page
    assert "| `--of KIND` |" in page
    assert "| `--sidecars / --no-sidecars` |" in page


def test_the_readme_has_exactly_two_set_up_lines():
    lines = SETUP_LINE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(lines) == 2
    assert lines[0].endswith("photopal demo")
    assert '".[dev]"' in lines[1]
    assert lines[1].endswith("pytest -n auto")
    assert all("-c constraints.txt" in line for line in lines)
    assert lines[1] in (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")


def test_every_page_is_reached_from_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.name in ("README.md", "index.md") or f"({page.name})" in index


def test_the_settings_page_names_every_key_and_variable():
    from photopal.config import CONFIG_KEYS

    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for key in CONFIG_KEYS:
        assert f"{key} = " in page
        assert f"PHOTOPAL_{key.upper()}" in page
    assert "PHOTOPAL_HOME" in page


def test_the_help_of_where_and_the_settings_page_name_every_value():
    from photopal.cli.commands.where import where
    from photopal.config import CONFIG_KEYS, DTYPES, PICTURES, SIDECAR_NAMES

    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for value in (*DTYPES, *PICTURES, *SIDECAR_NAMES):
        assert f'"{value}"' in page
        assert value in where.__doc__
    assert all(key in where.__doc__ for key in CONFIG_KEYS)
