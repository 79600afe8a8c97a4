"""Files: written so that a failure midway leaves the old one, or none, and never half of one."""

import contextlib
import json
import os
import platform
import re
import secrets
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from jaxtyping import Float, Shaped
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ptlib.errors import PromptError, first_line

UNFINISHED = re.compile(r"\.(?P<pid>\d+)-[0-9a-f]{8}-(?P<host>.*)\.tmp$")  # the end of a temporary file's name
LONGEST_WRITE = 24 * 3_600  # seconds; on another machine nobody can ask whether a process is still there


def expanded(path: str | Path) -> Path:
    """A path with the home folder in place of `~`.

    Raises:
        PromptError: a user that is not there, or a character that no path has.
    """
    try:
        found = Path(path).expanduser()
    except RuntimeError as error:
        raise PromptError(f"{path}: {first_line(error)} Name the folder in full") from error
    if "\0" in str(found):
        raise PromptError(f"{str(found)!r}: holds a null character, which no path has")
    return found


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step.

    Raises:
        PromptError: a path that names no file, or the disk is full or cannot be written to; what stood at `path` is as
            it was.
    """
    path = expanded(path)
    if not path.name:
        raise PromptError(f"{path}: a folder, and no name of a file in it; give one")
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}-{platform.node()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)  # with the permissions that the user's umask gives
        write(temporary)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise PromptError(
            f"{path}: cannot be written ({first_line(error)}); make room, or name another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def clear_leftovers(folder: Path) -> None:
    """Remove what writes left unfinished in a folder when their process was killed."""
    try:
        temporary = list(folder.glob(".*.tmp"))
    except OSError:
        return  # whoever writes there will say what is wrong
    for path in temporary:
        if found := UNFINISHED.search(path.name):
            gone = found["host"] == platform.node() and not psutil.pid_exists(int(found["pid"]))
            with contextlib.suppress(OSError):
                if gone or time.time() - path.stat().st_mtime > LONGEST_WRITE:
                    path.unlink()


def put_aside(path: Path, error: PromptError) -> None:
    """Move a file that cannot be used out of the way, with a warning, so that it can be made anew."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.damaged")
    try:
        os.replace(path, aside)
    except FileNotFoundError:
        return  # another process did
    except OSError as other:
        raise PromptError(f"{error}; and it cannot be moved away ({first_line(other)}): remove it") from error
    warnings.warn(f"{error}; it is now {aside.name}, and made anew", stacklevel=2)


def write_safetensors(
    path: Path, tensors: Mapping[str, Shaped[Tensor, "..."]], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all.

    `safetensors` itself would write by way of a file that only its owner can read, and that nobody clears away after
    a kill.
    """
    whole = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    write_atomically(path, lambda temporary: temporary.write_bytes(whole))


def read_safetensors(path: Path) -> tuple[dict[str, Shaped[Tensor, "..."]], dict[str, str]]:
    """Read the tensors of a safetensors file and its metadata, both from one state of it.

    `safetensors.safe_open` opens a file twice, and another process may put a newer one in its place in between: the
    head of the older would then be read with the numbers of the newer.

    Raises:
        SafetensorError: the file is cut short, or of another kind.
        OSError: it cannot be read.
    """
    whole = path.read_bytes()
    tensors = load(whole)
    head = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    return tensors, head.get("__metadata__", {})


def save_tensors(
    path: Path, tensors: Mapping[str, Shaped[Tensor, "..."]], about: Mapping[str, object], *, kind: str
) -> None:
    """Write tensors and their description to a safetensors file, whole or not at all."""
    metadata = {"format": f"ptlib {kind} 1", "about": json.dumps(about)}
    write_safetensors(path, tensors, metadata)


def load_tensors(path: str | Path, *, kind: str) -> tuple[dict[str, Shaped[Tensor, "..."]], dict]:
    """Read what `save_tensors` wrote.

    Raises:
        PromptError: the file is missing, cut short, or of another kind.
    """
    path = expanded(path)
    try:
        tensors, metadata = read_safetensors(path)
        if metadata.get("format") != f"ptlib {kind} 1":
            raise PromptError(f"{path}: a safetensors file, but not a {kind} of ptlib")
        about = json.loads(metadata["about"])
    except FileNotFoundError as error:
        raise PromptError(f"{path}: no such file") from error
    except (SafetensorError, OSError) as error:
        raise PromptError(f"{path}: cut short, or not a safetensors file ({first_line(error)})") from error
    except (KeyError, json.JSONDecodeError) as error:
        raise PromptError(f"{path}: a {kind} whose description is damaged ({first_line(error)})") from error
    if not isinstance(about, dict):
        raise PromptError(f"{path}: a {kind} whose description is damaged (it holds a {type(about).__name__})")
    return tensors, about


def save_tensor(path: Path, tensor: Float[Tensor, "..."], about: Mapping[str, object], *, kind: str) -> None:
    """Write one tensor and its description, likewise."""
    save_tensors(path, {"tensor": tensor}, about, kind=kind)


def require_types(path: str | Path, about: Mapping[str, object], types: Mapping[str, type], *, kind: str) -> None:
    """Refuse the description in a file of some kind, if a value in it is of another type than it is written in."""
    for name, wanted in types.items():
        if name in about and not isinstance(about[name], wanted):
            raise PromptError(f"{path}: a {kind} whose description is damaged ({name} is {about[name]!r:.50})")


def load_tensor(path: str | Path, *, kind: str) -> tuple[Float[Tensor, "..."], dict]:
    """Read what `save_tensor` wrote; see `load_tensors`."""
    tensors, about = load_tensors(path, kind=kind)
    if "tensor" not in tensors:
        raise PromptError(f"{path}: a {kind} whose numbers are missing")
    return tensors["tensor"], about
