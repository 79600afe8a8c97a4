"""A book of two short chapters that a test may spoil."""

import contextlib
import io

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book.runner.__main__ import main

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SHOW_IMAGE = f"from IPython.display import Image\nfrom base64 import b64decode\nImage(b64decode('{PIXEL}'))"
CONFIG = """
title: A book
only_build_toc_files: true
repository: {url: "https://github.com/someone/some-book", branch: colab, path_to_book: ""}
launch_buttons: {colab_url: "https://colab.research.google.com"}
execute: {execute_notebooks: "off"}
"""
COLAB = "https://colab.research.google.com/github/someone/some-book/blob/colab"


class Book:
    """A book in a folder; `output` is what the runner last printed."""

    def __init__(self, root, names=("01-one", "02-two")):
        self.root, self.build, self.names, self.output = root, root / "_build", names, ""
        (root / "book").mkdir(parents=True)
        (root / "ptlib").mkdir()
        (root / "ptlib" / "a.py").write_text("a = 1\n", encoding="utf-8")
        (root / "requirements.txt").write_text("torch\n", encoding="utf-8")
        (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
        (root / "pyproject.toml").write_text(
            '[project]\nversion = "1.2.3"\nurls = {Repository = "https://github.com/someone/some-book"}\n',
            encoding="utf-8",
        )
        chapters = "".join(f"- file: book/{name}\n" for name in names)
        (root / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nchapters:\n{chapters}", encoding="utf-8")
        (root / "book" / "index.md").write_text("# Index\n", encoding="utf-8")
        for name in names:
            self.write(name)

    def source(self, name):
        return self.root / "book" / f"{name}.ipynb"

    def write(self, name, code="print(seed)", **metadata):
        """A chapter with one cell of interest, the last."""
        parameters = new_code_cell('profile = "pocket"\nseed = 0', metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell("# A chapter"), parameters, new_code_cell(code, metadata=metadata)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), self.source(name))

    def run(self, *arguments, only=None):
        """The exit status of the runner, for chapters alone."""
        return self.run_all("--only", *(only or self.names), *arguments)

    def run_all(self, *arguments):
        """The exit status of the runner."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = main(["--build", str(self.build), *arguments], root=self.root)
        self.output = printed.getvalue()
        return status

    def executed(self, name, profile="pocket"):
        return nbformat.read(self.build / "executed" / profile / "book" / f"{name}.ipynb", as_version=4)

    def outcomes(self):
        """What became of each chapter, from the table."""
        rows = [line.split() for line in self.output.splitlines() if line.startswith("book/")]
        return {row[0].removeprefix("book/"): row[3] for row in rows if len(row) == 4 and row[2] == "s"}


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def pretend(page, output, parameters, watch):
    """An execution without a kernel: every cell counts as run."""
    output.parent.mkdir(parents=True, exist_ok=True)
    notebook = papermill.execute_notebook(str(page.source), None, parameters=dict(parameters), prepare_only=True)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        watch(number, cell.source.splitlines()[0])
        cell.execution_count, cell.metadata["papermill"] = number, {"status": "completed"}
    nbformat.write(notebook, output)
    return notebook


@pytest.fixture
def no_kernel(monkeypatch):
    """Where the point is not what runs in a chapter."""
    monkeypatch.setattr("book.runner.kernel.execute", pretend)


def pretend_book(staged, output, root, *options):
    """A build without Sphinx: each page has the last cell of its chapter."""
    html = output / "_build" / "html"
    (html / "book").mkdir(parents=True)
    (html / "index.html").write_text("", encoding="utf-8")
    for source in (staged / "book").iterdir():
        if source.suffix in (".md", ".ipynb"):
            text = nbformat.read(source, as_version=4).cells[-1].source if source.suffix == ".ipynb" else ""
            page = f'<article>{text}<a href="{COLAB}/{source.name}"></a></article>'
            (html / "book" / f"{source.stem}.html").write_text(page, encoding="utf-8")
    return 0, "done"


@pytest.fixture
def no_sphinx(monkeypatch):
    """Where the point is not what pages look like; returns the list of the stages that were built."""
    built = []

    def build(staged, output, root, *options):
        built.append(staged)
        return pretend_book(staged, output, root, *options)

    monkeypatch.setattr("book.runner.site.jupyter_book", build)
    monkeypatch.setattr("book.runner.preview.jupyter_book", build)
    return built
