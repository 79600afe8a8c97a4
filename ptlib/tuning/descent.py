"""Descent: the updates that tune the vectors of many prompts at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.resume import Journal
from ptlib.models.language_model import LanguageModel
from ptlib.models.scale import spread, word_spacing
from ptlib.tuning.gradients import Gradients, Job

UNITS = ("model", "absolute")


@dataclass(frozen=True)
class Settings:
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
        PromptError: an unknown unit.
    """

    steps: int = 100
    rows: int = 4
    learning_rate: float = 0.3
    unit: str = "model"

    def __post_init__(self) -> None:
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
    """The state of tuning several prompts at once."""

    def __init__(
        self,
        lm: LanguageModel,
        jobs: list[Job],
        template: str,
        settings: Settings,
        start: Float[Tensor, "jobs length dim"],
        pull: Pull | None = None,
    ):
        self.settings, self.pull, self.rate = settings, pull, settings.rate(lm)
        self.gradients = Gradients(lm, jobs, template, steps=settings.steps, rows=settings.rows)
        self.vectors = start.clone().requires_grad_()
        self.optimizer = torch.optim.Adam([self.vectors], lr=self.rate)

    def steps(self, journal: Journal, *, label: str, progress: bool) -> Iterator[int]:
        """The numbers of the steps that are left to make; see `Journal.steps`."""
        return journal.steps(self.settings.steps, self.vectors, self.optimizer, label=label, progress=progress)

    def step(self, step: int) -> None:
        """One update of every prompt."""
        self.optimizer.param_groups[0]["lr"] = self.rate * (1 - step / self.settings.steps)
        gradient = self.gradients.at(step, self.vectors)
        if self.pull is not None:
            gradient += self.pull.gradient(self.vectors.detach())
        self.vectors.grad = gradient
        self.optimizer.step()
