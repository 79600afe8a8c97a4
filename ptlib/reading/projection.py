"""Projection: the vocabulary words nearest to a prompt's vectors."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError, require_count
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt

METRICS = ("euclidean", "cosine", "dot")
AT_ONCE = 2**26  # distances that are held in memory


@dataclass(frozen=True)
class Projection:
    """The words nearest to each vector of a prompt, nearest first, and how far they are.

    Attributes:
        words: for each vector, its nearest tokens as text.
        distances: for each vector, their distances; for the cosine metric 1 - cosine, for the dot product
            its negative.
        metric: "euclidean", "cosine" or "dot".
        text: the nearest token of each vector, read together.
    """

    words: tuple[tuple[str, ...], ...]
    distances: tuple[tuple[float, ...], ...]
    metric: str
    text: str

    def __str__(self) -> str:
        return self.text


def project(lm: LanguageModel, prompt: SoftPrompt, *, count: int = 1, metric: str = "euclidean") -> Projection:
    """The `count` vocabulary words nearest to each vector of a prompt (Khashabi et al. 2022, with Euclidean distance).

    Raises:
        PromptError: an unknown metric, more words than there are or none, or a prompt that does not fit the model.
    """
    found = nearest(lm, prompt.on(lm), count=count, metric=metric)
    return Projection(
        tuple(tuple(lm.text_of([i]) for i in row) for row in found.indices.tolist()),
        tuple(tuple(row) for row in found.values.tolist()),
        metric,
        lm.text_of(found.indices[:, 0].tolist()),
    )


def nearest(
    lm: LanguageModel, vectors: Float[Tensor, "vectors dim"], *, count: int = 1, metric: str = "euclidean"
) -> torch.return_types.topk:
    """Distances (`values`) and token ids (`indices`) of the `count` words nearest to each vector.

    Rows of the embeddings that no token has, as where these are padded to a round number, are no words.

    Raises:
        PromptError: an unknown metric, or more words than there are, or none.
    """
    if metric not in METRICS:
        raise PromptError(f"unknown metric {metric!r}; there are {', '.join(METRICS)}")
    words = lm.embeddings[: len(lm.tokenizer)]
    require_count(count, len(words))
    if metric == "cosine":
        vectors, words = (torch.nn.functional.normalize(side, dim=1) for side in (vectors, words))
    pieces = vectors.split(max(1, AT_ONCE // len(words)))
    parts = [_distances(piece, words, metric).topk(count, largest=False) for piece in pieces]
    values, indices = (torch.cat(side) for side in zip(*parts, strict=True))
    return torch.return_types.topk((values, indices))


def _distances(
    vectors: Float[Tensor, "vectors dim"], words: Float[Tensor, "words dim"], metric: str
) -> Float[Tensor, "vectors words"]:
    """For the cosine metric between vectors and words of length 1."""
    if metric == "euclidean":
        return torch.cdist(vectors, words)
    return (1 if metric == "cosine" else 0) - vectors @ words.T
