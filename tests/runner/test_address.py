"""The repository's address stands in pyproject.toml; everything else follows."""

import re
import shutil

import nbformat
import yaml

from book.runner.address import carry, holders
from book.runner.pages import ROOT, pages, repository


def test_every_file_has_the_address_of_pyproject():
    assert yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"] == repository()
    for chapter in (page.source for page in pages() if page.is_chapter):
        cells = [
            cell for cell in nbformat.read(chapter, as_version=4).cells if "colab" in cell.metadata.get("tags", [])
        ]
        assert len(cells) == 1, f"{chapter} needs one cell tagged colab"
        assert re.search(r"git\+(\S+)\"", cells[0].source)[1] == repository()


def test_every_file_that_has_an_address_is_carried_to():
    known = set(holders())
    for file in [*ROOT.glob("*.*"), *(ROOT / "book").glob("*.*")]:
        if file.suffix in {".md", ".yml", ".ipynb"} and repository() in file.read_text(encoding="utf-8"):
            assert file in known


def test_a_new_address_reaches_every_file(tmp_path):
    for file in ["pyproject.toml", "_config.yml", "README.md"]:
        shutil.copy(ROOT / file, tmp_path)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("runner"))
    project = tmp_path / "pyproject.toml"
    new = "https://github.com/nobody/nothing"
    project.write_text(project.read_text(encoding="utf-8").replace(repository(), new), encoding="utf-8")
    carry(tmp_path)
    for file in holders(tmp_path):
        text = file.read_text(encoding="utf-8")
        assert repository() not in text
        assert new in text
    assert carry(tmp_path) == []
