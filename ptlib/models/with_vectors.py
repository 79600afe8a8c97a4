"""Rows in which vectors stand among words, on their way through a language model."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ptlib.models.beginnings import NONE, Beginnings
from ptlib.models.embedding_space import look_up
from ptlib.models.logits import logits_at


def logits_with(
    model: PreTrainedModel,
    ids: Int[Tensor, "rows tokens"],
    lengths: Int[Tensor, " rows"],
    prompt_at: Int[Tensor, "rows length"],
    vectors: Float[Tensor, "rows length dim"],
    where: Bool[Tensor, "rows tokens"],
    beginnings: Beginnings = NONE,
) -> Float[Tensor, "chosen vocabulary"]:
    """What a model says at marked places, in reading order, with each row's own vectors in place.

    Args:
        model: the language model.
        ids: token ids, one row an example, padded on the right.
        lengths: tokens of each row before the padding.
        prompt_at: places of the vectors.
        vectors: what stands there, in the space of the word embeddings.
        where: places whose logits are asked for.
        beginnings: what the model has seen of each row already.
    """
    rows = torch.arange(len(ids), device=ids.device)
    embedded = look_up(model, ids)
    embedded = embedded.index_put((rows[:, None], prompt_at), vectors.to(embedded.dtype))
    there = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
    # Nothing stands in the padding, for models that look at neighbours before they look at the mask (MobileBERT).
    embedded = embedded.masked_fill(~there[..., None], 0)
    start, told = beginnings.places, beginnings.arguments()
    return logits_at(model, where[:, start:], inputs_embeds=embedded[:, start:], attention_mask=there.long(), **told)
