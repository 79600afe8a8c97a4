import numpy as np
import pandas as pd
import pytest
import torch

import ptlib as pt

GAMMAS = (0, 0.1, 1, 10)
TEXTS = ("name the language", "two old friends", "heavy rain fell")


@pytest.fixture(scope="module", params=["bert-small", "gpt2-small"])
def swept(request, lms):
    """A sweep over gammas, and its table."""
    lm, tasks = lms[request.param], [pt.relation(name) for name in ("P36", "P106")]
    prompts = pt.tune_toward(
        lm, tasks, TEXTS, gammas=GAMMAS, seeds=(0, 1), settings=pt.Settings(steps=60), progress=False
    )
    return lm, tasks, prompts, pt.waywardness(lm, tasks, prompts)


def test_the_prompt_leaves_the_text_and_a_growing_gamma_brings_it_back(swept):
    """Gamma is really applied: by mean over tasks, texts and seeds, without exception."""
    by_gamma = swept[3].groupby("gamma")[["f1", "match", "distance"]].mean()
    assert (np.diff(by_gamma["distance"]) < 0).all()
    assert (np.diff(by_gamma["f1"]) > -0.02).all()
    assert by_gamma["match"].iloc[0] < 0.9
    assert by_gamma["f1"].iloc[-1] == by_gamma["match"].iloc[-1] == 1


def test_every_single_distance_falls_with_gamma(swept):
    distances = swept[3].pivot_table(index=["task", "text", "seed"], columns="gamma", values="distance")
    assert (np.diff(distances.to_numpy(), axis=1) < 0).all()


def test_the_table_says_what_the_single_functions_say(swept):
    lm, tasks, prompts, table = swept
    assert len(table) == len(prompts) == 48
    for aim, row in list(zip(prompts, table.itertuples(), strict=True))[::7]:
        assert (row.task, row.text, row.gamma, row.seed, row.length) == (*aim, 3)
        task = next(task for task in tasks if task.name == aim.task)
        assert row.projection == str(pt.project(lm, prompts[aim]))
        assert row.f1 == pt.word_f1(row.projection, aim.text)
        assert row.match == pytest.approx(pt.reading.token_match(lm, prompts[aim], aim.text))
        assert row.spacings == pytest.approx(row.distance / pt.reading.word_spacing(lm))
        # The table is made through the quick copy, where rounding may decide an example or two.
        assert row.accuracy == pytest.approx(pt.accuracy(lm, task, prompts[aim]).value, abs=0.06)
        assert row.dev == pytest.approx(pt.accuracy(lm, task, prompts[aim], split="dev").value, abs=0.08)


def made_table(**columns):
    rows = len(columns["f1"])
    return pd.DataFrame(
        {
            "task": "t",
            "text": "x",
            "seed": 0,
            "dev": 1.0,
            "drop": 0.0,
            "match": columns["f1"],
            **columns,
            "row": range(rows),
        }
    )


def test_drops_are_shares_of_the_accuracy_with_gamma_0(swept):
    table = swept[3]
    free = table[table["gamma"] == 0].set_index(["task", "text", "seed"])["accuracy"]
    for row in table.itertuples():
        assert row.drop == pytest.approx(1 - row.accuracy / free[row.task, row.text, row.seed])


def test_within_takes_the_most_alike_that_dev_allows():
    table = made_table(
        gamma=[0, 3, 1, 2, 10],
        f1=[0.2, 0.9, 0.9, 0.9, 1.0],
        dev_drop=[0.0, 0.02, 0.01, 0.01, 0.3],
        dev=[1, 0.98, 0.99, 0.99, 0.7],
    )
    assert pt.reading.within(table)["gamma"].tolist() == [1]
    assert pt.reading.within(table, prefer="gamma")["gamma"].tolist() == [3]
    assert pt.reading.within(table, 0.5)["gamma"].tolist() == [10]
    assert pt.reading.within(table, 0)["gamma"].tolist() == [0]
    with pytest.raises(pt.PromptError, match="unknown preference 'f1'; there are accuracy, gamma"):
        pt.reading.within(table, prefer="f1")


def test_the_frontier_rises_with_the_drop_that_is_allowed(swept):
    found = pt.reading.frontier(swept[3], (0, 0.02, 0.1, 0.3, 1))
    assert (np.diff(found["f1"]) >= 0).all()
    assert (np.diff(found["distance"]) <= 0).all()
    assert found["f1"].iloc[-1] == 1
    assert found["allowed"].tolist() == [0, 0.02, 0.1, 0.3, 1]


def test_without_gamma_0_there_is_nothing_to_compare_with(swept):
    lm, tasks, prompts, _ = swept
    some = {aim: prompt for aim, prompt in prompts.items() if aim.gamma > 0}
    with pytest.raises(pt.PromptError, match="no prompt with gamma 0 for P36, 'name the language', seed 0"):
        pt.waywardness(lm, tasks, some)


def test_a_prompt_that_is_the_text_is_like_the_text(lm):
    for text in ("name the city", *pt.tasks.texts("P36", "true")):
        prompt = pt.SoftPrompt(
            lm.embed(text), lm.name, "P36", " ".join(["[X]", *["[V]"] * len(lm.embed(text)), "[Y]"]), 0
        )
        assert pt.reading.token_match(lm, prompt, text) == 1
        assert pt.word_f1(str(pt.project(lm, prompt)), text) == 1
        half = torch.cat([prompt.vectors[:1], -prompt.vectors[1:]])
        other = pt.SoftPrompt(half, lm.name, "P36", prompt.template, 0)
        assert pt.reading.token_match(lm, other, text) == pytest.approx(1 / prompt.length)


@pytest.mark.parametrize(
    ("one", "other", "f1"),
    [
        ("Name the city!", "name a city", 1),
        ("the", "a an", 1),
        ("", "city", 0),
        ("red red green", "red green blue", 2 / 3),
        ("city name", "name city", 1),
        ("one two three", "one", 0.5),
    ],
)
def test_word_f1(one, other, f1):
    assert pt.word_f1(one, other) == pt.word_f1(other, one) == pytest.approx(f1)


def test_a_text_of_another_length_is_refused(bert, capital):
    prompt = pt.random_prompt(bert, capital, length=2)
    with pytest.raises(pt.PromptError, match="has 3 tokens in pocket/bert-small, the prompt 2 vectors"):
        pt.reading.token_match(bert, prompt, "name the city")
    for text, length in (("city", 1), ("name the city", 3)):
        with pytest.raises(pt.PromptError, match=f"has {length} tokens in pocket/bert-small, the prompt 2 vectors"):
            pt.waywardness(bert, [capital], {pt.tuning.Aim("P36", text, 0.0, 0): prompt})


def test_without_prompts_there_is_nothing_to_look_at(bert, capital):
    with pytest.raises(pt.PromptError, match="no prompts to look at"):
        pt.waywardness(bert, [capital], {})
