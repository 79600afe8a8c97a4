"""Waywardness: how well prompts do their tasks while their nearest words read as something else."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.scale import word_spacing
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.reading.likeness import require_length, word_f1
from ptlib.reading.projection import nearest
from ptlib.scoring.scores import accuracy_many
from ptlib.tasks.task import Task
from ptlib.tuning.toward import Aim, text_ids

if TYPE_CHECKING:
    import pandas

ALL_BUT_GAMMA = ["task", "text", "seed"]
PREFER = {"accuracy": (["dev", "gamma"], [True, False]), "gamma": (["gamma"], [True])}  # columns, and whether rising


def waywardness(
    lm: LanguageModel, tasks: Sequence[Task], prompts: Mapping[Aim, SoftPrompt], *, metric: str = "euclidean"
) -> "pandas.DataFrame":
    """A row for each prompt that `tune_toward` returned: how well it works, and what it looks like.

    Args:
        lm: the model that the prompts were tuned on.
        tasks: their tasks.
        prompts: the prompts, those with gamma 0 among them, which the others are compared with.
        metric: what the projection goes by.

    Returns:
        the columns task, text, gamma, seed, length; `dev` and `accuracy`, the P@1 on dev and test examples,
        through the model's quick copy; `projection`, the nearest words as a text; `f1` (words) and `match`
        (tokens in place) between it and the text; `distance`, the mean over vectors of the Euclidean distance
        to their words of the text, and `spacings`, the same in distances between neighbouring words, which can be
        compared between models; `dev_drop` and `drop`, by which share accuracy is lower than with gamma 0.

    Raises:
        PromptError: no prompts, or some without their like of gamma 0, a prompt for none of the tasks or of another
            length than its text, or an unknown metric.
    """
    import pandas as pd

    aims = list(prompts)
    if not aims:
        raise PromptError("no prompts to look at; give those that tune_toward returned")
    ids = {text: text_ids(lm, text) for text in {aim.text: None for aim in aims}}
    for aim, prompt in prompts.items():
        require_length(lm, prompt, aim.text, ids[aim.text])
    table = pd.DataFrame(aims, columns=Aim._fields)
    table["length"] = [prompt.length for prompt in prompts.values()]
    table["dev"] = accuracy_many(lm, tasks, prompts, split="dev", quick=True)
    table["accuracy"] = accuracy_many(lm, tasks, prompts, quick=True)
    found = nearest(lm, torch.cat([prompt.on(lm) for prompt in prompts.values()]), metric=metric).indices[:, 0]
    projections = [tokens.tolist() for tokens in found.split(table["length"].tolist())]
    table["projection"] = [lm.text_of(tokens) for tokens in projections]
    table["f1"] = [word_f1(text, seen) for text, seen in zip(table["text"], table["projection"], strict=True)]
    table["match"] = [np.equal(ids[aim.text], seen).mean() for aim, seen in zip(aims, projections, strict=True)]
    table["distance"] = [
        (prompt.on(lm) - lm.embeddings[ids[aim.text]]).norm(dim=1).mean().item() for aim, prompt in prompts.items()
    ]
    table["spacings"] = table["distance"] / word_spacing(lm)
    return _with_drops(table)


def _with_drops(table: "pandas.DataFrame") -> "pandas.DataFrame":
    import pandas as pd

    free = table[table["gamma"] == 0].set_index(ALL_BUT_GAMMA)
    places = pd.MultiIndex.from_frame(table[ALL_BUT_GAMMA])
    if missing := [place for place in places if place not in free.index]:
        raise PromptError(f"no prompt with gamma 0 for {missing[0][0]}, {missing[0][1]!r}, seed {missing[0][2]}")
    for drop, score in (("dev_drop", "dev"), ("drop", "accuracy")):
        unconstrained = free[score].reindex(places).to_numpy()
        table[drop] = (unconstrained - table[score]) / np.where(unconstrained > 0, unconstrained, np.nan)
    return table


def within(table: "pandas.DataFrame", drop: int | float = 0.02, *, prefer: str = "accuracy") -> "pandas.DataFrame":
    """Of each task, text and seed, the prompt most like its text that drops by no more than some share on dev examples.

    The paper's claim is about 2% of the best prompt. Of prompts that are equally like their texts, the most accurate
    on dev examples is taken (with the smallest gamma among equals), or the one with the largest gamma. What `accuracy`
    and `drop` say, on test examples, was not looked at.

    Args:
        table: what `waywardness` returned.
        drop: the share of accuracy that may be lost.
        prefer: among prompts equally like their texts.

    Raises:
        PromptError: something else to prefer.
    """
    if prefer not in PREFER:
        raise PromptError(f"unknown preference {prefer!r}; there are {', '.join(PREFER)}")
    allowed = table[table["dev_drop"].fillna(np.inf) <= drop]
    order, rising = PREFER[prefer]
    best = allowed.sort_values(["f1", "match", *order], ascending=[True, True, *rising], kind="stable")
    return best.groupby(ALL_BUT_GAMMA, sort=False, as_index=False).tail(1).sort_index()


def frontier(table: "pandas.DataFrame", drops: Sequence[int | float]) -> "pandas.DataFrame":
    """The frontier of likeness against accuracy: what `within` finds for each drop, with the largest gamma, as means.

    Returns:
        for each a row of `allowed`, and the means of `f1`, `match`, `distance` and `drop` (on test examples).
    """
    import pandas as pd

    means = [within(table, drop, prefer="gamma")[["f1", "match", "distance", "drop"]].mean() for drop in drops]
    return pd.DataFrame(means, index=pd.Index(drops, name="allowed")).reset_index()
