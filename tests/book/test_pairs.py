"""Means over pairs of models, by hand."""

import itertools
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from ptlib.book import Pairs
from ptlib.models import LanguageModel

LMS = {
    name: Mock(spec=LanguageModel, kind="causal" if name.startswith("gpt2") else "masked")
    for name in ("bert-small", "bert-large", "roberta-small", "gpt2-small")
}


@pytest.fixture
def pairs():
    """Two tasks, two seeds, each number of its own; the template looks at the target alone, not all can be copied."""
    rows = []
    for number, (source, target, task, seed) in enumerate(itertools.product(LMS, LMS, "ab", (0, 1))):
        rows.append((source, target, "moved", task, seed, number / 100))
        if source == target:
            rows.append((source, target, "manual", task, seed, number / 100))
        if {source, target} == {"bert-small", "roberta-small"}:
            rows.append((source, target, "copy", task, seed, number / 100))
    return Pairs(pd.DataFrame(rows, columns=["source", "target", "method", "task", "seed", "accuracy"]), LMS)


def by_hand(pairs, method, chosen):
    rows = pairs.table[pairs.table.method == method]
    return [
        np.mean(
            [rows[(rows.source == s) & (rows.target == t) & (rows.seed == seed)].accuracy.mean() for s, t in chosen]
        )
        for seed in (0, 1)
    ]


def test_pairs_are_of_different_families_and_of_the_kinds_asked_for(pairs):
    masked = [("bert-small", "roberta-small"), ("bert-large", "roberta-small")]
    masked += [(target, source) for source, target in masked]
    to_causal = [(name, "gpt2-small") for name in LMS if name != "gpt2-small"]
    assert pairs.means("moved", "masked to masked") == pytest.approx(by_hand(pairs, "moved", masked))
    assert pairs.means("moved", "masked to causal") == pytest.approx(by_hand(pairs, "moved", to_causal))
    every = [*masked, *to_causal, *((target, source) for source, target in to_causal)]
    assert pairs.means("moved") == pytest.approx(by_hand(pairs, "moved", every))
    only = pairs.means("moved", where=lambda source, target: target == "bert-large")
    assert only == pytest.approx(by_hand(pairs, "moved", [(s, t) for s, t in every if t == "bert-large"]))


def test_what_looks_at_the_target_alone_counts_as_often_as_the_target_does(pairs):
    targets = ["roberta-small", "roberta-small", "bert-small", "bert-large"]
    expected = by_hand(pairs, "manual", [(target, target) for target in targets])
    assert pairs.means("manual", "masked to masked") == pytest.approx(expected)


def test_what_cannot_be_done_for_a_pair_is_left_out(pairs):
    some = [("bert-small", "roberta-small"), ("roberta-small", "bert-small")]
    assert pairs.means("copy", "masked to masked") == pytest.approx(by_hand(pairs, "copy", some))
    assert pairs.means("copy", "masked to causal").size == 0


def test_models_are_called_in_pairs_as_the_chapter_calls_them(pairs):
    lms = {short: Mock(spec=LanguageModel, kind="masked") for short in ("bert", "roberta")}
    for short, lm in lms.items():
        lm.name = f"{short}-small"
    chosen = pairs.table[pairs.table.source.isin(["bert-small", "roberta-small"])]
    small = chosen[chosen.target.isin(["bert-small", "roberta-small"])]
    called = Pairs.of(small, lms)
    assert called.by_pair["moved", "bert", "roberta"] == pairs.by_pair["moved", "bert-small", "roberta-small"]
    assert set(small.source) == {"bert-small", "roberta-small"}  # the table itself is as it was


def test_the_square_has_targets_down_and_sources_across(pairs):
    rows = pairs.table[pairs.table.method == "moved"]
    corner = rows[(rows.source == "bert-large") & (rows.target == "bert-small")].accuracy.mean()
    assert pairs.square("moved")[0, 1] == pytest.approx(corner)
    assert pairs.at_home("moved") == pytest.approx(by_hand(pairs, "moved", [(name, name) for name in LMS]))
