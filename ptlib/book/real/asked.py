"""Command line: `python -m ptlib.book.real.asked MODEL` asks models what prompts mean, and keeps what they say."""

import sys

from ptlib.book.real.asking import ask
from ptlib.book.real.cells import Study, relations
from ptlib.book.real.command import folder_named, loaded, options
from ptlib.book.real.descriptions import ASKING
from ptlib.book.real.kept import keep_descriptions
from ptlib.errors import PromptError
from ptlib.keeping.store import default_cache


def main() -> None:
    """Ask, from where an earlier run was stopped; what is there is written after each prompt."""
    parser = options("ptlib.book.real.asked", __doc__, "folders, a causal model each")
    parser.add_argument("--prompts", default="", help="how the prompts were kept, for the record")
    arguments = parser.parse_args()
    facts = folder_named("PTLIB_LAMA", "the facts")
    try:
        study = Study(seeds=(0,), cache=str(default_cache()))
        lms = loaded(arguments.models)
        tasks, _ = relations(facts, list(lms.values()), study.facts)
        rows: list[dict] = []
        seconds = dict.fromkeys(lms, 0.0)
        for said in ask(lms, tasks, study):
            rows += said.rows
            seconds[said.rows[0]["model"]] += said.seconds
            about = {name: getattr(arguments, name) for name in ("obtained", "prompts", "commit")}
            keep_descriptions(arguments.to, rows, lms, tasks, study, text=ASKING, seconds=seconds, **about)
    except PromptError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
