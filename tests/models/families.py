"""Families of language models, each as a tiny checkpoint with random weights and one small vocabulary for all."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    CONFIG_MAPPING,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
CAPITALS = {
    "france": "paris", "italy": "rome", "spain": "madrid", "egypt": "cairo", "japan": "tokyo", "peru": "lima",
    "ghana": "accra", "kenya": "nairobi", "cuba": "havana", "norway": "oslo", "qatar": "doha", "mali": "bamako",
}  # fmt: skip
PLAIN = ("the", "capital", "city", "of", "old", "is", "called", ".")
WORDS = (*PLAIN, *CAPITALS, *CAPITALS.values(), *(f"word{first}{last}" for first in "abcde" for last in "uvwxyz"))

LOADERS = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM, "translating": AutoModelForSeq2SeqLM}
SIZES = {
    "hidden_size": 32, "d_model": 32, "embedding_size": 32, "intermediate_size": 40, "ffn_dim": 40, "d_ff": 40,
    "decoder_ffn_dim": 40, "encoder_ffn_dim": 40, "moe_intermediate_size": 16, "num_hidden_layers": 2,
    "num_layers": 2, "decoder_layers": 2, "encoder_layers": 2, "num_attention_heads": 4, "num_heads": 4,
    "decoder_attention_heads": 4, "encoder_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
    "max_position_embeddings": 48, "rotary_dim": 4, "state_size": 4, "time_step_rank": 4,
    "num_local_experts": 4, "num_experts": 4,
}  # fmt: skip
IDS = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        name: as its makers write it.
        type: as `transformers` calls it.
        kind: of the head, "masked" or "causal"; or "translating".
        refused: a part of the line by which `load` refuses it; nothing where it is to be right.
        settings: what a tiny one needs beside the sizes that all have.
    """

    name: str
    type: str
    kind: str
    refused: str = ""
    settings: dict[str, object] = field(default_factory=dict)


def _causal(name: str, type: str, refused: str = "", **settings) -> Family:
    return Family(name, type, "causal", refused, settings)


def _masked(name: str, type: str, refused: str = "", **settings) -> Family:
    return Family(name, type, "masked", refused, settings)


PADDED = "a text padded beside a longer one: the logits differ"

