"""Tasks: cloze examples with a right word each, such as the facts of one relation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ptlib.errors import PromptError
from ptlib.tasks.splits import SPLITS


@dataclass(frozen=True)
class Example:
    """A text to complete and the right word: `Example("France", "Paris")`."""

    text: str
    answer: str


@dataclass(frozen=True)
class Task:
    """What a prompt is tuned for.

    Attributes:
        name: a short name, for relations the Wikidata property id.
        label: the name in plain words, such as "capital".
        template: the manual template, with `[X]` for the text and `[Y]` for the answer.
        train, dev, test: the examples of each split.
        definition: the task said in a plain sentence.
        sentences: other wordings of the template; the pocket models were taught with them.
        labels: the words to choose among, for a classification; by default the whole vocabulary.
        source: where the examples are from, under which licence, and what to cite.

    Raises:
        PromptError: a label that stands twice, so that it could not be told which one was meant.
    """

    name: str
    label: str
    template: str
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    definition: str = ""
    sentences: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = ()
    source: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        if twice := _twice(label.strip() for label in self.labels):
            raise PromptError(f"{self.name}: label {twice!r} stands twice; give each label a word of its own")

    def examples(self, split: str) -> tuple[Example, ...]:
        """The examples of one split: "train", "dev" or "test"."""
        if split not in SPLITS:
            raise PromptError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
        return getattr(self, split)

    def fingerprint(self) -> str:
        """A text that is equal exactly for tasks with equal name, labels and examples."""
        return json.dumps([self.name, self.labels, *([[e.text, e.answer] for e in self.examples(s)] for s in SPLITS)])


def by_name(tasks: Iterable[Task]) -> dict[str, Task]:
    """Tasks by their names, which are all that results are told apart by.

    Raises:
        PromptError: two tasks of one name.
    """
    tasks = list(tasks)
    if twice := _twice(task.name for task in tasks):
        raise PromptError(
            f"two tasks are named {twice!r}; give each a name of its own, as dataclasses.replace(task, name=...) does"
        )
    return {task.name: task for task in tasks}


def each_once(splits: Mapping[str, Sequence[Example]]) -> tuple[dict[str, tuple[Example, ...]], str]:
    """Splits without examples that stand in them already, text and answer alike; and words for `Task.source` on it."""
    once = {split: tuple(dict.fromkeys(examples)) for split, examples in splits.items()}
    more = sum(len(examples) - len(once[split]) for split, examples in splits.items())
    return once, f"; {more} rows that repeat another one exactly are left out" if more else ""


def _twice(names: Iterable[str]) -> str | None:
    """The first name that stands twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def source_of(title: str, place: str, licence: str, citation: str) -> str:
    """A sentence for `Task.source`."""
    return f"{title} from {place}; licence: {licence}; cite {citation}"


def answers(tasks: Iterable[Task]) -> tuple[str, ...]:
    """All right words of the tasks, sorted, each once."""
    return tuple(sorted({e.answer for task in tasks for split in SPLITS for e in task.examples(split)}))
