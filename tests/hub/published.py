"""Small data sets in the forms that the hub has, to put on its stand-in."""

import json

import pyarrow as pa
import pyarrow.parquet as parquet
import yaml
from datasets import ClassLabel, Features, Value

from tests.hub.server import Hub

SST2 = Features(
    {"idx": Value("int32"), "sentence": Value("string"), "label": ClassLabel(names=["negative", "positive"])}
)
NEWS = Features({"text": Value("string"), "label": ClassLabel(names=["World", "Sports", "Business", "Sci/Tech"])})
KINDS = ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"]
TREC = Features({"text": Value("string"), "coarse_label": ClassLabel(names=KINDS), "fine_label": Value("int64")})
COPY = "@refs-convert-parquet"  # the branch with the hub's own Parquet copy, as the stand-in names it
LAMA = ["uuid", "predicate_id", "sub_label", "obj_label", "masked_sentence", "template", "label"]
FACTS = [
    ("P36", "France", "Paris"),
    ("P36", "Japan", "Tokyo"),
    ("P1001", "Diet", "Japan"),
    ("P36", "Cook County", "Chicago"),
    ("P47", "France", "Spain"),
    ("P47", "France", "Italy"),
]


def write(path, rows, features=None):
    """One file of rows: Parquet as `datasets` writes it, or JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        table = pa.Table.from_pylist(rows, schema=features.arrow_schema if features else None)
        parquet.write_table(table, path)


def card(folder, splits, features):
    """The README.md of a data set whose splits lie in `data/`: what is in them, how many rows, and which files."""
    about = {
        "license": ["unknown"],
        "dataset_info": {
            "features": features._to_yaml_list(),
            "splits": [{"name": split, "num_bytes": 1, "num_examples": count} for split, count in splits.items()],
        },
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*"} for split in splits],
            }
        ],
    }
    text = f"---\n{yaml.safe_dump(about)}---\n# A data set\n"
    (folder / "README.md").write_text(text, encoding="utf-8")


def texts(split, names, count):
    return [
        (f"{split} text {number} about {names[number % len(names)]}", number % len(names)) for number in range(count)
    ]


def publish_sst2(hub: Hub, train=None):
    folder = hub.folder("stanfordnlp/sst2", "datasets")
    splits = {
        "train": train or texts("train", ["negative", "positive"], 60),
        "validation": texts("validation", ["negative", "positive"], 6),
        "test": [("a hidden text", -1)],
    }
    for split, rows in splits.items():
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        write(path, [{"idx": 0, "sentence": text and text + " ", "label": label} for text, label in rows], SST2)
    card(folder, {split: len(rows) for split, rows in splits.items()}, SST2)


def publish_ag_news(hub: Hub):
    folder = hub.folder("fancyzhx/ag_news", "datasets")
    counts = {"train": 60, "test": 8}
    for split, count in counts.items():
        rows = [{"text": text, "label": label} for text, label in texts(split, NEWS["label"].names, count)]
        write(folder / "data" / f"{split}-00000-of-00001.parquet", rows, NEWS)
    card(folder, counts, NEWS)


def publish_trec(hub: Hub):
    """A loading script, and beside it the hub's Parquet copy."""
    script(hub, "CogComp/trec", "trec.py")
    folder = hub.folder("CogComp/trec" + COPY, "datasets")
    for split, count in (("train", 60), ("test", 12)):
        rows = [{"text": text, "coarse_label": label, "fine_label": 0} for text, label in texts(split, KINDS, count)]
        write(folder / "default" / split / "0000.parquet", rows, TREC)


def publish_subj(hub: Hub):
    folder, names = hub.folder("SetFit/subj", "datasets"), ["objective", "subjective"]
    for split, count in (("train", 60), ("test", 8)):
        rows = [
            {"text": text, "label": label, "label_text": names[label]} for text, label in texts(split, names, count)
        ]
        write(folder / f"{split}.jsonl", rows)
    (folder / "README.md").write_text("# Subjective vs Objective\n", encoding="utf-8")


def publish_lama(hub: Hub, facts=FACTS, columns=LAMA):
    """Three sentences for each fact, in two files, and another configuration that is not ours."""
    script(hub, "facebook/lama", "lama.py")
    rows = [
        {
            "uuid": f"{relation} {subject}",
            "predicate_id": relation,
            "sub_label": subject,
            "obj_label": answer,
            "masked_sentence": f"Sentence {number} says it: [MASK].",
            "template": "" if relation == "P1001" else f"[X] is {relation} to [Y] .",
            "label": "" if relation == "P1001" else f"label of {relation}",
        }
        for relation, subject, answer in facts
        for number in range(3)
    ]
    rows = [{column: row[column] for column in columns} for row in rows]
    folder = hub.folder("facebook/lama" + COPY, "datasets")
    write(folder / "trex" / "train" / "0000.parquet", rows[: len(rows) // 2])
    write(folder / "trex" / "train" / "0001.parquet", rows[len(rows) // 2 :])
    write(folder / "squad" / "train" / "0000.parquet", [{"id": "1", "sub_label": "Squad"}])


def script(hub: Hub, name, file):
    """A repository with a loading script, which would leave a trace if it ran."""
    text = f"open({str(hub.root / 'ran')!r}, 'w')\n"
    (hub.folder(name, "datasets") / file).write_text(text, encoding="utf-8")


PUBLISH = {"sst2": publish_sst2, "ag_news": publish_ag_news, "trec": publish_trec, "subj": publish_subj}
