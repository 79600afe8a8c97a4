"""The whole table: models by models by tasks by methods by seeds, on all cores or a cluster, kept as it grows."""

import functools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from tqdm.auto import tqdm

from ptlib.carrying.by_relations import Method
from ptlib.carrying.carry import transfer_many
from ptlib.carrying.workers import staying
from ptlib.errors import PromptError
from ptlib.keeping import packs
from ptlib.keeping.files import load_tensor, save_tensor
from ptlib.keeping.keys import key_of, settings_of
from ptlib.keeping.store import Store, default_cache
from ptlib.models.language_model import LanguageModel
from ptlib.models.loading import load
from ptlib.models.quick import arithmetic
from ptlib.prompts.word_prompt import WordPrompt
from ptlib.scoring.scores import accuracy, accuracy_many
from ptlib.tasks.task import Task, by_name
from ptlib.tuning.descent import Settings
from ptlib.tuning.free import Prompts, tune_many
from ptlib.tuning.in_words import WordSettings, tune_words, words_on
from ptlib.tuning.start import random_prompt

if TYPE_CHECKING:
    import pandas

ON_TARGET = ("manual", "random", "tuned")

Entry = Method | WordSettings | str

_models: dict[str, LanguageModel] = {}  # those that this process has


@dataclass(frozen=True)
class Plan:
    """What a table is made of; see `transfer_table`.

    Attributes:
        tasks: what the prompts are for.
        seeds: of the prompts.
        length: vectors in a prompt.
        settings: how prompts are tuned.
        words: what prompts in words are written with.
        cache: where prompts and scores are kept.
    """

    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    length: int
    settings: Settings
    words: tuple[str, ...]
    cache: str

    @functools.lru_cache(maxsize=16)  # noqa: B019 (a plan lives as long as its process)
    def tuned(self, lm: LanguageModel) -> Prompts:
        """Free prompts on a model, read from the cache once in each process."""
        return tune_many(
            lm,
            self.tasks,
            length=self.length,
            seeds=self.seeds,
            settings=self.settings,
            cache=self.cache,
            progress=False,
        )

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def written(self, lm: LanguageModel, settings: WordSettings) -> dict[tuple[str, int], WordPrompt]:
        """Prompts in words on a model, likewise; their words are held once, not in each prompt."""
        prompts = tune_words(
            lm,
            self.tasks,
            length=self.length,
            seeds=self.seeds,
            words=self.words or None,
            settings=settings,
            cache=self.cache,
            progress=False,
        )
        words = next(iter(prompts.values())).words
        return {name: replace(prompt, words=words) for name, prompt in prompts.items()}


@dataclass(frozen=True)
class Cell:
    """One source, one target, one method: the unit of work.

    Cells go to other processes and back, and a reader's own method need not be equal to its copy; so they are told
    apart by their `key`, once they have one.
    """

    source: str
    target: str
    method: str
    entry: Entry
    key: str = ""


@dataclass(frozen=True)
class Scores:
    """P@1 of a cell, by seed and task."""

    values: Float[np.ndarray, "seeds tasks"]

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        save_tensor(Path(path), torch.from_numpy(self.values), {}, kind="table of scores")


def load_scores(path: str | Path) -> Scores:
    """Read what `Scores.save` wrote.

    Raises:
        PromptError: the file is missing, cut short, or holds no table.
    """
    values, _ = load_tensor(path, kind="table of scores")
    if values.dim() != 2:
        raise PromptError(f"{path}: scores of {values.dim()} dimensions, and not by seed and task")
    return Scores(values.double().numpy())


