"""Tasks: cloze examples with a right word each, such as the facts of one relation."""

import difflib
import functools
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.facts import SPLITS, read_facts, split_of

RELATIONS = Path(__file__).parent / "pocket" / "relations"


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


def relations() -> tuple[str, ...]:
    """Property ids of the shipped relations, in numeric order."""
    return tuple(sorted((path.stem for path in RELATIONS.glob("P*.tsv")), key=lambda name: int(name[1:])))


def relation(name: str, *, folder: Path = RELATIONS) -> Task:
    """The task of one relation: `relation("P36")` asks for capitals.

    Reads `<name>.tsv` (the facts) and `<name>.toml` (label, template, definition, sentences).

    Raises:
        PromptError: no such relation, a malformed file, or a relation without facts.
    """
    facts_file = folder / f"{name}.tsv"
    if not facts_file.exists():
        known = sorted(path.stem for path in folder.glob("*.tsv"))
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:5]
        raise PromptError(f"unknown relation {name!r}; did you mean {', '.join(near)}? relations() lists all")
    return _read_relation(name, folder)


@functools.cache
def _read_relation(name: str, folder: Path) -> Task:
    about_file, facts_file = folder / f"{name}.toml", folder / f"{name}.tsv"
    try:
        about = tomllib.loads(about_file.read_text(encoding="utf-8"))
        label, template, definition = about["label"], about["template"], about["definition"]
        sentences = tuple(about["sentences"])
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{about_file}: cannot be read as the description of a relation: {error}") from error
    by_split: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for fact in read_facts(facts_file):
        by_split[split_of(fact.subject)].append(Example(fact.subject, fact.object))
    splits = {split: tuple(examples) for split, examples in by_split.items()}
    task = Task(name, label, template, **splits, definition=definition, sentences=sentences)
    if not (task.train and task.test):
        raise PromptError(
            f"{folder / name}.tsv: too few facts: {len(task.train)} to train on, {len(task.test)} to test"
        )
    return task


def answers(tasks: Iterable[Task]) -> tuple[str, ...]:
    """All right words of the tasks, sorted, each once."""
    return tuple(sorted({e.answer for task in tasks for split in SPLITS for e in task.examples(split)}))
