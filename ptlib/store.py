"""The store: finished results on disk, under a key made of everything they depend on."""

import hashlib
import importlib
import inspect
import json
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from ptlib.journal import Journal


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
        self,
        keys: Mapping[Name, str],
        make: Callable[[list[Name], Journal], Mapping[Name, Kept]],
        *,
        anew: bool = False,
    ) -> dict[Name, Kept]:
        """The results under some keys: what is there is read, the rest made in one go and kept.

        What is made together depends on what was there, in the last digits. So a run that was killed goes on with
        exactly those that it began with, even if some of them have been kept since.

        Args:
            keys: the key of each result, by the names that results are to have.
            make: makes the results of some names; its descent goes by the journal.
            anew: make even those that are there, and keep no journal.
        """
        journal = Journal(None if anew or self._folder is None else self._part(keys.values()))
        found = {name: None if anew else self.get(key) for name, key in keys.items()}
        missing = [key for name, key in keys.items() if found[name] is None]
        left = [name for name, key in keys.items() if key in (journal.work or missing)]
        if left:
            journal.begin([keys[name] for name in left])
            for name, result in make(left, journal).items():
                self.put(keys[name], result)
                found[name] = result
            journal.remove()
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"

    def _part(self, keys: Iterable[str]) -> Path:
        """The file for the journal of a run that is to make some results."""
        digest = hashlib.sha256(" ".join(sorted(keys)).encode()).hexdigest()[:32]
        return self._folder / f"{digest}.part.safetensors"
