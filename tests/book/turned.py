"""A chapter with the sign of something in the library turned round: runs it up to the first claim that fails.

`python -m tests.book.turned 02-relative-encoding ptlib.carrying.by_relations.closed_form` executes the cells of the
chapter in the smoke profile, in this process, and prints what the gate says.
"""

import pkgutil
import sys

import matplotlib
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book.runner.gate import check
from book.runner.pages import ROOT, BookError
from ptlib.book import notes


def executed(outputs: list[NotebookNode], profile: str) -> NotebookNode:
    """A notebook that was executed in a profile, with some outputs."""
    cell = new_code_cell("a = 1", execution_count=1, metadata={"papermill": {"status": "completed"}}, outputs=outputs)
    return new_notebook(cells=[cell], metadata={"papermill": {"parameters": {"profile": profile}}})


def turn(name: str) -> None:
    """From here on a function gives the opposite of what it gave."""
    place, _, last = name.rpartition(".")
    owner = pkgutil.resolve_name(place)
    real = getattr(owner, last)
    setattr(owner, last, lambda *arguments, **options: -real(*arguments, **options))


def first_complaint(chapter: str) -> str:
    """What the gate says of a chapter in the smoke profile, after the first cell of which it says something."""
    outputs, space = [], {"get_ipython": None}
    notes.display = lambda data, raw, metadata: outputs.append(new_output("display_data", data, metadata=metadata))
    for cell in nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.id, "exec"), space)
            if "parameters" in cell.metadata.get("tags", []):
                space["profile"] = "smoke"
            try:
                check(executed(outputs, "smoke"), chapter, {"profile": "smoke"})
            except BookError as error:
                return str(error)
    return "nothing"


if __name__ == "__main__":
    matplotlib.use("agg")
    turn(sys.argv[2])
    print(first_complaint(sys.argv[1]))
