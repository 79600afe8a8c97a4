"""Workers stay as long as the process that they work for, and end with it."""

import subprocess
import sys
import threading

import pytest
from joblib.externals.loky import process_executor

from ptlib.carrying import workers

WORK = "from ptlib.carrying import workers; import time; workers._do(time.sleep, {employer}, 60)"


def test_on_other_engines_the_work_is_left_as_it_is():
    assert workers.staying(len, "dask") is len
    assert workers.staying(len, "loky")("four") == 4


def test_a_worker_ends_when_its_employer_has_ended():
    """In a process of its own, which would otherwise sleep for a minute."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as employer:
        worker = subprocess.Popen([sys.executable, "-c", WORK.format(employer=employer.pid)])
        employer.kill()
    assert worker.wait(timeout=50) == 1


def test_a_worker_is_not_replaced_for_having_grown(monkeypatch):
    ended, niced, done = [], [], threading.Event()

    def end(status):
        ended.append(status)
        done.set()

    monkeypatch.setattr(process_executor, "_MAX_MEMORY_LEAK_SIZE", 1)
    monkeypatch.setattr(workers.os, "_exit", end)
    monkeypatch.setattr(workers.os, "nice", niced.append)
    workers._stay.cache_clear()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    workers._stay(gone.pid)
    assert done.wait(10)
    assert (ended, niced) == ([1], [workers.GIVE_WAY])
    assert pytest.approx(float("inf")) == process_executor._MAX_MEMORY_LEAK_SIZE
