"""The site: built by Jupyter Book into an empty folder, checked, and only then put in place."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlparse

from book.runner.buttons import check_buttons, lead_to_readers
from book.runner.errors import BookError, in_one_line
from book.runner.files import emptied, sha256, write_text
from book.runner.inputs import library_key
from book.runner.jupyter_book import faults, jupyter_book
from book.runner.pages import Page, repository
from book.runner.run import Run

MADE_FROM = ".made-from"  # a file in the site with the hash of what it was made from, so it always belongs to it
ASIDE = "old-site-"  # how folders begin in which an old site waits until the new one is in place


def build_site(pages: list[Page], staged: Path, readers: Path, run: Run) -> Path:
    """Build the pages from the stage, unless the site is made from the same already; return the site's folder.

    The buttons of chapters give the reader's notebooks, which lie in the folder `readers`.

    Sphinx trusts modification times, so the output folder is always a new one. The site of the last
    build stays until the new one has passed every check.

    Raises:
        BookError: Jupyter Book or the checks find faults, or the old site cannot be moved out of the way.
        OSError: something could not be written.
    """
    final, key = run.build / "html", _site_key(staged, readers, run.root)
    if _stands(final, key, pages):
        return final
    print("building the pages ...", flush=True)
    fresh = emptied(run.build / "fresh")
    status, log = jupyter_book(staged, fresh, run.root, "-W", "-n", "--keep-going")
    write_text(run.build / "site.log", log)
    if status:
        raise BookError(faults(status, log, run.build / "site.log"))
    html = fresh / "_build" / "html"
    lead_to_readers(pages, html, readers)
    check_site(pages, html, repository(run.root))
    write_text(html / MADE_FROM, key)
    place(html, final)
    shutil.rmtree(fresh, ignore_errors=True)  # the site stands; what is left here is removed by the next build
    return final


def _site_key(staged: Path, readers: Path, root: Path) -> str:
    """A hash of all that the site is made from: stage, reader's notebooks, and the library with its docstrings."""
    digest = hashlib.sha256((library_key(root) + repository(root)).encode())
    runner = Path(__file__).parent  # it decides how the pages are built, and what passes
    for folder in (staged, readers, runner):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder)} {sha256(path)}".encode())
    return digest.hexdigest()


def _stands(site: Path, key: str, pages: list[Page]) -> bool:
    made_from = site / MADE_FROM
    if not (made_from.is_file() and made_from.read_text(encoding="utf-8", errors="replace") == key):
        return False
    return all((site / f"{name}.html").is_file() for name in ["index", *(page.name for page in pages)])


def place(html: Path, final: Path) -> None:
    """Put a finished site in place of the old one, which is moved and never removed first.

    Raises:
        BookError: the old site cannot be moved out of the way; it stays as it is.
        OSError: the new site cannot be moved into place; the old one is put back.
    """
    if not final.exists():
        os.rename(html, final)
        return
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=final.parent)) / final.name
    try:
        os.rename(final, aside)
    except OSError as error:
        aside.parent.rmdir()
        raise BookError(
            f"{final}: the old site cannot be moved out of the way ({in_one_line(error)}); "
            f"remove it, and run again; the new one waits in {html}"
        ) from error
    try:
        os.rename(html, final)
    except BaseException:
        os.rename(aside, final)
        raise
    shutil.rmtree(aside.parent, ignore_errors=True)


def tidy(build: Path) -> None:
    """Put right what a killed runner left: a site that was moved aside comes back if no new one took its place."""
    for folder in sorted(build.glob(f"{ASIDE}*")):
        if not (build / "html").exists() and (folder / "html").exists():
            os.rename(folder / "html", build / "html")
        shutil.rmtree(folder, ignore_errors=True)


def check_site(pages: list[Page], html: Path, address: str) -> None:
    """Check what was built.

    Raises:
        BookError: a page is missing, an image has no alt text of its own, or buttons lead elsewhere than to the
            reader's notebooks.
    """
    from bs4 import BeautifulSoup

    for page in pages:
        file = html / f"{page.name}.html"
        if not file.exists():
            raise BookError(f"{page.name}: in _toc.yml, but no page was built")
        soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        for image in (soup.find("article") or soup).find_all("img"):
            source, alt = image.get("src", ""), str(image.get("alt") or "").strip()
            if not alt or Path(urlparse(alt).path).suffix in (".png", ".svg", ".jpg"):
                raise BookError(f"{page.name}: the image {source} has no alt text")
        check_buttons(page, soup, address)
    if not (html / "index.html").exists():
        raise BookError("no index.html was built; is jupyter-book 1 installed?")
