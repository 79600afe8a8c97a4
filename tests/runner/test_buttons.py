"""Buttons lead to the reader's notebooks, and nowhere as long as the repository has no address."""

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell

from book.runner.buttons import check_buttons, lead_to_readers
from book.runner.errors import BookError
from book.runner.pages import ROOT, Page, repository, settings, version
from book.runner.references import references
from tests.runner.conftest import COLAB, CONFIG, Book

ADDRESS = "https://github.com/someone/some-book"
NONE = "https://github.com/OWNER/some-book"
PROJECT = '[project]\nversion = "1.2.3"\nurls = {{Repository = "{}"}}\n'
NOTED = """
from IPython.display import display
for name, value in {"half": 0.5, "word": "a*b*"}.items():
    record = {"application/papermill.record/text/plain": repr(value)}
    display(record, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}})
"""
TEXT = """
{glue:text}`half:.2f`, {glue:text}`half:.1%`, {glue:text}`half:g` and {glue:text}`word` of {term}`P@1`,
a {term}`soft prompt`, {term}`home, abroad` as in {cite:t}`one`.
"""
GLOSSARY = "# Glossary\n\n```{glossary}\nP@1\n  One.\n\nsoft prompt\n  Two.\n\nhome, abroad\n  Three.\n```\n"
WORKS = "@article{one, author = {Weiß, A. and Ng, B. and Li, C.}, title = {T}, journal = {J}, year = {2020}}\n"


def reader(book, name="01-one"):
    return nbformat.read(book.build / "colab" / f"{name}.ipynb", as_version=4)


@pytest.mark.usefixtures("no_kernel", "no_sphinx")
def test_the_build_leaves_a_notebook_of_each_chapter_and_no_other(book):
    (book.build / "colab").mkdir(parents=True)
    (book.build / "colab" / "00-old.ipynb").write_text("{}", encoding="utf-8")
    assert book.run_all() == 0
    assert sorted(path.name for path in (book.build / "colab").iterdir()) == ["01-one.ipynb", "02-two.ipynb"]
    title, install, gpu, *_ = reader(book).cells
    assert "[A book](https://someone.github.io/some-book/index.html)" in title.source
    assert "profile `pocket`" in title.source
    assert install.source == f'%pip install -q "ptlib[book] @ git+{ADDRESS}@v1.2.3"'
    assert "cuda" in gpu.source
    assert f"its notebooks for Colab and Jupyter: {book.build / 'colab'}" in book.output


@pytest.mark.usefixtures("no_kernel")
def test_text_that_no_notebook_program_shows_stops_the_build_and_leaves_the_site(book, no_sphinx):
    assert book.run_all() == 0
    no_sphinx.clear()
    notebook = nbformat.read(book.source("01-one"), as_version=4)
    notebook.cells.append(new_markdown_cell("{unheard}`of`"))
    nbformat.write(notebook, book.source("01-one"))
    assert book.run_all() == 1
    assert [line for line in book.output.splitlines() if "unheard" in line] == [
        "book/01-one: has the role {unheard}, which has no form outside of the book"
    ]
    assert [staged for staged in no_sphinx if staged.name == "stage"] == []
    assert (book.build / "html" / "index.html").exists()


@pytest.mark.usefixtures("no_kernel", "no_sphinx")
def test_the_version_is_found_where_the_project_has_it(book):
    project = book.root / "pyproject.toml"
    project.write_text(f'[project]\ndynamic = ["version"]\nurls = {{Repository = "{ADDRESS}"}}\n', encoding="utf-8")
    assert book.run_all() == 1
    assert "__init__.py: missing in" in book.output
    (book.root / "ptlib" / "__init__.py").write_text('__version__ = "4.5.6"  # here\n', encoding="utf-8")
    assert version(book.root) == "4.5.6"
    (book.root / "ptlib" / "__init__.py").write_text("", encoding="utf-8")
    assert book.run_all() == 1
    assert book.output.strip() == "pyproject.toml: has no version under [project]; put it there"


@pytest.mark.usefixtures("no_kernel", "no_sphinx")
def test_without_an_address_no_page_has_a_button_or_a_link_for_it(book):
    (book.root / "pyproject.toml").write_text(PROJECT.format(NONE), encoding="utf-8")
    (book.root / "_config.yml").write_text(CONFIG.replace("someone", "OWNER"), encoding="utf-8")
    assert book.run_all() == 0
    staged = yaml.safe_load((book.build / "stage" / "_config.yml").read_text(encoding="utf-8"))
    assert "OWNER" not in str(staged)
    assert not staged.keys() & {"repository", "launch_buttons"}
    assert not any(staged["html"].values())
    assert staged["title"] == "A book"
    assert "](" not in reader(book).cells[0].source
    assert references([], book.root).site == ""


