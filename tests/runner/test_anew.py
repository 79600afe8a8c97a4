"""`make anew`: everything is computed, told how far it moved, and kept."""

import os

import pytest

import ptlib as pt
from book.runner import anew
from book.runner.pages import ROOT
from ptlib.keeping import packs

TUNES = """
import sys
sys.path.insert(0, {root!r})  # the book of a test has a folder ptlib, too
import ptlib as pt
lm, task = pt.load("pocket/bert-small"), pt.relation("P36")
prompts = pt.tune_many(lm, [task], length=1, settings=pt.Settings(steps={steps}), cache=pt.keeping.default_cache())
pt.book.note("share", {share})
pt.book.note("same", 3)
"""


@pytest.fixture
def environment():
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_everything_is_computed_told_and_kept(book, capsys, environment, monkeypatch):
    (folder := book.root / anew.PROMPTS).mkdir(parents=True)
    (folder / "old.safetensors").write_bytes(b"old")
    book.write("01-one", TUNES.format(root=str(ROOT), steps=2, share=0.25))
    assert book.run() == 0
    book.write("01-one", TUNES.format(root=str(ROOT), steps=3, share=0.5))
    capsys.readouterr()
    assert anew.main(book.root) == 0
    said = capsys.readouterr().out
    assert "01-one: 1 of 2 numbers moved, by 0.25 at most\n    share: 0.25 to 0.5\n" in said
    assert "02-two: 0 of 0 numbers moved" in said
    assert [path.name for path in folder.iterdir()] == ["bert-small-free.safetensors"]
    assert not (book.build / "anew").exists()
    monkeypatch.setenv(packs.READ, str(folder))
    monkeypatch.setattr("ptlib.tuning.free.random_vectors", lambda *_: pytest.fail("tuned anew"))
    lm, options = pt.load("pocket/bert-small"), {"settings": pt.Settings(steps=3), "cache": book.root / "other"}
    assert len(pt.tune_many(lm, [pt.relation("P36")], length=1, **options)) == 1


def test_what_fails_leaves_the_prompts_as_they_are(book, environment):
    (folder := book.root / anew.PROMPTS).mkdir(parents=True)
    (folder / "old.safetensors").write_bytes(b"old")
    book.write("01-one", "1 / 0")
    assert anew.main(book.root) == 1
    assert (folder / "old.safetensors").read_bytes() == b"old"


def test_numbers_are_found_wherever_they_stand():
    before = {"a": 0.1, "claims b first 1": 0.5, "gone": 1.0}
    after = {"a": 0.2, "claims b first 1": 0.9, "new": 1.0}
    assert list(anew.moved("x", before, after)) == [
        "x: 2 of 2 numbers moved, by 0.4 at most",
        "    claims b first 1: 0.5 to 0.9",
        "    a: 0.1 to 0.2",
        "    only in one of both: gone, new",
    ]
    inner = {"a": 1, "yes": True, "none": None, "claims": {"b": {"text": "0.5", "first": [0.25, [2]]}}}
    assert dict(anew._within(inner, ())) == {"a": 1.0, "claims b first 1": 0.25, "claims b first 2 1": 2.0}
