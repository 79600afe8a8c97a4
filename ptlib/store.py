"""The store: tuned prompts on disk, under a key made of everything they depend on."""

import hashlib
import importlib
import inspect
import json
import os
from pathlib import Path

from ptlib.prompt import SoftPrompt, load_prompt


def key_of(*parts: object, code: tuple[str, ...]) -> str:
    """A hash of all that a result depends on: plain values, and the source of the named modules that compute it."""
    sources = [inspect.getsource(importlib.import_module(name)) for name in code]
    return hashlib.sha256(json.dumps([parts, sources], sort_keys=True).encode()).hexdigest()[:32]


def default_cache() -> Path:
    """The folder where tuned prompts are kept: `PTLIB_CACHE` if that is set, otherwise one in the home folder."""
    return Path(os.environ.get("PTLIB_CACHE") or Path.home() / ".cache" / "ptlib")


class Store:
    """A folder of prompts, or nothing if `folder` is None."""

    def __init__(self, folder: str | Path | None):
        self._folder = Path(folder) if folder is not None else None

    def get(self, key: str) -> SoftPrompt | None:
        """The prompt kept under a key, or None."""
        if self._folder is None or not (path := self._path(key)).exists():
            return None
        return load_prompt(path)

    def put(self, key: str, prompt: SoftPrompt) -> None:
        """Keep a prompt."""
        if self._folder is not None:
            prompt.save(self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"
