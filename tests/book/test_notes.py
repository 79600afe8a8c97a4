"""What chapters write of means: with their spread or interval, and never beyond what a share can be."""

import base64

import numpy as np
import pytest
from matplotlib.figure import Figure

from ptlib.book import note_figure, note_mean, notes, said, whiskers, with_interval
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


@pytest.fixture
def shown(monkeypatch):
    """What is handed to the page, by name."""
    found = {}

    def display(data, *, raw, metadata):
        assert raw
        found[metadata["scrapbook"]["name"]] = data

    monkeypatch.setattr(notes, "display", display)
    return found


def test_a_mean_is_kept_with_its_spread(shown):
    note_mean("score", [0.4, 0.6])
    kept = {name: float(data["application/papermill.record/text/plain"]) for name, data in shown.items()}
    assert kept == {"score": 0.5, "score_spread": pytest.approx(0.1414, abs=1e-4)}


def test_a_figure_is_kept_as_a_picture(shown):
    note_figure("curve", Figure())
    assert base64.b64decode(shown["curve"]["application/papermill.record/image/png"]).startswith(b"\x89PNG")
