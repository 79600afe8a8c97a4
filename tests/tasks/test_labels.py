import copy
from dataclasses import replace

import pytest
import torch
from tokenizers import normalizers

import ptlib as pt
from ptlib.models import batches
from ptlib.prompts.template import parse
from ptlib.scoring import channel
from ptlib.tasks.task import Example, Task
from ptlib.tuning.gradients import Gradients
from tests.prompts.tokenizers_of_all_kinds import causal_model


@pytest.fixture
def continent():
    return pt.closed(pt.relation("P30"))


def test_a_relation_becomes_a_classification(continent):
    assert continent.labels == ("Africa", "Antarctica", "Asia", "Europe", "Oceania")
    assert continent.train == pt.relation("P30").train
    assert continent.fingerprint() != pt.relation("P30").fingerprint()


def test_only_labels_are_compared(lm, continent):
    """Against the logits of `transformers`, one example after the other; a small set of labels makes it easy."""
    vague = "[X] , which [Y] ."
    found = pt.accuracy(lm, continent, vague)
    ids = [lm.word_id(label) for label in continent.labels]
    for example, hit in zip(continent.test, found.hits, strict=True):
        words = dict(pt.fill(lm, vague.replace("[X]", example.text), count=len(lm.tokenizer)))
        best = max(continent.labels, key=lambda label: words[label])
        assert hit == (best == example.answer)
    assert found.value > pt.accuracy(lm, pt.relation("P30"), vague).value
    assert len(set(ids)) == 5


def test_the_loss_is_the_cross_entropy_among_the_labels(exact_bert, continent, capital):
    jobs = [(continent, 0), (capital, 0)]
    gradients = Gradients(exact_bert, jobs, parse("[X] [V] [Y] ."), steps=1, rows=1)
    vectors = torch.stack([pt.random_prompt(exact_bert, task, length=1).vectors for task, _ in jobs])
    vectors.requires_grad_()
    loss = 0
    for job, row in enumerate(gradients.orders[0].flatten().tolist()):
        cloze = gradients.table[torch.tensor([row])]
        embedded = exact_bert.embeddings[cloze.ids].clone()
        embedded[0, cloze.prompt_at[0]] = vectors[job]
        logits = exact_bert.model(inputs_embeds=embedded).logits[0, cloze.slot_at[0]]
        words = [exact_bert.word_id(label) for label in continent.labels] if job == 0 else range(len(logits))
        loss = loss - (logits[cloze.answers[0]] - logits[list(words)].logsumexp(dim=0))
    loss.backward()
    torch.testing.assert_close(gradients.at(0, vectors), vectors.grad, rtol=1e-8, atol=1e-12)


def test_a_prompt_is_tuned_among_labels(lm, continent):
    prompt = pt.tune(lm, continent)
    assert pt.accuracy(lm, continent, prompt).value > 0.85


def test_labels_that_cannot_be_are_refused(bert, continent):
    with pytest.raises(pt.PromptError, match="P30: label 'Middle Earth' is not one token of pocket/bert-small"):
        pt.accuracy(bert, replace(continent, labels=(*continent.labels, "Middle Earth")))
    with pytest.raises(pt.PromptError, match="P30: answer 'Oceania' is not among the labels Africa, Antarctica, Asia"):
        pt.accuracy(bert, replace(continent, labels=continent.labels[:4]))


def test_two_labels_are_two_words(continent, exact_bert):
    with pytest.raises(pt.PromptError, match="P30: label 'Asia' stands twice"):
        replace(continent, labels=(*continent.labels, "Asia"))
    lower = copy.deepcopy(exact_bert.tokenizer)
    lower.backend_tokenizer.normalizer = normalizers.Lowercase()
    lm = pt.LanguageModel("lower-case", "masked", exact_bert.model, lower)
    cased = replace(continent, labels=("warm", "Warm"), train=(), dev=(), test=(Example("The sun", "warm"),))
    with pytest.raises(pt.PromptError, match="P30: labels 'warm' and 'Warm' are one token of lower-case"):
        pt.accuracy(lm, cased)


BEHIND = "A place on the continent of [Y] : [X]"


def by_hand(lm, template, text, label):
    """The log-probability of a text behind its label, by one plain pass of the model."""
    before = lm.tokenizer(template.replace("[Y]", label).replace(" [X]", ""))["input_ids"]
    ids = torch.tensor([before + lm.pieces(text)])
    said = lm.model(input_ids=ids).logits[0].log_softmax(dim=-1)
    return sum(said[place - 1, ids[0, place]].item() for place in range(len(before), ids.shape[1]))


