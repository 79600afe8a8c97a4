"""The executed copies of chapters that are kept, each with a note that says what it was made from.

Whatever ends the runner may leave a copy without its note, or beside the note of another copy. So the note holds the
hash of the copy that it belongs to, and is written last; what does not fit together counts as never executed.
"""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nbformat import NotebookNode

from book.runner.errors import BookError
from book.runner.files import sha256, write_text
from book.runner.machine import machine
from book.runner.notebooks import read_notebook
from book.runner.pages import Page
from book.runner.results import figures, results
from book.runner.run import Run, Verdict

FORMAT = 2  # of the notes; to be raised when their meaning changes


@dataclass(frozen=True)
class Note:
    """What is noted of an executed copy.

    Attributes:
        key: the hash of what it was made from.
        notebook: its own hash.
        seconds: how long its execution took; by this the next run tells the time left.
        day: when it was executed.
        machine: on what.
        format: of the note.
    """

    key: str
    notebook: str
    seconds: float
    day: str
    machine: str
    format: int = FORMAT


def keep(page: Page, run: Run, key: str, seconds: float) -> Verdict:
    """Make the copy that was just executed the one that is kept, with its results and its note.

    Raises:
        BookError: the chapter noted what cannot be read.
        OSError: something could not be written.
    """
    source, target = run.unfinished(page), run.notebook(page)
    executed = read_notebook(source)
    noted = _results(executed)
    figures(executed)  # a damaged one is this chapter's fault, and not that of the site
    note = Note(key, sha256(source), seconds, str(date.today()), machine())
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    write_text(run.results(page), noted)
    write_text(run.note(page), json.dumps(vars(note)))
    return _verdict(page, note, "executed")


def kept(page: Page, run: Run, key: str) -> Verdict | None:
    """The verdict of the last execution, if what is kept is whole and was made from the same inputs.

    Raises:
        OSError: results that were missing could not be written.
    """
    note, copy = read_note(run.note(page)), run.notebook(page)
    if not (note and note.format == FORMAT and note.key == key and copy.is_file() and sha256(copy) == note.notebook):
        return None
    try:
        noted = _results(read_notebook(copy))
    except BookError:
        return None
    if not run.results(page).is_file() or run.results(page).read_bytes() != noted.encode():
        write_text(run.results(page), noted)
    return _verdict(page, note, "unchanged")


def read_note(path: Path) -> Note | None:
    """A note, or None if it is missing, damaged or of another shape."""
    try:
        note = Note(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    is_sound = isinstance(note.seconds, (int, float)) and all(
        isinstance(text, str) for text in (note.key, note.notebook, note.day, note.machine)
    )
    return note if is_sound else None


def _results(notebook: NotebookNode) -> str:
    return json.dumps(results(notebook), indent=1) + "\n"


def _verdict(page: Page, note: Note, outcome: str) -> Verdict:
    return Verdict(page.name, note.seconds, outcome, day=note.day, machine=note.machine)
