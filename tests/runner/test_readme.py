"""The README takes its numbers and its picture from the last build."""

import re

import pytest

from book.runner import readme
from book.runner.pages import ROOT

pytestmark = pytest.mark.usefixtures("no_kernel", "no_sphinx")


@pytest.fixture
def marked(book):
    """A book with a README and a folder for its picture."""
    (book.root / "README.md").write_text("Takes <!-- noted: book minutes -->99<!-- / --> minutes.\n", encoding="utf-8")
    (book.root / "book" / "_static").mkdir()
    return book


def test_numbers_and_picture_are_those_of_the_last_build(marked, monkeypatch):
    assert marked.run_all() == 0
    monkeypatch.setattr(readme, "figures", lambda notebook: {readme.PICTURE: b"a picture"})
    assert readme.main(marked.root) == 0
    text = (marked.root / "README.md").read_text(encoding="utf-8")
    assert text == "Takes <!-- noted: book minutes -->1<!-- / --> minutes.\n"
    assert (marked.root / "book" / "_static" / readme.PICTURE).read_bytes() == b"a picture"
    assert readme.main(marked.root) == 0  # and again
    assert (marked.root / "README.md").read_text(encoding="utf-8") == text


def test_a_book_that_was_not_built_has_nothing_to_say(marked, capsys):
    assert readme.main(marked.root) == 1
    assert capsys.readouterr().err == "not all chapters have been executed; run `make book` first\n"


def test_a_number_that_no_chapter_notes_is_refused(marked, capsys):
    assert marked.run_all() == 0
    (marked.root / "README.md").write_text("<!-- noted: 01-one gone -->1<!-- / -->", encoding="utf-8")
    assert readme.main(marked.root) == 1
    assert "README: quotes 'gone' of '01-one', which noted no such thing" in capsys.readouterr().err


def test_every_mark_of_the_readme_is_whole():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("<!-- noted:") == text.count("<!-- / -->") == len(readme.MARKED.findall(text)) >= 4
    assert not re.search(r"\{noted\}", text)
