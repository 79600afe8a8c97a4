"""JSON lines: rows of a file, each with what it must have."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ptlib.errors import PromptError


def read_rows(path: Path, needed: Mapping[str, type]) -> Iterator[dict]:
    """The rows of a file of JSON lines, or none if there is no such file; empty lines are no rows.

    Raises:
        PromptError: a row that is no JSON, or lacks something that is needed; names file and line.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise PromptError(f"{path}, line {number}: no JSON ({error})") from error
            if not isinstance(row, dict) or not all(isinstance(row.get(key), kind) for key, kind in needed.items()):
                wanted = ", ".join(f"{key} ({kind.__name__})" for key, kind in needed.items())
                raise PromptError(f"{path}, line {number}: expected {wanted}, found {line.strip()[:80]!r}")
            yield row
