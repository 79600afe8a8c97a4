"""One runner at a time in a build folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from book.runner.errors import BookError, first_line


@contextmanager
def locked(build: Path) -> Iterator[None]:
    """Hold a build folder, made if need be, against other runners.

    The lock belongs to the process and not to the file, which stays: however a holder dies, its lock is gone.

    Raises:
        BookError: another runner holds it; says which, and since when.
        OSError: the folder cannot be made or written to.
    """
    build.mkdir(parents=True, exist_ok=True)
    with (build / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = first_line(file.read()) or "another process"
            raise BookError(
                f"{build}: in use by {holder}; wait until it is done, or give another folder with --build"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M:%S}\n")
        file.flush()
        yield
