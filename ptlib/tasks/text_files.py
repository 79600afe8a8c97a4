"""Text files that readers hand in: read as UTF-8, or refused in one line."""

from pathlib import Path

from ptlib.errors import PromptError


def is_there(path: Path) -> bool:
    """Whether there is a file or folder.

    Raises:
        PromptError: it may not be looked at.
    """
    try:
        return path.exists()
    except OSError as error:
        raise PromptError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_text(path: Path) -> str:
    """The text of a file, with a byte-order mark left out and every line ending as a new line.

    Raises:
        PromptError: the file cannot be opened, or is not UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PromptError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PromptError(
            f"{path}, line {line}: not UTF-8 (byte {error.object[error.start]:#x}); save as UTF-8"
        ) from error
    if "\0" in text:  # what UTF-16 without a mark looks like
        raise PromptError(f"{path}: holds null characters, as files that are not UTF-8 do; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
