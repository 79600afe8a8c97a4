"""Command line: `python -m ptlib.book.real.wayward MODEL MODEL` measures how wayward prompts of real models are."""

import sys

from ptlib.book.real.command import folder_named, loaded, options
from ptlib.book.real.wayward_cells import Study, classifications
from ptlib.book.real.wayward_kept import keep_wayward
from ptlib.book.real.wayward_measure import TABLES, Row, measure
from ptlib.errors import PromptError
from ptlib.keeping.store import default_cache


def main() -> None:
    """Measure, from where an earlier run was stopped; what is there is written after each part."""
    parser = options("ptlib.book.real.wayward", __doc__, "folders, a model each")
    parser.add_argument("--seconds", default="", help="what the measurement took, for the record")
    parser.add_argument("--last-first", action="store_true", help="for a second run beside a first one")
    arguments = parser.parse_args()
    folder = folder_named("PTLIB_CLASSIFICATION", "the classifications")
    try:
        study = Study(cache=str(default_cache()))
        lms = loaded(arguments.models)
        tasks = classifications(folder, study)
        about = {name: getattr(arguments, name) for name in ("obtained", "commit", "seconds")}
        tables: dict[str, list[Row]] = {table: [] for table in TABLES}
        for table, rows in measure(lms, tasks, study, last_first=arguments.last_first):
            tables[table] += rows
            keep_wayward(arguments.to, tables, lms, tasks, study, **about)
    except PromptError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
