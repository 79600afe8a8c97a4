"""A reader's notebook shows everywhere what the page of the book shows."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book.runner.errors import BookError
from book.runner.notebooks import read_notebook
from book.runner.pages import ROOT, Page, pages
from book.runner.reader import FOLDED, reader_notebook
from book.runner.reader_text import RAW
from book.runner.references import References, Work, references
from book.runner.results import RECORD
from tests.runner.conftest import PIXEL

SITE = "https://someone.github.io/some-book"
KNOWN = References(
    site=SITE,
    terms={"p@1": "book/glossary.html#term-P-1", "soft prompt": "book/glossary.html#term-soft-prompt"},
    works={
        "wu": Work("Wu et al.", "2024", "https://arxiv.org/abs/2310.01691"),
        "two": Work("Li and Roth", "2002", ""),
    },
    titles={"book/01-one": "One", "book/02-two": "The second", "appendix/api": "API"},
    labels={"a-way": ("book/02-two", "A way"), "curve": ("book/02-two", "")},
)
INSTALL = '%pip install -q "ptlib[book] @ git+https://github.com/someone/some-book@v1.2.3"'


def record(name, value=None, image=None):
    data = {"text/plain": repr(value)} | ({"image/png": image} if image else {})
    prefixed = {RECORD + kind: text for kind, text in data.items()}
    return new_output("display_data", prefixed, metadata={"scrapbook": {"name": name, "mime_prefix": RECORD}})


NOTED = [
    record("half", 0.5),
    record("seeds", 5),
    record("worst", "a [Y] *b* | $c$ `d` e_f_ <g> & h"),
    record("none", float),
]
NOTED += [record("bad", "x"), record("nan", "x"), record("picture", "picture", PIXEL)]


def converted(*cells, known=KNOWN, images=Path()):
    """The cells of a reader's notebook below the title, the installation and the look for a GPU."""
    notes = new_code_cell("numbers = 1", outputs=NOTED)
    made = reader_notebook(
        new_notebook(cells=[new_markdown_cell("# One\n\nText"), notes, *cells]),
        "book/01-one",
        known,
        images,
        "About.",
        INSTALL,
    )
    nbformat.validate(made)
    assert [cell.source.partition("\n")[0] for cell in made.cells[:2]] == ["# One", INSTALL]
    return made.cells[4:]


def shown(text, **options):
    (cell,) = converted(new_markdown_cell(text), **options)
    return cell.source


INLINE = {
    "{glue:text}`half:.2f`": "0.50",
    "{glue:text}`half:+.2f`": "+0.50",
    "{glue:text}`half:.1%`": "50.0%",
    "{glue:text}`half:g`": "0.5",
    "{glue:text}`half:.0f`": "0",
    "{glue:text}`half`": "0.5",
    "{glue:text}`seeds:d` seeds ({glue:text}`seeds:,`)": "5 seeds (5)",
    "{glue}`seeds`": "5",
    "*{glue:text}`seeds:d`*, **{glue:text}`half:.1f`**": "*5*, **0.5**",
    "| {glue:text}`half:.1%` | {glue:text}`seeds:d` |": "| 50.0% | 5 |",
    "{math}`A^\\top r` and {math}`r`": "$A^\\top r$ and $r$",
    "{term}`soft prompt`": f"[soft prompt]({SITE}/book/glossary.html#term-soft-prompt)",
    "{term}`Soft prompt`s": f"[Soft prompt]({SITE}/book/glossary.html#term-soft-prompt)s",
    "{term}`macro <P@1>` P@1": f"[macro]({SITE}/book/glossary.html#term-P-1) P@1",
    "{term}`soft\nprompt`": f"[soft prompt]({SITE}/book/glossary.html#term-soft-prompt)",
    "{cite:t}`wu` show": "[Wu et al. (2024)](https://arxiv.org/abs/2310.01691) show",
    "it {cite:p}`wu`.": "it ([Wu et al., 2024](https://arxiv.org/abs/2310.01691)).",
    "{cite:p}`wu, two`": "([Wu et al., 2024](https://arxiv.org/abs/2310.01691); Li and Roth, 2002)",
    "{ref}`a-way`": f"[A way]({SITE}/book/02-two.html#a-way)",
    "{ref}`that way <a-way>`": f"[that way]({SITE}/book/02-two.html#a-way)",
    "{numref}`curve`": f"[curve]({SITE}/book/02-two.html#curve)",
    "{doc}`02-two`": f"[The second]({SITE}/book/02-two.html)",
    "{doc}`it <../appendix/api>`": f"[it]({SITE}/appendix/api.html)",
    "[next](02-two.ipynb)": f"[next]({SITE}/book/02-two.html)",
    "[a `b` c](02-two.ipynb#a-way)": f"[a `b` c]({SITE}/book/02-two.html#a-way)",
    "[](02-two.md)": f"[The second]({SITE}/book/02-two.html)",
    "[](/appendix/api)": f"[API]({SITE}/appendix/api.html)",
    "[](#a-way), [there](#curve)": f"[A way]({SITE}/book/02-two.html#a-way), [there]({SITE}/book/02-two.html#curve)",
    "[PEFT](https://huggingface.co/docs/peft)": "[PEFT](https://huggingface.co/docs/peft)",
    "`[a](b.ipynb)` and {math}`r`": "`[a](b.ipynb)` and $r$",
    "$f[x](y)$ and {math}`f[x](y)`": "$f[x](y)$ and $f[x](y)$",
    "$$\nf[x](y)\n$$": "$$\nf[x](y)\n$$",
    "from $5 to $6 in {math}`r`, costs $7": "from $5 to $6 in $r$, costs $7",
    "`` code with ` in it `` {math}`r`": "`` code with ` in it `` $r$",
    "lone ` tick\n\n{math}`r` ` more": "lone ` tick\n\n$r$ ` more",
    "(a-way)=\n## A way\n\n% nobody sees this\nText": "## A way\n\nText",
}


