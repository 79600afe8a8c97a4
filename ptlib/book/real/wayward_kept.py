"""What was measured of waywardness on real models, kept beside this file with where it comes from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ptlib.book.real.kept import parts_of, plain, short, table_of, where_from, whole, write_kept
from ptlib.book.real.wayward_cells import Study
from ptlib.book.real.wayward_measure import TABLES, Row
from ptlib.errors import PromptError
from ptlib.keeping.files import write_atomically
from ptlib.models.language_model import LanguageModel
from ptlib.tasks.splits import SPLITS
from ptlib.tasks.task import Task

WAYWARD = Path(__file__).with_name("wayward.json")
SAID_OF_WAYWARD = Path(__file__).with_name("wayward_said.json")
BY = "ptlib.book.real.wayward"  # what measures it
SAID = (
    *("model", "task", "text", "gamma", "seed", "kind", "from_layer", "to_layer", "said", "score"),
    *("does", "other_tasks", "reads", "other_texts"),
)


def keep_wayward(
    path: Path,
    tables: Mapping[str, Sequence[Row]],
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    study: Study,
    **more: str,
) -> None:
    """Write what was measured and where it comes from, in place of what was there.

    Args:
        path: the file.
        tables: rows by the name of their table.
        lms: the models.
        tasks: the tasks.
        study: how it was measured.
        more: whatever else is for the record, such as the seconds that it took.
    """
    about = _where_from(lms, tasks, study) | more
    rows = {table: [{key: short(value) for key, value in row.items()} for row in tables[table]] for table in TABLES}
    text = json.dumps({"about": about, **rows}, separators=(",", ":"), ensure_ascii=False)
    write_atomically(path, lambda place: place.write_text(text.replace('},{"', '},\n{"') + "\n", encoding="utf-8"))


def _where_from(lms: Mapping[str, LanguageModel], tasks: Sequence[Task], study: Study) -> dict:
    """Where results come from, with the tasks."""
    return where_from(lms, study) | {
        "tasks": {
            task.name: {
                "label": task.label,
                "template": task.template,
                "labels": task.labels,
                "examples": {split: len(task.examples(split)) for split in SPLITS},
            }
            for task in tasks
        }
    }


def keep_said(
    path: Path,
    rows: Sequence[Row],
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    study: Study,
    **more: object,
) -> None:
    """Write what models said of wayward prompts and where it comes from, in place of what was there."""
    about = _where_from(lms, tasks, study) | more
    write_kept(path, {"about": about, "columns": SAID, "rows": plain(rows, SAID)})


def kept_said(path: Path = SAID_OF_WAYWARD) -> pd.DataFrame:
    """What models said of wayward prompts: a row for each prompt, kind and pair of layers, as `wayward_said` has them.

    Raises:
        PromptError: nobody has been asked yet, or what was said is damaged.
    """
    return table_of(path, by="ptlib.book.real.asked_wayward")


def kept_wayward(table: str, path: Path = WAYWARD) -> pd.DataFrame:
    """The rows of a table that were kept.

    Args:
        table: "tuned", what `waywardness` says of each prompt on its own model, with the `model` and the `kind` of its
            text; "carried", the same prompts asked of the other model, by `method`; "channel", the accuracy with
            which the label behind a prompt makes the sentence likeliest; "beside", the accuracy of the manual
            template, directly and by the channel, of a random prompt and of the most frequent label.
        path: the file.

    Raises:
        PromptError: an unknown table, or a file that is not there or damaged.
    """
    if table not in TABLES:
        raise PromptError(f"no table {table!r}; there are {', '.join(TABLES)}")
    rows = _tables(path)[table]
    with whole(path, BY):
        return pd.DataFrame([dict(row) for row in rows])


def wayward_provenance(path: Path = WAYWARD) -> dict:
    """Which models, tasks, settings, versions and machine the tables come from."""
    return _tables(path)["about"]


def _tables(path: Path) -> dict:
    names = ("about", *TABLES)
    return dict(zip(names, parts_of(path, *names, by=BY), strict=True))
