"""The stand-in for the hub, and models to put on it."""

import json
import os
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
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

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS
from ptlib.models.quiet import quietly
from tests.hub.server import Hub

WIDTH = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ARCHITECTURES = {
    "bert": (BertForMaskedLM, BertConfig, WIDTH),
    "roberta": (RobertaForMaskedLM, RobertaConfig, WIDTH | {"pad_token_id": 1}),
    "albert": (AlbertForMaskedLM, AlbertConfig, WIDTH | {"embedding_size": 16}),
    "gpt2": (GPT2LMHeadModel, GPT2Config, {"n_embd": 32, "n_layer": 2, "n_head": 2}),
}
BERT = "own/bert"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub, without repositories, and nothing downloaded yet."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    hub = Hub(tmp_path / "hub", urlsplit(os.environ["HF_ENDPOINT"]).port)
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def data_hub(hub, tmp_path, monkeypatch):
    """The same, without what `datasets` has downloaded, or remembers of a repository of the same name."""
    import datasets
    from huggingface_hub import HfFileSystem

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", tmp_path / "datasets" / "downloads")
    HfFileSystem.clear_instance_cache()
    return hub


@pytest.fixture
def hurried(monkeypatch):
    """Waits between tries take no time."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def tiny_model(family: str, vocabulary: int, **changes: int) -> PreTrainedModel:
    """A model of the real architecture with random weights."""
    architecture, configuration, sizes = ARCHITECTURES[family]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return architecture(configuration(**sizes | {"vocab_size": vocabulary} | changes))


def publish(hub: Hub, name: str, family: str) -> PreTrainedModel:
    """Put a tiny model, with the tokenizer of the pocket model of its family, on the hub."""
    folder = hub.folder(name)
    for file in TOKENIZER_FILES:
        shutil.copy(WEIGHTS / f"{family}-small" / file, folder)
    vocabulary = len(PreTrainedTokenizerFast.from_pretrained(folder))
    return save(tiny_model(family, vocabulary), folder)


def save(model: PreTrainedModel, folder: Path, **how: object) -> PreTrainedModel:
    with quietly():
        model.save_pretrained(folder, **how)
    return model


def assert_equal_weights(lm, model, dtype=torch.float32):
    loaded, published = lm.model.state_dict(), model.state_dict()
    assert loaded.keys() == published.keys()
    for name, weight in loaded.items():
        assert weight.dtype == dtype
        assert torch.equal(weight, published[name].to(dtype)), name


def change_json(file, **values):
    about = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(about | values), encoding="utf-8")


def refusal(name, **how):
    """What is said about a model, which must be one line that names it."""
    with pytest.raises(pt.PromptError) as caught:
        pt.load(name, **how)
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    return message
