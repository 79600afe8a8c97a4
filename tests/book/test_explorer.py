"""Explorers: what is shown is what was measured, and moves by keyboard."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

import ptlib as pt
from ptlib.book.explorer import MOST
from tests.book.browser import DOWN, RIGHT, TAB, browser, needs_browser

ROWS = pd.DataFrame(
    [
        {
            "task": task,
            "gamma": gamma,
            "reads as": f"<b>{task}</b> at {gamma:g}",
            "P@1": f"{0.9 - gamma / 100:.2f}",
            "answers": (("asked for", "said"), ("France", "Paris" if gamma < 10 else "</script>")),
        }
        for task in ("capital", "mother tongue")
        for gamma in (0, 0.1, 10.0)
        if (task, gamma) != ("mother tongue", 10.0)
    ]
)


@pytest.fixture
def html():
    return pt.book.explore(ROWS, ["task", "gamma"], slide=["gamma"]).data


@pytest.fixture
def page(html, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><body>{html}</body>', encoding="utf-8")
    return file


def data(soup):
    return json.loads(soup.find("script", type="application/json").text)


def test_the_json_the_table_and_what_was_measured_are_the_same(html):
    soup = BeautifulSoup(html, "html.parser")
    assert data(soup)["rows"] == json.loads(json.dumps(ROWS.to_dict("records")))
    assert [cell.text for cell in soup.select("thead th")] == list(ROWS.columns)
    shown = [[cell.text for cell in row.select("td")] for row in soup.select("tbody tr")]
    assert [row[:4] for row in shown] == [[t, f"{g:g}", r, p] for t, g, r, p, _ in ROWS.to_numpy()]
    assert {row[4] for row in shown} == {"France, Paris", "France, </script>"}


def test_two_rows_for_one_choice_are_refused():
    with pytest.raises(pt.PromptError, match=r"two rows for \['capital'\]"):
        pt.book.explore(ROWS, ["task"])


def test_more_than_a_page_should_carry_is_refused():
    rows = pd.DataFrame({"a": [1], "b": ["x" * MOST]})
    with pytest.raises(pt.PromptError, match="leave out rows"):
        pt.book.explore(rows, ["a"])


def test_answers_are_what_the_model_fills_in():
    lm, task = pt.load("pocket/bert-small"), pt.relation("P36")
    prompt = pt.random_prompt(lm, task)
    subjects = [fact.text for fact in task.test[:5]]
    one_by_one = [pt.fill(lm, subject, prompt, count=1)[0][0] for subject in subjects]
    assert pt.book.answers(lm, prompt, subjects) == one_by_one


@needs_browser
def test_where_scripts_are_off_the_whole_table_is_seen(page):
    with browser(scripts=False) as session:
        session.open(page)
        lines = session.text("details table").splitlines()
        assert len(lines) == 1 + len(ROWS)
        assert lines[1] == "capital 0 <b>capital</b> at 0 0.90 France, Paris"
        assert session.text("form") == session.text(".shown") == ""


@needs_browser
def test_it_moves_by_keyboard_and_says_so(page):
    with browser() as session:
        session.open(page)
        assert "<b>capital</b> at 0" in session.text(".shown")
        assert "0.90" in session.text(".shown")
        assert not session.evaluate("document.querySelector('details').open")
        session.press("input[type=range]", RIGHT)
        assert "<b>capital</b> at 0.1" in session.text(".shown")
        assert session.text("output").strip() == "0.1"
        assert session.evaluate("document.querySelector('input').getAttribute('aria-valuetext')") == "0.1"
        session.press("input[type=range]", RIGHT)
        assert "</script>" in session.text(".shown table")
        assert "0.80" in session.text(".shown")
        session.press("select", DOWN)
        assert session.text(".shown") == "This choice was not measured; take another."
        session.press("select", TAB)
        assert session.evaluate("document.activeElement.name") == "gamma"
