"""The measurement on real models, tried on pocket models, and what is kept of it."""

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest
import torch

import ptlib as pt
from ptlib.book.real import __main__ as entry
from ptlib.book.real import again, cells, drawn, kept, measure, nearness, written
from ptlib.book.real.asking import load_said
from ptlib.book.real.summary import Scores
from ptlib.book.real.wayward_kept import kept_wayward
from ptlib.book.real.wayward_measure import TABLES, load_rows
from ptlib.keeping.files import write_safetensors
from ptlib.models.checkpoint import WEIGHTS
from ptlib.models.quick import quick_copy
from ptlib.scoring.both import accuracy_both

STUDY = cells.Study(seeds=(0, 1), facts=10, settings=pt.Settings(steps=20), written=pt.WordSettings(steps=10))


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in ("P36", "P103")]


def test_accuracy_both_is_accuracy_and_accuracy_among_labels(lm, tasks):
    task = tasks[0]
    for prompt in (None, pt.random_prompt(lm, task, length=3)):
        both = accuracy_both(lm, task, pt.closed(task).labels, prompt)
        alone = [pt.accuracy(quick_copy(lm), one, prompt) for one in (task, pt.closed(task))]
        assert [score.hits for score in both] == [score.hits for score in alone]


def test_without_answers_there_is_nothing_to_score_among(lms, tasks):
    with pytest.raises(pt.PromptError, match="P36: no answers to score among"):
        accuracy_both(lms["bert-small"], tasks[0], [])


def test_what_was_kept_among_some_answers_is_not_taken_for_that_among_others(lms, tasks, tmp_path, monkeypatch, capsys):
    """As they are when facts that are not scored change, or a model that knows fewer answers is left out."""
    monkeypatch.setattr(measure, "cells", lambda *_: [cells.Cell("manual", (), "bert-small")])
    study = cells.Study(**vars(STUDY) | {"cache": str(tmp_path)})
    few = replace(tasks[0], train=tasks[0].train[:1], dev=(), test=tasks[0].test[:5])
    for answers in (pt.closed(tasks[0]), pt.closed(few)):
        next(measure.measure({"bert-small": lms["bert-small"]}, [], [few], {"P36": answers}, study))
        assert capsys.readouterr().out.startswith("manual")


def test_each_cell_is_there_once_and_held_out_models_are_only_asked():
    listed = list(cells.cells(["a", "b"], ["c"]))
    assert len(listed) == len(set(listed))
    assert all("c" not in cell.sources for cell in listed)
    carried = {
        way: {(cell.sources, cell.target) for cell in listed if cell.method == way}
        for way in ("closed form", "linear map", "plain words")
    }
    assert carried["closed form"] == {(("b",), "a"), (("a",), "b")}
    assert carried["linear map"] == carried["closed form"] | {(("a",), "c"), (("b",), "c"), (("a", "b"), "c")}
    near = {method for method in cells.NEAR if cells.NEAR[method] in cells.METHODS}
    for way in near:
        assert {(cell.sources, cell.target) for cell in listed if cell.method == way} == carried["closed form"]
    assert {target for sources, target in carried["plain words"] if sources == ("a", "b")} == {"a", "b", "c"}
    assert {cell.method for cell in listed if cell.target == "c"} == set(cells.HELD_OUT)


def test_prompts_of_several_models_are_averaged(lms, tasks):
    names, target = ("gpt2-small", "bert-small"), "albert-small"
    moved = measure._prompts(cells.Cell("linear map", names, target), lms, tasks, STUDY)
    about = {"length": STUDY.length, "seeds": STUDY.seeds, "settings": STUDY.settings}
    each = [
        pt.transfer_many(pt.tune_many(lms[n], tasks, **about), lms[n], lms[target], method=pt.LinearMap())
        for n in names
    ]
    for name, prompt in moved.items():
        average = sum(prompts[name].on(lms[target]) for prompts in each) / 2
        assert torch.allclose(prompt.on(lms[target]), average, atol=1e-5)