@pytest.mark.parametrize("text", INLINE)
def test_what_stands_in_a_line(text):
    assert shown(text) == INLINE[text]


BLOCKS = {
    "```{math}\nv = A^{-1} r\n```": "$$\nv = A^{-1} r\n$$",
    "```{math} v = r\n```": "$$\nv = r\n$$",
    "$$\nL_{i} \\;=\\; 1\n$$": "$$\nL_{i} \\;=\\; 1\n$$",
    "```{note}\nOf {glue:text}`seeds:d`.\n\nMore.\n```": "> **Note**\n>\n> Of 5.\n>\n> More.",
    ":::{warning}\nHot.\n:::": "> **Warning**\n>\n> Hot.",
    ":::{admonition} Mind {math}`r`\n:class: tip\nIt.\n:::": "> **Mind $r$**\n>\n> It.",
    "::::{tip}\n:::{note}\nIn.\n:::\nOut.\n::::": "> **Tip**\n>\n> > **Note**\n> >\n> > In.\n> Out.",
    ":::{dropdown} A solution\nIt is {glue:text}`half:.1f`.\n:::\nAfter {math}`r`.": (
        "<details><summary>A solution</summary>\n\nIt is 0.5.\n\n</details>\nAfter $r$."
    ),
    "```{code-block} python\nx = 1\n```": "```python\nx = 1\n```",
    "```python\nx = {'{math}': `r`}\n% env\n```": "```python\nx = {'{math}': `r`}\n% env\n```",
    "```x``` is code, {math}`r` not.": "```x``` is code, $r$ not.",
    ":::{dropdown} Of `x`\nIn.\n:::": "<details><summary>Of `x`</summary>\n\nIn.\n\n</details>",
    "1. One\n   ```{note}\n   In.\n   ```\n2. Two": "1. One\n   > **Note**\n   >\n   > In.\n2. Two",
    "```{glue:figure} picture\n:name: p\nOf {math}`r`.\n```": (
        f"![picture](data:image/png;base64,{PIXEL})\n\n> **Figure.** Of $r$."
    ),
}


@pytest.mark.parametrize("text", BLOCKS)
def test_what_stands_in_blocks(text):
    assert shown(text) == BLOCKS[text]


