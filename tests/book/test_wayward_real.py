"""The measurement of waywardness on real models, tried on pocket models, and what is kept of it."""

import json
import sys

import pandas as pd
import pytest

import ptlib as pt
from ptlib.book.real import drawn
from ptlib.book.real import wayward as entry
from ptlib.book.real import wayward_cells as parts
from ptlib.book.real import wayward_kept as kept
from ptlib.book.real import wayward_measure as measuring
from ptlib.models.checkpoint import WEIGHTS
from ptlib.models.quick import quick_copy

TEXTS = {"name the city in which the person was born": "another task", "the old cat slept": "unrelated"}
STUDY = parts.Study(seeds=(0, 1), gammas=(0, 1), settings=pt.Settings(steps=15))
NAMES = ("gpt2-small", "bert-small")


@pytest.fixture(scope="module")
def tasks():
    """A relation as a classification."""
    return [pt.closed(pt.relation("P106"))]


@pytest.fixture
def chosen(lms, monkeypatch):
    monkeypatch.setattr(measuring, "texts_for", lambda _task: TEXTS)
    return {name: lms[name] for name in NAMES}


def tables_of(found):
    tables = {table: [] for table in measuring.TABLES}
    for table, rows in found:
        tables[table] += rows
    return tables


def test_each_part_is_there_once_and_carried_when_it_is_tuned():
    listed = list(parts.cells(["a", "b", "c"], list("tuvw"), [3, 4]))
    assert len(listed) == len(set(listed))
    asked = [cell for cell in listed if cell.table == "beside"]
    assert {(cell.task, cell.source) for cell in asked} == {(t, m) for t in "tuvw" for m in "abc"}
    assert {cell.seed for cell in asked} == {3}
    for place, cell in enumerate(listed):
        if cell.table == "carried":
            assert parts.Cell("tuned", cell.task, cell.source, cell.source, cell.seed) in listed[:place]
    assert sum(cell.table == "carried" for cell in listed) == 6 * 4 * 2
    assert sum(cell.table == "tuned" for cell in listed) == 3 * 4 * 2
    assert sum(cell.table == "channel" for cell in listed) == 3 * 4 * 2


def test_numbers_are_those_that_the_library_gives(chosen, tasks):
    tables = tables_of(measuring.measure(chosen, tasks, parts.Study(**vars(STUDY) | {"seeds": (1,)})))
    (task,), gpt2, bert = tasks, chosen["gpt2-small"], chosen["bert-small"]
    prompts = pt.tune_toward(
        gpt2, tasks, list(TEXTS), gammas=(0, 1), seeds=(1,), template=f"[V] {task.template}", settings=STUDY.settings
    )
    table = pt.waywardness(gpt2, tasks, prompts)
    home = [row for row in tables["tuned"] if row["model"] == "gpt2-small"]
    for measure in ("text", "gamma", "dev", "accuracy", "f1", "projection", "spacings", "drop"):
        assert [row[measure] for row in home] == table[measure].tolist()
    assert [row["kind"] for row in home] == [TEXTS[text] for text in table["text"]]
    abroad = [row for row in tables["carried"] if row["source"] == "gpt2-small"]
    assert [(row["text"], row["gamma"]) for row in abroad] == [(aim.text, aim.gamma) for aim in prompts] * 2
    moved = {name: pt.transfer_many(prompts, gpt2, bert, method=how) for name, how in parts.CARRIED.items()}
    for row in abroad:
        prompt = moved[row["method"]][pt.tuning.Aim(task.name, row["text"], row["gamma"], 1)]
        assert row["accuracy"] == pt.accuracy(quick_copy(bert), task, prompt).value
        assert row["f1"] == pt.word_f1(row["text"], str(pt.project(bert, prompt)))
    beside = {row["method"]: row["accuracy"] for row in tables["beside"] if row["model"] == "gpt2-small"}
    assert beside["manual"] == pt.accuracy(quick_copy(gpt2), task).value
    assert beside["most frequent"] == pt.scoring.most_frequent_answer(task).value
    length = prompts[home[0]["task"], home[0]["text"], 0, 1].length
    at_random = pt.random_prompt(gpt2, task, template=f"{'[V] ' * length}{task.template}", seed=1)
    assert beside["random"] == pt.accuracy(quick_copy(gpt2), task, at_random).value
    assert beside["random"] < table["accuracy"].max() - 0.1
    assert len({row["accuracy"] for row in tables["tuned"] + tables["carried"]}) > 3


