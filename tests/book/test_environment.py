import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
import torch

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.book import environment


def test_it_fits_on_a_screen_and_names_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PTLIB_CACHE", str(tmp_path / "not" / "made" / "yet"))
    found = pt.book.check_env()
    text = str(found)
    assert len(text.splitlines()) <= 24
    assert torch.__version__ in text
    assert str(tmp_path) in text
    assert f"{'pocket models':14}{len(pt.models.pocket_models())}" in text
    assert found.missing == ()
    assert text.endswith("all that is needed is there")
    assert not (tmp_path / "not").exists()  # looking changes nothing


@pytest.mark.parametrize(("gone", "needed"), [("pandas", True), ("datasets", False)])
def test_it_says_what_is_missing(monkeypatch, gone, needed):
    def lacking(name):
        if name == gone:
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(environment, "version", lacking)
    found = pt.book.check_env()
    assert f"{gone:14}missing" in str(found)
    assert found.missing == ((gone,) if needed else ())


def test_what_is_needed_is_what_the_package_asks_for_and_its_extra_for_chapters():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*wanted["dependencies"], *wanted["optional-dependencies"]["book"]]
    assert set(environment.NEEDED) == {re.match(r"[\w-]+", line).group() for line in lines}


@pytest.mark.parametrize("gone", ["matplotlib", "IPython"])
@pytest.mark.parametrize("asked", ["import ptlib as pt; pt.book", "from ptlib.book.plots import dots"])
def test_without_the_extra_the_library_works_and_this_room_says_what_it_needs(gone, asked):
    script = f"""
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {gone!r}:
            raise ModuleNotFoundError(name)

import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {gone!r} else find(name, *more)
sys.meta_path.insert(0, Gone())
import ptlib
print(ptlib.word_f1("a town", "town"))
{asked}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout == "1.0\n"
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ptlib.errors.PromptError: ptlib.book draws and displays with matplotlib and IPython")
    assert f"{gone} missing here: pip install {gone.lower()}," in last
