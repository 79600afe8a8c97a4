"""Difference: how far two computations of the same logits are apart, and how far they may be."""

import torch
from jaxtyping import Float
from torch import Tensor

# In spreads of the logits. What rounding does; a fault such as a missing factor makes differences of about one.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 0.05, torch.bfloat16: 0.3}


def difference(found: Float[Tensor, "*a"], expected: Float[Tensor, "*b"]) -> float:
    """The largest difference, in standard deviations of what is expected; infinite where shapes differ or not numbers.

    Where both are the same infinity, as of words that a model never says, there is none.
    """
    if found.shape != expected.shape:
        return float("inf")
    found, expected = found.double(), expected.double()
    apart = torch.where(found == expected, 0, (found - expected).abs()).max().item()
    spread = expected[expected.isfinite()].std().item()
    if apart == 0:
        return 0.0
    return apart / spread if apart < float("inf") and spread > 0 else float("inf")


def tolerance(dtype: torch.dtype) -> float:
    """The largest difference that rounding explains."""
    return TOLERANCE[dtype]
