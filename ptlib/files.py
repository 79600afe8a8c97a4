"""Files: written so that a failure midway leaves the old one, or none, and never half of one."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ptlib.errors import PromptError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        write(Path(name))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def save_tensors(
    path: Path, tensors: Mapping[str, Float[Tensor, "..."]], about: Mapping[str, object], *, kind: str
) -> None:
    """Write tensors and their description to a safetensors file, whole or not at all."""
    metadata = {"format": f"ptlib {kind} 1", "about": json.dumps(about)}
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_atomically(path, lambda temporary: save_file(whole, temporary, metadata=metadata))


def load_tensors(path: str | Path, *, kind: str) -> tuple[dict[str, Float[Tensor, "..."]], dict]:
    """Read what `save_tensors` wrote.

    Raises:
        PromptError: the file is missing, cut short, or of another kind.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != f"ptlib {kind} 1":
                raise PromptError(f"{path}: a safetensors file, but not a {kind} of ptlib")
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(metadata["about"])  # noqa: SIM118
    except FileNotFoundError as error:
        raise PromptError(f"{path}: no such file") from error
    except (SafetensorError, OSError) as error:
        raise PromptError(f"{path}: cut short, or not a safetensors file ({error})") from error
    except (KeyError, json.JSONDecodeError) as error:
        raise PromptError(f"{path}: a {kind} whose description is damaged ({error})") from error


def save_tensor(path: Path, tensor: Float[Tensor, "..."], about: Mapping[str, object], *, kind: str) -> None:
    """Write one tensor and its description, likewise."""
    save_tensors(path, {"tensor": tensor}, about, kind=kind)


def load_tensor(path: str | Path, *, kind: str) -> tuple[Float[Tensor, "..."], dict]:
    """Read what `save_tensor` wrote; see `load_tensors`."""
    tensors, about = load_tensors(path, kind=kind)
    if "tensor" not in tensors:
        raise PromptError(f"{path}: a {kind} whose numbers are missing")
    return tensors["tensor"], about
