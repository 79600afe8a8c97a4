"""What someone who watches is shown: which chapters run, where they stand, and how long it will take."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from book.runner.errors import BookError
from book.runner.notebooks import read_notebook
from book.runner.pages import Page

_BETWEEN = " | "


@dataclass
class _Running:
    """A chapter that runs: since when, and its cell."""

    since: float
    cells: int
    cell: int = 0
    doing: str = ""


@dataclass
class Progress:
    """One line that changes on a terminal, a line for each cell elsewhere; told by several threads at once.

    Attributes:
        stream: where the lines go.
        expected: the seconds that each chapter which is to be executed took last time; None where that is not known.
        jobs: how many chapters run at a time.
        is_silent: whether nothing is to be shown any more, since the run is being stopped.
    """

    stream: TextIO
    expected: Mapping[str, float | None]
    jobs: int = 1
    is_silent: bool = False
    _running: dict[str, _Running] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def chapter(self, page: Page) -> Iterator[Callable[[int, str], None]]:
        """Show a chapter while it runs; gives what is to be told of each cell that starts."""

        def watch(cell: int, line: str) -> None:
            with self._lock:
                running.cell, running.doing = cell, line.lstrip("#% ")
                self._show(page.name)

        running = _Running(time.monotonic(), _cells(page))
        with self._lock:
            self._running[page.name] = running
        try:
            yield watch
        finally:
            with self._lock:
                self._running.pop(page.name)
                self._done.add(page.name)

    def say(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._write(("\r\x1b[K" if self._is_terminal else "") + text + "\n")

    def minutes_left(self) -> float | None:
        """By the last run's measure; None where a chapter has never been measured."""
        now = time.monotonic()
        left = []
        for name, seconds in self.expected.items():
            if name in self._done:
                continue
            if seconds is None:
                return None
            spent = now - self._running[name].since if name in self._running else 0.0
            left.append(max(seconds - spent, 0.0))
        return max(sum(left) / self.jobs, *left, 0.0) / 60

    @property
    def _is_terminal(self) -> bool:
        return self.stream.isatty()

    def _show(self, name: str) -> None:
        minutes = self.minutes_left()
        left = "" if minutes is None else f"{minutes:.0f} min left  " if minutes >= 1 else "less than a minute left  "
        if self._is_terminal:
            each = (shutil.get_terminal_size().columns - len(left)) // len(self._running) - len(_BETWEEN)
            shown = [_words(*chapter)[:each].ljust(each) for chapter in self._running.items()]
            self._write("\r\x1b[K" + left + _BETWEEN.join(shown))
        else:
            self._write(f"{left}{_words(name, self._running[name])}\n")

    def _write(self, text: str) -> None:
        if self.is_silent:
            return
        # That nobody reads any more, or not in these letters, is no reason to stop.
        with suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()


def _words(name: str, running: _Running) -> str:
    if not running.cell:
        return f"{Path(name).name}, starting"
    return f"{Path(name).name}, cell {running.cell} of {running.cells}: {running.doing or 'empty'}"


def _cells(page: Page) -> int:
    """How many cells of code will run: papermill adds one with the parameters."""
    try:
        return 1 + sum(cell.cell_type == "code" for cell in read_notebook(page.source).cells)
    except BookError:
        return 0  # what is wrong is said by the verdict
