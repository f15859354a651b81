"""Which packages photopal asks for, which are installed, and which of these were tested with it."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

CONSTRAINTS = "constraints.txt"


@dataclass(frozen=True)
class Package:
    """A package that photopal needs.

    Attributes:
        requirement: What photopal asks for, such as `transformers>=5.18,<5.25`.
        installed: The installed version, or None.
        tested: The versions photopal's checks run with, lowest first.
    """

    requirement: Requirement
    installed: Version | None
    tested: tuple[Version, ...]

    @property
    def is_in_range(self) -> bool:
        """Whether the installed version is one that photopal admits."""
        return self.installed is not None and self.requirement.specifier.contains(
            self.installed, prereleases=True
        )

    @property
    def is_tested(self) -> bool:
        """Whether the checks run with the installed version; which build of it does not matter."""
        return self.installed is not None and Version(self.installed.public) in self.tested


def required_packages(
    requirements: Sequence[str] | None = None, constraints: str | None = None
) -> Iterator[Package]:
    """The packages photopal cannot do without.

    Args:
        requirements: As in pyproject.toml; photopal's own when left out.
        constraints: The text of a constraints file; photopal's own when left out.
    """
    if requirements is None:
        requirements = importlib.metadata.requires("photopal") or ()
    newest = _pinned(_own_constraints() if constraints is None else constraints)
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        lowest = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        pinned = newest.get(canonicalize_name(requirement.name))
        tested = {*lowest, *([pinned] if pinned else [])}
        try:
            installed = Version(importlib.metadata.version(requirement.name))
        except importlib.metadata.PackageNotFoundError:
            installed = None
        yield Package(requirement, installed, tuple(sorted(tested)))


def _pinned(constraints: str) -> dict[str, Version]:
    """Versions by name, of lines such as `torch==2.13.0`."""
    pinned = {}
    for line in constraints.splitlines():
        name, is_pin, version = line.partition("#")[0].partition("==")
        if is_pin:
            pinned[str(canonicalize_name(name.strip()))] = Version(version.strip())
    return pinned


def _own_constraints() -> str:
    """The constraints file: inside the installed package, or at the top of a checkout."""
    package = importlib.resources.files("photopal")
    for file in (package / CONSTRAINTS, Path(str(package)).parent / CONSTRAINTS):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""


__all__ = ["Package", "required_packages"]
