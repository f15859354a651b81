"""The placeholders that stand for concepts in a prompt; knows no torch and no tokenizer.

A concept in a prompt is a *slot*: one identifier token, which stands for its name, and up to 32 soft tokens.
Names themselves never appear in a prompt, so no name can be mistaken for words or for control tokens.
"""

from __future__ import annotations

import re

SLOTS = 16
"""How many concepts one prompt can hold."""

SOFT_TOKENS = 32
"""How many soft tokens one concept can have."""

NAME_PATTERN = re.compile(r"<\|name:(\d+)\|>")
"""Matches the identifier placeholder of a slot; group 1 is the slot."""

PLACEHOLDER_PATTERN = re.compile(r"<\|(?:name:\d+|token:\d+:\d+)\|>")
"""Matches any concept placeholder."""


def name_placeholder(slot: int) -> str:
    """The identifier placeholder of a slot, for example `<|name:0|>`.

    Raises:
        ValueError: The slot is not in 0..15.
    """
    if not 0 <= slot < SLOTS:
        raise ValueError(f"slot {slot} is not in 0..{SLOTS - 1}")
    return f"<|name:{slot}|>"


def token_placeholder(slot: int, index: int) -> str:
    """The placeholder of a slot's soft token, for example `<|token:0:5|>`.

    Raises:
        ValueError: The slot is not in 0..15 or the index not in 0..31.
    """
    if not 0 <= slot < SLOTS:
        raise ValueError(f"slot {slot} is not in 0..{SLOTS - 1}")
    if not 0 <= index < SOFT_TOKENS:
        raise ValueError(f"soft token {index} is not in 0..{SOFT_TOKENS - 1}")
    return f"<|token:{slot}:{index}|>"


def all_placeholders() -> list[str]:
    """Every placeholder: first the identifiers by slot, then the soft tokens by slot and index."""
    names = [name_placeholder(slot) for slot in range(SLOTS)]
    tokens = [token_placeholder(slot, index) for slot in range(SLOTS) for index in range(SOFT_TOKENS)]
    return names + tokens
