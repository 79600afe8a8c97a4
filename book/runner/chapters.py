"""All chapters of a run: those that stand are left alone, the others executed, some at a time."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial

from book.runner.execute import execute_chapter, standing
from book.runner.inputs import DATA, data_at
from book.runner.kept import read_note
from book.runner.pages import Page
from book.runner.preview import preview
from book.runner.progress import Progress
from book.runner.run import Run, Verdict
from book.runner.stop import kill_children

LONG = 60  # seconds; a page of its own takes some three to make, from the chapters that run beside


def run_chapters(chapters: list[Page], run: Run, *, show_pages: bool) -> list[Verdict]:
    """Bring all chapters up to date, longest first by the last measure; returns their verdicts in the order given.

    With `show_pages`, the page of each chapter that takes its time is made as soon as it has run.
    """
    verdicts = {page.name: verdict for page in chapters if (verdict := standing(page, run))}
    rest = [page for page in chapters if page.name not in verdicts]
    expected = {page.name: note.seconds if (note := read_note(run.note(page))) else None for page in rest}
    # Those never measured go first, and of them those with most in them: they may be long.
    rest.sort(key=lambda page: (-(expected[page.name] or float("inf")), -page.source.stat().st_size))
    progress = Progress(sys.stdout, expected, run.jobs)

    def work(page: Page) -> None:
        verdict = verdicts[page.name] = execute_chapter(page, run, progress)
        progress.say(f"{page.name}: {verdict.outcome} in {verdict.seconds:.0f} s")
        shown = show_pages and verdict.outcome == "executed" and verdict.seconds > LONG
        if shown and (html := preview(page, verdict, run)):
            progress.say(f"{page.name}: its page, as it is now: {html}")

    with _surroundings(run):
        _in_threads([partial(work, page) for page in rest], run.jobs, progress)
    return [verdicts[page.name] for page in chapters]


def _in_threads(tasks: list[Callable[[], None]], jobs: int, progress: Progress) -> None:
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            wait(futures)
        except BaseException:
            progress.is_silent = True
            for future in futures:
                future.cancel()
            # A kernel that is just starting may not be there yet, so once is not enough.
            while wait(futures, timeout=0.2).not_done:
                kill_children()
            raise
    for future in futures:
        future.result()


@contextmanager
def _surroundings(run: Run) -> Iterator[None]:
    """The environment of the kernels, set before any thread starts: a process has only one."""
    settings = {
        "PYTHONPATH": str(run.root),
        "PTLIB_CACHE": str(run.build / "prompts"),
        "TQDM_DISABLE": "1",
        "PYTHONWARNINGS": "ignore:IProgress not found",  # bars are off, so the widgets for them are not missed
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "0") if run.real else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        # The C library on Linux would give memory back after each layer, and spend a tenth of the time on getting it.
        "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
        "MALLOC_TRIM_THRESHOLD_": str(2**30),
    }
    settings |= {variable: str(place) for variable in DATA if (place := data_at(variable))}
    if run.jobs > 1:
        # Chapters that run side by side share the cores. Sums over one thread and over two differ in the last digits,
        # so the number of threads must not depend on how many chapters happen to run.
        settings["OMP_NUM_THREADS"] = "1"
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
