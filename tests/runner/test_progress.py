"""What someone who watches is shown."""

import io
import re
import time

import pytest

from book.runner.pages import pages
from book.runner.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def chapters(book):
    return pages(book.root)[1:]


def test_each_cell_is_a_line_where_nobody_sees_it_change(chapters):
    stream = io.StringIO()
    with Progress(stream, {chapters[0].name: None}).chapter(chapters[0]) as watch:
        watch(1, "# What a prompt is")
        watch(2, "")
    assert stream.getvalue() == "01-one, cell 1 of 3: What a prompt is\n01-one, cell 2 of 3: empty\n"


def test_a_terminal_shows_one_line_with_all_that_runs(chapters, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    progress = Progress(stream, {page.name: None for page in chapters}, jobs=2)
    with progress.chapter(chapters[0]) as one, progress.chapter(chapters[1]) as two:
        one(1, "a = 1" + 100 * " and more")
        two(2, "b = 2" + 100 * " and more")
    progress.say("done")
    assert "\n" not in stream.getvalue().removesuffix("done\n")
    shown = stream.getvalue().split("\r\x1b[K")
    assert shown[1] == "01-one, cell 1 of 3: a = 1  | 02-two, starting           "
    assert shown[2] == "01-one, cell 1 of 3: a = 1  | 02-two, cell 2 of 3: b = 2 "
    assert shown[-1] == "done\n"


def test_the_time_left_is_that_of_the_last_run(chapters, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = Progress(stream, {chapters[0].name: 300.0, chapters[1].name: 600.0})
    assert progress.minutes_left() == 15
    with progress.chapter(chapters[0]) as watch:
        now[0] += 120
        assert progress.minutes_left() == 13
        watch(1, "a")
        now[0] += 1000  # longer than last time
        assert progress.minutes_left() == 10
    assert progress.minutes_left() == 10
    with progress.chapter(chapters[1]) as watch:
        now[0] += 590
        watch(1, "b")
    assert progress.minutes_left() == 0
    assert stream.getvalue().startswith("13 min left  01-one, cell 1 of 3: a\n")
    assert "less than a minute left  02-two" in stream.getvalue()


def test_side_by_side_takes_half_the_time_but_no_less_than_the_longest(chapters):
    names = [page.name for page in chapters]
    assert Progress(io.StringIO(), {names[0]: 300.0, names[1]: 300.0}, jobs=2).minutes_left() == 5
    assert Progress(io.StringIO(), {names[0]: 60.0, names[1]: 600.0}, jobs=2).minutes_left() == 10


def test_without_a_measure_no_time_is_told(chapters):
    assert Progress(io.StringIO(), {chapters[0].name: 60.0, chapters[1].name: None}).minutes_left() is None


@pytest.mark.parametrize("error", [BrokenPipeError(), UnicodeEncodeError("ascii", "\u2014", 0, 1, "")])
def test_a_reader_who_is_gone_or_reads_other_letters_stops_nothing(chapters, error):
    class Unread(io.StringIO):
        def write(self, text):
            raise error

    with Progress(Unread(), {}).chapter(chapters[0]) as watch:
        watch(1, "a")


def test_the_runner_tells_the_time_left_from_the_last_run(book, no_kernel):
    assert book.run() == 0
    assert " left  " not in book.output
    book.write("01-one", "print(1)")
    assert book.run() == 0
    assert re.search(r"^less than a minute left  01-one, cell 3 of 3: print\(1\)$", book.output, re.MULTILINE)
    assert "02-two, cell" not in book.output
