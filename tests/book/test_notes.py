"""What chapters write of means: with their spread or interval, and never beyond what a share can be."""

import base64

import numpy as np
import pytest
from matplotlib.figure import Figure

from ptlib.book import claim, less, note_figure, note_mean, notes, said, whiskers, with_interval
from ptlib.book.notes import in_print
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
    assert with_interval(values) == in_print(f"0.50 ({low:.2f} to {high:.2f})")
    assert with_interval(np.array([np.nan])) == "-"


def test_a_spread_over_one_seed_is_not_said():
    assert said(np.array([0.4, 0.6])) == in_print("0.500 ± 0.141")
    assert said([0.5]) == "0.500"


PRINTED = {
    "-0.17 in albert-small, -39%": "~0.17 in albert-small, ~39%",
    "from -0.06 to +0.05": "from ~0.06 to +0.05",
    "-0.000, -0, -0.0%, +0.00.": "0.000, 0, 0.0%, 0.00.",
    "-0.001 and +0.001": "~0.001 and +0.001",
    "0.803 ± 0.011": "0.803_±_0.011",
    "0.80 (0.79 to 0.82)": "0.80 (0.79_to_0.82)",
    "0.80 (0.79 to 0.82; 4 of 5)": "0.80 (0.79_to_0.82; 4 of 5)",
    "qwen2.5-coder-0.5b, gpt2-2, 1-3, P-36": "qwen2.5-coder-0.5b, gpt2-2, 1-3, P-36",
}


@pytest.mark.parametrize("text", PRINTED)
def test_numbers_are_set_as_in_print(text):
    expected = PRINTED[text].replace("~", "\N{MINUS SIGN}").replace("_", "\N{NO-BREAK SPACE}")
    assert in_print(text) == expected


def test_means_intervals_and_claims_are_set_as_in_print(shown):
    assert said([-0.4, -0.6]) == in_print("-0.500 ± 0.141")
    assert with_interval([-0.001, -0.001]) == in_print("0.00 (0.00 to 0.00)")
    claim("fall", "It falls by -0.20.", less(-0.2, 0))
    assert eval(shown["fall"]["application/papermill.record/text/plain"]) == in_print("It falls by -0.20.")


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
