"""Precision: what needs few digits, such as a gradient, costs half as much with fewer."""

import copy

import torch

from ptlib.models import LanguageModel


def quick_copy(lm: LanguageModel) -> LanguageModel:
    """A bfloat16 copy of a float32 model where the machine computes in bfloat16, otherwise the model itself.

    Prompts are tuned through it, and large tables scored; single scores are those of the model. On a CPU the
    copy computes attention step by step, since the fused kernel is slower there in bfloat16.
    """
    if lm.embeddings.dtype != torch.float32 or not _has_bfloat16(lm.device):
        return lm
    model = copy.deepcopy(lm.model).to(torch.bfloat16)
    if lm.device.type == "cpu":
        model.set_attn_implementation("eager")
    return LanguageModel(lm.name, lm.kind, model, lm.tokenizer)


def _has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware, and not by way of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))
