"""Claims: what holds, what does not, and that the gate stops a book that says what is not so."""

import json

import numpy as np
import pytest
from nbformat.v4 import new_output

import ptlib as pt
from book.runner.gate import check
from book.runner.pages import BookError
from book.runner.results import results
from ptlib.book import less, more, same
from tests.book.turned import executed

NAN = float("nan")


@pytest.fixture
def shown(monkeypatch):
    """What claims and notes put into the outputs."""
    outputs = []

    def display(data, raw, metadata):
        assert raw
        outputs.append(new_output("display_data", data, metadata=metadata))

    monkeypatch.setattr("ptlib.book.notes.display", display)
    return outputs


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        (more(0.8, 0.5, by=0.2), True),
        (more(0.8, 0.5, by=0.4), False),
        (more(0.5, 0.5), False),
        (more(NAN, 0.5), False),
        (less(0.5, 0.8, by=0.2), True),
        (less(0.8, 0.5), False),
        (less(0.5, NAN), False),
        (same(0.5, 0.51, within=0.02), True),
        (same(0.51, 0.5, within=0.02), True),
        (same(0.5, 0.6, within=0.02), False),
        (same(3, 3, within=0), True),
        (same(NAN, NAN, within=1), False),
        (more([0.8, 0.6], 0.5), True),
        (more([0.8, 0.4], 0.5), False),
        (more(np.array([[0.8], [0.4]]), [0.5, 0.3]), False),
    ],
)
def test_a_comparison_holds_when_every_pair_is_as_the_direction_says(comparison, holds):
    assert comparison.holds == holds


def test_the_pair_that_decides_is_named():
    assert str(more([0.9, 0.6, 0.8], 0.5, by=0.05)) == "0.6 > 0.5 by 0.05 (the closest of 3)"
    assert str(more([0.9, NAN], 0.5)) == "nan > 0.5 (the closest of 2)"
    assert str(same(0.51, 0.5, within=0.02)) == "0.51 = 0.5 within 0.02"


def test_a_claim_that_could_not_fail_is_refused():
    with pytest.raises(pt.PromptError, match="nothing to compare"):
        more([], 0.5)
    with pytest.raises(pt.PromptError, match="the claim 'a' compares no numbers"):
        pt.book.claim("a", "All is well.")


def test_a_claim_that_holds_is_said_and_kept(shown):
    pt.book.claim("up", "It's 0.80, more than 0.50.", more(0.8, 0.5), same(1, 1, within=0))
    check(executed(shown, "pocket"), "one", {"profile": "pocket"})
    kept = results(executed(shown, "pocket"))
    assert kept["up"] == "It's 0.80, more than 0.50."
    assert kept["claims"]["up"]["holds"] is True
    assert kept["claims"]["up"]["numbers"] == ["0.8 > 0.5", "1 = 1"]
    assert kept["claims"]["up"]["needs"][0]["direction"] == "more"


def test_a_claim_that_does_not_hold_fails_the_build_where_it_was_written_for(shown):
    pt.book.claim("fine", "This is so.", more(2, 1), profiles=("pocket",))
    pt.book.claim("up", "Up it goes.", more(0.8, 0.5), more(0.4, 0.5, by=0.1), profiles=("pocket",))
    with pytest.raises(BookError, match=r"^one: does not hold: Up it goes\. \(0\.8 > 0\.5, 0\.4 > 0\.5 by 0\.1\)$"):
        check(executed(shown, "pocket"), "one", {"profile": "pocket"})
    for elsewhere in ("smoke", "paper"):
        check(executed(shown, elsewhere), "one", {"profile": elsewhere})
    assert results(executed(shown, "paper"))["up"] == "(Does not hold here: Up it goes.)"


def test_what_is_not_a_number_can_be_sent_and_does_not_hold(shown):
    pt.book.claim("up", "Up.", more([NAN, 1], 0))
    kept = results(executed(shown, "paper"))
    assert kept["up"] == "(Not measured here.)"
    (about,) = kept["claims"].values()
    assert about["holds"] is False
    assert json.loads(json.dumps(about, allow_nan=False))["needs"][0]["first"] == [None, 1.0]


def test_the_mean_and_the_spread_are_noted_together(shown):
    pt.book.note_mean("a", np.array([0.4, 0.6]))
    pt.book.note_mean("alone", [0.5])
    noted = results(executed(shown, "pocket"))
    assert noted["a"] == pytest.approx(0.5)
    assert noted["a_spread"] == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert (noted["alone"], noted["alone_spread"]) == (0.5, 0.0)
