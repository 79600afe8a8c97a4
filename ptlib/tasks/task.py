"""Tasks: cloze examples with a right word each, such as the facts of one relation."""

import json
from collections.abc import Iterable
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

    def examples(self, split: str) -> tuple[Example, ...]:
        """The examples of one split: "train", "dev" or "test"."""
        if split not in SPLITS:
            raise PromptError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
        return getattr(self, split)

    def fingerprint(self) -> str:
        """A text that is equal exactly for tasks with equal name, labels and examples."""
        return json.dumps([self.name, self.labels, *([[e.text, e.answer] for e in self.examples(s)] for s in SPLITS)])


def source_of(title: str, place: str, licence: str, citation: str) -> str:
    """A sentence for `Task.source`."""
    return f"{title} from {place}; licence: {licence}; cite {citation}"


def answers(tasks: Iterable[Task]) -> tuple[str, ...]:
    """All right words of the tasks, sorted, each once."""
    return tuple(sorted({e.answer for task in tasks for split in SPLITS for e in task.examples(split)}))
