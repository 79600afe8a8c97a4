import copy

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

import ptlib as pt
from ptlib.models import scale

SETTINGS = pt.Settings(steps=12)
TEXT = "name the city"


def enlarged(lm, factor):
    """The same model with embeddings a number of times as long, and brought back where they enter."""
    model = copy.deepcopy(lm.model)
    model.set_input_embeddings(torch.nn.Embedding.from_pretrained(lm.embeddings * factor))

    def bring_back(_module, positional, named):
        return positional, named | {"inputs_embeds": named["inputs_embeds"] / factor}

    model.base_model.register_forward_pre_hook(bring_back, with_kwargs=True)
    return pt.LanguageModel(lm.name, lm.kind, model, lm.tokenizer)


@pytest.fixture(params=[64.0, 1 / 64])
def other(request, exact_bert):
    """How many times as long its embeddings are, and the model."""
    return request.param, enlarged(exact_bert, request.param)


def test_spread_is_the_standard_deviation_about_each_dimensions_mean(lm):
    numbers = lm.embeddings.double().numpy()
    assert pt.models.spread(lm) == pytest.approx(np.sqrt(numbers.var(axis=0, ddof=1).mean()), rel=1e-5)


def test_the_spacing_of_words_is_that_of_scipy(lm):
    words = lm.embeddings[list(lm.words.values())].double().numpy()
    assert pt.reading.word_spacing(lm) == pytest.approx(np.median(np.sort(cdist(words, words), axis=1)[:, 1]), rel=1e-3)


def test_the_spacing_of_many_words_is_estimated_on_some(lm, monkeypatch):
    monkeypatch.setattr(scale, "MANY", 1_000)
    monkeypatch.setattr(scale, "AT_ONCE", 100_000)
    anew = pt.LanguageModel(lm.name, lm.kind, lm.model, lm.tokenizer)
    assert pt.reading.word_spacing(anew) != pt.reading.word_spacing(lm)
    assert pt.reading.word_spacing(anew) == pytest.approx(pt.reading.word_spacing(lm), rel=0.03)


def test_both_units_grow_with_the_embeddings(exact_bert, other):
    factor, larger = other
    for unit in (pt.models.spread, pt.reading.word_spacing):
        assert unit(larger) == pytest.approx(factor * unit(exact_bert), rel=1e-6)


@pytest.mark.parametrize("gamma", [0, 3])
def test_in_the_models_unit_scale_changes_nothing(exact_bert, other, capital, gamma):
    """Neither a rate nor a strength: the prompt is as many times as long, to what Adam's epsilon leaves."""
    factor, larger = other
    here, there = (pt.tune(lm, capital, toward=TEXT, gamma=gamma, settings=SETTINGS) for lm in (exact_bert, larger))
    torch.testing.assert_close(there.vectors, factor * here.vectors, rtol=1e-3, atol=1e-3 * factor)
    assert (here.vectors - exact_bert.embed(TEXT)).abs().max() > 0.1


def test_a_random_start_is_in_the_models_unit_too(exact_bert, other, capital):
    factor, larger = other
    here, there = (pt.random_prompt(lm, capital).vectors for lm in (exact_bert, larger))
    torch.testing.assert_close(there, factor * here)


def test_absolute_numbers_are_taken_as_they_are(exact_bert, capital):
    spread, spacing = pt.models.spread(exact_bert), pt.reading.word_spacing(exact_bert)
    plain = pt.Settings(steps=12, learning_rate=0.4 * spread, unit="absolute")
    absolute = pt.tune(exact_bert, capital, toward=TEXT, gamma=2 / spacing**2, settings=plain)
    relative = pt.tune(exact_bert, capital, toward=TEXT, gamma=2, settings=pt.Settings(steps=12, learning_rate=0.4))
    torch.testing.assert_close(absolute.vectors, relative.vectors, rtol=0, atol=1e-6)
    first = pt.tune(exact_bert, capital, toward=TEXT, settings=pt.Settings(1, 4, 0.25, "absolute")).vectors
    steps = (first - exact_bert.embed(TEXT)).abs()  # Adam's first step is its rate in each number, whatever the slope
    assert steps.median().item() == pytest.approx(0.25, rel=1e-4)


def test_an_unknown_unit_is_refused():
    with pytest.raises(pt.PromptError, match="unknown unit 'metre'; there are model, absolute"):
        pt.Settings(unit="metre")


@pytest.mark.parametrize(
    "method",
    [pt.ClosedForm(), pt.Discretise(), pt.LinearMap(), pt.Procrustes(), pt.NeuralProjector(steps=30)],
    ids=lambda method: method.label,
)
def test_what_is_carried_grows_with_the_target_alone(exact_bert, gpt2, capital, other, method):
    factor, larger = other
    prompt = pt.random_prompt(gpt2, capital, length=2)
    here, there = (pt.transfer(prompt, gpt2, lm, method=method).vectors for lm in (exact_bert, larger))
    torch.testing.assert_close(there / factor, here, rtol=1e-3, atol=1e-4)
    prompts = [pt.random_prompt(lm, capital, length=2) for lm in (exact_bert, larger)]
    back = [pt.transfer(*pair, gpt2, method=method).vectors for pair in zip(prompts, (exact_bert, larger), strict=True)]
    torch.testing.assert_close(back[1], back[0], rtol=1e-3, atol=1e-4)
