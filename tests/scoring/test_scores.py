from dataclasses import replace

import numpy as np
import pytest
import torch

import ptlib as pt
from ptlib.scoring.scores import Accuracy, is_first


def test_micro_counts_examples_and_macro_counts_tasks():
    small, large = Accuracy((True,)), Accuracy((True, False, False, False, False, False, False))
    assert pt.scoring.micro([small, large]).value == 2 / 8
    assert pt.scoring.macro([small, large])[0] == pytest.approx((1 + 1 / 7) / 2)


def test_the_interval_is_that_of_a_share():
    """Against the normal approximation, which is good for 400 examples."""
    low, high = Accuracy((True,) * 280 + (False,) * 120).interval()
    half = 1.96 * (0.7 * 0.3 / 400) ** 0.5
    assert low == pytest.approx(0.7 - half, abs=0.006)
    assert high == pytest.approx(0.7 + half, abs=0.006)


def test_an_interval_of_equals_is_a_point():
    assert Accuracy((True, True)).interval() == (1.0, 1.0)


def test_the_manual_template_is_scored_over_the_whole_vocabulary(lm, capital):
    """Against logits from `transformers` alone, one fact at a time."""
    score = pt.accuracy(lm, capital)
    for example, hit in zip(capital.test, score.hits, strict=True):
        sentence = capital.template.replace("[X]", example.text)
        before, after = (part.strip() for part in sentence.split("[Y]"))
        if lm.kind == "causal":
            logits = lm.model(**lm.tokenizer(before, return_tensors="pt")).logits[0, -1]
        else:
            inputs = lm.tokenizer(f"{before} {lm.tokenizer.mask_token} {after}", return_tensors="pt")
            logits = lm.model(input_ids=inputs["input_ids"]).logits[
                0, inputs["input_ids"][0] == lm.tokenizer.mask_token_id
            ][0]
        assert hit == (logits.argmax().item() == lm.word_id(example.answer))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_likeliest_word_is_the_first_of_equals(dtype):
    draw = torch.Generator().manual_seed(0)
    logits = torch.randint(-2, 3, (400, 9), generator=draw).to(dtype)  # most rows have their largest number twice
    logits[:40, 3:] = float("-inf")  # as of words that are not allowed
    answers = torch.randint(9, (400,), generator=draw)
    best = logits.float().argmax(dim=-1)
    assert (is_first(logits, answers) == (best == answers)).all()
    assert is_first(logits, best).all()
    assert ((logits == logits.amax(dim=-1, keepdim=True)).sum(dim=-1) > 1).any()


def test_what_is_no_number_is_no_hit():
    assert not is_first(torch.tensor([[0.0, float("nan")]]), torch.tensor([1])).any()


def test_scores_by_seed_are_those_of_each_prompt(bert, capital):
    tasks = [capital, pt.relation("P19")]
    prompts = pt.tune_many(bert, tasks, seeds=(3, 1), settings=pt.Settings(steps=15), progress=False)
    expected = [[pt.accuracy(bert, task, prompts[task.name, seed]).value for task in tasks] for seed in (1, 3)]
    assert np.array_equal(pt.scoring.accuracy_by_seed(bert, tasks, prompts), expected)


def test_scores_by_seed_need_a_prompt_for_each(bert, capital):
    tasks = [capital, pt.relation("P19")]
    prompts = {(task.name, 1): pt.random_prompt(bert, task, seed=1) for task in tasks}
    with pytest.raises(pt.PromptError, match="no prompt for task P19 and seed 2; give one for each"):
        pt.scoring.accuracy_by_seed(bert, tasks, prompts | {("P36", 2): prompts["P36", 1]})
    with pytest.raises(pt.PromptError, match="no prompts to score"):
        pt.scoring.accuracy_by_seed(bert, tasks, {})


def test_a_template_in_words_takes_no_vectors(bert, capital):
    with pytest.raises(pt.PromptError, match="holds 1 vectors, the prompt 0"):
        pt.accuracy(bert, capital, "[X] [V] [Y] .")


def test_the_most_frequent_answer_is_counted_in_training(make_task):
    task = make_task(("a", "Rome"), ("b", "Paris"), ("c", "Rome"))
    assert pt.scoring.most_frequent_answer(task).hits == (True, False, True)
    tied = make_task(("a", "Rome"), ("b", "Paris"))
    assert pt.scoring.most_frequent_answer(tied).hits == (False, True)


@pytest.mark.parametrize(("missing", "split"), [("train", "test"), ("test", "test"), ("dev", "dev")])
def test_without_examples_there_is_nothing_to_guess(capital, missing, split):
    with pytest.raises(pt.PromptError, match=rf"P36 \({missing}\): has no examples"):
        pt.scoring.most_frequent_answer(replace(capital, **{missing: ()}), split=split)


def test_an_untrained_model_has_the_shape_and_not_the_weights(lm):
    nobody = pt.models.untrained(lm, seed=1)
    shapes = {name: value.shape for name, value in lm.model.state_dict().items()}
    assert {name: value.shape for name, value in nobody.model.state_dict().items()} == shapes
    assert nobody.fingerprint != lm.fingerprint
    assert (
        nobody.fingerprint == pt.models.untrained(lm, seed=1).fingerprint != pt.models.untrained(lm, seed=2).fingerprint
    )


def test_making_an_untrained_model_leaves_the_randomness_of_others_alone(bert):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    pt.models.untrained(bert)
    assert torch.equal(torch.rand(1), expected)


def test_many_prompts_of_any_length_are_scored_each_on_its_task(exact_bert):
    tasks = [pt.relation(name) for name in ("P36", "P103")]
    prompts = {
        (task.name, length): pt.tune(exact_bert, task, length=length, settings=pt.Settings(steps=10))
        for length in (3, 1)
        for task in tasks
    }
    expected = [pt.accuracy(exact_bert, task, prompts[task.name, length]).value for length in (3, 1) for task in tasks]
    assert pt.accuracy_many(exact_bert, tasks, prompts) == pytest.approx(expected)
    with pytest.raises(pt.PromptError, match="a prompt for P36, and tasks P103"):
        pt.accuracy_many(exact_bert, tasks[1:], prompts)
