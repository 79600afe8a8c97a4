import tomllib

import numpy as np

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.book.published import FILE, GRADES


def test_every_figure_says_how_it_is_known():
    table = pt.book.published_accuracy()
    known = table["percent"].notna()
    assert (table["known from"].astype(bool) == known).all()
    assert set(table.loc[known, "known from"]) <= set(GRADES.values())
    assert table.loc[known, "percent"].between(0, 100).all()
    assert known.any()
    assert not known.all()


def test_nothing_in_the_file_is_lost():
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["accuracy"]["rows"]
    table = pt.book.published_accuracy()
    assert len(table) == 6 * len(rows)
    assert table["percent"].notna().sum() == sum(len(row["values"]) for row in rows)
    assert not table.duplicated(["method", "source", "target"]).any()


def test_a_gap_is_no_number():
    table = pt.book.published_accuracy().set_index(["method", "source", "target"])["percent"]
    assert np.isnan(table["random prompt", "", "BERT base"])
    assert table["transfer", "RoBERTa base", "BERT base"] == 31.3


def test_what_the_papers_say_is_graded_and_stands_beside_claims_that_chapters_make():
    for statement in tomllib.loads(FILE.read_text(encoding="utf-8"))["statements"]:
        assert statement["grade"] in GRADES
        for claim, verdict in statement["claims"].items():
            chapter, name = claim.split()
            source = (ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8")
            assert f'claim(\\n",\n    "    \\"{name}\\",\\n"' in source
            assert verdict.partition(":")[0] in ("agrees", "agrees in part", "does not agree", "not comparable")
