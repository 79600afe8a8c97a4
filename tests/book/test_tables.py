"""Tables show every number with its spread, and no heading or cell is broken by what stands in it."""

import numpy as np
import pytest
from bs4 import BeautifulSoup

from ptlib.book import said, show_table, with_interval
from ptlib.book.tables import as_html, table

ROWS = [
    {"model": "a <b>", "P@1": np.array([0.4, 0.6]), "facts": 12_000},
    {"model": "c & d", "P@1": 0.25, "facts": float("nan")},
    {"model": "e", "P@1": np.float32(0.5)},
    {"model": "f", "P@1": np.array([])},
]


@pytest.fixture
def html(monkeypatch):
    seen = []
    monkeypatch.setattr("ptlib.book.tables.display", lambda data, raw: seen.append(data))
    show_table([])
    show_table(ROWS)
    (data,) = seen
    assert said([0.4, 0.6]) in data["text/plain"]
    return BeautifulSoup(data["text/html"], "html.parser")


def test_several_numbers_are_said_with_their_spread_and_none_leaves_a_gap():
    assert table(ROWS).to_numpy().tolist() == [
        ["a <b>", said([0.4, 0.6]), "12,000"],
        ["c & d", "0.250", ""],
        ["e", "0.500", ""],
        ["f", "", ""],
    ]


def test_the_page_has_a_table_with_named_columns(html):
    assert [(cell.text, cell["scope"]) for cell in html.find_all("th")] == [
        (name, "col") for name in ("model", "P@1", "facts")
    ]
    spread = said([0.4, 0.6]).replace("\N{NO-BREAK SPACE}", " ")  # a telephone may break it
    assert [cell.text for cell in html.find_all("tr")[1].find_all("td")] == ["a <b>", spread, "12,000"]


def aligned(*columns):
    """On which side columns of texts stand."""
    rows = [dict(zip("abcdefg", cells, strict=False)) for cells in zip(*columns, strict=True)]
    cells = BeautifulSoup(as_html(table(rows)), "html.parser").find_all("tr")[1].find_all("td")
    return [cell["style"].split()[-1] for cell in cells]


def test_a_number_that_a_chapter_has_written_is_a_number():
    numbers = [
        said([-0.4, -0.6]),
        with_interval([0.2, 0.4]),
        "+0.5",
        "-0.5",
        "94%",
        "1,000,000",
        "0.12 (0.1 to 0.2; 4 of 34)",
    ]
    assert aligned(*([number, "-", ""] for number in numbers)) == ["right"] * len(numbers)
    words = ["100% capital", "5 vectors", "gpt2", "of the way"]
    assert aligned(*([word, "0.5", ""] for word in words)) == ["left"] * len(words)


def test_a_name_is_not_broken_at_its_hyphens():
    rows = [{"name": "bert-small"}, {"name": "a name of several-words"}]
    first, second = BeautifulSoup(as_html(table(rows)), "html.parser").find_all("td")
    assert (first.get("class"), second.get("class")) == (["word"], None)


def test_words_stand_at_the_left_and_numbers_at_the_right(html):
    for row in html.find_all("tr"):
        sides = [cell["style"].split()[-1] for cell in row.find_all(True)]
        assert sides == ["left", "right", "right"]