def test_prompts_in_small_steps_stay_near_the_words(lms, tasks):
    lm, names = lms["gpt2-small"], ("tuned", "tuned, near words")
    farther, nearer = (
        measure._prompts(cells.Cell(name, ("gpt2-small",), "gpt2-small"), lms, tasks, STUDY) for name in names
    )
    assert farther.keys() == nearer.keys()
    found = nearness.nearness({"gpt2-small": lm, "bert-small": lms["bert-small"]}, ["bert-small"], tasks, STUDY)
    assert [(row["model"], row["method"]) for row in found] == [("gpt2-small", name) for name in names]
    for row, prompts in zip(found, (farther, nearer), strict=True):
        vectors = torch.cat([prompt.on(lm) for prompt in prompts.values()])
        words = lm.embeddings[list(lm.words.values())]
        to_words = torch.cdist(vectors, lm.embeddings).amin(dim=1).mean() / pt.models.scale.word_spacing(lm)
        assert row["spacings"] == pytest.approx(to_words.item(), abs=1e-3)
        assert row["length"] == pytest.approx((vectors.norm(dim=1).mean() / words.norm(dim=1).mean()).item(), abs=1e-3)
    assert found[1]["spacings"] < found[0]["spacings"] - 0.2


def test_what_was_measured_is_kept_and_an_interrupted_run_goes_on(lms, tasks, tmp_path, monkeypatch, capsys):
    chosen = {name: lms[name] for name in ("bert-small", "gpt2-small")}
    labelled = {task.name: pt.closed(task) for task in tasks}
    monkeypatch.setattr(measure, "AT_ONCE", 1)
    monkeypatch.setattr(cells, "METHODS", {"linear map": pt.LinearMap()})
    study = cells.Study(**vars(STUDY) | {"cache": str(tmp_path / "cache")})
    first = next(measure.measure(chosen, [], tasks, labelled, study))
    assert "linear map" in capsys.readouterr().out
    again = next(measure.measure(chosen, [], tasks, labelled, study))
    assert capsys.readouterr().out == ""
    assert again == first
    everything = list(measure.measure(chosen, [], tasks, labelled, study))
    from_the_end = list(measure.measure(chosen, [], tasks, labelled, study, last_first=True))
    assert from_the_end == [everything[place] for place in (1, 0, 3, 2)]
    assert {row["method"] for row in everything[2]} == {measure.DEAREST}
    beside = {
        "words": written.written(chosen, [], tasks[:1], study),
        "nearness": nearness.nearness(chosen, [], tasks[:1], study),
    }
    kept.keep(tmp_path / "r.json", first, chosen, tasks, study, **beside, obtained="made here")
    assert kept.kept_nearness(tmp_path / "r.json").to_dict("records") == beside["nearness"]
    table = kept.kept_rows(tmp_path / "r.json")
    assert len(table) == len(first)
    home = table[table.method == "tuned"]
    manual = table[table.method == "manual"]
    assert (table.answers >= table.vocabulary).all()
    assert home.vocabulary.mean() > table[table.method == "random"].vocabulary.mean() + 0.3
    assert manual.groupby("target").vocabulary.nunique().eq(1).all()
    assert list(kept.relations_measured(tmp_path / "r.json").index) == ["P36"]
    about = kept.provenance(tmp_path / "r.json")
    assert about["obtained"] == "made here"
    assert set(about["models"]) == set(chosen)
    together = kept.kept_words(tmp_path / "r.json")["bert-small+gpt2-small", "P36"]
    assert [len(vector) for vector in together] == [written.WORDS] * study.length
    assert all(shares == sorted(shares, reverse=True) for vector in together for shares in [[s for _, s in vector]])


