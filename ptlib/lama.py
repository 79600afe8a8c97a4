"""LAMA: the papers' facts, read from a folder, and what of them a vocabulary can answer."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ptlib.errors import PromptError
from ptlib.facts import SPLITS
from ptlib.jsonl import read_rows
from ptlib.models import LanguageModel
from ptlib.tasks import Example, Task

ABOUT = {"relation": str, "template": str, "label": str}
FACT = {"sub_label": str, "obj_label": str}
PLAIN = "[X] [Y] ."  # for a relation without a manual template


def read_lama(folder: str | Path) -> dict[str, Task]:
    """Every relation in a folder laid out as OptiPrompt's and AutoPrompt's: `P36/{train,dev,test}.jsonl`.

    A row is `{"sub_label": ..., "obj_label": ...}`; what else it holds is not looked at. Labels and manual templates
    come from `relations.jsonl` in the same folder, as OptiPrompt has it. A relation without it has the template
    "[X] [Y] .", and a split without a file has no examples. Cite Petroni et al. (2019) for LAMA, and for the splits
    where they come from; the licence is that of the copy that you have.

    Returns:
        tasks by relation, in numeric order.

    Raises:
        PromptError: a folder without relations, or a row that is none; names file and line.
    """
    folder = Path(folder)
    names = {path.parent.name for split in SPLITS for path in folder.glob(f"P*/{split}.jsonl")}
    if not names:
        raise PromptError(f"{folder}: holds no relations; expected files such as P36/test.jsonl")
    about = {row["relation"]: row for row in read_rows(folder / "relations.jsonl", ABOUT)}
    tasks = {}
    for name in sorted(names, key=lambda name: (len(name), name)):
        splits = {split: _examples(folder / name / f"{split}.jsonl") for split in SPLITS}
        label, template = (about.get(name, {}).get(key, other) for key, other in (("label", name), ("template", PLAIN)))
        tasks[name] = Task(name, label, template, **splits)
    return tasks


def in_vocabulary(tasks: Sequence[Task], lms: Sequence[LanguageModel]) -> tuple[list[Task], pd.DataFrame]:
    """Tasks with only the examples whose answers are one token in every model, and how many those are.

    Returns:
        the tasks in the same order, and a row for each task and split: `task`, `split`, `kept`, `dropped`.
    """
    known: dict[str, bool] = {}
    kept, counts = [], []
    for task in tasks:
        splits = {}
        for split in SPLITS:
            examples = task.examples(split)
            for word in {example.answer for example in examples} - known.keys():
                known[word] = all(lm.word_id(word) is not None for lm in lms)
            splits[split] = tuple(example for example in examples if known[example.answer])
            counts.append((task.name, split, len(splits[split]), len(examples) - len(splits[split])))
        kept.append(replace(task, **splits))
    return kept, pd.DataFrame(counts, columns=["task", "split", "kept", "dropped"])


def _examples(path: Path) -> tuple[Example, ...]:
    return tuple(Example(row["sub_label"], row["obj_label"]) for row in read_rows(path, FACT))
