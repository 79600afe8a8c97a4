"""Memory: how many numbers a model holds, and whether they fit, before any of them is there."""

from typing import Any

import psutil
import torch
from transformers import PreTrainedConfig

from ptlib.errors import PromptError
from ptlib.models.number_formats import name_of, quick_dtype


def count_parameters(loader: type[Any], config: PreTrainedConfig) -> int:
    """How many numbers a model of a configuration holds, shared ones counted once; none of them is made."""
    with torch.device("meta"):
        model = loader.from_config(config, trust_remote_code=False)
    return sum(parameter.numel() for parameter in model.parameters())


def require_room(name: str, parameters: int, dtype: torch.dtype, device: torch.device) -> None:
    """Refuse a model that does not fit, on its device with the copy to tune through or, read, in main memory.

    Args:
        name: of the model, for the message.
        parameters: how many numbers it holds.
        dtype: how they are to be held.
        device: where they are to be.

    Raises:
        PromptError: with what is needed and what is free, in bytes.
    """
    quick = quick_dtype(device) if dtype == torch.float32 else None
    numbers = f"{parameters:,} parameters in {name_of(dtype)}"
    places = {"cpu": (dtype.itemsize, numbers)}
    if quick is not None:
        numbers += f", and a {name_of(quick)} copy to tune through"
    places[device.type] = (dtype.itemsize + (quick.itemsize if quick else 0), numbers)
    for place, (size, what) in places.items():
        free = free_bytes(torch.device(device if place == device.type else place))
        if parameters * size > free:
            raise PromptError(
                f"{name}: needs {parameters * size:,} bytes ({what}), and {free:,} are free on {place}; "
                f"load it {_shorter(parameters, dtype, quick, free)}on a machine with more memory"
            )


def free_bytes(device: torch.device) -> int:
    """What is free on a CUDA device, or else in main memory."""
    if device.type != "cuda":
        return psutil.virtual_memory().available
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for what comes next
    return torch.cuda.mem_get_info(device)[0] + kept


def _shorter(parameters: int, dtype: torch.dtype, quick: torch.dtype | None, free: int) -> str:
    """The advice to hold the model in a short format, if it would fit then."""
    short = quick or torch.bfloat16
    fits = dtype == torch.float32 and parameters * short.itemsize <= free
    return f"with dtype=torch.{name_of(short)}, or " if fits else ""
