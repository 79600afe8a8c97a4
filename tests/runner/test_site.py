"""The site stands until a better one is there, and is not built again for nothing."""

import os
import shutil

import pytest

from book.runner import site
from book.runner.jupyter_book import faults
from tests.runner.conftest import Book


def shown(book, name="01-one"):
    return (book.build / "html" / "book" / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture
def built(book, no_kernel, no_sphinx):
    """A book whose site stands, and the list of what is built from then on."""
    assert book.run_all() == 0
    no_sphinx.clear()
    return book, no_sphinx


def site_builds(builds):
    return [staged for staged in builds if staged.name == "stage"]


def test_an_unchanged_book_is_not_built_again(built):
    book, builds = built
    assert book.run_all() == 0
    assert builds == []
    assert str(book.build / "html" / "index.html") in book.output


CHANGES = {
    "a page": lambda book: (book.root / "book" / "index.md").write_text("# New\n"),
    "a chapter": lambda book: book.write("01-one", "print(seed + 1)"),
    "a docstring of the library": lambda book: (book.root / "ptlib" / "a.py").write_text('"""New."""\n'),
    "the settings": lambda book: (book.root / "_config.yml").write_text("title: Another\n"),
    "a page lost from the site": lambda book: (book.build / "html" / "book" / "01-one.html").unlink(),
    "the site lost": lambda book: shutil.rmtree(book.build / "html"),
    "the note of the site damaged": lambda book: (book.build / "html" / site.MADE_FROM).write_bytes(b"\xff"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_the_site_is_made_from_makes_it_anew(built, what):
    book, builds = built
    CHANGES[what](book)
    assert book.run_all() == 0
    assert len(site_builds(builds)) == 1
    assert book.run_all() == 0
    assert len(site_builds(builds)) == 1


def test_pages_can_be_read_one_by_one(built, monkeypatch):
    monkeypatch.setattr("book.runner.chapters.LONG", 0)
    book, builds = built
    book.write("01-one", "print('new')")
    builds.clear()
    assert book.run_all() == 0
    page = book.build / "preview" / "01-one" / "_build" / "html" / "book" / "01-one.html"
    assert f"book/01-one: its page, as it is now: {page}" in book.output
    assert [staged.name for staged in builds] == ["01-one", "stage"]
    assert not page.exists()  # the site has it


def test_a_page_that_is_done_in_no_time_comes_with_the_site(built):
    book, builds = built
    book.write("01-one", "print('new')")
    builds.clear()
    assert book.run_all() == 0
    assert [staged.name for staged in builds] == ["stage"]


def test_a_page_that_cannot_be_shown_early_holds_nothing_up(built, monkeypatch):
    monkeypatch.setattr("book.runner.chapters.LONG", 0)
    book, _ = built
    monkeypatch.setattr("book.runner.preview.jupyter_book", lambda *arguments: (1, ""))
    book.write("01-one", "print('new')")
    assert book.run_all() == 0
    assert "print('new')" in shown(book)


def test_a_failed_chapter_leaves_the_site(built):
    book, builds = built
    book.source("01-one").write_text("{", encoding="utf-8")
    assert book.run_all() == 1
    assert "print(seed)" in shown(book)
    assert builds == []


@pytest.mark.parametrize(
    ("status", "log", "complaint"),
    [
        (1, "", "Jupyter Book ended with status 1, its last line: none; see "),
        (2, "a\nno such option\n\n", "Jupyter Book ended with status 2, its last line: no such option; see "),
        (-9, "reading\n", "Jupyter Book was killed by signal 9, its last line: reading; see "),
        (1, "a.md:1: WARNING: oh\nfine", "Jupyter Book: a.md:1: WARNING: oh; all are in "),
        (1, "WARNING: a\nERROR: b\nWARNING: c", "Jupyter Book: WARNING: a and 2 more faults; all are in "),
    ],
)
def test_a_build_that_fails_says_why_in_one_line_and_leaves_the_site(built, monkeypatch, status, log, complaint):
    book, _ = built
    monkeypatch.setattr("book.runner.site.jupyter_book", lambda *arguments: (status, log))
    book.write("01-one", "print('new')")
    assert book.run_all() == 1
    assert [line for line in book.output.splitlines() if "Jupyter Book" in line] == [
        f"{complaint}{book.build / 'site.log'}"
    ]
    assert "print(seed)" in shown(book)


def test_faults_are_never_followed_by_nothing(tmp_path):
    for status in (-15, 1, 2):
        for log in ("", "\n\n", "x"):
            assert not faults(status, log, tmp_path).endswith((":", ": "))


def test_an_old_site_that_cannot_be_moved_stays(built, monkeypatch):
    book, _ = built
    rename = os.rename

    def refuse(source, target):
        if source == book.build / "html":
            raise PermissionError(13, "Permission denied", str(source))
        rename(source, target)

    book.write("01-one", "print('new')")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        assert book.run_all() == 1
    said = [line for line in book.output.splitlines() if "the old site cannot be moved out of the way" in line]
    assert len(said) == 1
    assert f"{book.build / 'html'}" in said[0]
    assert "print(seed)" in shown(book)
    assert not (book.build / "html" / "html").exists()
    assert book.run_all() == 0
    assert "print('new')" in shown(book)


def test_an_old_site_that_cannot_be_removed_is_out_of_the_way(built, monkeypatch):
    book, _ = built
    remove = shutil.rmtree
    book.write("01-one", "print('new')")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path, **how: None if site.ASIDE in str(path) else remove(path, **how))
        assert book.run_all() == 0
        assert "print('new')" in shown(book)
        assert book.run_all() == 0
    assert "print('new')" in shown(book)
    assert not (book.build / "html" / "html").exists()
    assert book.run_all() == 0
    assert list(book.build.glob("old-site-*")) == []


def test_a_kill_between_the_old_site_and_the_new_brings_the_old_one_back(built, monkeypatch):
    book, _ = built
    rename = os.rename

    def killed(source, target):
        if "fresh" in str(source) or site.ASIDE in str(source):
            raise SystemExit(9)  # also when the old one is put back, as after a kill
        rename(source, target)

    book.write("01-one", "print('new')")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(SystemExit):
            book.run_all()
    assert not (book.build / "html").exists()
    book.source("02-two").write_text("{", encoding="utf-8")
    assert book.run_all() == 1  # for another reason, so no new site is made
    assert "print(seed)" in shown(book)
    book.write("02-two")
    assert book.run_all() == 0
    assert "print('new')" in shown(book)


def test_a_new_site_that_cannot_be_placed_gives_way_to_the_old_one(built, monkeypatch):
    book, _ = built
    rename = os.rename

    def refuse(source, target):
        if "fresh" in str(source):
            raise OSError(5, "Input/output error", str(source))
        rename(source, target)

    book.write("01-one", "print('new')")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        assert book.run_all() == 1
    assert "Input/output error" in book.output
    assert "print(seed)" in shown(book)


def test_a_book_as_it_is_made(tmp_path, monkeypatch):
    """With Jupyter Book itself, and a kernel."""
    monkeypatch.setattr("book.runner.chapters.LONG", 0)
    book = Book(tmp_path, names=["01-one"])
    assert book.run_all() == 0, book.output
    assert "Executed in" in shown(book)
    assert "its page, as it is now" in book.output
    log = (book.build / "site.log").read_text(encoding="utf-8")
    assert "\x1b[" not in log
    (book.root / "book" / "index.md").write_text("# Index\n\n{ref}`nowhere`\n", encoding="utf-8")
    assert book.run_all() == 1
    assert [line for line in book.output.splitlines() if line.startswith("Jupyter Book: ") and "nowhere" in line]
