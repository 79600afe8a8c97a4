"""What may go wrong in a chapter is said in one line, and the other chapters go on."""

import re

import pytest

from book.runner import kernel
from tests.runner.conftest import Book

FAULTS = {
    "late": (
        "import time\ntime.sleep(60)",
        "cell 3 (import time): A cell timed out while it was being executed, after 5 seconds. Make it shorter",
    ),
    "died": ("import os\nos._exit(1)", "cell 3 (import os): its kernel died, as it does where memory runs out"),
    "killed": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "cell 3 (import os, signal): its kernel died, as it does where memory runs out",
    ),
    "silent": ("raise ValueError", "cell 3 (raise ValueError): ValueError;"),
    "blank": ("raise ValueError('\\n \\n')", "cell 3 (raise ValueError('\\n \\n')): ValueError;"),
    "many-lines": ("raise ValueError('one\\ntwo')", "cell 3 (raise ValueError('one\\ntwo')): ValueError: one;"),
    "interrupt": ("raise KeyboardInterrupt", "cell 3 (raise KeyboardInterrupt): KeyboardInterrupt;"),
    "exit": ("import sys\nsys.exit()", "cell 3 (import sys): SystemExit"),
    "exit-3": ("import sys\nsys.exit(3)", "cell 3 (import sys): SystemExit: 3"),
    "noted": (
        "from IPython.display import display\n"
        "data = {'application/papermill.record/text/plain': 'object()'}\n"
        "display(data, raw=True, metadata={'scrapbook': {'name': 'n'}})",
        "noted 'n' as 'object()'; note a plain value",
    ),
    "drawn": (
        "from IPython.display import display\n"
        "data = {'application/papermill.record/image/png': 'a'}\n"
        "display(data, raw=True, metadata={'scrapbook': {'name': 'n'}})",
        "noted the figure 'n' with an image that is damaged",
    ),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A book with a chapter for each fault and a sound one at the end, run once."""
    book = Book(tmp_path_factory.mktemp("spoiled"), names=(*FAULTS, "sound"))
    for name, (code, _) in FAULTS.items():
        book.write(name, code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "CELL_TIMEOUT", 5)
        book.status = book.run_all("--jobs", "2")
    return book


def test_the_others_go_on_and_no_page_is_built(spoiled):
    assert spoiled.status == 1
    assert spoiled.outcomes() == {**dict.fromkeys(FAULTS, "failed"), "sound": "executed"}
    assert not (spoiled.build / "html").exists()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line(spoiled, name):
    said = [line for line in spoiled.output.splitlines() if re.match(rf"book/{name}[,:].*; see ", line)]
    assert len(said) == 1
    assert FAULTS[name][1] in said[0]


def test_nothing_else_is_printed(spoiled):
    assert "Traceback" not in spoiled.output
    chapters = tuple(f"book/{name}" for name in (*FAULTS, "sound"))
    cells = tuple(f"{name}, cell " for name in (*FAULTS, "sound"))
    lines = [line for line in spoiled.output.splitlines() if line and " left  " not in line]
    assert [line for line in lines if not line.startswith(chapters + cells)] == []


SOURCES = {
    "no JSON": (b"{", "not JSON"),
    "empty": (b"", "not JSON"),
    "no UTF-8": (b'{"cells": "\xff"}', "not UTF-8 (byte 11)"),
    "a list": (b"[]", "JSON, but not a notebook"),
    "no cells": (b"{}", "JSON, but not a notebook"),
    "cells of another shape": (
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
        "JSON, but not a notebook",
    ),
    "no title": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "does not begin with a cell of"),
}


@pytest.mark.parametrize("what", SOURCES)
def test_a_source_that_is_no_notebook_is_named(book, no_kernel, what, capfd):
    content, complaint = SOURCES[what]
    book.source("01-one").write_bytes(content)
    assert book.run() == 1
    assert book.outcomes() == {"01-one": "failed", "02-two": "executed"}
    said = [line for line in book.output.splitlines() if complaint in line]
    assert len(said) == 1
    assert "01-one" in said[0]
    assert "Traceback" not in book.output
    assert capfd.readouterr() == ("", "")


def test_a_library_that_changes_while_a_chapter_runs_is_noticed(book):
    book.write("01-one", f"open({str(book.root / 'ptlib' / 'a.py')!r}, 'w').write('a = 22')")
    assert book.run(only=["01-one"]) == 1
    assert "book/01-one: the library was changed while it ran; run again" in book.output
    assert book.run(only=["01-one"]) == 0
