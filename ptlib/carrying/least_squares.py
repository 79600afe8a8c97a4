"""The closed form: the exact optimum of the paper's search, by least squares."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ptlib.carrying.representations import Found, Mask, Wanted
from ptlib.errors import PromptError


def closed_form(
    wanted: Wanted, anchors: Float[Tensor, "anchors dim"], *, ridge: float = 0.0, mask: Mask | None = None
) -> Found:
    """The exact maximum of `objective`, by least squares.

    With unit anchors A as rows, `cos(A v, r)` is largest where A v is the projection of r onto the column
    space of A, so `v = (A'A + c I)^-1 A'r` with c = 0. The ridge is c as a multiple of the mean eigenvalue of
    A'A; a large one tends to `A'r`, the sum of the anchors weighted by r. Directions only: lengths mean nothing.

    Raises:
        PromptError: fewer anchors than dimensions and no ridge, so that there is no one solution.

    >>> import torch
    >>> from ptlib.carrying import relative
    >>> vector, anchors = torch.tensor([[0.6, 0.8]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> closed_form(relative(vector, anchors), anchors)  # the vector that they describe
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
    if mask is None:
        found = _solve((wanted @ unit).reshape(-1, dim), unit, ridge)
    else:
        rows = zip(wanted.reshape(-1, len(unit)), mask.reshape(-1, len(unit)), strict=True)
        found = torch.cat([_solve(row[None, keep] @ unit[keep], unit[keep], ridge) for row, keep in rows])
    return found.reshape(*wanted.shape[:-1], dim).to(anchors)


def _solve(
    right: Float[Tensor, "rows dim"], unit: Float[Tensor, "kept dim"], ridge: float
) -> Float[Tensor, "rows dim"]:
    """Least squares by the normal equations, scaled so that a large ridge leaves the right side as it is."""
    gram = unit.T @ unit
    level = gram.trace() / len(gram)
    leaned = (gram + ridge * level * torch.eye(len(gram)).to(gram)) / (1 + ridge)
    return torch.linalg.solve(leaned, right.T).T
