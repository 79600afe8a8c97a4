"""The measurement on real models, tried on pocket models, and what is kept of it."""

import pytest

import ptlib as pt
from ptlib.book.real import cells, kept, measure
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


def test_each_cell_is_there_once_and_held_out_models_are_only_asked():
    listed = list(cells.cells(["a", "b"], ["c"]))
    assert len(listed) == len(set(listed))
    assert all("c" not in cell.sources for cell in listed)
    carried = {(cell.sources, cell.target) for cell in listed if cell.method == "closed form"}
    assert carried == {(("b",), "a"), (("a",), "b"), (("a",), "c"), (("b",), "c")}


def test_what_was_measured_is_kept_and_an_interrupted_run_goes_on(lms, tasks, tmp_path, monkeypatch, capsys):
    chosen = {name: lms[name] for name in ("bert-small", "gpt2-small")}
    labelled = {task.name: pt.closed(task) for task in tasks}
    monkeypatch.setattr(measure, "AT_ONCE", 1)
    monkeypatch.setattr(cells, "METHODS", {"linear map": pt.LinearMap()})
    study = cells.Study(**vars(STUDY) | {"cache": str(tmp_path / "cache")})
    first = next(measure.measure(chosen, [], tasks, labelled, study))
    assert "linear map" in capsys.readouterr().out
    again = list(measure.measure(chosen, [], tasks[:1], labelled, study))
    assert capsys.readouterr().out == ""
    assert again == [first]
    kept.keep(tmp_path / "r.json", first, chosen, tasks, study, obtained="made here")
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


def test_plain_words_are_plain(lms):
    words = measure.plain_words(list(lms.values()))
    assert {"capital", "city"} <= set(words) <= set(pt.shared_words(*lms.values()))
    assert not {"France", ".", "1"} & set(words)
