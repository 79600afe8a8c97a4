"""The stage: a copy of the book in which chapters have their outputs, ready for Jupyter Book."""

import shutil
from pathlib import Path

from nbformat import NotebookNode

from book.runner.buttons import put_settings
from book.runner.files import emptied
from book.runner.found import PAGE as FOUND
from book.runner.found import what_we_found
from book.runner.notebooks import in_one_piece, read_notebook, write_notebook
from book.runner.pages import Page
from book.runner.quotes import fill, noted
from book.runner.results import figures
from book.runner.run import Run, Verdict

STATUS = "book/status"  # the page that ends in a table of the verdicts
NOT_STAGED = ("runner", "__pycache__", ".ipynb_checkpoints")


def stage(pages: list[Page], verdicts: list[Verdict], run: Run) -> Path:
    """Lay out everything that Jupyter Book reads in an empty folder, and return that folder.

    Raises:
        BookError: an executed copy cannot be read, or a page quotes what was not noted.
        OSError: something could not be written, or the last stage not removed.
    """
    folder = bare_stage(run.build / "stage", run)
    shutil.copy(run.root / "_toc.yml", folder)
    by_page = {verdict.page: verdict for verdict in verdicts}
    values = noted(pages, sum(verdict.seconds for verdict in verdicts), run)
    for page in pages:
        if page.is_chapter:
            put_chapter(page, by_page[page.name], folder, run)
        else:
            text = fill(page.name, page.source.read_text(encoding="utf-8"), values)
            if page.name == STATUS:
                text += status_table(verdicts, run.profile)
            if page.name == FOUND:
                text += what_we_found(pages, values, run.profile, run.root)
            (folder / f"{page.name}.md").write_text(text, encoding="utf-8")
    return folder


def bare_stage(folder: Path, run: Run) -> Path:
    """An empty folder with all that Jupyter Book reads but the chapters and the table of contents."""
    emptied(folder)
    _copy(run.root / "book", folder / "book")
    put_settings(run.root, folder)
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy what is no chapter; `shutil.copytree` would go on after an error, and tell of all at once."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.is_dir() and path.name not in NOT_STAGED:
            _copy(path, target / path.name)
        elif path.is_file() and path.suffix != ".ipynb":
            shutil.copy(path, target)


def put_chapter(page: Page, verdict: Verdict, folder: Path, run: Run) -> None:
    """Put an executed chapter and its figures on a stage."""
    notebook = read_notebook(run.notebook(page))
    for name, image in figures(notebook).items():
        (folder / "book" / "figures").mkdir(exist_ok=True)
        (folder / "book" / "figures" / name).write_bytes(image)
    dress(notebook, verdict, run.profile)
    write_notebook(notebook, folder / f"{page.name}.ipynb")


def dress(notebook: NotebookNode, verdict: Verdict, profile: str) -> None:
    """Make an executed notebook fit to be read: a line on time and machine, and nothing of what executed it."""
    line = f"*Executed in {verdict.seconds:.0f} seconds, profile `{profile}`, on {verdict.machine}.*"
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    first.source = f"{title}\n\n{line}\n{rest}"
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":
            cell.outputs = in_one_piece(cell.outputs)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("remove-cell")
    notebook.metadata.pop("papermill", None)


def status_table(verdicts: list[Verdict], profile: str) -> str:
    """The verdicts as a Markdown table; without what this run did, so that it changes only when a chapter does."""
    rows = [f"| [](/{v.page}) | {v.seconds:.0f} | {v.day} |" for v in verdicts]
    head = ["", f"Profile `{profile}`.", "", "| chapter | seconds | executed on |", "|---|---:|---|"]
    return "\n".join([*head, *rows, ""])
