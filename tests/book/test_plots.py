"""Figures: one legend that lies on nothing, and letters that are read on a telephone."""

from base64 import b64decode
from itertools import pairwise

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from book.runner.results import RECORD
from ptlib.book import (
    dots,
    draw_cloze,
    grouped_bars,
    heat_map,
    legend_below,
    mean_and_spread,
    note_figure,
    panels,
    use_style,
)
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


def test_marks_in_a_legend_are_solid_and_large_however_pale_and_small_the_dots_are():
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], "o", alpha=0.3, markersize=2, label="dots")
    legend_below(figure, columns=1)
    (mark,) = figure.legends[0].legend_handles
    assert (mark.get_alpha(), mark.get_markersize()) == (1, 6)
    assert axes.lines[0].get_alpha() == 0.3


def test_numbers_in_a_map_of_ten_columns_do_not_touch():
    names = [f"model-{number}" for number in range(10)]
    figure = heat_map(np.full((10, 10), 0.54), names, names, label="share", numbers=True)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts[:10]]
    assert min(right.x0 - left.x1 for left, right in pairwise(boxes)) > 2
    assert figure.axes[0].get_title() == "share"
    assert len(figure.axes) == 1


def test_no_letter_is_smaller_than_nine_points():
    figure = heat_map(np.array([[0.2, 0.8]]), ["a"], ["b", "c"], label="share", numbers=True)
    figure.axes[0].set(title="title", xlabel="x")
    figure.axes[0].plot([0], [0], label="one")
    legend_below(figure, columns=1)
    sizes = [text.get_fontsize() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(sizes) >= 9


def test_in_a_notebook_figures_are_asked_for_as_drawings(monkeypatch):
    class Notebook:
        def set_trait(self, name, value):
            setattr(self, name, value)

    asked = Notebook()
    monkeypatch.setattr("ptlib.book.plots.get_ipython", lambda: "a shell")
    monkeypatch.setattr("ptlib.book.plots.InlineBackend.instance", lambda parent: asked)
    use_style()
    assert asked.figure_formats == {"svg"}
    assert asked.print_figure_kwargs["metadata"] == {"Date": None}


def test_a_figure_is_kept_as_an_image_and_as_the_same_drawing_again(monkeypatch):
    seen = []
    monkeypatch.setattr("ptlib.book.notes.display", lambda data, raw, metadata: seen.append(data))
    for _ in range(2):
        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1])
        note_figure("line", figure)
    first, second = ({kind.rpartition(RECORD)[2]: text for kind, text in data.items()} for data in seen)
    assert first["image/svg+xml"] == second["image/svg+xml"]
    assert first["image/svg+xml"].startswith("<?xml")
    assert b64decode(first["image/png"]).startswith(b"\x89PNG")


def test_a_line_is_the_mean_and_its_band_the_spread():
    runs = np.array([[0.2, 0.6], [0.4, 1.0]])
    _, axes = plt.subplots()
    mean_and_spread(axes, [1, 2], runs, label="one")
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.3, 0.8])
    edges = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == pytest.approx((0.3 - 0.02**0.5, 0.8 + 0.08**0.5))


def test_bars_of_one_name_stand_side_by_side_with_their_spread():
    runs = {"there": {"a": np.array([0.2, 0.4]), "b": np.array([0.5])}, "back": {"a": np.ones(2), "b": np.array([])}}
    (axes,) = grouped_bars(runs, label="share").axes
    there, back = axes.containers[1], axes.containers[3]  # each behind its whiskers
    assert [bar.get_width() for bar in (*there, *back)] == pytest.approx([0.3, 0.5, 1, 0])
    assert [upper.get_y() > lower.get_y() for upper, lower in zip(back, there, strict=True)] == [True, True]
    (whisker, _), _ = (lines.get_segments() for lines in axes.collections)
    assert whisker[:, 0] == pytest.approx([0.3 - 0.02**0.5, 0.3 + 0.02**0.5])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_columns_of_dots_have_a_bar_at_their_mean():
    _, axes = plt.subplots()
    dots(axes, {"a": np.array([0.2, 0.4]), "b": np.array([1.0])})
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.2, 0.4], [1.0]]
    assert [bar.get_segments()[0][0][1] for bar in axes.collections] == pytest.approx([0.3, 1.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


def test_a_cloze_has_a_box_for_each_of_its_parts():
    (axes,) = draw_cloze("[X] [V] [V] [Y] .", "France", answer="Paris").axes
    assert len(axes.patches) == 5
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["France", "Paris", "."]
