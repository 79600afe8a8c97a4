"""What the commands that measure on real models have in common."""

import argparse
import os
import sys
from pathlib import Path


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
