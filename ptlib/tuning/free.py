"""Prompt tuning: find the vectors that make a frozen language model do a task, for many tasks at once."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import place_for
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Settings
from ptlib.tuning.engine import VectorEngine, jobs_of
from ptlib.tuning.start import random_vectors
from ptlib.tuning.toward import text_ids, tune_toward

Prompts = dict[tuple[str, int], SoftPrompt]
Watch = Callable[[int, Callable[[], Prompts]], None]


def tune(
    lm: LanguageModel,
    task: Task,
    *,
    length: int | None = None,
    template: str | None = None,
    seed: int = 0,
    settings: Settings = Settings(),
    start: SoftPrompt | None = None,
    toward: str | None = None,
    gamma: int | float = 0,
    cache: str | Path | None = None,
) -> SoftPrompt:
    """Tune a soft prompt for one task; see `tune_many`.

    Minimises the cross-entropy of the right word at the slot (Lester et al. 2021; OptiPrompt), with the
    language model's own weights left as they are.

    With `toward`, the prompt starts at the embeddings of a text and is drawn to them with strength `gamma`
    (Khashabi et al. 2022); see `tune_toward`. Its length is then the number of the text's tokens, and a
    template holds one `[V]` for all of them.
    """
    if toward is not None:
        tokens = len(text_ids(lm, toward))
        if length not in (None, tokens):
            raise PromptError(f"text {toward!r} has {tokens} tokens in {lm.name}, the prompt {length} vectors")
        (prompt,) = tune_toward(
            lm,
            [task],
            [toward],
            gammas=(gamma,),
            seeds=(seed,),
            start=start or "text",
            template=template,
            settings=settings,
            cache=cache,
            progress=False,
        ).values()
        return prompt
    if gamma:
        raise PromptError(f"gamma {gamma} draws a prompt to a text; say to which one, with toward=...")
    job = task.name, seed
    prompts = tune_many(
        lm,
        [task],
        length=5 if length is None else length,
        template=template,
        seeds=(seed,),
        settings=settings,
        start=None if start is None else {job: start},
        cache=cache,
        progress=False,
    )
    return prompts[job]


def tune_many(
    lm: LanguageModel,
    tasks: Sequence[Task],
    *,
    length: int = 5,
    template: str | None = None,
    seeds: Sequence[int] = (0,),
    settings: Settings = Settings(),
    start: Prompts | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
    watch: Watch | None = None,
) -> Prompts:
    """Tune a prompt for each task and seed, all in the same forward passes.

    Each prompt comes out as if it had been tuned alone, up to floating-point rounding: it has its own
    start, its own order of examples and its own gradient.

    Args:
        lm: the frozen language model.
        tasks: what to tune for.
        length: vectors in a prompt, for the default template `[X] [V] ... [V] [Y] .`.
        template: another template, with one `[V]` for each vector; then `length` is read from it.
        seeds: each task is tuned once for each.
        settings: steps, rows and learning rate.
        start: where to start from, for each task and seed, such as prompts carried over from another model;
            by default random vectors.
        cache: a folder in which finished prompts are kept and looked up.
        progress: show a bar, if this takes long.
        watch: called with the number of updates made, from 0 on, and a function that gives the prompts as
            they are then. Prompts that are watched are tuned even if the cache has them.

    Returns:
        prompts by task name and seed.

    Raises:
        PromptError: no tasks or seeds, two with the same name, a task without usable examples, or a template or a
            start that does not fit.
    """
    engine = FreePrompts([lm], place_for(length, template), settings, start)
    return engine.run(jobs_of(tasks, seeds), f"on {lm.name}", cache, progress, watch)


@dataclass(frozen=True)
class FreePrompts(VectorEngine[tuple[str, int]]):
    """Tunes prompts that may become any vectors.

    Attributes:
        starts: where each prompt starts, or None for random vectors.
    """

    starts: Prompts | None

    def start(self, names: list[tuple[str, int]]) -> Float[Tensor, "jobs length dim"]:
        """The given starts, or random vectors."""
        if self.starts is None:
            return random_vectors(self.lm, self.template.length, names)
        return torch.stack([self._given(name, self.starts) for name in names])

    def finish(self, name: tuple[str, int], numbers: Float[Tensor, "length dim"]) -> SoftPrompt:
        """The prompt with these vectors."""
        return SoftPrompt(numbers, self.lm.name, name[0], self.template.text, name[1], asdict(self.settings))

    def depends(self, name: tuple[str, int]) -> Float[Tensor, "length dim"] | None:
        """Its start."""
        return None if self.starts is None else self._given(name, self.starts)

    def _given(self, name: tuple[str, int], starts: Prompts) -> Float[Tensor, "length dim"]:
        if name not in starts:
            raise PromptError(f"no start for task {name[0]} and seed {name[1]}; give one for each, or none at all")
        if starts[name].length != self.template.length:
            raise PromptError(
                f"{name[0]}: a start of {starts[name].length} vectors for a prompt of {self.template.length}"
            )
        return starts[name].on(self.lm)
