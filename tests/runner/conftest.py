"""A book of two short chapters that a test may spoil."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book.runner.__main__ import main

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SHOW_IMAGE = f"from IPython.display import Image\nfrom base64 import b64decode\nImage(b64decode('{PIXEL}'))"


class Book:
    """A book in a folder; `output` is what the runner last printed."""

    def __init__(self, root, capsys):
        self.root, self._capsys, self.output = root, capsys, ""
        (root / "book").mkdir()
        (root / "ptlib").mkdir()
        (root / "ptlib" / "a.py").write_text("a = 1\n", encoding="utf-8")
        (root / "requirements.txt").write_text("torch\n", encoding="utf-8")
        (root / "_toc.yml").write_text(
            "format: jb-book\nroot: book/index\nchapters:\n- file: book/01-one\n- file: book/02-two\n", encoding="utf-8"
        )
        (root / "book" / "index.md").write_text("# Index\n", encoding="utf-8")
        self.write("01-one")
        self.write("02-two")

    def write(self, name, code="print(seed)", **metadata):
        """A chapter with one cell of interest, the last."""
        parameters = new_code_cell('profile = "pocket"\nseed = 0', metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell("# A chapter"), parameters, new_code_cell(code, metadata=metadata)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), self.root / "book" / f"{name}.ipynb")

    def run(self, *arguments, only=("01-one", "02-two")):
        """The exit status of the runner."""
        status = main(["--build", str(self.root / "_build"), "--only", *only, *arguments], root=self.root)
        printed = self._capsys.readouterr()
        self.output = printed.out + printed.err
        return status

    def executed(self, name, profile="pocket"):
        return nbformat.read(self.root / "_build" / "executed" / profile / "book" / f"{name}.ipynb", as_version=4)


@pytest.fixture
def book(tmp_path, capsys):
    return Book(tmp_path, capsys)
