"""Code that only notes numbers is not in a reader's notebook, and what is left does the same."""

import pytest
from IPython.core.displayhook import DisplayHook

from book.runner.bookkeeping import without_notes

SHORTENED = {
    'a = 1\npt.book.note("a", a)': "a = 1",
    'pt.book.note(\n    "a",\n    a,\n)\nb = 2': "b = 2",
    'for n in (1, 2):\n    pt.book.note(f"{n}", n)\nb = 2': "b = 2",
    'for n in (1, 2):\n    a += n\n    pt.book.note_mean(f"{n}", n)': "for n in (1, 2):\n    a += n",
    'if a:\n    b = 2\nelse:\n    pt.book.note("a", a)': 'if a:\n    b = 2\nelse:\n    pt.book.note("a", a)',
    'def f():\n    pt.book.note("a", a)': 'def f():\n    pt.book.note("a", a)',
    'pt.book.claim("a", "b", pt.book.more(a, b))  # holds\nb = 2': "b = 2",
    'axes.set(title="é")\npt.book.note_figure("a", figure)': 'axes.set(title="é");',
    'f()  # why\npt.book.note("a", a)': "f();  # why",
    'f();\npt.book.note("a", a)': "f();",
    'a = 1; pt.book.note("a", a)': 'a = 1; pt.book.note("a", a)',
    "a = pt.book.published()\npt.book.noted = 1": "a = pt.book.published()\npt.book.noted = 1",
    "%matplotlib inline\npt.book.note('a', a)": "%matplotlib inline\npt.book.note('a', a)",
    'claim("a", "b", more(a, b))\nnote("a", a)\nb = noted(a)': "b = noted(a)",
    'print(1)\n\n\npt.book.note("a", a)\n': "print(1);",
}


@pytest.mark.parametrize("source", SHORTENED)
def test_notes_go_and_nothing_else(source):
    assert without_notes(source) == SHORTENED[source]


@pytest.mark.parametrize("source", ["f()", "(f(),\n g())  # why", "for a in b:\n    f()\nf('é')"])
def test_what_was_not_shown_is_not_shown_now(source):
    """Only the last expression of a cell is shown, and a note stood behind it."""
    is_quiet = DisplayHook.semicolon_at_end_of_expression
    assert not is_quiet(source)
    assert is_quiet(without_notes(f"{source}\npt.book.note('a', 1)"))
