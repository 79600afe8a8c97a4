"""What the README, the docstrings and the page on extending the library show is executed as it stands.

Needs nothing of the repository but the texts, so that it can be run on an installed copy of the library too.
"""

import contextlib
import doctest
import importlib
import io
import json
import pkgutil
import re
from pathlib import Path

import pytest

import ptlib

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = ROOT / "book" / "add-your-own.md"


def blocks(text, language):
    return [code for found, code in BLOCK.findall(text) if found == language]


def execute(codes, where):
    """What some pieces of code print, one after the other in one namespace."""
    scope = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for number, code in enumerate(codes, start=1):
            exec(compile(code, f"{where}, piece {number}", "exec"), scope)
    return scope, printed.getvalue()


def modules():
    """All modules of the library but those that are programs."""
    found = pkgutil.walk_packages(ptlib.__path__, "ptlib.")
    return ["ptlib", *(about.name for about in found if not about.name.endswith("__main__"))]


def documented():
    """The docstrings that hold examples, by name; each where it is written, and not where it is handed on."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = (test for name in modules() for test in finder.find(importlib.import_module(name)))
    return {test.name: test for test in found if test.examples}


def test_the_readme_s_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope, printed = execute(blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python"), "README.md")
    scores = [float(score) for score in re.findall(r"^([01]\.\d\d) \(", printed, re.MULTILINE)]
    assert len(scores) == 2
    assert scores[0] > 0.9
    assert scores[1] > 0.5
    assert "name the language that the person spoke" in printed.splitlines()[-1]
    assert ptlib.load_prompt("capital.safetensors").task == scope["capital"].name


def test_docstrings_have_examples():
    assert len(documented()) >= 4


def test_the_examples_of_docstrings_give_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for test in documented().values():
            runner.run(test, clear_globs=True)
    assert not runner.failures, said.getvalue()


def test_methods_tasks_and_families_of_one_s_own():
    text, _, _ = PAGE.read_text(encoding="utf-8").partition("## A chapter")
    scope, _ = execute(blocks(text, "python"), PAGE.name)
    target, capital = scope["roberta"], scope["capital"]
    assert scope["moved"].settings | {"sources": ""} == {
        "method": "sharp sum",
        "options": "{'power': 4}",
        "sources": "",
        "selection": "none",
    }
    assert ptlib.accuracy(target, capital, scope["moved"]).value > 0.5
    assert scope["picked"].settings["selection"] == "dev"
    assert scope["asked"].task == "P36-turned"
    assert scope["arrived"].dim == scope["mine"].dim == 64


@pytest.mark.book
def test_a_chapter_of_one_s_own(tmp_path, monkeypatch):
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    from book.runner.__main__ import main

    _, _, text = PAGE.read_text(encoding="utf-8").partition("## A chapter")
    parameters, *rest = blocks(text, "python")
    (about,), (line,) = blocks(text, "json"), blocks(text, "yaml")
    cells = [new_markdown_cell("# How long?"), new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    cells += [new_code_cell(code) for code in rest]
    cells[-1].metadata.update(json.loads(about))
    name = re.search(r"book/(\S+)", line)[1]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "book").mkdir()
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "book" / f"{name}.ipynb")
    (tmp_path / "book" / "index.md").write_text("# Index\n", encoding="utf-8")
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nchapters:\n{line}", encoding="utf-8")
    (tmp_path / "ptlib").symlink_to(ROOT / "ptlib")
    for file in ("requirements.txt", "_config.yml", "pyproject.toml"):
        (tmp_path / file).symlink_to(ROOT / file)
    (command,) = [code for code in blocks(text, "sh") if "book.runner" in code]
    arguments = command.split()[3:]
    build = tmp_path / "_build"
    monkeypatch.setenv("PTLIB_CACHE", str(build))
    assert main([*arguments, "--build", str(build)], root=tmp_path) == 0
    noted = json.loads((build / "results" / "smoke" / f"{name}.json").read_text(encoding="utf-8"))
    assert 0 < noted["longest"] <= 1
