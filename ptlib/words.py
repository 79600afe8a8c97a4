"""Prompts written in shared words: each vector is a mixture of words, and the shares of the words travel."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.anchors import shared_words, word_vectors
from ptlib.errors import PromptError
from ptlib.files import load_tensor, save_tensor
from ptlib.gradients import CODE as GRADIENTS
from ptlib.gradients import Gradients, Job, job_generator
from ptlib.journal import Journal
from ptlib.models import LanguageModel
from ptlib.prompt import Setting, SoftPrompt
from ptlib.store import Store, key_of
from ptlib.tasks import Task
from ptlib.template import default_template, parse
from ptlib.tuning import Prompts

CODE = (*GRADIENTS, "anchors", "words")
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


@dataclass(frozen=True, eq=False)
class WordPrompt:
    """A prompt that says for each of its vectors how much of which word it holds.

    Attributes:
        shares: for each vector the share of each word; they add up to 1.
        words: the words.
        models: names of the language models it was tuned on.
        task, template, seed, settings: as in `SoftPrompt`.
    """

    shares: Float[Tensor, "length words"] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    models: tuple[str, ...]
    task: str
    template: str
    seed: int
    settings: dict[str, Setting] = field(default_factory=dict)

    def on(self, lm: LanguageModel) -> SoftPrompt:
        """The prompt on any model: the same mixture of that model's own embeddings.

        Words that are not one token there are left out, and the shares of the others raised to add up to 1.

        Raises:
            PromptError: a vector has none of its words there.
        """
        known = torch.tensor([word in lm.words for word in self.words])
        kept = self.shares[:, known]
        total = kept.sum(dim=1, keepdim=True)
        if (total < 1e-3).any():
            raise PromptError(f"prompt for {self.task}: {lm.name} knows none of the words that a vector is made of")
        words = [word for word, there in zip(self.words, known.tolist(), strict=True) if there]
        vectors = (kept / total).to(lm.embeddings) @ word_vectors(lm, words)
        settings = {"method": "shared words", "sources": ", ".join(self.models), "selection": "none"}
        return SoftPrompt(vectors, lm.name, self.task, self.template, self.seed, settings)

    def top(self, count: int = 1) -> tuple[tuple[tuple[str, float], ...], ...]:
        """For each vector its words with the largest shares."""
        best = self.shares.topk(min(count, len(self.words)), dim=1)
        return tuple(
            tuple((self.words[place], share) for place, share in zip(places, shares, strict=True))
            for places, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )

    def sparse(self, count: int) -> "WordPrompt":
        """The same with only the words that have the largest shares in each vector, raised to add up to 1."""
        best = self.shares.topk(min(count, len(self.words)), dim=1)
        kept = torch.zeros_like(self.shares).scatter(1, best.indices, best.values)
        return replace(self, shares=kept / kept.sum(dim=1, keepdim=True))

    def __str__(self) -> str:
        return " ".join(words[0][0] for words in self.top())

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        about = {name: getattr(self, name) for name in ("words", "models", "task", "template", "seed", "settings")}
        save_tensor(Path(path), self.shares, about, kind="word prompt")


def load_word_prompt(path: str | Path) -> WordPrompt:
    """Read a prompt that `WordPrompt.save` wrote.

    Raises:
        PromptError: the file is missing, cut short, or not such a prompt.
    """
    shares, about = load_tensor(path, kind="word prompt")
    try:
        return WordPrompt(shares, **about | {"words": tuple(about["words"]), "models": tuple(about["models"])})
    except (TypeError, KeyError) as error:
        raise PromptError(f"{path}: a word prompt whose description is damaged ({error})") from error


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
    models = [(lm.name, lm.fingerprint) for lm in lms]
    keys = {
        name: key_of(models, task.fingerprint(), text, seed, words, asdict(settings), code=CODE)
        for name, (task, seed) in jobs.items()
    }
    made = tuple(lm.name for lm in lms)

    def make(left: list[tuple[str, int]], journal: Journal) -> dict[tuple[str, int], WordPrompt]:
        shares = _tune(lms, [jobs[name] for name in left], text, words, settings, journal, progress)
        return {
            (task, seed): WordPrompt(one, words, made, task, text, seed, asdict(settings))
            for (task, seed), one in zip(left, shares, strict=True)
        }

    return Store(cache, load_word_prompt).complete(keys, make)


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
