"""One runner at a time in a build folder, whatever became of the last one."""

import os
import re
import signal
import subprocess
import sys

import pytest

from book.runner.lock import locked
from book.runner.pages import ROOT

HOLD = """
import sys, time
from pathlib import Path
from book.runner.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

pytestmark = pytest.mark.usefixtures("no_kernel")


def test_a_second_runner_is_told_who_holds_the_folder(book):
    with locked(book.build):
        assert book.run() == 1
    said = (
        rf"{book.build}: in use by process {os.getpid()}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d; wait until it is done"
    )
    assert re.match(said, book.output.strip())
    assert len(book.output.strip().splitlines()) == 1
    assert book.run() == 0


def test_another_build_folder_is_free(book, tmp_path):
    with locked(book.build):
        assert book.run("--build", str(tmp_path / "other")) == 0


def test_the_lock_of_a_killed_process_is_taken_over(book):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(book.build)], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert book.run() == 1
        assert f"in use by process {holder.pid}, since" in book.output
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert book.run() == 0


@pytest.mark.parametrize("text", ["", "process 1, since", "\x00"])
def test_whatever_stands_in_the_file_does_not_matter(book, text):
    book.build.mkdir()
    (book.build / "lock").write_text(text, encoding="utf-8")
    assert book.run() == 0
