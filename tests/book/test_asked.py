"""Asking models what their own prompts mean, tried on a pocket model, and what is kept of it."""

import runpy
import sys
from dataclasses import replace

import pytest

import ptlib as pt
from ptlib.book.real import asking, cells, kept
from ptlib.book.real.descriptions import KINDS, described
from ptlib.keeping.files import save_tensors
from ptlib.models.checkpoint import WEIGHTS

STUDY = cells.Study(seeds=(0,), facts=10, settings=pt.Settings(steps=2))


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in ("P36", "P103")]


@pytest.fixture
def study(tmp_path):
    return replace(STUDY, cache=str(tmp_path / "cache"))


def test_layers_are_a_quarter_a_half_and_three_of_the_depth(gpt2, monkeypatch):
    monkeypatch.setattr(asking, "blocks", lambda _: range(24))
    assert asking.layers(gpt2) == ([6, 12, 18], [0, 3, 6])


def test_each_model_is_asked_of_its_own_prompts_as_described_does(gpt2, tasks, study):
    said = list(asking.ask({"gpt2-small": gpt2}, tasks, study))
    taken, put = asking.layers(gpt2)
    prompts = pt.tune_many(gpt2, tasks, seeds=(0,), settings=study.settings, progress=False)
    rows = [{"model": "gpt2-small"} | row for row in described(gpt2, tasks, prompts, from_layers=taken, to_layers=put)]
    assert [row for one in said for row in one.rows] == rows
    assert {row["relation"] for row in rows} == {"P36", "P103"}
    assert {row["kind"] for row in rows} == set(KINDS)
    assert len(rows) == 2 * len(KINDS) * len(taken) * len(put)


def test_an_interrupted_run_goes_on_with_the_next_prompt(gpt2, tasks, study, monkeypatch, capsys):
    first = next(asking.ask({"gpt2-small": gpt2}, tasks, study))
    assert len(capsys.readouterr().out.splitlines()) == 1
    called = []
    monkeypatch.setattr(asking, "described", lambda *args, **layers: called.append(args) or described(*args, **layers))
    again = list(asking.ask({"gpt2-small": gpt2}, tasks, study))
    assert again[0] == first
    assert [list(prompts) for _, _, prompts in called] == [[("P103", 0)]]
    assert "P103   seed 0" in capsys.readouterr().out


def test_what_was_said_of_other_prompts_is_not_taken_for_that_of_these(gpt2, tasks, study):
    (first,) = asking.ask({"gpt2-small": gpt2}, tasks[:1], study)
    other = replace(study, settings=pt.Settings(steps=3))
    (second,) = asking.ask({"gpt2-small": gpt2}, tasks[:1], other)
    tuned = [[row["score"] for row in one.rows if row["kind"] == "tuned"] for one in (first, second)]
    assert tuned[0] != tuned[1]


def test_what_was_said_and_is_damaged_is_asked_anew(gpt2, tasks, study, tmp_path):
    (first,) = asking.ask({"gpt2-small": gpt2}, tasks[:1], study)
    (file,) = [path for path in (tmp_path / "cache").glob("*.safetensors") if _is_said(path)]
    cut, empty = file.read_bytes()[:100], lambda: save_tensors(file, {}, {"rows": []}, kind="description")
    for damage in (lambda: file.write_bytes(cut), empty):
        damage()
        with pytest.warns(UserWarning, match="made anew"):
            (again,) = asking.ask({"gpt2-small": gpt2}, tasks[:1], study)
        assert again.rows == first.rows


def _is_said(path):
    try:
        return bool(asking.load_said(path).rows)
    except pt.PromptError:
        return False


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["asked", *map(str, words)])
    runpy.run_module("ptlib.book.real.asked", run_name="__main__")


