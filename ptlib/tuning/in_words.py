"""Prompts written in shared words: each vector is a mixture of words, and the shares of the words travel."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.keys import key_of
from ptlib.keeping.resume import Journal
from ptlib.keeping.store import Store
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import arithmetic
from ptlib.models.shared import shared_words, word_vectors
from ptlib.prompts.template import default_template, parse
from ptlib.prompts.word_prompt import WordPrompt, load_word_prompt
from ptlib.tasks.task import Task
from ptlib.tuning.free import Prompts
from ptlib.tuning.gradients import Gradients, Job
from ptlib.tuning.start import job_generator

START_SPREAD = 0.01  # of the numbers behind the shares: all words start nearly equal


@dataclass(frozen=True)
class WordSettings:
    """How prompts in words are tuned: Adam on the numbers z behind the shares softmax(z / temperature).

    Attributes:
        steps: updates of the shares.
        rows: training examples of each task, from each model, that an update looks at.
        learning_rate: at the first step; it falls linearly to nothing.
        first_temperature: at the first step, high for many words in each mixture.
        last_temperature: at the last step, low for few.
    """

    steps: int = 200
    rows: int = 4
    learning_rate: float = 0.3
    first_temperature: float = 1.0
    last_temperature: float = 0.1

    def temperature(self, step: int) -> float:
        """The temperature after some steps; it falls by the same factor at each."""
        return self.first_temperature * (self.last_temperature / self.first_temperature) ** (step / self.steps)


def tune_words(
    lms: LanguageModel | Sequence[LanguageModel],
    tasks: Task | Sequence[Task],
    *,
    length: int = 5,
    template: str | None = None,
    seeds: Sequence[int] = (0,),
    words: Sequence[str] | None = None,
    settings: WordSettings = WordSettings(),
    cache: str | Path | None = None,
    progress: bool = True,
) -> dict[tuple[str, int], WordPrompt]:
    """Tune prompts that are mixtures of words, on one model or on several at once.

    With several, the same shares must serve all: the loss is the mean over the models.

    Args:
        lms: the frozen language models.
        tasks: what to tune for.
        length: vectors in a prompt, for the default template.
        template: another template; then `length` is read from it.
        seeds: each task is tuned once for each.
        words: what to write with; by default the words that the models share. To carry the prompts to other
            models, give the words that are shared with those too.
        settings: how.
        cache: a folder in which finished prompts are kept and looked up.
        progress: show a bar, if this takes long.

    Returns:
        prompts by task name and seed.

    Raises:
        PromptError: a word that is not one token in a model, or a task without usable examples.
    """
    lms = [lms] if isinstance(lms, LanguageModel) else list(lms)
    tasks = [tasks] if isinstance(tasks, Task) else list(tasks)
    words = shared_words(*lms) if words is None else tuple(words)
    for lm in lms:
        if unknown := [word for word in words if word not in lm.words]:
            raise PromptError(f"{len(unknown)} words are not one token of {lm.name}, such as {unknown[0]!r}")
    text = parse(template or default_template(length)).text
    jobs = {(task.name, seed): (task, seed) for task in tasks for seed in seeds}
    made = tuple(lm.name for lm in lms)

    def key(name: tuple[str, int]) -> str:
        models = [(lm.name, lm.fingerprint, arithmetic(lm)) for lm in lms]
        task, seed = jobs[name]
        return key_of(models, task.fingerprint(), text, seed, words, settings, code=__name__)

    def make(left: list[tuple[str, int]], journal: Journal) -> dict[tuple[str, int], WordPrompt]:
        shares = _tune(lms, [jobs[name] for name in left], text, words, settings, journal, progress)
        return {
            (task, seed): WordPrompt(one, words, made, task, text, seed, asdict(settings))
            for (task, seed), one in zip(left, shares, strict=True)
        }

    def fits(prompt: WordPrompt) -> bool:
        return prompt.shares.shape == (parse(text).length, len(words))

    return Store(cache, load_word_prompt).complete(jobs, key, make, fits=fits)


def words_on(prompts: dict[tuple[str, int], WordPrompt], lm: LanguageModel) -> Prompts:
    """All the prompts that `tune_words` returned, on a model."""
    return {name: prompt.on(lm) for name, prompt in prompts.items()}


def _tune(
    lms: Sequence[LanguageModel],
    jobs: list[Job],
    template: str,
    words: Sequence[str],
    settings: WordSettings,
    journal: Journal,
    progress: bool,
) -> Float[Tensor, "jobs length words"]:
    sides = [Gradients(lm, jobs, template, steps=settings.steps, rows=settings.rows) for lm in lms]
    tables = [word_vectors(lm, words) for lm in lms]
    length = parse(template).length
    starts = [torch.randn(length, len(words), generator=job_generator(task.name, seed, "words")) for task, seed in jobs]
    z = (START_SPREAD * torch.stack(starts)).to(tables[0]).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=settings.learning_rate)
    label = f"tuning {len(jobs)} prompts in words"
    for step in journal.steps(settings.steps, z, optimizer, label=label, progress=progress):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - step / settings.steps)
        optimizer.zero_grad()
        shares = torch.softmax(z / settings.temperature(step), dim=-1)
        slope = torch.zeros_like(shares)
        for side, table in zip(sides, tables, strict=True):
            here = table.to(torch.bfloat16) if side.lm.dtype == torch.bfloat16 else table
            gradient = side.at(step, (shares.detach().to(here) @ here).to(z))
            slope += (gradient.to(here) @ here.T).to(slope) / len(lms)
        shares.backward(slope)
        optimizer.step()
    return torch.softmax(z.detach() / settings.last_temperature, dim=-1).cpu()
