"""Measuring waywardness on real models: part by part, each kept as soon as it is there."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ptlib.book.real.wayward_cells import CARRIED, Cell, Study, cells, texts_for
from ptlib.carrying.carry import Named, transfer_many
from ptlib.errors import PromptError
from ptlib.keeping.files import load_tensor, save_tensor
from ptlib.keeping.keys import key_of
from ptlib.keeping.store import Store
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import arithmetic, quick_copy
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import TEXT
from ptlib.reading.likeness import word_f1
from ptlib.reading.projection import project
from ptlib.reading.wayward import waywardness
from ptlib.scoring.channel import channel_accuracy
from ptlib.scoring.guess import most_frequent_answer
from ptlib.scoring.scores import accuracy, accuracy_many
from ptlib.tasks.task import Task
from ptlib.tuning.start import random_prompt
from ptlib.tuning.toward import Aim, text_ids, tune_toward

Row = dict[str, Any]
TABLES = ("tuned", "carried", "channel", "beside")


@dataclass(frozen=True)
class Rows:
    """The rows of a cell, of plain values."""

    rows: list[Row]

    def save(self, path: str | Path) -> None:
        """Write to a file of the store, whole or not at all."""
        save_tensor(Path(path), torch.empty(0), {"rows": self.rows}, kind="rows")


def load_rows(path: str | Path) -> Rows:
    """Read what `Rows.save` wrote.

    Raises:
        PromptError: the file is damaged.
    """
    _, about = load_tensor(path, kind="rows")
    if about.keys() != {"rows"}:
        raise PromptError(f"{path}: rows of which something is missing")
    return Rows(about["rows"])


def measure(
    lms: Mapping[str, LanguageModel], tasks: Sequence[Task], study: Study, *, last_first: bool = False
) -> Iterator[tuple[str, list[Row]]]:
    """A part after the other: the table that it belongs to, and its rows.

    Args:
        lms: the models, by what they are called.
        tasks: classifications.
        study: how.
        last_first: begin with the last part, for a second run beside a first one of the same cache.
    """
    named, store = {task.name: task for task in tasks}, Store(study.cache, load_rows)
    listed = list(cells(list(lms), list(named), study.seeds))
    for cell in reversed(listed) if last_first else listed:
        if cell.table == "channel" and lms[cell.source].kind == "masked":
            continue  # reads no text word by word
        yield cell.table, _kept(cell, lms, named[cell.task], study, store)


def prompts_of(lm: LanguageModel, task: Task, study: Study, seed: int) -> dict[Aim, SoftPrompt]:
    """The prompts of a task and a seed, toward each text and with each strength; those in the cache are read."""
    return tune_toward(
        lm,
        [task],
        list(texts_for(task.name)),
        gammas=study.gammas,
        seeds=(seed,),
        template=f"[V] {task.template}",
        settings=study.settings,
        cache=study.cache,
        progress=False,
    )


def _kept(cell: Cell, lms: Mapping[str, LanguageModel], task: Task, study: Study, store: Store[Rows]) -> list[Row]:
    models = [(lms[name].fingerprint, arithmetic(lms[name])) for name in (cell.source, cell.target)]
    how = replace(study, cache=None, seeds=())
    about = task.fingerprint(), task.template, list(texts_for(task.name))
    key, since = key_of(models, about, how, cell, code=__name__), time.perf_counter()
    found = store.get(key)
    if found is None:
        found = Rows(MEASURES[cell.table](cell, lms, task, study))
        store.put(key, found)
        best = max(row["accuracy"] for row in found.rows)
        print(
            f"{cell.table:8} {cell.task:8} {cell.source:20} {cell.target:20} seed {cell.seed}  "
            f"best {best:.2f}  {time.perf_counter() - since:.0f} s",
            flush=True,
        )
    return found.rows


def _tuned(cell: Cell, lms: Mapping[str, LanguageModel], task: Task, study: Study) -> list[Row]:
    """What `waywardness` says of each prompt on its own model."""
    lm, kinds = lms[cell.source], texts_for(task.name)
    table = waywardness(lm, [task], prompts_of(lm, task, study, cell.seed))
    return table.assign(model=cell.source, kind=table["text"].map(kinds)).to_dict("records")


def _carried(cell: Cell, lms: Mapping[str, LanguageModel], task: Task, study: Study) -> list[Row]:
    """The same prompts, asked of the other model, with the words that they are nearest to there."""
    source, target, kinds = lms[cell.source], lms[cell.target], texts_for(task.name)
    prompts: Named = dict(prompts_of(source, task, study, cell.seed).items())
    rows: list[Row] = []
    for method, how in CARRIED.items():
        moved = transfer_many(prompts, source, target, method=how)
        for name, score in zip(moved, accuracy_many(target, [task], moved, quick=True), strict=True):
            aim, read = Aim(*name), str(project(target, moved[name]))
            row = {"source": cell.source, "target": cell.target, "method": method, "kind": kinds[aim.text]}
            row |= aim._asdict() | {"accuracy": score, "projection": read, "f1": word_f1(aim.text, read)}
            rows.append(row)
    return rows


def _channel(cell: Cell, lms: Mapping[str, LanguageModel], task: Task, study: Study) -> list[Row]:
    """Which label makes the sentence likeliest, with its words in front of it, behind prompts without a pull."""
    lm, kinds = quick_copy(lms[cell.source]), texts_for(task.name)
    about = {"model": cell.source, "task": task.name, "seed": cell.seed}
    rows: list[Row] = []
    for aim, prompt in prompts_of(lms[cell.source], task, study, cell.seed).items():
        if aim.gamma == 0:
            score = channel_accuracy(lm, task, f"{'[V] ' * prompt.length}{_label_first(task)}", prompt)
            rows.append(about | {"kind": kinds[aim.text], "text": aim.text, "accuracy": score.value})
    return rows


def _label_first(task: Task) -> str:
    """The task's template with the sentence behind the label's words."""
    return f"{task.template.replace(TEXT, '').strip()} {TEXT}"


def _beside(cell: Cell, lms: Mapping[str, LanguageModel], task: Task, _study: Study) -> list[Row]:
    """The manual template, by the channel too, a random prompt as long as the first text's, the most frequent label."""
    lm = lms[cell.source]
    length = len(text_ids(lm, next(iter(texts_for(task.name)))))
    at_random = random_prompt(lm, task, template=f"{'[V] ' * length}{task.template}", seed=cell.seed)
    scores = {
        "manual": accuracy(quick_copy(lm), task),
        "random": accuracy(quick_copy(lm), task, at_random),
        "most frequent": most_frequent_answer(task),
    }
    if lm.kind == "causal":
        scores["manual, channel"] = channel_accuracy(quick_copy(lm), task, _label_first(task))
    about = {"model": cell.source, "task": task.name}
    return [about | {"method": method, "accuracy": score.value} for method, score in scores.items()]


MEASURES = {"tuned": _tuned, "carried": _carried, "channel": _channel, "beside": _beside}
