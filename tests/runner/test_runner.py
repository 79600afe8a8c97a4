"""What must make the runner stop with a non-zero status, and say where."""

import json
import re
from pathlib import Path

import pytest

from tests.runner.conftest import SHOW_IMAGE


def verdict(book, name):
    return re.search(rf"book/{name} +[\d.]+ s +(\w+)", book.output)[1]


def test_a_failed_cell_is_named_and_the_other_chapters_go_on(book):
    book.write("01-one", "1 / 0")
    assert book.run() == 1
    assert verdict(book, "01-one") == "failed"
    assert "book/01-one, cell 3 (1 / 0): ZeroDivisionError: division by zero" in book.output
    kept = Path(re.search(r"see (\S+)", book.output)[1])
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")
    assert verdict(book, "02-two") == "executed"


def test_a_mistyped_parameter_is_named(book):
    assert book.run("-p", "sede", "1") == 1
    assert "book/01-one: has no parameter 'sede'; it has profile, seed" in book.output


def test_parameters_reach_the_chapter(book):
    assert book.run("-p", "seed", "7") == 0
    assert book.executed("02-two").cells[-1].outputs[0].text == "7\n"


@pytest.mark.usefixtures("no_kernel")
def test_an_unchanged_chapter_is_not_executed_again(book):
    assert book.run() == 0
    assert book.run() == 0
    assert (verdict(book, "01-one"), verdict(book, "02-two")) == ("unchanged", "unchanged")


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("change", ["library", "new module", "requirements", "source", "parameter"])
def test_whatever_a_chapter_depends_on_makes_it_run_again(book, change):
    assert book.run(only=["01-one"]) == 0
    arguments = ()
    if change == "library":
        (book.root / "ptlib" / "a.py").write_text("a = 2\n", encoding="utf-8")
    elif change == "new module":
        (book.root / "ptlib" / "b.py").write_text("", encoding="utf-8")
    elif change == "requirements":
        (book.root / "requirements.txt").write_text("torch==2\n", encoding="utf-8")
    elif change == "source":
        book.write("01-one", "print(seed + 1)")
    else:
        arguments = ("-p", "seed", "1")
    assert book.run(*arguments, only=["01-one"]) == 0
    assert verdict(book, "01-one") == "executed"


@pytest.mark.usefixtures("no_kernel")
def test_profiles_are_kept_apart(book):
    assert book.run(only=["01-one"]) == 0
    assert book.run("--profile", "smoke", only=["01-one"]) == 0
    assert verdict(book, "01-one") == "executed"
    assert book.run(only=["01-one"]) == 0
    assert verdict(book, "01-one") == "unchanged"


def test_a_failure_leaves_the_last_good_copy(book):
    assert book.run(only=["01-one"]) == 0
    book.write("01-one", "1 / 0")
    assert book.run(only=["01-one"]) == 1
    assert book.executed("01-one").cells[-1].source == "print(seed)"


def test_a_failed_chapter_is_tried_again(book):
    book.write("01-one", "1 / 0")
    assert book.run(only=["01-one"]) == 1
    assert book.run(only=["01-one"]) == 1
    assert verdict(book, "01-one") == "failed"


def test_a_warning_is_a_failure(book):
    book.write("01-one", "import warnings\nwarnings.warn('look out')")
    assert book.run(only=["01-one"]) == 1
    assert "book/01-one, cell 3 (import warnings): wrote to stderr" in book.output
    assert "look out" in book.output


def test_an_image_needs_alt_text(book):
    book.write("01-one", SHOW_IMAGE)
    assert book.run(only=["01-one"]) == 1
    assert "book/01-one, cell 3 (from IPython.display import Image): shows an image without alt text" in book.output
    book.write("01-one", SHOW_IMAGE, mystnb={"image": {"alt": "A dot."}})
    assert book.run(only=["01-one"]) == 0


def test_a_missing_page_is_named(book):
    (book.root / "book" / "02-two.ipynb").unlink()
    assert book.run(only=["01-one"]) == 1
    assert "book/02-two: in _toc.yml, but there is no such .ipynb or .md file" in book.output


def test_an_unknown_chapter_is_answered_with_all(book):
    assert book.run(only=["03-three"]) == 1
    assert "no chapter '03-three'; there are 01-one, 02-two" in book.output


def test_noted_numbers_become_results(book):
    record = '{"application/papermill.record/text/plain": repr([0.5, 2])}'
    code = (
        f"from IPython.display import display\ndisplay({record}, raw=True, metadata={{'scrapbook': {{'name': 'n'}}}})"
    )
    book.write("01-one", code)
    assert book.run(only=["01-one"]) == 0
    results = book.root / "_build" / "results" / "pocket" / "01-one.json"
    assert json.loads(results.read_text(encoding="utf-8")) == {"n": [0.5, 2]}