def test_the_channel_reads_the_sentence_behind_the_label_s_words_alone_and_behind_each_prompt(chosen, tasks):
    study = parts.Study(**vars(STUDY) | {"seeds": (1,)})
    tables, (task,), gpt2 = tables_of(measuring.measure(chosen, tasks, study)), tasks, chosen["gpt2-small"]
    prompts = measuring.prompts_of(gpt2, task, study, 1)
    behind = task.template.replace("[X] ", "") + " [X]"
    rows = tables["channel"]
    (alone,) = (row for row in tables["beside"] if row["method"] == "manual, channel")
    assert alone["accuracy"] == pt.scoring.channel_accuracy(quick_copy(gpt2), task, behind).value
    assert {row["model"] for row in (alone, *rows)} == {"gpt2-small"}  # a masked model has none
    assert len(rows) == 2
    for row, (aim, prompt) in zip(rows, [(aim, one) for aim, one in prompts.items() if not aim.gamma], strict=True):
        score = pt.scoring.channel_accuracy(quick_copy(gpt2), task, f"{'[V] ' * prompt.length}{behind}", prompt)
        assert (row["text"], row["accuracy"]) == (aim.text, score.value)
    assert len({row["accuracy"] for row in (alone, *rows)}) > 1


def test_an_interrupted_run_goes_on_and_what_was_measured_is_kept(chosen, tasks, tmp_path, capsys):
    study = parts.Study(**vars(STUDY) | {"cache": str(tmp_path / "cache")})
    running = measuring.measure(chosen, tasks, study)
    first = [next(running), next(running)]
    assert len(capsys.readouterr().out.splitlines()) == 2
    whole = list(measuring.measure(chosen, tasks, study))
    assert len(capsys.readouterr().out.splitlines()) == len(whole) - 2
    assert whole[:2] == first
    assert list(measuring.measure(chosen, tasks, study, last_first=True)) == whole[::-1]
    assert capsys.readouterr().out == ""
    tables, file = tables_of(whole), tmp_path / "w.json"
    kept.keep_wayward(file, tables, chosen, tasks, study, obtained="made here")
    for table, rows in tables.items():
        found = kept.kept_wayward(table, file)
        assert found["accuracy"].tolist() == pytest.approx([row["accuracy"] for row in rows], abs=1e-4)
    about = kept.wayward_provenance(file)
    assert about["obtained"] == "made here"
    assert about["tasks"]["P106"]["examples"]["test"] == len(tasks[0].test)
    again = pt.reading.within(kept.kept_wayward("tuned", file)[lambda rows: rows.model == "gpt2-small"])
    assert len(again) == len(TEXTS) * len(study.seeds)


