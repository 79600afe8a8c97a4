"""The pocket models: which there are, and how each is built and pretrained."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from ptlib.pocket.vocabulary import MAXIMUM_LENGTH, byte_level_bpe, unigram, wordpiece

FAST_GELU = "gelu_pytorch_tanh"  # the two families' own GELU, in one operation instead of eight


@dataclass(frozen=True)
class Recipe:
    """How one pocket model is made.

    Attributes:
        tokenizer: makes the tokenizer from the weighted words of the corpus.
        model: makes the model, with random weights, for a tokenizer.
        steps: updates of the weights.
    """

    tokenizer: Callable[[Counter[str]], PreTrainedTokenizerFast]
    model: Callable[[PreTrainedTokenizerFast], PreTrainedModel]
    steps: int


def _marks(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    first = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    last = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": first,
        "eos_token_id": last,
    }


def _encoder(width: int, layers: int, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Sizes shared by the three encoders. Without dropout: facts are to be learned by heart."""
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 32,
        "intermediate_size": 4 * width,
        "max_position_embeddings": MAXIMUM_LENGTH,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        **_marks(tokenizer),
    }


def bert(width: int, layers: int, tokenizer: PreTrainedTokenizerFast) -> BertForMaskedLM:
    """A BERT of the given size."""
    return BertForMaskedLM(BertConfig(**_encoder(width, layers, tokenizer)))


def roberta(width: int, layers: int, tokenizer: PreTrainedTokenizerFast) -> RobertaForMaskedLM:
    """A RoBERTa of the given size; it counts positions from one past the padding mark."""
    sizes = _encoder(width, layers, tokenizer)
    sizes["max_position_embeddings"] += tokenizer.pad_token_id + 1
    return RobertaForMaskedLM(RobertaConfig(**sizes, type_vocab_size=1))


def albert(width: int, layers: int, embedding: int, tokenizer: PreTrainedTokenizerFast) -> AlbertForMaskedLM:
    """An ALBERT: one layer used several times over, and word embeddings narrower than the layers."""
    return AlbertForMaskedLM(
        AlbertConfig(**_encoder(width, layers, tokenizer), embedding_size=embedding, hidden_act=FAST_GELU)
    )


def gpt2(width: int, layers: int, tokenizer: PreTrainedTokenizerFast) -> GPT2LMHeadModel:
    """A GPT-2 of the given size."""
    sizes: dict[str, Any] = {
        "activation_function": FAST_GELU,
        "n_embd": width,
        "n_layer": layers,
        "n_head": width // 32,
        "n_positions": MAXIMUM_LENGTH,
    }
    no_dropout: dict[str, Any] = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    return GPT2LMHeadModel(GPT2Config(**sizes, **no_dropout, **_marks(tokenizer)))


_roberta_tokenizer = partial(byte_level_bpe, masked=True)
_gpt2_tokenizer = partial(byte_level_bpe, masked=False)

RECIPES: dict[str, Recipe] = {
    "bert-small": Recipe(wordpiece, partial(bert, 128, 2), 5_000),
    "roberta-small": Recipe(_roberta_tokenizer, partial(roberta, 128, 2), 5_000),
    "albert-small": Recipe(unigram, partial(albert, 192, 3, 96), 4_500),
    "gpt2-small": Recipe(_gpt2_tokenizer, partial(gpt2, 128, 2), 3_000),
    "bert-medium": Recipe(wordpiece, partial(bert, 192, 3), 3_000),
    "gpt2-medium": Recipe(_gpt2_tokenizer, partial(gpt2, 192, 3), 2_000),
    "bert-large": Recipe(wordpiece, partial(bert, 224, 4), 2_500),
    "gpt2-large": Recipe(_gpt2_tokenizer, partial(gpt2, 256, 4), 2_000),
}
