import pytest

import ptlib as pt


@pytest.fixture(scope="module")
def shared():
    return set(pt.shared_words(*(pt.load(name) for name in pt.models.pocket_models())))


@pytest.mark.parametrize("kind", ["true", "contradicting", "another task", "unrelated"])
def test_texts_of_relations_are_in_words_that_every_pocket_model_knows(shared, kind):
    for name in pt.relations():
        for text in pt.tasks.texts(name, kind):
            assert not set(text.split()) - shared, text


@pytest.mark.parametrize("task", ["P36", "P1303", "sst2", "trec"])
def test_kinds_of_text_differ(task):
    by_kind = {kind: set(pt.tasks.texts(task, kind)) for kind in ("true", "contradicting", "another task", "unrelated")}
    assert all(len(found) >= 2 for found in by_kind.values())
    assert sum(map(len, by_kind.values())) == len(set.union(*by_kind.values()))


def test_a_relation_s_first_texts_are_made_of_its_definition():
    definition = pt.relation("P36").definition
    assert pt.tasks.texts("P36", "true")[0] == definition
    assert pt.tasks.texts("P36", "contradicting")[0] == f"do not {definition}"
    assert definition not in pt.tasks.texts("P36", "another task")
    assert pt.tasks.texts("trec", "contradicting")[0] == "Do not say what kind of thing the question asks for."


def test_random_texts_repeat_by_seed():
    words = ["ash", "oak", "elm", "fir", "yew"]
    assert pt.tasks.random_text(words, 6, seed=3) == pt.tasks.random_text(words, 6, seed=3)
    assert len({pt.tasks.random_text(words, 6, seed=seed) for seed in range(10)}) == 10
    assert set(pt.tasks.random_text(words, 6).split()) <= set(words)


def test_what_is_not_there_is_refused():
    with pytest.raises(pt.PromptError, match="unknown kind of text 'false'; there are true, contradicting"):
        pt.tasks.texts("P36", "false")
    with pytest.raises(pt.PromptError, match="no texts for task 'imdb'; there are some for P17"):
        pt.tasks.texts("imdb", "true")


def test_texts_by_kind_are_the_same_for_any_number(shared):
    tasks, words = [pt.relation(name) for name in ("P36", "P103", "P30")], sorted(shared)
    one, two = (pt.tasks.texts_by_kind(tasks, words, each=each, length=4) for each in (1, 2))
    for task in tasks:
        assert list(one[task.name].values()) == ["true", "contradicting", "another task", "unrelated", "random words"]
        assert len(two[task.name]) == 10
        assert one[task.name].items() <= two[task.name].items()
        assert task.definition in one[task.name]
    assert one["P36"][pt.relation("P103").definition] == "another task"
    assert two["P30"][pt.relation("P36").definition] == "another task"


def test_a_task_alone_has_no_other_to_take_texts_from(shared):
    found = pt.tasks.texts_by_kind([pt.relation("P36")], sorted(shared))
    assert "another task" not in found["P36"].values()
