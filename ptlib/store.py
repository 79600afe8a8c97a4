"""The store: finished results on disk, under a key made of everything they depend on."""

import hashlib
import importlib
import inspect
import json
import os
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable


def key_of(*parts: object, code: tuple[str, ...]) -> str:
    """A hash of all that a result depends on: plain values, and the source of the named `ptlib` modules."""
    sources = [inspect.getsource(importlib.import_module(f"ptlib.{name}")) for name in code]
    return hashlib.sha256(json.dumps([parts, sources], sort_keys=True).encode()).hexdigest()[:32]


def default_cache() -> Path:
    """The folder where tuned prompts are kept: `PTLIB_CACHE` if that is set, otherwise one in the home folder."""
    return Path(os.environ.get("PTLIB_CACHE") or Path.home() / ".cache" / "ptlib")


Kept = TypeVar("Kept", bound="Keepable")
Name = TypeVar("Name", bound=Hashable)


@runtime_checkable
class Keepable(Protocol):
    """A result that can be written to a file."""

    def save(self, path: str | Path) -> None:
        """Write it."""


class Store(Generic[Kept]):
    """A folder of results, or nothing if `folder` is None; `read` reads one back."""

    def __init__(self, folder: str | Path | None, read: Callable[[Path], Kept]):
        self._folder = Path(folder) if folder is not None else None
        self._read = read

    def get(self, key: str) -> Kept | None:
        """The result kept under a key, or None."""
        if self._folder is None or not (path := self._path(key)).exists():
            return None
        return self._read(path)

    def put(self, key: str, result: Kept) -> None:
        """Keep a result."""
        if self._folder is not None:
            result.save(self._path(key))

    def complete(
        self, keys: Mapping[Name, str], make: Callable[[list[Name]], Mapping[Name, Kept]], *, anew: bool = False
    ) -> dict[Name, Kept]:
        """The results under some keys: what is there is read, the rest made in one go and kept.

        Args:
            keys: the key of each result, by the names that results are to have.
            make: makes the results of some names.
            anew: make even those that are there.
        """
        found = {name: None if anew else self.get(key) for name, key in keys.items()}
        left = [name for name, result in found.items() if result is None]
        for name, result in (make(left) if left else {}).items():
            self.put(keys[name], result)
            found[name] = result
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"
