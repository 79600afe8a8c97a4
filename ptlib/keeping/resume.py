"""Journals: where a long descent stands, so that one that was killed goes on and ends as if it had not been."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ptlib.errors import PromptError
from ptlib.keeping.files import load_tensors, put_aside, save_tensors

KIND = "journal"
AVERAGES = ("step", "exp_avg", "exp_avg_sq")  # as Adam calls what it keeps


class Journal:
    """Where one descent stands, in a file: what it works on, the steps made, the numbers, and Adam's averages.

    Without a path nothing is kept.
    """

    seconds = 60.0  # between two states

    def __init__(self, path: Path | None):
        self._path = path
        self._written = time.monotonic()
        self._tensors: dict[str, torch.Tensor] = {}
        self._about: dict[str, Any] = {"work": [], "steps": 0}
        if path is not None and os.path.exists(path):
            self._read(path)

    @property
    def work(self) -> list[str]:
        """The keys that a descent which was killed was working on; none if there was no such descent."""
        return self._about["work"]

    def begin(self, work: Sequence[str]) -> None:
        """Say what is worked on, before the first step. If an earlier descent worked on the same, its state is kept."""
        if self.work != list(work):
            self._tensors, self._about = {}, {"work": list(work), "steps": 0}
            self._write()

    def steps(
        self, count: int, leaf: torch.Tensor, optimizer: torch.optim.Adam, *, label: str, progress: bool
    ) -> Iterator[int]:
        """The numbers of the steps that are left, under a bar if wanted, with the state kept every so often.

        Args:
            count: steps in all.
            leaf: what is tuned; set to where an earlier descent stood.
            optimizer: Adam over the leaf alone; likewise.
            label: of the bar.
            progress: show one.
        """
        first = self._restore(count, leaf, optimizer)
        bar = {"desc": label, "leave": False, "initial": first, "total": count}
        for step in tqdm(range(first, count), **bar) if progress else range(first, count):
            yield step
            if self._path is not None and time.monotonic() - self._written >= self.seconds:
                state = optimizer.state[leaf]
                self._tensors = {"leaf": leaf.detach()} | {name: state[name] for name in AVERAGES}
                self._about["steps"] = step + 1
                self._write()

    def remove(self) -> None:
        """Forget the state, once all results are kept."""
        if self._path is not None:
            with contextlib.suppress(OSError):  # a state whose results are all there is looked at no more
                self._path.unlink()

    def _write(self) -> None:
        if self._path is not None:
            save_tensors(self._path, self._tensors, self._about, kind=KIND)
            self._written = time.monotonic()

    def _read(self, path: Path) -> None:
        """Take up an earlier state, or put it aside if it is damaged."""
        try:
            tensors, about = load_tensors(path, kind=KIND)
            complete = set(tensors) == ({"leaf", *AVERAGES} if about["steps"] else set())
            if not complete or not all(isinstance(key, str) for key in about["work"]):
                raise PromptError(f"{path}: a {KIND} in which something is missing")
        except (PromptError, KeyError, TypeError) as error:
            put_aside(path, error if isinstance(error, PromptError) else PromptError(f"{path}: no {KIND}"))
        else:
            self._tensors, self._about = tensors, about

    def _restore(self, count: int, leaf: torch.Tensor, optimizer: torch.optim.Adam) -> int:
        """How many steps of so many an earlier descent made, with the leaf and the optimizer where it left them."""
        shapes = {name: tensor.shape for name, tensor in self._tensors.items()}
        fitting = dict.fromkeys(("leaf", *AVERAGES), leaf.shape) | {"step": torch.Size()}
        fits = shapes == fitting and self._about["steps"] in range(count + 1)
        if self._path is not None and self._about["steps"] and not fits:
            put_aside(self._path, PromptError(f"{self._path}: a {KIND} of another shape"))
            self._about["steps"] = 0
        if self._about["steps"]:
            with torch.no_grad():
                leaf.copy_(self._tensors["leaf"])
            averages = {name: self._tensors[name].to(leaf) for name in AVERAGES if name != "step"}
            optimizer.state[leaf] = {"step": self._tensors["step"], **averages}
        return self._about["steps"]
