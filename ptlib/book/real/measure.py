"""Measuring on real models: cell by cell, each kept as soon as it is there."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.book.real.cells import IN_FRONT, IN_WORDS, METHODS, NEAR, Cell, Study, cells
from ptlib.carrying.anchors import Anchors
from ptlib.carrying.carry import transfer_many
from ptlib.keeping.files import load_tensor, save_tensor
from ptlib.keeping.keys import key_of
from ptlib.keeping.store import Store
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import arithmetic
from ptlib.models.shared import shared_words
from ptlib.scoring.both import accuracy_both
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Settings
from ptlib.tuning.free import Prompts, tune_many
from ptlib.tuning.in_words import tune_words, words_on
from ptlib.tuning.start import random_prompt

AT_ONCE = 4  # relations; all their cells are finished before the next are begun, so that a part is whole in itself
DEAREST = "shared words"
FREQUENT = 20_000  # plain words are among so many of the most frequent


@dataclass(frozen=True)
class Both:
    """P@1 of a cell, over the whole vocabulary and among the relation's answers."""

    values: Float[Tensor, "tasks seeds both"]

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        save_tensor(Path(path), self.values, {}, kind="cell")


def load_both(path: str | Path) -> Both:
    """Read what `Both.save` wrote."""
    values, _ = load_tensor(path, kind="cell")
    return Both(values)


def plain_words(lms: Sequence[LanguageModel]) -> tuple[str, ...]:
    """Frequent words that models share, in lower case and Latin letters; models of one vocabulary count once."""
    different: list[LanguageModel] = []
    for lm in lms:
        if all(lm.words != other.words for other in different):
            different.append(lm)
    frequent = Anchors("frequent", FREQUENT).words(different)
    return tuple(word for word in frequent if word.isascii() and word.isalpha() and word.islower())


def measure(
    lms: Mapping[str, LanguageModel],
    held_out: Sequence[str],
    tasks: Sequence[Task],
    answers: Mapping[str, Task],
    study: Study,
    *,
    last_first: bool = False,
) -> Iterator[list[dict]]:
    """The scores of a few relations after the other, with a row for each cell, relation and seed.

    What is dearest and stands for least, prompts in all shared words, is measured when all else is there.

    Args:
        lms: the models, by what they are called.
        held_out: those that no prompt is tuned on.
        tasks: the relations.
        answers: the same by name, with their answers as labels.
        study: how.
        last_first: begin with the last relations, for a second run beside a first one of the same cache.
    """
    store = Store(study.cache, load_both)
    listed = list(cells([name for name in lms if name not in held_out], held_out))
    groups = [tasks[start : start + AT_ONCE] for start in range(0, len(tasks), AT_ONCE)]
    for last in (False, True):
        some = [cell for cell in listed if (cell.method == DEAREST) == last]
        for group in reversed(groups) if last_first else groups:
            yield [row for cell in some for row in _rows(cell, lms, group, answers, study, store)]


def _rows(
    cell: Cell,
    lms: Mapping[str, LanguageModel],
    tasks: Sequence[Task],
    answers: Mapping[str, Task],
    study: Study,
    store: Store[Both],
) -> list[dict]:
    """The scores of a cell, kept ones where there are some."""
    key, shape, since = _key(cell, lms, tasks, answers, study), (len(study.seeds), 2), time.perf_counter()
    both = store.get(key, lambda found: found.values.shape[1:] == shape)
    if both is None:
        both = _score(cell, lms, tasks, answers, study)
        store.put(key, both)
        vocabulary, among = both.values.mean(dim=(0, 1)).tolist()
        asked = f"{cell.method:26} {'+'.join(cell.sources):40} {cell.target:20}"
        print(f"{asked} {vocabulary:.3f} {among:.3f}  {time.perf_counter() - since:.0f} s", flush=True)
    return [
        asdict(cell) | {"relation": task.name, "seed": seed, "vocabulary": scores[0], "answers": scores[1]}
        for task, by_seed in zip(tasks, both.values.tolist(), strict=True)
        for seed, scores in zip(study.seeds, by_seed, strict=True)
    ]


def _key(
    cell: Cell, lms: Mapping[str, LanguageModel], tasks: Sequence[Task], answers: Mapping[str, Task], study: Study
) -> str:
    about = [(lms[name].fingerprint, arithmetic(lms[name])) for name in (*cell.sources, cell.target)]
    words = " ".join(_words(cell, lms)) if _way(cell) in IN_WORDS else ""
    facts = [(task.fingerprint(), task.template, answers[task.name].labels) for task in tasks]
    return key_of(about, words, facts, replace(study, cache=None), cell, code=__name__)


def _words(cell: Cell, lms: Mapping[str, LanguageModel]) -> tuple[str, ...]:
    """What prompts are written with: words of all models, of those that are only asked too."""
    return plain_words([*lms.values()]) if _way(cell) == "plain words" else shared_words(*lms.values())


def _way(cell: Cell) -> str:
    """How the prompts of a cell are carried, wherever they stand and however they were tuned."""
    return (IN_FRONT | NEAR).get(cell.method, cell.method)


def _score(
    cell: Cell, lms: Mapping[str, LanguageModel], tasks: Sequence[Task], answers: Mapping[str, Task], study: Study
) -> Both:
    prompts = {} if cell.method == "manual" else _prompts(cell, lms, tasks, study)
    values = torch.zeros(len(tasks), len(study.seeds), 2)
    for row, task in enumerate(tasks):
        for column, seed in enumerate(study.seeds):
            if cell.method == "manual" and column:
                values[row, column] = values[row, 0]
                continue
            both = accuracy_both(lms[cell.target], task, answers[task.name].labels, prompts.get((task.name, seed)))
            values[row, column] = torch.tensor([score.value for score in both])
    return Both(values)


def free_prompts(lm: LanguageModel, tasks: Sequence[Task], study: Study, settings: Settings) -> Prompts:
    """Free prompts tuned on a model, by task and seed; those in the cache are read."""
    length, seeds, cache = study.length, study.seeds, study.cache
    return tune_many(lm, tasks, length=length, seeds=seeds, settings=settings, cache=cache, progress=False)


def _prompts(cell: Cell, lms: Mapping[str, LanguageModel], tasks: Sequence[Task], study: Study) -> Prompts:
    """The prompts of a cell, by task and seed."""
    target, sources = lms[cell.target], [lms[name] for name in cell.sources]
    seeds, length, cache = study.seeds, study.length, study.cache
    way = _way(cell)
    if way == "random":
        jobs = [(task, seed) for task in tasks for seed in seeds]
        moved = {(task.name, seed): random_prompt(target, task, length=length, seed=seed) for task, seed in jobs}
    elif way in IN_WORDS:
        words, how = _words(cell, lms), study.written
        written = tune_words(
            sources, tasks, length=length, seeds=seeds, words=words, settings=how, cache=cache, progress=False
        )
        moved = words_on(written, target)
    else:
        settings = study.near if cell.method in NEAR else study.settings
        tuned = [free_prompts(source, tasks, study, settings) for source in sources]
        moved = tuned[0] if way == "tuned" else transfer_many(tuned, sources, target, method=METHODS[way])
    if cell.method not in IN_FRONT:
        return moved
    templates = {task.name: f"{'[V] ' * length}{task.template}" for task in tasks}
    return {name: replace(prompt, template=templates[name[0]]) for name, prompt in moved.items()}
