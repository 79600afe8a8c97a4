"""What the book consists of: the pages in `_toc.yml`, and the inputs that a chapter depends on."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]


class BookError(Exception):
    """Something is wrong with the book; the message names the page, and the cell where there is one."""


@dataclass(frozen=True)
class Page:
    """A page of the book: `name` as in the table of contents, such as "book/01-prompt-tuning"."""

    name: str
    source: Path

    @property
    def is_chapter(self) -> bool:
        """Whether the page is a notebook, to be executed."""
        return self.source.suffix == ".ipynb"


def pages(root: Path = ROOT) -> list[Page]:
    """All pages in the order of the table of contents."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = []
    for name in _names(contents):
        sources = [root / f"{name}{suffix}" for suffix in (".ipynb", ".md")]
        existing = [source for source in sources if source.exists()]
        if not existing:
            raise BookError(f"{name}: in _toc.yml, but there is no such .ipynb or .md file")
        found.append(Page(name, existing[0]))
    return found


def _names(contents: dict) -> Iterator[str]:
    if "root" in contents:
        yield contents["root"]
    if "file" in contents:
        yield contents["file"]
    for key in ("parts", "chapters", "sections"):
        for entry in contents.get(key, []):
            yield from _names(entry)


def repository(root: Path = ROOT) -> str:
    """The address of the public repository, from pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def inputs_key(page: Page, parameters: dict[str, object], root: Path = ROOT) -> str:
    """A hash of all that the executed copy of a chapter depends on.

    These are its cells, every file of `ptlib`, the requirements, and the parameters (the profile is one).
    """
    digest = hashlib.sha256(repr(sorted(parameters.items())).encode())
    notebook = nbformat.read(page.source, as_version=4)
    for cell in notebook.cells:
        digest.update(repr((cell.cell_type, cell.source, cell.metadata)).encode())
    digest.update((root / "requirements.txt").read_bytes())
    for path in sorted((root / "ptlib").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(root)).encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
