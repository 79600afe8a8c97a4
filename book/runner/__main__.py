"""Command line: `python -m book.runner` executes what has changed and builds the book."""

import argparse
import ast
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

from book.runner.chapters import run_chapters
from book.runner.errors import BookError, in_one_line
from book.runner.lock import locked
from book.runner.pages import ROOT, Page, check_settings, pages
from book.runner.preview import FOLDER as PREVIEW
from book.runner.reader import write_readers
from book.runner.run import REAL, Run, Verdict
from book.runner.site import build_site, tidy
from book.runner.stage import stage
from book.runner.stop import Stopped, stoppable


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the book; returns the exit status."""
    options = _options(arguments, root)
    try:
        with stoppable():
            run = Run(root.resolve(), options.build.resolve(), _parameters(options), _jobs(options))
            with locked(run.build):
                return _run(run, options.only)
    except Stopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return stopped.status
    except (BookError, OSError) as error:
        print(f"\n{in_one_line(error)}", file=sys.stderr)
        return 1


def _options(arguments: list[str] | None, root: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m book.runner", description=__doc__)
    parser.add_argument("--profile", default="pocket", choices=["smoke", "pocket", *REAL])
    parser.add_argument("--build", type=Path, default=root / "_build", help="where everything that is made goes")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="execute these chapters alone, and build no pages")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="set a parameter")
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="chapters that run at a time, each on one thread if N is above 1; numbers may differ in the last digits "
        "from those of N = 1, where a chapter uses all cores (default: 2, or 1 on a single core; 1 on "
        "real models, which fill a GPU or all cores)",
    )
    return parser.parse_args(arguments)


def _parameters(options: argparse.Namespace) -> dict[str, object]:
    for name, times in Counter(name for name, _ in options.p).items():
        if name == "profile":
            raise BookError("-p profile: the profile is no parameter of one chapter; give it with --profile")
        if times > 1:
            raise BookError(f"-p {name}: given {times} times; give it once")
    return {"profile": options.profile, **{name: _value(value) for name, value in options.p}}


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _jobs(options: argparse.Namespace) -> int:
    if options.jobs is None:
        return 1 if options.profile in REAL else min(2, os.cpu_count() or 1)
    if options.jobs < 1:
        raise BookError(f"--jobs {options.jobs}: at least one chapter must run at a time")
    return options.jobs


def _run(run: Run, only: list[str] | None) -> int:
    tidy(run.build)
    all_pages = pages(run.root)
    check_settings(run.root)
    verdicts = run_chapters(_chosen(all_pages, only), run, show_pages=not only)
    print(table(verdicts), flush=True)
    if any(verdict.outcome == "failed" for verdict in verdicts):
        return 1
    if not only:
        staged = stage(all_pages, verdicts, run)
        readers = write_readers(all_pages, verdicts, staged, run)
        site = build_site(all_pages, staged, readers, run)
        shutil.rmtree(run.build / PREVIEW, ignore_errors=True)
        print(f"its notebooks for Colab and Jupyter: {readers}\nthe book: {site / 'index.html'}")
    return 0


def _chosen(all_pages: list[Page], only: list[str] | None) -> list[Page]:
    chapters = {Path(page.name).name: page for page in all_pages if page.is_chapter}
    if unknown := sorted(set(only or ()) - set(chapters)):
        raise BookError(f"no chapter {unknown[0]!r}; there are {', '.join(chapters)}")
    return [page for name, page in chapters.items() if not only or name in only]


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as a text table, with what is wrong below it."""
    width = max((len(verdict.page) for verdict in verdicts), default=0)
    lines = [f"{v.page:<{width}}  {v.seconds:7.1f} s  {v.outcome}" for v in verdicts]
    problems = [verdict.problem for verdict in verdicts if verdict.problem]
    return "\n".join(["", *lines, *problems, ""])


if __name__ == "__main__":
    sys.exit(main())
