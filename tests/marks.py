"""Marks for some values of a parameter."""

from __future__ import annotations

from typing import Any

import pytest


def slow(*values: Any) -> list[Any]:
    """Values of a parameter that only the whole run tries; the quick one is content with the others."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]
