"""Difference: how far two computations of the same logits are apart, and how far they may be."""

import torch
from jaxtyping import Float
from torch import Tensor

# In spreads of the logits. What rounding does; a fault such as a missing factor makes differences of about one.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 0.05, torch.bfloat16: 0.3}
LARGEST_ERROR = 0.1  # of a shorter way through a model, in the same unit: bfloat16 alone makes 0.03


def difference(found: Float[Tensor, "*a"], expected: Float[Tensor, "*b"]) -> float:
    """The largest difference, in standard deviations of what is expected; infinite where shapes differ or not numbers.

    Rounding grows with the logits themselves: where a tenth of the largest is more than a standard deviation, that
    is the unit. Where both are the same infinity, as of words that a model never says, there is no difference.
    """
    if found.shape != expected.shape:
        return float("inf")
    found, expected = found.double(), expected.double()
    apart = torch.where(found == expected, 0, (found - expected).abs()).max().item()
    finite = expected[expected.isfinite()]
    unit = max(finite.std().item(), finite.abs().max().item() / 10) if len(finite) > 1 else 0
    if apart == 0:
        return 0.0
    return apart / unit if apart < float("inf") and unit > 0 else float("inf")


def typical_difference(found: Float[Tensor, "*a"], expected: Float[Tensor, "*a"]) -> float:
    """The root of the mean square of the differences, in standard deviations of what is expected."""
    return ((found.double() - expected.double()).square().mean().sqrt() / expected.double().std()).item()


def tolerance(dtype: torch.dtype) -> float:
    """The largest difference that rounding explains."""
    return TOLERANCE[dtype]


def says_the_same(found: Float[Tensor, "*a"], expected: Float[Tensor, "*b"], dtype: torch.dtype) -> bool:
    """Whether a shorter way through a model that is held so gives the logits of the long one, but for rounding."""
    return difference(found, expected) < min(LARGEST_ERROR, tolerance(dtype))
