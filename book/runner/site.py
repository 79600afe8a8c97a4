"""The site: built by Jupyter Book into an empty folder, checked, and only then put in place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

from bs4 import BeautifulSoup

from book.runner.pages import ROOT, BookError, Page, repository


def build_site(pages: list[Page], staged: Path, build: Path, root: Path = ROOT) -> Path:
    """Build the pages from the stage and return the folder of the finished site.

    Sphinx trusts modification times, so the output folder is always a new one. The site of the last
    build stays until the new one has passed every check.
    """
    fresh, final = build / "fresh", build / "html"
    shutil.rmtree(fresh, ignore_errors=True)
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(staged)]
    command += ["--path-output", str(fresh), "-W", "-n", "--keep-going"]
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    log = build / "site.log"
    log.write_text(result.stdout + result.stderr, encoding="utf-8")
    if result.returncode:
        warnings = [line for line in log.read_text().splitlines() if "WARNING" in line or "ERROR" in line]
        raise BookError(f"Jupyter Book found faults (all in {log}):\n" + "\n".join(warnings[:10]))
    html = fresh / "_build" / "html"
    check_site(pages, html, repository(root))
    shutil.rmtree(final, ignore_errors=True)
    shutil.move(html, final)
    shutil.rmtree(fresh)
    return final


def check_site(pages: list[Page], html: Path, address: str) -> None:
    """Check what was built.

    Raises:
        BookError: a page is missing, an image has no alt text of its own, or a chapter has no Colab button
            that leads to its source.
    """
    for page in pages:
        file = html / f"{page.name}.html"
        if not file.exists():
            raise BookError(f"{page.name}: in _toc.yml, but no page was built")
        soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        for image in (soup.find("article") or soup).find_all("img"):
            source, alt = image.get("src", ""), (image.get("alt") or "").strip()
            if not alt or Path(urlparse(alt).path).suffix in (".png", ".svg", ".jpg"):
                raise BookError(f"{page.name}: the image {source} has no alt text")
        if page.is_chapter:
            path = urlparse(address).path
            wanted = f"https://colab.research.google.com/github{path}/blob/main/{page.name}.ipynb"
            if not soup.find("a", href=wanted):
                raise BookError(f"{page.name}: no Colab button leads to {wanted}")
    if not (html / "index.html").exists():
        raise BookError("no index.html was built; is jupyter-book 1 installed?")
