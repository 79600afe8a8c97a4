"""Tuning toward a text: prompts that do a task while they stay near the words of a text that may say otherwise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import VECTOR, default_template, parse
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Pull, Settings
from ptlib.tuning.engine import VectorEngine, jobs_of, require_distinct, require_list
from ptlib.tuning.gradients import Job
from ptlib.tuning.start import random_vectors


class Aim(NamedTuple):
    """What a prompt was tuned for, and the text that it was drawn to, how strongly, and from which seed."""

    task: str
    text: str
    gamma: float
    seed: int


def text_ids(lm: LanguageModel, text: str) -> list[int]:
    """Token ids of a text that a prompt is to look like.

    Raises:
        PromptError: no words, or some that the model does not know.
    """
    ids = lm.pieces(text.strip())
    if not text.strip() or not ids:
        raise PromptError(f"text {text!r} has no words; give at least one")
    special = set(lm.tokenizer.all_special_ids)
    unknown = [word for word in text.split() if special & set(lm.pieces(word))]
    if unknown or special & set(ids):
        raise PromptError(f"text {text!r}: {lm.name} has no words for {', '.join(map(repr, unknown)) or 'parts of it'}")
    return ids


def tune_toward(
    lm: LanguageModel,
    tasks: Sequence[Task],
    texts: Sequence[str] | Mapping[str, Sequence[str]],
    *,
    gammas: Sequence[int | float],
    seeds: Sequence[int] = (0,),
    start: Literal["text", "random"] | SoftPrompt = "text",
    template: str | None = None,
    settings: Settings = Settings(),
    cache: str | Path | None = None,
    progress: bool = True,
) -> dict[Aim, SoftPrompt]:
    """Tune a prompt for each task, text, gamma and seed; those of equally long texts in the same forward passes.

    Minimises the task's cross-entropy plus gamma times the sum of squared distances of the prompt's vectors
    to the embeddings of the text's tokens, divided by their number (Khashabi et al. 2022). With the same seed,
    prompts see the same examples in the same order, so that they differ by text and gamma alone.

    Args:
        lm: the frozen language model.
        tasks: what to tune for.
        texts: what prompts are drawn to, the same for all tasks, or by name of the task. A prompt has as many
            vectors as its text has tokens.
        gammas: how strongly; with 0 a prompt only starts at the text.
        seeds: each prompt is tuned once for each.
        start: at the "text", at "random" vectors, or at a prompt of the right length.
        template: where the prompt stands, with one `[V]` for all its vectors; by default `[X] [V] [Y] .`.
        settings: steps, rows and learning rate.
        cache: a folder in which finished prompts are kept and looked up.
        progress: show a bar, if this takes long.

    Returns:
        prompts by task, text, gamma and seed, in that order.

    Raises:
        PromptError: a text for a list of them, one without words or with unknown ones, one that is too long for the
            model or does not fit the start, a task without texts, an unknown start, a gamma that is negative or no
            number, or a template without exactly one `[V]`.
    """
    if isinstance(start, str) and start not in ("text", "random"):
        raise PromptError(f"unknown start {start!r}; there are text and random, or give a prompt")
    aims = _aims(tasks, texts, gammas, seeds)
    ids = {text: text_ids(lm, text) for text in {aim.text: None for aim in aims}}
    found: dict[Aim, SoftPrompt] = {}
    for length in sorted({len(tokens) for tokens in ids.values()}):
        alike = {text: tokens for text, tokens in ids.items() if len(tokens) == length}
        if isinstance(start, SoftPrompt) and start.length != length:
            raise PromptError(f"text {next(iter(alike))!r} has {length} tokens, the start {start.length} vectors")
        engine = PromptsTowardTexts([lm], parse(_spread(template, length)), settings, alike, start)
        some = {aim: job for aim, job in aims.items() if aim.text in alike}
        found |= engine.run(some, f"on {lm.name} toward texts", cache, progress)
    return {aim: found[aim] for aim in aims}


def _aims(
    tasks: Sequence[Task],
    texts: Sequence[str] | Mapping[str, Sequence[str]],
    gammas: Sequence[int | float],
    seeds: Sequence[int],
) -> dict[Aim, Job]:
    """What prompts are tuned for, by task, text, gamma and seed, in that order."""
    if wrong := [gamma for gamma in gammas if not (gamma >= 0 and math.isfinite(gamma))]:
        raise PromptError(f"gamma {wrong[0]}: must be a number, 0 or larger")
    require_distinct("gamma", gammas)
    jobs = jobs_of(tasks, seeds)
    by_task = texts if isinstance(texts, Mapping) else {task.name: texts for task in tasks}
    if missing := [task.name for task in tasks if not by_task.get(task.name)]:
        raise PromptError(
            f"no texts for task {missing[0]}; there are some for {', '.join(filter(by_task.get, by_task))}"
        )
    for wanted in by_task.values():
        require_list("text", wanted)
    return {
        Aim(task.name, text, float(gamma), seed): jobs[task.name, seed]
        for task in tasks
        for text in by_task[task.name]
        for gamma in gammas
        for seed in seeds
    }


def _spread(template: str | None, length: int) -> str:
    """A template with its one `[V]` repeated."""
    if template is None:
        return default_template(length)
    if template.count(VECTOR) != 1:
        raise PromptError(
            f"template {template!r}: has {template.count(VECTOR)} {VECTOR}; "
            "give one, which stands for as many vectors as a text has tokens"
        )
    return template.replace(VECTOR, " ".join([VECTOR] * length))


@dataclass(frozen=True)
class PromptsTowardTexts(VectorEngine[Aim]):
    """Tunes prompts that are drawn to texts of equally many tokens.

    Attributes:
        settings: how.
        ids: the tokens of each text.
        starts: where prompts start: at their "text", at "random" vectors, or at a prompt.
    """

    settings: Settings
    ids: Mapping[str, list[int]]
    starts: Literal["text", "random"] | SoftPrompt

    def start(self, names: list[Aim]) -> Float[Tensor, "jobs length dim"]:
        """The same prompt for all, the words of each one's text, or random vectors."""
        if isinstance(self.starts, SoftPrompt):
            return torch.stack([self.starts.on(self.lm)] * len(names))
        if self.starts == "text":
            return self._words(names)
        return random_vectors(self.lm, self.template.length, [(aim.task, aim.seed) for aim in names])

    def pull(self, names: list[Aim]) -> Pull:
        """To the words of each one's text, as strongly as its gamma says."""
        strengths = [self.settings.strength(self.lm, aim.gamma) for aim in names]
        return Pull(self._words(names), torch.tensor(strengths).to(self.lm.embeddings))

    def finish(self, name: Aim, numbers: Float[Tensor, "length dim"]) -> SoftPrompt:
        """The prompt with these vectors."""
        about = asdict(self.settings) | {"toward": name.text, "gamma": name.gamma}
        return SoftPrompt(numbers, self.lm.name, name.task, self.template.text, name.seed, about)

    def depends(self, name: Aim) -> object:
        """Its text and gamma, and where it starts."""
        return name, self.starts if isinstance(self.starts, str) else self.starts.on(self.lm)

    def _words(self, names: list[Aim]) -> Float[Tensor, "jobs length dim"]:
        return self.lm.embeddings[torch.tensor([self.ids[aim.text] for aim in names], device=self.lm.device)]
