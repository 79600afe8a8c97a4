"""The reader's notebook of a chapter: what Colab and GitHub show of it reads as the page of the book does.

The executed copy has everything: outputs, numbers, captions. Here the numbers go into the text, captions below their
figures, code that the page hides into folds, and what only the build needs goes away.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from book.runner.bookkeeping import without_notes
from book.runner.errors import BookError
from book.runner.files import emptied
from book.runner.notebooks import in_one_piece, read_notebook, write_notebook
from book.runner.pages import Page, repository, settings, version
from book.runner.reader_text import RAW, Reader
from book.runner.references import References, references
from book.runner.results import RECORD
from book.runner.run import Run, Verdict

FOLDER = "colab"  # under the build folder, and the branch that it is published on
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
NEVER_SHOWN = {"colab", "injected-parameters"}
ABOUT = """\
*A page of {book}, as a notebook. The numbers in the text and the outputs are those of the book, executed in \
{seconds:.0f} seconds, profile `{profile}`, on {machine}. If you change something and run it, the outputs follow; \
the text does not. Code that the book hides is folded: a double click on its title opens it.*"""
GPU = """\
# @title Is there a GPU?
import torch

if torch.cuda.is_available():
    print(f"There is one: {torch.cuda.get_device_name()}.")
else:
    print("There is none, and the models that come with the book need none. For models from the hub, choose one:")
    print("menu Runtime, Change runtime type.")"""


def write_readers(pages: list[Page], verdicts: list[Verdict], staged: Path, run: Run) -> Path:
    """Write the reader's notebooks of all chapters into a new folder, and return it.

    Raises:
        BookError: the text of a chapter has what no notebook program shows; the last notebooks stay.
        OSError: something could not be written.
    """
    known, by_page = references(pages, run.root), {verdict.page: verdict for verdict in verdicts}
    install = f'%pip install -q "ptlib[book] @ git+{repository(run.root)}@v{version(run.root)}"'
    book = known.link(str(settings(run.root).get("title", "a book")), "index.html")
    made = {}
    for page in (page for page in pages if page.is_chapter):
        verdict, images = by_page[page.name], (staged / page.name).parent
        about = ABOUT.format(book=book, seconds=verdict.seconds, profile=run.profile, machine=verdict.machine)
        made[page] = reader_notebook(read_notebook(run.notebook(page)), page.name, known, images, about, install)
    folder = emptied(run.build / FOLDER)
    for page, notebook in made.items():
        write_notebook(notebook, folder / f"{Path(page.name).name}.ipynb")
    return folder


def reader_notebook(
    executed: NotebookNode, page: str, known: References, images: Path, about: str, install: str
) -> NotebookNode:
    """The reader's notebook of an executed chapter.

    Args:
        executed: the chapter, as the runner left it.
        page: its name.
        known: what its text may point to.
        images: the folder that its text names images in.
        about: what is said below the title.
        install: the line that installs the library.

    Raises:
        BookError: its text has what no notebook program shows; names the page.
    """
    reader = Reader(page, _noted(executed), known, images)
    shown = [cell for cell in executed.cells if not NEVER_SHOWN & _tags(cell)]
    title, *rest = (made for cell in shown for made in _cells(cell, reader))
    first, _, below = title.source.partition("\n")
    title.source = f"{first}\n\n{about}\n{below}"
    cells = [title, new_code_cell(install), _folded(new_code_cell(GPU)), *rest]
    metadata = {name: executed.metadata[name] for name in ("kernelspec", "language_info") if name in executed.metadata}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata | {"colab": {"provenance": []}})
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "markdown" and (raw := RAW.search(cell.source)):
            raise BookError(f"{page}: its notebook would show {raw[0].strip()!r} as it is; write it in another way")
    nbformat.validate(notebook)
    return notebook


def _noted(executed: NotebookNode) -> dict[str, Mapping[str, str]]:
    """What the chapter noted, by name: content by kind."""
    outputs = [output for cell in executed.cells for output in cell.get("outputs", []) if _is_record(output)]
    return {
        output.metadata.scrapbook.name: {kind.removeprefix(RECORD): text for kind, text in output.data.items()}
        for output in outputs
    }


def _is_record(output: NotebookNode) -> bool:
    return "scrapbook" in output.get("metadata", {})


def _cells(cell: NotebookNode, reader: Reader) -> Iterator[NotebookNode]:
    """A cell as it is shown, and what stands below it; nothing where there is nothing to see or to run."""
    if cell.cell_type == "code":
        yield from _code(cell, reader)
    elif cell.cell_type == "markdown" and "remove-cell" not in _tags(cell):
        yield new_markdown_cell(reader.text(cell.source))


def _code(cell: NotebookNode, reader: Reader) -> Iterator[NotebookNode]:
    tags, myst = _tags(cell), cell.metadata.get("mystnb", {})
    source = without_notes(cell.source)
    if not source.strip() or {"parameters", "remove-cell"} <= tags:
        return  # bookkeeping, or a parameter that the page does not show since nothing depends on it
    outputs = [] if {"remove-cell", "remove-output"} & tags else _outputs(cell)
    made = new_code_cell(source, outputs=outputs)
    if tags & FOLDED:
        made = _folded(made, _title(cell), hides_outputs="hide-cell" in tags)
    yield _folded(made) if "# @param" in source else made
    caption, alt = myst.get("figure", {}).get("caption", ""), myst.get("image", {}).get("alt", "")
    if outputs and (below := reader.below_figure(caption, alt)):
        yield new_markdown_cell(below)


def _folded(cell: NotebookNode, title: str = "", *, hides_outputs: bool = False) -> NotebookNode:
    """A cell of which Colab shows a title alone; and its outputs, unless they tell what a reader is to find out."""
    cell.source = f"# @title {title}\n{cell.source}" if title else cell.source
    cell.metadata["cellView"] = "form"
    if hides_outputs:
        cell.metadata |= {"collapsed": True, "jupyter": {"outputs_hidden": True}}
    return cell


def _title(cell: NotebookNode) -> str:
    if "solution" in _tags(cell):
        return "A solution"
    if figure := cell.metadata.get("mystnb", {}).get("figure", {}).get("name"):
        return f"The figure: {figure.replace('-', ' ')}"
    return "What is needed below" if "import ptlib" in cell.source else "What is shown below"


def _outputs(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs that are seen, with what was printed in one piece."""
    outputs = in_one_piece(each for each in cell.outputs if not _is_record(each))
    for output in outputs:
        if output.output_type == "execute_result":
            output.execution_count = None
    return outputs


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))
