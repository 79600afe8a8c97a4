"""Batches: as many rows in one forward pass as the device holds."""

import torch
from jaxtyping import Int
from torch import Tensor

from ptlib.models.language_model import LanguageModel

CPU_TOKENS = 4_096  # more than that, and a CPU's caches no longer hold what a layer hands to the next
CUDA_TOKENS = 131_072  # with more, a GPU is not busier
LAYERS = 48  # of a model that does not say how many it has: as many as large ones have
TOKENS_A_LOGIT = 10  # as many tokens weigh about as much as the logits of one place, over a whole vocabulary
NUMBERS_A_LAYER = 34  # kept for the backward pass for each token, in widths of the model (Korthikanti et al. 2022)


def chunks(
    lm: LanguageModel, lengths: Int[Tensor, " rows"], asked: Int[Tensor, " rows"] | None = None
) -> list[Int[Tensor, " chosen"]]:
    """Numbers of rows in groups of similar length, so that little is padded and no group is too large.

    Args:
        lm: the language model.
        lengths: tokens of each row.
        asked: places of each row whose logits are asked for, if they are more than a few.
    """
    order = torch.argsort(lengths, stable=True)
    weights = lengths if asked is None else torch.maximum(lengths, TOKENS_A_LOGIT * asked)
    total = int(weights.sum())
    groups = -(-total // tokens_at_once(lm))
    group = (weights[order].cumsum(0) - 1) * groups // total
    return [part for part in order.split(group.bincount().tolist()) if len(part)]


def tokens_at_once(lm: LanguageModel) -> int:
    """How many tokens go through a model in one forward and backward pass.

    On a GPU by all of its memory and not by what is free, so that the same work is cut in the same places, and
    comes out the same, each time.
    """
    if lm.device.type != "cuda":
        return CPU_TOKENS
    return tokens_in(torch.cuda.get_device_properties(lm.device).total_memory, lm)


def tokens_in(memory: int, lm: LanguageModel) -> int:
    """How many tokens fit into a third of what a model and its quick copy leave of some bytes of memory.

    The rest is for other models, and for what the estimate leaves out, such as attention and the allocator's gaps.
    """
    config = lm.model.config.get_text_config()
    layers = getattr(config, "num_hidden_layers", None) or LAYERS
    hidden = layers * NUMBERS_A_LAYER * (getattr(config, "hidden_size", None) or lm.dim) * 2
    head = lm.vocabulary * 10 // TOKENS_A_LOGIT  # logits: ten bytes for each word of the vocabulary at each place
    weights = lm.parameters * 6  # in float32, and in half of that
    return max(1, min(CUDA_TOKENS, (memory - weights) // 3 // (hidden + head)))
