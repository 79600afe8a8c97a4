"""What the executed copy of a chapter depends on, as one hash."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from book.runner.files import sha256
from book.runner.notebooks import read_notebook
from book.runner.pages import Page

# Environment variables that name a folder or a file with data that chapters read.
DATA = ("PTLIB_LAMA", "PTLIB_CLASSIFICATION", "PTLIB_TOKENIZERS", "PTLIB_REAL_MODELS")


def inputs_key(page: Page, parameters: Mapping[str, object], root: Path) -> str:
    """A hash of all that the executed copy of a chapter depends on.

    These are its cells, every file of `ptlib`, the requirements, the parameters (the profile is one), and the data
    that environment variables name: their files' names, sizes and times, since they may be too large to read.

    Raises:
        BookError: the chapter is no notebook.
    """
    digest = hashlib.sha256(repr(sorted(parameters.items())).encode())
    for cell in read_notebook(page.source).cells:
        digest.update(repr((cell.cell_type, cell.source, cell.metadata)).encode())
    digest.update(library_key(root).encode())
    for variable in DATA:
        digest.update(repr((variable, list(_listing(data_at(variable))))).encode())
    return digest.hexdigest()


def data_at(variable: str) -> Path | None:
    """The folder or file that an environment variable names, in full: chapters run in another folder."""
    named = os.environ.get(variable)
    return Path(os.path.abspath(os.path.expanduser(named))) if named else None


def library_key(root: Path) -> str:
    """A hash of the library and the requirements."""
    digest = hashlib.sha256((root / "requirements.txt").read_bytes())
    for path in sorted((root / "ptlib").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            about = path.stat()
            digest.update(f"{path.relative_to(root)} {_content(path, about.st_size, about.st_mtime_ns)}".encode())
    return digest.hexdigest()


@cache
def _content(path: Path, size: int, changed: int) -> str:
    """The hash of a file, read once as long as it stays as it is: the key is asked for by every chapter."""
    return sha256(path)


def _listing(place: Path | None) -> Iterator[object]:
    """The files of a folder with their sizes and times of change, or why there are none.

    What lies in it may be links to folders elsewhere.
    """
    if not place:
        yield "not set"
    elif place.is_file():
        yield _about(place)
    elif not place.is_dir():
        yield "not there"
    else:
        for path in sorted(below for one in place.iterdir() for below in (one, *one.rglob("*"))):
            if path.is_file():
                yield str(path.relative_to(place)), *_about(path)


def _about(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns
