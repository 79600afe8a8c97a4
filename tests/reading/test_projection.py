import copy

import pytest
import torch
from scipy.spatial.distance import cdist

import ptlib as pt
from ptlib.reading import projection


@pytest.fixture
def spoken(lm):
    """A prompt whose vectors are the embeddings of two words."""
    return pt.SoftPrompt(lm.embed("capital city"), lm.name, "made", "[X] [V] [V] [Y] .", 0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_prompt_of_word_embeddings_projects_to_the_words(lm, spoken, metric):
    found = pt.project(lm, spoken, metric=metric)
    assert str(found) == "capital city"
    assert found.distances[0][0] == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_distances_are_those_of_scipy(bert, capital, metric):
    prompt = pt.random_prompt(bert, capital, length=3)
    expected = cdist(prompt.vectors.double().numpy(), bert.embeddings.double().numpy(), metric)
    found = pt.project(bert, prompt, count=4, metric=metric)
    assert torch.tensor(found.distances).numpy() == pytest.approx(sorted_rows(expected)[:, :4], abs=1e-4)
    assert found.words[1][0] == bert.tokenizer.decode([expected[1].argmin()]).strip()


def test_the_dot_product_prefers_what_points_the_same_way_and_is_long(bert, capital):
    prompt = pt.random_prompt(bert, capital, length=3)
    products = prompt.vectors.double() @ bert.embeddings.double().T
    found = pt.project(bert, prompt, count=4, metric="dot")
    assert -torch.tensor(found.distances).numpy() == pytest.approx(products.topk(4).values.numpy(), abs=1e-4)


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


@pytest.mark.parametrize("count", [0, -1, 10**6])
def test_what_is_no_number_of_words_is_refused(gpt2, capital, count):
    prompt = pt.random_prompt(gpt2, capital)
    for ask in (
        lambda: pt.project(gpt2, prompt, count=count),
        lambda: pt.fill(gpt2, "The capital of France is [Y] .", count=count),
        lambda: pt.describe(gpt2, prompt, count=count),
    ):
        with pytest.raises(pt.PromptError, match=f"count.* {count}"):
            ask()


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "dot"])
def test_few_distances_are_held_at_once(bert, metric, monkeypatch):
    """To a vocabulary of 262,144 words, those of a few thousand vectors are gigabytes."""
    held, plain, vectors = [], projection._distances, bert.embeddings[5:12] + 0.1
    expected = projection.nearest(bert, vectors, count=2, metric=metric)
    monkeypatch.setattr(projection, "AT_ONCE", 3 * len(bert.embeddings))
    monkeypatch.setattr(projection, "_distances", lambda *given: (held.append(len(given[0])), plain(*given))[1])
    found = projection.nearest(bert, vectors, count=2, metric=metric)
    assert held == [3, 3, 1]
    assert torch.equal(found.indices, expected.indices)
    torch.testing.assert_close(found.values, expected.values, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "dot"])
def test_rows_without_a_token_are_no_words(gpt2, metric):
    """Real models pad their embeddings; nothing is written there."""
    padded = copy.deepcopy(gpt2.model)
    padded.resize_token_embeddings(len(gpt2.tokenizer) + 9, mean_resizing=False)
    lm = pt.LanguageModel("padded", "causal", padded, gpt2.tokenizer)
    lm.embeddings[-9:] = 5 * torch.randn(9, lm.dim, generator=torch.Generator().manual_seed(0))
    prompt = pt.SoftPrompt(lm.embeddings[-3:-1], lm.name, "made", "[X] [V] [V] [Y] .", 0)
    found = pt.project(lm, prompt, count=3, metric=metric)
    assert found.words == pt.project(gpt2, prompt, count=3, metric=metric).words
    assert all(word for words in found.words for word in words)
