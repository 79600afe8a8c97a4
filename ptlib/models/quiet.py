"""Quiet: no progress bars and log lines of the libraries below, where an error says all that there is to say."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import utils as hub
from transformers.utils import logging as transformers_logging


@contextmanager
def quietly() -> Iterator[None]:
    """Keep `transformers`, `huggingface_hub` and, where it is in use, `datasets` from showing anything but errors."""
    datasets = sys.modules.get("datasets")
    logs = [transformers_logging, hub.logging, *([datasets.logging] if datasets else [])]
    levels = [log.get_verbosity() for log in logs]
    shown = [
        library
        for library in (hub, datasets and datasets.utils)
        if library and not library.are_progress_bars_disabled()
    ]
    bars = transformers_logging.is_progress_bar_enabled()
    for log in logs:
        log.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()
    for library in shown:
        library.disable_progress_bars()
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
        for library in shown:
            library.enable_progress_bars()
