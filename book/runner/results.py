"""Results: the numbers and figures that a chapter noted, for tests and for other pages."""

import ast
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from book.runner.errors import BookError

RECORD = "application/papermill.record/"


def results(notebook: NotebookNode) -> dict[str, object]:
    """Every plain value that an executed notebook noted with `ptlib.note`, by name; None for what is not a number.

    Raises:
        BookError: something else than a plain value was noted.
    """
    records = _records(notebook)
    noted = {name: _value(name, data.get(RECORD + "text/plain", "")) for name, data in records if not _is_figure(data)}
    claimed = claims(notebook)
    return noted | {"claims": claimed} if claimed else noted


def claims(notebook: NotebookNode) -> dict[str, dict]:
    """Every claim that an executed notebook made with `ptlib.book.claim`, by name, with its verdict and its numbers."""
    outputs = [output.get("metadata", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return {about["scrapbook"]["name"]: dict(about["claim"]) for about in outputs if "claim" in about}


def noted_twice(notebook: NotebookNode) -> list[str]:
    """Names under which an executed notebook noted more than one thing."""
    return [name for name, times in Counter(name for name, _ in _records(notebook)).items() if times > 1]


def figures(notebook: NotebookNode) -> dict[str, bytes]:
    """Every figure that an executed notebook noted with `ptlib.book.note_figure`, by file name: as PNG and as SVG.

    Raises:
        BookError: a figure is damaged.
    """
    noted = [(name, data) for name, data in _records(notebook) if _is_figure(data)]
    images = {f"{name}.png": _image(name, data[RECORD + "image/png"]) for name, data in noted}
    drawings = {f"{name}.svg": data.get(RECORD + "image/svg+xml", "").encode() for name, data in noted}
    return images | {name: drawing for name, drawing in drawings.items() if drawing}


def _records(notebook: NotebookNode) -> Iterator[tuple[str, dict[str, str]]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                yield name, output["data"]


def _value(name: str, text: str) -> object:
    """What was noted; the mean of nothing is written as nan."""
    try:
        return None if text in ("nan", "inf", "-inf") else ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise BookError(
            f"noted {name!r} as {text!r}; note a plain value, such as a number or a list of numbers"
        ) from error


def _image(name: str, text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError as error:
        raise BookError(f"noted the figure {name!r} with an image that is damaged; note a matplotlib figure") from error


def _is_figure(data: dict[str, str]) -> bool:
    return RECORD + "image/png" in data
