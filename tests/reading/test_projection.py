import pytest
import torch
from scipy.spatial.distance import cdist

import ptlib as pt


@pytest.fixture
def spoken(lm):
    """A prompt whose vectors are the embeddings of two words."""
    return pt.SoftPrompt(lm.embed("capital city"), lm.name, "made", "[X] [V] [V] [Y] .", 0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_prompt_of_word_embeddings_projects_to_the_words(lm, spoken, metric):
    projection = pt.project(lm, spoken, metric=metric)
    assert str(projection) == "capital city"
    assert projection.distances[0][0] == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_distances_are_those_of_scipy(bert, capital, metric):
    prompt = pt.random_prompt(bert, capital, length=3)
    expected = cdist(prompt.vectors.double().numpy(), bert.embeddings.double().numpy(), metric)
    projection = pt.project(bert, prompt, count=4, metric=metric)
    assert torch.tensor(projection.distances).numpy() == pytest.approx(sorted_rows(expected)[:, :4], abs=1e-4)
    assert projection.words[1][0] == bert.tokenizer.decode([expected[1].argmin()]).strip()


def test_the_dot_product_prefers_what_points_the_same_way_and_is_long(bert, capital):
    prompt = pt.random_prompt(bert, capital, length=3)
    products = prompt.vectors.double() @ bert.embeddings.double().T
    projection = pt.project(bert, prompt, count=4, metric="dot")
    assert -torch.tensor(projection.distances).numpy() == pytest.approx(products.topk(4).values.numpy(), abs=1e-4)


def sorted_rows(values):
    return torch.tensor(values).sort(dim=1).values.numpy()


def test_an_unknown_metric_is_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="unknown metric 'manhattan'; there are euclidean, cosine, dot"):
        pt.project(bert, pt.random_prompt(bert, capital), metric="manhattan")


def test_a_quiz_gives_words_with_their_probabilities(lm):
    everything = pt.fill(lm, "The capital of France is [Y] .", count=len(lm.tokenizer))
    assert sum(probability for _, probability in everything) == pytest.approx(1, abs=1e-4)
    assert everything[0][0] == "Paris"


def test_a_quiz_with_a_prompt_agrees_with_the_score(bert, capital):
    prompt = pt.tune(bert, capital, settings=pt.Settings(steps=20))
    hits = tuple(pt.fill(bert, e.text, prompt, count=1)[0][0] == e.answer for e in capital.test)
    assert hits == pt.accuracy(bert, capital, prompt).hits


def test_a_quiz_without_a_slot_is_refused(bert):
    with pytest.raises(pt.PromptError, match=r"needs exactly one \[Y\], has 0"):
        pt.fill(bert, "The capital of France is Paris .")