def test_what_prompts_do_and_what_they_read_as_is_drawn_by_the_strength_of_the_pull():
    rows = [
        {"model": model, "gamma": gamma, "accuracy": accuracy + shift, "f1": f1}
        for model in ("a", "b")
        for gamma, accuracy, f1 in ((0, 0.8, 0.1), (1, 0.7, 0.5))
        for shift in (-0.1, 0.1)
    ]
    figure = drawn.draw_wayward(pd.DataFrame(rows))
    assert [axes.get_title() for axes in figure.axes] == ["tuned and asked on a", "tuned and asked on b"]
    for axes in figure.axes:
        does, reads = (container.lines[0].get_ydata() for container in axes.containers)
        assert does == pytest.approx([0.8, 0.7])
        assert reads == pytest.approx([0.1, 0.5])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1"]


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path):
    with pytest.raises(pt.PromptError, match=r"\A[^\n]*none.json: nothing is kept of real models[^\n]*\Z"):
        kept.kept_wayward("tuned", tmp_path / "none.json")
    with pytest.raises(pt.PromptError, match="no table 'wrong'; there are tuned, carried, channel, beside"):
        kept.kept_wayward("wrong")
    for damaged in ('{"about": {}, "tuned": [', "[]", '{"about": {}}', "[" * 100_000):
        (tmp_path / "w.json").write_text(damaged, encoding="utf-8")
        with pytest.raises(pt.PromptError, match=r"\A[^\n]*w\.json: [^\n]*measures it again\Z"):
            kept.kept_wayward("tuned", tmp_path / "w.json")
        with pytest.raises(pt.PromptError, match=r"w\.json: "):
            kept.wayward_provenance(tmp_path / "w.json")


@pytest.fixture
def folder(tmp_path):
    """Made-up rows of the four tasks, as they lie in the usual folders."""
    for name, place in parts.FOLDERS.items():
        splits = {"subj": ("all",), "trec": ("train", "test")}.get(name, ("train", "dev", "test"))
        (tmp_path / "data" / place).mkdir(parents=True)
        for split in splits:
            rows = [{"text": f"{split} text {number}", "label": number % 2} for number in range(120)]
            rows.append({"text": "test text 7", "label": 1})
            text = "\n".join(map(json.dumps, rows))
            (tmp_path / "data" / place / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path / "data"


def test_the_tasks_have_examples_for_every_split_and_none_in_two(folder):
    found = parts.classifications(folder, parts.Study(dev=9, test=20))
    assert [task.name for task in found] == list(parts.FOLDERS)
    for task in found:
        texts = [{one.text for one in task.examples(split)} for split in ("train", "dev", "test")]
        assert all(texts)
        assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]
        assert (len(task.dev), len(task.test)) == (9, 20)
        assert set(parts.classifications(folder, parts.Study(dev=9, test=10))[0].test) <= set(found[0].test)
        assert list(parts.texts_for(task.name).values()) == ["another task", "unrelated"]
        assert not set(parts.texts_for(task.name)) & set(pt.tasks.texts(task.name, "true"))


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["wayward", *map(str, words)])
    entry.main()


def test_the_command_line_measures_and_keeps(chosen, tasks, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(entry, "classifications", lambda *_: tasks)
    monkeypatch.setattr(entry, "Study", lambda cache: parts.Study(**vars(STUDY) | {"cache": cache, "seeds": (0,)}))
    monkeypatch.setenv("PTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PTLIB_CLASSIFICATION", str(folder))
    command(monkeypatch, WEIGHTS / "gpt2-small", "--obtained", "made here", "--to", tmp_path / "w.json")
    assert kept.kept_wayward("tuned", tmp_path / "w.json")["model"].unique().tolist() == ["gpt2-small"]
    assert kept.kept_wayward("carried", tmp_path / "w.json").empty
    assert "gpt2-small" in capsys.readouterr().out


def test_the_command_line_refuses_in_one_line(monkeypatch, tmp_path):
    monkeypatch.delenv("PTLIB_CLASSIFICATION", raising=False)
    with pytest.raises(SystemExit, match="PTLIB_CLASSIFICATION names no folder"):
        command(monkeypatch, WEIGHTS / "gpt2-small", "--to", tmp_path / "w.json")
    monkeypatch.setenv("PTLIB_CLASSIFICATION", str(tmp_path))
    with pytest.raises(SystemExit, match=r"sst2: holds none of train\.jsonl"):
        command(monkeypatch, WEIGHTS / "gpt2-small", "--to", tmp_path / "w.json")
    with pytest.raises(SystemExit, match="nowhere"):
        command(monkeypatch, "nowhere", "--to", tmp_path / "w.json")
