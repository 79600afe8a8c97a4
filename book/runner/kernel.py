"""Executing one notebook with papermill, and saying in one line what went wrong there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from book.runner.errors import BookError, first_line, in_one_line, named
from book.runner.notebooks import read_notebook
from book.runner.pages import Page
from book.runner.run import REAL

CELL_TIMEOUT = 1_800  # seconds
OUTPUT_TIMEOUT = 60  # seconds from the end of a cell until its outputs have arrived; long, for a loaded machine
Watch = Callable[[int, str], None]  # told the number of each code cell that starts, and its first line

logging.getLogger("papermill").setLevel(logging.CRITICAL)  # all that it logs is in the one line, too


@dataclass
class _Position:
    """Where an execution stands: the number of the code cell, and its first line."""

    watch: Watch
    number: int = 0
    line: str = ""

    def enter(self, cell: NotebookNode, cell_index: int) -> None:
        """Count a cell; nbclient calls this for each, also for those of text."""
        if cell.cell_type == "code":
            self.number += 1
            self.line = first_line(cell.source)
            self.watch(self.number, self.line)

    def __str__(self) -> str:
        return f"cell {self.number} ({self.line or 'empty'})" if self.number else "before its first cell"


def execute(page: Page, output: Path, parameters: Mapping[str, object], watch: Watch) -> NotebookNode:
    """Execute a chapter into the file `output`.

    Raises:
        BookError: it did not run to its end; names the cell, and what to do where that is known.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    position = _Position(watch)
    try:
        papermill.execute_notebook(
            str(page.source),
            str(output),
            parameters=dict(parameters),
            kernel_name="python3",
            # Not papermill's `cwd`, which changes the folder of the whole process, other chapters' threads included.
            resources={"metadata": {"path": str(page.source.parent)}},
            execution_timeout=None if parameters["profile"] in REAL else CELL_TIMEOUT,
            iopub_timeout=OUTPUT_TIMEOUT,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            progress_bar=False,
            on_cell_start=position.enter,
        )
    except papermill.PapermillExecutionError as error:
        raise BookError(f"{page.name}, {position}: {named(error.ename, error.evalue)}") from error
    except Exception as error:  # whatever it is, other chapters go on
        raise BookError(f"{page.name}, {position}: {_reason(error)}") from error
    finally:
        _close_loop()
    return read_notebook(output)


def _close_loop() -> None:
    """End what a kernel that died left waiting in this thread: nbclient has a loop for each thread, and leaves it."""
    loop = ensure_event_loop()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


def _reason(error: Exception) -> str:
    if isinstance(error, DeadKernelError):
        return "its kernel died, as it does where memory runs out; make memory free, or run with --jobs 1"
    if isinstance(error, CellTimeoutError):
        return f"{first_line(str(error))} Make it shorter, or split it."
    return in_one_line(error)


def check_parameters(page: Page, parameters: Mapping[str, object]) -> None:
    """Refuse what papermill would only log.

    Raises:
        BookError: the chapter does not have one of the parameters.
    """
    try:
        known = set(papermill.inspect_notebook(str(page.source)))
    except ValueError as error:
        raise BookError(f"{page.name}: {first_line(str(error))}") from error
    if unknown := sorted(set(parameters) - known):
        raise BookError(f"{page.name}: has no parameter {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
