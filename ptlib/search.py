"""Search: the vector of a target model that stands to its anchors as a relative representation says."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from ptlib.errors import PromptError
from ptlib.lengths import Statistics
from ptlib.relative import relative

Wanted = Float[Tensor, "*prompts length anchors"]
Mask = Bool[Tensor, "*prompts length anchors"]
Found = Float[Tensor, "*prompts length dim"]


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


def closed_form(
    wanted: Wanted, anchors: Float[Tensor, "anchors dim"], *, ridge: float = 0.0, mask: Mask | None = None
) -> Found:
    """The exact maximum of `objective`, by least squares.

    With unit anchors A as rows, `cos(A v, r)` is largest where A v is the projection of r onto the column
    space of A, so `v = (A'A + c I)^-1 A'r` with c = 0. The ridge is c as a multiple of the mean eigenvalue of
    A'A; a large one tends to `A'r`, the sum of the anchors weighted by r. Directions only: lengths mean nothing.

    Raises:
        PromptError: fewer anchors than dimensions and no ridge, so that there is no one solution.
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


def gradient_search(
    wanted: Wanted,
    anchors: Float[Tensor, "anchors dim"],
    *,
    steps: int = 2_000,
    learning_rate: float = 5e-3,
    seed: int = 0,
    mask: Mask | None = None,
    inside: Statistics | None = None,
    every: int = 50,
) -> Iterator[tuple[int, Found]]:
    """The paper's search: Adam on `1 - objective`, from Xavier-normal vectors.

    Args:
        wanted: relative representations.
        anchors: the target's anchors.
        steps: of Adam.
        learning_rate: of Adam.
        seed: of the vectors at the start, which are the same for each prompt.
        mask: the anchors that count for each vector.
        inside: bring each prompt to these statistics before it is encoded, at each step, as the released code
            does; the paper's text does it after the search.
        every: how often to give the vectors found so far.

    Yields:
        steps made, and the vectors at that point.
    """
    length, dim = wanted.shape[-2], anchors.shape[1]
    start = torch.empty(length, dim, dtype=anchors.dtype)
    torch.nn.init.xavier_normal_(start, generator=torch.Generator().manual_seed(seed))
    vectors = start.to(anchors.device).expand(*wanted.shape[:-2], length, dim).clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=learning_rate)

    def candidates() -> Found:
        return vectors if inside is None else inside.give(vectors)

    for step in range(1, steps + 1):
        optimizer.zero_grad()
        (1 - objective(candidates(), wanted, anchors, mask).mean(dim=-1)).sum().backward()
        optimizer.step()
        if step % every == 0 or step == steps:
            with torch.no_grad():
                yield step, candidates().clone()
