"""The store: finished results on disk, under a key made of everything they depend on."""

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from ptlib.errors import PromptError
from ptlib.keeping.files import clear_leftovers, expanded, put_aside
from ptlib.keeping.resume import Journal


def default_cache() -> Path:
    """The folder where tuned prompts are kept: `PTLIB_CACHE` if that is set, otherwise one in the home folder."""
    return expanded(os.environ.get("PTLIB_CACHE") or Path.home() / ".cache" / "ptlib")


Kept = TypeVar("Kept", bound="Keepable")
Name = TypeVar("Name", bound=Hashable)


@runtime_checkable
class Keepable(Protocol):
    """A result that can be written to a file."""

    def save(self, path: str | Path) -> None:
        """Write it."""


class Store(Generic[Kept]):
    """A folder of results, or nothing if `folder` is None; `read` reads one back.

    Raises:
        PromptError: a folder without a name.
    """

    def __init__(self, folder: str | Path | None, read: Callable[[Path], Kept]):
        if folder == "":
            raise PromptError("a cache without a name; give a folder, or None to keep nothing")
        self._folder = expanded(folder) if folder is not None else None
        self._read = read

    def get(self, key: str, fits: Callable[[Kept], bool] = lambda _: True) -> Kept | None:
        """The result kept under a key, or None; a file that is damaged or does not fit is put aside with a warning."""
        if self._folder is None:
            return None
        path = _file(self._folder, key)
        if not os.path.exists(path):  # unreadable is not there either
            return None
        try:
            result = self._read(path)
            if fits(result):
                return result
            error = PromptError(f"{path}: holds something of another shape")
        except PromptError as unreadable:
            error = unreadable
        put_aside(path, error)
        return None

    def put(self, key: str, result: Kept) -> None:
        """Keep a result."""
        if self._folder is not None:
            result.save(_file(self._folder, key))

    def complete(
        self,
        names: Iterable[Name],
        key: Callable[[Name], str],
        make: Callable[[list[Name], Journal], Mapping[Name, Kept]],
        *,
        fits: Callable[[Kept], bool] = lambda _: True,
        anew: bool = False,
    ) -> dict[Name, Kept]:
        """The results of some names: what is there is read, the rest made in one go and kept.

        What is made together depends on what was there, in the last digits. So a run that was killed goes on with
        exactly those that it began with, even if some of them have been kept since.

        Args:
            names: what results are to be called.
            key: what the result of a name is kept under; asked for only where there is a folder.
            make: makes the results of some names; its descent goes by the journal.
            fits: whether a result that is there has the right shape.
            anew: make even those that are there, and keep no journal.
        """
        if self._folder is None:
            return dict(make(list(names), Journal(None)))
        keys = {name: key(name) for name in names}
        journal = Journal(None if anew else _part(self._folder, keys.values()))
        there = {} if anew else {name: self.get(key, fits) for name, key in keys.items()}
        found = {name: result for name, result in there.items() if result is not None}
        missing = [key for name, key in keys.items() if name not in found]
        if missing:
            clear_leftovers(self._folder)
            begun = set(missing) <= set(journal.work) <= set(keys.values())
            left = [name for name, key in keys.items() if key in (journal.work if begun else missing)]
            journal.begin([keys[name] for name in left])
            for name, result in make(left, journal).items():
                self.put(keys[name], result)
                found[name] = result
        journal.remove()
        return {name: found[name] for name in keys}


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"


def _part(folder: Path, keys: Iterable[str]) -> Path:
    """The file for the journal of a run that is to make some results."""
    digest = hashlib.sha256(" ".join(sorted(keys)).encode()).hexdigest()[:32]
    return folder / f"{digest}.part.safetensors"
