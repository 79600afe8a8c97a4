"""Data sets of the Hugging Face hub, read with `datasets`; what goes wrong there is said in one line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ptlib.errors import PromptError
from ptlib.models.hub import fetch
from ptlib.models.quiet import quietly

if TYPE_CHECKING:
    from datasets import DatasetDict

DATA = ("*.parquet", "*.jsonl")


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
    with quietly():
        # Fetched first and read as a folder: `load_dataset` by name waits 23 seconds where there is no network, and
        # then does not find what it has itself kept of one folder of a repository.
        patterns = [f"{folder}/*.parquet"] if folder else ["README.md", *DATA]
        files = fetch(repository, patterns, revision=revision, kind="dataset")
        if not any(found for pattern in DATA for found in files.rglob(pattern)):
            raise PromptError(f"{repository}: has no Parquet files or JSON lines, and a loading script is never run")
        try:
            return datasets.load_dataset(str(files), data_dir=folder, **only)
        except Exception as error:  # of three libraries below, which have no class in common
            raise PromptError(
                f"{repository}: cannot be read: {_reason(error)}; the data set has changed, or the download is broken: "
                "read a copy of yours from a folder"
            ) from error


def _reason(error: BaseException) -> str:
    """The first line of what was wrong at first; the errors above it say no more than that there was one."""
    while error.__cause__:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
