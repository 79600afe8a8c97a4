"""What the text of a page may point to: words of the glossary, works that are cited, other pages and labels in them."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from book.runner.errors import BookError, first_line
from book.runner.notebooks import read_notebook
from book.runner.pages import Page, has_owner, owner_and_name, repository, settings

if TYPE_CHECKING:
    from pybtex.database import Entry

_GLOSSARY = re.compile(r"^(`{3,}|:{3,})\{glossary\}.*\n((?:.*\n)*?)\1\s*$", re.MULTILINE)
_LABEL = re.compile(r"^\((?P<above>[^()\s]+)\)=\s*\n+(?:#+ +(?P<heading>.+))?|^:name: *(?P<named>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Work:
    """A work that is cited, as in "Wu et al." and "2024"; without an address if none is known."""

    authors: str
    year: str
    address: str


@dataclass(frozen=True)
class References:
    """All that a text of the book may point to.

    Attributes:
        site: the address of the published book; empty while it is not set.
        terms: the words of the glossary in small letters, with where they are explained, without `site`.
        works: by the key that they are cited by.
        titles: of all pages, by name.
        labels: with the page that each stands on and the heading below it, if it has one.
    """

    site: str
    terms: Mapping[str, str]
    works: Mapping[str, Work]
    titles: Mapping[str, str]
    labels: Mapping[str, tuple[str, str]]

    def link(self, text: str, place: str) -> str:
        """A Markdown link to a place in the published book, or the text alone while there is no such book."""
        return f"[{text}]({self.site}/{place})" if self.site else text

    def page(self, target: str, beside: str) -> str | None:
        """The name of the page that a relative path means on another page, or None if it means no page."""
        path = target.lstrip("/") if target.startswith("/") else posixpath.join(posixpath.dirname(beside), target)
        name = re.sub(r"\.(ipynb|md|html)$", "", posixpath.normpath(path))
        return name if name in self.titles else None


def references(pages: Sequence[Page], root: Path) -> References:
    """Collect what texts may point to.

    Raises:
        BookError: a page, a list of references or a setting cannot be read.
    """
    texts = {page.name: "\n\n".join(_texts(page)) for page in pages}
    address = repository(root)
    site = "https://{}.github.io/{}".format(*owner_and_name(address).split("/")) if has_owner(address) else ""
    terms = {term: place for name, text in texts.items() for term, place in _terms(name, text)}
    listed = next((name for name, text in texts.items() if "{bibliography}" in text), "")
    works = {key: work for file in settings(root).get("bibtex_bibfiles", []) for key, work in _works(root / file)}
    if site and listed:
        for key, work in works.items():
            works[key] = Work(work.authors, work.year, work.address or f"{site}/{listed}.html")
    titles = {name: _title(text) or name for name, text in texts.items()}
    labels = {label: (name, heading) for name, text in texts.items() for label, heading in _labels(text)}
    labels |= {figure: (page.name, "") for page in pages for figure in _figures(page)}
    return References(site, terms, works, titles, labels)


def _texts(page: Page) -> list[str]:
    if page.is_chapter:
        return [cell.source for cell in read_notebook(page.source).cells if cell.cell_type == "markdown"]
    return [page.source.read_text(encoding="utf-8")]


def _figures(page: Page) -> list[str]:
    cells = read_notebook(page.source).cells if page.is_chapter else []
    named = [cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells]
    return [name for name in named if name]


def _title(text: str) -> str:
    found = re.search(r"^# +(.+?) *$", text, re.MULTILINE)
    return found[1] if found else ""


def _terms(page: str, text: str) -> Iterator[tuple[str, str]]:
    for block in _GLOSSARY.finditer(text):
        for line in block[2].splitlines():
            if line.strip() and not line[0].isspace():
                # Sphinx makes the anchor from the term in this way.
                yield line.strip().lower(), f"{page}.html#term-{re.sub(r'[^a-zA-Z0-9._]+', '-', line.strip())}"


def _labels(text: str) -> Iterator[tuple[str, str]]:
    for found in _LABEL.finditer(text):
        yield found["above"] or found["named"], (found["heading"] or "").strip()


def _works(file: Path) -> Iterator[tuple[str, Work]]:
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        entries = parse_file(str(file)).entries
    except PybtexError as error:
        raise BookError(f"{file}: cannot be read ({first_line(str(error))}); repair it") from error
    for key, entry in entries.items():
        field = partial(entry.fields.get, default="")
        address = field("url")
        if field("doi"):
            address = f"https://doi.org/{field('doi')}"
        elif field("archiveprefix").lower() == "arxiv" and field("eprint"):
            address = f"https://arxiv.org/abs/{field('eprint')}"
        yield key, Work(authors(entry) or key, field("year"), address)


def authors(entry: "Entry") -> str:
    """Who wrote a work, as a citation says it: of more than two the first; empty if nobody is named."""
    from pybtex.richtext import Text

    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [str(Text.from_latex(" ".join(person.prelast_names + person.last_names))) for person in people]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
