"""Prints as pip constraints the lowest versions that the ranges of pyproject.toml admit."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
for line in project["dependencies"] + project["optional-dependencies"]["dev"]:
    requirement = Requirement(line)
    lowest = [part.version for part in requirement.specifier if part.operator == ">="]
    if lowest:
        print(f"{requirement.name}=={lowest[0]}")
