"""What the commands that measure on real models have in common."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.loading import load


def options(program: str, description: str | None, models: str) -> argparse.ArgumentParser:
    """The options that all of them have; `models` says what the folders are."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("models", nargs="+", type=Path, help=models)
    parser.add_argument("--obtained", default="", help="how the models were obtained, for the record")
    parser.add_argument("--commit", default="", help="the version of this library, for the record")
    parser.add_argument("--to", type=Path, required=True, help="the file that the results go to")
    return parser


def folder_named(variable: str, what: str) -> str:
    """The folder that the environment names for some data; ends the program with one line where it names none."""
    if not (folder := os.environ.get(variable)):
        sys.exit(f"{what}: {variable} names no folder")
    return folder


def loaded(folders: Sequence[Path]) -> dict[str, LanguageModel]:
    """The models in some folders, by the names of these.

    Raises:
        PromptError: two of one name, which is all that they are told apart by, or what `load` raises.
    """
    names = [folder.name for folder in folders]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PromptError(f"two folders are named {twice[0]!r}; give each model a folder of its own name")
    return {folder.name: load(str(folder)) for folder in folders}
