"""Workers: processes of this machine that stay as long as the one that they work for, and give way to all others."""

import contextlib
import functools
import os
import threading
from collections.abc import Callable

import psutil

GIVE_WAY = 10  # how much nicer workers are than the process that they work for


def staying(work: Callable, engine: str) -> Callable:
    """The work as an engine of joblib is to do it: on this machine, by processes that stay."""
    return functools.partial(_do, work, os.getpid()) if engine == "loky" else work


def _do(work: Callable, employer: int, *parts: object) -> object:
    _stay(employer)
    return work(*parts)


@functools.cache
def _stay(employer: int) -> None:
    """Let this process be nice, keep what it has loaded, and end when the process that it works for has ended.

    There are as many as there are cores, so that none is idle; what else runs, such as another chapter, comes first.
    """
    if employer == os.getpid():
        return
    if hasattr(os, "nice"):
        os.nice(GIVE_WAY)
    from joblib.externals.loky import process_executor

    # Loky replaces a process that has grown by 300 MB. One that loads model after model does grow, and its
    # successor would first have to load all of them again.
    process_executor._MAX_MEMORY_LEAK_SIZE = float("inf")
    threading.Thread(target=_end_with, args=(employer,), daemon=True).start()


def _end_with(employer: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(employer).wait()
    os._exit(1)
