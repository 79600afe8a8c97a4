"""Pictures of what was measured on real models."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ptlib.book.plots import legend_below, panels
from ptlib.book.real.summary import SCORES, Scores
from ptlib.scoring.scores import interval

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


def draw_wayward(rows: pd.DataFrame) -> Figure:
    """What prompts do and what they read as, by how strongly they are drawn to their texts; a panel for each model.

    Args:
        rows: the table "tuned", as `kept_wayward` gives it; the intervals are over tasks, texts and seeds.
    """
    models, gammas = list(rows["model"].unique()), sorted(rows["gamma"].unique())
    figure, axes = panels(len(models), height=2.4, below=True)
    for panel, model in zip(axes, models, strict=True):
        for column, label in (("accuracy", "accuracy, among the labels"), ("f1", "word F1 to the text")):
            by_gamma = rows[rows["model"] == model].groupby("gamma")[column]
            means = by_gamma.mean().to_numpy()
            bars = np.abs(np.array([interval(found.to_numpy()) for _, found in by_gamma]).T - means)
            panel.errorbar(range(len(gammas)), means, yerr=bars, fmt="o-", markersize=4.5, label=label)
        panel.set_xticks(range(len(gammas)), [f"{gamma:g}" for gamma in gammas])
        panel.set(ylim=(-0.02, 1.04), title=f"tuned and asked on {model}")
    axes[-1].set(xlabel="gamma")
    legend_below(figure, columns=2)
    return figure
