"""Trial: what a model does is found by running it, since names and classes do not say it reliably."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel

from ptlib.models.difference import difference
from ptlib.models.embedding_space import embedding_weight, look_up

TOKENS = 6
NOTHING = 1e-5  # spreads of the logits: what comes later does not change anything at all in a causal model


def trial_inputs(model: PreTrainedModel) -> dict[str, Tensor]:
    """Two rows of word embeddings that differ in the last place only, as arguments of a forward pass."""
    words = embedding_weight(model)
    ids = (torch.arange(TOKENS, device=words.device) + len(words) // 2) % len(words)
    embedded = look_up(model, ids).repeat(2, 1, 1)
    embedded[1, -1] = embedded[1, -1].roll(1)
    return {"inputs_embeds": embedded, "attention_mask": torch.ones_like(embedded[..., 0], dtype=torch.long)}


def is_causal(model: PreTrainedModel) -> bool:
    """Whether what a model says at a place is the same whatever comes later."""
    with tried(model):
        logits: Float[Tensor, "2 tokens vocabulary"] = model(**trial_inputs(model), use_cache=False).logits
    return difference(logits[1, :-1], logits[0, :-1]) <= NOTHING


@contextmanager
def tried(model: PreTrainedModel) -> Iterator[None]:
    """Runs a model without chance and without gradients, even in the middle of its training."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
