"""Packs: what was tuned before and came along, many results in one file, in few bits.

Numbers of which most are 0 are kept in half precision with their places, others as whole numbers from -127 to 127 of a
step of each row, or in half precision where that would move a row by more than a hundredth of its length.

A store holds results of this machine, of this very code and these versions of libraries. A pack holds those that were
made elsewhere: each is found under a key of what is asked for alone. Packs are read where `PTLIB_PACKS` names their
folder, and what is made goes into new ones where `PTLIB_NEW_PACKS` names another.
"""

import functools
import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float, Int8
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.files import expanded, load_tensors, save_tensors

FORMAT = 1  # of keys and packs; to be raised when tuning itself changes, so that all is tuned anew
READ, WRITE = "PTLIB_PACKS", "PTLIB_NEW_PACKS"
LIMIT = 5_900_000  # bytes of all packs together, so that with their headers they stay under 6 MB
ABOUT_ONE = 40  # bytes that a result takes beside its numbers
LONGEST = 2**15  # numbers of a result whose places are kept
LARGEST = 127  # whole number of eight bits
MOVED = 0.01  # of its length, which rounding may move a row by

PARTS = {"values": torch.float16, "places": torch.int16, "whole": torch.int8, "steps": torch.float32}

Numbers = Float[Tensor, "rows columns"]


def lasting_key(*parts: object) -> str:
    """A hash of plain values and tensors; versions of libraries and code do not count."""
    return hashlib.sha256(json.dumps([FORMAT, *parts], default=Tensor.tolist).encode()).hexdigest()[:16]


def are_used() -> bool:
    """Whether packs are to be read or made at all."""
    return bool(os.environ.get(READ) or os.environ.get(WRITE))


def unpacked(name: str) -> dict[str, Numbers]:
    """The results in a pack, by their keys; none if it is missing, or, with a warning, if it is damaged."""
    folder = os.environ.get(READ)
    path = _file(folder or "", name)
    return _read_once(path, path.stat().st_mtime_ns) if folder and path.is_file() else {}


def put_in(name: str, results: Mapping[str, Numbers], effort: int) -> None:
    """Put results aside, by their keys, for the new pack of a name; each took the same effort, in any unit."""
    if folder := os.environ.get(WRITE):
        _write(_file(folder, f"{name}.{lasting_key(*results)}"), results, effort)


def gather(aside: Path, folder: Path, limit: int = LIMIT) -> None:
    """Make packs of all that was put aside: of what took most effort for its size, as much as the limit allows.

    Raises:
        PromptError: nothing was put aside, or it is damaged; the packs that there are stay.
    """
    found: dict[tuple[str, str], tuple[float, Numbers]] = {}
    for path in sorted(aside.glob("*.safetensors")):
        results, effort = _read(path)
        found |= {(path.name.split(".")[0], key): (effort / _size(one), one) for key, one in results.items()}
    if not found:
        raise PromptError(f"{aside}: no results were put aside there, and the packs in {folder} stay as they are")
    packs: dict[str, dict[str, Numbers]] = {}
    for (name, key), (_, one) in sorted(found.items(), key=lambda item: (-item[1][0], item[0])):
        limit -= _size(one)
        if limit < 0:
            break
        packs.setdefault(name, {})[key] = one
    for name, results in packs.items():
        _write(_file(folder, name), results)
    for path in folder.glob("*.safetensors"):
        if path.stem not in packs:
            path.unlink()


def fingerprint() -> str:
    """A hash of all packs that are read."""
    return _hash(os.environ.get(READ, ""))


@functools.cache
def _hash(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(folder).glob("*.safetensors")) if folder else ():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _file(folder: str | Path, name: str) -> Path:
    return expanded(Path(folder, f"{name}.safetensors"))


@functools.cache
def _read_once(path: Path, _changed: int) -> dict[str, Numbers]:
    try:
        return _read(path)[0]
    except PromptError as error:
        warnings.warn(f"{error}; what was in it is tuned anew", stacklevel=2)
        return {}


def _is_sparse(numbers: Numbers) -> bool:
    """Whether it takes less to keep the numbers that are not 0, and their places."""
    return 0 < int(numbers.count_nonzero()) * 2 < numbers.numel() <= LONGEST


def _rounded(numbers: Numbers) -> tuple[Int8[Tensor, "rows columns"], Float[Tensor, "rows 1"]] | None:
    """Whole numbers of eight bits and the step of each row, or None if that moves a row too far."""
    steps = numbers.abs().amax(dim=1, keepdim=True) / LARGEST
    whole = (numbers / steps.clamp_min(torch.finfo(steps.dtype).tiny)).round()
    moved = (whole * steps - numbers).norm(dim=1) > MOVED * numbers.norm(dim=1)
    return None if moved.any() else (whole.to(torch.int8), steps)


def _size(numbers: Numbers) -> int:
    """Bytes that a result takes in a pack."""
    if _is_sparse(numbers):
        return 4 * int(numbers.count_nonzero()) + ABOUT_ONE
    stored = 2 * numbers.numel() if _rounded(numbers) is None else numbers.numel() + 4 * len(numbers)
    return stored + ABOUT_ONE


def _write(path: Path, results: Mapping[str, Numbers], effort: int = 0) -> None:
    parts: dict[str, list[Tensor]] = {name: [torch.empty(0, dtype=dtype)] for name, dtype in PARTS.items()}
    shapes = []
    for numbers in results.values():
        if not _is_sparse(numbers) and (few := _rounded(numbers)):
            parts["whole"].append(few[0].flatten())
            parts["steps"].append(few[1].flatten())
            shapes.append((*numbers.shape, 0))
            continue
        flat = numbers.half().flatten()
        if _is_sparse(numbers):
            parts["places"].append(flat.nonzero()[:, 0].to(torch.int16))
            flat = flat[flat != 0]
        parts["values"].append(flat)
        shapes.append((*numbers.shape, len(flat)))
    about = {"keys": list(results), "shapes": shapes, "effort": effort}
    save_tensors(path, {name: torch.cat(some) for name, some in parts.items()}, about, kind="pack")


def _read(path: Path) -> tuple[dict[str, Numbers], int]:
    """The results in a pack, and the effort that each took.

    Raises:
        PromptError: it is damaged.
    """
    tensors, about = load_tensors(path, kind="pack")
    try:
        left = {name: tensors[name].to(torch.long if name == "places" else torch.float32) for name in PARTS}

        def take(name: str, count: int) -> Tensor:
            """The next numbers of a part."""
            some, left[name] = left[name].split([count, len(left[name]) - count])
            return some

        found = {}
        for key, (rows, columns, count) in zip(about["keys"], about["shapes"], strict=True):
            if not count:
                numbers = take("whole", rows * columns).view(rows, columns) * take("steps", rows)[:, None]
            elif count == rows * columns:
                numbers = take("values", count).view(rows, columns)
            else:
                places, some = take("places", count), take("values", count)
                numbers = torch.zeros(rows * columns).index_put((places,), some).view(rows, columns)
            found[key] = numbers
        if any(map(len, left.values())):
            raise ValueError("more numbers than results")
        return found, about["effort"]
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise PromptError(f"{path}: a pack in which something is missing") from error
