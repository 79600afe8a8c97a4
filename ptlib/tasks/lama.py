"""LAMA: the papers' facts, from a folder or the Hugging Face hub, and what of them a vocabulary can answer."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ptlib.errors import PromptError
from ptlib.keeping.files import expanded
from ptlib.models.language_model import LanguageModel
from ptlib.tasks.hub_data import download
from ptlib.tasks.json_lines import read_rows
from ptlib.tasks.splits import SPLITS, split_of
from ptlib.tasks.task import Example, Task, each_once, source_of

if TYPE_CHECKING:
    import pandas

ABOUT = {"relation": str, "template": str, "label": str}
FACT = {"sub_label": str, "obj_label": str}
PLAIN = "[X] [Y] ."  # for a relation without a manual template

# The repository holds a loading script, so the hub's own Parquet copy is read: `trex/train/*.parquet`, 1,304,391 rows,
# one for each sentence that says a fact. The folder is as the hub lists it, the columns and the count are the card's;
# not verified: the names of the files, and that all 41 relations are in them.
REPOSITORY, REVISION, FOLDER = "facebook/lama", "refs/convert/parquet", "trex"
COLUMNS = ["predicate_id", "sub_label", "obj_label", "template", "label"]
FACT_COLUMNS = COLUMNS[:3]
LICENCE = "CC BY-NC 4.0 (so the card's text, which names LAMA's own repository; its header says CC BY 4.0)"
CITATION = "Petroni et al. (2019), Language Models as Knowledge Bases?, and Petroni et al. (2020)"


def load_lama(source: str | Path | None = None) -> dict[str, Task]:
    """Every T-REx relation of LAMA: from a folder as `read_lama` reads it, or else from the Hugging Face hub.

    On the hub it is "facebook/lama" (1.3 million rows; needs `pip install datasets`), with a row for each sentence
    that says a fact; each fact is taken once. It has no splits: here a hash of the subject decides, 60% train, 15%
    dev, 25% test, so a subject stands in the same split of every relation. These are not the splits of AutoPrompt and
    OptiPrompt; for those give a folder. Licence: CC BY-NC 4.0 by the card's text; cite Petroni et al. (2019, 2020).
    The hub's files are kept in its cache, so that later no network is needed.

    Args:
        source: a folder; by default the hub.

    Returns:
        tasks by relation, in numeric order.

    Warns:
        UserWarning: rows without relation, subject or object are left out; says how many.

    Raises:
        PromptError: no network and nothing in the cache, a missing column, or what `read_lama` raises.
    """
    if source is not None:
        return read_lama(source)
    rows = download(REPOSITORY, revision=REVISION, folder=FOLDER, columns=COLUMNS)["train"]
    table = rows.with_format("arrow")[:].group_by(COLUMNS, use_threads=False).aggregate([([], "count_all")])
    facts = table.to_pandas()
    facts[COLUMNS] = facts[COLUMNS].fillna("").apply(lambda column: column.str.strip())
    empty = (facts[FACT_COLUMNS] == "").any(axis=1)
    if empty.any():
        count = facts.loc[empty, "count_all"].sum()
        message = f"{REPOSITORY}: {count} of {len(rows)} rows lack a relation, subject or object and are left out"
        warnings.warn(message, stacklevel=2)
    facts = facts[~empty].drop_duplicates(FACT_COLUMNS)
    about = source_of("LAMA T-REx", f"{REPOSITORY} on the Hugging Face hub", LICENCE, CITATION)
    relations = {name: _of_relation(name, own, about) for name, own in facts.groupby("predicate_id")}
    return {name: relations[name] for name in _in_order(relations)}


def read_lama(folder: str | Path) -> dict[str, Task]:
    """Every relation in a folder laid out as OptiPrompt's and AutoPrompt's: `P36/{train,dev,test}.jsonl`.

    A row is `{"sub_label": ..., "obj_label": ...}`; what else it holds is not looked at. Labels and manual templates
    come from `relations.jsonl` in the same folder, as OptiPrompt has it. A relation without it has the template
    "[X] [Y] .", and a split without a file has no examples. Cite Petroni et al. (2019) for LAMA, and for the splits
    where they come from; the licence is that of the copy that you have. Spaces around texts are left out,
    and so are rows of a file that repeat another one exactly; the task's `source` says how many.

    Returns:
        tasks by relation, in numeric order.

    Raises:
        PromptError: a folder without relations, a file that is not UTF-8, or a row that is none; names file and line.
    """
    folder = expanded(folder)
    names = {path.parent.name for split in SPLITS for path in folder.glob(f"P*/{split}.jsonl")}
    if not names:
        raise PromptError(f"{folder}: holds no relations; expected files such as P36/test.jsonl")
    about: dict[str, dict] = {}
    for row in read_rows(folder / "relations.jsonl", ABOUT):
        if about.setdefault(row["relation"], row) != row:
            raise PromptError(f"{folder / 'relations.jsonl'}: describes {row['relation']} twice; keep one of the two")
    source = source_of("LAMA T-REx", str(folder), "that of your copy", CITATION)
    tasks = {}
    for name in _in_order(names):
        splits, repeats = each_once({split: _examples(folder / name / f"{split}.jsonl") for split in SPLITS})
        if not any(splits.values()):
            raise PromptError(f"{folder / name}: its files hold no rows")
        label, template = (about.get(name, {}).get(key, other) for key, other in (("label", name), ("template", PLAIN)))
        train, dev, test = (splits[split] for split in SPLITS)
        tasks[name] = Task(name, label, template, train, dev, test, source=source + repeats)
    return tasks


def in_vocabulary(tasks: Sequence[Task], lms: Sequence[LanguageModel]) -> "tuple[list[Task], pandas.DataFrame]":
    """Tasks with only the examples whose answers are one token in every model, and how many those are.

    Returns:
        the tasks in the same order, and `task`, `split`, `kept`, `dropped` in a row for each task and split.
    """
    import pandas as pd

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
        kept.append(replace(task, train=splits["train"], dev=splits["dev"], test=splits["test"]))
    return kept, pd.DataFrame(counts, columns=["task", "split", "kept", "dropped"])


def split_by_subject(task: Task) -> Task:
    """A task whose examples stand in the splits that their subjects say, as those from the hub do.

    In the folder of OptiPrompt's splits some relations have next to no training examples.
    """
    examples = dict.fromkeys(example for split in SPLITS for example in task.examples(split))
    train, dev, test = (tuple(one for one in examples if split_of(one.text) == split) for split in SPLITS)
    return replace(task, train=train, dev=dev, test=test)


def _of_relation(name: str, facts: "pandas.DataFrame", source: str) -> Task:
    splits: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for subject, answer in zip(facts["sub_label"], facts["obj_label"], strict=True):
        splits[split_of(subject)].append(Example(subject, answer))
    label, template = facts["label"].iloc[0] or name, facts["template"].iloc[0] or PLAIN
    train, dev, test = (tuple(splits[split]) for split in SPLITS)
    return Task(name, label, template, train, dev, test, source=source)


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (len(name), name))


def _examples(path: Path) -> list[Example]:
    return [Example(row["sub_label"], row["obj_label"]) for row in read_rows(path, FACT)]
