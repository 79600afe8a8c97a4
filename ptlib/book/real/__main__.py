"""Command line: `python -m ptlib.book.real FOLDER` measures on the models in a folder, and keeps the results."""

import sys
from pathlib import Path

from ptlib.book.real.cells import Study, relations
from ptlib.book.real.command import folder_named, loaded, options
from ptlib.book.real.kept import keep
from ptlib.book.real.measure import measure, plain_words
from ptlib.book.real.nearness import nearness
from ptlib.book.real.written import written
from ptlib.errors import PromptError
from ptlib.keeping.store import default_cache
from ptlib.models.shared import shared_words


def main() -> None:
    """Measure, from where an earlier run was stopped; what is there is written after each group of relations."""
    parser = options("ptlib.book.real", __doc__, "folders, a model each")
    parser.add_argument("--only-asked", nargs="*", type=Path, default=[], help="models that no prompt is tuned on")
    parser.add_argument("--seconds", default="", help="what the measurement took, for the record")
    parser.add_argument("--last-first", action="store_true", help="for a second run beside a first one")
    arguments = parser.parse_args()
    facts = folder_named("PTLIB_LAMA", "the facts")
    try:
        study = Study(cache=str(default_cache()))
        lms = loaded([*arguments.models, *arguments.only_asked])
        tasks, answers = relations(facts, list(lms.values()), study.facts)
        held_out = [path.name for path in arguments.only_asked]
        about = {name: getattr(arguments, name) for name in ("obtained", "commit", "seconds")}
        about["only_asked"] = held_out
        about["vocabularies"] = {"plain": len(plain_words([*lms.values()])), "shared": len(shared_words(*lms.values()))}
        rows: list[dict] = []
        for more in measure(lms, held_out, tasks, answers, study, last_first=arguments.last_first):
            rows += more
            keep(arguments.to, rows, lms, tasks, study, **about)
        beside = {"words": written(lms, held_out, tasks, study), "nearness": nearness(lms, held_out, tasks, study)}
        keep(arguments.to, rows, lms, tasks, study, **beside, **about)
    except PromptError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
