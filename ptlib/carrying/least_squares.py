"""The closed form: the exact optimum of the paper's search, by least squares."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from ptlib.carrying.representations import Found, Mask, Wanted, Weights
from ptlib.errors import PromptError

ROUNDS, ENOUGH = 200, 1e-13  # of the climb, and the gain in the objective at which it ends


def closed_form(
    wanted: Wanted,
    anchors: Float[Tensor, "anchors dim"],
    *,
    ridge: float = 0.0,
    mask: Mask | None = None,
    weights: Weights | None = None,
) -> Found:
    """The exact maximum of `objective`, by least squares.

    With unit anchors A as rows, `cos(A v, r)` is largest where A v is the projection of r onto the column
    space of A, so `v = (A'A + c I)^-1 A'r` with c = 0. The ridge is c as a multiple of the mean eigenvalue of
    A'A; a large one tends to `A'r`, the sum of the anchors weighted by r. Directions only: lengths mean nothing.

    With weights, `wanted` and `mask` hold several sources, one after the other. While these go by the same anchors,
    the average of the cosines has its maximum where the cosine to the average of the unit-length representations has
    it, and the result is exact. Where each source has a mask of its own there is no closed form: v minimises the
    average squared distance of A v to those representations, each over its own anchors, and is from there moved
    uphill as long as the objective grows, to a maximum that need not be the highest; with a ridge it is not moved.

    Raises:
        PromptError: fewer anchors than dimensions and no ridge, so that there is no one solution; or a weight below 0
            where each source has a mask of its own.

    >>> import torch
    >>> from ptlib.carrying import relative
    >>> vector = torch.tensor([[0.6, 0.8]])
    >>> anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> closed_form(relative(vector, anchors), anchors)  # what they describe
    tensor([[0.6000, 0.8000]])
    """
    unit = normalize(anchors.double(), dim=-1)
    dim = unit.shape[1]
    fewest = len(unit) if mask is None else int(mask.sum(dim=-1).min())
    if fewest < dim and ridge == 0:
        raise PromptError(
            f"{fewest} anchors for vectors {dim} wide: infinitely many vectors stand in the same relation to them; "
            f"use at least {dim} anchors, or a ridge such as 0.01"
        )
    wanted = wanted.double()
    if weights is not None:
        weights = weights.to(wanted)
        wanted = normalize(wanted if mask is None else wanted * mask, dim=-1)
        if mask is not None and not (mask == mask[:1]).all():
            return _average(wanted, unit, ridge, mask, weights).to(anchors)
        wanted, mask = torch.tensordot(weights, wanted, dims=1), None if mask is None else mask[0]
    if mask is None:
        found = _solve((wanted @ unit).reshape(-1, dim), unit.T @ unit, ridge)
    else:
        rows = zip(wanted.reshape(-1, len(unit)), mask.reshape(-1, len(unit)), strict=True)
        found = torch.cat(
            [_solve(row[None, keep] @ unit[keep], unit[keep].T @ unit[keep], ridge) for row, keep in rows]
        )
    return found.reshape(*wanted.shape[:-1], dim).to(anchors)


def _solve(right: Float[Tensor, "rows dim"], gram: Float[Tensor, "dim dim"], ridge: float) -> Float[Tensor, "rows dim"]:
    """Least squares by the normal equations, scaled so that a large ridge leaves the right side as it is."""
    level = gram.trace() / len(gram)
    leaned = (gram + ridge * level * torch.eye(len(gram)).to(gram)) / (1 + ridge)
    return torch.linalg.solve(leaned, right.T).T


def _average(
    wanted: Float[Tensor, "sources *prompts length anchors"],
    unit: Float[Tensor, "anchors dim"],
    ridge: float,
    mask: Bool[Tensor, "sources *prompts length anchors"],
    weights: Weights,
) -> Float[Tensor, "*prompts length dim"]:
    """The vectors of sources of which each has its own mask; `wanted` is masked and of unit length."""
    if (weights < 0).any():
        raise PromptError(
            "a weight below 0, and a mask for each source: their losses have no closed form; average "
            "the representations, or search"
        )
    found = []
    rows = zip(wanted.flatten(1, -2).unbind(1), mask.flatten(1, -2).unbind(1), strict=True)
    for row, keeps in rows:
        grams = torch.stack([unit[keep].T @ unit[keep] for keep in keeps])
        rights = row @ unit
        start = _solve((weights @ rights)[None], torch.tensordot(weights, grams, dims=1), ridge)[0]
        found.append(start if ridge else _climb(start, rights, grams, weights))
    return torch.stack(found).reshape(*wanted.shape[1:-1], unit.shape[1])


def _climb(
    vector: Float[Tensor, " dim"],
    rights: Float[Tensor, "sources dim"],
    grams: Float[Tensor, "sources dim dim"],
    weights: Weights,
) -> Float[Tensor, " dim"]:
    """Uphill on the average of cosines `v'b / sqrt(v'G v)` of all sources, by steps that its gradient would stop.

    Where the gradient is nothing, `(sum w c/n^2 G) v = sum w b/n` with n the root and c the cosine of each source:
    each step goes toward the solution of that, halved until the average grows.
    """

    def parts(at: Float[Tensor, " dim"]) -> tuple[Float[Tensor, " sources"], Float[Tensor, " sources"]]:
        """The root and the cosine of each source."""
        roots = (grams @ at @ at).sqrt()
        return roots, rights @ at / roots

    for _ in range(ROUNDS):
        roots, cosines = parts(vector)
        if (cosines <= 0).any():  # then the step need not lead uphill
            break
        left = torch.tensordot(weights * cosines / roots**2, grams, dims=1)
        step, best = torch.linalg.solve(left, (weights / roots) @ rights) - vector, weights @ cosines
        while weights @ parts(vector + step)[1] < best and step.norm() > 1e-9 * vector.norm():
            step = step / 2
        gain = weights @ parts(vector + step)[1] - best
        if gain < ENOUGH:
            break
        vector = vector + step
    return vector
