"""Prompt tuning: find the vectors that make a frozen language model do a task, for many tasks at once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from ptlib.errors import PromptError
from ptlib.gradients import Gradients, Job, job_generator
from ptlib.models import LanguageModel
from ptlib.prompt import SoftPrompt, load_prompt
from ptlib.store import Store, key_of
from ptlib.tasks import Task
from ptlib.template import default_template, parse

CODE = ("models", "template", "cloze", "head", "precision", "gradients", "tuning")  # turns examples into prompts

Prompts = dict[tuple[str, int], SoftPrompt]
Watch = Callable[[int, Callable[[], Prompts]], None]


@dataclass(frozen=True)
class Settings:
    """How prompts are tuned: Adam with a learning rate that falls linearly to nothing.

    Attributes:
        steps: updates of the prompt.
        rows: training examples of each task that an update looks at.
        learning_rate: at the first step.
    """

    steps: int = 100
    rows: int = 4
    learning_rate: float = 0.05


def tune(
    lm: LanguageModel,
    task: Task,
    *,
    length: int = 5,
    template: str | None = None,
    seed: int = 0,
    settings: Settings = Settings(),
    start: SoftPrompt | None = None,
    cache: str | Path | None = None,
) -> SoftPrompt:
    """Tune a soft prompt for one task; see `tune_many`.

    Minimises the cross-entropy of the right word at the slot (Lester et al. 2021; OptiPrompt), with the
    language model's own weights left as they are.
    """
    job = task.name, seed
    prompts = tune_many(
        lm,
        [task],
        length=length,
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
        PromptError: a task without usable examples, or a template or a start that does not fit.
    """
    parsed = parse(template or default_template(length))
    jobs = {(task.name, seed): (task, seed) for task in tasks for seed in seeds}
    starts = {name: _start(lm, name, parsed.length, start) for name in jobs}
    keys = {
        name: _key(lm, task, parsed.text, seed, settings, None if start is None else starts[name])
        for name, (task, seed) in jobs.items()
    }
    store = Store(cache, load_prompt)
    found = {name: store.get(key) for name, key in keys.items()} if watch is None else {}
    prompts = {name: prompt for name, prompt in found.items() if prompt is not None}
    left = {name: job for name, job in jobs.items() if name not in prompts}
    if left:
        run = _Run(lm, list(left.values()), parsed.text, settings, torch.stack([starts[name] for name in left]))
        for step in counted(settings.steps, f"tuning {len(left)} prompts on {lm.name}", progress):
            if watch:
                watch(step, run.prompts)
            run.step(step)
        if watch:
            watch(settings.steps, run.prompts)
        for name, prompt in run.prompts().items():
            store.put(keys[name], prompt)
            prompts[name] = prompt
    return {name: prompts[name] for name in jobs}


def counted(steps: int, what: str, progress: bool) -> Iterator[int]:
    """The numbers of steps, under a progress bar if that is wanted."""
    numbers: Iterable[int] = range(steps)
    yield from tqdm(numbers, desc=what, leave=False) if progress else numbers


def random_vectors(lm: LanguageModel, length: int, generator: torch.Generator) -> Float[Tensor, "length dim"]:
    """Vectors with the mean and spread of the model's word embeddings in each dimension."""
    spread, mean = torch.std_mean(lm.embeddings, dim=0)
    noise = torch.randn(length, lm.dim, generator=generator, dtype=torch.float64).to(mean)
    return mean + spread * noise


def _start(lm: LanguageModel, name: tuple[str, int], length: int, start: Prompts | None) -> Float[Tensor, "length dim"]:
    if start is None:
        return random_vectors(lm, length, job_generator(*name, "start"))
    if name not in start:
        raise PromptError(f"no start for task {name[0]} and seed {name[1]}; give one for each, or none at all")
    if start[name].length != length:
        raise PromptError(f"{name[0]}: a start of {start[name].length} vectors for a prompt of {length}")
    return start[name].on(lm)


def _key(
    lm: LanguageModel, task: Task, template: str, seed: int, settings: Settings, start: Float[Tensor, "..."] | None
) -> str:
    """Everything that a tuned prompt depends on, the code included."""
    begun = "random" if start is None else hashlib.sha256(start.cpu().contiguous().numpy()).hexdigest()
    return key_of(lm.fingerprint, task.fingerprint(), template, seed, asdict(settings), begun, code=CODE)


class _Run:
    """The state of tuning several prompts at once."""

    def __init__(
        self,
        lm: LanguageModel,
        jobs: list[Job],
        template: str,
        settings: Settings,
        start: Float[Tensor, "jobs length dim"],
    ):
        self.lm, self.jobs, self.template, self.settings = lm, jobs, template, settings
        self.gradients = Gradients(lm, jobs, template, steps=settings.steps, rows=settings.rows)
        self.vectors = start.clone().requires_grad_()
        self.optimizer = torch.optim.Adam([self.vectors], lr=settings.learning_rate)

    def step(self, step: int) -> None:
        """One update of every prompt."""
        self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * (1 - step / self.settings.steps)
        self.vectors.grad = self.gradients.at(step, self.vectors)
        self.optimizer.step()

    def prompts(self) -> Prompts:
        """The prompts as they are now."""
        return {
            (task.name, seed): SoftPrompt(vectors, self.lm.name, task.name, self.template, seed, asdict(self.settings))
            for vectors, (task, seed) in zip(self.vectors.detach(), self.jobs, strict=True)
        }
