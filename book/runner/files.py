"""Files that the runner keeps: written whole or not at all, so that whatever ends the runner leaves nothing half done.

The library has a function that does the same. It is not used here, since a library that does not even import
must not bring down the runner that would say so, and importing it takes seconds that an unchanged book has no use for.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Put a text in place of a file, in one step.

    Raises:
        OSError: it could not be written; the old file, if there was one, is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def emptied(folder: Path) -> Path:
    """A new, empty folder in place of whatever stood there.

    Raises:
        OSError: what stood there could not be removed.
    """
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    folder.mkdir(parents=True)
    return folder


def sha256(path: Path) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
