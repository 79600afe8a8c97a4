from dataclasses import replace

import pytest
import torch

import ptlib as pt
from ptlib.tuning.descent import Pull

SETTINGS = pt.Settings(steps=12)
TEXT = "name the city"


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in ("P36", "P103")]


def distance(lm, prompt, text):
    return (prompt.vectors - lm.embed(text)).norm(dim=1).mean().item()


def test_the_gradient_of_the_penalty_is_that_of_autograd():
    generator = torch.Generator().manual_seed(0)
    toward, vectors = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64)
    pull = Pull(toward, torch.tensor([0.0, 0.1, 1.0, 10.0], dtype=torch.float64))
    vectors.requires_grad_()
    pull.penalty(vectors).sum().backward()
    torch.testing.assert_close(pull.gradient(vectors.detach()), vectors.grad)
    assert pull.penalty(toward).abs().max() == 0
    assert pull.penalty(toward + 1)[3].item() == pytest.approx(10 * 5)  # 3 x 5 ones, over 3 vectors


def test_many_at_once_is_each_alone(exact_bert, tasks):
    texts = [TEXT, "two old friends"]
    together = pt.tune_toward(
        exact_bert, tasks, texts, gammas=(0, 0.3), seeds=(0, 1), settings=SETTINGS, progress=False
    )
    assert len(together) == 16
    for aim, prompt in together.items():
        task = next(task for task in tasks if task.name == aim.task)
        alone = pt.tune(exact_bert, task, toward=aim.text, gamma=aim.gamma, seed=aim.seed, settings=SETTINGS)
        torch.testing.assert_close(prompt.vectors, alone.vectors, rtol=0, atol=1e-9)


def test_texts_of_any_length_may_be_mixed(bert, tasks):
    prompts = pt.tune_toward(
        bert,
        tasks,
        {"P36": ["red", "an old piano"], "P103": ["five green words again"]},
        gammas=(1,),
        settings=SETTINGS,
        progress=False,
    )
    assert [prompt.length for prompt in prompts.values()] == [1, 3, 4]


def test_without_a_pull_it_is_plain_tuning_from_the_text(exact_bert, capital):
    begun = pt.SoftPrompt(exact_bert.embed(TEXT), exact_bert.name, "P36", "[X] [V] [V] [V] [Y] .", 0)
    plain = pt.tune(exact_bert, capital, length=3, start=begun, settings=SETTINGS)
    free = pt.tune(exact_bert, capital, toward=TEXT, settings=SETTINGS)
    torch.testing.assert_close(free.vectors, plain.vectors, rtol=0, atol=1e-12)
    pulled = pt.tune(exact_bert, capital, toward=TEXT, gamma=0.3, settings=SETTINGS)
    assert distance(exact_bert, pulled, TEXT) < 0.8 * distance(exact_bert, free, TEXT)


def test_it_starts_where_it_is_told(bert, capital):
    still = pt.Settings(steps=0)
    at_text = pt.tune(bert, capital, toward=TEXT, settings=still)
    assert torch.equal(at_text.vectors, bert.embed(TEXT))
    begun = pt.random_prompt(bert, capital, length=3)
    assert torch.equal(pt.tune(bert, capital, toward=TEXT, start=begun, settings=still).vectors, begun.vectors)
    (at_random,) = pt.tune_toward(
        bert, [capital], [TEXT], gammas=(1,), start="random", settings=still, progress=False
    ).values()
    assert torch.equal(at_random.vectors, begun.vectors)


def test_a_strong_pull_brings_a_random_start_to_the_text(bert, capital):
    (prompt,) = pt.tune_toward(bert, [capital], [TEXT], gammas=(300,), start="random", progress=False).values()
    assert str(pt.project(bert, prompt)) == TEXT


def test_a_template_has_one_place_for_the_whole_prompt(bert, capital):
    options = {"toward": TEXT, "settings": SETTINGS}
    prompt = pt.tune(bert, capital, template="[V] : [X] [Y] .", **options)
    assert prompt.template == "[V] [V] [V] : [X] [Y] ."
    with pytest.raises(pt.PromptError, match=r"has 2 \[V\]; give one"):
        pt.tune(bert, capital, template="[V] [V] [X] [Y] .", **options)


def test_what_was_tuned_is_kept(bert, tasks, tmp_path, monkeypatch):
    options = {"seeds": (0, 1), "settings": SETTINGS, "cache": tmp_path, "progress": False}
    first = pt.tune_toward(bert, tasks, [TEXT], gammas=(0, 1), **options)
    monkeypatch.setattr("ptlib.tuning.engine.Descent", None)  # nothing more can be tuned
    again = pt.tune_toward(bert, tasks, [TEXT], gammas=(1, 0), **options)
    assert all(torch.equal(prompt.vectors, again[aim].vectors) for aim, prompt in first.items())
    assert again["P36", TEXT, 1.0, 0].settings["gamma"] == 1.0
    with pytest.raises(TypeError):
        pt.tune_toward(bert, tasks, [TEXT], gammas=(2,), **options)


@pytest.mark.parametrize(
    ("text", "gamma", "message"),
    [
        ("", 1, "text '' has no words; give at least one"),
        ("  ", 1, "has no words"),
        ("name the \u6771 city", 1, "pocket/bert-small has no words for '\u6771'"),
        ("name [MASK]", 1, r"has no words for '\[MASK\]'"),
        ("city " * 70, 1, "an example takes .* tokens, pocket/bert-small at most 64"),
        (TEXT, -0.1, "gamma -0.1: must be a number, 0 or larger"),
        (TEXT, float("nan"), "gamma nan: must be a number, 0 or larger"),
        (TEXT, float("inf"), "gamma inf: must be a number, 0 or larger"),
    ],
)
def test_bad_input_is_one_clear_line(bert, capital, text, gamma, message):
    with pytest.raises(pt.PromptError, match=message) as caught:
        pt.tune(bert, capital, toward=text, gamma=gamma, settings=SETTINGS)
    assert "\n" not in str(caught.value)


def test_lengths_that_do_not_fit_are_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="has 3 tokens in pocket/bert-small, the prompt 2 vectors"):
        pt.tune(bert, capital, toward=TEXT, length=2)
    with pytest.raises(pt.PromptError, match="has 3 tokens, the start 5 vectors"):
        pt.tune(bert, capital, toward=TEXT, start=pt.random_prompt(bert, capital))
    with pytest.raises(pt.PromptError, match="say to which one, with toward="):
        pt.tune(bert, capital, gamma=1)


def test_examples_decide_as_well(exact_bert, capital):
    shorter = replace(capital, train=capital.train[:5])
    one, other = (pt.tune(exact_bert, task, toward=TEXT, gamma=1, settings=SETTINGS) for task in (capital, shorter))
    assert not torch.equal(one.vectors, other.vectors)


def test_a_task_without_texts_and_an_unknown_start_are_refused(bert, tasks):
    with pytest.raises(pt.PromptError, match="no texts for task P103; there are some for P36"):
        pt.tune_toward(bert, tasks, {"P36": [TEXT]}, gammas=(1,))
