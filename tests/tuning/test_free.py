from dataclasses import replace

import pytest
import torch

import ptlib as pt
from ptlib.models import batches
from ptlib.prompts.template import parse
from ptlib.tuning.descent import Descent
from ptlib.tuning.gradients import Gradients

SETTINGS = pt.Settings(steps=12, rows=4)
NAMES = ("P36", "P19", "P1303")


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in NAMES]


@pytest.fixture
def count_steps(monkeypatch):
    """How many updates were made, as a list that grows."""
    steps = []
    step = Descent.step
    monkeypatch.setattr(Descent, "step", lambda run, number: (steps.append(number), step(run, number)))
    return steps


@pytest.mark.parametrize("family", ["exact_bert", "exact_gpt2"])
def test_tuning_many_at_once_is_tuning_each_alone(family, tasks, request):
    lm = request.getfixturevalue(family)
    together = pt.tune_many(lm, tasks, length=3, seeds=(0, 1), settings=SETTINGS, progress=False)
    assert set(together) == {(name, seed) for name in NAMES for seed in (0, 1)}
    for task in tasks:
        for seed in (0, 1):
            alone = pt.tune(lm, task, length=3, seed=seed, settings=SETTINGS)
            torch.testing.assert_close(together[task.name, seed].vectors, alone.vectors, rtol=0, atol=1e-9)


def test_the_size_of_a_chunk_changes_nothing(exact_bert, tasks, monkeypatch):
    whole = pt.tune_many(exact_bert, tasks, settings=SETTINGS, progress=False)
    monkeypatch.setattr(batches, "CPU_TOKENS", 64)
    for job, prompt in pt.tune_many(exact_bert, tasks, settings=SETTINGS, progress=False).items():
        torch.testing.assert_close(prompt.vectors, whole[job].vectors, rtol=0, atol=1e-9)


def test_a_run_repeats_bit_for_bit(bert, capital):
    first, second = (pt.tune(bert, capital, settings=SETTINGS) for _ in range(2))
    assert torch.equal(first.vectors, second.vectors)
    assert not torch.equal(first.vectors, pt.tune(bert, capital, settings=SETTINGS, seed=1).vectors)


def test_the_gradient_is_that_of_the_cross_entropy(exact_bert, capital):
    """One step of gradient descent on the prompt, against autograd on logits from `transformers` alone."""
    gradients = Gradients(exact_bert, [(capital, 0)], parse("[X] [V] [Y] ."), steps=1, rows=3)
    vectors = pt.random_prompt(exact_bert, capital, length=1).vectors[None].requires_grad_()
    loss = 0
    for row in gradients.orders[0].flatten().tolist():
        example = gradients.table[torch.tensor([row])]
        embedded = exact_bert.embeddings[example.ids].clone()
        embedded[0, example.prompt_at[0]] = vectors[0]
        logits = exact_bert.model(inputs_embeds=embedded).logits[0, example.slot_at[0]]
        loss = loss - logits.log_softmax(dim=-1)[example.answers[0]] / 3
    loss.backward()
    torch.testing.assert_close(gradients.at(0, vectors), vectors.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("template", ["[V] [V] [X] [Y] .", "[X] [V] [V] [Y] .", "[V] [X] [V] [Y] ."])
def test_tuning_lowers_the_loss_wherever_the_prompt_stands(lm, capital, template):
    """A tuned prompt answers more training facts than the one that it started from, by far more than chance."""
    start = pt.random_prompt(lm, capital, template=template)
    tuned = pt.tune(lm, capital, template=template)
    before, after = (pt.accuracy(lm, capital, prompt, split="train").value for prompt in (start, tuned))
    assert after > before + 0.3


def test_tuning_starts_from_the_random_prompt(bert, capital):
    seen = {}
    pt.tune_many(
        bert, [capital], settings=SETTINGS, progress=False, watch=lambda step, prompts: seen.update({step: prompts()})
    )
    assert torch.equal(seen[0]["P36", 0].vectors, pt.random_prompt(bert, capital).vectors)
    assert set(seen) == set(range(SETTINGS.steps + 1))
    assert torch.equal(seen[12]["P36", 0].vectors, pt.tune(bert, capital, settings=SETTINGS).vectors)


def test_tuning_starts_where_it_is_told(bert, capital):
    begun = pt.random_prompt(bert, capital, seed=7)
    no_steps = pt.Settings(steps=0)
    assert torch.equal(pt.tune(bert, capital, start=begun, settings=no_steps).vectors, begun.vectors)
    tuned = pt.tune(bert, capital)
    further = pt.tune(bert, capital, start=tuned, settings=pt.Settings(steps=2))
    assert pt.accuracy(bert, capital, further).value > pt.accuracy(bert, capital, begun).value + 0.5
    with pytest.raises(pt.PromptError, match="a start of 5 vectors for a prompt of 3"):
        pt.tune(bert, capital, length=3, start=begun)
    with pytest.raises(pt.PromptError, match="no start for task P36 and seed 1"):
        pt.tune_many(bert, [capital], seeds=(0, 1), start={("P36", 0): begun}, progress=False)


def test_finished_prompts_are_not_tuned_again(bert, tasks, tmp_path, count_steps):
    first = pt.tune_many(bert, tasks, settings=SETTINGS, cache=tmp_path, progress=False)
    assert len(count_steps) == SETTINGS.steps
    again = pt.tune_many(bert, tasks, settings=SETTINGS, cache=tmp_path, progress=False)
    assert len(count_steps) == SETTINGS.steps
    assert all(torch.equal(first[job].vectors, again[job].vectors) for job in first)


def test_only_what_is_missing_is_tuned(exact_bert, tasks, tmp_path, count_steps):
    """As after a kill: what was finished is kept, the rest comes out the same."""
    whole = pt.tune_many(exact_bert, tasks, settings=SETTINGS, progress=False)
    pt.tune(exact_bert, tasks[1], settings=SETTINGS, cache=tmp_path)
    jobs = []
    original = Descent.__init__

    def noting(run, lms, todo, *rest):
        jobs.extend(task.name for task, _ in todo)
        original(run, lms, todo, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Descent, "__init__", noting)
        resumed = pt.tune_many(exact_bert, tasks, settings=SETTINGS, cache=tmp_path, progress=False)
    assert jobs == ["P36", "P1303"]
    for job, prompt in whole.items():
        torch.testing.assert_close(resumed[job].vectors, prompt.vectors, rtol=0, atol=1e-9)


def test_an_empty_task_is_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="P36: has no examples"):
        pt.tune(bert, replace(capital, train=()), settings=SETTINGS)


def test_the_model_is_left_as_it_was(bert, capital):
    before = {name: value.clone() for name, value in bert.model.state_dict().items()}
    pt.tune(bert, capital, settings=SETTINGS)
    assert all(torch.equal(before[name], value) for name, value in bert.model.state_dict().items())
    assert all(parameter.grad is None for parameter in bert.model.parameters())
