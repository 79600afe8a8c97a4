"""What chapters write of means: with their spread or interval, and never beyond what a share can be."""

import numpy as np
import pytest

from ptlib.book import said, whiskers, with_interval
from ptlib.scoring import interval


def test_whiskers_are_a_standard_deviation_and_end_at_0_and_1():
    runs = [np.array([0.4, 0.6]), np.array([0.9, 1.0]), np.array([0.0, 0.02]), np.array([0.5])]
    below, above = whiskers(runs)
    means = np.array([values.mean() for values in runs])
    assert below[0] == above[0] == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert above[1] == pytest.approx(0.05)
    assert below[2] == pytest.approx(0.01)
    assert below[3] == above[3] == 0
    assert (means + above <= 1).all()
    assert (means - below >= 0).all()


def test_an_interval_leaves_out_what_is_not_a_number():
    values = np.array([0.2, np.nan, 0.4, 0.9])
    low, high = interval(values[~np.isnan(values)])
    assert with_interval(values) == f"0.500 ({low:.3f} to {high:.3f})"
    assert with_interval(np.array([np.nan])) == "-"


def test_a_spread_over_one_seed_is_not_said():
    assert said(np.array([0.4, 0.6])) == "0.500 ± 0.141"
    assert said([0.5]) == "0.500"
