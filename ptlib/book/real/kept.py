"""What was measured on real models, kept beside this file with where it comes from."""

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from ptlib.book.real.cells import TO_CHOOSE, Study
from ptlib.errors import PromptError, first_line
from ptlib.keeping.files import write_atomically
from ptlib.models.language_model import LanguageModel
from ptlib.scoring.guess import most_frequent_answer
from ptlib.tasks.task import Task, answers
from ptlib.tasks.text_files import is_there, read_text

FILE = Path(__file__).with_name("results.json")
BACK = Path(__file__).with_name("back.json")  # prompts of the larger model, for some relations alone
ASKED = Path(__file__).with_name("asked.json")
COLUMNS = ("method", "sources", "target", "relation", "seed", "vocabulary", "answers")
SAID = ("model", "relation", "seed", "kind", "from_layer", "to_layer", "text", "score", "own", "other")


def keep(
    path: Path,
    rows: Sequence[Mapping],
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    study: Study,
    *,
    words: Sequence[Mapping] = (),
    nearness: Sequence[Mapping] = (),
    **more: object,
) -> None:
    """Write scores, words of prompts, their distances from words, and where all comes from, over what was there."""
    kept = {"about": where_from(lms, study) | more, "relations": _known(rows, tasks)}
    write_kept(
        path,
        kept | {"columns": COLUMNS, "rows": plain(rows, COLUMNS), "words": list(words), "nearness": list(nearness)},
    )


def keep_descriptions(
    path: Path,
    rows: Sequence[Mapping],
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    study: Study,
    **more: object,
) -> None:
    """Write what models said of prompts and where it comes from, in place of what was there."""
    kept = {"about": where_from(lms, study) | more, "relations": _known(rows, tasks)}
    write_kept(path, kept | {"columns": SAID, "rows": plain(rows, SAID)})


def where_from(lms: Mapping[str, LanguageModel], study: Any) -> dict:
    """Where results come from: models, settings (a data class with a `cache`, which is left out), versions, machine."""
    return {
        "models": {
            name: {"parameters": lm.parameters, "width": lm.dim, "words": lm.vocabulary, "fingerprint": lm.fingerprint}
            for name, lm in lms.items()
        },
        "study": asdict(replace(study, cache=None)),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "date": time.strftime("%Y-%m-%d"),
    }


def _known(rows: Sequence[Mapping], tasks: Sequence[Task]) -> dict:
    """The relations that there are rows of."""
    return {
        task.name: {
            "label": task.label,
            "template": task.template,
            "answers": len(answers([task])),
            "most frequent": most_frequent_answer(task).value,
            "chosen on": task.name in TO_CHOOSE,
        }
        for task in tasks
        if any(row["relation"] == task.name for row in rows)
    }


def plain(rows: Sequence[Mapping], columns: Sequence[str]) -> list[list]:
    """The values of some columns as they are kept, row by row."""
    return [[short(row[column]) for column in columns] for row in rows]


def write_kept(path: Path, kept: Mapping) -> None:
    """Write it with a line for each row, so that a change of a few can be seen."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    rows = ",\n".join(map(encode, kept["rows"]))
    parts = {name: f"[{rows}]" if name == "rows" else encode(part) for name, part in kept.items()}
    text = "{" + ",".join(f'"{name}":{part}' for name, part in parts.items()) + "}\n"
    write_atomically(path, lambda place: place.write_text(text, encoding="utf-8"))


def short(value: object) -> object:
    """A value as it is kept: numbers to four digits, several names as one."""
    if isinstance(value, float):
        return round(value, 4)
    return "+".join(value) if isinstance(value, tuple) else value


def parts_of(path: Path, *parts: str, by: str = "ptlib.book.real") -> list:
    """Parts of what is kept in a file, by what measures it.

    Raises:
        PromptError: nothing is kept, or it is damaged.
    """
    if not is_there(path):
        raise PromptError(f"{path}: nothing is kept of real models; `python -m {by}` measures it")
    with whole(path, by):
        kept = json.loads(read_text(path))
        return [kept[part] for part in parts]


@contextmanager
def whole(path: Path, by: str = "ptlib.book.real") -> Iterator[None]:
    """Turns what goes wrong in reading parts of a file that is damaged into one line."""
    try:
        yield
    except PromptError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PromptError(f"{path}: damaged ({first_line(error)}); `python -m {by}` measures it again") from error


def table_of(path: Path, by: str = "ptlib.book.real") -> pd.DataFrame:
    """The rows of what is kept."""
    rows, columns = parts_of(path, "rows", "columns", by=by)
    with whole(path, by):
        if odd := [row for row in rows if not isinstance(row, list) or len(row) != len(columns)]:
            raise ValueError(f"a row {str(odd[0])[:40]} for {len(columns)} columns")
        return pd.DataFrame(rows, columns=columns)


def kept_rows(path: Path = FILE) -> pd.DataFrame:
    """The scores: a row for each method, sources, target, relation and seed, with P@1 `vocabulary` and `answers`.

    Raises:
        PromptError: nothing has been measured and kept yet, or it is damaged.
    """
    return table_of(path)


def kept_descriptions(path: Path = ASKED) -> pd.DataFrame:
    """What models said of prompts: a row for each `model`, and each prompt and pair of layers as in `described`.

    Raises:
        PromptError: nobody has been asked yet, or what was said is damaged.
    """
    return table_of(path, by="ptlib.book.real.asked")


def kept_words(path: Path = FILE) -> dict[tuple[str, str], list[list[tuple[str, float]]]]:
    """Of prompts in plain words, by sources and relation: the largest words of each vector, with their shares."""
    (prompts,) = parts_of(path, "words")
    with whole(path):
        return {
            (prompt["sources"], prompt["relation"]): [
                [(word, share) for word, share in vector] for vector in prompt["words"]
            ]
            for prompt in prompts
        }


def kept_nearness(path: Path = FILE) -> pd.DataFrame:
    """How far from the words free prompts end: rows as `nearness` gives them.

    Raises:
        PromptError: nothing has been measured and kept yet, or it is damaged.
    """
    (rows,) = parts_of(path, "nearness")
    with whole(path):
        return pd.DataFrame([dict(row) for row in rows])


def relations_measured(path: Path = FILE) -> pd.DataFrame:
    """The relations: label, manual template, number of answers, P@1 of the most frequent answer, and their part."""
    (relations,) = parts_of(path, "relations")
    with whole(path):
        return pd.DataFrame(list(relations.values()), index=list(relations))


def provenance(path: Path = FILE) -> dict:
    """Which models, settings, versions and machine the scores, or descriptions, come from."""
    return parts_of(path, "about")[0]
