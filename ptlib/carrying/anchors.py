"""Anchors: words that are one token in every model concerned, the landmarks that models share."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.shared import shared_words

WAYS = ("all", "random", "frequent", "nearest", "nearest absolute")


@dataclass(frozen=True)
class Anchors:
    """Which of the shared words serve as anchors.

    Attributes:
        by: "all" of them; "random" ones by seed; the most "frequent" ones (tokenizers number words about by
            frequency, so those with the lowest mean token id); or for each vector of a prompt the ones
            "nearest" to it, by cosine or by "nearest absolute" cosine (the mask of the paper's released code).
        count: how many; all if that is not said, or if there are fewer.
        seed: for random ones.
    """

    by: str = "all"
    count: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise PromptError(f"anchors by {self.by!r}: there are {', '.join(WAYS)}")
        if (self.count is None) != (self.by == "all") or (self.count is not None and self.count < 1):
            raise PromptError(
                f"anchors by {self.by!r} with count {self.count}: all of them take no count, others a count"
            )

    def words(self, lms: Sequence[LanguageModel]) -> tuple[str, ...]:
        """The anchor words for some models, which may stand in any order."""
        shared = shared_words(*lms)
        if self.by == "random":
            generator = torch.Generator().manual_seed(self.seed)
            chosen = torch.randperm(len(shared), generator=generator)[: self.count].tolist()
            return tuple(shared[i] for i in sorted(chosen))
        if self.by == "frequent":
            return tuple(sorted(shared, key=lambda word: (sum(lm.words[word] for lm in lms), word))[: self.count])
        return shared

    def mask(
        self, relative: Float[Tensor, "*prompts length anchors"]
    ) -> Bool[Tensor, "*prompts length anchors"] | None:
        """For each vector which anchors count, or None if all do."""
        if self.count is None or not self.by.startswith("nearest") or self.count >= relative.shape[-1]:
            return None
        closeness = relative.abs() if self.by == "nearest absolute" else relative
        nearest = closeness.topk(self.count, dim=-1).indices
        return torch.zeros_like(relative, dtype=torch.bool).scatter(-1, nearest, True)
