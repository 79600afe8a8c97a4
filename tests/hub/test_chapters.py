"""Every chapter in the paper profile, from top to bottom: real names, with small models and few facts behind them."""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from transformers import AddedToken, AutoTokenizer, GPT2LMHeadModel

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.models.checkpoint import WEIGHTS
from ptlib.tasks.classification import FILE
from ptlib.tasks.splits import SPLITS
from tests.hub.published import COPY, PUBLISH, write

CHAPTERS = (
    "00-pocket-models",
    "01-prompt-tuning",
    "02-relative-encoding",
    "03-transfer-search",
    "03b-shared-words",
    "04-many-sources",
    "05-waywardness",
    "06-do-wayward-prompts-travel",
)
BEHIND = {  # of the names in the paper profile, those that do not end like a pocket model
    "bert-base": "bert-small",
    "roberta-base": "roberta-small",
    "roberta-large": "roberta-small",
    "albert-base": "albert-small",
    "albert-large": "albert-small",
    "gpt2": "gpt2-small",
    "gpt2-xl": "gpt2-large",
}

pytestmark = pytest.mark.book


def publish_models(hub):
    for label, name in pt.book.profile("paper").models().items():
        shutil.copytree(WEIGHTS / BEHIND.get(label, label), hub.folder(name), dirs_exist_ok=True)


def publish_labels(hub):
    """The classifications, and their label words as tokens of GPT-2, as they are of the real one."""
    for publish_data in PUBLISH.values():
        publish_data(hub)
    words = {word for about in tomllib.loads(FILE.read_text(encoding="utf-8")).values() for word in about["words"]}
    folder = hub.folder("openai-community/gpt2")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), GPT2LMHeadModel.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken(f" {word}", normalized=False) for word in sorted(words)])
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def publish_facts(hub):
    hub.folder("facebook/lama", "datasets")
    rows = []
    for task in map(pt.relation, pt.relations()):
        about = {"predicate_id": task.name, "template": task.template, "label": task.label}
        for split in SPLITS:
            rows += [about | {"sub_label": e.text, "obj_label": e.answer} for e in task.examples(split)]
    write(hub.folder(f"facebook/lama{COPY}", "datasets") / "trex" / "train" / "0000.parquet", rows)


def test_chapters_run_in_the_paper_profile(hub, tmp_path):
    publish_models(hub)
    publish_facts(hub)
    publish_labels(hub)
    shorter = {"relations": 2, "seeds": 2, "steps": 3}
    command = [sys.executable, "-m", "book.runner", "--profile", "paper", "--build", str(tmp_path / "build")]
    command += ["-p", "shorter", str(shorter), "--only", *CHAPTERS]
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PTLIB_LAMA", "HF_HUB_OFFLINE")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=surroundings | {"HF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for notebook in (tmp_path / "build" / "executed" / "paper" / "book").glob("*.ipynb"):
        assert '"stderr"' not in notebook.read_text(encoding="utf-8"), notebook
    asked = {name for name in pt.book.profile("paper").models().values() if any(name in line for line in hub.log)}
    assert "google-bert/bert-large-cased" in asked
    for data in ("facebook/lama", "stanfordnlp/sst2", "fancyzhx/ag_news", "CogComp/trec", "SetFit/subj"):
        assert any(data in line for line in hub.log)
