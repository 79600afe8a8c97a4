"""The environment: what of that which the book needs is there, in one screen."""

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from ptlib.keeping.store import default_cache
from ptlib.models.checkpoint import pocket_models

NEEDED = (  # as in pyproject.toml, which is not there once the library is installed
    "torch",
    "transformers",
    "tokenizers",
    "huggingface-hub",
    "safetensors",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "joblib",
    "jaxtyping",
    "ipython",
    "tqdm",
    "psutil",
)
USEFUL = {"datasets": "reads data sets from the Hugging Face hub", "peft": "tunes adapters, which ptlib can carry"}
GIGABYTE = 1e9


@dataclass(frozen=True)
class Environment:
    """What was found.

    Attributes:
        lines: one for each thing, with what it is and what it means.
        missing: names of packages that the library needs and that are not there.
    """

    lines: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        verdict = (
            f"missing: {', '.join(self.missing)}; pip install them" if self.missing else "all that is needed is there"
        )
        return "\n".join([*self.lines, verdict])


def check_env() -> Environment:
    """Look for the packages, the device, the pocket models and the room on disk; print what it returns."""
    found = {name: _version(name) for name in (*NEEDED, *USEFUL)}
    lines = [f"{'python':14}{platform.python_version()}"]
    lines += [f"{name:14}{found[name] or 'missing'}" for name in NEEDED]
    lines += [f"{name:14}{found[name] or f'missing ({use})'}" for name, use in USEFUL.items()]
    lines += [*_devices(), f"{'pocket models':14}{len(pocket_models())}", _cache()]
    return Environment(tuple(lines), tuple(name for name in NEEDED if found[name] is None))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> list[str]:
    """A line for each GPU, or one for the CPU."""
    if not torch.cuda.is_available():
        chip = torch.backends.cpu.get_cpu_capability()
        return [f"{'device':14}CPU ({chip}), {torch.get_num_threads()} threads; enough for the pocket profile"]
    about = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [f"{'device':14}{gpu.name}, {gpu.total_memory / GIGABYTE:.0f} GB" for gpu in about]


def _cache() -> str:
    """Where results are kept, and how much room there is."""
    folder = default_cache()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return f"{'cache':14}{folder}, {shutil.disk_usage(there).free / GIGABYTE:.0f} GB free"
