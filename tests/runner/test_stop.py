"""Ctrl-C and SIGTERM end a run in one line, with nothing left running; and a kill leaves nothing that stays."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from book.runner.pages import ROOT
from tests.runner.conftest import Book

RUN = """
import sys
from pathlib import Path
from book.runner.__main__ import main
sys.exit(main(sys.argv[2:], root=Path(sys.argv[1])))
"""
LONG = """import os, time
print(os.getpid(), file=open({file!r}, "w"), flush=True)
time.sleep(60)"""


def started(folder):
    """A runner with two kernels at work on what takes long, and a chapter that waits."""
    book = Book(folder, names=("01-one", "02-two", "03-three"))
    files = [folder / "one.pid", folder / "two.pid"]
    for name, file in zip(book.names, files, strict=False):
        book.write(name, LONG.format(file=str(file)))
    command = [sys.executable, "-c", RUN, str(book.root), "--jobs", "2"]
    book.process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    book.kernels = [int(wait_for(file)) for file in files]
    return book


def wait_for(file):
    deadline = time.monotonic() + 30
    while not (file.exists() and file.read_text(encoding="utf-8").endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return file.read_text(encoding="utf-8")


def are_gone(processes):
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(each) and psutil.Process(each).status() != "zombie" for each in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize(
    ("number", "status", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_a_signal_ends_a_run_in_one_line(tmp_path, monkeypatch, number, status, name):
    book = started(tmp_path)
    os.killpg(book.process.pid, number)  # as a terminal does, and twice as impatient readers do
    os.killpg(book.process.pid, number)
    printed, errors = book.process.communicate(timeout=20)
    assert book.process.returncode == status
    assert errors.strip() == f"stopped by {name}; what was done is kept, run again to go on"
    assert "Traceback" not in printed
    assert "failed" not in printed
    assert are_gone(book.kernels)


def test_after_a_kill_the_kernels_end_and_the_next_run_works(tmp_path):
    book = started(tmp_path)
    book.process.kill()
    book.process.communicate()
    assert are_gone(book.kernels)
    for name in book.names:
        book.write(name)
    assert book.run() == 0
