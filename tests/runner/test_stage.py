"""A chapter on the stage shows what was printed as it was printed."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book.runner.run import Verdict
from book.runner.stage import dress


def test_a_line_that_the_kernel_cut_is_one_line_on_the_page():
    utils = pytest.importorskip("myst_nb.core.utils")
    pieces = ["home:   1.0\ncopied: ", "0.1\ncarried: ", "0.9\n"]
    outputs = [new_output("stream", name="stdout", text=piece) for piece in pieces]
    cell = new_code_cell(outputs=[*outputs, new_output("display_data", {"text/plain": "a table"})])
    dress(new_notebook(cells=[new_markdown_cell("# One"), cell]), Verdict("book/01-one", 1.0, "ok"), "pocket")
    shown = utils.coalesce_streams(cell.outputs)
    assert [output.get("text", "") for output in shown] == ["".join(pieces), ""]
