"""Every chapter in the real profile, from folders and without network: small models behind the names, and few facts."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.models.checkpoint import WEIGHTS
from ptlib.tasks.splits import SPLITS
from tests.hub.test_chapters import BEHIND, CHAPTERS

pytestmark = pytest.mark.book


def put_models(folder):
    for label in pt.book.profile("real").models():
        shutil.copytree(WEIGHTS / BEHIND[label], folder / label)


def put_facts(folder):
    about = []
    for task in map(pt.relation, pt.relations()):
        (folder / task.name).mkdir(parents=True)
        about.append({"relation": task.name, "template": task.template, "label": task.label})
        for split in SPLITS:
            rows = [{"sub_label": one.text, "obj_label": one.answer} for one in task.examples(split)]
            (folder / task.name / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "relations.jsonl").write_text("\n".join(map(json.dumps, about)), encoding="utf-8")


def test_chapters_run_in_the_real_profile_without_network(tmp_path):
    put_models(tmp_path / "models")
    put_facts(tmp_path / "lama")
    shorter = {"relations": 2, "seeds": 2, "steps": 3}
    command = [sys.executable, "-m", "book.runner", "--profile", "real", "--build", str(tmp_path / "build")]
    command += ["-p", "shorter", str(shorter), "--only", *CHAPTERS]
    named = {"PTLIB_REAL_MODELS": str(tmp_path / "models"), "PTLIB_LAMA": str(tmp_path / "lama")}
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ) | named | nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    executed = {path.stem for path in (tmp_path / "build" / "executed" / "real" / "book").glob("*.ipynb")}
    assert executed == set(CHAPTERS)
