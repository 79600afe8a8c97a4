"""Scores: the share of examples whose top word is the right one (P@1), with how far to trust it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import quick_copy
from ptlib.prompts.cloze import Cloze, concatenate, encode, encode_once, slot_logits
from ptlib.prompts.passes import passes
from ptlib.prompts.soft_prompt import SoftPrompt, vectors_in
from ptlib.prompts.template import parse
from ptlib.tasks.labels import Allowed, allowed_words, among
from ptlib.tasks.task import Task, by_name

RESAMPLES = 2_000

Name = TypeVar("Name", bound=tuple)


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
        return interval(np.array(self.hits, dtype=float), confidence)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.2f} ({low:.2f} to {high:.2f}; {sum(self.hits)} of {len(self.hits)})"


def micro(scores: Sequence[Accuracy]) -> Accuracy:
    """P@1 over the examples of all tasks together."""
    return Accuracy(tuple(hit for score in scores for hit in score.hits))


def macro(scores: Sequence[Accuracy]) -> tuple[float, tuple[float, float]]:
    """Mean P@1 over tasks, and its bootstrap interval over tasks."""
    values = np.array([score.value for score in scores])
    return float(values.mean()), interval(values)


def interval(values: Float[np.ndarray, " values"], confidence: float = 0.95) -> tuple[float, float]:
    """Bootstrap interval of a mean (percentiles, fixed seed)."""
    if values.min() == values.max():
        return float(values[0]), float(values[0])
    from scipy.stats import bootstrap  # slow to import, and seldom needed

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
    """P@1 of a language model on a task, over its whole vocabulary or among the task's labels.

    Args:
        lm: the language model.
        task: the task.
        prompt: a soft prompt, or a template in words such as `"[X] was born in [Y] ."`; by default the
            task's manual template.
        split: the examples to score: "train", "dev" or "test".

    Raises:
        PromptError: the prompt does not fit the model, or no example can be used.
    """
    soft = prompt if isinstance(prompt, SoftPrompt) else None
    template = parse(prompt.template if isinstance(prompt, SoftPrompt) else prompt or task.template)
    vectors = vectors_in(template, lm, soft)
    cloze = encode(lm, template, task.examples(split), task=f"{task.name} ({split})")
    return Accuracy(tuple(hits(lm, [cloze], [vectors], allowed_words(lm, [task]))[0]))


def accuracy_by_seed(
    lm: LanguageModel,
    tasks: Sequence[Task],
    prompts: Mapping[tuple[str, int], SoftPrompt],
    *,
    split: str = "test",
    quick: bool = False,
) -> Float[np.ndarray, "seeds tasks"]:
    """P@1 of many prompts, as `tune_many` returns them: a row for each seed, a column a task; see `accuracy_many`.

    Raises:
        PromptError: no prompts, no prompt for a task and a seed, or what `accuracy_many` raises.
    """
    seeds = sorted({seed for _, seed in prompts})
    if not seeds:
        raise PromptError("no prompts to score; give those that tune_many returned")
    if missing := [(task.name, seed) for seed in seeds for task in tasks if (task.name, seed) not in prompts]:
        raise PromptError(f"no prompt for task {missing[0][0]} and seed {missing[0][1]}; give one for each")
    wanted = {(task.name, seed): prompts[task.name, seed] for seed in seeds for task in tasks}
    scores = accuracy_many(lm, tasks, wanted, split=split, quick=quick)
    return np.array(scores).reshape(len(seeds), len(tasks))


def accuracy_many(
    lm: LanguageModel,
    tasks: Sequence[Task],
    prompts: Mapping[Name, SoftPrompt],
    *,
    split: str = "test",
    quick: bool = False,
) -> list[float]:
    """P@1 of prompts of any length, each on the task that its name begins with; the scores are in their order.

    Prompts may be those of `tune_many` or of `tune_toward`. With `quick`, through the model's `quick_copy`: where
    two words are almost equally likely, rounding decides.

    Raises:
        PromptError: a prompt for none of the tasks, or one that does not fit the model.
    """
    named = by_name(tasks)
    found: dict[Name, list[bool]] = {}
    scorer = quick_copy(lm) if quick else lm
    if strange := [name for name, *_ in prompts if name not in named]:
        raise PromptError(f"a prompt for {strange[0]}, and tasks {', '.join(named)}")
    for template in {prompt.template: None for prompt in prompts.values()}:
        some = {name: prompt.on(lm) for name, prompt in prompts.items() if prompt.template == template}
        clozes = {
            task: encode_once(lm, parse(template), named[task].examples(split), task=f"{task} ({split})")
            for task in {name[0]: None for name in some}
        }
        allowed = allowed_words(lm, [named[name[0]] for name in some])
        found |= zip(some, hits(scorer, [clozes[n[0]] for n in some], list(some.values()), allowed), strict=True)
    return [float(np.mean(found[name])) for name in prompts]


@torch.no_grad()
def hits(
    lm: LanguageModel,
    clozes: Sequence[Cloze],
    prompts: Sequence[Float[Tensor, "length dim"]],
    allowed: Allowed = None,
) -> list[list[bool]]:
    """For each cloze and its prompt, which examples are answered rightly; all in the same forward passes.

    Where `allowed` marks words for each cloze, the answer is the likeliest of these.
    """
    table, vectors = concatenate(clozes), torch.stack(list(prompts))
    sizes = [len(cloze) for cloze in clozes]
    owners = torch.repeat_interleave(torch.tensor(sizes)).to(lm.device)
    right = torch.empty(len(table), dtype=torch.bool)
    for rows, beginnings in passes(lm, table):
        part, own = table[rows], owners[rows]
        logits = among(slot_logits(lm, part, vectors[own], beginnings), allowed, own)
        right[rows.cpu()] = is_first(logits, part.answers).cpu()
    return [found.tolist() for found in right.split(sizes)]


def is_first(logits: Float[Tensor, "rows vocabulary"], answers: Int[Tensor, " rows"]) -> Bool[Tensor, " rows"]:
    """Whether each row's answer is its likeliest word; of equally likely words, the first in the vocabulary is.

    It is `argmax == answers`, and no where a logit is not a number. On a CPU the largest number is found ten times as
    fast as its place, and the place is only asked for where another word may have the same.
    """
    first = logits.gather(1, answers[:, None])[:, 0] == logits.amax(dim=-1)
    told = first.nonzero()[:, 0]
    others = logits[told].scatter_(1, answers[told, None], float("-inf"))  # of a copy
    tied = told[others.amax(dim=-1) == logits[told, answers[told]]]
    first[tied] = logits[tied].float().argmax(dim=-1) == answers[tied]
    return first
