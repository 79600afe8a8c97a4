"""Number formats: how the weights of a model may be held, and which short one a machine computes in."""

import torch

HELD = (torch.float32, torch.bfloat16, torch.float16)


def name_of(dtype: torch.dtype) -> str:
    """Its name, such as "float32"."""
    return str(dtype).removeprefix("torch.")


def quick_dtype(device: torch.device) -> torch.dtype | None:
    """The short format that a device computes in faster than in float32, or None if there is none."""
    return _shortest(device.type, _has_bfloat16(device))


def _shortest(device_type: str, has_bfloat16: bool) -> torch.dtype | None:
    """Bfloat16 where the hardware has it, since nothing overflows there; otherwise float16, which every GPU has."""
    if has_bfloat16:
        return torch.bfloat16
    return torch.float16 if device_type == "cuda" else None


def _has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware, and not by way of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))
