"""Results: the numbers and figures that a chapter noted, for tests and for other pages."""

import ast
from base64 import b64decode
from collections.abc import Iterator

from nbformat import NotebookNode

RECORD = "application/papermill.record/"


def results(notebook: NotebookNode) -> dict[str, object]:
    """Every plain value that an executed notebook noted with `ptlib.note`, by name; None for what is not a number."""
    records = _records(notebook)
    noted = {name: _value(data[RECORD + "text/plain"]) for name, data in records if not _is_figure(data)}
    claimed = claims(notebook)
    return noted | {"claims": claimed} if claimed else noted


def claims(notebook: NotebookNode) -> dict[str, dict]:
    """Every claim that an executed notebook made with `ptlib.book.claim`, by name, with its verdict and its numbers."""
    outputs = [output.get("metadata", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return {about["scrapbook"]["name"]: dict(about["claim"]) for about in outputs if "claim" in about}


def figures(notebook: NotebookNode) -> dict[str, bytes]:
    """Every figure that an executed notebook noted with `ptlib.notebook.note_figure`, by name, as PNG."""
    return {name: b64decode(data[RECORD + "image/png"]) for name, data in _records(notebook) if _is_figure(data)}


def _records(notebook: NotebookNode) -> Iterator[tuple[str, dict[str, str]]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                yield name, output["data"]


def _value(text: str) -> object:
    """What was noted; the mean of nothing is written as nan."""
    return None if text in ("nan", "inf", "-inf") else ast.literal_eval(text)


def _is_figure(data: dict[str, str]) -> bool:
    return RECORD + "image/png" in data
