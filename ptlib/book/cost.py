"""Cost: how long tuning takes and how much memory, said before it starts."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig

from ptlib.models.loading import shape_of
from ptlib.models.number_formats import name_of, quick_dtype
from ptlib.tuning.descent import Settings

TOKENS = 16  # of a row: a cloze of LAMA with five vectors has about so many
SHARE = 1 / 3  # of a device's speed, assumed for tuning; measured: about a half on two CPU cores, a GPU not yet
MATMUL = {"cpu": 2_048, "cuda": 8_192}  # rows and columns of the matrices that a device's speed is measured with


@dataclass(frozen=True)
class Cost:
    """What some tuning takes.

    Attributes:
        operations: multiplications and additions.
        bytes: of the weights of all its models, and of the short copy of the largest.
    """

    operations: int | float
    bytes: int

    def seconds(self, rate: int | float) -> float:
        """The time on a device of so many operations a second, of which tuning uses a share."""
        return self.operations / (SHARE * rate)


def tuning_cost(prompts: Mapping[str, int | float], settings: Settings) -> Cost:
    """What it takes to tune prompts of five vectors or so on several models.

    Args:
        prompts: how many on each model, by the name to load it by; of a model on the hub only the configuration is
            downloaded.
        settings: steps and rows.
    """
    tokens = TOKENS * settings.rows * settings.steps  # for each prompt
    shapes = {name: shape_of(name) for name in prompts}
    operations = sum(operations_in(config) * tokens * prompts[name] for name, (config, _) in shapes.items())
    sizes = [parameters for _, parameters in shapes.values()]
    return Cost(operations, 4 * sum(sizes) + 2 * max(sizes))


def operations_in(config: PreTrainedConfig) -> int:
    """Multiplications and additions for a token, forward and backward, in the layers of a model.

    There are as many backward as forward, since no weight has a gradient.
    """
    width = config.hidden_size
    inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * width
    # Multiply and add, forward and backward.
    return 2 * 2 * config.num_hidden_layers * (4 * width * width + 2 * width * inner)


def speed(device: torch.device) -> float:
    """Operations a second of a device in the format that it tunes in, measured on a product of two matrices."""
    size = MATMUL[device.type]
    matrix = torch.randn(size, size, device=device, dtype=quick_dtype(device) or torch.float32)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        (matrix @ matrix)[0, 0].item()
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def in_words(cost: Cost, device: torch.device) -> str:
    """A cost in plain words, for a device."""
    measured = speed(device)
    minutes = max(2, cost.seconds(measured) / 60)
    time_needed = f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.0f} hours"
    form = name_of(quick_dtype(device) or torch.float32)
    return (
        f"about {time_needed} of tuning on this {device.type} ({measured / 1e12:.2g} TFLOP/s in {form}, "
        f"{SHARE:.0%} of it assumed), and {cost.bytes / 1e9:.1f} GB for weights"
    )
