"""Data sets in the forms that the hub has, loaded by their real names from a stand-in of it on loopback."""

import os
import re
import sys
from pathlib import Path

import datasets
import pytest
from datasets import ClassLabel, Features, Value

import ptlib as pt
from ptlib.tasks.splits import split_of
from tests.hub.published import (
    COPY,
    FACTS,
    KINDS,
    LAMA,
    NEWS,
    PUBLISH,
    TREC,
    publish_lama,
    publish_sst2,
    publish_subj,
    publish_trec,
    script,
    texts,
    write,
)

WORDS = {
    "sst2": {"negative": "terrible", "positive": "great"},
    "ag_news": {"World": "World", "Sports": "Sports", "Business": "Business", "Sci/Tech": "Technology"},
    "trec": dict(zip(KINDS, ["Expression", "Entity", "Description", "Human", "Location", "Number"], strict=True)),
    "subj": {"objective": "objective", "subjective": "subjective"},
}
SPLITS = ("train", "dev", "test")
REAL_LAMA = Path(os.environ.get("PTLIB_LAMA", "nowhere"))
REAL_CLASSIFICATION = Path(os.environ.get("PTLIB_CLASSIFICATION", "nowhere"))
real_lama = pytest.mark.skipif(not REAL_LAMA.is_dir(), reason="PTLIB_LAMA names no folder")
real_classification = pytest.mark.skipif(
    not REAL_CLASSIFICATION.is_dir(), reason="PTLIB_CLASSIFICATION names no folder"
)


def refused(message):
    """One line that says this."""
    return pytest.raises(pt.PromptError, match=rf"\A[^\n]*{re.escape(message)}[^\n]*\Z")


@pytest.mark.parametrize("name", list(PUBLISH))
def test_a_classification_comes_with_the_right_words_and_splits(data_hub, name):
    PUBLISH[name](data_hub)
    task = pt.load_classification(name)
    test = "validation" if name == "sst2" else "test"
    assert task.test == tuple(
        pt.Example(text, WORDS[name][text.split(" about ")[1]])
        for text, _ in texts(test, list(WORDS[name]), len(task.test))
    )
    assert len(task.test) == {"sst2": 6, "ag_news": 8, "trec": 12, "subj": 8}[name]
    rest = task.train + task.dev
    assert {(example.text, example.answer) for example in rest} == {
        (text, WORDS[name][text.split(" about ")[1]]) for text, _ in texts("train", list(WORDS[name]), 60)
    }
    assert len(rest) == 60
    assert 1 <= len(task.dev) <= 15
    assert set(task.labels) == set(WORDS[name].values())
    assert "on the Hugging Face hub" in task.source
    assert "licence: " in task.source
    assert re.search(r"cite .*\d{4}", task.source)
    assert not (data_hub.root / "ran").exists()


def test_no_text_stands_in_two_splits(data_hub):
    train = texts("train", ["negative", "positive"], 60)
    publish_sst2(
        data_hub, [*train, *train, ("validation text 0 about negative", 0), ("validation text 1 about positive", 1)]
    )
    task = pt.load_classification("sst2")
    split_texts = [{example.text for example in task.examples(split)} for split in SPLITS]
    assert sum(map(len, split_texts)) == len(set().union(*split_texts)) == 66
    assert len(task.train) + len(task.dev) == 60
    assert task.source.endswith("; 60 rows that repeat another one exactly are left out")
    assert "without 2 rows of train that test has" in task.source


def test_own_words_stand_in_the_order_that_folders_have(data_hub):
    publish_subj(data_hub)
    task = pt.load_classification("subj", words=["opinion", "fact"], template="[X] [Y]")
    assert (task.labels, task.template) == (("opinion", "fact"), "[X] [Y]")
    assert [example.answer for example in task.test[:2]] == ["fact", "opinion"]
    with refused("subj: 1 words; needs 2, for subjective, objective"):
        pt.load_classification("subj", words=["opinion"])


def test_a_name_that_is_not_known_is_refused(data_hub):
    with refused("sst5: not a data set that is known; there are sst2, ag_news, trec, subj"):
        pt.load_classification("sst5")
    with refused("SetFit/subj: no such data set on the hub; check the spelling, log in with `hf auth login`"):
        pt.load_classification("subj")


