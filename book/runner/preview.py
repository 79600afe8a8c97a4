"""The page of a chapter on its own, to be read while others still run.

It has the chapter's text, figures and numbers; links to other pages lead nowhere yet. Building one page takes two or
three seconds, building all of them anew after each chapter would take minutes from the chapters that run.
"""

import json
from pathlib import Path

from book.runner.errors import BookError
from book.runner.jupyter_book import jupyter_book
from book.runner.pages import Page
from book.runner.run import Run, Verdict
from book.runner.stage import bare_stage, put_chapter

FOLDER = "preview"


def preview(page: Page, verdict: Verdict, run: Run) -> Path | None:
    """Make the page of an executed chapter; None if that fails, since the site's build will say why."""
    folder = run.build / FOLDER / Path(page.name).name
    try:
        bare_stage(folder, run)
        put_chapter(page, verdict, folder, run)
        # JSON is YAML, too.
        (folder / "_toc.yml").write_text(json.dumps({"format": "jb-book", "root": page.name}), encoding="utf-8")
        jupyter_book(folder, folder, run.root)
    except (BookError, OSError):
        return None
    html = folder / "_build" / "html" / f"{page.name}.html"
    return html if html.is_file() else None
