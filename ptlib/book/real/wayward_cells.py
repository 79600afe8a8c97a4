"""What is measured of waywardness on real models: the paper's own tasks, the texts, and the parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ptlib.carrying.by_maps import Procrustes
from ptlib.carrying.by_relations import ClosedForm, Method
from ptlib.tasks.classification import DEV, read_classification
from ptlib.tasks.splits import position_of
from ptlib.tasks.task import Example, Task
from ptlib.tasks.wordings import texts
from ptlib.tuning.descent import Settings

FOLDERS = {"sst2": "sst2", "trec": "trec", "subj": "subj", "ag_news": "agnews16"}  # the longest texts last
AT_ONCE = 3  # tasks; all their parts are finished before those of the next are begun
CARRIED: dict[str, Method] = {"closed form": ClosedForm(), "procrustes": Procrustes()}


@dataclass(frozen=True)
class Study:
    """How it is measured.

    Attributes:
        seeds: of the prompts.
        gammas: how strongly prompts are drawn to their texts; without a pull first.
        dev: examples of each task that are chosen by, at most.
        test: examples that are scored, at most.
        settings: how prompts are tuned.
        cache: where prompts and scores are kept.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    gammas: tuple[int | float, ...] = (0, 10)
    dev: int = 100
    test: int = 100
    settings: Settings = Settings(steps=60)
    cache: str | None = None


@dataclass(frozen=True)
class Cell:
    """A part of the measurement that is kept as soon as it is there.

    Attributes:
        table: "tuned", prompts on their own model; "carried", the same in the other; "channel", the same scored by the
            channel; "beside", what needs no tuning.
        task: the name of the task.
        source: the model that prompts were tuned on, or that is asked where none were.
        target: the model that is asked.
        seed: of the prompts.
    """

    table: str
    task: str
    source: str
    target: str
    seed: int


def cells(names: Sequence[str], tasks: Sequence[str], seeds: Sequence[int]) -> Iterator[Cell]:
    """All parts: of a seed and a few tasks what is tuned on the model that is named first, then on the others.

    So the model that costs least is to be named first, and what is there of a run that was stopped is whole by tasks.
    """
    for seed in seeds:
        for some in (tasks[start : start + AT_ONCE] for start in range(0, len(tasks), AT_ONCE)):
            for name, task in ((name, task) for name in names for task in some):
                if seed == seeds[0]:  # what needs no tuning is asked once
                    yield Cell("beside", task, name, name, seed)
                yield Cell("tuned", task, name, name, seed)
                yield Cell("channel", task, name, name, seed)
                yield from (Cell("carried", task, name, other, seed) for other in names if other != name)


def texts_for(task: str) -> dict[str, str]:
    """What prompts are drawn to, and its kind: the definition of another task, and an ordinary sentence."""
    another = "subj" if task == "trec" else "trec"  # short ones
    return {texts(another, "true")[0]: "another task", texts(task, "unrelated")[-1]: "unrelated"}


def classifications(folder: str | Path, study: Study) -> list[Task]:
    """The paper's tasks, with as many dev and test examples as are wanted, first by a hash of their texts.

    Raises:
        PromptError: one that is not there.
    """
    whole = [_apart(read_classification(Path(folder) / place, name)) for name, place in FOLDERS.items()]
    return [replace(task, dev=_some(task.dev, study.dev), test=_some(task.test, study.test)) for task in whole]


def _apart(task: Task) -> Task:
    """A task that has no text of test elsewhere, and a tenth of train for dev if it had none, as the hub's have."""
    tested = {one.text for one in task.test}
    train, dev = ([one for one in some if one.text not in tested] for some in (task.train, task.dev))
    if not dev:
        train, dev = ([one for one in train if (position_of(one.text) < DEV) == first] for first in (False, True))
    return replace(task, train=tuple(train), dev=tuple(dev))


def _some(examples: Sequence[Example], count: int) -> tuple[Example, ...]:
    return tuple(sorted(examples, key=lambda one: position_of(one.text))[:count])
