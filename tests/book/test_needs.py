"""Without what draws and displays, one line says what to install."""

import importlib
from importlib import util

import pytest

import ptlib as pt
from ptlib.book import needs


def test_missing_packages_are_named(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(util, "find_spec", lambda name: None if name == "IPython" else object())
        with pytest.raises(pt.PromptError, match=r"IPython missing here: pip install ipython, or .* extra \[book\]"):
            importlib.reload(needs)
    assert importlib.reload(needs).missing == []
