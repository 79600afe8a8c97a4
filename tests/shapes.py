"""Models as large as the papers', with real tokenizers and random weights: only what they cost is real."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    GPT2Config,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

import ptlib as pt
from ptlib.tasks.lama import split_by_subject

ROBERTA = {
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
SHAPES: dict[str, tuple[PreTrainedConfig, dict[str, object]]] = {
    "bert-base-cased": (BertConfig(vocab_size=28_996), {"do_lower_case": False}),
    "roberta-base": (RobertaConfig(vocab_size=50_265, **ROBERTA), {}),
    "gpt2": (GPT2Config(), {}),
}
WHERE = {
    "PTLIB_TOKENIZERS": "the tokenizers of bert-base-cased, roberta-base and gpt2",
    "PTLIB_LAMA": "LAMA in OptiPrompt's layout",
}


def missing() -> str:
    """What has to be said before anything here can run, or nothing."""
    return "; ".join(f"{name} names no folder with {what}" for name, what in WHERE.items() if name not in os.environ)


def real_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a real model."""
    config, settings = SHAPES[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = shutil.copytree(Path(os.environ["PTLIB_TOKENIZERS"]) / name, Path(scratch) / name)
        about = settings | {"model_max_length": 512}
        (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
        config.save_pretrained(folder)
        return AutoTokenizer.from_pretrained(folder)


def random_weights(name: str, device: str = "cpu") -> pt.LanguageModel:
    """A model of the shape and with the tokenizer of a real one."""
    config, tokenizer = SHAPES[name][0], real_tokenizer(name)
    kind = "causal" if name == "gpt2" else "masked"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = (AutoModelForCausalLM if kind == "causal" else AutoModelForMaskedLM).from_config(config)
    return pt.LanguageModel(f"random {name}", kind, model.eval().requires_grad_(False).to(device), tokenizer)


def lama(*lms: pt.LanguageModel) -> list[pt.Task]:
    """The relations of LAMA, with the examples that every model can answer in a word, split as those from the hub are.

    Some relations have no training examples in the folder's own splits.
    """
    tasks, _ = pt.in_vocabulary(list(pt.read_lama(os.environ["PTLIB_LAMA"]).values()), lms)
    return [split_by_subject(task) for task in tasks]