def transfer_table(
    models: Sequence[str | LanguageModel],
    tasks: Sequence[Task],
    methods: Mapping[str, Entry],
    *,
    targets: Sequence[str | LanguageModel] | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    length: int = 5,
    settings: Settings = Settings(),
    words: Sequence[str] = (),
    cache: str | Path | None = None,
    engine: str = "loky",
    workers: int = -1,
    progress: bool = True,
) -> "pandas.DataFrame":
    """P@1 on test examples of prompts carried from each model to each model, by each method.

    Every finished cell (a source, a target and a method) is kept in the cache under a key of all that it
    depends on: a run that was killed goes on where it was, and nothing is computed twice.

    Args:
        models: the models, or names to load them by; each is a source. Other processes load them by name.
        tasks: what the prompts are for.
        methods: by the name that each is to have in the table: a method of `transfer`, a `WordSettings` for
            prompts in shared words, or one of "manual", "random" and "tuned", which look at the target alone
            and have the target as their source. A method that has
            `fits(source, target)` is left out where that says no, such as `Copy` where the widths differ.
        targets: the models to carry to; by default the same.
        seeds: each prompt is tuned once for each.
        length: vectors in a prompt.
        settings: how prompts are tuned.
        words: what prompts in words are written with.
        cache: a folder for prompts and finished cells; by default the library's own.
        engine: what joblib runs on: "loky" for the processes of this machine, "dask" or "ray" for a cluster
            that is already there and whose workers see the cache folder.
        workers: how many processes; -1 for one on each core.
        progress: show a bar.

    Returns:
        a row for each source, target, method, task and seed, with its P@1 in the column "accuracy", computed
        through the models' quick copies.

    Raises:
        PromptError: an unknown method, or anything that `load`, `tune_many` or `transfer` complain about.
    """
    folder = str(cache or default_cache())
    plan = Plan(tuple(by_name(tasks).values()), tuple(seeds), length, settings, tuple(words), folder)
    sources = _names(models)
    cells = list(_cells(sources, sources if targets is None else _names(targets), methods))
    store = Store(folder, load_scores)
    keys = [_key(cell, plan) for cell in cells]
    shape = (len(plan.seeds), len(plan.tasks))
    kept = {key: store.get(key, lambda scores: scores.values.shape == shape) for key in keys}
    found = {key: scores for key, scores in kept.items() if scores is not None}
    left = [replace(cell, key=key) for cell, key in zip(cells, keys, strict=True) if key not in found]
    if left:
        found |= _computed(left, plan, engine, workers, progress)
    return _frame([(cell, found[key]) for cell, key in zip(cells, keys, strict=True)], plan)


def _computed(left: Sequence[Cell], plan: Plan, engine: str, workers: int, progress: bool) -> dict[str, Scores]:
    """Scores of cells, by their keys, from as many processes."""
    import joblib

    found: dict[str, Scores] = {}
    with joblib.parallel_config(backend=engine, n_jobs=workers), _bar(progress, len(left)) as bar:
        prepare, compute = (joblib.delayed(staying(work, engine)) for work in (_prepare, _compute))
        joblib.Parallel()(prepare(*needed, plan) for needed in _needed(left))
        pieces = _pieces(left, fewest=4 * joblib.effective_n_jobs())
        # Two runs of one table, as of two chapters, begin in different places and so share the work.
        begin = random.randrange(len(pieces))
        run = joblib.Parallel(return_as="generator_unordered")
        for made in run(compute(piece, plan) for piece in pieces[begin:] + pieces[:begin]):
            found |= made
            bar.update(len(made))
    return found


def _names(models: Sequence[str | LanguageModel]) -> list[str]:
    """What models are loaded by; those that are there already are not loaded again in this process."""
    _models.update({lm.name: lm for lm in models if isinstance(lm, LanguageModel)})
    return [lm.name if isinstance(lm, LanguageModel) else lm for lm in models]


def _cells(models: Sequence[str], targets: Sequence[str], methods: Mapping[str, Entry]) -> Iterator[Cell]:
    for method, entry in methods.items():
        if isinstance(entry, str) and entry not in ON_TARGET:
            raise PromptError(f"unknown method {entry!r}; in words there are {', '.join(ON_TARGET)}")
        for target in targets:
            for source in [target] if isinstance(entry, str) else models:
                if not hasattr(entry, "fits") or entry.fits(_model(source), _model(target)):
                    yield Cell(source, target, method, entry)


def _model(name: str) -> LanguageModel:
    """A model, loaded once in each process."""
    if name not in _models:
        _models[name] = load(name)
    return _models[name]


