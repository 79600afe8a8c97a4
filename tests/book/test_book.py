"""Every chapter in the smoke profile, through the runner as a user calls it, and the claims of each chapter."""

import json
import os
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from book.runner.pages import ROOT, pages
from book.runner.quotes import BOOK
from book.runner.readme import filled
from tests.book.browser import browser, needs_browser

pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "book.runner", "--profile", "smoke", "--build", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def noted(build):
    """The numbers of each chapter."""
    files = (build / "results" / "smoke").glob("*.json")
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def numbered():
    """The chapters; other notebooks say how to, or are for reference."""
    return [page for page in pages() if re.match(r"book/\d\d[a-z]?-", page.name)]


def test_every_page_was_built(build):
    for page in pages():
        html = BeautifulSoup((build / "html" / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")
        assert html.find("h1")
        assert "Traceback" not in html.text


def test_chapters_show_figures_and_computed_numbers(build):
    for page in numbered():
        html = BeautifulSoup((build / "html" / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")
        assert len(html.select("article img.for-light")) == len(html.select("article img.for-dark")) > 0
        assert html.select(".pasted-text")
        assert not [element.text for element in html.select(".pasted-text") if "nan" in element.text.lower()]


def test_solutions_are_hidden_and_were_run(build):
    for page in numbered():
        notebook = json.loads((build / "executed" / "smoke" / f"{page.name}.ipynb").read_text(encoding="utf-8"))
        solutions = [cell for cell in notebook["cells"] if "solution" in cell["metadata"].get("tags", [])]
        assert solutions, f"{page.name} has no exercise with a solution"
        for cell in solutions:
            assert "hide-cell" in cell["metadata"]["tags"]
            assert cell["execution_count"]
        code = "\n".join("".join(cell["source"]) for cell in solutions)
        checked = set(re.findall(r"check\([\"'](\d\w?\.\d)", code))
        printed = json.dumps([cell["outputs"] for cell in solutions])
        assert printed.count("Right: ") >= len(checked), f"{page.name}: a solution does not pass its check"


def plain(text):
    """A text without what a page makes of its quotes."""
    return re.sub('[\u201c\u201d"]', '"', re.sub("[\u2018\u2019]", "'", text))


def test_every_chapter_claims_what_it_says_and_says_what_it_claims(build, noted):
    for page in [*numbered(), *(page for page in pages() if page.name == "book/how-to-adapters")]:
        claims = noted[page.name.partition("/")[2]]["claims"]
        assert len(claims) >= 3
        false = {name for name, about in claims.items() if not about["holds"]}
        assert not [name for name in false if "smoke" in claims[name]["profiles"]]
        assert [name for name, about in claims.items() if "smoke" in about["profiles"]]
        html = BeautifulSoup((build / "html" / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")
        shown = {plain(element.text) for element in html.select(".pasted-text")}
        for name in claims:
            said = noted[page.name.partition("/")[2]][name]
            assert claims[name]["sentence"] in said or name in false
            assert plain(said) in shown, f"{page.name} does not show its claim {name}"


def test_explorers_show_the_rows_of_their_tables(build):
    for page, choices in {"03b-shared-words": 4, "05-waywardness": 2}.items():
        html = BeautifulSoup((build / "html" / "book" / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
        (box,) = html.select(".explorer")
        text = box.find("script", type="application/json").text
        data, rows = json.loads(text), [[cell.text for cell in row.select("td")] for row in box.select("tbody tr")]
        assert len(text) < 200_000
        assert len(data["choose"]) == choices
        assert len(data["rows"]) == len(rows) > 3
        for about, row in zip(data["rows"], rows, strict=True):
            plain = [value if isinstance(value, str) else f"{value:g}" for value in list(about.values())[:5]]
            assert row[:5] == plain


@needs_browser
def test_the_welcome_page_answers_without_scrolling(build):
    with browser() as session:
        session.ask("POST", "/window/rect", {"width": 1400, "height": 900})
        session.open(build / "html" / "book" / "index.html")
        answers = session.text(".sd-row")
        for question in ("What is this?", "Why should I care?", "How long does it take?"):
            assert question in answers
        assert re.search(r"gives \d+% of the facts", answers)
        seen = "[...document.querySelectorAll('.sd-row p, .sd-row img')].map(it => it.getBoundingClientRect().bottom)"
        bottoms = session.evaluate(seen)
        assert len(bottoms) >= 5
        assert max(bottoms) <= session.evaluate("window.innerHeight")


def test_the_page_of_claims_has_every_claim(build, noted):
    html = BeautifulSoup((build / "html" / "book" / "what-we-found.html").read_text(encoding="utf-8"), "html.parser")
    cells = {plain(cell.text) for cell in html.select("td")}
    for claims in (about["claims"] for about in noted.values() if "claims" in about):
        assert {plain(about["sentence"]) for about in claims.values()} <= cells
    assert "{noted}" not in html.text


def test_the_readme_names_what_chapters_note(noted):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    values = noted | {BOOK: {"minutes": 1, "reading_minutes": 2}}
    assert "<!-- noted: book minutes -->1<!-- / -->" in filled(text, values)
    assert f"{noted['03b-shared-words']['title_words']:.0%}" in filled(text, values)


@needs_browser
def test_no_page_is_told_wrongly_or_wider_than_its_screen_or_cut_on_paper(build):
    from tests.book.accessibility import chromium, cut_on_paper, faults, too_wide

    files = [build / "html" / f"{page.name}.html" for page in pages()]
    with chromium() as window:
        assert faults(window, [*files, build / "html" / "search.html"], theme="light", contrast=False) == []
        for theme in ("light", "dark"):
            assert faults(window, files[:2], theme=theme) == []
        assert too_wide(window, files, width=400) == []
        assert cut_on_paper(window, files) == []


TURNED = {
    "00-pocket-models": "ptlib.scoring.scores.slot_logits",  # the answer is the unlikeliest word
    "01-prompt-tuning": "ptlib.tuning.gradients.Gradients.at",  # tuning goes uphill
    "02-relative-encoding": "ptlib.carrying.by_relations.closed_form",
    "03-transfer-search": "ptlib.carrying.by_relations.closed_form",
    "03b-shared-words": "ptlib.tuning.gradients.Gradients.at",
    "04-many-sources": "ptlib.carrying.by_relations.closed_form",
    "05-waywardness": "ptlib.tuning.descent.Pull.gradient",  # prompts are driven away from their texts
    "06-do-wayward-prompts-travel": "ptlib.carrying.by_relations.closed_form",
    "07-real-language-models": "ptlib.book.real.summary.Scores.mean",  # of scores that are kept
    "08-what-real-prompts-say": "ptlib.book.real.named_by_prompt",
}
# In these prompts are tuned, so that prompts of the right sign must not be taken from the cache.
TUNES = ("01-prompt-tuning", "03b-shared-words", "05-waywardness")


@pytest.mark.parametrize("chapter", [page.name.partition("/")[2] for page in numbered()])
def test_a_sign_turned_round_in_the_library_fails_the_chapter_and_names_the_sentence(chapter, build, noted, tmp_path):
    environment = os.environ | {"PTLIB_CACHE": str(tmp_path if chapter in TUNES else build / "prompts")}
    environment |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "tests.book.turned", chapter, TURNED[chapter]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    complaint = done.stdout.strip().splitlines()[-1]
    assert complaint.startswith(f"{chapter}: does not hold: ")
    assert re.search(r"\([^()]*\d [<>=] [^()]*\d[^()]*(\([^()]*\))?", complaint), "names no numbers"
