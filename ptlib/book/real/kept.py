"""What was measured on real models, kept beside this file with where it comes from."""

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from ptlib.book.real.cells import TO_CHOOSE, Study
from ptlib.errors import PromptError
from ptlib.keeping.files import write_atomically
from ptlib.models.language_model import LanguageModel
from ptlib.scoring.guess import most_frequent_answer
from ptlib.tasks.task import Task, answers

FILE = Path(__file__).with_name("results.json")
COLUMNS = ("method", "sources", "target", "relation", "seed", "vocabulary", "answers")


def keep(
    path: Path,
    rows: Sequence[Mapping],
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    study: Study,
    *,
    words: Sequence[Mapping] = (),
    **more: str,
) -> None:
    """Write scores, words of prompts and where they come from, in place of what was there."""
    about = {
        "models": {
            name: {"parameters": lm.parameters, "width": lm.dim, "words": lm.vocabulary, "fingerprint": lm.fingerprint}
            for name, lm in lms.items()
        },
        "study": asdict(replace(study, cache=None)),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "date": time.strftime("%Y-%m-%d"),
        **more,
    }
    known = {
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
    plain = [[_short(row[column]) for column in COLUMNS] for row in rows]
    kept = {"about": about, "relations": known, "columns": COLUMNS, "rows": plain, "words": list(words)}
    text = json.dumps(kept, separators=(",", ":"))
    write_atomically(path, lambda place: place.write_text(text.replace('],["', '],\n["') + "\n", encoding="utf-8"))


def _short(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    return "+".join(value) if isinstance(value, tuple) else value


def _read(path: Path) -> dict:
    if not path.is_file():
        raise PromptError(f"{path}: nothing is kept of real models; `python -m ptlib.book.real` measures it")
    return json.loads(path.read_text(encoding="utf-8"))


def kept_rows(path: Path = FILE) -> pd.DataFrame:
    """The scores: a row for each method, sources, target, relation and seed, with P@1 `vocabulary` and `answers`.

    Raises:
        PromptError: nothing has been measured and kept yet.
    """
    kept = _read(path)
    return pd.DataFrame(kept["rows"], columns=kept["columns"])


def kept_words(path: Path = FILE) -> dict[tuple[str, str], list[list[tuple[str, float]]]]:
    """Of prompts in plain words, by sources and relation: the largest words of each vector, with their shares."""
    return {
        (prompt["sources"], prompt["relation"]): [
            [(word, share) for word, share in vector] for vector in prompt["words"]
        ]
        for prompt in _read(path)["words"]
    }


def relations_measured(path: Path = FILE) -> pd.DataFrame:
    """The relations: label, manual template, number of answers, P@1 of the most frequent answer, and their part."""
    return pd.DataFrame.from_dict(_read(path)["relations"], orient="index")


def provenance(path: Path = FILE) -> dict:
    """Which models, settings, versions and machine the scores come from."""
    return _read(path)["about"]
