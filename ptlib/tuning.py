"""Prompt tuning: find the vectors that make a frozen language model do a task, for many tasks at once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from ptlib.cloze import Cloze, concatenate, encode, slot_logits
from ptlib.models import LanguageModel
from ptlib.precision import for_gradients
from ptlib.prompt import SoftPrompt
from ptlib.store import Store, key_of
from ptlib.tasks import Task
from ptlib.template import default_template, parse

CODE = tuple(f"ptlib.{name}" for name in ("models", "template", "cloze", "head", "precision", "tuning"))  # all it takes
TOKENS_AT_ONCE = {"cpu": 2_048, "cuda": 131_072}  # what one forward pass takes, padding included

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
    cache: str | Path | None = None,
) -> SoftPrompt:
    """Tune a soft prompt for one task; see `tune_many`.

    Minimises the cross-entropy of the right word at the slot (Lester et al. 2021; OptiPrompt), with the
    language model's own weights left as they are.
    """
    prompts = tune_many(
        lm, [task], length=length, template=template, seeds=(seed,), settings=settings, cache=cache, progress=False
    )
    return prompts[task.name, seed]


def tune_many(
    lm: LanguageModel,
    tasks: Sequence[Task],
    *,
    length: int = 5,
    template: str | None = None,
    seeds: Sequence[int] = (0,),
    settings: Settings = Settings(),
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
        cache: a folder in which finished prompts are kept and looked up.
        progress: show a bar, if this takes long.
        watch: called with the number of updates made, from 0 on, and a function that gives the prompts as
            they are then. Prompts that are watched are tuned even if the cache has them.

    Returns:
        prompts by task name and seed.

    Raises:
        PromptError: a task without usable examples, or a template that does not fit the model.
    """
    parsed = parse(template or default_template(length))
    keys = {(task.name, seed): _key(lm, task, parsed.text, seed, settings) for task in tasks for seed in seeds}
    store = Store(cache)
    found = {job: store.get(key) for job, key in keys.items()} if watch is None else {}
    prompts = {job: prompt for job, prompt in found.items() if prompt is not None}
    jobs = [(task, seed) for task in tasks for seed in seeds if (task.name, seed) not in prompts]
    if jobs:
        run = _Run(lm, jobs, parsed.text, settings)
        steps: Iterable[int] = range(settings.steps)
        if progress:
            steps = tqdm(steps, desc=f"tuning {len(jobs)} prompts on {lm.name}", leave=False)
        for step in steps:
            if watch:
                watch(step, run.prompts)
            run.step(step)
        if watch:
            watch(settings.steps, run.prompts)
        for job, prompt in run.prompts().items():
            store.put(keys[job], prompt)
            prompts[job] = prompt
    return {job: prompts[job] for job in keys}


def _key(lm: LanguageModel, task: Task, template_text: str, seed: int, settings: Settings) -> str:
    """Everything that a tuned prompt depends on, the code included."""
    return key_of(lm.fingerprint, task.fingerprint(), template_text, seed, asdict(settings), code=CODE)


def random_vectors(lm: LanguageModel, length: int, generator: torch.Generator) -> Float[Tensor, "length dim"]:
    """Vectors with the mean and spread of the model's word embeddings in each dimension."""
    spread, mean = torch.std_mean(lm.embeddings, dim=0)
    noise = torch.randn(length, lm.dim, generator=generator, dtype=torch.float64).to(mean)
    return mean + spread * noise


def job_generator(task: str, seed: int) -> torch.Generator:
    """Randomness that depends on a task and a seed alone, the same on every machine and device."""
    digest = hashlib.sha256(f"{task} {seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class _Run:
    """The state of tuning several prompts at once."""

    def __init__(self, lm: LanguageModel, jobs: list[tuple[Task, int]], template: str, settings: Settings):
        self.lm, self.jobs, self.template, self.settings = lm, jobs, template, settings
        self.computing = for_gradients(lm)
        parsed = parse(template)
        tasks = {task.name: task for task, _ in jobs}
        clozes = {name: encode(lm, parsed, task.train, task=name) for name, task in tasks.items()}
        first_row = dict(zip(clozes, _starts([len(cloze) for cloze in clozes.values()]), strict=True))
        self.table = concatenate(list(clozes.values()))
        vectors, orders = [], []
        for task, seed in jobs:
            generator = job_generator(task.name, seed)
            vectors.append(random_vectors(lm, parsed.length, generator))
            orders.append(first_row[task.name] + _order(len(clozes[task.name]), settings, generator))
        self.vectors = torch.stack(vectors).requires_grad_()
        self.orders = torch.stack(orders, dim=1).to(lm.device)
        self.optimizer = torch.optim.Adam([self.vectors], lr=settings.learning_rate)

    def step(self, step: int) -> None:
        """One update of every prompt."""
        rows = self.orders[step].flatten()
        owners = torch.arange(len(self.jobs), device=rows.device).repeat_interleave(self.settings.rows)
        self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * (1 - step / self.settings.steps)
        self.optimizer.zero_grad()
        for chosen in _chunks(self.table.lengths[rows], TOKENS_AT_ONCE[self.lm.device.type]):
            self._loss(self.table[rows[chosen]], owners[chosen]).backward()
        self.optimizer.step()

    def _loss(self, cloze: Cloze, owners: Int[Tensor, " rows"]) -> Float[Tensor, ""]:
        """Cross-entropy summed over prompts, each with the mean over its own rows."""
        logits = slot_logits(self.computing, cloze, self.vectors[owners])
        return torch.nn.functional.cross_entropy(_wide(logits), cloze.answers, reduction="sum") / self.settings.rows

    def prompts(self) -> Prompts:
        """The prompts as they are now."""
        return {
            (task.name, seed): SoftPrompt(vectors, self.lm.name, task.name, self.template, seed, asdict(self.settings))
            for vectors, (task, seed) in zip(self.vectors.detach(), self.jobs, strict=True)
        }


def _wide(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype == torch.bfloat16 else logits


def _starts(sizes: list[int]) -> list[int]:
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _order(examples: int, settings: Settings, generator: torch.Generator) -> Int[Tensor, "steps rows"]:
    """Which examples each step looks at: one shuffled pass through all of them after the other."""
    needed = settings.steps * settings.rows
    passes = [torch.randperm(examples, generator=generator) for _ in range(-(-needed // examples))]
    return torch.cat(passes)[:needed].view(settings.steps, settings.rows)


def _chunks(lengths: Int[Tensor, " rows"], tokens: int) -> list[Int[Tensor, " chosen"]]:
    """Rows in groups of similar length, so that little is padded and no group is too large."""
    order = torch.argsort(lengths, stable=True)
    groups = max(1, -(-int(lengths.sum()) // tokens))
    return list(torch.chunk(order, groups))
