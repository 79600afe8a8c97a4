"""Positions: how many tokens a model has places for."""

import math

from torch import nn
from transformers import PreTrainedModel

# What configurations call it; state-space models have none.
LIMITS = ("max_position_embeddings", "max_seq_len", "max_target_positions")


def positions(model: PreTrainedModel) -> int | float:
    """The longest input of a model, infinite where nothing limits it.

    Families such as RoBERTa count from behind the padding's number, so a few rows of their table are never used.
    """
    config = model.config.get_text_config()
    limit = next((size for name in LIMITS if (size := getattr(config, name, None)) and size > 0), math.inf)
    words = model.get_input_embeddings()
    tables = (module for module in model.modules() if isinstance(module, nn.Embedding) and module is not words)
    unused = [t.padding_idx + 1 for t in tables if t.num_embeddings == limit and t.padding_idx is not None]
    return limit - max(unused, default=0)
