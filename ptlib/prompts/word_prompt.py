"""Prompts written in words: each vector is a mixture of words, and the shares of the words travel."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError, first_line
from ptlib.keeping.files import load_tensor, save_tensor
from ptlib.models.language_model import LanguageModel
from ptlib.models.shared import word_vectors
from ptlib.prompts.soft_prompt import Setting, SoftPrompt


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
    words: tuple[str, ...] = field(repr=False)
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
        known = torch.tensor([word in lm.words for word in self.words])
        kept = self.shares[:, known]
        total = kept.sum(dim=1, keepdim=True)
        if (total < 1e-3).any():
            raise PromptError(f"prompt for {self.task}: {lm.name} knows none of the words that a vector is made of")
        words = [word for word, there in zip(self.words, known.tolist(), strict=True) if there]
        vectors = (kept / total).to(lm.embeddings) @ word_vectors(lm, words)
        sources = ", ".join(self.models)
        settings: dict[str, Setting] = {"method": "shared words", "sources": sources, "selection": "none"}
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
        raise PromptError(f"{path}: a word prompt whose description is damaged ({first_line(error)})") from error