def test_a_figure_of_a_file_is_in_the_notebook_itself(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>", encoding="utf-8")
    image = "data:image/svg+xml;base64,PHN2Zy8+"
    text = "```{figure} a.svg\n:alt: A dot.\n:width: 3px\n\nA {term}`soft prompt`.\n```"
    term = f"[soft prompt]({SITE}/book/glossary.html#term-soft-prompt)"
    assert shown(text, images=tmp_path) == f"![A dot.]({image})\n\n> **Figure.** A {term}.\n>\n> *In words:* A dot."
    assert shown("![A dot](a.svg)", images=tmp_path) == f"![A dot]({image})"


def test_a_noted_text_is_shown_as_it_is_and_not_read_as_markdown():
    markdown_it = pytest.importorskip("markdown_it")
    html = markdown_it.MarkdownIt().enable("table").render(shown('*"{glue:text}`worst`"*'))
    assert html == "<p><em>&quot;a [Y] *b* | $c$ `d` e_f_ &lt;g&gt; &amp; h&quot;</em></p>\n"


def test_without_an_address_there_are_no_links_into_the_book():
    nowhere = References("", KNOWN.terms, KNOWN.works, KNOWN.titles, KNOWN.labels)
    text = "{term}`soft prompt`, [next](02-two.ipynb), [](02-two.ipynb), {ref}`a-way`, {cite:t}`two`"
    assert shown(text, known=nowhere) == "soft prompt, next, The second, A way, Li and Roth (2002)"


REFUSED = {
    "{glue:text}`lost:.2f`": "book/01-one: shows 'lost' in its text, and notes no such text/plain",
    "{glue:text}`bad:.2f`": "book/01-one: cannot show 'bad:.2f' in its text",
    "{term}`lost`": "book/01-one: has the term 'lost', which is not in the glossary",
    "{cite:p}`wu,lost`": "book/01-one: cites 'lost'",
    "{ref}`lost`": "book/01-one: points to the label 'lost'",
    "[a](lost.ipynb)": "book/01-one: has a link to 'lost.ipynb'",
    "{doc}`lost`": "book/01-one: has a link to 'lost'",
    "![a](lost.png)": "book/01-one: shows the image 'lost.png', which is not there",
    "{unheard}`of`": "book/01-one: has the role {unheard}",
    "```{unheard} of\n```": "book/01-one: has the directive {unheard}",
    "```{note}\nnever closed": "book/01-one: does not close '```{note}'",
    ":::\nno name\n:::": "book/01-one: opens ':::' without a name",
    "`` {math}`r` ``": "book/01-one: its notebook would show '{math}`' as it is",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_has_no_form_outside_of_the_book_is_refused(text):
    with pytest.raises(BookError, match="^" + re.escape(REFUSED[text])):
        shown(text)


# Code


def code(source="x", outputs=(), **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata, execution_count=7)


def image():
    return new_output("display_data", {"image/png": PIXEL})


@pytest.mark.parametrize("tag", sorted(FOLDED))
def test_code_that_the_page_hides_is_folded(tag):
    (cell,) = converted(code("print(1)", [new_output("stream", text="1\n")], tags=[tag]))
    assert cell.source == "# @title What is shown below\nprint(1)"
    assert cell.metadata["cellView"] == "form"
    assert [output.text for output in cell.outputs] == ([] if tag == "remove-cell" else ["1\n"])


def test_a_solution_is_folded_with_what_it_says():
    (cell,) = converted(code("print(1)", [new_output("stream", text="1\n")], tags=["hide-cell", "solution"]))
    assert cell.source.startswith("# @title A solution\n")
    assert cell.metadata == {"cellView": "form", "collapsed": True, "jupyter": {"outputs_hidden": True}}


def test_code_that_the_page_shows_stays_open():
    (cell,) = converted(code("print(1)", tags=[], execution={"a": "b"}, papermill={"b": 2}))
    assert (cell.source, cell.metadata, cell.execution_count) == ("print(1)", {}, None)


def test_fields_alone_are_seen_of_a_cell_with_fields():
    (cell,) = converted(code('# @title Settings\nx = 1  # @param {type: "integer"}'))
    assert cell.metadata == {"cellView": "form"}
    assert cell.source.count("@title") == 1


def test_captions_stand_below_their_figures():
    about = {"figure": {"caption": "Of {glue:text}`seeds:d` seeds.", "name": "a-b"}, "image": {"alt": "Two [Y] dots."}}
    cell, below = converted(code("plot()", [image()], tags=["hide-input"], mystnb=about))
    assert cell.source == "# @title The figure: a b\nplot()"
    assert cell.outputs[0].data["image/png"] == PIXEL
    assert below.source == "> **Figure.** Of 5 seeds.\n>\n> *In words:* Two &#91;Y&#93; dots."


def test_what_the_build_put_in_is_gone():
    cells = [
        code("import sys", tags=["colab", "remove-cell"]),
        code('profile = "smoke"', tags=["injected-parameters"]),
        code('profile = "pocket"', tags=["parameters", "remove-cell"]),
        code('pt.book.note("a", 1)', [record("a", 1)]),
        new_markdown_cell("secret", metadata={"tags": ["remove-cell"]}),
        code("seed = 0", tags=["parameters"]),
    ]
    assert [cell.source for cell in converted(*cells)] == ["seed = 0"]


def test_what_was_printed_is_in_one_piece_and_notes_are_no_output():
    prints = [new_output("stream", text="a\n"), record("a", 1), new_output("stream", text="b\n")]
    result = new_output("execute_result", {"text/plain": "3"}, execution_count=7)
    (cell,) = converted(code("f()", [*prints, new_output("stream", name="stderr", text="c\n"), result]))
    assert [output.get("text") for output in cell.outputs] == ["a\nb\n", "c\n", None]
    assert cell.outputs[2].execution_count is None


def test_a_notebook_does_not_change_unless_its_chapter_does():
    cells = [new_markdown_cell("a"), code("f()", [image()], mystnb={"image": {"alt": "A dot."}})]
    first, second = (json.dumps(converted(*cells)) for _ in range(2))
    assert first == second


# The book


def invented(page: Page):
    """A chapter as if it had been executed, with made-up values for whatever its text shows."""
    notebook = read_notebook(page.source)
    text = json.dumps([(cell.source, cell.metadata) for cell in notebook.cells], ensure_ascii=False)
    notes = [
        record(name.rpartition(":")[0] or name, 0.5 if ":" in name else "a word")
        for name in re.findall(r"\{glue:text\}`([^`]+)`", text)
    ]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells[0].outputs = notes
    for cell in cells:
        if "mystnb" in cell.metadata:
            cell.outputs.append(image())
    return notebook


@pytest.mark.parametrize("page", [page for page in pages() if page.is_chapter], ids=lambda page: page.name)
def test_nothing_of_the_book_is_left_raw(page):
    source = invented(page)
    known = references(pages(), ROOT)
    made = reader_notebook(source, page.name, known, ROOT / "book", "About.", INSTALL)
    nbformat.validate(made)
    texts = [cell.source for cell in made.cells if cell.cell_type == "markdown"]
    assert not [text for text in texts if RAW.search(text)]
    assert not re.search(r"\{(glue|term|cite|math|ref|numref|doc)\b|\]\([^h)#d]", "\n".join(texts))
    cells = [cell for cell in made.cells if cell.cell_type == "code"]
    for cell in cells:
        if not cell.source.startswith("%pip"):
            ast.parse(cell.source)
        assert "papermill" not in cell.metadata
        assert "pt.book.note" not in cell.source
    assert sum("%pip install" in cell.source for cell in cells) == 1
    assert sum("cuda.is_available" in cell.source for cell in cells) == 1
    captions = sum("mystnb" in cell.metadata for cell in source.cells)
    assert sum(text.startswith("> ") and "*In words:*" in text for text in texts) == captions


def test_the_book_has_what_the_test_above_looks_for():
    """Else it would pass on an empty book."""
    texts = [cell.source for page in pages() if page.is_chapter for cell in read_notebook(page.source).cells]
    assert sum(bool(RAW.search(text)) for text in texts) > 50


def test_references_of_the_book():
    known = references(pages(), ROOT)
    assert known.works["wu2024zeroshot"] == Work("Wu et al.", "2024", "https://arxiv.org/abs/2310.01691")
    assert known.terms["home, abroad"] == "book/glossary.html#term-home-abroad"
    assert known.titles["book/01-prompt-tuning"] == "Prompt tuning"
    assert known.page("../book/api.md", "book/01-prompt-tuning") == "book/api"