def scores(**by_method):
    """Scores of two relations and two seeds on the model "b", of prompts tuned on "a" where they are carried."""
    about = {"target": "b", "answers": 1.0}
    rows = [
        about
        | {"method": method, "sources": {"tuned": "b", "carried": "a"}.get(method, "")}
        | {"relation": relation, "seed": seed, "vocabulary": value + shift}
        for method, value in by_method.items()
        for relation, shift in (("P1", -0.1), ("P2", 0.1))
        for seed in (0, 1)
    ]
    return Scores(pd.DataFrame(rows))


def test_the_gap_is_between_the_manual_template_and_tuning():
    found = scores(manual=0.2, tuned=0.6, carried=0.5)
    assert found.gap_closed("carried", "b", "a") == pytest.approx(0.75)
    assert found.gap_closed("manual", "b") == 0
    assert found.gap_closed("tuned", "b") == 1
    assert found.of(["P2"]).mean("tuned", "b") == pytest.approx(0.7)
    assert found.by_seed("tuned", "b") == pytest.approx([0.6, 0.6])
    low, high = found.between("tuned", "b")
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.7)
    assert Scores(found.rows, "answers").mean("carried", "b", "a") == 1
    half = found.rows[(found.rows.method != "carried") | (found.rows.relation == "P1")]
    for part in (half, found.rows.drop(index=half.index[-1])):  # a relation is missing, and a seed of one
        with pytest.raises(pt.PromptError, match="was measured in part; let the measurement end, or take `of` what"):
            Scores(part).gap_closed("carried", "b", "a")
    one_seed = found.rows[(found.rows.method != "carried") | (found.rows.seed == 0)]
    with pytest.raises(pt.PromptError, match="'carried' of a on b was measured in part"):
        Scores(one_seed).mean("carried", "b", "a")
    twice = Scores(pd.concat([found.rows, found.rows]))
    with pytest.raises(pt.PromptError, match="'tuned' of b on b stands there more than once"):
        twice.mean("tuned", "b")
    assert Scores(half).of(["P1"]).mean("carried", "b", "a") == pytest.approx(0.4)
    with pytest.raises(pt.PromptError, match="'carried' of no model on b was not measured"):
        found.mean("carried", "b")


def test_without_a_gap_there_is_nothing_to_close():
    with pytest.raises(pt.PromptError, match="on b tuned prompts are as good as manual templates"):
        scores(manual=0.2, tuned=0.2).gap_closed("tuned", "b")


@pytest.mark.parametrize("part", [5, [5], ["ab"], None, {"a": 1}])
def test_a_part_that_is_damaged_is_one_line(part, tmp_path):
    path = tmp_path / "r.json"
    tables = dict.fromkeys(TABLES, part)
    parts = {"about": {}, "rows": part, "columns": ["a", "b"], "words": part, "nearness": part}
    path.write_text(json.dumps(parts | tables))
    for read in (kept.kept_rows, kept.kept_words, kept.kept_nearness, lambda path: kept_wayward("tuned", path)):
        with pytest.raises(pt.PromptError, match=r"\A[^\n]*r\.json: damaged [^\n]*measures it again\Z"):
            read(path)


@pytest.mark.parametrize("part", [5, [5], None])
def test_relations_that_are_damaged_are_one_line(part, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"relations": part}))
    with pytest.raises(pt.PromptError, match=r"r\.json: damaged "):
        kept.relations_measured(tmp_path / "r.json")


@pytest.mark.parametrize("about", ["{}", "[]", "null", "5", '"x"'])
def test_what_was_kept_and_says_nothing_is_made_anew(about, tmp_path):
    for kind, read in {"rows": load_rows, "description": load_said, "soft prompt": pt.load_prompt}.items():
        metadata = {"format": f"ptlib {kind} 1", "about": about}
        write_safetensors(tmp_path / "a.safetensors", {"tensor": torch.ones(1, 2)}, metadata)
        with pytest.raises(pt.PromptError, match=r"a\.safetensors: "):
            read(tmp_path / "a.safetensors")


