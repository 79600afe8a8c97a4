"""Data sets of the Hugging Face hub, loaded through `datasets`; what goes wrong there is said in one line."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ptlib.errors import PromptError

if TYPE_CHECKING:
    from datasets import DatasetDict


def download(
    repository: str, *, revision: str | None = None, folder: str | None = None, columns: Sequence[str] | None = None
) -> "DatasetDict":
    """The splits of a data set on the Hugging Face hub, or of an earlier download where there is no network.

    Files of data are read (Parquet, JSON lines); a loading script never runs.

    Args:
        repository: such as "SetFit/subj".
        revision: a branch; "refs/convert/parquet" is the hub's own Parquet copy of a data set with a loading script.
        folder: the folder of the configuration in the repository; by default what the repository's card says.
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
        try:
            return datasets.load_dataset(repository, data_dir=folder, revision=revision, **only)
        except Exception as error:  # of four libraries below, which have no class in common
            raise PromptError(
                f"{repository}: cannot be loaded from the Hugging Face hub: {_reason(error)}. "
                "Try again with a network, or read a copy of yours from a folder"
            ) from error


def _reason(error: BaseException) -> str:
    """The first line of what was wrong at first; the errors above it say no more than that there was one."""
    while error.__cause__:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, and no log lines about what an error tells anyway."""
    import datasets
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    bars = [
        (datasets.utils.are_progress_bars_disabled, datasets.disable_progress_bars, datasets.enable_progress_bars),
        (are_progress_bars_disabled, disable_progress_bars, enable_progress_bars),
    ]
    shown = [(disable, enable) for disabled, disable, enable in bars if not disabled()]
    level = datasets.logging.get_verbosity()
    datasets.logging.set_verbosity(logging.CRITICAL)
    for disable, _ in shown:
        disable()
    try:
        yield
    finally:
        datasets.logging.set_verbosity(level)
        for _, enable in shown:
            enable()
