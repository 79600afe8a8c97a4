"""Calling Jupyter Book."""

import os
import re
import subprocess
import sys
from pathlib import Path

from book.runner.errors import BookError, first_line
from book.runner.pages import ROOT

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def jupyter_book(staged: Path, output: Path, root: Path, *options: str) -> tuple[int, str]:
    """Build the pages of a stage into a folder; returns the exit status and the log.

    Raises:
        BookError: there is no Jupyter Book.
    """
    program = Path(sys.executable).parent / "jupyter-book"
    command = [str(program), "build", str(staged), "--path-output", str(output), *options]
    # The book's own library, and this runner, which Sphinx takes an extension from.
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, dict.fromkeys((root, ROOT))))}
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=surroundings, check=False, errors="replace"
        )
    except FileNotFoundError as error:
        raise BookError(f"{program}: no such program; install requirements.txt") from error
    return done.returncode, _COLORS.sub("", done.stdout)


def faults(status: int, log: str, file: Path) -> str:
    """One line on why a build failed: the first of the faults, or how it ended if it told none."""
    found = [line.strip() for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
    if found:
        others = f" and {len(found) - 1} more faults" if len(found) > 1 else ""
        return f"Jupyter Book: {found[0]}{others}; all are in {file}"
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    last = first_line("\n".join(reversed(log.splitlines())))
    return f"Jupyter Book {how}, its last line: {last or 'none'}; see {file}"
