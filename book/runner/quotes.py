"""Quotes: what chapters noted, in pages that are no chapters.

A page writes {noted}`03b-shared-words title_words:.2f` in backticks: the chapter, the name, and how to format it.
The stage puts the value in its place. Of the run itself there are `book minutes` and `book reading_minutes`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from book.runner.errors import BookError, first_line
from book.runner.notebooks import read_notebook
from book.runner.pages import Page
from book.runner.run import Run

QUOTE = re.compile(r"\{noted\}`(?P<page>\S+)\s+(?P<name>[^`\s:]+)(?::(?P<form>[^`]+))?`")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")
WORDS_A_MINUTE = 200  # of a text with figures and formulas
BOOK = "book"


def noted(pages: Sequence[Page], seconds: float, run: Run) -> dict[str, Mapping[str, object]]:
    """What each chapter noted, by the name of its file, and how long reading and running (in seconds) all takes."""
    chapters = [page for page in pages if page.is_chapter]
    found = {Path(page.name).name: json.loads(run.results(page).read_text(encoding="utf-8")) for page in chapters}
    words = sum(map(_words, chapters))
    minutes = {"minutes": max(1, round(seconds / 60)), "reading_minutes": max(1, round(words / WORDS_A_MINUTE))}
    return found | {BOOK: minutes}


def fill(page: str, text: str, values: Mapping[str, Mapping[str, object]]) -> str:
    """A page's text with what it quotes.

    Raises:
        BookError: it quotes what no chapter noted, or in a form that the value does not have; names the page.
    """

    def value(quote: re.Match) -> str:
        of, name, form = quote["page"], quote["name"], quote["form"] or ""
        if name not in values.get(of, {}):
            raise BookError(f"{page}: quotes {name!r} of {of!r}, which noted no such thing")
        if values[of][name] is None:
            return "(not measured here)"
        try:
            return literally(format(values[of][name], form))
        except (TypeError, ValueError) as error:
            raise BookError(f"{page}: cannot show {quote[0]}: {first_line(str(error))}") from error

    return QUOTE.sub(value, text)


def literally(text: str) -> str:
    """A text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", text)


def _words(page: Page) -> int:
    return sum(len(cell.source.split()) for cell in read_notebook(page.source).cells if cell.cell_type == "markdown")
