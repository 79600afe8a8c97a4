import pytest

import ptlib as pt
from ptlib.tasks.task import answers, by_name

ABOUT = 'label = "capital"\ntemplate = "The capital of [X] is [Y] ."\ndefinition = "the capital"\nsentences = []\n'


def test_an_unknown_relation_is_answered_with_the_nearest():
    with pytest.raises(pt.PromptError, match=r"unknown relation 'P36x'; did you mean P36,"):
        pt.relation("P36x")


def test_an_unknown_split_is_answered_with_all(capital):
    with pytest.raises(pt.PromptError, match=r"unknown split 'validation'; there are train, dev, test"):
        capital.examples("validation")


def test_a_relation_without_facts_is_refused(tmp_path):
    (tmp_path / "P1.tsv").write_text("", encoding="utf-8")
    (tmp_path / "P1.toml").write_text(ABOUT, encoding="utf-8")
    with pytest.raises(pt.PromptError, match=r"P1\.tsv: too few facts: 0 to train on, 0 to test"):
        pt.relation("P1", folder=tmp_path)


@pytest.mark.parametrize("about", ["", "label = ", 'label = "capital"\n'])
def test_a_malformed_description_is_named(tmp_path, about):
    (tmp_path / "P1.tsv").write_text("France\tParis\n", encoding="utf-8")
    (tmp_path / "P1.toml").write_text(about, encoding="utf-8")
    with pytest.raises(pt.PromptError, match=r"P1\.toml: cannot be read"):
        pt.relation("P1", folder=tmp_path)


def test_a_readers_own_relation_is_read_like_a_shipped_one(tmp_path):
    facts = [(f"country {number}", f"city {number}") for number in range(40)]
    (tmp_path / "P1.tsv").write_text("\n".join("\t".join(fact) for fact in facts), encoding="utf-8")
    (tmp_path / "P1.toml").write_text(ABOUT, encoding="utf-8")
    task = pt.relation("P1", folder=tmp_path)
    assert sorted((e.text, e.answer) for s in ("train", "dev", "test") for e in task.examples(s)) == sorted(facts)


def test_splits_of_the_shipped_relations_share_no_subject():
    seen = {}
    for name in pt.relations():
        for split in ("train", "dev", "test"):
            for example in pt.relation(name).examples(split):
                assert seen.setdefault(example.text, split) == split


def test_fingerprints_differ_with_any_example(make_task):
    one, same, other = (make_task(("France", city)) for city in ("Paris", "Paris", "Lyon"))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()


def test_answers_are_sorted_and_unique(make_task):
    tasks = [make_task(("France", "Paris"), ("Italy", "Rome")), make_task(("Gaul", "Paris"))]
    assert answers(tasks) == ("Paris", "Rome")


def test_tasks_are_told_apart_by_name(capital, bert):
    assert by_name([capital, pt.relation("P103")]) == {"P36": capital, "P103": pt.relation("P103")}
    twice = [capital, pt.closed(capital)]
    prompts = {("P36", 0): pt.random_prompt(bert, capital)}
    for refused in (
        lambda: by_name(twice),
        lambda: pt.accuracy_many(bert, twice, prompts),
        lambda: pt.scoring.accuracy_by_seed(bert, twice, prompts),
        lambda: pt.transfer_table(["pocket/bert-small"], twice, {"manual": "manual"}),
        lambda: pt.tasks.texts_by_kind(twice, ["a", "b"]),
    ):
        with pytest.raises(pt.PromptError, match="two tasks are named 'P36'; give each a name of its own"):
            refused()
