import re
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


def test_what_is_needed_is_what_the_package_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(environment.NEEDED) == {re.match(r"[\w-]+", line).group() for line in wanted}