def test_links_without_an_address_are_refused():
    page, link = Page("book/index", ROOT / "book" / "index.md"), f'<a href="{NONE}/issues">'
    with pytest.raises(
        BookError, match=f"book/index: has a link to {NONE}/issues, while the repository has no address"
    ):
        check_buttons(page, BeautifulSoup(link, "html.parser"), NONE)
    check_buttons(page, BeautifulSoup('<a href="https://github.com/someone">', "html.parser"), NONE)


def test_buttons_give_the_readers_notebooks(tmp_path):
    html, readers = tmp_path / "html", tmp_path / "colab"
    (html / "_sources" / "book").mkdir(parents=True)
    (html / "book").mkdir()
    readers.mkdir()
    (readers / "01-one.ipynb").write_text("of the reader", encoding="utf-8")
    (html / "_sources" / "book" / "01-one.ipynb").write_text("of the stage", encoding="utf-8")
    (html / "book" / "01-one.html").write_text(f'<a href="{COLAB}/book/01-one.ipynb">', encoding="utf-8")
    page = Page("book/01-one", tmp_path / "01-one.ipynb")
    lead_to_readers([page], html, readers)
    soup = BeautifulSoup((html / "book" / "01-one.html").read_text(encoding="utf-8"), "html.parser")
    assert [link["href"] for link in soup.find_all("a")] == [f"{COLAB}/01-one.ipynb"]
    check_buttons(page, soup, ADDRESS)
    assert (html / "_sources" / "book" / "01-one.ipynb").read_text(encoding="utf-8") == "of the reader"


def test_the_settings_of_the_book_name_the_branch():
    assert settings()["repository"] == {"url": repository(), "branch": "colab", "path_to_book": ""}


def test_page_and_notebook_say_the_same(tmp_path):
    """With Jupyter Book itself: numbers, links into the glossary, citations and buttons."""
    book = Book(tmp_path, names=["01-one"])
    notebook = nbformat.read(book.source("01-one"), as_version=4)
    notebook.cells += [new_code_cell(NOTED), new_markdown_cell(TEXT)]
    nbformat.write(notebook, book.source("01-one"))
    (book.root / "book" / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
    (book.root / "book" / "works.md").write_text("# Works\n\n```{bibliography}\n```\n", encoding="utf-8")
    (book.root / "book" / "references.bib").write_text(WORKS, encoding="utf-8")
    contents = book.root / "_toc.yml"
    contents.write_text(
        contents.read_text(encoding="utf-8") + "- file: book/glossary\n- file: book/works\n", encoding="utf-8"
    )
    bib = "bibtex_bibfiles: [book/references.bib]\nsphinx: {config: {bibtex_reference_style: author_year}}\n"
    (book.root / "_config.yml").write_text(CONFIG + bib, encoding="utf-8")
    assert book.run_all() == 0, book.output
    page = BeautifulSoup((book.build / "html" / "book" / "01-one.html").read_text(encoding="utf-8"), "html.parser")
    glossary = BeautifulSoup(
        (book.build / "html" / "book" / "glossary.html").read_text(encoding="utf-8"), "html.parser"
    )
    text = reader(book).cells[-1].source.strip()
    numbers = [element.text for element in page.select(".pasted-text")]
    assert numbers == ["0.50", "50.0%", "0.5", "a*b*"]
    assert text.startswith(
        "0.50, 50.0%, 0.5 and a&#42;b&#42; of [P@1](https://someone.github.io/some-book/book/glossary.html#"
    )
    anchors = {part.partition(")")[0] for part in text.split("glossary.html#")[1:]}
    assert len(anchors) == 3
    assert all(glossary.find(id=anchor) for anchor in anchors)
    assert "[Weiß et al. (2020)](https://someone.github.io/some-book/book/works.html)" in text
    assert "Weiß et al. [2020]" in page.text
    assert page.find("a", href=f"{COLAB}/01-one.ipynb")
    source = book.build / "html" / "_sources" / "book" / "01-one.ipynb"
    assert source.read_bytes() == (book.build / "colab" / "01-one.ipynb").read_bytes()
