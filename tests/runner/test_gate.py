"""The gate and the check of the site, on notebooks and pages written by hand."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book.runner.errors import BookError
from book.runner.gate import check
from book.runner.pages import Page
from book.runner.results import figures, results
from book.runner.run import Verdict
from book.runner.site import check_site
from book.runner.stage import dress, status_table
from tests.runner.conftest import PIXEL

ADDRESS = "https://github.com/someone/some-book"
COLAB = "https://colab.research.google.com/github/someone/some-book/blob/colab/01-one.ipynb"


def notebook(**changes):
    cell = new_code_cell("a = 1", execution_count=1, metadata={"papermill": {"status": "completed"}})
    cell.update(changes)
    return new_notebook(cells=[cell], metadata={"papermill": {"parameters": {"seed": 0}}})


def test_a_sound_notebook_passes():
    check(notebook(), "one", {"seed": 0})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"metadata": {"papermill": {"status": "pending"}}}, "did not run to its end"),
        ({"execution_count": 2}, "ran as number 2"),
        ({"outputs": [new_output("error", ename="E", evalue="", traceback=[])]}, "E$"),
        ({"outputs": [new_output("error", ename="E", evalue="\none\ntwo", traceback=[])]}, "E: one$"),
        ({"outputs": [new_output("error", ename="KeyError", evalue="'x'", traceback=[])]}, "KeyError: 'x'"),
        ({"outputs": [new_output("stream", name="stderr", text="oh\n")]}, "wrote to stderr: oh"),
    ],
)
def test_what_is_wrong_is_said_with_the_cell(changes, complaint):
    with pytest.raises(BookError, match=rf"one, cell 1 \(a = 1\): {complaint}"):
        check(notebook(**changes), "one", {"seed": 0})


def test_an_empty_cell_is_refused():
    with pytest.raises(BookError, match=r"one, cell 1 \(empty\): has nothing in it; delete it"):
        check(notebook(source=" \n"), "one", {"seed": 0})


def test_a_name_stands_for_one_thing():
    noted = [
        new_output("display_data", {"text/plain": text}, metadata={"scrapbook": {"name": "share"}}) for text in "12"
    ]
    check(notebook(outputs=noted[:1]), "one", {"seed": 0})
    with pytest.raises(BookError, match="one: notes 'share' more than once"):
        check(notebook(outputs=noted), "one", {"seed": 0})


def test_real_data_may_bring_warnings():
    warned = notebook(outputs=[new_output("stream", name="stderr", text="oh\n")])
    warned.metadata["papermill"]["parameters"] = {"profile": "paper"}
    check(warned, "one", {"profile": "paper"})


def test_a_notebook_executed_with_other_parameters_is_refused():
    with pytest.raises(BookError, match=r"was executed with {'seed': 0}, not with {'seed': 1}"):
        check(notebook(), "one", {"seed": 1})


def page(tmp_path, body):
    (tmp_path / "book").mkdir(exist_ok=True)
    (tmp_path / "book" / "01-one.html").write_text(f"<article>{body}</article>", encoding="utf-8")
    (tmp_path / "index.html").write_text("", encoding="utf-8")
    return [Page("book/01-one", tmp_path / "01-one.ipynb")]


def test_a_sound_site_passes(tmp_path):
    check_site(page(tmp_path, f'<a href="{COLAB}"></a><img src="a.png" alt="A dot.">'), tmp_path, ADDRESS)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('<img src="a.png">', "the image a.png has no alt text"),
        ('<img src="a.png" alt="../a.png">', "the image a.png has no alt text"),
        (f'<a href="{COLAB}/other"></a>', "no Colab button leads to"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(tmp_path, body, complaint):
    with pytest.raises(BookError, match=f"book/01-one: {complaint}"):
        check_site(page(tmp_path, body), tmp_path, ADDRESS)


def test_a_page_that_was_not_built_is_named(tmp_path):
    with pytest.raises(BookError, match=r"book/02-two: in _toc\.yml, but no page was built"):
        check_site([*page(tmp_path, f'<a href="{COLAB}">'), Page("book/02-two", tmp_path / "x.md")], tmp_path, ADDRESS)


def test_numbers_and_figures_are_told_apart():
    record = "application/papermill.record/"
    outputs = [
        new_output("display_data", {record + "text/plain": "0.5"}, metadata={"scrapbook": {"name": "n"}}),
        new_output("display_data", {record + "image/png": PIXEL}, metadata={"scrapbook": {"name": "f"}}),
    ]
    noted = notebook(outputs=outputs)
    assert results(noted) == {"n": 0.5}
    assert set(figures(noted)) == {"f.png"}
    assert figures(noted)["f.png"].startswith(b"\x89PNG")
    outputs[1].data[record + "image/svg+xml"] = "<svg/>"
    assert figures(notebook(outputs=outputs))["f.svg"] == b"<svg/>"


def test_a_number_that_is_not_defined_is_none():
    record = {"application/papermill.record/text/plain": "nan"}
    assert results(notebook(outputs=[new_output("display_data", record, metadata={"scrapbook": {"name": "n"}})])) == {
        "n": None
    }


def test_a_dressed_chapter_says_when_and_where_it_ran_and_hides_the_parameters_given():
    injected = new_code_cell("seed = 1", metadata={"tags": ["injected-parameters"], "papermill": {}})
    chapter = new_notebook(cells=[new_markdown_cell("# Title\n\nText"), injected], metadata={"papermill": {}})
    dress(chapter, Verdict("book/01-one", 61.2, "executed", machine="2 CPU cores"), "pocket")
    title, line, text = chapter.cells[0].source.split("\n\n")
    assert (title, text.strip()) == ("# Title", "Text")
    assert line.startswith("*Executed in 61 seconds, profile `pocket`, on 2 CPU cores")
    assert "remove-cell" in chapter.cells[1].metadata.tags
    assert "papermill" not in chapter.metadata | chapter.cells[1].metadata
    nbformat.validate(chapter)


def test_the_status_page_has_every_verdict():
    one = Verdict("book/01-one", 2.4, "executed", day="2026-01-02")
    two = Verdict("book/02-two", 9.6, "unchanged", day="2026-01-01")
    table = status_table([one, two], "smoke")
    assert "| [](/book/01-one) | 2 | 2026-01-02 |" in table
    assert "| [](/book/02-two) | 10 | 2026-01-01 |" in table
