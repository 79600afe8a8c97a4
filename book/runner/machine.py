"""The machine that chapters are executed on, in words."""

import os
import platform
import re
from functools import cache


@cache
def machine() -> str:
    """The machine in a few words, for example "2 CPU cores (x86_64), Python 3.11, torch 2.13.0"."""
    import torch  # takes seconds, which a book that has not changed need not wait for

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    version = re.sub(r"\+.*", "", torch.__version__)
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{device} ({platform.machine()}), Python {python}, torch {version}"
