"""Prompts live in the space of what embedding modules return, which for some families is not their weight."""

import pytest
import torch
from transformers import AutoModelForCausalLM, BioGptConfig, Gemma2Config, Gemma3TextConfig, LlamaConfig, XGLMConfig

import ptlib as pt
from ptlib.models import embedding_space

SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
GEMMA = SIZES | {"num_key_value_heads": 1, "head_dim": 8}
FAMILIES = {
    "gemma2": lambda size: (Gemma2Config(vocab_size=size, **GEMMA), 4.0),
    "gemma3": lambda size: (Gemma3TextConfig(vocab_size=size, **GEMMA), 4.0),
    "xglm": lambda size: (XGLMConfig(vocab_size=size, d_model=16, ffn_dim=16, num_layers=1, attention_heads=2), 4.0),
    "biogpt": lambda size: (BioGptConfig(vocab_size=size, **SIZES), 4.0),
    "llama": lambda size: (LlamaConfig(vocab_size=size, **SIZES), 1.0),
}


@pytest.fixture(params=FAMILIES)
def scaled(request, gpt2):
    """A model, and the factor by which its embedding module multiplies."""
    config, factor = FAMILIES[request.param](len(gpt2.tokenizer))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    return pt.LanguageModel(request.param, "causal", model, gpt2.tokenizer), factor


def test_the_space_is_what_the_module_returns(scaled, monkeypatch):
    lm, factor = scaled
    monkeypatch.setattr(embedding_space, "AT_ONCE", 100)  # so that there are several pieces, the last one short
    weight = lm.model.get_input_embeddings().weight
    torch.testing.assert_close(lm.embeddings, weight * factor)
    words = lm.tokenizer(" capital city", add_special_tokens=False)["input_ids"]
    torch.testing.assert_close(lm.embed("capital city"), weight[words] * factor)
    assert torch.equal(lm.embed("capital city"), pt.models.word_vectors(lm, ["capital", "city"]))


def test_the_table_is_made_once_and_a_plain_one_never_copied(scaled):
    lm, factor = scaled
    assert lm.embeddings is lm.embeddings
    assert (lm.embeddings.data_ptr() == lm.model.get_input_embeddings().weight.data_ptr()) == (factor == 1)


def test_a_prompt_needs_no_table(scaled, capital):
    """A large vocabulary is not brought into float32 only to learn a type."""
    lm, _ = scaled
    short = pt.LanguageModel(lm.name, lm.kind, lm.model.to(torch.bfloat16), lm.tokenizer)
    prompt = pt.SoftPrompt(torch.zeros(2, lm.dim), lm.name, "P36", "[X] [V] [V] [Y]", 0)
    assert prompt.on(short).dtype == short.no_vectors().dtype == torch.float32
    pt.fill(short, "France", prompt)
    assert "embeddings" not in vars(short)
    assert short.embeddings.dtype == torch.float32


def test_words_and_the_vectors_they_stand_for_are_one(scaled, capital):
    """A prompt of word embeddings answers as the words do, and reads as the words."""
    lm, _ = scaled
    words = ["capital", "city"]
    prompt = pt.SoftPrompt(pt.models.word_vectors(lm, words), lm.name, "P36", "[X] [V] [V] [Y]", 0)
    assert [word for word, _ in pt.fill(lm, "France", prompt)] == [
        word for word, _ in pt.fill(lm, "France capital city [Y]")
    ]
    assert [row[0] for row in pt.project(lm, prompt).words] == words


def test_moments_are_those_of_all_words(lm, monkeypatch):
    monkeypatch.setattr(embedding_space, "AT_ONCE", 100)
    spread, mean = torch.std_mean(lm.embeddings.double(), dim=0)
    for found, expected in zip(lm.moments, (mean, spread), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-7)
