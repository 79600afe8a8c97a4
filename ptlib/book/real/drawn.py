"""Pictures of what was measured on real models."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ptlib.book.plots import legend_below, panels
from ptlib.book.real.summary import SCORES, Scores

Way = tuple[str, Mapping[str, Sequence[str]]]  # a method, and for each model that is asked, what it was tuned on


def draw_ways(rows: pd.DataFrame, ways: Mapping[str, Way]) -> Figure:
    """P@1 of several ways of asking, a panel for each model that is asked, with intervals over relations.

    Args:
        rows: as `kept_rows` gives them.
        ways: the method and the sources by target, by what they are called.
    """
    targets = list(next(iter(ways.values()))[1])
    figure, axes = panels(len(targets), height=0.7 + 0.28 * len(ways), below=True)
    for panel, target in zip(axes, targets, strict=True):
        for shift, (score, label) in zip((-0.13, 0.13), SCORES.items(), strict=True):
            asked = [(method, target, *sources[target]) for method, sources in ways.values()]
            scores = Scores(rows, score)
            means = np.array([scores.mean(*one) for one in asked])
            ends = np.array([scores.between(*one) for one in asked]).T
            bars = np.abs(ends - means)
            panel.errorbar(means, np.arange(len(ways)) + shift, xerr=bars, fmt="o", markersize=4.5, label=label)
        panel.set_yticks(range(len(ways)), list(ways))
        panel.set(xlim=(-0.02, 1), ylim=(len(ways) - 0.5, -0.5), title=f"{target} is asked")
    axes[-1].set(xlabel="mean P@1 on test facts")
    legend_below(figure, columns=2)
    return figure
