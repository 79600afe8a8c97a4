"""What we found: every claim of every chapter with its verdict, and what the papers say on the same question.

Made from what the chapters kept, each time the pages are built, so that no sentence can differ from its number.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from book.runner.errors import BookError, first_line
from book.runner.pages import Page
from book.runner.quotes import literally

PAGE = "book/what-we-found"
PUBLISHED = Path("ptlib") / "book" / "published.toml"
ON_REAL = Path("ptlib") / "book" / "real" / "beside.toml"
OF_REAL, IS_OF_REAL = "on_real", "is about them"  # what chapters call their claims about real models
HOLDS, FALSE, NOT_MEASURED = "holds", "**does not hold**", "not measured"


def what_we_found(pages: Sequence[Page], values: Mapping[str, Mapping], profile: str, root: Path) -> str:
    """What stands below the text of the page, in Markdown.

    Raises:
        BookError: what the papers or real models say cannot be read, or is set beside a claim that no chapter makes.
    """
    chapters = {Path(page.name).name: page.name for page in pages if page.is_chapter}
    claims = {
        f"{chapter} {name}": about for chapter in chapters for name, about in values[chapter].get("claims", {}).items()
    }
    papers, on_real = _read(root, PUBLISHED), _read(root, ON_REAL)["claims"]
    beside = {claim: says for statement in papers["statements"] for claim, says in statement["claims"].items()}
    _require(claims, PUBLISHED, beside)
    _require(claims, ON_REAL, [*on_real, *(decided["by"] for decided in on_real.values())])
    real = {claim: IS_OF_REAL for claim in claims if claim.split()[1] == OF_REAL}
    real |= {claim: decided["says"] for claim, decided in on_real.items() if claims[decided["by"]]["holds"]}
    lines = [*_beside_the_papers(papers, claims), *_every_claim(chapters, claims, beside, real, profile)]
    return "\n".join([*lines, ""])


def verdict(about: Mapping) -> str:
    """Whether a claim holds; of what is no number it was not measured."""
    if about["holds"]:
        return HOLDS
    numbers = [number for need in about["needs"] for number in (*need["first"], *need["second"])]
    return NOT_MEASURED if None in numbers else FALSE


def _read(root: Path, file: Path) -> dict:
    try:
        return tomllib.loads((root / file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BookError(f"{file}: cannot be read ({first_line(str(error))}); restore it") from error


def _require(claims: Mapping[str, Mapping], file: Path, named: Iterable[str]) -> None:
    if unknown := [claim for claim in named if claim not in claims]:
        raise BookError(f"{file}: names the claim {unknown[0]!r}, which no chapter makes")


def _agrees(claim: str, about: Mapping, beside: Mapping[str, str]) -> str:
    """What a claim that holds says of the paper's sentence; one that does not hold says nothing of it."""
    return beside.get(claim, "") if about["holds"] else ""


def _beside_the_papers(papers: Mapping, claims: Mapping[str, Mapping]) -> Iterator[str]:
    yield "\n\n## Beside the papers\n\n| the paper says | known from | here |\n|---|---|---|"
    ours = {FALSE: "our claim does not hold here", NOT_MEASURED: "not measured here"}
    for statement in papers["statements"]:
        here = [
            f"*{_agrees(claim, claims[claim], statement['claims']) or ours[verdict(claims[claim])]}*: "
            f"{literally(claims[claim]['sentence'])}"
            for claim in statement["claims"]
        ]
        work = f"{{cite:t}}`{statement['work']}`"
        known = f"{work}, {papers['grades'][statement['grade']]}"
        yield f"| {literally(statement['says'])} | {known} | {'<br>'.join(here)} |"


def _every_claim(
    chapters: Mapping[str, str],
    claims: Mapping[str, Mapping],
    beside: Mapping[str, str],
    real: Mapping[str, str],
    profile: str,
) -> Iterator[str]:
    verdicts = [verdict(about) for about in claims.values()]
    yield (
        f"\n## Every claim\n\nProfile `{profile}`: {len(claims)} claims, of which {verdicts.count(HOLDS)} hold, "
        f"{verdicts.count(FALSE)} do not and {verdicts.count(NOT_MEASURED)} were not measured. The build of this book "
        "stops where a claim does not hold in a profile that it was written for. The sentences stand as they do in the "
        "chapters, where *these*, *it* and *that* have been named. The column *real models* says what two "
        "[real language models](07-real-language-models.ipynb) say of the same; where it is empty, or a table does not "
        "have it, they were not asked."
    )
    for chapter, page in chapters.items():
        rows = [
            (literally(about["sentence"]), verdict(about), _agrees(name, about, beside), real.get(name, ""))
            for name, about in claims.items()
            if name.split()[0] == chapter
        ]
        if rows:
            yield f"\n### [](/{page})\n"
            yield from _table(("claim", "here", "the paper", "real models"), rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown, without columns of which every cell is empty."""
    kept = [place for place in range(len(names)) if any(row[place] for row in rows)]
    for row in (names, ["---"] * len(names), *rows):
        yield f"| {' | '.join(row[place] for place in kept)} |"
