"""Prompts written in shared words: each vector is a mixture of words, and the shares of the words travel."""

import functools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping import packs
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import quick_copy
from ptlib.models.shared import shared_words, word_vectors
from ptlib.prompts.template import place_for
from ptlib.prompts.word_prompt import WordPrompt, load_word_prompt
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Schedule
from ptlib.tuning.engine import Engine, jobs_of, require_distinct
from ptlib.tuning.free import Prompts
from ptlib.tuning.start import job_generator

SMALLEST_PACKED = 2.0**-14  # share of a word that is kept in a pack: the smallest that half precision holds in full
START_SPREAD = 0.01  # of the numbers behind the shares: all words start nearly equal


@dataclass(frozen=True)
class WordSettings(Schedule):
    """How prompts in words are tuned: Adam on the numbers z behind the shares softmax(z / temperature).

    Attributes:
        steps: updates of the shares.
        rows: training examples of each task, from each model, that an update looks at.
        learning_rate: at the first step; it falls linearly to nothing.
        first_temperature: at the first step, high for many words in each mixture.
        last_temperature: at the last step, low for few.

    Raises:
        PromptError: a number that cannot be meant.
    """

    steps: int = 200
    rows: int = 4
    learning_rate: float = 0.3
    first_temperature: float = 1.0
    last_temperature: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("first_temperature", "last_temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise PromptError(f"settings with {name}={getattr(self, name)}: must be a number larger than 0")

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
        PromptError: no words, a text for a list of them, one that is not one token in a model, or a task without usable
            examples.
    """
    lms = [lms] if isinstance(lms, LanguageModel) else list(lms)
    if not lms:
        raise PromptError("no model to tune prompts on; give one at least")
    words = shared_words(*lms) if words is None else words
    require_distinct("word", words)
    words = tuple(words)
    for lm in lms:
        if unknown := [word for word in words if word not in lm.words]:
            raise PromptError(f"{len(unknown)} words are not one token of {lm.name}, such as {unknown[0]!r}")
    engine = PromptsInWords(lms, place_for(length, template), settings, words)
    return engine.run(jobs_of([tasks] if isinstance(tasks, Task) else tasks, seeds), "in words", cache, progress)


@dataclass(frozen=True)
class PromptsInWords(Engine[tuple[str, int], WordPrompt]):
    """Tunes prompts that are mixtures of words; their numbers are those behind the shares.

    Attributes:
        settings: how.
        words: what they are written with.
    """

    settings: WordSettings
    words: tuple[str, ...]

    @functools.cached_property
    def _tables(self) -> list[Float[Tensor, "words _"]]:
        """The words' embeddings in each model, in the format that the machine multiplies in."""
        tables = [word_vectors(lm, self.words) for lm in self.lms]
        short = (quick_copy(lm).dtype == torch.bfloat16 for lm in self.lms)
        return [table.to(torch.bfloat16) if is_short else table for table, is_short in zip(tables, short, strict=True)]

    @functools.cached_property
    def _listed(self) -> str:
        return " ".join(self.words)

    def start(self, names: list[tuple[str, int]]) -> Float[Tensor, "jobs length words"]:
        """Small random numbers, so that all words have nearly the same share."""
        shape = self.template.length, len(self.words)
        starts = [torch.randn(shape, generator=job_generator(*name, "words")) for name in names]
        return (START_SPREAD * torch.stack(starts)).to(self.lms[0].embeddings)

    def vectors(self, numbers: Float[Tensor, "jobs length words"], step: int) -> list[Float[Tensor, "jobs length _"]]:
        """The mixtures of words in each model, at the temperature of a step."""
        shares = torch.softmax(numbers / self.settings.temperature(step), dim=-1)
        return [(shares.to(table) @ table).to(numbers) for table in self._tables]

    def finish(self, name: tuple[str, int], numbers: Float[Tensor, "length words"]) -> WordPrompt:
        """The prompt with the shares that the numbers give at the last temperature."""
        return self._written(name, torch.softmax(numbers / self.settings.last_temperature, dim=-1).cpu())

    def read(self, path: Path) -> WordPrompt:
        """A prompt that was kept."""
        return load_word_prompt(path)

    def fits(self, prompt: WordPrompt) -> bool:
        """Whether it is as long as the template, and written with these words."""
        return prompt.shares.shape == (self.template.length, len(self.words)) and prompt.words == self.words

    def depends(self, name: tuple[str, int]) -> str:
        """The words."""
        return self._listed

    def packed(self, prompt: WordPrompt) -> Float[Tensor, "length words"]:
        """Its shares, less those that are next to nothing, alone and together."""
        kept = prompt.shares * (prompt.shares >= SMALLEST_PACKED)
        return torch.where(kept.sum(dim=1, keepdim=True) < 1 - packs.MOVED, prompt.shares, kept)

    def again(self, name: tuple[str, int], numbers: Float[Tensor, "length words"]) -> WordPrompt:
        """The prompt with these shares, raised to add up to 1."""
        return self._written(name, numbers / numbers.sum(dim=1, keepdim=True))

    def _written(self, name: tuple[str, int], shares: Float[Tensor, "length words"]) -> WordPrompt:
        made, about = tuple(lm.name for lm in self.lms), asdict(self.settings)
        return WordPrompt(shares, self.words, made, name[0], self.template.text, name[1], about)


def words_on(prompts: dict[tuple[str, int], WordPrompt], lm: LanguageModel) -> Prompts:
    """All the prompts that `tune_words` returned, on a model."""
    return {name: prompt.on(lm) for name, prompt in prompts.items()}