def test_channel_scores_are_those_of_a_plain_pass(gpt2, continent):
    found = pt.scoring.channel_accuracy(gpt2, continent, BEHIND)
    for example, hit in zip(continent.test, found.hits, strict=True):
        scores = {label: by_hand(gpt2, BEHIND, example.text, label) for label in continent.labels}
        assert hit == (max(scores, key=scores.get) == example.answer)


def test_a_channel_asks_for_few_logits_at_once(gpt2, continent, monkeypatch):
    """Each place of a text has logits over the whole vocabulary, gigabytes in a batch of a real model."""
    asked, plain = [], channel.logits_where
    expected = pt.scoring.channel_accuracy(gpt2, continent, BEHIND)

    def counting(lm, cloze, vectors, where):
        asked.append(int(where.sum()))
        return plain(lm, cloze, vectors, where)

    monkeypatch.setattr(channel, "logits_where", counting)
    monkeypatch.setattr(batches, "CPU_TOKENS", 400)
    assert pt.scoring.channel_accuracy(gpt2, continent, BEHIND).hits == expected.hits
    assert len(asked) > 1
    assert max(asked) <= 400 // batches.TOKENS_A_LOGIT + 10


def test_a_channel_may_hold_a_prompt(gpt2, continent):
    words = "A place on the continent of"
    vectors = gpt2.embeddings[gpt2.pieces(words, starts_text=True)]
    prompt = pt.SoftPrompt(vectors, gpt2.name, "P30", "[X] [V] [V] [V] [V] [V] [V] [Y]", 0)
    soft = pt.scoring.channel_accuracy(gpt2, continent, "[V] " * 6 + "[Y] : [X]", prompt)
    assert soft.hits == pt.scoring.channel_accuracy(gpt2, continent, BEHIND).hits


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lm": "bert-small"}, "reads a text word by word: pocket/bert-small is masked; use a causal model"),
        ({"labels": ()}, "P30: has no labels to choose among"),
        ({"template": "[X] lies in [Y] ."}, r"\[X\] must stand last"),
        ({"template": "[V] [Y] : [X]"}, "holds 1 vectors, the prompt 0"),
        ({"test": (Example("far " * 70, "Asia"),)}, "tokens, pocket/gpt2-small at most 64"),
    ],
)
def test_what_a_channel_cannot_score_is_refused(lms, continent, change, message):
    lm = lms[change.pop("lm", "gpt2-small")]
    template = change.pop("template", BEHIND)
    with pytest.raises(pt.PromptError, match=message):
        pt.scoring.channel_accuracy(lm, replace(continent, **change), template)


@pytest.mark.parametrize("template", ["A place, in [Y]: [X]", "([Y])[X]", "[Y]\n\n[X]", "“[Y] [X]"])
def test_a_channel_s_words_reach_the_model_as_they_are_written(gpt2, continent, template):
    found = pt.scoring.channel_accuracy(gpt2, continent, template)
    for example, hit in zip(continent.test, found.hits, strict=True):
        scores = {}
        for label in continent.labels:
            before = gpt2.tokenizer(template.replace("[Y]", label).replace("[X]", "").removesuffix(" "))["input_ids"]
            ids = gpt2.tokenizer(template.replace("[Y]", label).replace("[X]", example.text))["input_ids"]
            said = gpt2.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(dim=-1)
            assert ids[: len(before)] == before
            scores[label] = sum(said[place - 1, ids[place]].item() for place in range(len(before), len(ids)))
        assert hit == (max(scores, key=scores.get) == example.answer)


def test_a_text_that_begins_in_the_first_token_of_all_is_refused():
    """Nothing stands before that token, so that a model says nothing of it."""
    lm = causal_model("bytes, space put before")
    examples = (Example("o", "Toky"), Example("of Tokyo", "Toky"))
    task = Task("t", "t", "[X] [Y]", (), (), examples, labels=("Toky", "Paris"))
    assert lm.tokenizer("Tokyo")["input_ids"] == [lm.word_id("Tokyo")]
    with pytest.raises(pt.PromptError, match=r"'\[Y\]\[X\]': a label and its text are one token of .*; put a space"):
        pt.scoring.channel_accuracy(lm, task, "[Y][X]")
    assert pt.scoring.channel_accuracy(lm, task, "[Y] [X]").hits


def test_logits_that_are_not_numbers_choose_no_label(gpt2, continent):
    model = copy.deepcopy(gpt2.model)
    model.transformer.ln_f.weight.fill_(float("nan"))
    with pytest.raises(pt.PromptError, match="P30: overflown in float32 gives logits that are not numbers"):
        pt.scoring.channel_accuracy(pt.LanguageModel("overflown", "causal", model, gpt2.tokenizer), continent, BEHIND)
