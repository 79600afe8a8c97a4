"""Ending early: Ctrl-C and SIGTERM leave nothing running and nothing half done."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import psutil


class Stopped(BaseException):
    """The runner was told to stop; not an Exception, so that nothing takes it for a fault of a chapter."""

    def __init__(self, number: int):
        how = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        super().__init__(f"stopped by {how}; what was done is kept, run again to go on")
        self.status = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal to stop into `Stopped`, and ignore those that come while the runner is stopping."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def kill_children() -> None:
    """End every process that this one started, kernels above all, and what those started."""
    for child in psutil.Process(os.getpid()).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