def test_before_anything_is_measured_one_line_says_how(tmp_path):
    with pytest.raises(pt.PromptError, match="nothing is kept of real models"):
        kept.kept_rows(tmp_path / "none.json")


def test_plain_words_are_plain(lms):
    words = measure.plain_words(list(lms.values()))
    assert {"capital", "city"} <= set(words) <= set(pt.shared_words(*lms.values()))
    assert not {"France", ".", "1"} & set(words)


def test_another_size_of_a_model_changes_no_plain_words(lms, monkeypatch):
    monkeypatch.setattr(measure, "FREQUENT", 500)
    two, larger = [lms["bert-small"], lms["gpt2-small"]], pt.load("pocket/bert-medium", device="cpu")
    assert larger.words == lms["bert-small"].words
    assert measure.plain_words([*two, larger]) == measure.plain_words(two)


@pytest.fixture
def lama_folder(tmp_path, tasks):
    """Every relation that is measured, with the facts of one."""
    for name in (*cells.TO_CHOOSE, *cells.TO_REPORT):
        folder = tmp_path / "lama" / name
        folder.mkdir(parents=True)
        rows = [{"sub_label": one.text, "obj_label": one.answer} for one in tasks[0].train[:30] + tasks[0].test[:10]]
        (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path / "lama"


def test_relations_have_facts_for_every_split_and_all_their_answers(lama_folder, bert):
    tasks, answers = cells.relations(str(lama_folder), [bert], facts=3)
    assert len(tasks) == len(answers) >= 20
    assert [task.name for task in tasks[:8:4]] == [cells.TO_CHOOSE[0], cells.TO_REPORT[0]]
    assert all(task.train and len(task.test) == 3 for task in tasks)
    assert set(answers["P36"].labels) == {
        one.answer for one in answers["P36"].train + answers["P36"].dev + answers["P36"].test
    }


def test_a_relation_that_is_not_there_is_named(lama_folder, bert):
    (lama_folder / "P17" / "test.jsonl").unlink()
    with pytest.raises(pt.PromptError, match="lama: does not hold P17; give LAMA as a whole"):
        cells.relations(str(lama_folder), [bert], facts=3)


def test_a_part_is_measured_again_where_models_and_facts_are(lama_folder, tmp_path, monkeypatch, lms):
    for name in again.NAMED:
        monkeypatch.delenv(name, raising=False)
    tasks, answers = cells.relations(str(lama_folder), [lms["gpt2-small"]], STUDY.facts)
    ways = [cells.Cell("manual", (), "gpt2-small")]
    monkeypatch.setattr(measure, "cells", lambda *_: ways)
    rows = next(measure.measure({"gpt2-small": lms["gpt2-small"]}, [], tasks[:4], answers, STUDY))
    asked = {name: lms[name] for name in ("gpt2-small", "bert-small")}
    kept.keep(tmp_path / "r.json", rows, asked, tasks, STUDY, only_asked=["bert-small"])
    assert again.measured_again(tmp_path / "r.json") == []
    monkeypatch.setenv("PTLIB_LAMA", str(lama_folder))
    monkeypatch.setenv("PTLIB_REAL_MODELS", str(tmp_path))
    assert again.measured_again(tmp_path / "r.json") == []
    monkeypatch.setenv("PTLIB_REAL_MODELS", str(WEIGHTS))
    found = again.measured_again(tmp_path / "r.json")
    assert len(found) == again.RELATIONS
    assert all(row["now"] == pytest.approx(row["kept"]) for row in found)


def test_each_way_is_drawn_on_each_model_with_both_scores():
    found = scores(manual=0.2, tuned=0.6, carried=0.5)
    figure = drawn.draw_ways(found.rows, {"there": ("tuned", {"b": []}), "from a": ("carried", {"b": ["a"]})})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["there", "from a"]
    assert axes.get_title() == "b is asked"
    among_words, among_answers = (container.lines[0].get_xdata() for container in axes.containers)
    assert among_words == pytest.approx([0.6, 0.5])
    assert among_answers == pytest.approx([1, 1])


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["real", *map(str, words)])
    entry.main()


