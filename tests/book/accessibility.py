"""Pages in a browser without a window, as axe-core sees them: rules of accessibility, errors of scripts, width."""

from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.book.browser import PROGRAMS

# All rules that are on, and one that is not unless it is asked for.
RULES = {"label-content-name-mismatch": {"enabled": True}}
WIDE = """() => [...document.querySelectorAll("article *")].filter(element => {
    const box = element.getBoundingClientRect();
    const scrolls = box => box.tagName !== "ARTICLE"
        && (getComputedStyle(box).overflowX !== "visible" || scrolls(box.parentElement));
    return box.width && box.right > innerWidth + 1 && !scrolls(element.parentElement);
}).map(element => element.outerHTML.slice(0, 80))"""
CUT = """() => [...document.querySelectorAll("article *")].filter(element =>
    element.clientWidth && !element.closest("span.math, mjx-container") && element.scrollWidth > element.clientWidth + 1
    && getComputedStyle(element).overflowX !== "visible"
).map(element => element.outerHTML.slice(0, 80))"""
PAPER = 700  # pixels that A4 has beside its margins
# The theme's colours fade from light to dark, and half way nothing is told apart.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@contextmanager
def chromium():
    """The system's browser; none is downloaded."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=PROGRAMS[0], args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def faults(browser, files, *, theme, contrast=True):
    """What is wrong with pages: a line for each fault. To look at every contrast takes longer than all else."""
    options = {"rules": RULES | {"color-contrast": {"enabled": contrast}}}
    page, found = browser.new_page(color_scheme=theme), []
    page.on("pageerror", lambda error: found.append(f"a script fails: {error}"))
    for file in files:
        page.goto(file.as_uri())
        page.add_style_tag(content=STILL)
        for rule in Axe().run(page, options=options).response["violations"]:
            found += [f"{file.name}: {rule['id']}: {node['html'][:120]}" for node in rule["nodes"]]
    page.close()
    return found


def too_wide(browser, files, *, width):
    """What stands out of pages at the right, and does not scroll in a box of its own."""
    page, found = browser.new_page(viewport={"width": width, "height": 900}), []
    for file in files:
        page.goto(file.as_uri())
        found += [f"{file.name}: {element}" for element in page.evaluate(WIDE)]
    page.close()
    return found


def cut_on_paper(browser, files):
    """What stands in a box of its own that is too narrow for it, where nothing can be scrolled."""
    page, found = browser.new_page(viewport={"width": PAPER, "height": 1000}), []
    page.emulate_media(media="print")
    for file in files:
        page.goto(file.as_uri())
        found += [f"{file.name}: {element}" for element in page.evaluate(CUT)]
    page.close()
    return found