def _key(cell: Cell, plan: Plan) -> str:
    entry = cell.entry if isinstance(cell.entry, str) else settings_of(cell.entry)
    words = plan.words if isinstance(cell.entry, WordSettings) else ()
    models = [(lm.fingerprint, arithmetic(lm)) for lm in (_model(cell.source), _model(cell.target))]
    tasks = [(task.fingerprint(), task.template) for task in plan.tasks]
    parts = models, entry, words, tasks, plan.seeds, plan.length, plan.settings, packs.fingerprint()
    return key_of(*parts, code=__name__)


def _needed(cells: Sequence[Cell]) -> list[tuple[str, WordSettings | None]]:
    """Which models need prompts, free ones (None) or in words, each once; those that take longest first."""
    needed = {
        (cell.source, cell.entry if isinstance(cell.entry, WordSettings) else None): None
        for cell in cells
        if cell.entry not in ("manual", "random")
    }
    return sorted(needed, key=lambda need: (need[1] is None, -_model(need[0]).parameters))


def _pieces(cells: Sequence[Cell], fewest: int) -> list[list[Cell]]:
    """Cells of one source and one target each, in at least so many pieces if there are as many cells; by target."""
    size = -(-len(cells) // fewest)
    pairs: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.target):
        pairs.setdefault((cell.source, cell.target), []).append(cell)
    return [pair[start : start + size] for pair in pairs.values() for start in range(0, len(pair), size)]


def _prepare(name: str, settings: WordSettings | None, plan: Plan) -> None:
    """Tune the prompts of a model, so that its cells find them in the cache."""
    if settings is None:
        plan.tuned(_model(name))
    else:
        plan.written(_model(name), settings)


def _compute(cells: Sequence[Cell], plan: Plan) -> dict[str, Scores]:
    """The scores, by key, of cells of one source and one target, all in the same forward passes; and keep them."""
    source, target, store = _model(cells[0].source), _model(cells[0].target), Store(plan.cache, load_scores)
    made = {cell.key: scores for cell in cells if (scores := store.get(cell.key)) is not None}  # by another run
    cells = [cell for cell in cells if cell.key not in made]
    moved = {
        (task, seed, cell.method): prompt
        for cell in cells
        if cell.entry != "manual"
        for (task, seed), prompt in _prompts(cell.entry, source, target, plan).items()
    }
    scored = dict(zip(moved, accuracy_many(target, plan.tasks, moved, quick=True), strict=True))
    for cell in cells:
        if cell.entry == "manual":
            values = [[accuracy(target, task).value for task in plan.tasks]] * len(plan.seeds)
        else:
            values = [[scored[task.name, seed, cell.method] for task in plan.tasks] for seed in sorted(plan.seeds)]
        made[cell.key] = Scores(np.array(values))
        store.put(cell.key, made[cell.key])
    return made


def _prompts(entry: Entry, source: LanguageModel, target: LanguageModel, plan: Plan) -> Prompts:
    if entry == "tuned":
        return plan.tuned(target)
    if isinstance(entry, str):  # "random"
        return {
            (task.name, seed): random_prompt(target, task, length=plan.length, seed=seed)
            for task in plan.tasks
            for seed in plan.seeds
        }
    if isinstance(entry, WordSettings):
        return words_on(plan.written(source, entry), target)
    return transfer_many(plan.tuned(source), source, target, method=entry)


def _frame(scored: Sequence[tuple[Cell, Scores]], plan: Plan) -> "pandas.DataFrame":
    import pandas as pd

    rows = [
        (cell.source, cell.target, cell.method, task.name, seed, scores.values[i, j])
        for cell, scores in scored
        for i, seed in enumerate(sorted(plan.seeds))
        for j, task in enumerate(plan.tasks)
    ]
    return pd.DataFrame(rows, columns=["source", "target", "method", "task", "seed", "accuracy"])


def _bar(progress: bool, total: int) -> tqdm:
    quiet = {} if progress else {"disable": True}  # if shown, then only where tqdm is not switched off
    return tqdm(total=total, desc="cells of the table", leave=False, **quiet)
