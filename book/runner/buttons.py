"""The buttons on top of built pages: to Colab, to the repository and to the notebook itself.

They lead to the reader's notebooks. As long as the repository has no address, there are none to Colab or to it.
"""

import shutil
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

from book.runner.errors import BookError
from book.runner.pages import Page, has_owner, owner_and_name, repository, settings
from book.runner.reader import FOLDER

COLAB = "https://colab.research.google.com/github"
ADDRESSED = ("use_repository_button", "use_issues_button", "use_edit_page_button", "use_source_button")


def put_settings(root: Path, folder: Path) -> None:
    """Put the book's settings on a stage, without buttons that would lead nowhere."""
    if has_owner(repository(root)):
        shutil.copy(root / "_config.yml", folder)
        return
    told = {name: value for name, value in settings(root).items() if name not in ("repository", "launch_buttons")}
    told["html"] = told.get("html", {}) | dict.fromkeys(ADDRESSED, False)
    (folder / "_config.yml").write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), encoding="utf-8")


def lead_to_readers(pages: list[Page], html: Path, readers: Path) -> None:
    """Let the Colab and the download button of each chapter give its reader's notebook.

    The theme takes it that a branch has the folders of the book; the branch of the reader's notebooks has none.
    """
    for page in (page for page in pages if page.is_chapter):
        file, name = html / f"{page.name}.html", f"{Path(page.name).name}.ipynb"
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(f"/blob/{FOLDER}/{page.name}.ipynb", f"/blob/{FOLDER}/{name}"), "utf-8")
        if (download := html / "_sources" / f"{page.name}.ipynb").is_file():
            shutil.copyfile(readers / name, download)


def check_buttons(page: Page, soup: BeautifulSoup, address: str) -> None:
    """See where the links of a built page lead.

    Raises:
        BookError: a chapter has no button that leads to its reader's notebook on Colab; or a link leads to the
            repository though that has no address.
    """
    if not has_owner(address):
        for link in soup.find_all("a", href=True):
            if not has_owner(str(link["href"])):
                raise BookError(f"{page.name}: has a link to {link['href']}, while the repository has no address")
    elif page.is_chapter:
        wanted = f"{COLAB}/{owner_and_name(address)}/blob/{FOLDER}/{Path(page.name).name}.ipynb"
        if not soup.find("a", href=wanted):
            raise BookError(f"{page.name}: no Colab button leads to {wanted}")
