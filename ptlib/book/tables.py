"""Tables: what chapters found, in rows that a narrow screen and paper show whole."""

from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
import pandas as pd
from IPython.display import display

from ptlib.book.notes import said

Cell = str | int | float | np.number | np.ndarray


def table(rows: Iterable[Mapping[str, Cell]]) -> pd.DataFrame:
    """What was found, as text.

    Args:
        rows: what stands in each column, by its name. Of several numbers the mean and the standard deviation are
            said, as over seeds. A cell is empty for no numbers, for one that is none, and where its row lacks it.
    """
    return pd.DataFrame([{name: _said(cell) for name, cell in row.items()} for row in rows]).fillna("")


def show_table(rows: Iterable[Mapping[str, Cell]]) -> None:
    """Show a table below the cell, numbers at the right, and nothing where there are no rows; see `table`."""
    if not (found := list(rows)):
        return
    words = {name for row in found for name, cell in row.items() if isinstance(cell, str)}
    frame = table(found)
    display({"text/html": _html(frame, words), "text/plain": frame.to_string(index=False)}, raw=True)


def _html(frame: pd.DataFrame, words: set[str]) -> str:
    """The table as HTML; that of pandas begins with an empty heading, and aligns all columns in one way."""

    def row(tag: str, cells: Iterable[str]) -> str:
        sides = ("left" if name in words else "right" for name in frame.columns)
        filled = (f'<{tag} style="text-align: {side}">{escape(cell)}' for side, cell in zip(sides, cells, strict=True))
        return "<tr>" + "".join(f"{cell}</{tag.partition(' ')[0]}>" for cell in filled) + "</tr>"

    body = "\n".join(row("td", cells) for cells in frame.to_numpy())
    head = row('th scope="col"', frame.columns)
    return f'<table class="dataframe">\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def _said(cell: Cell) -> str:
    """The text of a cell."""
    if isinstance(cell, str):
        return cell
    if not np.size(cell):
        return ""
    if np.size(cell) > 1:
        return said(np.asarray(cell))
    number = np.asarray(cell).item()
    if isinstance(number, int):
        return f"{number:,}"
    return "" if np.isnan(number) else f"{number:.3f}"
