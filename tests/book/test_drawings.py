"""Pictures that chapters share: what is drawn is what was given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

import ptlib as pt


@pytest.fixture(autouse=True)
def quietly():
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.rcdefaults()


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_heat_map_writes_each_share_into_its_field():
    values = np.array([[0.25, 1.0], [np.nan, 0.0], [0.5, 0.75]])
    axes = pt.book.heat_map(values, ["a", "b", "c"], ["x", "y"], label="P@1", numbers=True).axes[0]
    assert texts(axes) == ["0.25", "1.00", "", "0.00", "0.50", "0.75"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert np.array_equal(axes.images[0].get_array().filled(np.nan), values, equal_nan=True)


def test_dots_have_a_bar_at_their_mean():
    _, axes = plt.subplots()
    pt.book.dots(axes, {"one": np.array([0.2, 0.4]), "two": np.array([0.9])})
    assert [bar.get_segments()[0][0, 1] for bar in axes.collections] == pytest.approx([0.3, 0.9])
    assert [len(line.get_ydata()) for line in axes.lines] == [2, 1]


def test_a_cloze_has_a_box_for_each_part_and_the_answer():
    figure = pt.book.draw_cloze("[X] [V] [V] [Y] .", "France", answer="Paris")
    (axes,) = figure.axes
    assert len(axes.patches) == 5
    assert [text for text in texts(axes) if text] == ["France", "Paris", "."]


def test_a_line_through_the_mean_in_a_band_of_one_deviation():
    _, axes = plt.subplots()
    runs = np.array([[0.1, 0.5], [0.3, 0.9]])
    pt.book.mean_and_spread(axes, [1.0, 2.0], runs, label="here")
    assert axes.lines[0].get_ydata() == pytest.approx([0.2, 0.7])
    corners = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == pytest.approx((0.2 - np.std([0.1, 0.3], ddof=1), 0.7 + 0.2 * 2**0.5))
    assert to_rgba(axes.lines[0].get_color())[:3] == tuple(axes.collections[0].get_facecolor()[0][:3])


def test_the_style_can_be_used():
    pt.book.use_style()
    assert plt.rcParams["figure.constrained_layout.use"]