def test_lama_s_facts_are_taken_once_and_split_by_subject(data_hub):
    publish_lama(data_hub)
    tasks = pt.load_lama()
    assert list(tasks) == ["P36", "P47", "P1001"]
    found = [
        (name, example.text, example.answer)
        for name, task in tasks.items()
        for split in SPLITS
        for example in task.examples(split)
        if split == split_of(example.text)
    ]
    assert sorted(found) == sorted(FACTS)
    assert (tasks["P36"].label, tasks["P36"].template) == ("label of P36", "[X] is P36 to [Y] .")
    assert (tasks["P1001"].label, tasks["P1001"].template) == ("P1001", "[X] [Y] .")
    assert "LAMA T-REx from facebook/lama" in tasks["P36"].source
    assert "CC BY-NC 4.0" in tasks["P36"].source
    assert "Petroni et al. (2019)" in tasks["P36"].source
    assert not (data_hub.root / "ran").exists()


def test_lama_from_a_folder_is_read_as_ever(tmp_path):
    write(tmp_path / "P36" / "test.jsonl", [{"sub_label": "France", "obj_label": "Paris"}])
    assert pt.load_lama(tmp_path) == pt.read_lama(tmp_path)
    assert pt.load_lama(tmp_path)["P36"].source.startswith(f"LAMA T-REx from {tmp_path}; licence: that of your copy;")


def test_rows_that_cannot_be_used_are_counted(data_hub):
    publish_lama(data_hub, [*FACTS, ("P36", "", "Paris"), ("P36", "Nowhere", " ")])
    with pytest.warns(UserWarning, match="facebook/lama: 6 of 24 rows lack a relation, subject or object"):
        assert "Nowhere" not in str(pt.load_lama())
    publish_sst2(data_hub, [*texts("train", ["negative", "positive"], 60), (None, 0), ("", 1), (" ", 1)])
    with pytest.warns(UserWarning, match="stanfordnlp/sst2: 3 rows of train have no text and are left out"):
        assert len(pt.load_classification("sst2").train) > 40


def test_later_no_network_is_needed(data_hub):
    publish_trec(data_hub)
    publish_subj(data_hub)
    publish_lama(data_hub)
    trec, subj, lama = pt.load_classification("trec"), pt.load_classification("subj"), pt.load_lama()
    data_hub.stop()
    assert pt.load_classification("trec") == trec
    assert pt.load_classification("subj") == subj
    assert pt.load_lama() == lama


def test_without_network_and_earlier_download_it_says_so(data_hub):
    data_hub.stop()
    with refused(
        "stanfordnlp/sst2: not on this machine, and the hub gave no answer; check the network, or read a copy of yours"
    ):
        pt.load_classification("sst2")
    with refused("check the network, or read a copy of yours from a folder"):
        pt.load_lama()


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_breaks_off_once_is_taken_up_again(data_hub, reset):
    publish_sst2(data_hub)
    data_hub.break_off("train-00000-of-00001.parquet", reset=reset)
    task = pt.load_classification("sst2")
    assert len(task.train) + len(task.dev) == 60


def test_a_connection_that_keeps_breaking_off_leaves_nothing_half(data_hub, hurried):
    publish_subj(data_hub)
    data_hub.break_off("train.jsonl", times=99, reset=True)
    with refused("SetFit/subj: the download broke off 3 times ("):
        pt.load_classification("subj")
    data_hub.cuts.clear()
    task = pt.load_classification("subj")
    assert len(task.train) + len(task.dev) == 60


def test_an_interrupted_download_is_not_taken_for_the_whole_without_network(data_hub, hurried):
    publish_lama(data_hub)
    data_hub.break_off("0001.parquet", times=99, reset=True)
    with refused("facebook/lama: the download broke off 3 times"):
        pt.load_lama()
    data_hub.stop()
    with refused("facebook/lama: not on this machine, and the hub gave no answer"):
        pt.load_lama()


