"""Altered models, for control: ones that know nothing, and ones whose embedding space is turned."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ptlib.models.language_model import LanguageModel


def untrained(lm: LanguageModel, *, seed: int = 0) -> LanguageModel:
    """A model of the same shape and tokenizer with random weights (Zhong et al. 2021 use it as a control)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = type(lm.model)(copy.deepcopy(lm.model.config))
    model = model.eval().requires_grad_(False).to(lm.device, lm.dtype)
    return LanguageModel(f"untrained {lm.name}", lm.kind, model, lm.tokenizer)


def rotated(lm: LanguageModel, rotation: Float[Tensor, "dim dim"]) -> LanguageModel:
    """The same model with its word embeddings turned, and turned back where they enter: another space, equal answers.

    It takes embeddings, and so prompts, only from the turned space.
    """
    model = copy.deepcopy(lm.model)
    turned = nn.Embedding.from_pretrained((lm.embeddings @ rotation.to(lm.embeddings)).to(lm.dtype))
    model.set_input_embeddings(turned)

    def turn_back(_module: nn.Module, positional: tuple, named: dict) -> tuple[tuple, dict]:
        """The inputs of the model in its own space."""
        return positional, named | {"inputs_embeds": named["inputs_embeds"] @ rotation.T.to(named["inputs_embeds"])}

    model.register_forward_pre_hook(turn_back, with_kwargs=True)
    return LanguageModel(f"rotated {lm.name}", lm.kind, model, lm.tokenizer)
