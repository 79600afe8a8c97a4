"""Prints the lowest versions that pyproject.toml allows, as constraints for pip, so that the bounds are no guesses."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest() -> list[str]:
    """A line for each dependency of the library and its extras."""
    about = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    bounds = [*about["dependencies"], *(line for extra in about["optional-dependencies"].values() for line in extra)]
    return [bound.replace(">=", "==") for bound in bounds]


if __name__ == "__main__":
    print("\n".join(lowest()))
