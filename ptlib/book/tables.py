"""Tables: what chapters found, in rows that a narrow screen and paper show whole."""

import re
from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
import pandas as pd
from IPython.display import display

from ptlib.book.notes import in_print, said

Cell = str | int | float | np.number | np.ndarray
NO_WORDS = re.compile(
    r"([+\N{MINUS SIGN}]?\d[\d.,]*%?(\s±\s[\d.]+|\s\(.*\))?|-|)"
)  # a number that a chapter has written


def table(rows: Iterable[Mapping[str, Cell]]) -> pd.DataFrame:
    """What was found, as text.

    Args:
        rows: what stands in each column, by its name. Of several numbers the mean and the standard deviation are
            said, as over seeds. A cell is empty for no numbers, for one that is none, and where its row lacks it.
    """
    return pd.DataFrame([{name: _said(cell) for name, cell in row.items()} for row in rows]).fillna("")


def show_table(rows: Iterable[Mapping[str, Cell]]) -> None:
    """Show a table below the cell, numbers at the right, and nothing where there are no rows."""
    if not (found := list(rows)):
        return
    frame = table(found)
    display({"text/html": as_html(frame), "text/plain": frame.to_string(index=False)}, raw=True)


def as_html(frame: pd.DataFrame) -> str:
    """A table of texts as HTML; that of pandas begins with an empty heading, and aligns all columns in one way."""
    words = {name for name in frame.columns if not all(map(NO_WORDS.fullmatch, frame[name]))}

    def row(tag: str, cells: Iterable[str]) -> str:
        """A row of cells of one kind."""
        sides = ("left" if name in words else "right" for name in frame.columns)
        # Where there is room style sheets keep numbers whole; a telephone may break them, rather than cut the table.
        cells = (str(cell).replace("\N{NO-BREAK SPACE}", " ") for cell in cells)
        filled = (f"<{tag}{_about(side, cell)}>{escape(cell)}" for side, cell in zip(sides, cells, strict=True))
        return "<tr>" + "".join(f"{cell}</{tag.partition(' ')[0]}>" for cell in filled) + "</tr>"

    body = "\n".join(row("td", cells) for cells in frame.to_numpy())
    head = row('th scope="col"', frame.columns)
    return f'<table class="dataframe">\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def _about(side: str, cell: str) -> str:
    """The attributes of a cell; a single word, such as a model's name, is not broken at its hyphens."""
    word = "" if " " in cell else ' class="word"'
    return f'{word} style="text-align: {side}"'


def _said(cell: Cell) -> str:
    """The text of a cell."""
    if isinstance(cell, str):
        return in_print(cell)
    if not np.size(cell):
        return ""
    if np.size(cell) > 1:
        return said(np.asarray(cell))
    number = np.asarray(cell).item()
    if isinstance(number, int):
        return f"{number:,}"
    return "" if np.isnan(number) else in_print(f"{number:.3f}")
