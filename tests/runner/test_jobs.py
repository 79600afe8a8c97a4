"""Chapters side by side."""

import json
import os
import threading

import pytest

from tests.runner.conftest import Book, pretend


@pytest.fixture
def many(tmp_path):
    return Book(tmp_path / "many", names=("01-one", "02-two", "03-three", "04-four"))


@pytest.fixture
def order(monkeypatch):
    """The chapters in the order in which they were begun."""
    begun = []

    def execute(page, output, parameters, watch):
        begun.append(page.name)
        return pretend(page, output, parameters, watch)

    monkeypatch.setattr("book.runner.kernel.execute", execute)
    return begun


def test_the_longest_goes_first_by_the_last_measure_and_the_unmeasured_before_it(many, order):
    assert many.run("--jobs", "1") == 0
    assert order == ["book/01-one", "book/02-two", "book/03-three", "book/04-four"]
    for name, seconds in [("01-one", 1.0), ("02-two", 30.0), ("03-three", 20.0)]:
        note = many.build / "executed" / "pocket" / "book" / f"{name}.json"
        note.write_text(json.dumps(json.loads(note.read_text()) | {"seconds": seconds}), encoding="utf-8")
    (many.build / "executed" / "pocket" / "book" / "04-four.json").unlink()
    (many.root / "ptlib" / "a.py").write_text("a = 2\n", encoding="utf-8")
    order.clear()
    assert many.run("--jobs", "1") == 0
    assert order == ["book/04-four", "book/02-two", "book/03-three", "book/01-one"]
    assert list(many.outcomes()) == list(many.names)  # the table keeps the order of the book


@pytest.mark.parametrize(("arguments", "jobs"), [(["--jobs", "3"], 3), ([], min(2, os.cpu_count()))])
def test_so_many_run_at_a_time(many, monkeypatch, arguments, jobs):
    together = threading.Barrier(jobs, timeout=20)
    meeting = iter(range(jobs))

    def execute(page, output, parameters, watch):
        if next(meeting, None) is not None:
            together.wait()  # passes only if as many chapters are here at once
        return pretend(page, output, parameters, watch)

    monkeypatch.setattr("book.runner.kernel.execute", execute)
    assert many.run(*arguments) == 0, many.output


def test_the_paper_profile_runs_one_at_a_time(many, monkeypatch):
    here = []

    def execute(page, output, parameters, watch):
        here.append(page)
        assert len(here) == 1
        try:
            return pretend(page, output, parameters, watch)
        finally:
            here.remove(page)

    monkeypatch.setattr("book.runner.kernel.execute", execute)
    assert many.run("--profile", "paper") == 0, many.output


def test_kernels_side_by_side_have_one_thread_each_and_their_own_folder(book, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before, folder = dict(os.environ), os.getcwd()
    for name in book.names:
        book.write(name, "import os\nprint(os.environ['OMP_NUM_THREADS'], os.getcwd(), os.environ['PTLIB_CACHE'])")
    for jobs, threads in (("1", "7"), ("2", "1")):
        assert book.run("--jobs", jobs) == 0
        for name in book.names:
            said = book.executed(name).cells[-1].outputs[0].text
            assert said == f"{threads} {book.root / 'book'} {book.build / 'prompts'}\n"
        (book.root / "ptlib" / "a.py").write_text(f"a = {jobs}0\n", encoding="utf-8")
    assert (dict(os.environ), os.getcwd()) == (before, folder)
