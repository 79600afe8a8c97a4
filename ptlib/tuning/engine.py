"""The engine: the one path on which prompts of every kind are tuned, kept, and taken up again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.keys import key_of
from ptlib.keeping.resume import Journal
from ptlib.keeping.store import Keepable, Store
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import arithmetic
from ptlib.prompts.template import Template
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Descent, Numbers, Pull, Schedule, Vectors, as_they_are
from ptlib.tuning.gradients import Job

Name = TypeVar("Name", bound=tuple)
Tuned = TypeVar("Tuned", bound=Keepable)
Watch = Callable[[int, Callable[[], dict]], None]


@dataclass(frozen=True)
class Engine(Generic[Name, Tuned]):
    """What is tuned, and how.

    Attributes:
        lms, template, settings: the models that each prompt is to serve, where it stands, and how it is tuned.
        start: the numbers of some prompts at the first step.
        finish: the prompt that its numbers make.
        read, fits: reads a prompt that was kept, and says whether it has the right shape.
        depends: what a prompt depends on beside models, task, template, seed and settings.
        vectors: what the numbers stand for on each model.
        pull: what draws some prompts elsewhere.
    """

    lms: Sequence[LanguageModel]
    template: Template
    settings: Schedule
    start: Callable[[list[Name]], Numbers]
    finish: Callable[[Name, Float[Tensor, "length numbers"]], Tuned]
    read: Callable[[Path], Tuned]
    fits: Callable[[Tuned], bool]
    depends: Callable[[Name], object]
    vectors: Vectors = as_they_are
    pull: Callable[[list[Name]], Pull | None] = lambda _: None

    def run(
        self, jobs: Mapping[Name, Job], label: str, cache: str | Path | None, progress: bool, watch: Watch | None = None
    ) -> dict[Name, Tuned]:
        """Tune prompts, by name, in the same forward passes, except those that are in the cache; see `tune_many`."""
        return Store(cache, self.read).complete(
            jobs,
            lambda name: self._key(name, *jobs[name]),
            lambda left, journal: self._make({name: jobs[name] for name in left}, journal, label, progress, watch),
            fits=self.fits,
            anew=watch is not None,
        )

    def _key(self, name: Name, task: Task, seed: int) -> str:
        models = [(lm.name, lm.fingerprint, arithmetic(lm)) for lm in self.lms]
        parts = models, task.fingerprint(), self.template.text, seed, self.settings, self.depends(name)
        return key_of(*parts, code=self.start.__module__)

    def _make(
        self, jobs: Mapping[Name, Job], journal: Journal, label: str, progress: bool, watch: Watch | None
    ) -> dict[Name, Tuned]:
        start, pull = self.start(list(jobs)), self.pull(list(jobs))
        descent = Descent(self.lms, list(jobs.values()), self.template, self.settings, start, self.vectors, pull)

        def prompts() -> dict[Name, Tuned]:
            return {name: self.finish(name, one) for name, one in zip(jobs, descent.numbers.detach(), strict=True)}

        for step in descent.steps(journal, label=f"tuning {len(jobs)} prompts {label}", progress=progress):
            if watch:
                watch(step, prompts)
            descent.step(step)
        if watch:
            watch(self.settings.steps, prompts)
        return prompts()


def jobs_of(tasks: Sequence[Task], seeds: Sequence[int]) -> dict[tuple[str, int], Job]:
    """Each task with each seed, by the name of the task and the seed.

    Raises:
        PromptError: no task, no seed, or two that cannot be told apart.
    """
    require_distinct("task", [task.name for task in tasks])
    require_distinct("seed", seeds)
    return {(task.name, seed): (task, seed) for task in tasks for seed in seeds}


def require_distinct(what: str, values: Sequence[object]) -> None:
    """Refuse none at all, and the same one twice, since results are told apart by them."""
    if not values:
        raise PromptError(f"no {what}s to tune prompts with; give one at least")
    if twice := [value for value, times in Counter(values).items() if times > 1]:
        raise PromptError(f"{what} {twice[0]!r} stands there twice, and results are told apart by it; give each once")
