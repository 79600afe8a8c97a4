"""The Hugging Face hub: files of a model or a data set by name, from there or from what was downloaded before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm.auto import tqdm

from ptlib.errors import PromptError, first_line
from ptlib.models.checkpoint import alike

TRIES = 3  # of a download; each of them resumes a few times by itself
PATIENCE = 3  # seconds


class _Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
    """A progress bar that shows only what takes long."""

    def __init__(self, *args: Any, **named: Any):
        super().__init__(*args, **named, delay=PATIENCE, leave=False)

    def display(self, *args: Any, **named: Any) -> None:
        """Draw the bar, if it is time."""
        if self._time() - self.start_t >= PATIENCE:
            super().display(*args, **named)


def fetch(name: str, files: Sequence[str], *, revision: str | None = None, kind: str = "model") -> Path:
    """Download files of a model or a data set, if they are not on this machine in their latest state.

    Without network, what was downloaded before is used.

    Args:
        name: such as "gpt2" or "google-bert/bert-base-cased".
        files: patterns of file names.
        revision: a branch, tag or commit; by default the main branch.
        kind: "model" or "dataset".

    Returns:
        the folder with the files; its name is the commit. What the repository does not have is missing there.

    Raises:
        PromptError: no such repository, one that needs a login, no network and no earlier download, or a connection
            that keeps breaking off.
    """
    instead = f"use {_alike(name)}" if kind == "model" else "read a copy of yours from a folder"
    bar = _Bar if kind == "model" else None  # data sets are fetched quietly
    broken: Exception
    for _ in range(TRIES):
        try:
            kept = snapshot_download(
                name, repo_type=kind, revision=revision, allow_patterns=list(files), tqdm_class=bar
            )
            return Path(kept)
        except HTTPError as error:
            if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
                raise PromptError(_not_given(name, kind, error, instead)) from error
            broken = error
        except HFValidationError as error:
            raise PromptError(f"{name}: no such folder, and no name for the hub; write OWNER/NAME") from error
        except EntryNotFoundError as error:
            raise PromptError(
                f"{name}: not on this machine, and the hub gave no answer; check the network, or {instead}"
            ) from error
        except OSError as error:
            raise PromptError(f"{name}: cannot be kept on this machine: {first_line(error)}") from error
        except RuntimeError as error:  # of one thread, whose connection another has just closed
            broken = error
    raise PromptError(
        f"{name}: the download broke off {TRIES} times ({first_line(broken)}); try again later, or {instead}"
    ) from broken


def _not_given(name: str, kind: str, error: HTTPError, instead: str) -> str:
    if isinstance(error, GatedRepoError):
        page = f"{constants.ENDPOINT}/{name if kind == 'model' else f'datasets/{name}'}"
        return f"{name}: gated on the hub; accept the terms on {page} and log in with `hf auth login`"
    missing = "no such folder, and no such model" if kind == "model" else "no such data set"
    return (
        f"{name}: {missing} on the hub; check the spelling, log in with `hf auth login` if it is private, or {instead}"
    )


def _alike(name: str) -> str:
    """The models that come with the book, or those of nearly this name."""
    return " or ".join(alike(f"pocket/{name}", 0.75))
