"""Lengths: a cosine fixes where a vector points, not how long it is."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

Vectors = Float[Tensor, "*prompts length dim"]


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of all numbers in a model's word embeddings together (Wu et al. 2024)."""

    mean: float
    spread: float

    @classmethod
    def of(cls, embeddings: Float[Tensor, "vocabulary dim"]) -> "Statistics":
        """Those of a model."""
        spread, mean = torch.std_mean(embeddings)
        return cls(mean.item(), spread.item())

    def give(self, vectors: Vectors) -> Vectors:
        """Shift and scale each prompt to this mean and spread. The shift turns the vectors a little."""
        spread, mean = torch.std_mean(vectors, dim=(-2, -1), keepdim=True)
        return (vectors - mean) / spread * self.spread + self.mean


def typical(embeddings: Float[Tensor, "vocabulary dim"]) -> Float[Tensor, ""]:
    """The median length of a model's word embeddings."""
    return embeddings.norm(dim=-1).median()


def carry_lengths(
    found: Float[Tensor, "*prompts length dim"], lengths: Float[Tensor, "*prompts length"]
) -> Float[Tensor, "*prompts length dim"]:
    """Vectors that point where they did, with given lengths."""
    return normalize(found, dim=-1) * lengths[..., None]
