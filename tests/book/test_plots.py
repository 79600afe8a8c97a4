"""Figures: one legend that lies on nothing, and letters that are read on a telephone."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ptlib.book import heat_map, legend_below, panels, use_style
from ptlib.book.plots import WIDTH


@pytest.fixture(autouse=True)
def style():
    matplotlib.use("agg")
    with plt.style.context("default"):
        use_style()
        yield
    plt.close("all")


def test_panels_share_the_width_of_a_telephone():
    figure, axes = panels(3)
    assert len(axes) == 3
    assert figure.get_figwidth() == WIDTH
    below, stacked = panels(2, height=2, below=True)
    assert len(stacked) == 2
    assert tuple(below.get_size_inches()) == (WIDTH, 4)


def test_a_legend_below_names_everything_once_and_lies_on_no_axes():
    figure, axes = panels(2)
    for each in axes:
        each.plot([0, 1], [0, 1], label="one")
        each.plot([0, 1], [1, 0], label="two")
    legend_below(figure, columns=2)
    figure.canvas.draw()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    assert all(legend.get_window_extent().y1 <= each.get_tightbbox().y0 for each in axes)


def test_no_letter_is_smaller_than_nine_points():
    figure = heat_map(np.array([[0.2, 0.8]]), ["a"], ["b", "c"], label="share", numbers=True)
    figure.axes[0].set(title="title", xlabel="x")
    figure.axes[0].plot([0], [0], label="one")
    legend_below(figure, columns=1)
    sizes = [text.get_fontsize() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(sizes) >= 9
