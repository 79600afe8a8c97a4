"""Precision: what needs few digits, such as a gradient, costs half as much with fewer."""

import copy

import torch

from ptlib.dtypes import quick_dtype
from ptlib.models import LanguageModel


def quick_copy(lm: LanguageModel) -> LanguageModel:
    """A copy of a float32 model in the short format that the machine computes in, or the model itself if there is none.

    That is bfloat16, or float16 on a GPU that lacks it. Prompts are tuned through the copy, and large tables
    scored; single scores are those of the model. On a CPU the copy computes attention step by step, since the
    fused kernel is slower there with few digits.
    """
    dtype = quick_dtype(lm.device)
    if lm.dtype != torch.float32 or dtype is None:
        return lm
    # A copy of the whole in float32 first would need twice the memory.
    short = {id(one): torch.nn.Parameter(one.detach().to(dtype), requires_grad=False) for one in lm.model.parameters()}
    model = copy.deepcopy(lm.model, short).to(dtype)
    if lm.device.type == "cpu":
        model.set_attn_implementation("eager")
    return LanguageModel(lm.name, lm.kind, model, lm.tokenizer)
