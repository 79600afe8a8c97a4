"""What the book consists of: the pages in `_toc.yml`, and what stands in its other settings."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import yaml

from book.runner.errors import BookError, first_line

ROOT = Path(__file__).resolve().parents[2]


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
    """All pages in the order of the table of contents.

    Raises:
        BookError: `_toc.yml` is missing, no YAML or of another shape, or names a page twice or one that is not there.
    """
    contents = _yaml(root / "_toc.yml")
    if "root" not in contents:
        raise BookError("_toc.yml: has no root; name the first page there, such as `root: book/index`")
    names = list(_names(contents))
    for name, times in Counter(names).items():
        if times > 1:
            raise BookError(f"_toc.yml: names {name} {times} times; leave one")
    found = [_page(name, root) for name in names]
    for name, times in Counter(Path(page.name).name for page in found if page.is_chapter).items():
        if times > 1:  # numbers are kept under that name, and --only asks for it
            raise BookError(f"_toc.yml: {times} chapters are called {name}, in several folders; rename all but one")
    return found


def _page(name: str, root: Path) -> Page:
    for source in (root / f"{name}.ipynb", root / f"{name}.md"):
        if source.exists():
            return Page(name, source)
    raise BookError(f"{name}: in _toc.yml, but there is no such .ipynb or .md file")


def _names(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        raise BookError(f"_toc.yml: {entry!r} stands where an entry such as `file: book/index` belongs")
    for key in ("root", "file"):
        if key in entry:
            if not isinstance(entry[key], str):
                raise BookError(f"_toc.yml: {key} is {entry[key]!r}; it must be the name of a page")
            yield entry[key]
    for key in ("parts", "chapters", "sections"):
        below = entry.get(key, [])
        if not isinstance(below, list):
            raise BookError(f"_toc.yml: {key} is {below!r}; it must be a list of entries such as `- file: book/index`")
        for each in below:
            yield from _names(each)


def check_settings(root: Path = ROOT) -> None:
    """See that what every chapter and the site need is there, before chapters run for long.

    Raises:
        BookError: `requirements.txt`, `_config.yml`, or the address or version in `pyproject.toml` is missing or cannot
            be read.
    """
    _text(root / "requirements.txt")
    settings(root)
    repository(root)
    version(root)


def settings(root: Path = ROOT) -> dict:
    """What stands in `_config.yml`.

    Raises:
        BookError: the file is missing or cannot be read.
    """
    return _yaml(root / "_config.yml")


def repository(root: Path = ROOT) -> str:
    """The address of the public repository, from pyproject.toml.

    Raises:
        BookError: the file or the address is missing, or the file is no TOML.
    """
    try:
        return _project(root)["urls"]["Repository"]
    except (KeyError, TypeError) as error:
        raise BookError("pyproject.toml: has no Repository under [project.urls]; put the address there") from error


def has_owner(address: str) -> bool:
    """Whether an address is somebody's, and not the one with OWNER that stands in pyproject.toml at first."""
    return "/OWNER/" not in address


def owner_and_name(address: str) -> str:
    """The part of an address that names a repository on its host, such as "someone/some-book"."""
    return urlparse(address).path.strip("/").removesuffix(".git")


def version(root: Path = ROOT) -> str:
    """The version of the library: in pyproject.toml, or in the library where that says so.

    Raises:
        BookError: there is none.
    """
    project, module = _project(root), root / "ptlib" / "__init__.py"
    if "version" in project:
        return project["version"]
    if "version" in project.get("dynamic", []) and (found := re.search(r'^__version__ = "(.+)"', _text(module), re.M)):
        return found[1]
    raise BookError("pyproject.toml: has no version under [project]; put it there")


def _project(root: Path) -> dict:
    try:
        return tomllib.loads(_text(root / "pyproject.toml")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise BookError(f"pyproject.toml: not TOML ({first_line(str(error))}); repair it") from error


def _yaml(path: Path) -> dict:
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise BookError(f"{path.name}: not YAML{where}; repair it") from error
    if not isinstance(content, dict):
        what = "empty" if content is None else f"a {type(content).__name__}, not names with values"
        raise BookError(f"{path.name}: {what}; restore it")
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BookError(f"{path.name}: missing in {path.parent}; restore it") from error
    except UnicodeDecodeError as error:
        raise BookError(f"{path.name}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