def test_the_command_line_measures_and_keeps(lama_folder, tasks, tmp_path, monkeypatch):
    labelled = {task.name: pt.closed(task) for task in tasks}
    monkeypatch.setattr(entry, "relations", lambda *_: (tasks[:1], labelled))
    monkeypatch.setattr(entry, "Study", lambda cache: cells.Study(**vars(STUDY) | {"cache": cache, "seeds": (0,)}))
    monkeypatch.setenv("PTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PTLIB_LAMA", str(lama_folder))
    monkeypatch.setattr(cells, "METHODS", {})
    monkeypatch.setattr(cells, "IN_WORDS", ())
    monkeypatch.setattr(cells, "IN_FRONT", {"random, in front": "random"})
    command(monkeypatch, WEIGHTS / "gpt2-small", "--obtained", "made here", "--to", tmp_path / "r.json")
    assert set(kept.kept_rows(tmp_path / "r.json").method) == {
        "manual",
        "random",
        "random, in front",
        "tuned",
        "tuned, near words",
    }
    about = kept.provenance(tmp_path / "r.json")
    assert about["only_asked"] == []
    assert (
        1_000
        < about["vocabularies"]["plain"]
        < about["vocabularies"]["shared"]
        <= pt.load("pocket/gpt2-small").vocabulary
    )


def test_the_command_line_refuses_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("PTLIB_LAMA", raising=False)
    with pytest.raises(SystemExit, match="PTLIB_LAMA names no folder"):
        command(monkeypatch, WEIGHTS / "gpt2-small", "--to", tmp_path / "r.json")
    monkeypatch.setenv("PTLIB_LAMA", "nowhere")
    with pytest.raises(SystemExit, match="nowhere"):
        command(monkeypatch, "nowhere", "--to", tmp_path / "r.json")
    for more in ([tmp_path / "gpt2-small"], ["--only-asked", tmp_path / "gpt2-small"]):
        with pytest.raises(SystemExit, match="two folders are named 'gpt2-small'"):
            command(monkeypatch, WEIGHTS / "gpt2-small", *more, "--to", tmp_path / "r.json")
    with pytest.raises(SystemExit):  # what is kept with the book is replaced by nobody who does not say so
        command(monkeypatch, WEIGHTS / "gpt2-small")
    assert "--to" in capsys.readouterr().err


def test_what_is_kept_with_the_book_is_whole_and_small():
    table, about = kept.kept_rows(), kept.provenance()
    assert kept.FILE.stat().st_size < 400_000
    measured = table.groupby(["method", "sources", "target"]).size()
    assert (measured == len(kept.relations_measured()) * len(about["study"]["seeds"])).all()
    assert set(table.target) == set(about["models"])
    tuned_on = {name for sources in table.sources for name in sources.split("+") if name}
    assert tuned_on == set(about["models"]) - set(about["only_asked"])
    asked = {method for method, _, target in measured.index if target in about["only_asked"]}
    assert asked == set(cells.HELD_OUT)


def test_what_comes_back_from_the_larger_model_is_whole_for_its_relations():
    back, about = kept.kept_rows(kept.BACK), kept.provenance(kept.BACK)
    relations = kept.relations_measured(kept.BACK)
    assert set(relations["chosen on"]) == {True, False}
    measured = back.groupby(["method", "sources", "target"]).size()
    assert (measured == len(relations) * len(about["study"]["seeds"])).all()
    assert set(back.sources) == {pt.book.real.LARGER}
    assert set(back.target) == set(about["models"])
    assert about["study"]["settings"] == kept.provenance()["study"]["settings"]
