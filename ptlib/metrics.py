"""Scores: the share of examples whose top word is the right one (P@1), with how far to trust it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import bootstrap
from torch import Tensor

from ptlib.cloze import Cloze, encode, slot_logits
from ptlib.errors import PromptError
from ptlib.models import LanguageModel
from ptlib.prompt import SoftPrompt
from ptlib.tasks import Task
from ptlib.template import parse

ROWS_AT_ONCE = 1_024
RESAMPLES = 2_000


@dataclass(frozen=True)
class Accuracy:
    """P@1 of a prompt on a task.

    Attributes:
        hits: for each example, whether the top word was the right one.
    """

    hits: tuple[bool, ...]

    @property
    def value(self) -> float:
        """The share of hits."""
        return sum(self.hits) / len(self.hits)

    def __float__(self) -> float:
        return self.value

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Bootstrap interval over examples (percentiles, fixed seed)."""
        return _interval(np.array(self.hits, dtype=float), confidence)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.2f} ({low:.2f} to {high:.2f}; {sum(self.hits)} of {len(self.hits)})"


def micro(scores: Sequence[Accuracy]) -> Accuracy:
    """P@1 over the examples of all tasks together."""
    return Accuracy(tuple(hit for score in scores for hit in score.hits))


def macro(scores: Sequence[Accuracy]) -> tuple[float, tuple[float, float]]:
    """Mean P@1 over tasks, and its bootstrap interval over tasks."""
    values = np.array([score.value for score in scores])
    return float(values.mean()), _interval(values, 0.95)


def _interval(values: np.ndarray, confidence: float) -> tuple[float, float]:
    if values.min() == values.max():
        return float(values[0]), float(values[0])
    result = bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, confidence_level=confidence, method="percentile", rng=0
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def accuracy(
    lm: LanguageModel,
    task: Task,
    prompt: SoftPrompt | str | None = None,
    *,
    split: str = "test",
) -> Accuracy:
    """P@1 of a language model on a task, over its whole vocabulary.

    Args:
        lm: the language model.
        task: the task.
        prompt: a soft prompt, or a template in words such as `"[X] was born in [Y] ."`; by default the
            task's manual template.
        split: the examples to score: "train", "dev" or "test".

    Raises:
        PromptError: the prompt does not fit the model, or no example can be used.
    """
    if isinstance(prompt, SoftPrompt):
        template, vectors = parse(prompt.template), prompt.on(lm)
    else:
        template, vectors = parse(prompt or task.template), torch.empty(0, lm.dim).to(lm.embeddings)
    if template.length != len(vectors):
        raise PromptError(f"template {template.text!r} holds {template.length} vectors, the prompt {len(vectors)}")
    return _score(lm, encode(lm, template, task.examples(split), task=f"{task.name} ({split})"), vectors)


def accuracy_by_seed(
    lm: LanguageModel,
    tasks: Sequence[Task],
    prompts: Mapping[tuple[str, int], SoftPrompt],
    *,
    split: str = "test",
) -> Float[np.ndarray, "seeds tasks"]:
    """P@1 of many prompts that share a template, as `tune_many` returns them: a row for each seed, a column a task."""
    seeds = sorted({seed for _, seed in prompts})
    template = parse(next(iter(prompts.values())).template)
    scores = np.empty((len(seeds), len(tasks)))
    for column, task in enumerate(tasks):
        cloze = encode(lm, template, task.examples(split), task=f"{task.name} ({split})")
        for row, seed in enumerate(seeds):
            scores[row, column] = _score(lm, cloze, prompts[task.name, seed].on(lm)).value
    return scores


def _score(lm: LanguageModel, cloze: Cloze, vectors: Float[Tensor, "length dim"]) -> Accuracy:
    return Accuracy(tuple((top_words(lm, cloze, vectors) == cloze.answers).tolist()))


@torch.no_grad()
def top_words(lm: LanguageModel, cloze: Cloze, vectors: Float[Tensor, "length dim"]) -> Tensor:
    """For each row the id of the word that the model finds likeliest, with the same prompt in all rows."""
    tops = []
    for rows in torch.arange(len(cloze), device=lm.device).split(ROWS_AT_ONCE):
        part = cloze[rows]
        tops.append(slot_logits(lm, part, vectors.expand(len(part), -1, -1)).argmax(dim=-1))
    return torch.cat(tops)
