"""Executing chapters with papermill, each only when something that it depends on has changed."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode

from book.runner.gate import check
from book.runner.pages import ROOT, BookError, Page, inputs_key
from ptlib.keeping.files import write_atomically

CELL_TIMEOUT = 1_800  # seconds


@dataclass(frozen=True)
class Verdict:
    """What became of a chapter.

    Attributes:
        page: its name.
        seconds: how long its execution took, when it was last executed.
        outcome: "executed", "unchanged" or "failed".
        problem: what is wrong, if it failed.
    """

    page: str
    seconds: float
    outcome: str
    problem: str = ""


@dataclass(frozen=True)
class Executed:
    """Where the executed copy of a chapter, and the note of what it was made from, are kept."""

    notebook: Path
    note: Path
    failed: Path

    @classmethod
    def of(cls, page: Page, build: Path, profile: str) -> "Executed":
        """The places of a page."""
        folder = build / "executed" / profile
        return cls(folder / f"{page.name}.ipynb", folder / f"{page.name}.json", build / "failed" / f"{page.name}.ipynb")

    def kept(self, key: str) -> Verdict | None:
        """The verdict of the last execution, if it passed and was made from the same inputs."""
        if not (self.note.exists() and self.notebook.exists()):
            return None
        note = json.loads(self.note.read_text(encoding="utf-8"))
        return Verdict(**{**note["verdict"], "outcome": "unchanged"}) if note["key"] == key else None


def run_chapter(page: Page, build: Path, parameters: dict[str, object], root: Path = ROOT) -> Verdict:
    """Execute a chapter and check it, unless it stands already executed from the same inputs.

    A chapter that fails is kept under `failed/` for reading, and an earlier good copy stays as it is.
    """
    places = Executed.of(page, build, str(parameters["profile"]))
    key = inputs_key(page, parameters, root)
    if verdict := places.kept(key):
        return verdict
    started = time.perf_counter()
    try:
        _check_parameters(page, parameters)
        notebook = _papermill(page, places.failed, parameters, build, root)
        check(notebook, page.name, parameters)
    except BookError as error:
        return Verdict(page.name, time.perf_counter() - started, "failed", f"{error}; see {places.failed}")
    verdict = Verdict(page.name, time.perf_counter() - started, "executed")
    places.notebook.parent.mkdir(parents=True, exist_ok=True)
    places.failed.replace(places.notebook)
    note = json.dumps({"key": key, "verdict": asdict(verdict)})
    write_atomically(places.note, lambda file: file.write_text(note, encoding="utf-8"))
    return verdict


def _check_parameters(page: Page, parameters: dict[str, object]) -> None:
    """Papermill only logs a parameter that a notebook does not have."""
    try:
        known = set(papermill.inspect_notebook(str(page.source)))
    except ValueError as error:
        raise BookError(f"{page.name}: {error}") from error
    if unknown := sorted(set(parameters) - known):
        raise BookError(f"{page.name}: has no parameter {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}")


def _papermill(page: Page, output: Path, parameters: dict[str, object], build: Path, root: Path = ROOT) -> NotebookNode:
    output.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "PYTHONPATH": str(root),
        "PTLIB_CACHE": str(build / "prompts"),
        "TQDM_DISABLE": "1",
        "PYTHONWARNINGS": "ignore:IProgress not found",  # bars are off, so the widgets for them are not missed
        "HF_HUB_OFFLINE": "0" if parameters["profile"] == "paper" else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    os.environ.update(settings)
    try:
        papermill.execute_notebook(
            str(page.source),
            str(output),
            parameters=parameters,
            kernel_name="python3",
            cwd=str(page.source.parent),
            execution_timeout=None if parameters["profile"] == "paper" else CELL_TIMEOUT,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            progress_bar={"desc": f"{page.name}, cells", "leave": False},
        )
    except papermill.PapermillExecutionError as error:
        first = error.source.strip().splitlines()[0] if error.source.strip() else ""
        cell = f"cell {error.exec_count} ({first})"
        raise BookError(f"{page.name}, {cell}: {error.ename}: {error.evalue.splitlines()[0]}") from error
    return nbformat.read(output, as_version=4)
