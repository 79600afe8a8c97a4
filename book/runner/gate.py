"""The gate: what must be true of an executed chapter before it becomes a page."""

from nbformat import NotebookNode

from book.runner.errors import BookError, first_line, named
from book.runner.results import claims, noted_twice
from book.runner.run import REAL


def check(notebook: NotebookNode, page: str, parameters: dict[str, object]) -> None:
    """Look through an executed notebook.

    Raises:
        BookError: an error in the outputs, a cell that did not run or ran out of order, other parameters than were
            asked for, an image without alt text, or a warning, except on real models, since real data may bring some
            and hours of work would be lost; names the page and the cell. Or a name that is noted twice. Or a
            claim that does not hold; names the page, the sentence and the numbers.
    """
    given = notebook.metadata.get("papermill", {}).get("parameters", {})
    if given != parameters:
        raise BookError(f"{page}: was executed with {given}, not with {parameters}")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        where = f"{page}, cell {number} ({first_line(cell.source) or 'empty'})"
        if not cell.source.strip():
            raise BookError(f"{where}: has nothing in it; delete it")
        for output in cell.outputs:
            _check_output(output, cell, where, quiet=parameters.get("profile") not in REAL)
        if cell.metadata.get("papermill", {}).get("status") != "completed":
            raise BookError(f"{where}: did not run to its end")
        if cell.execution_count != number:
            raise BookError(f"{where}: ran as number {cell.execution_count}")
    if twice := noted_twice(notebook):
        raise BookError(f"{page}: notes {twice[0]!r} more than once; a text that quotes it could mean either")
    _check_claims(notebook, page, parameters.get("profile"))


def _check_claims(notebook: NotebookNode, page: str, profile: object) -> None:
    """Every claim has to hold in the profiles that it was written for."""
    false = [about for about in claims(notebook).values() if not about["holds"] and profile in about["profiles"]]
    if false:
        said = "; ".join(f"{about['sentence']} ({', '.join(about['numbers'])})" for about in false)
        raise BookError(f"{page}: does not hold: {said}")


def _check_output(output: NotebookNode, cell: NotebookNode, where: str, *, quiet: bool) -> None:
    if output.output_type == "error":
        raise BookError(f"{where}: {named(output.ename, output.evalue)}")
    if quiet and output.output_type == "stream" and output.name == "stderr" and output.text.strip():
        raise BookError(f"{where}: wrote to stderr: {first_line(output.text)}")
    is_image = any(mime.startswith("image/") for mime in output.get("data", {}))
    if is_image and not cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip():
        raise BookError(f"{where}: shows an image without alt text; give it in metadata.mystnb.image.alt")
