"""Packs: what was tuned before and came along, many results in one file, in half precision.

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
from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.keeping.files import load_tensors, save_tensors

FORMAT = 1  # of keys and packs; to be raised when tuning itself changes, so that all is tuned anew
READ, WRITE = "PTLIB_PACKS", "PTLIB_NEW_PACKS"
LIMIT = 5_900_000  # bytes of all packs together, so that with their headers they stay under 6 MB
ABOUT_ONE = 40  # bytes that a result takes beside its numbers
LONGEST = 2**15  # numbers of a result whose places are kept

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
    """Make packs of all that was put aside: of what took most effort for its size, as much as the limit allows."""
    found: dict[tuple[str, str], tuple[float, Numbers]] = {}
    for path in sorted(aside.glob("*.safetensors")):
        results, effort = _read(path)
        found |= {(path.name.split(".")[0], key): (effort / _size(one), one) for key, one in results.items()}
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
    return Path(folder, f"{name}.safetensors").expanduser()


@functools.cache
def _read_once(path: Path, _changed: int) -> dict[str, Numbers]:
    try:
        return _read(path)[0]
    except PromptError as error:
        warnings.warn(f"{error}; what was in it is tuned anew", stacklevel=2)
        return {}


def _is_sparse(numbers: Numbers) -> bool:
    """Whether it takes less to keep the numbers that are not 0, and their places."""
    return int(numbers.count_nonzero()) * 2 < numbers.numel() <= LONGEST


def _size(numbers: Numbers) -> int:
    """Bytes that a result takes in a pack."""
    stored = 4 * int(numbers.count_nonzero()) if _is_sparse(numbers) else 2 * numbers.numel()
    return stored + ABOUT_ONE


def _write(path: Path, results: Mapping[str, Numbers], effort: int = 0) -> None:
    values, places, shapes = [], [torch.empty(0, dtype=torch.int16)], []
    for numbers in results.values():
        flat = numbers.half().flatten()
        if _is_sparse(numbers):
            places.append(flat.nonzero()[:, 0].to(torch.int16))
            flat = flat[flat != 0]
        values.append(flat)
        shapes.append((*numbers.shape, len(flat)))
    about = {"keys": list(results), "shapes": shapes, "effort": effort}
    save_tensors(path, {"values": torch.cat(values), "places": torch.cat(places)}, about, kind="pack")


def _read(path: Path) -> tuple[dict[str, Numbers], int]:
    """The results in a pack, and the effort that each took.

    Raises:
        PromptError: it is damaged.
    """
    tensors, about = load_tensors(path, kind="pack")
    try:
        shapes = [(rows, columns, count, rows * columns) for rows, columns, count in about["shapes"]]
        values = tensors["values"].float().split([count for *_, count, _ in shapes])
        places = tensors["places"].long().split([count if count < whole else 0 for *_, count, whole in shapes])
        found = {}
        for key, (rows, columns, count, whole), some, where in zip(about["keys"], shapes, values, places, strict=True):
            flat = some if count == whole else torch.zeros(whole).index_put((where,), some)
            found[key] = flat.view(rows, columns)
        return found, about["effort"]
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise PromptError(f"{path}: a pack in which something is missing") from error
