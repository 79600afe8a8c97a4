"""The stage: a copy of the book in which chapters have their outputs, ready for Jupyter Book."""

import os
import platform
import re
import shutil
from pathlib import Path

import nbformat
import torch
from nbformat import NotebookNode

from book.runner.execute import Executed, Verdict
from book.runner.pages import ROOT, Page
from book.runner.results import figures

NOT_STAGED = shutil.ignore_patterns("runner", "__pycache__", "*.ipynb", ".ipynb_checkpoints")


def stage(pages: list[Page], verdicts: list[Verdict], build: Path, profile: str, root: Path = ROOT) -> Path:
    """Lay out everything that Jupyter Book reads in an empty folder, and return that folder."""
    folder = build / "stage"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "book", folder / "book", ignore=NOT_STAGED)
    shutil.copy(root / "_toc.yml", folder)
    shutil.copy(root / "_config.yml", folder)
    by_page = {verdict.page: verdict for verdict in verdicts}
    for page in pages:
        if page.is_chapter:
            notebook = nbformat.read(Executed.of(page, build, profile).notebook, as_version=4)
            for name, image in figures(notebook).items():
                (folder / "book" / "figures").mkdir(exist_ok=True)
                (folder / "book" / "figures" / f"{name}.png").write_bytes(image)
            dress(notebook, by_page[page.name], profile)
            nbformat.write(notebook, folder / f"{page.name}.ipynb")
    status = folder / "book" / "status.md"
    status.write_text(status.read_text(encoding="utf-8") + status_table(verdicts, profile), encoding="utf-8")
    return folder


def dress(notebook: NotebookNode, verdict: Verdict, profile: str) -> None:
    """Make an executed notebook fit to be read: a line on time and machine, and nothing of papermill's doing."""
    line = f"*Executed in {verdict.seconds:.0f} seconds, profile `{profile}`, on {machine()}.*"
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    first.source = f"{title}\n\n{line}\n{rest}"
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("remove-cell")
    notebook.metadata.pop("papermill", None)


def machine() -> str:
    """The machine in a few words, for example "2 CPU cores (x86_64), Python 3.11, torch 2.13.0"."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    version = re.sub(r"\+.*", "", torch.__version__)
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{device} ({platform.machine()}), Python {python}, torch {version}"


def status_table(verdicts: list[Verdict], profile: str) -> str:
    """The verdicts as a Markdown table."""
    rows = [f"| [](/{v.page}) | {v.seconds:.0f} | {v.outcome} |" for v in verdicts]
    head = ["", f"Profile `{profile}`, on {machine()}.", "", "| chapter | seconds | last run |", "|---|---:|---|"]
    return "\n".join([*head, *rows, ""])
