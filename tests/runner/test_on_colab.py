"""A reader's notebook runs where there is no repository: a fresh environment, an empty folder, the library's wheel."""

import os
import re
import shutil
import site
import subprocess
import sys
import time

import pytest

from book.runner.notebooks import read_notebook, write_notebook
from book.runner.pages import ROOT, pages
from book.runner.reader import reader_notebook
from book.runner.references import references
from tests.runner.test_reader import invented

pytestmark = pytest.mark.book

RUN = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "."}}).execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The library's wheel, built beside the repository so that nothing is left in it."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "ptlib", copy / "ptlib", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(build, cwd=copy, check=True)
    return next(copy.glob("*.whl"))


@pytest.fixture
def runtime(tmp_path):
    """A Python without network that has what Colab has, pip too, but not the library; and an empty folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "runtime"], check=True)
    (packages,) = (tmp_path / "runtime").glob("lib/*/site-packages")
    (packages / "shared.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    (tmp_path / "content").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PTLIB", "PIP", "COV"))}
    surroundings = kept | {"HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def python(*arguments):
        command = [tmp_path / "runtime" / "bin" / "python", *arguments]
        return subprocess.run(
            command, cwd=tmp_path / "content", env=surroundings, capture_output=True, text=True, check=False
        )

    return python


def test_the_playground_runs_on_colab(tmp_path, wheel, runtime):
    for name in ("ptlib", "book"):
        assert "ModuleNotFoundError" in runtime("-c", f"import {name}").stderr
    page = next(page for page in pages() if page.name == "book/playground")
    install = f'%pip install -q "ptlib[book] @ {wheel.as_uri()}"'
    known = references(pages(), ROOT)
    file = tmp_path / "playground.ipynb"
    write_notebook(reader_notebook(invented(page), page.name, known, ROOT / "book", "About.", install), file)
    began = time.perf_counter()
    done = runtime("-c", RUN, str(file))
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stderr[-3000:]
    assert seconds < 90
    outputs = [output for cell in read_notebook(file).cells for output in cell.get("outputs", [])]
    tables = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert [table.count("<tr>") for table in tables] == [1 + 10, 1 + 4, 1 + 2]
    rows = re.findall(r"<td[^>]*>[^<]*, ([^<]+)</td><td[^>]*>([\d.]+) \(", tables[1])
    score = {who: float(share) for who, share in rows}
    assert score["tuned here"] > 0.9
    assert score["carried there"] > score["random vectors"] + 0.4
    assert str(tmp_path / "runtime") in runtime("-c", "import ptlib; print(ptlib.__file__)").stdout
