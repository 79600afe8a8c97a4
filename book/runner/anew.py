"""Command line: `python -m book.runner.anew` computes the book without prompts that were tuned before.

Everything is tuned anew, in a folder of its own; then it says how far any number is from that of the book that stands,
and puts the prompts in place of those that came along.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from book.runner import __main__ as runner
from book.runner.pages import ROOT, pages

PROMPTS = Path("ptlib", "pocket", "prompts")


def main(root: Path = ROOT) -> int:
    """Compute everything; returns the exit status. Where it was stopped, it goes on when it is called again."""
    build, chapters = root / "_build" / "anew", [page for page in pages(root) if page.is_chapter]
    os.environ |= {"PTLIB_PACKS": "", "PTLIB_NEW_PACKS": str(build / "packs")}
    only = [Path(page.name).name for page in chapters]
    if status := runner.main(["--build", str(build), "--only", *only], root):
        return status
    for name in only:
        results = [folder / "results" / "pocket" / f"{name}.json" for folder in (root / "_build", build)]
        print("\n".join(moved(name, *(_numbers(path) for path in results))))
    from ptlib.keeping.packs import gather

    gather(build / "packs", root / PROMPTS)
    shutil.rmtree(build)
    print(f"the prompts that come along are those of this run now: {root / PROMPTS}")
    return 0


def moved(chapter: str, before: dict[str, float], after: dict[str, float]) -> Iterator[str]:
    """How far the numbers of a chapter are from those before, in lines, farthest first."""
    away = {name: after[name] - number for name, number in before.items() if name in after}
    apart = {name: by for name, by in away.items() if by}
    farthest = max(map(abs, apart.values()), default=0)
    yield f"{chapter}: {len(apart)} of {len(away)} numbers moved, by {farthest:.4g} at most"
    for name in sorted(apart, key=lambda name: -abs(apart[name])):
        yield f"    {name}: {before[name]:.4g} to {after[name]:.4g}"
    if other := sorted(before.keys() ^ after.keys()):
        yield f"    only in one of both: {', '.join(other)}"


def _numbers(path: Path) -> dict[str, float]:
    """All numbers in a file of results, by where they stand; none if there is no such file."""
    return dict(_within(json.loads(path.read_text(encoding="utf-8")), ())) if path.is_file() else {}


def _within(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _within(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _within(inner, (*place, str(number)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield " ".join(place), float(value)


if __name__ == "__main__":
    sys.exit(main())
