"""What is wrong with the table of contents and the settings is said in one line, before any chapter runs."""

import pytest

pytestmark = pytest.mark.usefixtures("no_kernel", "no_sphinx")

CONTENTS = {
    "broken": ("root: [", "_toc.yml: not YAML (line 1); repair it"),
    "a tab": ("root: a\n\tb: c", "_toc.yml: not YAML (line 2); repair it"),
    "empty": ("", "_toc.yml: empty; restore it"),
    "a list": ("- file: book/index", "_toc.yml: a list, not names with values; restore it"),
    "no root": ("chapters: []", "_toc.yml: has no root"),
    "root no name": ("root: 3", "_toc.yml: root is 3; it must be the name of a page"),
    "chapters a text": ("root: book/index\nchapters: book/01-one", "_toc.yml: chapters is 'book/01-one'; it must be"),
    "chapters nothing": ("root: book/index\nchapters:", "_toc.yml: chapters is None; it must be a list"),
    "an entry a text": ("root: book/index\nchapters: [book/01-one]", "_toc.yml: 'book/01-one' stands where an entry"),
    "a page twice": (
        "root: book/index\nchapters:\n- file: book/01-one\n- file: book/01-one",
        "_toc.yml: names book/01-one 2 times; leave one",
    ),
    "no such page": ("root: book/none", "book/none: in _toc.yml, but there is no such .ipynb or .md file"),
}


def refused(book, complaint):
    assert book.run_all() == 1
    assert book.output.strip().splitlines() == [book.output.strip()]
    assert complaint in book.output


@pytest.mark.parametrize("what", CONTENTS)
def test_a_table_of_contents_that_cannot_be_read(book, what):
    content, complaint = CONTENTS[what]
    (book.root / "_toc.yml").write_text(content, encoding="utf-8")
    refused(book, complaint)


@pytest.mark.parametrize("name", ["_toc.yml", "_config.yml", "pyproject.toml", "requirements.txt"])
def test_a_file_that_is_missing_or_no_text(book, name):
    (book.root / name).write_bytes(b"\xff")
    refused(book, f"{name}: not UTF-8 (byte 0); save it as UTF-8")
    (book.root / name).unlink()
    refused(book, f"{name}: missing in {book.root}; restore it")


def test_two_chapters_of_one_name(book):
    (book.root / "more").mkdir()
    book.source("01-one").rename(book.root / "more" / "02-two.ipynb")
    contents = (book.root / "_toc.yml").read_text(encoding="utf-8").replace("book/01-one", "more/02-two")
    (book.root / "_toc.yml").write_text(contents, encoding="utf-8")
    refused(book, "_toc.yml: 2 chapters are called 02-two, in several folders; rename all but one")


def test_settings_that_cannot_be_read(book):
    (book.root / "pyproject.toml").write_text("[project", encoding="utf-8")
    refused(book, "pyproject.toml: not TOML")
    (book.root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    refused(book, "pyproject.toml: has no Repository under [project.urls]; put the address there")
    (book.root / "_config.yml").write_text("{", encoding="utf-8")
    refused(book, "_config.yml: not YAML")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-p", "profile", "smoke"), "-p profile: the profile is no parameter of one chapter; give it with --profile"),
        (("-p", "seed", "1", "-p", "seed", "2"), "-p seed: given 2 times; give it once"),
        (("--jobs", "0"), "--jobs 0: at least one chapter must run at a time"),
    ],
)
def test_what_was_asked_for_is_refused(book, arguments, complaint):
    assert book.run_all(*arguments) == 1
    assert book.output.strip() == complaint
    assert not book.build.exists()
