"""Prints as pip constraints the lowest versions that the ranges of pyproject.toml admit."""

import itertools
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
project = tomllib.loads(text)["project"]
for line in itertools.chain(project["dependencies"], *project["optional-dependencies"].values()):
    requirement = Requirement(line)
    lowest = [part.version for part in requirement.specifier if part.operator == ">="]
    if lowest:
        print(f"{requirement.name}=={lowest[0]}")
