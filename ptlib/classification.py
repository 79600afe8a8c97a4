"""Classification: texts with one of a few labels, each label said by a word."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.facts import SPLITS
from ptlib.jsonl import read_rows
from ptlib.tasks import Example, Task

FILE = Path(__file__).parent / "classification.toml"


def read_classification(
    folder: str | Path, name: str, *, words: Sequence[str] | None = None, template: str | None = None
) -> Task:
    """A classification from a folder with `train.jsonl`, `dev.jsonl` and `test.jsonl`, or some of these.

    A row is `{"text": ..., "label": ...}`, where the label is a number from 0.

    Args:
        folder: where the files are.
        name: "sst2", "ag_news", "trec" or "subj" for the label words and the template of the waywardness paper's
            released code, or a name of your own.
        words: the word for each label, in order; needed for a name of your own.
        template: with `[X]` for the text and `[Y]` for the label word; likewise.

    Raises:
        PromptError: a folder without such files, a row that is none, a label without a word, or a name of your own
            without words and template.
    """
    folder, known = Path(folder), tomllib.loads(FILE.read_text(encoding="utf-8"))
    about = known.get(name, {})
    labels, template = tuple(words or about.get("words", ())), template or about.get("template")
    if not labels or not template:
        raise PromptError(f"{name}: give words= and template=; there are some for {', '.join(known)}")
    paths = {split: folder / f"{split}.jsonl" for split in SPLITS}
    if not any(path.exists() for path in paths.values()):
        raise PromptError(f"{folder}: holds none of {', '.join(path.name for path in paths.values())}")
    splits = {split: _examples(path, labels) for split, path in paths.items()}
    return Task(name, about.get("label", name), template, **splits, labels=labels)


def _examples(path: Path, labels: Sequence[str]) -> tuple[Example, ...]:
    examples = []
    for row in read_rows(path, {"text": str, "label": int}):
        if not 0 <= row["label"] < len(labels):
            raise PromptError(
                f"{path}: label {row['label']}, and words for 0 to {len(labels) - 1}: {', '.join(labels)}"
            )
        examples.append(Example(row["text"].strip(), labels[row["label"]]))
    return tuple(examples)
