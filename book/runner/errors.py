"""What the runner says when something is wrong: always one line."""

import errno

_ADVICE = {
    errno.ENOSPC: "make room on the disk and run again",
    errno.EDQUOT: "make room on the disk and run again",
    errno.EROFS: "make it writable, or give another folder with --build",
    errno.EACCES: "make it accessible, or give another folder with --build",
    errno.EPERM: "make it accessible, or give another folder with --build",
    errno.EEXIST: "a file stands where a folder belongs; remove it, or give another folder with --build",
    errno.EISDIR: "a folder stands where a file belongs; remove it, or give another folder with --build",
    errno.ENOTDIR: "a file stands where a folder belongs; remove it, or give another folder with --build",
}


class BookError(Exception):
    """Something is wrong with the book; the message names the page, and the cell where there is one."""


def first_line(text: str) -> str:
    """The first line with something on it, or nothing."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def in_one_line(error: Exception) -> str:
    """What an exception says, with what to do where that is known."""
    if isinstance(error, BookError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        place = error.filename2 or error.filename  # where it should have gone, if it was to be renamed
        advice = _ADVICE.get(error.errno or 0)
        return (f"{place}: " if place else "") + error.strerror + (f"; {advice}" if advice else "")
    return named(type(error).__name__, str(error))


def named(kind: str, message: str) -> str:
    """An error's kind and the first line of its message, if it has any."""
    line = first_line(message)
    return f"{kind}: {line}" if line else kind
