"""Pictures that more than one chapter draws, all in one style."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib_inline.config import InlineBackend

from ptlib.prompts.template import SLOT, TEXT, VECTOR, parse

STYLE = Path(__file__).parent / "book.mplstyle"
WIDTH = 4.4  # inches: with letters of ten points, as large as a telephone shows them well
ON_DARK, ON_BRIGHT = "#fefefe", "#010101"  # ink inside of a coloured field, which the dark theme leaves as it is
STYLES = ("-", "--", ":", "-.")  # of lines, one after the other
SHADED = "#56b4e9"  # the box of a vector


def use_style() -> None:
    """Draw everything from here on in the book's style; in a notebook as SVG, which is sharp at every size."""
    plt.style.use(STYLE)
    if shell := get_ipython():
        notebook = InlineBackend.instance(parent=shell)
        undated = {"bbox_inches": "tight", "metadata": {"Date": None}}  # so that the same figure is the same file
        notebook.set_trait("print_figure_kwargs", undated)
        notebook.figure_formats = {"svg"}


def panels(count: int, *, height: float | int = 2.8, below: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure with some axes beside each other, or one below the other where they need the whole width.

    Args:
        count: of axes; they share what stands up.
        height: of each, in inches.
        below: one below the other.
    """
    rows, columns = (count, 1) if below else (1, count)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height * rows), sharey=True, squeeze=False)
    return figure, axes.ravel().tolist()


def legend_below(figure: Figure, *, columns: int) -> None:
    """One legend for all axes, below them, where it lies on no curve; each label once, its mark solid and large."""
    named: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    legend = figure.legend(handles=list(named.values()), labels=list(named), loc="outside lower center", ncols=columns)
    for mark in filter(None, legend.legend_handles):
        mark.set_alpha(1)
        if isinstance(mark, Line2D) and mark.get_linestyle() == "None":
            mark.set_markersize(6)


def heat_map(
    values: Float[np.ndarray, "rows columns"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    numbers: bool = False,
) -> Figure:
    """Shares between 0 and 1 as a labelled map.

    Args:
        values: one share for each row and column.
        rows: names of the rows.
        columns: names of the columns.
        label: what the numbers are.
        numbers: write each share into its field, instead of a bar that explains the colours; a share that is not a
            number leaves its field empty.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.9 + 0.2 * len(rows)))
    image = axes.imshow(values, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(False)
    if not numbers:
        figure.colorbar(image, label=label, aspect=15)
        return figure
    axes.set_title(label)
    for (row, column), value in np.ndenumerate(values):
        text, ink = "" if np.isnan(value) else f"{value:.2f}", ON_BRIGHT if value > 0.47 else ON_DARK
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=ink)
    return figure


def grouped_bars(groups: Mapping[str, Mapping[str, Float[np.ndarray, " runs"]]], *, label: str) -> Figure:
    """Bars of shares from the left, side by side where they have one name; whiskers are as `whiskers` has them.

    Args:
        groups: what a colour stands for, such as a kind of pairs; in it the shares of several runs by name, in one
            order everywhere, with no runs where nothing was measured.
        label: what the shares are.
    """
    names = list(next(iter(groups.values())))
    figure, axes = plt.subplots(figsize=(WIDTH, 1.2 + 0.33 * len(names)))
    step = 0.8 / len(groups)
    for number, (group, found) in enumerate(groups.items()):
        runs = [found[name] if len(found[name]) else np.zeros(1) for name in names]
        places = np.arange(len(names)) + (number - (len(groups) - 1) / 2) * step
        means, thin = [values.mean() for values in runs], {"elinewidth": 1}
        axes.barh(places, means, 0.94 * step, label=group, xerr=whiskers(runs), error_kw=thin)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel=label, xlim=(0, 1.04))
    legend_below(figure, columns=2)
    return figure


def dots(axes: Axes, columns: Mapping[str, Float[np.ndarray, " values"]]) -> None:
    """Columns of dots, one dot a value, with a bar for the mean of each column."""
    scatter = np.random.default_rng(0)
    for place, values in enumerate(columns.values()):
        axes.plot(place + scatter.uniform(-0.2, 0.2, len(values)), values, "o", markersize=4, alpha=0.6, clip_on=False)
        axes.hlines(np.mean(values), place - 0.32, place + 0.32, color="black", linewidth=1.8)
    axes.set_xticks(range(len(columns)), list(columns))


def draw_cloze(template: str, text: str, *, answer: str) -> Figure:
    """A template as a row of boxes: words white, prompt vectors shaded, the slot dashed, the answer above it."""
    parts = [text if part == TEXT else part.strip() for part in parse(template).parts if part.strip()]
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3))
    axes.set_axis_off()
    left = 0.0
    for part in parts:
        width = 0.55 if part == VECTOR else 0.95 if part == SLOT else 0.4 + 0.13 * len(part)
        face, style = (SHADED, "-") if part == VECTOR else ("white", "--" if part == SLOT else "-")
        axes.add_patch(Rectangle((left, 0), width, 0.8, facecolor=face, edgecolor="black", linestyle=style))
        axes.text(left + width / 2, 0.4, "" if part in (VECTOR, SLOT) else part, ha="center", va="center")
        if part == SLOT:
            axes.annotate(
                answer, (left + width / 2, 0.8), (left + width / 2, 1.45), ha="center", arrowprops={"arrowstyle": "<-"}
            )
        left += width + 0.12
    axes.set(xlim=(-0.1, left), ylim=(-0.1, 1.8))
    return figure


def whiskers(runs: Sequence[np.ndarray | Sequence[float]]) -> Float[np.ndarray, "2 bars"]:
    """Error bars for means of shares: one standard deviation to either side, and never beyond 0 or 1."""
    means = np.array([np.mean(values) for values in runs])
    spreads = np.array([np.std(values, ddof=1) if len(values) > 1 else 0.0 for values in runs])
    return np.stack([np.minimum(spreads, means), np.minimum(spreads, 1 - means)])


def mean_and_spread(
    axes: Axes, x: Sequence[float | int], runs: Float[np.ndarray, "seeds points"], *, label: str
) -> None:
    """A line through the mean over seeds, in a band of one standard deviation to either side.

    Each line of a panel has a style of its own, so that both are seen where two are the same.
    """
    mean, spread = runs.mean(axis=0), runs.std(axis=0, ddof=1)
    style = STYLES[len(axes.lines) % len(STYLES)]
    (line,) = axes.plot(x, mean, marker="o", markersize=4, linestyle=style, label=label)
    axes.fill_between(x, mean - spread, mean + spread, color=line.get_color(), alpha=0.2, linewidth=0)
