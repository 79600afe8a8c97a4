"""Logits at chosen positions only: the language-model head is most of the work where vocabularies are large."""

from contextlib import contextmanager

from jaxtyping import Bool, Float
from torch import Tensor
from transformers import PreTrainedModel


def logits_at(
    model: PreTrainedModel, where: Bool[Tensor, "rows tokens"], **inputs: Tensor
) -> Float[Tensor, "chosen vocabulary"]:
    """Logits of a language model at the positions marked in `where`, in reading order.

    The hidden states of all other positions are dropped between the model's body and its head, whatever
    the family, so that the head computes nothing that is not asked for.
    """
    with _only(model, where):
        return model(**inputs, use_cache=False).logits.squeeze(0)


@contextmanager
def _only(model: PreTrainedModel, where: Bool[Tensor, "rows tokens"]):
    def keep(_module, _inputs, output):
        output.last_hidden_state = output.last_hidden_state[where].unsqueeze(0)
        return output

    hook = model.base_model.register_forward_hook(keep)
    try:
        yield
    finally:
        hook.remove()
