"""The embedding space: what a model's embedding module returns for each token, and where prompts live.

Some modules multiply what they look up by a factor (Gemma by the square root of its width), so their weights
alone are another space.
"""

from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

AT_ONCE = 1_024  # tokens that are looked at in one piece, which a CPU's caches hold


@torch.no_grad()
def look_up(model: PreTrainedModel, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape dim"]:
    """What the embedding module returns for token ids, as the model computes."""
    return model.get_input_embeddings()(ids)


def embedding_weight(model: PreTrainedModel) -> Tensor:
    """The weight of the embedding module, a row for each token."""
    return cast(Tensor, model.get_input_embeddings().weight)


def table(model: PreTrainedModel, dtype: torch.dtype) -> Float[Tensor, "vocabulary dim"]:
    """What the embedding module returns for each token; no copy where that is its weight in the wanted format."""
    module = model.get_input_embeddings()
    weight = embedding_weight(model).detach()
    if type(module) is nn.Embedding and module.max_norm is None and weight.dtype == dtype:
        return weight
    pieces = torch.arange(len(weight), device=weight.device).split(AT_ONCE)
    found = torch.empty(len(weight), look_up(model, pieces[0][:1]).shape[-1], dtype=dtype, device=weight.device)
    for piece in pieces:
        found[piece[0] : piece[-1] + 1] = look_up(model, piece)
    return found


def moments(embeddings: Float[Tensor, "vocabulary dim"]) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
    """Mean and standard deviation in each dimension.

    As `torch.std_mean` gives them, which goes down the columns and takes twenty times as long on 262,144 words.
    """
    count = len(embeddings)
    nothing = torch.zeros_like(embeddings[0], dtype=torch.float64)
    mean = sum((piece.sum(dim=0).double() for piece in embeddings.split(AT_ONCE)), nothing) / count
    centre = mean.to(embeddings)
    squares = sum(((piece - centre).square().sum(dim=0).double() for piece in embeddings.split(AT_ONCE)), nothing)
    return centre, (squares / (count - 1)).sqrt().to(embeddings)
