"""What chapters noted, in pages that are no chapters; and the page of all claims."""

import json
import re

import pytest

from book.runner.errors import BookError
from book.runner.found import FALSE, HOLDS, NOT_MEASURED, ON_REAL, PUBLISHED, verdict
from book.runner.quotes import fill

pytestmark = pytest.mark.usefixtures("no_kernel", "no_sphinx")

VALUES = {"01-one": {"share": 0.961, "said": "It's 0.8 | *more*.", "gone": None}, "book": {"minutes": 27}}


def test_a_quote_is_the_value_in_its_form():
    text = "Of {noted}`01-one share:.0%` in {noted}`book minutes` minutes; {noted}`01-one gone:.2f`."
    assert fill("book/a", text, VALUES) == "Of 96% in 27 minutes; (not measured here)."


def test_a_sentence_is_shown_as_it_is_said():
    assert fill("book/a", "{noted}`01-one said`", VALUES) == r"It's 0.8 \| \*more\*."


@pytest.mark.parametrize(
    ("quote", "complaint"),
    [
        ("{noted}`01-one other`", "book/a: quotes 'other' of '01-one', which noted no such thing"),
        ("{noted}`02-two share`", "book/a: quotes 'share' of '02-two', which noted no such thing"),
        ("{noted}`01-one said:.2f`", "book/a: cannot show {noted}`01-one said:.2f`"),
    ],
)
def test_a_quote_of_nothing_is_refused(quote, complaint):
    with pytest.raises(BookError, match=re.escape(complaint)):
        fill("book/a", quote, VALUES)


def test_the_welcome_page_is_filled_on_the_stage(book):
    (book.root / "book" / "index.md").write_text("# Index\n\n{noted}`book reading_minutes` minutes\n", encoding="utf-8")
    assert book.run_all() == 0, book.output
    assert "\n1 minutes\n" in (book.build / "stage" / "book" / "index.md").read_text(encoding="utf-8")
    (book.root / "book" / "index.md").write_text("# Index\n\n{noted}`01-one share`\n", encoding="utf-8")
    assert book.run_all() == 1
    assert book.output.strip().endswith("book/index: quotes 'share' of '01-one', which noted no such thing")


PAPERS = """
[grades]
author = "the first author's account"
[[statements]]
says = "Up it goes."
work = "wu2024zeroshot"
grade = "author"
claims = { "01-one up" = "agrees", "01-one down" = "does not agree" }
"""


REAL = """
[claims]
"01-one up" = { by = "02-two up", says = "holds too" }
"01-one none" = { by = "02-two down", says = "holds too" }
"""


def claimed(holds, first=1.0, sentence="So | it is."):
    return {"sentence": sentence, "holds": holds, "needs": [{"first": [first], "second": [0.5]}]}


@pytest.fixture
def found(book, monkeypatch):
    """A book with the page, of which each chapter makes three claims; gives the page as it is staged."""
    contents = (book.root / "_toc.yml").read_text(encoding="utf-8")
    (book.root / "_toc.yml").write_text(contents + "- file: book/what-we-found\n", encoding="utf-8")
    (book.root / "book" / "what-we-found.md").write_text("# What we found\n", encoding="utf-8")
    (book.root / PUBLISHED).parent.mkdir(parents=True)
    (book.root / PUBLISHED).write_text(PAPERS, encoding="utf-8")
    (book.root / ON_REAL).parent.mkdir()
    (book.root / ON_REAL).write_text(REAL, encoding="utf-8")
    first = {"up": claimed(True), "down": claimed(False, sentence="Down."), "none": claimed(False, None, "None.")}
    second = {"up": claimed(True), "down": claimed(False), "on_real": claimed(True, sentence="Real.")}
    monkeypatch.setattr("book.runner.results.claims", lambda notebook: second if "# Two" in str(notebook) else first)
    book.write("02-two", "# Two")

    def page():
        assert book.run_all() == 0, book.output
        return (book.build / "stage" / "book" / "what-we-found.md").read_text(encoding="utf-8")

    return page


def test_every_claim_is_shown_with_its_verdict(found, book):
    text = found()
    kept = json.loads((book.build / "results" / "pocket" / "01-one.json").read_text(encoding="utf-8"))["claims"]
    assert [verdict(about) for about in kept.values()] == [HOLDS, FALSE, NOT_MEASURED]
    assert text.count("### [](/book/") == 2
    assert r"| So \| it is. | holds | agrees | holds too |" in text
    assert "| Down. | **does not hold** |  |  |" in text
    assert "| None. | not measured |  |  |" in text
    assert "6 claims, of which 3 hold, 2 do not and 1 were not measured" in text


def test_what_is_about_real_models_says_so_and_columns_without_a_word_are_left_out(found):
    first, second = found().split("### [](/book/")[1:]
    assert "| claim | here | the paper | real models |" in first
    assert "| claim | here | real models |" in second
    assert "| Real. | holds | is about them |" in second


def test_what_the_paper_says_stands_beside_what_we_claim(found):
    text = found()
    row = next(line for line in text.splitlines() if line.startswith("| Up it goes."))
    assert "the first author's account" in row
    assert r"*agrees*: So \| it is.<br>*our claim does not hold here*: Down." in row


def test_a_paper_beside_no_claim_is_refused(found, book):
    (book.root / PUBLISHED).write_text(PAPERS.replace("one up", "one gone"), encoding="utf-8")
    assert book.run_all() == 1
    assert book.output.strip().endswith("names the claim '01-one gone', which no chapter makes")


def test_real_models_beside_no_claim_are_refused(found, book):
    (book.root / ON_REAL).write_text(REAL.replace("02-two up", "02-two gone"), encoding="utf-8")
    assert book.run_all() == 1
    assert book.output.strip().endswith("beside.toml: names the claim '02-two gone', which no chapter makes")
