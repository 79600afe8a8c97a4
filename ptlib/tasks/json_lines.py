"""JSON lines: rows of a file, each with what it must have."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.tasks.text_files import is_there, read_text


def read_rows(path: Path, needed: Mapping[str, type]) -> Iterator[dict]:
    """The rows of a file of JSON lines, or none if there is no such file; empty lines are no rows.

    Texts that are needed come without the spaces around them.

    Raises:
        PromptError: a file that cannot be read, or a row that is no JSON, or lacks something that is needed, or has an
            empty text for it; names file and line.
    """
    if not is_there(path):
        return
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PromptError(f"{path}, line {number}: no JSON ({error})") from error
        if not isinstance(row, dict) or not all(type(row.get(key)) is kind for key, kind in needed.items()):
            wanted = ", ".join(f"{key} ({kind.__name__})" for key, kind in needed.items())
            raise PromptError(f"{path}, line {number}: expected {wanted}, found {line.strip()[:80]!r}")
        texts = {key: row[key].strip() for key, kind in needed.items() if kind is str}
        for key, text in texts.items():
            if not text or any("\ud800" <= letter <= "\udfff" for letter in text):
                raise PromptError(f"{path}, line {number}: {key} is {text!r}, which is no text; leave the row out")
        yield row | texts
