"""Asking models what their own wayward prompts mean, tried on a pocket model, and what is kept of it."""

import sys

import pytest

import ptlib as pt
from ptlib.book.real import asked_wayward as entry
from ptlib.book.real import asking
from ptlib.book.real import wayward_cells as parts
from ptlib.book.real import wayward_kept as kept
from ptlib.book.real import wayward_measure as measuring
from ptlib.book.real import wayward_said as asked
from ptlib.book.real.descriptions import ASKING, STOP_WORDS
from ptlib.book.real.kept import provenance
from ptlib.models.checkpoint import WEIGHTS
from ptlib.reading.likeness import plain_words

TEXTS = {"name the city in which the person was born": "another task", "the old cat slept": "unrelated"}
STUDY = parts.Study(seeds=(0,), gammas=(0, 1), settings=pt.Settings(steps=2))


@pytest.fixture
def tasks(monkeypatch):
    """Two relations as classifications, with the same texts for both."""
    for module in (measuring, asked):
        monkeypatch.setattr(module, "texts_for", lambda _task: TEXTS)
    return [pt.closed(pt.relation(name)) for name in ("P106", "P103")]


def test_a_description_names_what_it_has_a_word_of_and_shared_words_count_for_neither():
    names = asked.Names(
        {"one": frozenset({"city", "capital"}), "two": frozenset({"job", "cat"}), "three": frozenset({"river"})},
        {"the city slept": frozenset({"city", "slept"}), "an old cat": frozenset({"old", "cat"})},
    )
    nothing = {"does": 0.0, "reads": 0.0, "other_tasks": 0.0, "other_texts": 0.0}
    assert names.named("A city!", "one", "the city slept") == nothing
    assert names.named("the capital, it slept", "one", "the city slept") == nothing | {"does": 1.0, "reads": 1.0}
    assert names.named("Cat jobs: job", "one", "the city slept") == nothing | {"other_tasks": 0.5, "other_texts": 1.0}
    assert names.named("cat", "one", "an old cat") == nothing | {"reads": 1.0}
    assert names.named("", "two", "an old cat") == nothing


def test_tasks_are_named_by_their_labels_answers_and_true_texts(tasks):
    names = asked.names_of(tasks)
    assert set(names.tasks) == {"P106", "P103"}
    for task in tasks:
        said = {word for text in pt.tasks.texts(task.name, "true") for word in plain_words(text)} - STOP_WORDS
        assert said | {one.answer.lower() for one in task.train} <= names.tasks[task.name]
    assert names.texts["the old cat slept"] == {"old", "cat", "slept"}
    assert not (set(plain_words(ASKING)) - STOP_WORDS) & frozenset().union(*names.tasks.values())


def test_the_text_that_asks_has_no_words_of_the_papers_tasks():
    words = {word for name in parts.FOLDERS for text in pt.tasks.texts(name, "true") for word in plain_words(text)}
    words |= {word for name in parts.FOLDERS for text in parts.texts_for(name) for word in plain_words(text)}
    assert not (set(plain_words(ASKING)) - STOP_WORDS) & words


def test_prompts_their_texts_and_random_vectors_are_asked_as_describe_does(gpt2, tasks):
    said = list(asked.ask_of_wayward({"gpt2-small": gpt2}, tasks, STUDY))
    taken, put = asking.layers(gpt2)
    assert [one.rows[0]["kind"] for one in said] == ["tuned", "text", "random", "tuned"] * 4
    assert all(len(one.rows) == len(taken) * len(put) for one in said)
    prompts = measuring.prompts_of(gpt2, tasks[0], STUDY, 0)
    names = asked.names_of(tasks)
    (aim, first), *_ = prompts.items()
    found = {one.rows[0]["kind"]: one.rows for one in said[:3]}
    ids = gpt2.pieces(aim.text)
    alike = {
        "tuned": first,
        "text": pt.SoftPrompt(gpt2.embeddings[ids], gpt2.name, "P106", "[X] [V] [Y] .", 0),
        "random": pt.random_prompt(gpt2, tasks[0], length=len(ids)),
    }
    for kind, prompt in alike.items():
        answers = pt.describe(gpt2, prompt, from_layer=taken, to_layer=put, text=ASKING, count=1)
        assert [row["said"] for row in found[kind]] == [one.text for one in answers]
        for row in found[kind]:
            assert (row["task"], row["text"], row["gamma"]) == ("P106", aim.text, 0)
            assert row | names.named(row["said"], "P106", aim.text) == row


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["asked", *map(str, words)])
    entry.main()


def test_the_command_line_asks_goes_on_and_keeps(tasks, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(entry, "classifications", lambda *_: tasks)
    monkeypatch.setattr(entry, "Study", lambda cache, seeds: parts.Study(**vars(STUDY) | {"cache": cache}))
    monkeypatch.setenv("PTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PTLIB_CLASSIFICATION", "folder")
    asking_of = (WEIGHTS / "gpt2-small", "--obtained", "made here", "--to", tmp_path / "s.json")
    command(monkeypatch, *asking_of)
    assert len(capsys.readouterr().out.splitlines()) == 16
    first = kept.kept_said(tmp_path / "s.json")
    assert set(first.kind) == {"tuned", "text", "random"}
    assert first.columns.tolist() == list(kept.SAID)
    command(monkeypatch, *asking_of)
    assert capsys.readouterr().out == ""
    assert kept.kept_said(tmp_path / "s.json").equals(first)
    about = provenance(tmp_path / "s.json")
    assert (about["obtained"], about["text"], set(about["tasks"])) == ("made here", ASKING, {"P106", "P103"})


def test_the_command_line_refuses_in_one_line(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(entry, "classifications", lambda *_: tasks)
    monkeypatch.setenv("PTLIB_CLASSIFICATION", "folder")
    with pytest.raises(SystemExit, match="bert-small is masked"):
        command(monkeypatch, WEIGHTS / "bert-small", "--to", tmp_path / "s.json")
    with pytest.raises(pt.PromptError, match=r"nothing is kept .* `python -m ptlib\.book\.real\.asked_wayward`"):
        kept.kept_said(tmp_path / "none.json")


def test_what_is_kept_with_the_book_is_whole_and_small():
    table = kept.kept_said()
    assert kept.SAID_OF_WAYWARD.stat().st_size < 200_000
    asked_once = table[["model", "task", "text", "gamma", "seed", "kind", "from_layer", "to_layer"]]
    assert not asked_once.duplicated().any()
    tuned = kept.kept_wayward("tuned").query("model in @table.model.unique()")
    assert len(table) == (len(tuned) + 2 * len(tuned[tuned.gamma == 0])) * 9
    assert table[["does", "reads"]].isin((0, 1)).all(axis=None)
    assert table[["other_tasks", "other_texts"]].apply(lambda part: part.between(0, 1)).all(axis=None)
