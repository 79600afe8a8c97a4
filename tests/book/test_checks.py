"""A check says of an answer whether it is right and why: each is shown a right answer and wrong ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import ptlib as pt
from ptlib.book import check
from ptlib.book.checks import CHECKS

CAPITAL = pt.relation("P36")
QUICK = pt.Settings(steps=40)


@pytest.fixture(scope="module")
def bert():
    return pt.load("pocket/bert-small")


@pytest.fixture(scope="module")
def roberta():
    return pt.load("pocket/roberta-small")


def right(exercise, *answer):
    verdict = check(exercise, *answer)
    assert repr(verdict).startswith("Right: "), verdict
    return verdict.why


def wrong(exercise, *answer):
    verdict = check(exercise, *answer)
    assert repr(verdict).startswith("Not yet: "), verdict
    assert "\n" not in verdict.why
    return verdict.why


def test_what_is_no_exercise_or_no_whole_answer_is_refused():
    with pytest.raises(pt.PromptError, match=r"no exercise '9\.9' can be checked; there are 0\.1, "):
        check("9.9", 1)
    with pytest.raises(pt.PromptError, match=r"exercise 1\.1 is answered with before, after; 1 given"):
        check("1.1", 1)


@pytest.mark.parametrize("exercise", CHECKS)
def test_what_is_no_answer_at_all_is_not_yet_one(exercise):
    from inspect import signature

    assert wrong(exercise, *[object()] * len(signature(CHECKS[exercise]).parameters))


def test_a_wording():
    best = max(
        (wording for wording in CAPITAL.sentences if wording.endswith("[Y] .")),
        key=lambda wording: pt.accuracy(pt.load("pocket/gpt2-small"), CAPITAL, wording, split="dev").value,
    )
    right("0.1", best)
    wrong("0.1", CAPITAL.template)
    assert "[Y]" in wrong("0.1", "[X] has no slot .")


def test_facts_of_one_s_own(bert, tmp_path):
    tokens = set(pt.shared_words(bert))
    (tmp_path / "P999.toml").write_text(
        'label = "a"\ntemplate = "[X] lies next to [Y] ."\ndefinition = "b"\nsentences = []', encoding="utf-8"
    )
    countries = [fact.text for fact in (*CAPITAL.train, *CAPITAL.dev, *CAPITAL.test) if fact.text in tokens]
    known = zip(countries, [*countries[1:], countries[0]], strict=True)
    (tmp_path / "P999.tsv").write_text("".join("\t".join(pair) + "\n" for pair in known), encoding="utf-8")
    right("0.2", pt.relation("P999", folder=tmp_path))
    assert "it was taught them" in wrong("0.2", CAPITAL)
    assert "train and dev" in wrong("0.2", replace(CAPITAL, train=(), dev=()))


def test_a_prompt_that_was_written_and_read(bert, tmp_path):
    prompt = pt.random_prompt(bert, CAPITAL, seed=0)
    prompt.save(tmp_path / "a.safetensors")
    right("1.1", prompt, pt.load_prompt(tmp_path / "a.safetensors"))
    assert "one and the same" in wrong("1.1", prompt, prompt)
    wrong("1.1", prompt, pt.random_prompt(bert, CAPITAL, seed=1))
    wrong("1.1", prompt, pt.random_prompt(bert, CAPITAL, length=2, seed=0))


def test_births_and_deaths(bert):
    right("1.2", pt.tune(bert, pt.relation("P19"), settings=QUICK))
    wrong("1.2", pt.tune(bert, pt.relation("P20"), settings=QUICK))


def test_answers_that_are_all_wrong():
    moved = {
        split: tuple(
            replace(fact, answer=CAPITAL.examples(split)[place - 1].answer)
            for place, fact in enumerate(CAPITAL.examples(split))
        )
        for split in ("train", "dev", "test")
    }
    right("1.3", replace(CAPITAL, **moved))
    assert f"{len(CAPITAL.test)} of " in wrong("1.3", replace(CAPITAL, **moved | {"test": CAPITAL.test}))
    strange = (replace(CAPITAL.test[0], answer="guitar"),)
    assert "guitar is the capital of no country" in wrong("1.3", replace(CAPITAL, **moved | {"test": strange}))


def test_changes_of_a_space(bert):
    turned = torch.linalg.qr(torch.randn(bert.dim, bert.dim, generator=torch.Generator().manual_seed(0))).Q
    right("2.1", lambda v: 3 * v)
    right("2.1", lambda v: v @ turned)
    wrong("2.1", lambda v: v + 1)
    assert "as they are" in wrong("2.1", lambda v: v)


def test_few_anchors(bert, roberta):
    words = pt.shared_words(bert, roberta)
    few, there = words[:50], pt.models.word_vectors(roberta, words[:50])
    wanted = pt.carrying.relative(bert.embed("river"), pt.models.word_vectors(bert, few))
    found = pt.carrying.closed_form(wanted, there, ridge=0.01)
    right("2.2", found, wanted, few)
    wrong("2.2", roberta.embed("river"), wanted, few)
    assert "'xylograph' is no word of one token" in wrong("2.2", found, wanted, [*few[1:], "xylograph"])
    assert "are not few" in wrong("2.2", found, wanted, words)


def test_the_weighted_sum_is_the_same_whatever_was_carried(bert, roberta):
    tasks = [CAPITAL, pt.relation("P19")]
    prompts = [pt.tune(bert, task, settings=QUICK) for task in tasks]
    summed = [pt.transfer(prompt, bert, roberta, method=pt.ClosedForm(ridge=1e6)) for prompt in prompts]
    right("3.1", *summed)
    wrong("3.1", *(pt.transfer(prompt, bert, roberta) for prompt in prompts))
    assert "two tasks" in wrong("3.1", summed[0], summed[0])


def test_nothing_behind_the_slot(bert):
    gpt2 = pt.load("pocket/gpt2-small")
    template = "[X] [V] [V] [V] [V] [V] [Y]"
    right("3.2", pt.transfer(pt.tune(bert, CAPITAL, template=template, settings=QUICK), bert, gpt2))
    assert "behind the slot" in wrong("3.2", pt.random_prompt(gpt2, CAPITAL, seed=0))
    wrong("3.2", pt.tune(gpt2, CAPITAL, template=template, settings=pt.Settings(steps=80)))


def test_few_words(bert, roberta):
    shared = pt.shared_words(bert, roberta)
    fitting = [word for word in " ".join(CAPITAL.sentences).split() if word in shared]
    some = list(dict.fromkeys(fitting))[:20]
    options = {"settings": pt.WordSettings(steps=60), "seeds": [0]}
    right("3b.1", pt.tune_words([bert, roberta], CAPITAL, words=some, **options)["P36", 0])
    few = pt.WordSettings(steps=1)
    wrong("3b.1", pt.tune_words(bert, CAPITAL, words=["guitar", "river"], settings=few, seeds=[0])["P36", 0])
    assert "not few" in wrong(
        "3b.1", pt.tune_words(bert, CAPITAL, words=shared[:30], settings=few, seeds=[0])["P36", 0]
    )


def test_a_text_of_one_s_own_and_the_way_beyond(bert):
    text = "the river is cold in the evening"
    mine = pt.tune(bert, CAPITAL, toward=text, gamma=1, settings=pt.Settings(steps=80))
    right("5.1", mine, text)
    wrong("5.1", mine, "name a country")
    words = bert.embed(text).cpu()
    further = replace(mine, vectors=words + 2 * (mine.vectors - words))
    assert right("5.2", mine, further, text).startswith("2.0 times the way")
    wrong("5.2", mine, replace(mine, vectors=words + (mine.vectors - words) / 2), text)
    wrong("5.2", mine, replace(mine, vectors=mine.vectors + 1), text)


def test_opposite_weights(bert, roberta):
    prompts = [pt.tune(bert, CAPITAL, settings=QUICK, seed=seed) for seed in (0, 1)]
    both, opposite = (
        pt.transfer(prompts, [bert] * 2, roberta, weights=weights) for weights in ([1.0, 1.0], [2.0, -1.0])
    )
    right("4.1", both, opposite)
    assert "below zero" in wrong("4.1", opposite, both)


def test_the_source_to_trust():
    arrives = {"bert": 0.7, "roberta": 0.69, "gpt2": 0.1}
    right("4.2", "bert", arrives)
    right("4.2", "roberta", arrives)
    wrong("4.2", "gpt2", arrives)
    assert "none of bert, roberta, gpt2" in wrong("4.2", "albert", arrives)


def test_starts_that_helped():
    starts = {"true": np.array([0.8, 0.9]), "random words": np.array([0.41, 0.43])}
    right("6.1", ["true"], starts, np.array([0.4, 0.44]))
    assert "random words" in wrong("6.1", ["true", "random words"], starts, np.array([0.4, 0.44]))
    assert "true" in wrong("6.1", [], starts, np.array([0.4, 0.44]))


def test_a_step_beside_its_words(roberta):
    words = roberta.embed("the capital of the country").cpu()

    def prompt(vectors):
        return pt.SoftPrompt(vectors, "pocket/roberta-small", "P36", "[X] [V] [V] [V] [V] [V] [Y] .", 0)

    right("6.2", prompt(words + 0.01), "the capital of the country")
    assert "words alone" in wrong("6.2", prompt(words), "the capital of the country")
    wrong("6.2", prompt(-words), "the capital of the country")
    assert "tokens" in wrong("6.2", prompt(words[:3]), "the capital of the country")


@pytest.fixture
def kept_scores(monkeypatch):
    """Scores of two relations on two real models; in the second the manual template wins."""
    values = {("manual", "", "b"): (0.2, 0.5), ("tuned", "b", "b"): (0.6, 0.4), ("linear map", "a", "b"): (0.4, 0.4)}
    values |= {("manual", "", "a"): (0.2, 0.2), ("tuned", "a", "a"): (0.6, 0.6)}
    rows = [
        {"method": method, "sources": sources, "target": target, "relation": relation, "seed": 0, "vocabulary": value}
        for (method, sources, target), scores in sorted(values.items(), key=lambda item: item[0][2])
        for relation, value in zip(("P17", "P36"), scores, strict=True)
    ]
    monkeypatch.setattr("ptlib.book.checks.kept_rows", lambda: pd.DataFrame(rows))


def test_where_plain_words_win(kept_scores):
    assert "on b 0.50 in plain words, 0.40 tuned" in right("7.1", "P36")
    assert "on a 0.20 in plain words, 0.60 tuned" in wrong("7.1", "P17")
    assert "was not measured" in wrong("7.1", "P99")


def test_how_much_of_the_gap_is_closed(kept_scores):
    assert "“linear map” closes most: 33%" in right("7.2", {"linear map": 1 / 3})
    assert "closes 33% of it" in wrong("7.2", {"linear map": 0.5})
    assert "was not carried from a to b" in wrong("7.2", {"guessing": 0.5})
    wrong("7.2", {})


@pytest.fixture
def kept_wayward(monkeypatch):
    """Prompts for two tasks on a model: for the first they are far ahead of the manual template."""
    tuned = [
        {"model": "a", "task": task, "gamma": gamma, "accuracy": value}
        for task, values in (("sst2", (0.7, 0.8)), ("trec", (0.5, 0.4)))
        for gamma, shift in ((0, 0), (10, -0.3))
        for value in (value + shift for value in values)
    ]
    beside = [{"model": "a", "task": task, "method": "manual", "accuracy": 0.5} for task in ("sst2", "trec")]
    tables = {"tuned": pd.DataFrame(tuned), "beside": pd.DataFrame(beside)}
    monkeypatch.setattr("ptlib.book.checks.kept_wayward", tables.get)


def test_what_tuning_brought(kept_wayward):
    assert "manual 0.50, tuned 0.75: +0.25" in right("8.1", "a", "sst2")
    assert "tuned 0.45: -0.05" in wrong("8.1", "a", "trec")
    assert "not measured" in wrong("8.1", "b", "sst2")


def test_the_best_layers(monkeypatch):
    rows = [
        {"model": model, "kind": kind, "from_layer": pair[0], "to_layer": pair[1], "own": own, "other": 0.1}
        for pair, shares in {(6, 0): (0.0, 1.0), (12, 0): (0.0, 0.0), (12, 3): (1.0, 0.0)}.items()
        for model, kind, factor in (("qwen2.5-coder-0.5b", "tuned", 1), ("qwen2.5-coder-0.5b", "random", 0))
        for own in (factor * share for share in shares)
    ]
    monkeypatch.setattr("ptlib.book.checks.kept_descriptions", lambda: pd.DataFrame(rows))
    assert "is 0.40, with the best pair 0.40" in right("8.2", 6, 0)
    right("8.2", 12, 3)  # as good
    assert "is -0.10" in wrong("8.2", 12, 0)
    assert "not asked with layers 1 to 2, but with 6 to 0" in wrong("8.2", 1, 2)
