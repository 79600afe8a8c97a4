"""Search: the vector of a target model that stands to its anchors as a relative representation says."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ptlib.carrying.lengths import Statistics
from ptlib.carrying.representations import Found, Mask, Wanted, Weights


def gradient_search(
    wanted: Wanted,
    anchors: Float[Tensor, "anchors dim"],
    *,
    steps: int = 2_000,
    learning_rate: float = 5e-3,
    seed: int = 0,
    mask: Mask | None = None,
    weights: Weights | None = None,
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
        weights: how much each source counts, if `wanted` and `mask` hold several; see `objective`.
        inside: bring each prompt to these statistics before it is encoded, at each step, as the released code
            does; the paper's text does it after the search.
        every: how often to give the vectors found so far.

    Yields:
        steps made, and the vectors at that point.
    """
    *prompts, length = wanted.shape[:-1] if weights is None else wanted.shape[1:-1]
    dim = anchors.shape[1]
    start = torch.empty(length, dim, dtype=anchors.dtype)
    torch.nn.init.xavier_normal_(start, generator=torch.Generator().manual_seed(seed))
    vectors = start.to(anchors.device).expand(*prompts, length, dim).clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=learning_rate)

    unit, aim = _prepared(wanted, anchors, mask)

    def candidates() -> Found:
        """What the objective is of: the vectors, or these with the statistics that they are to have."""
        return vectors if inside is None else inside.give(vectors)

    def reached() -> Float[Tensor, "*prompts length"]:
        """The `objective` of the candidates."""
        seen = candidates() @ unit.T
        cosines = (normalize(seen if mask is None else seen * mask, dim=-1) * aim).sum(dim=-1)
        return cosines if weights is None else torch.tensordot(weights, cosines, dims=1)

    for step in range(1, steps + 1):
        optimizer.zero_grad()
        (1 - reached().mean(dim=-1)).sum().backward()
        optimizer.step()
        if step % every == 0 or step == steps:
            with torch.no_grad():
                yield step, candidates().clone()


def _prepared(
    wanted: Wanted, anchors: Float[Tensor, "anchors dim"], mask: Mask | None
) -> tuple[Float[Tensor, "rows dim"], Float[Tensor, "*prompts length rows"]]:
    """What can be computed before the first step: unit anchors, and the directions that their cosines are to take.

    Without a mask, the unit anchors A = QR are as good as R, which is no taller than it is wide: Q turns lengths and
    angles into themselves, so `cos(A v, r) = (R v)'(Q'r) / (|R v| |r|)`.
    """
    unit, aim = normalize(anchors, dim=-1), normalize(wanted if mask is None else wanted * mask, dim=-1)
    if mask is not None:
        return unit, aim
    turn, unit = (part.to(anchors) for part in torch.linalg.qr(unit.double()))
    return unit, aim @ turn
