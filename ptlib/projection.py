"""Projection: the vocabulary words nearest to a prompt's vectors."""

from dataclasses import dataclass

import torch

from ptlib.errors import PromptError
from ptlib.models import LanguageModel
from ptlib.prompt import SoftPrompt

METRICS = ("euclidean", "cosine")


@dataclass(frozen=True)
class Projection:
    """The words nearest to each vector of a prompt, nearest first, and how far they are.

    Attributes:
        words: for each vector, its nearest tokens as text.
        distances: for each vector, their distances; for the cosine metric 1 - cosine.
        metric: "euclidean" or "cosine".
    """

    words: tuple[tuple[str, ...], ...]
    distances: tuple[tuple[float, ...], ...]
    metric: str

    def __str__(self) -> str:
        return " ".join(nearest[0] for nearest in self.words)


def project(lm: LanguageModel, prompt: SoftPrompt, *, count: int = 1, metric: str = "euclidean") -> Projection:
    """The `count` vocabulary words nearest to each vector of a prompt (Khashabi et al. 2022, with Euclidean distance).

    Raises:
        PromptError: an unknown metric, or a prompt that does not fit the model.
    """
    if metric not in METRICS:
        raise PromptError(f"unknown metric {metric!r}; there are {', '.join(METRICS)}")
    vectors, words = prompt.on(lm), lm.embeddings
    if metric == "cosine":
        unit = torch.nn.functional.normalize
        distances = 1 - unit(vectors, dim=1) @ unit(words, dim=1).T
    else:
        distances = torch.cdist(vectors, words)
    nearest = distances.topk(count, largest=False)
    return Projection(
        tuple(tuple(lm.tokenizer.decode([i]).strip() for i in row) for row in nearest.indices.tolist()),
        tuple(tuple(row) for row in nearest.values.tolist()),
        metric,
    )
