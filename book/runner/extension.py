"""What Sphinx does beside its own for this book: bibliography labels like the citations, and pages put right."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pybtex.plugin
from pybtex.database import Entry
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx

from book.runner.finish import finish
from book.runner.references import authors

STATIC = Path(__file__).parent / "static"


class AuthorYearLabels(BaseLabelStyle):  # type: ignore[misc]
    """Labels such as "Wu et al., 2024"."""

    def format_labels(self, entries: Iterable[Entry]) -> Iterator[str]:
        """The label of each entry; what it lacks is left out."""
        for entry in entries:
            yield ", ".join(filter(None, (authors(entry) or entry.key, entry.fields.get("year"))))


class AuthorYear(Style):  # type: ignore[misc]
    """A bibliography whose labels read as the citations in the text do."""

    default_label_style = AuthorYearLabels


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    pybtex.plugin.register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    app.config.html_static_path.append(str(STATIC))
    app.add_css_file("pages.css")
    app.add_js_file("print.js")
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        finish(Path(app.outdir))
