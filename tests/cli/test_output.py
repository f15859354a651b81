"""Listings keep paths whole, on terminals of any width and elsewhere."""

import io
import json

import pytest
from rich.console import Console

from photopal.cli.output import Listing, show_json, show_listing

PATH = "/home/anna/Pictures/2024/Summer holiday in Brittany with everybody/IMG_20240703_182201 (edited).jpg"
LISTING = Listing(
    ("photo", "taken", "caption"), [(PATH, "2024-07-03", "Anna throws a ball to Rex on the beach. " * 3)]
)


def shown(width):
    written = io.StringIO()
    out = Console(file=written, width=width, force_terminal=True, color_system=None)
    show_listing(out, LISTING)
    return written.getvalue()


@pytest.mark.parametrize("width", [20, 80, 120, 160, 400])
def test_a_path_is_on_one_line_and_can_be_copied(width):
    lines = shown(width).splitlines()
    assert any(PATH in line for line in lines)
    assert "2024-07-03" in shown(width)


@pytest.mark.parametrize("width", [80, 160])
def test_what_is_no_path_is_folded(width):
    assert all(len(line) <= width for line in shown(width).splitlines() if PATH not in line)


def test_numbers_that_are_not_known_are_null_in_json():
    written = io.StringIO()
    show_json(Console(file=written), {"before": {"area": float("nan")}, "spans": [(0.5, float("inf"))]})
    told = json.loads(written.getvalue(), parse_constant=pytest.fail)
    assert told == {"before": {"area": None}, "spans": [[0.5, None]]}
