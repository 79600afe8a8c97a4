"""Precision: what needs few digits, such as a gradient, costs half as much with fewer."""

import copy
import weakref

import torch
from transformers import PreTrainedModel
from transformers.activations import FastGELUActivation, GELUTanh, NewGELUActivation

from ptlib.models.language_model import LanguageModel
from ptlib.models.number_formats import name_of, quick_dtype
from ptlib.models.slot import attend_quickly

APPROXIMATE = (GELUTanh, NewGELUActivation, FastGELUActivation)

_copies: weakref.WeakKeyDictionary[LanguageModel, dict[torch.dtype, LanguageModel]] = weakref.WeakKeyDictionary()


def quick_copy(lm: LanguageModel) -> LanguageModel:
    """A copy of a float32 model in the short format that the machine computes in, or the model itself if there is none.

    That is bfloat16, or float16 on a GPU that lacks it. Prompts are tuned through the copy, and large tables
    scored; single scores are those of the model. On a CPU the copy computes attention by `attend`, since the fused
    kernel is slower there with few digits, and GELU by its definition where the model has the approximation by tanh.
    It is made once for each model, and kept as long as that is.
    """
    dtype = quick_dtype(lm.device)
    if lm.dtype != torch.float32 or dtype is None:
        return lm
    copies = _copies.setdefault(lm, {})
    if dtype not in copies:
        copies[dtype] = _shortened(lm, dtype)
    return copies[dtype]


def arithmetic(lm: LanguageModel) -> tuple[str, str, str]:
    """What decides last digits: the device, the format that a model is held in, and the one it is tuned through."""
    quick = quick_dtype(lm.device) if lm.dtype == torch.float32 else None
    return lm.device.type, name_of(lm.dtype), name_of(quick or lm.dtype)


def _shortened(lm: LanguageModel, dtype: torch.dtype) -> LanguageModel:
    # A copy of the whole in float32 first would need twice the memory.
    short = {id(one): torch.nn.Parameter(one.detach().to(dtype), requires_grad=False) for one in lm.model.parameters()}
    model = copy.deepcopy(lm.model, short).to(dtype)  # type: ignore[arg-type]  # transformers types it as unbound
    if lm.device.type == "cpu":
        _define_gelu(model)
        attend_quickly(model)
    return LanguageModel(lm.name, lm.kind, model, lm.tokenizer)


def _define_gelu(model: PreTrainedModel) -> None:
    """GELU itself for its approximation: they differ by 0.0005 at most, which is lost in bfloat16, and tanh is slow."""
    for part in model.modules():
        for name, child in part.named_children():
            if isinstance(child, APPROXIMATE):
                setattr(part, name, torch.nn.GELU())
