"""A prompt put in by ptlib must mean to a model what the same vectors mean to it anywhere else."""

import gc
import weakref

import pytest
import torch
from peft import PromptTuningConfig, TaskType, get_peft_model
from transformers import GPT2LMHeadModel

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS
from ptlib.prompts.cloze import concatenate, encode, encode_once, encode_texts, slot_logits
from ptlib.prompts.template import parse
from ptlib.tasks.task import Example

COUNTRIES = ("France", "New Zealand", "Burkina Faso")
# The last logit of float32 arithmetic may differ where the order of sums differs.
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def plain_logits(lm, sentence):
    """Logits at the slot of a sentence written in full, through `transformers` alone."""
    before, after = (part.strip() for part in sentence.split("[Y]"))
    if lm.kind == "causal":
        return lm.model(**lm.tokenizer(before, return_tensors="pt")).logits[0, -1]
    ids = lm.tokenizer(f"{before} {lm.tokenizer.mask_token} {after}", return_tensors="pt")["input_ids"]
    mask = (ids[0] == lm.tokenizer.mask_token_id).nonzero().item()
    return lm.model(input_ids=ids).logits[0, mask]


@pytest.mark.parametrize(
    ("words", "template", "sentence"),
    [
        ("has its capital in", "[X] {} [Y] .", "{} has its capital in [Y] ."),
        ("The capital of", "{} [X] is [Y] .", "The capital of {} is [Y] ."),
    ],
)
def test_a_prompt_of_word_embeddings_is_the_words(lm, words, template, sentence):
    """For every family, after and before texts of different lengths (so with padding)."""
    vectors = lm.embeddings[lm.pieces(words, starts_text=sentence.startswith(words))]
    template = parse(template.format("[V] " * len(vectors)))
    logits = slot_logits(lm, encode_texts(lm, template, COUNTRIES), vectors.expand(len(COUNTRIES), -1, -1))
    for row, country in zip(logits, COUNTRIES, strict=True):
        torch.testing.assert_close(row, plain_logits(lm, sentence.format(country)), **CLOSE)


def test_words_around_the_subject_are_the_words(lm):
    sentence = "The capital of {} is the city of [Y] ."
    before = lm.embeddings[lm.pieces("The capital of", starts_text=True)]
    after = lm.embeddings[lm.pieces("is the city of")]
    template = parse("[V] " * len(before) + "[X] " + "[V] " * len(after) + "[Y] .")
    vectors = torch.cat([before, after]).expand(len(COUNTRIES), -1, -1)
    logits = slot_logits(lm, encode_texts(lm, template, COUNTRIES), vectors)
    for row, country in zip(logits, COUNTRIES, strict=True):
        torch.testing.assert_close(row, plain_logits(lm, sentence.format(country)), **CLOSE)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft asks transformers in the old way
def test_prompt_tuning_of_peft_gives_the_same_logits():
    """The same random vectors before the text, through `peft` on the GPT-2 pocket model."""
    lm = pt.load("pocket/gpt2-small", device="cpu")
    base = GPT2LMHeadModel.from_pretrained(WEIGHTS / "gpt2-small", dtype=torch.float32)
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=5, num_layers=2, token_dim=lm.dim)
    wrapped = get_peft_model(base, config).eval()
    vectors = wrapped.get_prompt(batch_size=1)[0].detach()
    ours = slot_logits(lm, encode_texts(lm, parse("[V] " * 5 + "[X] [Y]"), ["France"]), vectors[None])
    # The text stands after the vectors, so its first word is not at the start of the text.
    theirs = wrapped(input_ids=torch.tensor([lm.pieces("France")])).logits[:, -1]
    torch.testing.assert_close(ours, theirs.detach(), **CLOSE)


def test_padding_changes_nothing(lm):
    template = parse("[X] [V] [V] [Y] .")
    vectors = torch.randn(3, 2, lm.dim, generator=torch.Generator().manual_seed(0)) * lm.embeddings.std()
    together = slot_logits(lm, encode_texts(lm, template, COUNTRIES), vectors)
    for row, country, own in zip(together, COUNTRIES, vectors, strict=True):
        torch.testing.assert_close(row, slot_logits(lm, encode_texts(lm, template, [country]), own[None])[0], **CLOSE)


def test_concatenated_clozes_keep_their_logits(bert, capital):
    template = parse("[X] [V] [Y] .")
    parts = [encode(bert, template, capital.train[:4]), encode(bert, template, pt.relation("P19").train[:5])]
    vectors = bert.embed("Paris")[None].expand(9, -1, -1)
    together = slot_logits(bert, concatenate(parts), vectors)
    apart = torch.cat([slot_logits(bert, part, vectors[: len(part)]) for part in parts])
    torch.testing.assert_close(together, apart, **CLOSE)


def test_answers_that_are_not_one_token_are_counted_and_listed(bert):
    examples = [Example("France", "Paris"), Example("Peru", "Kierkegaardian"), Example("Chad", "New York")]
    with pytest.warns(UserWarning, match=r"capital: 2 of 3 examples skipped.*Kierkegaardian, New York"):
        cloze = encode(bert, parse("[X] [Y]"), examples, task="capital")
    assert cloze.answers.tolist() == [bert.word_id("Paris")]


@pytest.mark.filterwarnings("ignore:capital")
@pytest.mark.parametrize(
    ("examples", "complaint"),
    [
        ([], "capital: has no examples"),
        ([Example("France", "Kierkegaardian")], "capital: no answer is one token of pocket/bert-small"),
        ([Example("France " * 80, "Paris")], "capital: an example takes 8. tokens, pocket/bert-small at most 64"),
    ],
)
def test_what_cannot_be_encoded_is_said(bert, examples, complaint):
    with pytest.raises(pt.PromptError, match=complaint):
        encode(bert, parse("[X] [Y]"), examples, task="capital")


def test_a_causal_model_needs_the_text_before_the_slot(gpt2, capital):
    with pytest.raises(pt.PromptError, match=r"is causal, so the text must stand before \[Y\]"):
        encode(gpt2, parse("[Y] is the capital of [X] ."), capital.train)


def test_shapes_are_checked_while_the_tests_run(bert, capital):
    cloze = encode(bert, parse("[X] [V] [Y]"), capital.train[:2])
    with pytest.raises(Exception, match="rows length dim"):
        slot_logits(bert, cloze, torch.zeros(1, bert.dim))


def test_what_is_encoded_once_is_kept_as_long_as_its_model(bert, capital, monkeypatch):
    lm, template = pt.models.untrained(bert), parse("[X] [V] [Y] .")
    first = encode_once(lm, template, capital.test, task="P36")
    assert torch.equal(first.ids, encode(lm, template, capital.test).ids)
    assert encode_once(lm, parse("[X] [V] [Y] ."), capital.test, task="P36") is first
    assert encode_once(lm, template, capital.dev, task="P36") is not first
    gone = weakref.ref(first)
    del first, lm
    gc.collect()
    assert gone() is None
