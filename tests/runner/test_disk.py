"""A full disk, or a build folder that cannot be written to: one line, the old site, and then a run that works."""

import errno
import os
import re
import sys
from pathlib import Path

import pytest

from book.runner.files import emptied, write_text
from tests.runner.conftest import Book

WRITES_OF_A_RUN = 55  # at least as many as there are, see the test of the sweep
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disk:
    """Lets so many writes below a folder through and refuses all later ones.

    It sees every file that Python opens to write, every folder that it makes and every thing that it renames.
    """

    def __init__(self):
        self.folder, self.room, self.error = None, 0, errno.ENOSPC
        sys.addaudithook(self._look)

    def fill(self, folder, room, error=errno.ENOSPC):
        self.folder, self.room, self.error = folder, room, error

    def _look(self, event, arguments):
        if self.folder is None or not self._is_write(event, arguments):
            return
        place = str(arguments[0])
        if place.startswith(str(self.folder)):
            self.room -= 1
            # A rename needs no room, but one may fail; were all to fail, nothing could be put back.
            if self.room == -1 or (self.room < 0 and event != "os.rename"):
                raise OSError(self.error, os.strerror(self.error), place)

    def _is_write(self, event, arguments):
        if event == "open":
            return isinstance(arguments[0], (str, Path)) and bool(arguments[2] & WRITES)
        return event in ("os.mkdir", "os.rename")


DISK = Disk()


@pytest.fixture
def disk():
    yield DISK
    DISK.fill(None, 0)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A book of one chapter."""
    return Book(tmp_path_factory.mktemp("full"), names=["01-one"])


@pytest.mark.parametrize("room", range(WRITES_OF_A_RUN))
def test_a_disk_that_is_full_at_any_point(shared, no_kernel, no_sphinx, disk, room):
    page = shared.build / "html" / "book" / "01-one.html"
    if not page.exists():
        assert shared.run_all() == 0
    old, new = page.read_text(encoding="utf-8"), f"print({room})"
    shared.write("01-one", new)
    disk.fill(shared.build, room)
    status = shared.run_all()
    was_full = disk.room < 0
    disk.fill(None, 0)
    assert "Traceback" not in shared.output
    site = page.read_text(encoding="utf-8")
    if status:
        assert was_full
        problems = [line for line in shared.output.splitlines() if "No space left on device" in line]
        assert len(problems) == 1
        assert problems[0].count("make room on the disk and run again") == 1
        assert site == old
    else:
        assert new in site
    assert shared.run_all() == 0
    assert new in page.read_text(encoding="utf-8")
    assert list(shared.build.glob("old-site-*")) == []


def test_the_sweep_reaches_the_end(shared, no_kernel, no_sphinx, disk):
    assert shared.run_all() == 0
    shared.write("01-one", "print('last')")
    disk.fill(shared.build, 10**6)
    assert shared.run_all() == 0
    assert 20 < 10**6 - disk.room <= WRITES_OF_A_RUN


def test_a_disk_that_is_full_while_a_kernel_runs(book, disk):
    disk.fill(book.build / "failed" / "book", 3)
    assert book.run(only=["01-one"]) == 1
    said = r"^book/01-one, .*: No space left on device; make room on the disk and run again; see "
    assert len(re.findall(said, book.output, re.MULTILINE)) == 1
    assert "Traceback" not in book.output
    disk.fill(None, 0)
    assert book.run(only=["01-one"]) == 0


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
def test_a_build_folder_that_cannot_be_written_to(book, no_kernel, disk, error):
    disk.fill(book.build, 0, error)
    assert book.run_all() == 1
    assert book.output.strip().startswith(f"{book.build}: {os.strerror(error)}; make it ")
    assert "or give another folder with --build" in book.output
    assert len(book.output.strip().splitlines()) == 1


def test_a_build_folder_that_is_a_file(book):
    book.build.write_text("", encoding="utf-8")
    assert book.run_all() == 1
    assert book.output.strip() == (
        f"{book.build}: File exists; a file stands where a folder belongs; remove it, "
        "or give another folder with --build"
    )


@pytest.mark.parametrize("name", ["executed", "failed", "results", "stage", "fresh", "html", "preview", "site.log"])
def test_something_else_in_a_place_of_the_build_folder(book, no_kernel, no_sphinx, name):
    book.build.mkdir()
    place = book.build / name
    place.mkdir() if name == "site.log" else place.write_text("", encoding="utf-8")
    status = book.run_all()
    assert "Traceback" not in book.output
    if status:
        assert str(place) in book.output
        place.rmdir() if name == "site.log" else place.unlink()
        assert book.run_all() == 0
    assert (book.build / "html" / "index.html").is_file()


def test_a_file_that_cannot_be_written_to_its_end_leaves_the_old_one(tmp_path):
    file = tmp_path / "a"
    write_text(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "new \ud800")
    assert file.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_emptied_whatever_it_was(tmp_path):
    folder, kept = tmp_path / "a", tmp_path / "b"
    kept.mkdir()
    (kept / "c").touch()
    for make in (lambda: None, folder.mkdir, folder.touch, lambda: folder.symlink_to(kept)):
        make()
        assert list(emptied(folder).iterdir()) == []
        assert not folder.is_symlink()
        folder.rmdir()
    assert (kept / "c").exists()
