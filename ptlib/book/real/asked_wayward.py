"""Command line: `python -m ptlib.book.real.asked_wayward MODEL` asks models what wayward prompts of theirs mean."""

import sys

from ptlib.book.real.command import folder_named, loaded, options
from ptlib.book.real.descriptions import ASKING
from ptlib.book.real.wayward_cells import Study, classifications
from ptlib.book.real.wayward_kept import keep_said
from ptlib.book.real.wayward_measure import Row
from ptlib.book.real.wayward_said import ask_of_wayward
from ptlib.errors import PromptError
from ptlib.keeping.store import default_cache


def main() -> None:
    """Ask, from where an earlier run was stopped; what is there is written after each prompt."""
    arguments = options("ptlib.book.real.asked_wayward", __doc__, "folders, a causal model each").parse_args()
    folder = folder_named("PTLIB_CLASSIFICATION", "the classifications")
    try:
        study = Study(seeds=(0,), cache=str(default_cache()))
        lms = loaded(arguments.models)
        tasks = classifications(folder, study)
        rows: list[Row] = []
        seconds = dict.fromkeys(lms, 0.0)
        for said in ask_of_wayward(lms, tasks, study):
            rows += said.rows
            seconds[said.rows[0]["model"]] += said.seconds
            about = {name: getattr(arguments, name) for name in ("obtained", "commit")}
            keep_said(arguments.to, rows, lms, tasks, study, text=ASKING, seconds=seconds, **about)
    except PromptError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
