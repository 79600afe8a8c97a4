"""Which learning rate, in units of the model, serves models whose embeddings differ in scale.

Models are pocket models, with the shipped facts, or folders in the one that `PTLIB_REAL_MODELS` names, with facts of
LAMA from the folder `PTLIB_LAMA` whose answers are one token in all of them; by default these. P@1 on test facts for
each rate, on relations that a rate may be chosen on and on others. Finished prompts are kept, see `default_cache`:

    PYTHONPATH=. .venv/bin/python tests/benchmarks/rates.py pocket/bert-small pocket/gpt2-small
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import ptlib as pt
from ptlib.tasks.task import Task
from tests import shapes

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
GROUPS = {"to choose by": ("P17", "P36", "P103", "P106"), "to report": ("P30", "P37", "P495", "P1412")}
FACTS = 100  # of each relation, at most
SETTINGS = pt.Settings(steps=60, rows=4)


def main() -> None:
    """Tune, score and print, a relation a line."""
    names = sys.argv[1:] or sorted(path.name for path in Path(os.environ["PTLIB_REAL_MODELS"]).iterdir())
    pocket = all(name.startswith("pocket/") for name in names)
    lms = [
        pt.load(name if pocket else str(Path(os.environ["PTLIB_REAL_MODELS"]) / name), device="cpu") for name in names
    ]
    known = {name: pt.relation(name) for name in pt.relations()} if pocket else {t.name: t for t in shapes.lama(*lms)}
    print(f"P@1 after {SETTINGS.steps} steps of {SETTINGS.rows} rows by learning rate, in spreads of the embeddings")
    print(f"{'':34}" + "".join(f"{rate:>8g}" for rate in RATES))
    for name, lm in zip(names, lms, strict=True):
        print(f"{name}: spread {pt.models.spread(lm):.4f}")
        for group, relations in GROUPS.items():
            tasks = [replace(known[one], test=known[one].test[:FACTS]) for one in relations]
            scores = np.array([scores_at(rate, lm, tasks) for rate in RATES])
            for task, row in zip(tasks, scores.T, strict=True):
                print(f"    {task.name:30}" + "".join(f"{score:8.2f}" for score in row))
            print(f"    {'mean, ' + group:30}" + "".join(f"{score:8.3f}" for score in scores.mean(axis=1)), flush=True)


def scores_at(rate: float, lm: pt.LanguageModel, tasks: Sequence[Task]) -> list[float]:
    """P@1 of prompts tuned with a learning rate, a number for each task."""
    cache = pt.keeping.default_cache()
    settings = replace(SETTINGS, learning_rate=rate)
    prompts = pt.tune_many(lm, tasks, settings=settings, cache=cache, progress=False)
    return pt.accuracy_many(lm, tasks, prompts, quick=True)


if __name__ == "__main__":
    main()
