"""A small part of what is kept, measured again where the models and the facts are at hand."""

import os
from pathlib import Path

from ptlib.book.real.cells import relations
from ptlib.book.real.kept import FILE, kept_rows, provenance
from ptlib.book.real.summary import Scores
from ptlib.models.loading import load
from ptlib.scoring.both import accuracy_both

NAMED = ("PTLIB_REAL_MODELS", "PTLIB_LAMA")
RELATIONS = 2  # those that are measured again: minutes on two cores


def measured_again(path: Path = FILE) -> list[dict]:
    """The manual templates of a few relations asked again, beside what is kept, on models that prompts are tuned on.

    Returns:
        a row for each model and relation, with the kept P@1 among all words and the new one; none where the
        environment names no folder of models and none of facts, or a model is not there.

    Raises:
        PromptError: a model or the facts cannot be read.
    """
    about, folders = provenance(path), [os.environ.get(name) for name in NAMED]
    models = [Path(folders[0] or "") / name for name in about["models"] if name not in about.get("only_asked", ())]
    if not all(folders) or not all(model.is_dir() for model in models):
        return []
    lms = {model.name: load(str(model)) for model in models}
    tasks, answers = relations(str(folders[1]), list(lms.values()), about["study"]["facts"])
    found = []
    for name, lm in lms.items():
        for task in tasks[:RELATIONS]:
            now, _ = accuracy_both(lm, task, answers[task.name].labels)
            kept = Scores(kept_rows(path)).of([task.name]).mean("manual", name)
            found.append({"model": name, "relation": task.label, "kept": kept, "now": now.value})
    return found
