"""What is put right in the built pages: figures in both themes, and what the theme gives a screen reader wrongly."""

import copy
import re
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup
from bs4.element import Tag

INK = "#e8e8e8"
# What matplotlib draws in black without saying so gets its colour from the whole drawing. Blue is too dark on black.
COLOURS = {
    "fill: #ffffff": "fill: none",
    "#000000": INK,
    "#e5e5e5": "#3d3d3d",  # the grid
    "#0072b2": "#3d9be0",
    "<svg ": f'<svg fill="{INK}" ',
}
DARK = ".dark.svg"
MARKS = re.compile(r"~[\w.]+\.(?P<name>\w+)|<factory>")


def finish(html: Path) -> None:
    """Put right every page of a built site."""
    for page in sorted(html.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for image in soup.select('article img[src$=".svg"]'):
            _in_both_themes(image, page.parent)
        _without_thebe(soup)
        _for_all_readers(soup)
        _as_python_says_it(soup)
        page.write_text(str(soup), encoding="utf-8")


def in_light_ink(drawing: str) -> str:
    """A drawing of matplotlib, made in dark ink on white, in light ink on nothing; it names its colours in its text."""
    for dark, light in COLOURS.items():
        drawing = drawing.replace(dark, light)
    return drawing


def _in_both_themes(image: Tag, folder: Path) -> None:
    """Put the drawing for the dark theme beside that for the light one; a page shows the one that fits."""
    source = str(image["src"])
    path = folder / unquote(source)
    if not path.is_file() or "Matplotlib v" not in (drawing := path.read_text(encoding="utf-8")):
        return
    path.with_suffix(DARK).write_text(in_light_ink(drawing), encoding="utf-8")
    dark = copy.copy(image)
    # Names of its own, since the theme hides the caption too where an image is `only-light`; see pages.css.
    classes = " ".join(filter(None, image.get_attribute_list("class")))
    image["class"], dark["class"] = f"{classes} for-light".strip(), f"{classes} for-dark".strip()
    dark["src"] = source.removesuffix(".svg") + DARK
    image.insert_after(dark)


def _without_thebe(soup: BeautifulSoup) -> None:
    """Without the scripts of Thebe, which no page uses: the theme loads them twice, and the second fails."""
    for script in soup.find_all("script"):
        if "THEBE" in script.text or "thebe" in str(script.get("src", "") or script.get("type", "")):
            script.decompose()


def _for_all_readers(soup: BeautifulSoup) -> None:
    """No heading without words, no button that is called otherwise than it reads, nothing outside of a landmark."""
    for heading in soup.find_all("th"):
        if not heading.get_text(strip=True):
            heading.name = "td"
    for button in soup.select("button.search-button__button[aria-label], summary[aria-label]"):
        del button["aria-label"]  # its text is its name, and where there is none its title
    for icon in soup.select("button[aria-label] > i[title]"):
        del icon["title"]  # which would be read beside the button's name, three at a time
    if sidebar := soup.find(id="pst-primary-sidebar"):
        sidebar["role"], sidebar["aria-label"] = "region", "The book"
    for entry in soup.select('[role="doc-biblioentry"]'):
        entry["role"] = "listitem"


def _as_python_says_it(soup: BeautifulSoup) -> None:
    """Names and signatures of the reference without the marks that Sphinx leaves in them."""
    for text in soup.find_all(string=MARKS):
        if text.find_parent(class_="py"):
            text.replace_with(MARKS.sub(lambda mark: mark["name"] or "...", text))
    for signature in soup.select("dl.py > dt"):
        if [parameter.get_text() for parameter in signature.select(".sig-param")] == ["*args", "**kwargs"]:
            # A protocol, of which no instance is made.
            for part in [*signature.select(".sig-param, .sig-paren"), *signature.find_all(string=", ")]:
                part.extract()