@pytest.fixture
def facts(monkeypatch, tmp_path, tasks):
    """What the command line needs, with two relations alone."""
    monkeypatch.setattr(cells, "relations", lambda *_: (tasks, {}))
    monkeypatch.setattr(cells, "Study", lambda **more: replace(STUDY, **more))
    monkeypatch.setenv("PTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PTLIB_LAMA", "folder")


def test_the_command_line_asks_and_keeps(facts, gpt2, tasks, study, tmp_path, monkeypatch):
    for_the_record = ("--obtained", "made here", "--prompts", "all")
    command(monkeypatch, WEIGHTS / "gpt2-small", *for_the_record, "--to", tmp_path / "a.json")
    table = kept.kept_descriptions(tmp_path / "a.json")
    rows = [row for one in asking.ask({"gpt2-small": gpt2}, tasks, study) for row in one.rows]
    found = table.to_dict("records")
    assert [row["text"] for row in found] == [row["text"] for row in rows]
    assert [(row["own"], row["other"]) for row in found] == [(row["own"], row["other"]) for row in rows]
    assert [row["score"] for row in found] == pytest.approx([row["score"] for row in rows], abs=1e-4)
    about = kept.provenance(tmp_path / "a.json")
    assert (about["obtained"], about["prompts"]) == ("made here", "all")
    assert about["text"] == asking.ASKING
    assert about["study"]["settings"]["steps"] == 2
    assert about["seconds"]["gpt2-small"] > 0
    assert set(about["models"]) == {"gpt2-small"}
    assert list(kept.relations_measured(tmp_path / "a.json").index) == ["P36", "P103"]


def test_the_command_line_refuses_in_one_line(facts, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="bert-small is masked"):
        command(monkeypatch, WEIGHTS / "gpt2-small", WEIGHTS / "bert-small", "--to", tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()
    with pytest.raises(SystemExit, match="nowhere"):
        command(monkeypatch, tmp_path / "nowhere", "--to", tmp_path / "a.json")
    monkeypatch.delenv("PTLIB_LAMA")
    with pytest.raises(SystemExit, match="PTLIB_LAMA names no folder"):
        command(monkeypatch, WEIGHTS / "gpt2-small", "--to", tmp_path / "a.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"columns": ["model"], "rows": [["gpt2-small", "P36"]]}'])
def test_a_damaged_file_is_one_line(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    for read in (kept.kept_descriptions, kept.kept_rows):
        with pytest.raises(pt.PromptError, match=r"a\.json: damaged") as error:
            read(path)
        assert "\n" not in str(error.value)


def test_before_anybody_is_asked_one_line_says_how(tmp_path):
    with pytest.raises(pt.PromptError, match=r"nothing is kept .* `python -m ptlib\.book\.real\.asked`"):
        kept.kept_descriptions(tmp_path / "none.json")


def test_whatever_a_model_writes_comes_back(gpt2, tasks, tmp_path):
    said = ('],["', "one],[", "two\u2028three", '"')
    rows = [
        {"model": "m", "relation": "P36", "seed": 0, "kind": "tuned", "from_layer": 0, "to_layer": 0}
        | {"text": text, "score": -1.0, "own": 1.0, "other": 0.0}
        for text in said
    ]
    kept.keep_descriptions(tmp_path / "a.json", rows, {"m": gpt2}, tasks, STUDY)
    assert tuple(kept.kept_descriptions(tmp_path / "a.json").text) == said


def test_what_is_kept_with_the_book_is_whole_and_small():
    table, parts = kept.kept_descriptions(), kept.relations_measured(kept.ASKED)
    assert kept.ASKED.stat().st_size < 200_000
    about = table[["model", "relation", "seed", "kind", "from_layer", "to_layer"]]
    assert not about.duplicated().any()
    assert len(table) == about.model.nunique() * len(parts) * len(KINDS) * 9
    assert set(table.kind) == set(KINDS)
    assert parts["chosen on"].sum() == 8
    assert table.own.isin((0, 1)).all()
    assert table.other.between(0, 1).all()
