"""Tests with real data run where `PTLIB_CLASSIFICATION` names a folder with it, and are skipped elsewhere."""

import json
import os
from pathlib import Path

import pytest

import ptlib as pt

FOLDER = Path(os.environ.get("PTLIB_CLASSIFICATION", "nowhere"))


def write(path, rows):
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def weather(tmp_path):
    """Two labels that the pocket models know."""
    write(tmp_path / "train.jsonl", [("The sun was warm", 0), ("The wind was icy", 1)] * 4)
    write(tmp_path / "test.jsonl", [("The fire was warm ", 0), ("The snow was icy", 1)])
    return tmp_path


def test_a_folder_becomes_a_task_with_labels(weather, bert):
    task = pt.read_classification(weather, "weather", words=["hot", "cold"], template="[X] . It is [Y] .")
    assert (task.name, task.labels, task.dev) == ("weather", ("hot", "cold"), ())
    assert task.test == (pt.Example("The fire was warm", "hot"), pt.Example("The snow was icy", "cold"))
    prompt = pt.tune(bert, task, settings=pt.Settings(steps=40))
    assert pt.accuracy(bert, task, prompt, split="train").value == 1


def test_a_file_without_splits_is_split_by_its_texts_and_gives_way_to_splits_that_are_there(tmp_path):
    rows = [(f"text {number}", number % 2) for number in range(400)]
    write(tmp_path / "all.jsonl", rows)
    task = pt.read_classification(tmp_path, "subj")
    whole = [(one.text, task.labels.index(one.answer)) for one in task.train + task.dev + task.test]
    assert sorted(whole) == sorted(rows)
    assert [len(task.examples(split)) / len(rows) for split in ("train", "dev", "test")] == pytest.approx(
        [0.60, 0.15, 0.25], abs=0.06
    )
    write(tmp_path / "all.jsonl", rows[200:])
    fewer = pt.read_classification(tmp_path, "subj")
    assert set(fewer.test) <= set(task.test)
    write(tmp_path / "test.jsonl", rows[:2])
    assert [len(pt.read_classification(tmp_path, "subj").examples(split)) for split in ("train", "test")] == [0, 2]


def test_the_paper_s_tasks_have_words_and_templates(weather):
    sentiment = pt.read_classification(weather, "sst2")
    assert sentiment.labels == ("terrible", "great")
    assert sentiment.template == "[X] It was [Y] ."
    assert sentiment.test[1].answer == "great"
    assert sentiment.source.startswith(f"SST-2 from {weather}; licence: that of your copy; cite Socher et al. (2013)")
    assert pt.tasks.texts("sst2", "true")


def test_words_for_labels_must_differ(weather, bert):
    with pytest.raises(pt.PromptError, match="weather: label 'warm' stands twice; give each label a word of its own"):
        pt.read_classification(weather, "weather", words=["warm", " warm "], template="[X] [Y]")
    with pytest.raises(pt.PromptError, match="words 'hc': give a list of words"):
        pt.read_classification(weather, "weather", words="hc", template="[X] [Y]")


def test_what_cannot_be_read_is_refused(weather, tmp_path):
    with pytest.raises(pt.PromptError, match="weather: give words= and template=; there are some for sst2"):
        pt.read_classification(weather, "weather")
    with pytest.raises(pt.PromptError, match="label 1, and words for 0 to 0: hot"):
        pt.read_classification(weather, "weather", words=["hot"], template="[X] [Y]")
    (weather / "test.jsonl").write_text('{"text": "x", "label": "hot"}', encoding="utf-8")
    with pytest.raises(pt.PromptError, match=r"test\.jsonl, line 1: expected text \(str\), label \(int\)"):
        pt.read_classification(weather, "sst2")
    with pytest.raises(pt.PromptError, match="holds none of train"):
        pt.read_classification(tmp_path / "empty", "sst2")


def row_of(line):
    row = json.loads(line)
    return row["text"].strip(), row["label"]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="PTLIB_CLASSIFICATION names no folder")
@pytest.mark.parametrize(("name", "folder"), [("sst2", "sst2"), ("ag_news", "agnews16"), ("trec", "trec")])
def test_every_row_of_the_real_data_is_read(name, folder):
    task = pt.read_classification(FOLDER / folder, name)
    for split in ("train", "dev", "test"):
        path = FOLDER / folder / f"{split}.jsonl"
        rows = path.read_text(encoding="utf-8").strip().splitlines() if path.exists() else []
        assert len(task.examples(split)) == len(dict.fromkeys(map(row_of, rows)))
    assert {example.answer for example in task.test} == set(task.labels)
