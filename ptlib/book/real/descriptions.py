"""How often a model that is asked what a prompt means names the prompt's task, by a rule that looks at words alone.

A description names a task if it holds one of the task's words: those of its label, its manual template, its definition
and its answers in training, in lower case, without the words that every text has. Controls are how often it names the
other tasks, what the model says of random prompts, and what it says of the task's label in words, so that it is seen
whether it could name the task at all. The question is that of InSPEcT (Ramati, Gottesman and Geva
2025, arXiv 2410.11660), the rule is our own, and was written before any description of a real prompt was read.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import PLACEHOLDER, VECTOR, default_template
from ptlib.reading.descriptions import describe
from ptlib.reading.likeness import plain_words
from ptlib.tasks.task import Task, by_name
from ptlib.tuning.free import Prompts
from ptlib.tuning.start import random_prompt
from ptlib.tuning.toward import text_ids

# Of none of the relations' words, or a model that repeats its examples would seem to name one.
ASKING = (
    "pear plum peach: fruits that grow on trees\n"
    "hot cold warm: how the weather feels\n"
    "run jump swim: ways to move\n"
    f"{VECTOR}:"
)
STOP_WORDS = frozenset(
    plain_words(
        "about after all also and any are as at be been before by can did do does for from had has have he her him his "
        "how if in into is it its may more most name no not of off on one only or other our out over own she so some "
        "such than that their them then there these they this those through to under up was we were what when where "
        "which while who whom whose why will with you"
    )
)
KINDS = ("tuned", "random", "label")


class Pair(NamedTuple):
    """The layer that hidden states are taken from, and the one that they are put into."""

    from_layer: int
    to_layer: int


def task_words(task: Task) -> frozenset[str]:
    """The words of a task by which a description names it: content words, and those of its answers in training."""
    said = [PLACEHOLDER.sub(" ", text) for text in (task.label, task.template, task.definition)]
    words = {word for text in (*said, *(example.answer for example in task.train)) for word in plain_words(text)}
    return frozenset(word for word in words - STOP_WORDS if len(word) > 1)


def described(
    lm: LanguageModel,
    tasks: Sequence[Task],
    prompts: Prompts,
    *,
    from_layers: Sequence[int],
    to_layers: Sequence[int],
    text: str = ASKING,
) -> list[dict]:
    """What a causal model says of the prompts of some tasks, and of random ones, with every pair of layers.

    Args:
        lm: the model.
        tasks: the tasks; a description of a prompt is held against the words of each.
        prompts: the prompts that were tuned for them, by task and seed.
        from_layers: see `describe`.
        to_layers: likewise.
        text: likewise.

    Returns:
        a row for each prompt, random one, label and pair: `relation`, `seed`, `kind` of `KINDS`, `from_layer`,
        `to_layer`, `text`, `score`, `own`, whether the description names the prompt's task, and `other`, which share
        of the other tasks it names.
    """
    words, known = {task.name: task_words(task) for task in tasks}, by_name(tasks)
    rows = []
    for (name, seed), prompt in prompts.items():
        alike = random_prompt(lm, known[name], length=prompt.length, template=prompt.template, seed=seed)
        for kind, one in zip(KINDS, (prompt, alike, _label(lm, known[name], seed)), strict=True):
            about = {"relation": name, "seed": seed, "kind": kind}
            said = describe(lm, one, from_layer=from_layers, to_layer=to_layers, text=text, count=1)
            rows += [about | vars(answer) | _named(answer.text, name, words) for answer in said]
    return rows


def _label(lm: LanguageModel, task: Task, seed: int) -> SoftPrompt:
    """The embeddings of the words of a task's label, as a prompt."""
    ids = text_ids(lm, task.label)
    return SoftPrompt(lm.embeddings[ids], lm.name, task.name, default_template(len(ids)), seed, {"method": "label"})


def _named(text: str, name: str, words: dict[str, frozenset[str]]) -> dict[str, float]:
    """Whether a description names its task, and the share of other tasks that it names."""
    there = {task: not own.isdisjoint(plain_words(text)) for task, own in words.items()}
    others = [seen for task, seen in there.items() if task != name]
    return {"own": float(there[name]), "other": sum(others) / len(others) if others else 0.0}


def named_by_prompt(rows: pd.DataFrame, column: str, prompts: Sequence[str]) -> Float[np.ndarray, " prompts"]:
    """The share of descriptions of each prompt that name something.

    Args:
        rows: descriptions.
        column: whether each names it.
        prompts: the columns that tell prompts apart.
    """
    return rows.groupby(list(prompts))[column].mean().to_numpy()


def best_pair(rows: Sequence[dict], relations: Iterable[str]) -> Pair:
    """The pair of layers with which tuned prompts of some relations name their own task most, and others least.

    Raises:
        PromptError: nothing was said of these.
    """
    chosen = [row for row in rows if row["relation"] in {*relations} and row["kind"] == "tuned"]
    if not chosen:
        raise PromptError("nothing was said of tuned prompts of these relations, by which layers could be chosen")
    pairs = dict.fromkeys(_pair(row) for row in chosen)
    return max(pairs, key=lambda pair: sum(row["own"] - row["other"] for row in chosen if _pair(row) == pair))


def told(rows: Sequence[dict], pair: Pair, relations: Iterable[str]) -> list[dict]:
    """For prompts of each kind, of some relations: the means of `own` and `other` with one pair of layers.

    Raises:
        PromptError: nothing was said of these.
    """
    names = {*relations}
    found = []
    for kind in KINDS:
        of_kind = [row for row in rows if row["kind"] == kind and row["relation"] in names and _pair(row) == pair]
        if not of_kind:
            raise PromptError(f"nothing was said of prompts of kind {kind!r} of these relations with {pair}")
        means = {share: sum(row[share] for row in of_kind) / len(of_kind) for share in ("own", "other")}
        found.append({"kind": kind, "prompts": len(of_kind), **means})
    return found


def _pair(row: dict) -> Pair:
    return Pair(row["from_layer"], row["to_layer"])
