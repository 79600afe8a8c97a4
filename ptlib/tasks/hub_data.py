"""Data sets of the Hugging Face hub, read with `datasets`; what goes wrong there is said in one line."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import snapshot_download
from huggingface_hub import utils as hub_utils
from huggingface_hub.errors import HTTPError, RepositoryNotFoundError, RevisionNotFoundError

from ptlib.errors import PromptError

if TYPE_CHECKING:
    from datasets import DatasetDict

DATA = ("*.parquet", "*.jsonl")
TRIES = 3  # of a download; each goes on where the last broke off


def download(
    repository: str, *, revision: str | None = None, folder: str | None = None, columns: Sequence[str] | None = None
) -> "DatasetDict":
    """The splits of a data set on the Hugging Face hub, or of an earlier download where there is no network.

    Only Parquet files and JSON lines are fetched, so that neither a loading script nor a pickle can come along.

    Args:
        repository: such as "SetFit/subj".
        revision: a branch; "refs/convert/parquet" is the hub's own Parquet copy of a data set with a loading script.
        folder: the folder of a configuration in that copy; by default the repository's card says which files count.
        columns: of Parquet files, the columns to read; by default all.

    Raises:
        PromptError: `datasets` is not installed, or the data set cannot be loaded; says why, and what to do.
    """
    try:
        import datasets
    except ImportError as error:
        raise PromptError(f"{repository}: data sets of the Hugging Face hub need: pip install datasets") from error
    only = {"columns": list(columns)} if columns else {}
    with _quiet():
        # Fetched first and read as a folder: `load_dataset` by name waits 23 seconds where there is no network, and
        # then does not find what it has itself kept of one folder of a repository.
        files = _fetch(repository, revision, [f"{folder}/*.parquet"] if folder else ["README.md", *DATA])
        if not any(found for pattern in DATA for found in files.rglob(pattern)):
            raise PromptError(f"{repository}: has no Parquet files or JSON lines, and a loading script is never run")
        try:
            return datasets.load_dataset(str(files), data_dir=folder, **only)
        except Exception as error:  # of three libraries below, which have no class in common
            raise PromptError(
                f"{repository}: cannot be read: {_reason(error)}; the data set has changed, or the download is broken: "
                "read a copy of yours from a folder"
            ) from error


def _fetch(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """The folder with the files of a data set; of an earlier download if there is no network."""
    for _ in range(TRIES):
        try:
            kept = snapshot_download(repository, repo_type="dataset", revision=revision, allow_patterns=list(patterns))
            return Path(kept)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise PromptError(
                f"{repository}: not on the Hugging Face hub any more, or only after a login (`hf auth login`): "
                "read a copy of yours from a folder"
            ) from error
        except (HTTPError, OSError) as error:
            broken = error
    raise PromptError(
        f"{repository}: cannot be fetched from the Hugging Face hub: {_reason(broken)}; try again with a network, "
        "or read a copy of yours from a folder"
    ) from broken


def _reason(error: BaseException) -> str:
    """The first line of what was wrong at first; the errors above it say no more than that there was one."""
    while error.__cause__:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, and no log lines about what an error tells anyway."""
    import datasets

    logs = (datasets.logging, hub_utils.logging)
    levels = [log.get_verbosity() for log in logs]
    bars = [library for library in (datasets.utils, hub_utils) if not library.are_progress_bars_disabled()]
    for log in logs:
        log.set_verbosity(logging.CRITICAL)
    for library in bars:
        library.disable_progress_bars()
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.set_verbosity(level)
        for library in bars:
            library.enable_progress_bars()
