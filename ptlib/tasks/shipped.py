"""The relations that come with the book, and any in files of the same form."""

import difflib
import functools
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from ptlib.errors import PromptError
from ptlib.keeping.files import expanded
from ptlib.tasks.facts import read_facts
from ptlib.tasks.splits import SPLITS, split_of
from ptlib.tasks.task import Example, Task
from ptlib.tasks.text_files import is_there, read_text

Said = TypeVar("Said", str, list)

RELATIONS = Path(__file__).parents[1] / "pocket" / "relations"


def relations() -> tuple[str, ...]:
    """Property ids of the shipped relations, in numeric order."""
    return tuple(sorted((path.stem for path in RELATIONS.glob("P*.tsv")), key=lambda name: int(name[1:])))


def relation(name: str, *, folder: str | Path = RELATIONS) -> Task:
    """The task of one relation: `relation("P36")` asks for capitals.

    Reads `<name>.tsv` (the facts, each taken once) and `<name>.toml` (label, template, definition, sentences).

    Raises:
        PromptError: no such relation, a malformed file, or a relation without facts.
    """
    folder = expanded(folder)
    if not is_there(folder / f"{name}.tsv"):
        known = sorted(path.stem for path in folder.glob("*.tsv"))
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:5]
        if not near:
            raise PromptError(f"{folder}: holds no relations; expected files such as {name}.tsv")
        raise PromptError(f"unknown relation {name!r}; did you mean {', '.join(near)}? relations() lists all")
    return _shipped(name) if folder == RELATIONS else _read_relation(name, folder)


@functools.cache
def _shipped(name: str) -> Task:
    return _read_relation(name, RELATIONS)


def _read_relation(name: str, folder: Path) -> Task:
    about_file, facts_file = folder / f"{name}.toml", folder / f"{name}.tsv"
    try:
        about = tomllib.loads(read_text(about_file))
        label, template, definition = (_said(about, key, str) for key in ("label", "template", "definition"))
        sentences = tuple(_said(about, "sentences", list))
    except (KeyError, TypeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{about_file}: cannot be read as the description of a relation: {error}") from error
    by_split: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for fact in read_facts(facts_file):
        by_split[split_of(fact.subject)].append(Example(fact.subject, fact.object))
    train, dev, test = (tuple(by_split[split]) for split in SPLITS)
    task = Task(name, label, template, train, dev, test, definition=definition, sentences=sentences)
    if not (task.train and task.test):
        raise PromptError(
            f"{folder / name}.tsv: too few facts: {len(task.train)} to train on, {len(task.test)} to test"
        )
    return task


def _said(about: dict[str, Any], key: str, kind: type[Said]) -> Said:
    """An entry of a description: a text, or a list of texts."""
    value = about[key]
    texts = value if isinstance(value, list) else [value]
    if type(value) is not kind or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{key} must be a {'list of texts' if kind is list else 'text'}, not {value!r:.60}")
    return value
