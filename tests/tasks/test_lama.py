"""Tests with real data run where `PTLIB_LAMA` names a folder with it, and are skipped elsewhere."""

import json
import os
import re
from pathlib import Path

import pytest

import ptlib as pt

FOLDER = Path(os.environ.get("PTLIB_LAMA", "nowhere"))
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="PTLIB_LAMA names no folder")


@pytest.fixture
def folder(tmp_path):
    """A small folder in the usual layout: one relation whole, one with a test split alone."""
    rows = {
        "P36/train": [("France", "Paris"), ("Japan", "Tokyo")],
        "P36/dev": [("Egypt", "Cairo")],
        "P36/test": [("Cook County", "Chicago"), ("Nowhere", "Ouagadougou Heights")],
        "P1001/test": [("Diet", "Japan")],
    }
    for name, pairs in rows.items():
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        lines = [json.dumps({"sub_label": x, "obj_label": y, "uuid": 7}) for x, y in pairs]
        path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    about = {"relation": "P36", "template": "The capital of [X] is [Y] .", "label": "capital", "type": "1-1"}
    (tmp_path / "relations.jsonl").write_text(json.dumps(about) + "\n", encoding="utf-8")
    return tmp_path


def test_a_folder_is_read(folder):
    tasks = pt.read_lama(folder)
    assert list(tasks) == ["P36", "P1001"]
    capital = tasks["P36"]
    assert (capital.label, capital.template) == ("capital", "The capital of [X] is [Y] .")
    assert [len(capital.examples(split)) for split in ("train", "dev", "test")] == [2, 1, 2]
    assert capital.test[0] == pt.Example("Cook County", "Chicago")
    assert (tasks["P1001"].label, tasks["P1001"].template, tasks["P1001"].train) == ("P1001", "[X] [Y] .", ())


def test_each_task_says_where_it_is_from(folder):
    source = pt.read_lama(folder)["P36"].source
    assert source.startswith(f"LAMA T-REx from {folder}; licence: that of your copy; cite Petroni et al. (2019)")


def test_its_tasks_are_tuned_and_scored_as_any(folder, bert):
    capital = pt.read_lama(folder)["P36"]
    prompt = pt.tune(bert, capital, settings=pt.Settings(steps=5))
    assert len(pt.accuracy(bert, capital, prompt, split="train").hits) == 2


def test_the_filter_keeps_what_all_models_have_and_counts(folder, bert, gpt2):
    tasks, counts = pt.in_vocabulary(list(pt.read_lama(folder).values()), [bert, gpt2])
    assert [example.text for example in tasks[0].test] == ["Cook County"]
    of_test = counts[(counts["task"] == "P36") & (counts["split"] == "test")].iloc[0]
    assert (of_test["kept"], of_test["dropped"]) == (1, 1)
    assert len(counts) == 6


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sub_label": "x"', "test.jsonl, line 3: no JSON"),
        ('{"sub_label": "x"}', "test.jsonl, line 3: expected sub_label (str), obj_label (str)"),
        ('{"sub_label": "x", "obj_label": 3}', "test.jsonl, line 3: expected sub_label (str), obj_label (str)"),
        ('["x", "y"]', "test.jsonl, line 3: expected sub_label (str), obj_label (str)"),
    ],
)
def test_a_row_that_is_none_is_named(folder, line, message):
    path = folder / "P36" / "test.jsonl"
    path.write_text("\n".join([*path.read_text(encoding="utf-8").splitlines()[:2], line]), encoding="utf-8")
    with pytest.raises(pt.PromptError, match=re.escape(message)):
        pt.read_lama(folder)


def test_a_folder_without_relations_is_refused(tmp_path):
    with pytest.raises(pt.PromptError, match="holds no relations; expected files such as P36/test"):
        pt.read_lama(tmp_path)


@real
def test_every_row_of_all_41_relations_is_read():
    tasks = pt.read_lama(FOLDER)
    assert len(tasks) == 41
    for name, task in tasks.items():
        assert "[X]" in task.template
        assert task.template != "[X] [Y] ."
        for split in ("train", "dev", "test"):
            path = FOLDER / name / f"{split}.jsonl"
            rows = path.read_text(encoding="utf-8").strip().splitlines() if path.exists() else []
            assert len(task.examples(split)) == len(rows)


@real
def test_the_filter_s_counts_are_those_of_the_files_rows(bert, gpt2):
    tasks = pt.read_lama(FOLDER)
    kept, counts = pt.in_vocabulary(list(tasks.values()), [bert, gpt2])
    known = {
        word: all(lm.word_id(word) is not None for lm in (bert, gpt2))
        for task in tasks.values()
        for split in ("train", "dev", "test")
        for word in {example.answer for example in task.examples(split)}
    }
    assert len(counts) == 41 * 3
    for name, split, is_kept, is_dropped in counts.itertuples(index=False):
        path = FOLDER / name / f"{split}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = [known[json.loads(line)["obj_label"]] for line in lines if line.strip()]
        assert (is_kept, is_dropped) == (sum(found), len(found) - sum(found))
    assert counts["kept"].sum() == sum(len(task.examples(split)) for task in kept for split in ("train", "dev", "test"))
    assert counts["kept"].sum() > 0
    assert counts["dropped"].sum() > 0
