"""Classification: texts with one of a few labels, each label said by a word."""

import tomllib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ptlib.errors import PromptError
from ptlib.keeping.files import expanded
from ptlib.tasks.hub_data import download
from ptlib.tasks.json_lines import read_rows
from ptlib.tasks.splits import SPLITS, position_of, split_of
from ptlib.tasks.task import Example, Task, each_once, source_of
from ptlib.tasks.text_files import is_there

if TYPE_CHECKING:
    from datasets import Dataset

FILE = Path(__file__).parent / "classification.toml"
DEV = 0.10  # of train; the waywardness paper's code tunes on the other 90 %


def load_classification(name: str, *, words: Sequence[str] | None = None, template: str | None = None) -> Task:
    """A classification from the Hugging Face hub: "sst2", "ag_news", "trec" or "subj"; needs `pip install datasets`.

    - "sst2": stanfordnlp/sst2; licence: unknown; cite Socher et al. (2013). Its validation split is our test.
    - "ag_news": fancyzhx/ag_news; licence: unknown; cite Zhang, Zhao and LeCun (2015).
    - "trec": CogComp/trec; licence: unknown; cite Li and Roth (2002) and Hovy et al. (2001).
    - "subj": SetFit/subj; licence: none stated; cite Pang and Lee (2004).

    The labels of SST-2's own test split are hidden. Dev is about a tenth of train, chosen by a hash of the text: a text
    that train has twice stands in one split, and in the same one in every version of the data. A text of test is left
    out of train and dev, and a row that repeats another one exactly out of its split; the task's `source` says how
    often, and names the licence and what to cite. The hub's files are kept in its cache, so that later no network is
    needed.

    Args:
        name: one of the four.
        words: the word for each label, in the order of the default, which `read_classification` has too.
        template: with `[X]` for the text and `[Y]` for the label word.

    Raises:
        PromptError: another name, more or fewer words than labels, no network and no earlier download, or a data set
            that has changed: another column, or another label.

    Warns:
        UserWarning: rows without a text are left out; says how many.
    """
    known = _known()
    if name not in known:
        raise PromptError(f"{name}: not a data set that is known; there are {', '.join(known)}")
    about = known[name]
    hub, labels = about["hub"], _words(words or about["words"])
    if len(labels) != len(about["words"]):
        raise PromptError(f"{name}: {len(labels)} words; needs {len(about['words'])}, for {', '.join(about['words'])}")
    in_order = [labels[about["words"].index(word)] for word in hub["words"]]
    data = download(hub["repository"], revision=hub.get("revision"), folder=hub.get("folder"))
    tested, rest = (_of_hub(data, hub, split, in_order) for split in ("test", "train"))
    texts = {example.text for example in tested}
    fresh = [example for example in rest if example.text not in texts]
    splits, repeats = each_once(
        {
            "train": [example for example in fresh if position_of(example.text) >= DEV],
            "dev": [example for example in fresh if position_of(example.text) < DEV],
            "test": tested,
        }
    )
    place = f"{hub['repository']} on the Hugging Face hub, without {len(rest) - len(fresh)} rows of train that test has"
    source = source_of(about["title"], place, hub["licence"], about["citation"])
    train, dev, test = (splits[split] for split in SPLITS)
    template = template or about["template"]
    return Task(name, about["label"], template, train, dev, test, labels=labels, source=source + repeats)


def read_classification(
    folder: str | Path, name: str, *, words: Sequence[str] | None = None, template: str | None = None
) -> Task:
    """A classification from a folder with `train.jsonl`, `dev.jsonl` and `test.jsonl`, or some of these.

    Where there are none of them but an `all.jsonl`, as of Subj, which has no splits of its own, a hash of each text
    says where it stands: 60 % train, 15 % dev, 25 % test.

    A row is `{"text": ..., "label": ...}`, where the label is a number from 0. Spaces around a text are left out,
    and so are rows of a file that repeat another one exactly; the task's `source` says how many. The licence is that
    of your copy.

    Args:
        folder: where the files are.
        name: "sst2", "ag_news", "trec" or "subj" for the label words and the template of the waywardness paper's
            released code, or a name of your own.
        words: the word for each label, in order; needed for a name of your own.
        template: with `[X]` for the text and `[Y]` for the label word; likewise.

    Raises:
        PromptError: a folder without such files or without rows, a file that is not UTF-8, a row that is none, a label
            without a word, two labels with one word, or a name of your own without words and template.
    """
    folder, known = expanded(folder), _known()
    about = known.get(name, {})
    labels, template = _words(words or about.get("words", ())), template or about.get("template")
    if not labels or not template:
        raise PromptError(f"{name}: give words= and template=; there are some for {', '.join(known)}")
    paths = {split: folder / f"{split}.jsonl" for split in (*SPLITS, "all")}
    if not any(is_there(path) for path in paths.values()):
        raise PromptError(f"{folder}: holds none of {', '.join(path.name for path in paths.values())}")
    found = {split: _of_file(paths[split], labels) for split in SPLITS}
    if not any(is_there(paths[split]) for split in SPLITS):
        whole = _of_file(paths["all"], labels)
        found = {split: [example for example in whole if split_of(example.text) == split] for split in SPLITS}
    splits, repeats = each_once(found)
    if not any(splits.values()):
        raise PromptError(f"{folder}: its files hold no rows")
    source = source_of(about.get("title", name), str(folder), "that of your copy", about.get("citation", "its authors"))
    train, dev, test = (splits[split] for split in SPLITS)
    return Task(name, about.get("label", name), template, train, dev, test, labels=labels, source=source + repeats)


def _known() -> dict[str, dict]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _of_file(path: Path, labels: Sequence[str]) -> list[Example]:
    rows = read_rows(path, {"text": str, "label": int})
    return [Example(row["text"], _word(row["label"], labels, str(path))) for row in rows]


def _words(words: Sequence[str]) -> tuple[str, ...]:
    """Label words, without the spaces around them."""
    if isinstance(words, str):
        raise PromptError(f"words {words!r}: give a list of words, one for each label")
    return tuple(word.strip() for word in words)


def _of_hub(data: "dict[str, Dataset]", hub: dict, split: str, words: Sequence[str]) -> list[Example]:
    """The examples of one split; rows without a text are counted and warned of."""
    name, changed = hub["splits"][split], "the data set has changed: read a copy of yours with read_classification"
    if name not in data:
        raise PromptError(f"{hub['repository']}: no split {name!r} among {', '.join(data)}; {changed}")
    rows = data[name]
    for column in (hub["text"], hub["label"]):
        if column not in rows.column_names:
            raise PromptError(
                f"{hub['repository']}: no column {column!r} among {', '.join(rows.column_names)}; {changed}"
            )
    names = getattr(rows.features[hub["label"]], "names", hub["names"])
    if names != hub["names"]:
        raise PromptError(
            f"{hub['repository']}: labels {', '.join(names)}, expected {', '.join(hub['names'])}; {changed}"
        )
    columns = rows.select_columns([hub["text"], hub["label"]]).to_dict()
    pairs = [((text or "").strip(), label) for text, label in zip(*columns.values(), strict=True)]
    empty = sum(not text for text, _ in pairs)
    if empty:
        warnings.warn(f"{hub['repository']}: {empty} rows of {name} have no text and are left out", stacklevel=3)
    return [Example(text, _word(label, words, hub["repository"])) for text, label in pairs if text]


def _word(label: int | None, words: Sequence[str], place: str) -> str:
    if label is None or label not in range(len(words)):
        raise PromptError(f"{place}: label {label}, and words for 0 to {len(words) - 1}: {', '.join(words)}")
    return words[label]
