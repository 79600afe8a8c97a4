"""Executing a chapter, only when something that it depends on has changed, and judging what came out."""

import time
from collections.abc import Callable

from book.runner.errors import BookError, in_one_line
from book.runner.gate import check
from book.runner.inputs import inputs_key, library_key
from book.runner.kept import keep, kept
from book.runner.notebooks import read_notebook
from book.runner.pages import Page
from book.runner.progress import Progress
from book.runner.run import Run, Verdict


def standing(page: Page, run: Run) -> Verdict | None:
    """The verdict without execution: the chapter stands as it is, or cannot be executed; None if it is to be."""
    try:
        return kept(page, run, inputs_key(page, run.parameters, run.root))
    except (BookError, OSError) as error:
        return _failed(page, error, 0.0)


def execute_chapter(page: Page, run: Run, progress: Progress) -> Verdict:
    """Execute a chapter and check it; whatever goes wrong becomes its verdict.

    A chapter that fails is kept under `failed/` for reading, and an earlier good copy stays as it is.
    """
    started, left = time.perf_counter(), run.unfinished(page)
    with progress.chapter(page) as watch:
        try:
            left.unlink(missing_ok=True)
            return _execute(page, run, watch)
        except Exception as error:  # whatever it is, other chapters go on
            return _failed(page, error, time.perf_counter() - started, f"; see {left}" if left.is_file() else "")


def _execute(page: Page, run: Run, watch: Callable[[int, str], None]) -> Verdict:
    # Only here, since importing papermill takes time that a book that has not changed need not wait for.
    from book.runner.kernel import check_parameters, execute

    started = time.perf_counter()
    key, library = inputs_key(page, run.parameters, run.root), library_key(run.root)
    _check_title(page)
    check_parameters(page, run.parameters)
    notebook = execute(page, run.unfinished(page), run.parameters, watch)
    check(notebook, page.name, run.parameters)
    if library_key(run.root) != library:
        raise BookError(f"{page.name}: the library was changed while it ran; run again")
    return keep(page, run, key, time.perf_counter() - started)


def _check_title(page: Page) -> None:
    cells = read_notebook(page.source).cells
    if not cells or cells[0].cell_type != "markdown":
        raise BookError(f"{page.name}: does not begin with a cell of Markdown; put the title there")


def _failed(page: Page, error: Exception, seconds: float, see: str = "") -> Verdict:
    problem = in_one_line(error) + see
    if not problem.startswith(page.name):
        problem = f"{page.name}: {problem}"
    return Verdict(page.name, seconds, "failed", problem)
