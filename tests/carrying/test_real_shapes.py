"""One relation of LAMA from end to end on models as large as the papers', without their weights."""

import math
from dataclasses import replace

import pytest
import torch

import ptlib as pt
from ptlib.prompts.template import parse
from ptlib.tuning.gradients import Gradients
from tests import shapes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(shapes.missing()), reason=shapes.missing() or "all is there")]

SETTINGS = pt.Settings(steps=3, rows=4, learning_rate=0.01, unit="absolute")


@pytest.fixture(scope="module")
def source():
    return shapes.random_weights("bert-base-cased")


@pytest.mark.parametrize("target", ["roberta-base", "gpt2"])
def test_a_relation_is_tuned_carried_and_scored(source, target):
    target = shapes.random_weights(target)
    capital = next(task for task in shapes.lama(source, target) if task.name == "P36")
    short = replace(capital, test=capital.test[:12])
    assert len(capital.train) > 50
    prompt = pt.tune(source, capital, settings=SETTINGS)
    assert loss(source, capital, prompt) < loss(source, capital, pt.tune(source, capital, settings=pt.Settings(0)))
    moved = pt.transfer(prompt, source, target)
    words = pt.shared_words(source, target)
    assert len(words) > 15_000
    wanted = pt.carrying.relative(prompt.vectors, pt.models.word_vectors(source, words))
    there = pt.models.word_vectors(target, words)
    searched = pt.transfer(prompt, source, target, method=pt.GradientSearch(steps=20))
    reached = [pt.carrying.objective(one.vectors, wanted, there).mean() for one in (moved, searched)]
    assert reached[0] > reached[1]
    assert pt.accuracy(target, short, moved).hits == tuple(by_hand(target, short, moved))


def loss(lm, task, prompt):
    """The mean loss over some examples."""
    gradients = Gradients(lm, [(task, 0)], parse(prompt.template), steps=1, rows=32)
    rows = gradients.orders[0].flatten()
    found = gradients._loss(gradients.table[rows], prompt.vectors[None], torch.zeros_like(rows)).item()
    assert math.isfinite(found)
    return found


def by_hand(lm, task, prompt):
    """Which examples are answered rightly, one at a time, with logits at every place."""
    for example in task.test:
        before = lm.pieces(example.text, starts_text=True)
        start, end = lm.marks
        ids = [*start, *before, *[0] * prompt.length]
        if lm.kind == "masked":
            ids += [lm.tokenizer.mask_token_id, *lm.pieces("."), *end]
        embedded = lm.embeddings[ids].clone()
        first = len(start) + len(before)
        embedded[first : first + prompt.length] = prompt.vectors
        logits = lm.model(inputs_embeds=embedded[None]).logits[0]
        slot = first + prompt.length - (lm.kind == "causal")
        yield logits[slot].argmax().item() == lm.word_id(example.answer)