def test_code_and_pickles_are_not_fetched(data_hub):
    script(data_hub, "SetFit/subj", "subj.py")
    folder = data_hub.folder("SetFit/subj", "datasets")
    (folder / "train.pkl").write_bytes(b"cos\nabort\n(tR.")
    with refused("SetFit/subj: has no Parquet files or JSON lines, and a loading script is never run"):
        pt.load_classification("subj")
    publish_subj(data_hub)
    assert len(pt.load_classification("subj").test) == 8
    assert not data_hub.asked_for("subj.py") + data_hub.asked_for("train.pkl")
    assert not (data_hub.root / "ran").exists()


def test_data_that_has_changed_is_refused(data_hub):
    folder = data_hub.folder("SetFit/subj", "datasets")
    for row, message in (
        (
            {"sentence": "x", "label": 0},
            "SetFit/subj: no column 'text' among sentence, label; the data set has changed",
        ),
        ({"text": "x", "label": 2}, "SetFit/subj: label 2, and words for 0 to 1: objective, subjective"),
        ({"text": "x", "label": None}, "SetFit/subj: label None, and words for 0 to 1: objective, subjective"),
    ):
        write(folder / "train.jsonl", [row])
        write(folder / "test.jsonl", [row])
        with refused(message):
            pt.load_classification("subj")
    (folder / "test.jsonl").unlink()
    with refused("SetFit/subj: no split 'test' among train; the data set has changed: read a copy of yours"):
        pt.load_classification("subj")
    folder = data_hub.folder("fancyzhx/ag_news", "datasets")
    turned = Features({"text": Value("string"), "label": ClassLabel(names=NEWS["label"].names[::-1])})
    for split in ("train", "test"):
        write(folder / "data" / f"{split}-00000-of-00001.parquet", [{"text": "x", "label": 0}], turned)
    with refused("labels Sci/Tech, Business, Sports, World, expected World, Sports, Business, Sci/Tech"):
        pt.load_classification("ag_news")
    publish_lama(data_hub, columns=[column for column in LAMA if column != "obj_label"])
    with refused("facebook/lama: cannot be read: No match for FieldRef.Name(obj_label)"):
        pt.load_lama()


def test_nothing_is_printed_and_bars_stay_as_they_were(data_hub, capfd):
    publish_sst2(data_hub)
    assert not datasets.utils.are_progress_bars_disabled()
    pt.load_classification("sst2")
    data_hub.stop()
    pt.load_classification("sst2")
    assert not datasets.utils.are_progress_bars_disabled()
    assert capfd.readouterr() == ("", "")


def test_without_the_datasets_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with refused("facebook/lama: data sets of the Hugging Face hub need: pip install datasets"):
        pt.load_lama()


@real_lama
def test_the_real_facts_come_back_from_the_hub_s_form(data_hub):
    folder = pt.read_lama(REAL_LAMA)
    facts = {
        (name, example.text, example.answer)
        for name, task in folder.items()
        for split in SPLITS
        for example in task.examples(split)
    }
    publish_lama(data_hub, sorted(facts))
    tasks = pt.load_lama()
    assert list(tasks) == list(folder)
    assert len(tasks) == 41
    found = [(n, e.text, e.answer) for n, task in tasks.items() for split in SPLITS for e in task.examples(split)]
    assert len(found) == len(facts)
    assert set(found) == facts


@real_classification
def test_the_real_questions_come_back_from_the_hub_s_form(data_hub):
    folder = pt.read_classification(REAL_CLASSIFICATION / "trec", "trec")
    publish_trec(data_hub)
    numbers = {word: KINDS.index(kind) for kind, word in WORDS["trec"].items()}
    for split in ("train", "test"):
        rows = [{"text": e.text, "coarse_label": numbers[e.answer], "fine_label": 0} for e in folder.examples(split)]
        write(data_hub.folder("CogComp/trec" + COPY, "datasets") / "default" / split / "0000.parquet", rows, TREC)
    task = pt.load_classification("trec")
    assert task.test == folder.test
    tested = {example.text for example in folder.test}
    kept = [example for example in folder.train if example.text not in tested]
    assert sorted(map(str, task.train + task.dev)) == sorted(map(str, kept))
    assert f"without {len(folder.train) - len(kept)} rows of train that test has" in task.source
    assert 0.08 < len(task.dev) / len(kept) < 0.12
