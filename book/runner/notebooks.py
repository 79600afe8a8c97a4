"""Reading notebooks, of which any may be damaged."""

import json
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from book.runner.errors import BookError, first_line


def read_notebook(path: Path) -> NotebookNode:
    """A notebook in the form of version 4.

    Raises:
        BookError: the file is missing, is no UTF-8, no JSON, or no notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if not isinstance(json.loads(text), dict):
            raise BookError(f"{path}: JSON, but not a notebook; restore the file")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError as error:
        raise BookError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise BookError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise BookError(f"{path}: not JSON ({error.msg}, line {error.lineno}); restore the file") from error
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        # nbformat checks little before it converts, so a wrong shape comes out as any of these.
        raise BookError(f"{path}: JSON, but not a notebook ({first_line(str(error))}); restore the file") from error
    return notebook


def in_one_piece(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Outputs in which what was printed is one piece wherever nothing else stands between; a kernel may cut anywhere.

    What shows notebooks ends a line at each cut.
    """
    joined: list[NotebookNode] = []
    for output in (each.copy() for each in outputs):
        before = joined[-1] if joined else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            joined.append(output)
    return joined


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook; not in one step, for folders that are made anew each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
