"""Picks the concepts of a drawn scenario: nobody training saw, each with a name; draws no photo."""

from __future__ import annotations

import random
from collections.abc import Set

from photopal.lab.synthetic.identity import Identity, draw_identity, draw_lookalike, is_held_out

_NAMES = """
Al Alex Alma Amir Ana Anna Anton Arno Aya Bea Ben Bo Carl Carla Cleo Clara Dana Dario Ed Edda Eli
Elin Ella Emil Emma Enzo Eva Fay Felix Finn Flo Frida Gil Gina Greta Gus Hana Hanna Hugo Ida Ines
Ira Ivan Ivo Jan Jana Jo Jon Jonas Jule Juno Kai Karl Kira Lea Leo Leon Lia Lina Liv Lotte Lou Luca
Luis Mai Maja Mara Marc Mats Max Mia Mila Milo Mina Moritz Nele Nia Nico Nina Noa Noah Nora Olga
Otto Pablo Paul Paula Pia Rafi Rex Rita Rosa Ruth Sam Sara Selma Theo Tilda Tim Timo Uma Vera Vito
Wanda Yara Yuki Zoe
"""
NAMES = tuple(_NAMES.split())


def draw_cast(rng: random.Random, size: int, used: Set[Identity], *, has_sibling: bool) -> list[Identity]:
    """Identities that training never saw and no other scenario has.

    Args:
        rng: Source of randomness.
        size: How many.
        used: Those of other scenarios.
        has_sibling: Whether the second is the first but for one attribute.
    """
    looks: list[Identity] = []
    while len(looks) < size:
        look = draw_identity(rng, held_out=True)
        new = [look]
        if has_sibling and not looks:
            sibling = _held_out_sibling(look, rng)
            new = [] if sibling is None else [look, sibling]
        if not any(one in used or one in looks for one in new):
            looks += new
    return looks


def name_of(number: int) -> str:
    """The name of the n-th concept of a dataset; some stand within others, as "Al" in "Alex"."""
    again, place = divmod(number, len(NAMES))
    return NAMES[place] + (str(again + 1) if again else "")


def _held_out_sibling(look: Identity, rng: random.Random) -> Identity | None:
    """A lookalike that training never saw either, where there is one."""
    for _ in range(300):
        sibling = draw_lookalike(look, rng, held_out=None)
        if is_held_out(sibling):
            return sibling
    return None
