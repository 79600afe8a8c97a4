"""Command line: `python -m book.runner` executes what has changed and builds the book."""

import argparse
import ast
import json
import sys
from pathlib import Path

import nbformat

from book.runner.execute import Executed, Verdict, run_chapter
from book.runner.pages import ROOT, BookError, Page, pages
from book.runner.results import results
from book.runner.site import build_site
from book.runner.stage import stage


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the book; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m book.runner", description=__doc__)
    parser.add_argument("--profile", default="pocket", choices=["smoke", "pocket", "paper"])
    parser.add_argument("--build", type=Path, default=root / "_build", help="where everything that is made goes")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="execute these chapters alone, and build no pages")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="set a parameter")
    options = parser.parse_args(arguments)
    try:
        return _run(options, {"profile": options.profile, **{name: _value(value) for name, value in options.p}}, root)
    except BookError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, parameters: dict[str, object], root: Path) -> int:
    all_pages, build = pages(root), options.build.resolve()
    chapters = [page for page in all_pages if page.is_chapter]
    if options.only:
        if unknown := set(options.only) - {Path(page.name).name for page in chapters}:
            known = ", ".join(Path(page.name).name for page in chapters)
            raise BookError(f"no chapter {sorted(unknown)[0]!r}; there are {known}")
        chapters = [page for page in chapters if Path(page.name).name in options.only]
    verdicts = [_chapter(page, build, parameters, root) for page in chapters]
    print(table(verdicts))
    if any(verdict.outcome == "failed" for verdict in verdicts):
        return 1
    if not options.only:
        print("building the pages ...", flush=True)
        site = build_site(all_pages, stage(all_pages, verdicts, build, options.profile, root), build, root)
        print(f"the book: {site / 'index.html'}")
    return 0


def _chapter(page: Page, build: Path, parameters: dict[str, object], root: Path) -> Verdict:
    print(f"{page.name} ...", flush=True)
    verdict = run_chapter(page, build, parameters, root)
    if verdict.outcome != "failed":
        notebook = nbformat.read(Executed.of(page, build, str(parameters["profile"])).notebook, as_version=4)
        file = build / "results" / str(parameters["profile"]) / f"{Path(page.name).name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(results(notebook), indent=1) + "\n", encoding="utf-8")
    return verdict


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as a text table, with what is wrong below it."""
    width = max((len(verdict.page) for verdict in verdicts), default=0)
    lines = [f"{v.page:<{width}}  {v.seconds:7.1f} s  {v.outcome}" for v in verdicts]
    problems = [verdict.problem for verdict in verdicts if verdict.problem]
    return "\n".join(["", *lines, *problems, ""])


if __name__ == "__main__":
    sys.exit(main())
