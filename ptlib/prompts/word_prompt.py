"""Prompts written in words: each vector is a mixture of words, and the shares of the words travel."""

import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ptlib.errors import PromptError, first_line, require_count
from ptlib.keeping.files import load_tensor, require_types, save_tensor
from ptlib.models.language_model import LanguageModel
from ptlib.models.shared import word_vectors
from ptlib.prompts.soft_prompt import DESCRIPTION, Setting, SoftPrompt

Words = tuple[str, ...]
Known = tuple[Words, Bool[Tensor, " words"], Float[Tensor, "known dim"]]
_last: weakref.WeakKeyDictionary[LanguageModel, Known] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class WordPrompt:
    """A prompt that says for each of its vectors how much of which word it holds.

    Attributes:
        shares: for each vector the share of each word; they add up to 1.
        words: the words.
        models: names of the language models it was tuned on.
        task, template, seed, settings: as in `SoftPrompt`.

    Raises:
        PromptError: the shares are not finite numbers, or a vector has not one share for each word.
    """

    shares: Float[Tensor, "length words"] = field(repr=False)
    words: Words = field(repr=False)
    models: tuple[str, ...]
    task: str
    template: str
    seed: int
    settings: dict[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.shares.dim() != 2 or self.shares.shape[1] != len(self.words):
            raise PromptError(f"prompt for {self.task}: shares {tuple(self.shares.shape)} for {len(self.words)} words")
        if not torch.isfinite(self.shares).all():
            raise PromptError(f"prompt in words for {self.task}: some of its shares are NaN or infinite")

    def on(self, lm: LanguageModel) -> SoftPrompt:
        """The prompt on any model: the same mixture of that model's own embeddings.

        Words that are not one token there are left out, and the shares of the others raised to add up to 1.

        Raises:
            PromptError: a vector has none of its words there.
        """
        _, known, table = _known(lm, self.words)
        kept = self.shares[:, known]
        total = kept.sum(dim=1, keepdim=True)
        if (total < 1e-3).any():
            raise PromptError(f"prompt for {self.task}: {lm.name} knows none of the words that a vector is made of")
        vectors = (kept / total).to(table) @ table
        sources = ", ".join(self.models)
        settings: dict[str, Setting] = {"method": "shared words", "sources": sources, "selection": "none"}
        return SoftPrompt(vectors, lm.name, self.task, self.template, self.seed, settings)

    def top(self, count: int = 1) -> tuple[tuple[tuple[str, float], ...], ...]:
        """For each vector its words with the largest shares; of a count that is no number of words a `PromptError`."""
        best = self._largest(count)
        return tuple(
            tuple((self.words[place], share) for place, share in zip(places, shares, strict=True))
            for places, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )

    def sparse(self, count: int) -> "WordPrompt":
        """The same with only the words that have the largest shares in each vector, raised to add up to 1; likewise."""
        best = self._largest(count)
        kept = torch.zeros_like(self.shares).scatter(1, best.indices, best.values)
        return replace(self, shares=kept / kept.sum(dim=1, keepdim=True))

    def _largest(self, count: int) -> torch.return_types.topk:
        some = min(count, len(self.words))
        require_count(some, len(self.words))
        return self.shares.topk(some, dim=1)

    def __str__(self) -> str:
        return " ".join(words[0][0] for words in self.top())

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        about = {name: getattr(self, name) for name in ("words", "models", "task", "template", "seed", "settings")}
        save_tensor(Path(path), self.shares, about, kind="word prompt")


def _known(lm: LanguageModel, words: Words) -> Known:
    """Some words, which of them are one token in a model, and their embeddings; kept until others are asked for."""
    last = _last.get(lm)
    if last is None or last[0] != words:
        known = [word in lm.words for word in words]
        table = word_vectors(lm, [word for word, there in zip(words, known, strict=True) if there])
        last = _last[lm] = words, torch.tensor(known), table
    return last


def load_word_prompt(path: str | Path) -> WordPrompt:
    """Read a prompt that `WordPrompt.save` wrote.

    Raises:
        PromptError: the file is missing, cut short, or not such a prompt.
    """
    shares, about = load_tensor(path, kind="word prompt")
    require_types(path, about, DESCRIPTION | {"words": list, "models": list}, kind="word prompt")
    try:
        return WordPrompt(shares, **about | {"words": tuple(about["words"]), "models": tuple(about["models"])})
    except (TypeError, KeyError) as error:
        raise PromptError(f"{path}: a word prompt whose description is damaged ({first_line(error)})") from error