FAMILIES = (
    _causal("Llama", "llama"),
    _causal("Mistral", "mistral"),
    _causal("Mixtral", "mixtral"),
    _causal("Qwen2", "qwen2"),
    _causal("Qwen3", "qwen3"),
    _causal("Gemma", "gemma"),
    _causal("Gemma 2", "gemma2"),
    _causal("Gemma 3", "gemma3_text"),
    _causal("Phi", "phi"),
    _causal("Phi-3", "phi3"),
    _causal("OPT", "opt", word_embed_proj_dim=32),
    _causal("OPT with narrow embeddings", "opt", word_embed_proj_dim=16),
    _causal("GPT-2", "gpt2"),
    _causal("OpenAI GPT", "openai-gpt"),
    _causal("GPT-Neo", "gpt_neo", attention_types=[[["global", "local"], 1]]),
    _causal("GPT-J", "gptj"),
    _causal("GPT-NeoX (Pythia)", "gpt_neox"),
    _causal("GPT-BigCode (StarCoder)", "gpt_bigcode"),
    _causal("StarCoder 2", "starcoder2"),
    _causal("CodeGen", "codegen"),
    _causal("CTRL", "ctrl", dff=40),
    _causal("Falcon", "falcon"),
    _causal("BLOOM", "bloom"),
    _causal("MPT", "mpt", max_seq_len=48),
    _causal("StableLM", "stablelm"),
    _causal("OLMo", "olmo"),
    _causal("OLMo 2", "olmo2"),
    _causal("Cohere", "cohere"),
    _causal("Granite", "granite"),
    _causal("SmolLM 3", "smollm3"),
    _causal("GLM", "glm"),
    _causal("Nemotron", "nemotron"),
    _causal("GPT-OSS", "gpt_oss"),
    _causal("XGLM", "xglm"),
    _causal("BioGPT", "biogpt"),
    _causal("Mamba", "mamba"),
    _causal("Falcon Mamba", "falcon_mamba"),
    _causal("BART, decoder alone", "bart"),
    _causal("mBART, decoder alone", "mbart"),
    _causal("Pegasus, decoder alone", "pegasus"),
    _causal("Marian, decoder alone", "marian"),
    _causal("BERT as a decoder", "bert", is_decoder=True),
    _causal("RoBERTa as a decoder", "roberta", is_decoder=True),
    _masked("BERT", "bert"),
    _masked("RoBERTa", "roberta"),
    _masked("ALBERT", "albert"),
    _masked("ALBERT with narrow embeddings", "albert", embedding_size=16),
    _masked("DistilBERT", "distilbert", hidden_dim=40),
    _masked("ELECTRA (generator)", "electra"),
    _masked("ELECTRA with narrow embeddings", "electra", embedding_size=16),
    _masked("MPNet", "mpnet"),
    _masked("DeBERTa", "deberta", relative_attention=True, pos_att_type=["c2p", "p2c"]),
    _masked("DeBERTa V2 and V3", "deberta-v2", relative_attention=True, pos_att_type=["c2p", "p2c"]),
    _masked("ModernBERT", "modernbert"),
    _masked("XLM-RoBERTa", "xlm-roberta"),
    _masked("XLM", "xlm"),
    _masked("CamemBERT", "camembert"),
    _masked("BigBird", "big_bird"),
    _masked("Longformer", "longformer", attention_window=4, max_position_embeddings=50),
    _masked("MobileBERT", "mobilebert", embedding_size=16, true_hidden_size=16, intra_bottleneck_size=16),
    _masked("RoFormer", "roformer"),
    _masked("RemBERT", "rembert", input_embedding_size=16, output_embedding_size=24),
    _masked("SqueezeBERT", "squeezebert"),
    _masked("Megatron-BERT", "megatron-bert"),
    _masked("ERNIE", "ernie"),
    _masked("Nomic BERT", "nomic_bert"),
    _masked("ConvBERT", "convbert", refused=PADDED),
    _masked("FNet", "fnet", refused=PADDED),
    _masked("Nyströmformer", "nystromformer", refused=PADDED),
    _masked("YOSO", "yoso", refused=PADDED),
    _masked("ESM", "esm", refused="words as tokens: the logits differ"),
    _masked("I-BERT", "ibert", refused="cannot be run on word embeddings"),
    _masked("X-MOD", "xmod", refused="cannot be run on word embeddings"),
    Family("T5", "t5", "translating", refused="sequence-to-sequence"),
    Family("BART", "bart", "translating", refused="sequence-to-sequence"),
    Family("Pegasus", "pegasus", "translating", refused="sequence-to-sequence"),
)


def tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """For a masked model words between spaces, with marks around a text and a mask; for others pieces of bytes."""
    named = {"pad_token": "<pad>", "unk_token": "<unk>"}
    if family.kind != "masked":
        return PreTrainedTokenizerFast(tokenizer_object=_pieces(), **named)
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate((*SPECIAL, *WORDS))}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=made, mask_token="<mask>", **named)


@functools.cache
def _pieces() -> Tokenizer:
    """Byte-level pieces, merged until every word behind a space is one."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2_000, special_tokens=[*SPECIAL], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator([f" {word}" for word in WORDS], trainer)
    return made


def tiny(family: Family, *, seed: int = 0) -> PreTrainedModel:
    """A model of a family with some ten thousand random weights, none of which is 0 or 1."""
    known = CONFIG_MAPPING[family.type]
    sizes = {name: size for name, size in SIZES.items() if _takes(known, name)}
    config = known(**(sizes | IDS | {"vocab_size": len(tokenizer(family))} | family.settings))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LOADERS[family.kind].from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def _takes(config: type, name: str) -> bool:
    """Whether a configuration has a setting of this name that can be set."""
    there = getattr(config, name, None)
    return hasattr(config(), name) and not (isinstance(there, property) and there.fset is None)


def save(family: Family, folder: Path) -> Path:
    """A checkpoint with all that `load` wants."""
    tiny(family).save_pretrained(folder)
    tokenizer(family).save_pretrained(folder)
    return folder
