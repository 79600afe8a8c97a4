import pytest
import torch

import ptlib as pt
from ptlib.reading.descriptions import layers_of

TEXT = "The capital of [V] is"
LAST = 2  # layers of the model


@pytest.fixture
def france(gpt2):
    """A prompt whose vectors are the embeddings of words."""
    return pt.SoftPrompt(gpt2.embed("France and Paris"), gpt2.name, "made", "[X] [V] [V] [V] [Y] .", 0)


@torch.no_grad()
def test_the_embeddings_of_words_are_answered_as_the_words_in_the_text(gpt2, france):
    """As `transformers` goes on writing behind the same text, with the same probabilities."""
    ids = gpt2.tokenizer("The capital of France and Paris is", return_tensors="pt")["input_ids"]
    written, scores = ids, []
    for _ in range(6):
        chances = gpt2.model(written).logits[0, -1].log_softmax(dim=-1)
        scores.append(chances.max().item())
        written = torch.cat([written, chances.argmax().view(1, 1)], dim=1)
    (answer,) = pt.describe(gpt2, france, text=TEXT, count=1, tokens=6)
    said = gpt2.tokenizer.decode(written[0, ids.shape[1] :]).strip()
    assert said.startswith(answer.text)
    whole = answer.text == said
    assert answer.score == pytest.approx(sum(scores) / 6, abs=1e-4) if whole else answer.score > sum(scores) / 6


@pytest.mark.parametrize("layer", range(LAST + 1))
def test_hidden_states_in_the_place_that_they_come_from_change_nothing(gpt2, france, layer):
    """Where nothing stands before the prompt, its run alone and its run in the text are the same."""
    plain = pt.describe(gpt2, france, text="[V] is")
    patched = pt.describe(gpt2, france, text="[V] is", from_layer=layer, to_layer=layer)
    assert [answer.text for answer in patched] == [answer.text for answer in plain]
    assert [answer.score for answer in patched] == pytest.approx([answer.score for answer in plain], abs=1e-4)


def test_in_another_place_they_change_something_and_leave_the_model_as_it_was(gpt2, france):
    plain = pt.describe(gpt2, france, text="[V] is")
    moved = pt.describe(gpt2, france, text="[V] is", from_layer=2, to_layer=1)
    assert [answer.score for answer in moved] != pytest.approx([answer.score for answer in plain], abs=1e-3)
    assert pt.describe(gpt2, france, text="[V] is") == plain
    assert not any(layer._forward_hooks for layer in layers_of(gpt2))


def test_there_are_several_answers_best_first(gpt2, france):
    answers = pt.describe(gpt2, france, text=TEXT, count=4, tokens=1)
    chances = [answer.score for answer in answers]
    assert chances == sorted(chances, reverse=True)
    assert len({str(answer) for answer in answers}) == 4
    quiz = dict(pt.fill(gpt2, "The capital of France and Paris is [Y] .", count=4))
    assert {answer.text: answer.score for answer in answers} == pytest.approx(
        {word: torch.tensor(chance).log().item() for word, chance in quiz.items()}, abs=1e-4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "What is it?"}, r"has 0 \[V\]; give one"),
        ({"text": "[V] is [V]"}, r"has 2 \[V\]; give one"),
        ({"to_layer": 3}, "layer 3: pocket/gpt2-small has 0, its embeddings, to 2"),
        ({"from_layer": -1}, "layer -1: pocket/gpt2-small has 0"),
    ],
)
def test_what_is_not_there_is_refused(gpt2, france, options, message):
    with pytest.raises(pt.PromptError, match=message):
        pt.describe(gpt2, france, **options)


def test_a_masked_model_is_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="only a causal model can go on writing: pocket/bert-small is masked"):
        pt.describe(bert, pt.random_prompt(bert, capital))
