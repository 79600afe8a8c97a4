"""How often descriptions name tasks, tried on a pocket model."""

from dataclasses import replace

import pytest

import ptlib as pt
from ptlib.book.real.cells import TO_CHOOSE, TO_REPORT
from ptlib.book.real.descriptions import ASKING, STOP_WORDS, Pair, best_pair, described, task_words, told
from ptlib.reading.likeness import plain_words


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in ("P36", "P103", "P30")]


@pytest.fixture(scope="module")
def rows(gpt2, tasks):
    prompts = {
        (task.name, seed): replace(pt.random_prompt(gpt2, task, seed=seed + 7), seed=seed)
        for task in tasks
        for seed in (0, 1)
    }
    return described(gpt2, tasks, prompts, from_layers=(0, 1), to_layers=(0, 2), text="Rome: the city of Italy\n[V]:")


def row(relation, kind, pair, own, other):
    return {"relation": relation, "kind": kind, "own": own, "other": other} | pair._asdict()


def test_a_task_is_named_by_its_content_words_and_its_answers(capital):
    task = replace(capital, train=(pt.Example("France", "Paris"),), dev=(pt.Example("Italy", "Rome"),))
    assert task_words(task) == {"capital", "city", "country", "state", "paris"}


def test_the_text_that_asks_has_no_words_of_a_relation():
    asking = set(plain_words(ASKING)) - STOP_WORDS
    for name in {*TO_CHOOSE, *TO_REPORT} & {*pt.relations()}:
        assert not asking & task_words(pt.relation(name))


def test_there_is_a_row_for_each_prompt_and_its_random_one_with_each_pair(rows, tasks):
    keys = ("relation", "seed", "kind", "from_layer", "to_layer")
    assert len({tuple(one[key] for key in keys) for one in rows}) == len(rows) == 3 * 2 * 3 * 4
    assert {one["kind"] for one in rows} == {"tuned", "random", "label"}
    words = {task.name: task_words(task) for task in tasks}
    for one in rows:
        named = {name for name, own in words.items() if own & set(plain_words(one["text"]))}
        assert one["own"] == (one["relation"] in named)
        assert one["other"] == len(named - {one["relation"]}) / 2


def test_layers_are_chosen_on_some_relations_and_told_on_others(rows):
    good, bad = Pair(1, 2), Pair(0, 0)
    made = [
        row("P36", "tuned", bad, 1.0, 1.0),
        row("P36", "tuned", good, 1.0, 0.0),
        row("P36", "random", bad, 1.0, 0.0),
        row("P30", "tuned", bad, 1.0, 0.0),
        row("P30", "tuned", good, 0.0, 0.5),
        row("P30", "random", good, 0.0, 0.25),
        row("P30", "label", good, 1.0, 0.0),
    ]
    assert best_pair(made, ["P36"]) == good
    assert best_pair(made, ["P30"]) == bad
    assert told(made, good, ["P30"]) == [
        {"kind": "tuned", "prompts": 1, "own": 0.0, "other": 0.5},
        {"kind": "random", "prompts": 1, "own": 0.0, "other": 0.25},
        {"kind": "label", "prompts": 1, "own": 1.0, "other": 0.0},
    ]
    assert [one["prompts"] for one in told(rows, best_pair(rows, ["P36", "P103"]), ["P30"])] == [2, 2, 2]


def test_the_label_is_asked_in_the_model_s_own_words(gpt2, capital):
    prompt = {("P36", 0): pt.random_prompt(gpt2, capital)}
    text = "Rome: the city of Italy\n[V]:"
    rows = described(gpt2, [capital], prompt, from_layers=(0,), to_layers=(0,), text=text)
    (said,) = (one["text"] for one in rows if one["kind"] == "label")
    (alone,) = pt.describe(gpt2, _words(gpt2, capital.label), text=text, count=1)
    assert said == alone.text


def _words(lm, text):
    ids = [lm.tokenizer.convert_tokens_to_ids(word) for word in lm.tokenizer.tokenize(" " + text)]
    vectors = lm.model.get_input_embeddings().weight[ids].detach()
    return pt.SoftPrompt(vectors, lm.name, "label", "[X] [V] [Y] .", 0)


def test_of_what_nobody_said_nothing_is_told(rows):
    with pytest.raises(pt.PromptError, match="nothing was said of tuned prompts of these relations"):
        best_pair(rows, ["P9"])
    with pytest.raises(pt.PromptError, match=r"nothing was said of prompts of kind 'tuned' .* with Pair\(from_layer=9"):
        told(rows, Pair(9, 9), ["P36"])
