"""Relative representations: a vector written down as its cosines to the anchors."""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

Wanted = Float[Tensor, "*prompts length anchors"]
Mask = Bool[Tensor, "*prompts length anchors"]
Found = Float[Tensor, "*prompts length dim"]


def relative(
    vectors: Float[Tensor, "*rows dim"], anchors: Float[Tensor, "anchors dim"]
) -> Float[Tensor, "*rows anchors"]:
    """Cosines of vectors to anchors (Moschella et al. 2023; Wu et al. 2024).

    They do not change when vectors and anchors are rotated or scaled together.

    >>> import torch
    >>> relative(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return normalize(vectors, dim=-1) @ normalize(anchors, dim=-1).T


def objective(
    vectors: Found, wanted: Wanted, anchors: Float[Tensor, "anchors dim"], mask: Mask | None = None
) -> Float[Tensor, "*prompts length"]:
    """What the search maximises for each vector: the cosine of its relative representation to the wanted one.

    Wu et al. 2024, their objective of the search; with a mask, over the anchors that it keeps.
    """
    reached = relative(vectors, anchors)
    if mask is not None:
        reached, wanted = reached * mask, wanted * mask
    return (normalize(reached, dim=-1) * normalize(wanted, dim=-1)).sum(dim=-1)


def agreement(
    first: Float[Tensor, "words dim"],
    second: Float[Tensor, "words other_dim"],
    first_anchors: Float[Tensor, "anchors dim"],
    second_anchors: Float[Tensor, "anchors other_dim"],
) -> Float[Tensor, " words"]:
    """How alike two models see each of some words: the cosine between its relative representations in both.

    From each representation the anchors' own mean representation is taken first: all words of a model point
    partly in one direction, and what they have in common says nothing about any of them.
    """
    sides = []
    for vectors, anchors in ((first, first_anchors), (second, second_anchors)):
        sides.append(normalize(relative(vectors, anchors) - relative(anchors, anchors).mean(dim=0), dim=-1))
    return (sides[0] * sides[1]).sum(dim=-1)
