"""Texts for prompts to look like: what they say about a task may be true, the contrary, or nothing at all."""

import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path

import torch

from ptlib.errors import PromptError
from ptlib.tasks.shipped import relation, relations
from ptlib.tasks.task import Task, by_name

FILE = Path(__file__).parents[1] / "pocket" / "texts.toml"
KINDS = ("true", "contradicting", "another task", "unrelated")


def texts(task: str, kind: str) -> tuple[str, ...]:
    """Texts of one kind for a task.

    Args:
        task: a relation, whose texts are in words that every pocket model knows, or "sst2", "ag_news", "trec" or
            "subj", whose texts are for models from the hub.
        kind: "true", what the task is; "contradicting", the contrary; "another task", definitions of others of its
            sort; "unrelated", sentences about anything else.

    Raises:
        PromptError: an unknown task or kind.
    """
    if kind not in KINDS:
        raise PromptError(f"unknown kind of text {kind!r}; there are {', '.join(KINDS)}")
    shelf = "pocket" if task in relations() else "hub"
    definitions = _definitions(shelf)
    if task not in definitions:
        raise PromptError(f"no texts for task {task!r}; there are some for {', '.join([*relations(), *definitions])}")
    if kind == "another task":
        return tuple(text for name, text in definitions.items() if name != task)
    if kind == "unrelated":
        return tuple(_file()["unrelated"][shelf])
    if kind == "true":
        return definitions[task], _file()["true"][task]
    first = definitions[task]
    return f"do not {first}" if shelf == "pocket" else f"Do not {first[0].lower()}{first[1:]}", _file()[kind][task]


def texts_by_kind(
    tasks: Sequence[Task], words: Sequence[str], *, each: int = 2, length: int = 9
) -> dict[str, dict[str, str]]:
    """For some relations, texts of each kind and of random words: by name of the task, the kind of each text.

    Definitions of another task are those of the relations that follow among `tasks`.

    Args:
        tasks: the relations.
        words: what random words are drawn from.
        each: how many texts of each kind, at most 2. The first are the same for any number.
        length: of the random words.
    """
    found = {}
    for place, task in enumerate(by_name(tasks).values()):
        following = [tasks[(place + step) % len(tasks)] for step in range(1, len(tasks))]
        unrelated = texts(task.name, "unrelated")
        kinds = {
            "true": texts(task.name, "true"),
            "contradicting": texts(task.name, "contradicting"),
            "another task": [other.definition for other in following],
            "unrelated": [unrelated[(2 * place + step) % len(unrelated)] for step in range(2)],
            "random words": [random_text(words, length, seed=2 * place + step) for step in range(2)],
        }
        found[task.name] = {text: kind for kind, some in kinds.items() for text in some[:each]}
    return found


def random_text(words: Sequence[str], length: int, *, seed: int = 0) -> str:
    """Words drawn by chance, such as from those that models share."""
    places = torch.randint(len(words), (length,), generator=torch.Generator().manual_seed(seed))
    return " ".join(words[place] for place in places)


@functools.cache
def _file() -> dict:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _definitions(shelf: str) -> dict[str, str]:
    if shelf == "hub":
        return _file()["definitions"]["hub"]
    return {name: relation(name).definition for name in relations()}
