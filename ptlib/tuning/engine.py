"""The engine: the one path on which prompts of every kind are tuned, kept, and taken up again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping import packs
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
        packed, again: the numbers of a prompt that go into a pack, and the prompt that they make again.
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
    packed: Callable[[Tuned], packs.Numbers] = field(kw_only=True)
    again: Callable[[Name, packs.Numbers], Tuned] = field(kw_only=True)

    def run(
        self, jobs: Mapping[Name, Job], label: str, cache: str | Path | None, progress: bool, watch: Watch | None = None
    ) -> dict[Name, Tuned]:
        """Tune prompts, by name, in the same forward passes, but those in a pack or in the cache; see `tune_many`."""
        keys = self._lasting_keys(jobs) if cache is not None and watch is None and packs.are_used() else {}
        there = packs.unpacked(self._pack) if keys else {}
        made = {name: self.again(name, there[key]) for name, key in keys.items() if key in there}
        found = {name: prompt for name, prompt in made.items() if self.fits(prompt)}
        left = {name: job for name, job in jobs.items() if name not in found}
        if left:
            found |= Store(cache, self.read).complete(
                left,
                lambda name: self._key(name, *jobs[name]),
                lambda some, journal: self._make({name: jobs[name] for name in some}, journal, label, progress, watch),
                fits=self.fits,
                anew=watch is not None,
            )
        if keys:
            effort = self.settings.steps * self.settings.rows * sum(lm.parameters for lm in self.lms)
            packs.put_in(self._pack, {key: self.packed(found[name]) for name, key in keys.items()}, effort)
        return {name: found[name] for name in jobs}

    @property
    def _kind(self) -> str:
        """What makes the prompts, such as "free"."""
        return self.start.__module__.rpartition(".")[2]

    @property
    def _pack(self) -> str:
        """The name of the pack that holds such prompts: their models and their kind."""
        return "-".join([*(lm.name.rpartition("/")[2].replace(".", "_") for lm in self.lms), self._kind])

    def _lasting_keys(self, jobs: Mapping[Name, Job]) -> dict[Name, str]:
        """What prompts are found under in packs: all that is asked for, in plain values."""
        models = [lm.fingerprint for lm in self.lms]
        same = [self._kind, models, self.template.text, asdict(self.settings)]
        tasks = {task.name: task.fingerprint() for task, _ in jobs.values()}
        return {
            name: packs.lasting_key(*same, tasks[task.name], seed, self.depends(name))
            for name, (task, seed) in jobs.items()
        }

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
