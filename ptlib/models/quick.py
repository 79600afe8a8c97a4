"""Quick copies: what needs few digits, or one place of each row, costs less through a copy that gives no more."""

import copy
import weakref

import torch
from transformers import PreTrainedModel
from transformers.activations import FastGELUActivation, GELUTanh, NewGELUActivation

from ptlib.models.language_model import LanguageModel
from ptlib.models.number_formats import name_of, quick_dtype
from ptlib.models.slot import attend_quickly

APPROXIMATE = (GELUTanh, NewGELUActivation, FastGELUActivation)

_copies: weakref.WeakKeyDictionary[LanguageModel, dict[torch.dtype | None, LanguageModel]] = weakref.WeakKeyDictionary()


def quick_copy(lm: LanguageModel) -> LanguageModel:
    """A copy of a float32 model that is quicker: in the short format that the machine computes in, if there is one.

    That is bfloat16, or float16 on a GPU that lacks it. Prompts are tuned through the copy, and large tables
    scored; single scores are those of the model. On a CPU the copy computes attention by `attend`, which leaves out
    what no slot looks at, and in a short format GELU by its definition where the model has the approximation by tanh.
    On a CPU without a short format the copy has the weights of the model itself, and differs in the last digits alone.
    It is made once for each model, and kept as long as that is.
    """
    dtype = quick_dtype(lm.device)
    if lm.dtype != torch.float32 or (dtype is None and lm.device.type != "cpu"):
        return lm
    copies = _copies.setdefault(lm, {})
    if dtype not in copies:
        copies[dtype] = _copied(lm, dtype)
    return copies[dtype]


def arithmetic(lm: LanguageModel) -> tuple[str, str, str]:
    """What decides last digits: the device, the format that a model is held in, and the one it is tuned through."""
    quick = quick_dtype(lm.device) if lm.dtype == torch.float32 else None
    return lm.device.type, name_of(lm.dtype), name_of(quick or lm.dtype)


def _copied(lm: LanguageModel, short: torch.dtype | None) -> LanguageModel:
    # A copy of the whole in float32 first would need twice the memory.
    weights = {
        id(one): torch.nn.Parameter(one.detach().to(short or one.dtype), requires_grad=False)
        for one in lm.model.parameters()
    }
    model = copy.deepcopy(lm.model, weights)
    if short is not None:
        model.to(short)  # type: ignore[arg-type]  # transformers types it as unbound
    if lm.device.type == "cpu":
        if short is not None:
            _define_gelu(model)
        attend_quickly(model)
    return LanguageModel(lm.name, lm.kind, model, lm.tokenizer)


def _define_gelu(model: PreTrainedModel) -> None:
    """GELU itself for its approximation: they differ by 0.0005 at most, which is lost in bfloat16, and tanh is slow."""
    for part in model.modules():
        for name, child in part.named_children():
            if isinstance(child, APPROXIMATE):
                setattr(part, name, torch.nn.GELU())
