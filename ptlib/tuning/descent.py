"""Descent: the updates that tune the numbers of many prompts at once."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.resume import Journal
from ptlib.models.language_model import LanguageModel
from ptlib.models.scale import spread, word_spacing
from ptlib.prompts.template import Template
from ptlib.tuning.gradients import Gradients, Job

Numbers = Float[Tensor, "jobs length numbers"]
Vectors = Callable[[Numbers, int], Sequence[Float[Tensor, "jobs length _"]]]  # on each model, at a step

UNITS = ("model", "absolute")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast numbers are tuned: Adam with a learning rate that falls linearly to nothing.

    Attributes:
        steps: updates of the numbers.
        rows: training examples of each task, from each model, that an update looks at.
        learning_rate: at the first step.

    Raises:
        PromptError: a number that cannot be meant.
    """

    steps: int
    rows: int
    learning_rate: float

    def __post_init__(self) -> None:
        for name, least in (("steps", 0), ("rows", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise PromptError(f"settings with {name}={value}: must be a whole number, {least} or larger")
        if not 0 <= self.learning_rate < math.inf:
            raise PromptError(f"settings with learning_rate={self.learning_rate}: must be a number, 0 or larger")

    def rate(self, lm: LanguageModel) -> float:
        """The first learning rate as a plain number."""
        return self.learning_rate


@dataclass(frozen=True)
class Settings(Schedule):
    """How prompts are tuned: Adam with a learning rate that falls linearly to nothing.

    Attributes:
        steps: updates of the prompt.
        rows: training examples of each task that an update looks at.
        learning_rate: at the first step, in the unit.
        unit: what rates and strengths are measured in. With "model" a learning rate of 1 is the model's `spread`, and
            gamma is what a prompt pays for each vector that is as far from its word as neighbouring words are from
            each other (`word_spacing`), so that one number serves models whose embeddings differ in scale. With
            "absolute" both are the plain numbers, as papers give them.

    Raises:
        PromptError: a number that cannot be meant, or an unknown unit.
    """

    steps: int = 100
    rows: int = 4
    learning_rate: float = 0.3
    unit: str = "model"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit not in UNITS:
            raise PromptError(f"unknown unit {self.unit!r}; there are {', '.join(UNITS)}")

    def rate(self, lm: LanguageModel) -> float:
        """The first learning rate as a plain number, for the embeddings of a model."""
        return self.learning_rate * (spread(lm) if self.unit == "model" else 1)

    def strength(self, lm: LanguageModel, gamma: int | float) -> float:
        """A gamma as a plain number, for squared distances between the embeddings of a model."""
        return gamma / (word_spacing(lm) ** 2 if gamma and self.unit == "model" else 1)


@dataclass(frozen=True)
class Pull:
    """What draws prompts to given vectors: gamma times the sum of squared distances, over the prompt's length.

    The penalty of Khashabi et al. (2022) as their code writes it; `gamma` differs from job to job.
    """

    toward: Float[Tensor, "jobs length dim"]
    gamma: Float[Tensor, " jobs"]

    def penalty(self, vectors: Float[Tensor, "jobs length dim"]) -> Float[Tensor, " jobs"]:
        """What each job's loss grows by."""
        return self.gamma * (vectors - self.toward).square().sum(dim=(1, 2)) / self.toward.shape[1]

    def gradient(self, vectors: Float[Tensor, "jobs length dim"]) -> Float[Tensor, "jobs length dim"]:
        """The gradient of the penalty."""
        return 2 * self.gamma[:, None, None] * (vectors - self.toward) / self.toward.shape[1]


class Descent:
    """The state of tuning several prompts at once.

    The loss is the mean over the models.
    """

    def __init__(
        self,
        lms: Sequence[LanguageModel],
        jobs: Sequence[Job],
        template: Template,
        settings: Schedule,
        start: Numbers,
        vectors: Vectors,
        pull: Pull | None,
    ):
        self.settings, self.vectors, self.pull, self.rate = settings, vectors, pull, settings.rate(lms[0])
        self.sides = [Gradients(lm, jobs, template, steps=settings.steps, rows=settings.rows) for lm in lms]
        self.numbers = start.clone().requires_grad_()
        self.optimizer = torch.optim.Adam([self.numbers], lr=self.rate)

    def steps(self, journal: Journal, *, label: str, progress: bool) -> Iterator[int]:
        """The numbers of the steps that are left to make; see `Journal.steps`."""
        return journal.steps(self.settings.steps, self.numbers, self.optimizer, label=label, progress=progress)

    def step(self, step: int) -> None:
        """One update of every prompt."""
        self.optimizer.param_groups[0]["lr"] = self.rate * (1 - step / self.settings.steps)
        self.optimizer.zero_grad()
        vectors = self.vectors(self.numbers, step)
        slopes = [side.at(step, here) / len(self.sides) for side, here in zip(self.sides, vectors, strict=True)]
        if self.pull is not None:
            self.numbers.grad = self.pull.gradient(self.numbers.detach())
        torch.autograd.backward(vectors, slopes)  # adds to that
        self.optimizer.step()
