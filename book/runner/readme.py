"""Command line: `python -m book.runner.readme` puts what the last `make book` measured into the README.

Its numbers stand between marks that name a chapter and what it noted, as in
`<!-- noted: 03b-shared-words title_words:.0% -->96%<!-- / -->`; its picture is one that a chapter noted.
"""

import re
import sys
from pathlib import Path

from book.runner.errors import BookError
from book.runner.files import write_text
from book.runner.kept import read_note
from book.runner.notebooks import read_notebook
from book.runner.pages import ROOT, pages
from book.runner.quotes import fill, noted
from book.runner.results import figures
from book.runner.run import Run

MARKED = re.compile(r"(?P<mark><!-- noted: (?P<what>[^>]+?) -->)[^<]*(?P<end><!-- / -->)")
PICTURE = "headline.png"


def filled(text: str, values: dict) -> str:
    """The README's text with the numbers that it names.

    Raises:
        BookError: it names what no chapter noted.
    """
    return MARKED.sub(lambda it: it["mark"] + fill("README", f"{{noted}}`{it['what']}`", values) + it["end"], text)


def main(root: Path = ROOT) -> int:
    """Bring the README up to date; returns the exit status."""
    run, readme = Run(root, root / "_build", {"profile": "pocket"}), root / "README.md"
    chapters = [page for page in pages(root) if page.is_chapter]
    notes = [read_note(run.note(page)) for page in chapters]
    if not all(notes):
        print("not all chapters have been executed; run `make book` first", file=sys.stderr)
        return 1
    try:
        values = noted(chapters, sum(note.seconds for note in notes if note), run)
        write_text(readme, filled(readme.read_text(encoding="utf-8"), values))
        for page in chapters:
            if image := figures(read_notebook(run.notebook(page))).get(PICTURE):
                (root / "book" / "_static" / PICTURE).write_bytes(image)
    except BookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
