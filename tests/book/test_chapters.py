"""How chapters are written: cells that a page shows whole, letters that a telephone shows, exercises that answer."""

import re
import tomllib

import pytest

from book.runner.notebooks import read_notebook
from book.runner.pages import ROOT, pages
from ptlib.book.checks import CHECKS

RULES = tomllib.loads((ROOT / "book" / "ruff.toml").read_text(encoding="utf-8"))
CHAPTERS = [page for page in pages() if page.is_chapter]
NUMBERED = [page for page in CHAPTERS if re.match(r"\d\d\w?-", page.source.name)]
EXERCISE = re.compile(r"^\*\*(\d)\. [^*]+\*\* \((easy|medium|hard), \d+ minutes\)\. ", re.MULTILINE)
SOLUTION = re.compile(r"^:::\{dropdown\} A solution\n(.{80,}?)\n:::", re.MULTILINE | re.DOTALL)


def named(page):
    return page.source.stem


@pytest.mark.parametrize("page", CHAPTERS, ids=named)
def test_code_is_seen_whole(page):
    for cell in read_notebook(page.source).cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 25, f"{len(lines)} lines: {lines[0]}"
            assert not [line for line in lines if len(line) > RULES["line-length"]]


@pytest.mark.parametrize("page", CHAPTERS, ids=named)
def test_figures_have_letters_that_a_telephone_shows(page):
    for cell in read_notebook(page.source).cells:
        assert not [size for size in re.findall(r"fontsize=(\d+)", cell.source) if int(size) < 9]
        assert not [width for width in re.findall(r"figsize=\((\d+\.?\d*)", cell.source) if float(width) > 4.8]


@pytest.mark.parametrize("page", NUMBERED, ids=named)
def test_every_exercise_has_its_difficulty_a_check_and_a_solution_that_says_what_it_means(page):
    cells = read_notebook(page.source).cells
    chapter = page.source.name.partition("-")[0].removeprefix("0")
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = text.partition("\n## Exercises\n")[2].partition("\n## ")[0]
    numbers = [found[1] for found in EXERCISE.finditer(text)]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert numbers
    parts = re.split(r"^\*\*\d\. ", text, flags=re.MULTILINE)[1:]
    assert len(parts) == len(numbers)
    for number, part in zip(numbers, parts, strict=True):
        assert f'pt.book.check("{chapter}.{number}", ' in part
        assert f"{chapter}.{number}" in CHECKS
        (meaning,) = SOLUTION.findall(part)
        assert meaning.count(". ") + meaning.count("` ") >= 1
    code = "\n".join(cell.source for cell in cells if "solution" in cell.metadata.get("tags", []))
    assert set(re.findall(r"pt\.book\.check\([\"'](\d\w?\.\d)", code)) == {f"{chapter}.{number}" for number in numbers}
