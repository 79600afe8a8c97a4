"""The engine: the one path on which prompts of every kind are tuned, kept, and taken up again."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from ptlib.prompts.soft_prompt import SoftPrompt, load_prompt
from ptlib.prompts.template import Template
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Descent, Numbers, Pull, Schedule
from ptlib.tuning.gradients import Job

Name = TypeVar("Name", bound=tuple)
Tuned = TypeVar("Tuned", bound=Keepable)
Watch = Callable[[int, Callable[[], dict]], None]


@dataclass(frozen=True)
class Engine(ABC, Generic[Name, Tuned]):
    """Tunes prompts of one kind; what a kind is, those say that inherit from it.

    Attributes:
        lms: the models that each prompt is to serve.
        template: where a prompt stands.
        settings: how it is tuned.
    """

    lms: Sequence[LanguageModel]
    template: Template
    settings: Schedule

    @abstractmethod
    def start(self, names: list[Name]) -> Numbers:
        """The numbers of some prompts at the first step."""

    @abstractmethod
    def finish(self, name: Name, numbers: Float[Tensor, "length numbers"]) -> Tuned:
        """The prompt that its numbers make."""

    @abstractmethod
    def read(self, path: Path) -> Tuned:
        """A prompt that was kept."""

    @abstractmethod
    def fits(self, prompt: Tuned) -> bool:
        """Whether a prompt that was kept has the right shape."""

    @abstractmethod
    def packed(self, prompt: Tuned) -> packs.Numbers:
        """The numbers of a prompt that go into a pack."""

    @abstractmethod
    def again(self, name: Name, numbers: packs.Numbers) -> Tuned:
        """The prompt that the numbers in a pack make."""

    def depends(self, name: Name) -> object:
        """What a prompt depends on beside models, task, template, seed and settings."""
        return None

    def vectors(self, numbers: Numbers, step: int) -> Sequence[Float[Tensor, "jobs length _"]]:
        """What the numbers stand for on each model, at a step; by default they are the vectors of the one model."""
        return [numbers]

    def pull(self, names: list[Name]) -> Pull | None:
        """What draws some prompts elsewhere."""
        return None

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
        return type(self).__module__.rpartition(".")[2]

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
        return key_of(*parts, code=type(self).__module__)

    def _make(
        self, jobs: Mapping[Name, Job], journal: Journal, label: str, progress: bool, watch: Watch | None
    ) -> dict[Name, Tuned]:
        start, pull = self.start(list(jobs)), self.pull(list(jobs))
        descent = Descent(self.lms, list(jobs.values()), self.template, self.settings, start, self.vectors, pull)

        def prompts() -> dict[Name, Tuned]:
            """The prompts as they are now."""
            return {name: self.finish(name, one) for name, one in zip(jobs, descent.numbers.detach(), strict=True)}

        for step in descent.steps(journal, label=f"tuning {len(jobs)} prompts {label}", progress=progress):
            if watch:
                watch(step, prompts)
            descent.step(step)
        if watch:
            watch(self.settings.steps, prompts)
        return prompts()


class VectorEngine(Engine[Name, SoftPrompt]):
    """Tunes prompts whose numbers are vectors of one model."""

    @property
    def lm(self) -> LanguageModel:
        """The model."""
        return self.lms[0]

    def read(self, path: Path) -> SoftPrompt:
        """A prompt that was kept."""
        return load_prompt(path)

    def fits(self, prompt: SoftPrompt) -> bool:
        """Whether it has as many vectors as the template, of the model's width."""
        return prompt.vectors.shape == (self.template.length, self.lm.dim)

    def packed(self, prompt: SoftPrompt) -> Float[Tensor, "length dim"]:
        """Its vectors."""
        return prompt.vectors

    def again(self, name: Name, numbers: Float[Tensor, "length dim"]) -> SoftPrompt:
        """The prompt with these vectors."""
        return self.finish(name, numbers)


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
    require_list(what, values)
    if not values:
        raise PromptError(f"no {what}s to tune prompts with; give one at least")
    if twice := [value for value, times in Counter(values).items() if times > 1]:
        raise PromptError(f"{what} {twice[0]!r} stands there twice, and results are told apart by it; give each once")


def require_list(what: str, values: Sequence[object]) -> None:
    """Refuse a text where a list is wanted, since each of its letters would be taken for one of them."""
    if isinstance(values, str):
        raise PromptError(f"{what}s {values!r}: a text where a list is wanted; give [{values!r}]")
